//! What is to be done to the answer to a request, whoever gives it: the service, Envoy, or the gate that refuses.
//!
//! Planned when the request comes, apart from the decision: a refusal needs its security headers like every answer, and
//! the request is gone when the answer comes.

use std::sync::Arc;

use super::path_of;
use crate::config::Config;
use crate::headers::{Edit, Edits, HeaderRules, Scheme};
use crate::request::{HeaderList, Request, is_cors_preflight};
use crate::service::{CleanPath, Service};

/// What is done to one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerPlan {
    rules: Arc<HeaderRules>,
    scheme: Scheme,
    /// What pages of other origins are told.
    cors: Option<[Edit; 3]>,
    vary: Option<&'static str>,
}

impl AnswerPlan {
    /// The plan for the answer to a request; none where nothing is to be done.
    #[must_use]
    pub fn of(request: &impl Request, config: &Config) -> Option<Self> {
        let rules = rules(request, config);
        // What the answer to a preflight says stands in it.
        let cors = rules.cors.as_ref().filter(|_| !is_cors_preflight(request));
        if rules.response.is_empty() && rules.cors.is_none() {
            return None;
        }
        Some(Self {
            scheme: Scheme::of(request),
            cors: cors.map(|cors| cors.edits(request)),
            vary: rules.cors.as_ref().filter(|cors| cors.varies()).map(|_| "origin"),
            rules: Arc::clone(rules),
        })
    }

    /// What is to be added to the answer's `Vary`, beside what stands there.
    #[must_use]
    pub fn vary(&self) -> Option<&'static str> {
        self.vary
    }

    /// What changes in the answer's headers. `read` reads them, and is called only where a rule depends on them.
    pub fn edits(self, read: impl FnOnce() -> HeaderList) -> impl Iterator<Item = Edit> {
        let mut edits = Edits::default();
        self.rules.response.apply(self.scheme, read, &mut edits);
        edits.into_edits().chain(self.cors.into_iter().flatten())
    }
}

/// The rules for the service that a request's path leads to. The path is read only where services differ.
fn rules<'c>(request: &impl Request, config: &'c Config) -> &'c Arc<HeaderRules> {
    let differs = |service: &Service| !Arc::ptr_eq(&service.header_rules, &config.header_rules);
    let catalogue = config
        .services
        .as_ref()
        .filter(|catalogue| catalogue.iter().any(differs));
    let service = catalogue.and_then(|catalogue| {
        let path = CleanPath::parse(path_of(request.target()?)).ok()?;
        catalogue.find(path.as_str())
    });
    config.header_rules(service)
}
