//! The decision about one request, and the one place where the order of its steps is written.
//!
//! 1. Names that only the gate may set are taken out, whatever follows.
//! 2. With services: the path must be unambiguous, `/health/` is answered, the service is looked up.
//! 3. A public service, or a CORS preflight where those bypass, needs no token.
//! 4. The rules decide; then a protected service asks for a caller, if the rules did not.
//! 5. An unknown path is 404, but only for those whom the rules let in.
//! 6. The caller's claims and the service's cluster, path and timeout are written.
//!
//! Pure: the request, the configuration, the keys and the time come in, a decision goes out. The host carries it out.

mod forward;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jose::{UnverifiedToken, VerifiedToken};

use crate::clock::Timestamp;
use crate::config::Config;
use crate::headers::{Edit, Edits, header_text};
use crate::keys::{Fetch, KeyStore, Outlook, ProviderId, Why};
use crate::refusal::{Answer, Detail, Reason, health, render};
use crate::request::{Request, is_cors_preflight, path_of};
use crate::requirement::{Attempt, Requirement, Verdict, evaluate, required};
use crate::service::{Access, CleanPath, HEALTH_PATH, Service, covers_segments};
use crate::token::{self, Failure, Place, Search};

/// What is to become of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes on, with these changes.
    Forward(Forward),
    /// It does not.
    Refuse(Refusal),
    /// The gate itself answers.
    Answer(Answer),
    /// It waits for keys.
    Wait(Fetch),
}

/// How a request goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// What changes in its headers, in this order.
    pub edits: Vec<Edit>,
    /// The subject of the token that let it in.
    pub subject: Option<String>,
    /// By which right it passes.
    pub passage: Passage,
    /// Whether the host has to choose the route anew.
    pub route: RouteCache,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteCache {
    /// It stays.
    Keep,
    /// It is chosen anew, by the headers that the gate set.
    Clear,
}

/// Why a request is refused, and when it may come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// When it may come again.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal that says nothing about coming again.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        Self {
            reason,
            retry_after: None,
        }
    }

    /// The refusal of a request whose token can't be judged at the moment.
    #[must_use]
    pub fn without_keys(retry_after: Duration) -> Self {
        Self {
            reason: Reason::KeysUnavailable,
            retry_after: Some(retry_after),
        }
    }

    /// The answer to the request.
    #[must_use]
    pub fn answer(&self, request: &impl Request, detail: Detail) -> Answer {
        render(self.reason, request, self.retry_after, detail)
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
    now: Timestamp,
    patience: Patience,
) -> Decision {
    Case {
        request,
        config,
        keys,
        now,
        patience,
    }
    .decide()
    .unwrap_or_else(|end| end)
}

/// A verified token and where it was found.
#[derive(Debug, Clone)]
struct Identity<'c> {
    provider: ProviderId,
    place: &'c Place,
    token: VerifiedToken,
}

/// What services make of the request's path.
struct Destination<'c> {
    path: CleanPath,
    service: Option<&'c Service>,
}

struct Case<'c, R> {
    request: &'c R,
    config: &'c Config,
    keys: &'c KeyStore,
    now: Timestamp,
    patience: Patience,
}

fn refuse(reason: Reason) -> Decision {
    Decision::Refuse(Refusal::of(reason))
}

impl<'c, R: Request> Case<'c, R> {
    /// `Err` is a decision that ended the matter early.
    fn decide(&self) -> Result<Decision, Decision> {
        let mut edits = Edits::default();
        self.config.sanitiser.sanitise(self.request, &mut edits);
        // A plain CONNECT has no path; rules for everything must not miss it.
        let target = self.request.target().unwrap_or(b"/");
        let destination = self.destination(target)?;
        let service = destination.as_ref().and_then(|destination| destination.service);

        let (identities, passage) = if service.is_some_and(|service| service.access == Access::Public) {
            (Vec::new(), Passage::Allowed)
        } else if self.config.bypass_cors_preflight && is_cors_preflight(self.request) {
            (Vec::new(), Passage::Preflight)
        } else {
            let path = destination
                .as_ref()
                .map_or(path_of(target), |destination| destination.path.as_str().as_bytes());
            (self.identities(path, service)?, Passage::Allowed)
        };
        if destination.is_some() && service.is_none() {
            return Err(refuse(Reason::ServiceUnknown));
        }

        let route = self.write(target, destination.as_ref(), &identities, &mut edits)?;
        // One line of visible ASCII, as access logs need it.
        let subject = identities
            .first()
            .and_then(|identity| identity.token.claims().subject());
        let subject = subject.and_then(|subject| String::from_utf8(header_text(subject).ok()?).ok());
        Ok(Decision::Forward(Forward {
            edits: edits.into_edits().collect(),
            subject,
            passage,
            route,
        }))
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
        let asks_for_health = path.as_str().len() <= HEALTH_PATH.len() && covers_segments(HEALTH_PATH, path.as_str());
        if asks_for_health && matches!(self.request.method(), b"GET" | b"HEAD") {
            return Err(Decision::Answer(health(self.request)));
        }
        let service = catalogue.find(path.as_str());
        Ok(Some(Destination { path, service }))
    }

