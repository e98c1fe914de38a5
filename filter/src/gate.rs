//! The decision about one request, and the one place where the order of its steps is written.
//!
//! 1. Names that only the gate may set are taken out, whatever follows.
//! 2. With services: the path must be unambiguous, `/health/` is answered, the service is looked up.
//! 3. A CORS preflight is answered, where the configuration says whose pages may ask.
//! 4. A public service, or a CORS preflight where those bypass, needs no token.
//! 5. The rules decide; then a protected service asks for a caller, if the rules did not.
//! 6. An unknown path is 404, but only for those whom the rules let in.
//! 7. The service judges: its methods, what the caller's token allows, how long the body is; and which cluster is for them.
//! 8. The caller's claims and the service's cluster, path, timeout and retries are written.
//!
//! What is done to its answer, whoever gives it, is planned apart: [`AnswerPlan`].
//!
//! What a request owes to limits is said, not charged: [`on_arrival`] before all of this, and in [`Forward::charges`] after
//! it.
//!
//! Pure: the request, the configuration, the keys, the remembered tokens and the time come in; a decision goes out, and the
//! tokens with what was learnt. The host carries the decision out. What is remembered makes a decision faster, never
//! another.

mod admission;
mod answer;
mod charges;
mod contested;
mod findings;
mod forward;
mod hearing;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::headers::{Edit, Edits};
use crate::keys::{Fetch, KeyStore};
use crate::limit::Charge;
use crate::metadata::MetadataEntry;
use crate::refusal::{Answer, Detail, Needs, Reason, health, render};
use crate::request::{Request, is_cors_preflight, path_of};
use crate::service::{Access, Backend, CleanPath, HEALTH_PATH, Service, covers_segments};
use crate::status::Form;
use crate::token::{Caller, TokenCache};
use crate::witness::{Fact, Nobody, Witness};
pub use answer::AnswerPlan;
pub use charges::on_arrival;
use findings::Findings;
pub use forward::clean_trailers;

/// What is to become of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes on, with these changes.
    Forward(Forward),
    /// It does not.
    Refuse(Refusal),
    /// The gate itself answers.
    Answer(Answer),
    /// The gate itself answers with how the services are.
    Status(StatusView),
    /// It waits for keys.
    Wait(Fetch),
}

/// How a request goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// What changes in its headers, in this order.
    pub edits: Vec<Edit>,
    /// Who is asking, by the token that let it in.
    pub caller: Option<Arc<Caller>>,
    /// What is noted of its tokens.
    pub metadata: Vec<MetadataEntry>,
    /// The buckets that it is charged to first, now that its caller is known.
    pub charges: Vec<Charge>,
    /// By which right it passes.
    pub passage: Passage,
    /// Whether the host has to choose the route anew.
    pub route: RouteCache,
}

/// Who sees how the services are. The request has passed like one that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusView {
    /// What it is to look like.
    pub form: Form,
    /// Who is asking, by the token that let it in.
    pub caller: Option<Arc<Caller>>,
    /// What is noted of its tokens.
    pub metadata: Vec<MetadataEntry>,
    /// The buckets that it is charged to first.
    pub charges: Vec<Charge>,
}

/// By which right a request passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// The rules allowed it.
    Allowed,
    /// It is a CORS preflight.
    Preflight,
}

/// What becomes of a route that was chosen before the gate ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RouteCache {
    /// It stays.
    #[default]
    Keep,
    /// It is chosen anew, by the headers that the gate set.
    Clear,
}

/// Why a request is refused, and what would help it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// What it would need.
    pub needs: Option<Needs>,
    /// When it may come again.
    pub retry_after: Option<Duration>,
    /// What is noted of its tokens.
    pub metadata: Vec<MetadataEntry>,
}

impl Refusal {
    /// A refusal that says nothing about coming again.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        Self {
            reason,
            needs: None,
            retry_after: None,
            metadata: Vec::new(),
        }
    }

    /// The refusal of a request whose token can't be judged at the moment.
    #[must_use]
    pub fn without_keys(retry_after: Duration) -> Self {
        Self {
            reason: Reason::KeysUnavailable,
            needs: None,
            retry_after: Some(retry_after),
            metadata: Vec::new(),
        }
    }

    /// A refusal that says what would have passed.
    #[must_use]
    pub const fn needing(reason: Reason, needs: Needs) -> Self {
        Self {
            reason,
            needs: Some(needs),
            retry_after: None,
            metadata: Vec::new(),
        }
    }

    /// The answer to the request.
    #[must_use]
    pub fn answer(&self, request: &impl Request, detail: Detail) -> Answer {
        render(self.reason, request, self.needs.as_ref(), self.retry_after, detail)
    }
}

/// Whether the request may still wait for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It may.
    Left,
    /// It has waited long enough, or there is no room to wait.
    Exhausted,
}

/// Decides about a request.
#[must_use]
pub fn decide(
    request: &impl Request,
    config: &Config,
    keys: &KeyStore,
    tokens: &mut TokenCache,
    now: Timestamp,
    patience: Patience,
) -> Decision {
    decide_before(&Nobody, request, config, keys, tokens, now, patience)
}

