//! The configuration: Envoy's `JwtAuthentication` in proto3 JSON, and Gatehouse's own sections beside it.
//!
//! Bytes become wire types (the shape is right), wire types become domain types (the meaning is right). Every error is
//! collected with the path of its field, so that a bad configuration is mended in one go; while there is one, there is no
//! `Config`.

mod authorization;
mod cors;
mod endpoints;
mod error;
mod headers;
mod keys;
mod limits;
mod matching;
mod names;
mod provider;
mod reader;
mod requirement;
mod sections;
mod service;
mod source;
mod spelling;
mod structure;
mod suspicion;
#[cfg(test)]
mod tests;
mod upstream;
mod wire;

use std::sync::Arc;
use std::time::Duration;

pub use error::{ConfigError, ConfigErrors, Subject};

use crate::access_log::LogField;
use crate::headers::{ClaimHeader, EDGE_NAMES, GATEHOUSE_PREFIX, HeaderRules, PayloadHeader, RequestIds, Sanitiser};
use crate::keys::{KeySetSource, KeyStore, Keys, RefreshPolicy, RemoteKeys};
use crate::limit;
use crate::metadata::MetadataKeys;
use crate::refusal::Detail;
use crate::requirement::{RouteRules, Rule, StateRules};
use crate::service::{Catalogue, Service};
use crate::status::Probing;
use crate::suspicion::Watchfulness;
use crate::token::{CacheLimits, Place, TokenCache, TokenRules};
use error::Report;
use jose::JwkSet;

/// A configuration that makes sense.
#[derive(Debug)]
pub struct Config {
    /// Who may issue tokens. Their places here are their ids.
    pub providers: Vec<Provider>,
    /// All places where some provider looks for tokens, in the order in which they are looked at.
    pub places: Vec<Place>,
    /// What is asked for where; the first that matches counts.
    pub rules: Vec<Rule>,
    /// What is asked for where no rule matches, by what an earlier filter left.
    pub state_rules: Option<StateRules>,
    /// What routes may ask for instead of the rules, if they are heard.
    pub route_rules: Option<RouteRules>,
    /// The services behind the gate, if it is to route.
    pub services: Option<Catalogue>,
    /// How the services are asked for their health, if they are.
    pub probing: Option<Probing>,
    /// How much of what a caller may do.
    pub limits: limit::Limits,
    /// What is suspicious, if anything is watched for.
    pub watchfulness: Option<Watchfulness>,
    /// The names that only the gate may set.
    pub sanitiser: Sanitiser,
    /// What changes in the headers of requests of no service, and of their answers.
    pub header_rules: Arc<HeaderRules>,
    /// What becomes of requests without an id.
    pub request_ids: RequestIds,
    /// Whether CORS preflights pass without a token.
    pub bypass_cors_preflight: bool,
    /// How much a refusal tells.
    pub refusal_detail: Detail,
    /// What access logs can show of a request that goes on.
    pub access_log: Vec<LogField>,
    /// What stands before the names of the counters; empty or ending in a dot.
    pub stat_prefix: String,
    /// No token may be longer.
    pub max_token_bytes: usize,
    /// How many tokens are remembered, in each worker.
    pub token_cache: CacheLimits,
    /// Whether the host may verify signatures.
    pub host_function: HostFunction,
    /// No fetched key set may be longer.
    pub max_document_bytes: usize,
    /// How long a request may wait for keys.
    pub max_wait: Duration,
    /// How many requests may wait for keys in one worker.
    pub max_waiting: usize,
    /// What is worth knowing, but wrong enough for nobody.
    pub warnings: Vec<ConfigError>,
}

/// What becomes of the host's own function for verifying signatures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HostFunction {
    /// It is used if it proves to work.
    #[default]
    WhereItWorks,
    /// It is not even tried.
    Unused,
}

