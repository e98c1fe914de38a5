//! The services of the configuration, found by path.

use std::sync::Arc;
use std::time::Duration;

use super::{Choice, Methods, Retries, UpstreamError};
use crate::authorization::{Authorization, Question};
use crate::headers::HeaderRules;
use crate::keys::ProviderId;
use crate::request::Request;

/// Whether a service asks for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only for callers whose token was accepted.
    Protected,
    /// For everybody: rules don't apply, and `Authorization` goes on as it came.
    Public,
}

/// What stands behind a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A server with all its paths under the prefix.
    Server,
    /// One resource of a server, and nothing else of it: the prefix is the whole path, and the server always sees this
    /// target, whatever was asked.
    Resource(&'static str),
    /// The gate itself, which tells how the services are.
    Status,
}

/// One service behind the gate.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name in the configuration; for an endpoint of the gate, its path.
    pub name: String,
    /// What it is.
    pub backend: Backend,
    /// The path under which it is reached.
    pub prefix: String,
    /// Envoy's cluster that serves it, where no choice settles on another.
    pub cluster: String,
    /// Which cluster serves whom; the first that settles on one counts.
    pub upstream: Vec<Choice>,
    /// How long its answer may take; `None` leaves it to Envoy's route.
    pub timeout: Option<Duration>,
    /// What takes the prefix' place on the way to the service.
    pub prefix_rewrite: Option<String>,
    /// Who may reach it.
    pub access: Access,
    /// The methods that it takes; `None` means all.
    pub methods: Option<Methods>,
    /// The longest body that it takes, in bytes; `None` means any.
    pub max_body_bytes: Option<u64>,
    /// How often it is tried again; `None` leaves it to Envoy's route.
    pub retries: Option<Retries>,
    /// Whose tokens it accepts; none means every provider's.
    pub providers: Vec<ProviderId>,
    /// What it asks of its callers.
    pub authorization: Authorization,
    /// Where the service itself says how it is, by its own paths.
    pub health_path: Option<String>,
    /// What changes in its requests and answers.
    pub header_rules: Arc<HeaderRules>,
}

impl Service {
    /// The cluster that serves this request.
    pub fn choose<R: Request>(&self, question: &Question<'_, R>) -> Result<&str, UpstreamError> {
        for choice in &self.upstream {
            if let Some(cluster) = choice.settle(&self.name, question.request, question)? {
                return Ok(cluster);
            }
        }
        Ok(&self.cluster)
    }

    /// Every cluster that may serve it.
    pub fn clusters(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.cluster.as_str()).chain(self.upstream.iter().flat_map(Choice::clusters))
    }

    /// Whether a token that this provider accepted will do.
    #[must_use]
    pub fn accepts(&self, provider: ProviderId) -> bool {
        self.providers.is_empty() || self.providers.contains(&provider)
    }

    /// Whether a request for this path is the service's.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let in_reach = match self.backend {
            Backend::Server => true,
            Backend::Resource(_) | Backend::Status => path.len() <= self.prefix.len(),
        };
        in_reach && covers_segments(&self.prefix, path)
    }

    /// The path under which the service itself sees a request for `path`.
    #[must_use]
    pub fn upstream_path(&self, path: &str) -> String {
        let Some(rewrite) = &self.prefix_rewrite else {
            return path.to_owned();
        };
        let rest = path.strip_prefix(bare(&self.prefix)).unwrap_or(path);
        let rewritten = format!("{}{rest}", bare(rewrite));
        if rewritten.is_empty() {
            "/".to_owned()
        } else {
            rewritten
        }
    }
}

/// All services, the longest prefix first.
#[derive(Debug, Clone, Default)]
pub struct Catalogue(Vec<Service>);

impl Catalogue {
    /// A catalogue of these services.
    #[must_use]
    pub fn new(mut services: Vec<Service>) -> Self {
        services.sort_by_key(|service| std::cmp::Reverse(bare(&service.prefix).len()));
        Self(services)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.0.iter()
    }

