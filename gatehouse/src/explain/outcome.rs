//! How it ends: what goes to the upstream, or what the caller gets.

use std::time::Duration;

use filter::config::{Config, Provider};
use filter::gate::{Decision, Forward, Passage, Refusal, RouteCache};
use filter::headers::Edit;
use filter::keys::{Fetch, KeyStore, Why};
use filter::request::{HeaderList, Request, path_of};
use filter::service::CLUSTER_HEADER;
use serde::Serialize;

use super::refusals::advice;
use super::step::Disclosure;
use crate::paint::printable;

/// The end of a story.
#[derive(Debug, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub(crate) enum Ending {
    Forward {
        passage: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
        removed: Vec<String>,
        set: Vec<SetHeader>,
        route: &'static str,
    },
    Refuse {
        status: u16,
        code: &'static str,
        grpc_status: u32,
        title: &'static str,
        detail: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        challenge: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        allow: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u64>,
        meaning: String,
        advice: String,
        page: &'static str,
    },
    Answer {
        status: u16,
        body: String,
    },
    Wait {
        provider: String,
        why: &'static str,
        at_most_seconds: u64,
    },
}

/// A header that the upstream gets from the gate.
#[derive(Debug, Serialize)]
pub(crate) struct SetHeader {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// What a decision comes to.
pub(crate) fn ending(
    decision: &Decision,
    request: &HeaderList,
    config: &Config,
    keys: &KeyStore,
    disclosure: Disclosure,
) -> Ending {
    match decision {
        Decision::Forward(forward) => forwarded(forward, request, config, disclosure),
        Decision::Refuse(refusal) => refused(refusal, request, config),
        Decision::Answer(answer) => Ending::Answer {
            status: answer.status,
            body: printable(&String::from_utf8_lossy(&answer.body)),
        },
        Decision::Status(_) => Ending::Answer {
            status: 200,
            body: "how the services are, as the gate knows it where it runs".to_owned(),
        },
        Decision::Wait(fetch) => waiting(*fetch, config, keys),
    }
}

fn forwarded(forward: &Forward, request: &HeaderList, config: &Config, disclosure: Disclosure) -> Ending {
    let mut removed = Vec::new();
    let mut set = Vec::new();
    for edit in &forward.edits {
        match edit {
            Edit::Remove(name) => removed.push(printable(name)),
            Edit::Set(name, value) => set.push(SetHeader {
                value: printable(&value_of(name, value, request, config, disclosure)),
                name: name.clone(),
            }),
        }
    }
    let subject = forward.caller.as_ref().and_then(|caller| caller.subject.clone());
    let subject = match (subject, disclosure) {
        (Some(_), Disclosure::Hidden) => Some("(hidden)".to_owned()),
        (subject, _) => subject,
    };
    Ending::Forward {
        passage: match forward.passage {
            Passage::Allowed => "allowed",
            Passage::Preflight => "preflight",
        },
        subject,
        removed,
        set,
        route: match forward.route {
            RouteCache::Keep => "kept",
            RouteCache::Clear => "chosen anew",
        },
    }
}

/// A header's value, where it is the gate's own word; what is left of the client's may hold tokens.
fn value_of(name: &str, value: &[u8], request: &HeaderList, config: &Config, disclosure: Disclosure) -> String {
    let text = String::from_utf8_lossy(value);
    let is_payload = |provider: &Provider| {
        provider
            .payload_header
            .as_ref()
            .is_some_and(|header| header.name == name)
    };
    let is_claim = |provider: &Provider| provider.claim_headers.iter().any(|header| header.name == name);
    match name {
        ":path" => {
            let query = if value.contains(&b'?') { "?…" } else { "" };
            format!("{}{query}", String::from_utf8_lossy(path_of(value)))
        }
        CLUSTER_HEADER => text.into_owned(),
        _ if name.starts_with("x-envoy-") => text.into_owned(),
        _ if config.providers.iter().any(is_payload) => format!("(the token's payload, {} bytes)", value.len()),
        _ if config.providers.iter().any(is_claim) => match disclosure {
            Disclosure::Shown => text.into_owned(),
            Disclosure::Hidden => "(hidden)".to_owned(),
        },
        _ if request.first(name).is_none() => text.into_owned(),
        _ => format!("(what is left of it, {} bytes)", value.len()),
    }
}

fn refused(refusal: &Refusal, request: &HeaderList, config: &Config) -> Ending {
    let entry = refusal.reason.entry();
    let answer = refusal.answer(request, config.refusal_detail);
    let said = |wanted: &str| {
        let found = answer.headers.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| printable(value))
    };
    let (meaning, advice) = advice(entry.code).unwrap_or_default();
    Ending::Refuse {
        status: entry.status,
        code: entry.code,
        grpc_status: entry.grpc.code(),
        title: entry.title,
        detail: entry.detail,
        challenge: said("www-authenticate"),
        allow: said("allow"),
        retry_after_seconds: refusal.retry_after.map(|pause| pause.as_secs()),
        meaning,
        advice,
        page: "docs/refusals.md",
    }
}

fn waiting(fetch: Fetch, config: &Config, keys: &KeyStore) -> Ending {
    let provider = config.providers.get(fetch.provider.index());
    let bound = keys
        .remote(fetch.provider)
        .map_or(Duration::ZERO, |remote| remote.policy().max_wait);
    Ending::Wait {
        provider: provider.map_or_else(String::new, |provider| provider.name.clone()),
        why: match fetch.why {
            Why::Cold => "no keys are held",
            Why::Due => "the keys are old",
            Why::UnknownKey => "the token names a key that is not held",
        },
        at_most_seconds: bound.as_secs(),
    }
}