/// A provider of tokens.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// What its tokens must say.
    pub rules: TokenRules,
    /// Where its keys come from.
    pub keys: KeyOrigin,
    /// Where its tokens are looked for.
    pub places: Vec<Place>,
    /// Whether the token goes on to the upstream.
    pub forward: bool,
    /// The claims that become headers.
    pub claim_headers: Vec<ClaimHeader>,
    /// The header that carries the whole payload.
    pub payload_header: Option<PayloadHeader>,
    /// Under which keys its tokens are noted for access logs.
    pub metadata: MetadataKeys,
    /// Whether the route is chosen anew after a token of this provider was accepted.
    pub clear_route_cache: bool,
    /// No longer token of this provider is remembered.
    pub max_cached_token_bytes: usize,
}

/// Where a provider's keys come from.
#[derive(Debug)]
pub enum KeyOrigin {
    /// They stand in the configuration.
    Local(JwkSet),
    /// They are fetched.
    Remote(Box<RemoteJwks>),
}

/// A key set that is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteJwks {
    /// Where it is.
    pub source: KeySetSource,
    /// How it is kept fresh.
    pub policy: RefreshPolicy,
}

impl Config {
    /// Reads what the host handed over: JSON text, or a serialised `google.protobuf.Struct`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigErrors> {
        let report = Report::default();
        let document = source::document(bytes).map_err(ConfigErrors::of)?;
        let wire = reader::read_root(&document, &report, wire::Root::read);
        let config = Self::assemble(wire, &report);
        let warnings = report.finish()?;
        Ok(Self { warnings, ..config })
    }

    /// The keys of the providers, as they are before anything was fetched.
    #[must_use]
    pub fn key_store(&self) -> KeyStore {
        let keys = self.providers.iter().map(|provider| match &provider.keys {
            KeyOrigin::Local(keys) => Keys::Local(keys.clone()),
            KeyOrigin::Remote(remote) => Keys::Remote(RemoteKeys::new(remote.policy.clone())),
        });
        KeyStore::new(keys.collect())
    }

    /// What changes in the headers of a service's requests, or of those of none.
    #[must_use]
    pub fn header_rules<'c>(&'c self, service: Option<&'c Service>) -> &'c Arc<HeaderRules> {
        service.map_or(&self.header_rules, |service| &service.header_rules)
    }

    /// A cache for the tokens of the providers, with nothing in it.
    #[must_use]
    pub fn token_cache(&self) -> TokenCache {
        TokenCache::new(self.token_cache)
    }

    /// Builds the domain from the wire as far as it goes; what does not go is in the report.
    fn assemble(wire: wire::Root, report: &Report) -> Self {
        let limits = sections::limits(wire.token_limits, wire.keys, report);
        let profiles = sections::profiles(wire.token_profiles, &wire.providers, report);
        let token_cache = sections::token_cache(wire.token_cache, &wire.providers, report);
        let mut discoveries = sections::discoveries(wire.discovery, &wire.providers, report);
        let own_sections = wire.services.is_some() || wire.headers.is_some();
        let names: Vec<String> = wire.providers.iter().map(|(name, _)| name.clone()).collect();
        let providers: Vec<Provider> = wire
            .providers
            .into_iter()
            .filter_map(|(name, wire)| {
                let profile = profiles.get(&name).cloned().unwrap_or_default();
                provider::provider(name.clone(), wire, discoveries.remove(&name), profile, &limits, report)
            })
            .collect();
        let requirements = requirement::requirements(
            wire.rules,
            wire.requirement_map,
            wire.filter_state_rules,
            wire.per_route,
            &names,
            report,
        );
        for (path, name) in &requirements.marks {
            if providers.iter().any(|provider| provider.sets(name)) {
                report.add(
                    path,
                    format!("is {name}, a header that a provider sets; choose another"),
                );
            }
        }
        let has_headers = wire.headers.is_some();
        let mut trusted = headers::trusted(wire.headers.as_ref(), report);
        let edge = trusted.edge;
        let request_ids = headers::request_ids(wire.headers.as_ref(), report);
        let post = match (own_sections, has_headers, edge) {
            (false, _, _) => suspicion::Post::Native,
            (true, true, false) => suspicion::Post::Mesh,
            (true, _, _) => suspicion::Post::Edge,
        };
        let marks: Vec<String> = requirements.marks.into_iter().map(|(_, name)| name).collect();
        trusted.names.extend(marks.iter().cloned());
        let header_rules = wire.headers.map(|headers| headers.rules);
        let set_names = headers::set_names(header_rules.as_ref(), wire.services.as_deref());
        trusted.names.extend(set_names);
        let sanitiser = sanitiser(&providers, trusted, own_sections);
        let mapped = providers.iter().flat_map(Provider::header_names).map(str::to_owned);
        let taken = mapped.chain(marks).collect();
        let rules = headers::Rules::new((header_rules, wire.cors), edge, taken, &sanitiser, report);
        let limited = wire.services.iter().flatten();
        let limited = limited
            .map(|(name, service)| limits::Named::new(name, service))
            .collect();
        let mut services = wire
            .services
            .map(|services| service::services(services, names::ProviderNames(&names), &sanitiser, &rules, report));
        let probing = wire.endpoints.and_then(|wire| {
            endpoints::endpoints(wire, services.as_mut(), names::ProviderNames(&names), &rules, report)
        });
        let scope = limits::Scope {
            services: limited,
            providers: providers.len(),
            sanitiser: &sanitiser,
            report,
        };
        let rate_limits = scope.limits(wire.limits, wire.limit_table);
        provider::check_places(&providers, &sanitiser, report);
        for (rule, index) in requirements.rules.iter().zip(0..) {
            requirement::check_headers(rule, &format!("rules[{index}]"), &sanitiser, report);
        }
        Self {
            places: all_places(&providers),
            providers,
            rules: requirements.rules,
            state_rules: requirements.state_rules,
            route_rules: requirements.route_rules,
            services: services.map(Catalogue::new),
            probing,
            limits: rate_limits,
            watchfulness: suspicion::watchfulness(wire.suspicious_activity, post, report),
            header_rules: rules.global(),
            request_ids,
            sanitiser,
            bypass_cors_preflight: wire.bypass_cors_preflight,
            refusal_detail: if wire.strip_failure_response {
                Detail::Stripped
            } else {
                Detail::Shown
            },
            access_log: sections::access_log(&wire.access_log, report),
            stat_prefix: sections::stat_prefix(wire.stat_prefix, report),
            max_token_bytes: limits.max_token_bytes,
            token_cache,
            host_function: sections::host_function(wire.verification, report),
            max_document_bytes: limits.max_document_bytes,
            max_wait: limits.policy.max_wait,
            max_waiting: limits.max_waiting,
            warnings: Vec::new(),
        }
    }
}