    /// The service with the longest prefix that covers the path in whole segments.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Service> {
        self.0.iter().find(|service| service.covers(path))
    }
}

/// Whether `prefix` stands at the beginning of `path` and ends where one of its segments ends: `/bank/` and `/bank` both
/// cover `/bank` and `/bank/accounts`, neither covers `/bankrupt`.
#[must_use]
pub fn covers_segments(prefix: &str, path: &str) -> bool {
    path.strip_prefix(bare(prefix))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A prefix without its closing slash.
fn bare(prefix: &str) -> &str {
    prefix.strip_suffix('/').unwrap_or(prefix)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    fn service(prefix: &str, rewrite: Option<&str>) -> Service {
        Service {
            name: prefix.to_owned(),
            backend: Backend::Server,
            prefix: prefix.to_owned(),
            cluster: "cluster".to_owned(),
            upstream: Vec::new(),
            timeout: None,
            prefix_rewrite: rewrite.map(str::to_owned),
            access: Access::Protected,
            methods: None,
            max_body_bytes: None,
            retries: None,
            providers: Vec::new(),
            authorization: Authorization::default(),
            health_path: None,
            header_rules: Arc::default(),
        }
    }

    #[test]
    fn the_longest_prefix_wins_on_whole_segments() {
        let catalogue = Catalogue::new(
            ["/bank/", "/bank/reports", "/api/token/", "/b"]
                .map(|prefix| service(prefix, None))
                .to_vec(),
        );
        for (path, expected) in [
            ("/bank/", Some("/bank/")),
            ("/bank", Some("/bank/")),
            ("/bank/accounts/", Some("/bank/")),
            ("/bankrupt", None),
            ("/bank/reports", Some("/bank/reports")),
            ("/bank/reports/2024", Some("/bank/reports")),
            ("/bank/reportsx", Some("/bank/")),
            ("/BANK/", None),
            ("/api/token/refresh/", Some("/api/token/")),
            ("/api/", None),
            ("/b/x", Some("/b")),
            ("/", None),
        ] {
            assert_eq!(
                catalogue.find(path).map(|service| service.name.as_str()),
                expected,
                "{path}"
            );
        }
        let root = Catalogue::new(vec![service("/", None), service("/bank/", None)]);
        assert_eq!(root.find("/anything").unwrap().name, "/");
        assert_eq!(root.find("/bank/x").unwrap().name, "/bank/");
    }

    #[test]
    fn a_resource_is_found_under_its_own_path_alone() {
        let metrics = Service {
            backend: Backend::Resource("/stats"),
            ..service("/metrics/", None)
        };
        let catalogue = Catalogue::new(vec![metrics, service("/metrics/of/", None)]);
        for (path, expected) in [
            ("/metrics/", Some("/metrics/")),
            ("/metrics", Some("/metrics/")),
            ("/metrics/x", None),
            ("/metricsx", None),
            ("/metrics/of/x", Some("/metrics/of/")),
        ] {
            let found = catalogue.find(path).map(|service| service.name.as_str());
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn the_prefix_is_rewritten_without_doubling_or_losing_a_slash() {
        for (prefix, rewrite, path, expected) in [
            ("/bank/", Some("/"), "/bank/accounts/", "/accounts/"),
            ("/bank/", Some("/"), "/bank/", "/"),
            ("/bank/", Some("/"), "/bank", "/"),
            ("/bank", Some("/"), "/bank/accounts", "/accounts"),
            ("/bank/", Some("/v1/"), "/bank/accounts", "/v1/accounts"),
            ("/bank/", Some("/v1"), "/bank/accounts", "/v1/accounts"),
            ("/bank/", Some("/v1"), "/bank", "/v1"),
            ("/", Some("/all"), "/x", "/all/x"),
            ("/bank/", None, "/bank/accounts", "/bank/accounts"),
        ] {
            assert_eq!(
                service(prefix, rewrite).upstream_path(path),
                expected,
                "{prefix} {rewrite:?} {path}"
            );
        }
    }
}