    /// Who is asking, as far as the rules and the service want to know.
    fn identities(&self, path: &[u8], service: Option<&Service>) -> Result<Vec<Identity<'c>>, Decision> {
        let identities = match required(&self.config.rules, path) {
            Some(requirement) => self.satisfied(requirement)?,
            None => Vec::new(),
        };
        if identities.is_empty() && service.is_some() {
            let anybody = self.provider_ids().map(Requirement::Provider).collect();
            return self.satisfied(&Requirement::Any(anybody));
        }
        Ok(identities)
    }

    fn satisfied(&self, requirement: &Requirement) -> Result<Vec<Identity<'c>>, Decision> {
        let providers: Vec<ProviderId> = self.provider_ids().collect();
        match evaluate(requirement, &providers, &mut |provider, audiences| {
            self.judge(provider, audiences)
        }) {
            Verdict::Passed(identities) => Ok(identities),
            Verdict::Refused(Reason::KeysUnavailable) => {
                Err(Decision::Refuse(Refusal::without_keys(self.longest_wait())))
            }
            Verdict::Refused(reason) => Err(refuse(reason)),
            Verdict::Waiting(fetch) => Err(Decision::Wait(fetch)),
        }
    }

    fn provider_ids(&self) -> impl Iterator<Item = ProviderId> + use<R> {
        (0..self.config.providers.len()).map(ProviderId::new)
    }

    fn judge(&self, id: ProviderId, audiences: Option<&[String]>) -> Attempt<Identity<'c>> {
        let Some(provider) = self.config.providers.get(id.index()) else {
            return Attempt::Refused(Reason::GateNotReady);
        };
        let (compact, place) = match token::find(&provider.places, self.request) {
            Search::Missing => return Attempt::Refused(Reason::TokenMissing),
            Search::Repeated => return Attempt::Refused(Reason::TokenRepeated),
            Search::Found { token, place } => (token, place),
        };
        let token = match UnverifiedToken::parse(&compact, self.config.max_token_bytes) {
            Ok(token) => token,
            Err(error) => return Attempt::Refused(error.into()),
        };
        match token::verify(
            &token,
            &provider.rules,
            audiences,
            self.keys.usable(id, self.now),
            self.now,
        ) {
            Ok(token) => Attempt::Verified(Identity {
                provider: id,
                place,
                token,
            }),
            Err(Failure::Refused(reason)) => Attempt::Refused(reason),
            Err(Failure::NoKeys) => self.wait_or(id, Why::Cold, Reason::KeysUnavailable),
            Err(Failure::UnknownKey) => {
                // While no fetch succeeds, nobody can say that the issuer does not publish the key.
                let out_of_reach = self.keys.remote(id).is_some_and(|remote| remote.ledger().last_failed());
                let reason = if out_of_reach {
                    Reason::KeysUnavailable
                } else {
                    Reason::KeyUnknown
                };
                self.wait_or(id, Why::UnknownKey, reason)
            }
        }
    }

    fn wait_or(&self, provider: ProviderId, why: Why, reason: Reason) -> Attempt<Identity<'c>> {
        let Some(remote) = self.keys.remote(provider) else {
            return Attempt::Refused(reason);
        };
        match (remote.outlook(why, self.now), self.patience) {
            (Outlook::Soon, Patience::Left) => Attempt::Waiting(Fetch { provider, why }),
            // A fetch could help, and there was no time or no room for it: that is not the token's fault.
            (Outlook::Soon, Patience::Exhausted) => Attempt::Refused(Reason::KeysUnavailable),
            (Outlook::NotBefore(_), _) => Attempt::Refused(reason),
        }
    }

    /// When a request that was refused for want of keys may come again.
    fn longest_wait(&self) -> Duration {
        let waits = self
            .keys
            .remotes()
            .filter_map(|id| match self.keys.remote(id)?.outlook(Why::Cold, self.now) {
                Outlook::Soon => None,
                Outlook::NotBefore(wait) => Some(wait),
            });
        waits.max().unwrap_or(Duration::from_secs(1))
    }
}