fn all_places(providers: &[Provider]) -> Vec<Place> {
    let mut places: Vec<Place> = providers.iter().flat_map(|provider| provider.places.clone()).collect();
    places.sort_by_key(Place::rank);
    places.dedup();
    places
}

impl Provider {
    /// The headers that this provider's tokens set.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        let claims = self.claim_headers.iter().map(|header| header.name.as_str());
        claims.chain(self.payload_header.iter().map(|header| header.name.as_str()))
    }

    /// Whether a header is one of them.
    #[must_use]
    pub fn sets(&self, name: &str) -> bool {
        self.header_names().any(|known| known == name)
    }
}

/// A native configuration that was pasted removes what it sets, as the native filter does; any section of our own also
/// claims our own names.
fn sanitiser(providers: &[Provider], trusted: Trusted, own_sections: bool) -> Sanitiser {
    let mapped = providers
        .iter()
        .flat_map(|provider| provider.header_names().map(str::to_owned));
    let mut names: Vec<String> = mapped.chain(trusted.names).collect();
    if trusted.edge {
        names.extend(EDGE_NAMES.map(str::to_owned));
    }
    let prefixes: &[&str] = if own_sections { &[GATEHOUSE_PREFIX] } else { &[] };
    Sanitiser::new(names.iter().map(String::as_str), prefixes.iter().copied())
}

/// What the section `headers` adds to the trusted names.
#[derive(Debug, Default)]
struct Trusted {
    names: Vec<String>,
    edge: bool,
}

/// What the sections `token_limits` and `keys` say.
#[derive(Debug)]
struct Limits {
    max_token_bytes: usize,
    max_document_bytes: usize,
    max_waiting: usize,
    policy: RefreshPolicy,
}