/// Decides about a request before a witness, who sees every step and changes none.
#[must_use]
pub fn decide_before(
    witness: &impl Witness,
    request: &impl Request,
    config: &Config,
    keys: &KeyStore,
    tokens: &mut TokenCache,
    now: Timestamp,
    patience: Patience,
) -> Decision {
    Case {
        witness,
        request,
        config,
        keys,
        tokens,
        now,
        patience,
    }
    .decide()
    .unwrap_or_else(|end| end)
}

/// What services make of the request's path.
struct Destination<'c> {
    path: CleanPath,
    service: Option<&'c Service>,
}

struct Case<'c, R, W> {
    witness: &'c W,
    request: &'c R,
    config: &'c Config,
    keys: &'c KeyStore,
    tokens: &'c mut TokenCache,
    now: Timestamp,
    patience: Patience,
}

/// Whether the gate itself answers, since somebody asks whether it stands.
fn asks_for_health(request: &impl Request, path: &str) -> bool {
    path.len() <= HEALTH_PATH.len()
        && covers_segments(HEALTH_PATH, path)
        && matches!(request.method(), b"GET" | b"HEAD")
}

/// Whether it is an endpoint of the gate, which answers no preflights: no page of another origin has business there.
fn is_own(service: Option<&Service>) -> bool {
    service.is_some_and(|service| service.backend != Backend::Server)
}

fn refuse(reason: Reason) -> Decision {
    Decision::Refuse(Refusal::of(reason))
}

impl<'c, R: Request, W: Witness> Case<'c, R, W> {
    /// `Err` is a decision that ended the matter early.
    fn decide(&mut self) -> Result<Decision, Decision> {
        let mut edits = Edits::default();
        let request = self.request;
        self.config.sanitiser.sanitise(request, &mut edits);
        for name in edits.names() {
            let name = self.config.sanitiser.trusted_form(name.as_bytes());
            self.witness.sees(Fact::Forged(name.unwrap_or("connection")));
        }
        // A plain CONNECT has no path; rules for everything must not miss it.
        let target = request.target().unwrap_or(b"/");
        let destination = self.destination(target)?;
        let service = destination.as_ref().and_then(|destination| destination.service);

        self.answer_preflight(service)?;

        let (mut findings, passage) = if service.is_some_and(|service| service.access == Access::Public) {
            (Findings::default(), Passage::Allowed)
        } else if self.config.bypass_cors_preflight && is_cors_preflight(request) && !is_own(service) {
            self.witness.sees(Fact::Preflight);
            (Findings::default(), Passage::Preflight)
        } else {
            let path = destination
                .as_ref()
                .map_or(path_of(target), |destination| destination.path.as_str().as_bytes());
            (self.hear(path, service)?, Passage::Allowed)
        };
        let cluster = match &destination {
            None => None,
            Some(destination) => {
                let service = destination.service.ok_or_else(|| refuse(Reason::ServiceUnknown))?;
                Some(self.admit(service, destination.path.as_str(), &findings, passage)?)
            }
        };

        let path = match &destination {
            Some(destination) => destination.path.as_str().as_bytes(),
            None => path_of(target),
        };
        let charges = charges::of_caller(request, self.config, path, service, findings.claims(service));
        let caller = findings.caller(service);
        let metadata = std::mem::take(&mut findings.metadata);
        if service.is_some_and(|service| service.backend == Backend::Status) {
            return Ok(Decision::Status(StatusView {
                form: Form::wanted(request),
                caller,
                metadata,
                charges,
            }));
        }
        let route = self.write(target, destination.as_ref(), cluster, findings, &mut edits)?;
        Ok(Decision::Forward(Forward {
            edits: edits.into_edits().collect(),
            caller,
            metadata,
            charges,
            passage,
            route,
        }))
    }

    /// A preflight asks for nobody: where the gate knows who may read, nobody else need be asked.
    fn answer_preflight(&self, service: Option<&Service>) -> Result<(), Decision> {
        let rules = self.config.header_rules(service);
        let Some(cors) = rules.cors.as_ref().filter(|_| is_cors_preflight(self.request)) else {
            return Ok(());
        };
        let answer = cors.preflight(self.request);
        self.witness.sees(Fact::PreflightAnswered(answer.is_some()));
        Err(answer.map_or_else(|| refuse(Reason::OriginNotAllowed), Decision::Answer))
    }

    fn destination(&self, target: &[u8]) -> Result<Option<Destination<'c>>, Decision> {
        let Some(catalogue) = &self.config.services else {
            return Ok(None);
        };
        if self.request.target().is_none() {
            return Err(refuse(Reason::PathAmbiguous));
        }
        // What follows a `#` is no part of a request's target (RFC 9112, section 3.2); a server may read it as one.
        let path = if target.contains(&b'#') {
            None
        } else {
            CleanPath::parse(path_of(target)).ok()
        };
        let path = path.ok_or_else(|| refuse(Reason::PathAmbiguous))?;
        if asks_for_health(self.request, path.as_str()) {
            return Err(Decision::Answer(health(self.request)));
        }
        let service = catalogue.find(path.as_str());
        self.witness.sees(Fact::Service {
            path: path.as_str(),
            service,
        });
        Ok(Some(Destination { path, service }))
    }
}
