//! `gatehouse explain`: what the gate decides about one request, and every step on the way.
//!
//! The decision is made by the filter's own code, before a witness who writes down what it sees.

mod duration;
mod given;
mod outcome;
mod recorder;
mod refusals;
mod render;
mod request;
mod step;
mod token_steps;

use filter::clock::Timestamp;
use filter::config::Config;
use filter::gate::{Decision, Patience, decide_before};
use filter::request::{HeaderList, Request, path_of};

use crate::cli::Explain;
use crate::document::Node;
use crate::paint::printable;
use crate::redact::Redactor;
use recorder::Recorder;
use step::Step;

/// Why nothing can be explained. What is wrong with what was given, never with the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExplainError {
    #[error("{0} can't be read: {1}")]
    Unreadable(String, String),
    #[error("{0} {1}")]
    NotAFile(String, String),
    #[error("the configuration is refused, so the gate would decide nothing; `gatehouse check` tells where:\n{0}")]
    Configuration(String),
    #[error("{0}")]
    Usage(String),
}

/// What becomes of the request, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passes,
    Refused,
    Waits,
}

/// A decision with its story.
#[derive(Debug)]
pub(crate) struct Explained {
    /// The request line, without what may be secret.
    request: String,
    now: Timestamp,
    plugin: String,
    steps: Vec<Step>,
    decision: Decision,
    ending: outcome::Ending,
    redactor: Redactor,
}

/// Explains what was asked for.
pub(crate) fn explain(arguments: &Explain) -> Result<Explained, ExplainError> {
    let gate = given::gate(arguments)?;
    let now = given::now(arguments.now.as_deref())?;
    let request = request::of(arguments)?;
    let keys = given::keys(&gate.config, &arguments.jwks, now)?;
    let disclosure = if arguments.hide_claims {
        step::Disclosure::Hidden
    } else {
        step::Disclosure::Shown
    };
    let recorder = Recorder::new(&gate.config, gate.tree.as_ref(), &keys, now, disclosure);
    let mut tokens = gate.config.token_cache();
    let decision = decide_before(
        &recorder,
        &request,
        &gate.config,
        &keys,
        &mut tokens,
        now,
        Patience::Left,
    );
    let steps = recorder.into_steps();
    let ending = outcome::ending(&decision, &request, &gate.config, &keys, disclosure);
    Ok(Explained {
        request: headline(&request),
        now,
        plugin: gate.name,
        steps,
        decision,
        ending,
        redactor: Redactor::of(&request),
    })
}

/// A configuration that can decide.
#[derive(Debug)]
struct Gate {
    name: String,
    config: Config,
    tree: Option<Node>,
}

impl Explained {
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.decision {
            Decision::Forward(_) | Decision::Answer(_) | Decision::Status(_) => Outcome::Passes,
            Decision::Refuse(_) => Outcome::Refused,
            Decision::Wait(_) => Outcome::Waits,
        }
    }
}

/// Method and path. A query may hold a token, so only that there is one is said.
fn headline(request: &HeaderList) -> String {
    let method = String::from_utf8_lossy(request.method());
    let target = request.target().unwrap_or_default();
    let query = if target.contains(&b'?') { "?…" } else { "" };
    let host = request.first(":authority").map(String::from_utf8_lossy);
    let host = host.map(|host| format!(" at {host}")).unwrap_or_default();
    printable(&format!(
        "{method} {}{query}{host}",
        String::from_utf8_lossy(path_of(target))
    ))
}
