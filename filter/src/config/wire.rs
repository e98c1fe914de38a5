//! The configuration as it is written: every field with its type and its path, nothing yet about whether it makes sense.

mod cors;
mod endpoints;
mod headers;
mod limits;
mod matchers;
mod sections;
mod services;
mod suspicion;

use std::time::Duration;

use super::reader::Fields;
pub(super) use cors::{Cors, CorsSection};
pub(super) use endpoints::{Callers, Endpoints, MetricsEndpoint, StatusEndpoint};
pub(super) use headers::{Changes, HeaderRules, Headers, Response, SECURITY_FIELDS, SecurityHeaders};
pub(super) use limits::{Limit, LimitTable, Network, Per};
pub(super) use matchers::{HeaderMatcher, Match, MatchPolicy, ParameterMatcher, SafeRegex, StringMatcher};
pub(super) use sections::{Discovery, Keys, PerRoute, TokenCache, TokenLimits, TokenProfile, Verification};
pub(super) use services::{
    Authorization, AuthorizationRule, Choice, ClaimCondition, ClaimName, Conditions, Retries, Service,
};
pub(super) use suspicion::SuspiciousActivity;

/// The whole message: `envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication` and our sections.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) providers: Vec<(String, Provider)>,
    pub(super) rules: Vec<Rule>,
    pub(super) requirement_map: Vec<(String, Requirement)>,
    pub(super) filter_state_rules: Option<StateRules>,
    pub(super) bypass_cors_preflight: bool,
    pub(super) strip_failure_response: bool,
    pub(super) stat_prefix: Option<String>,
    pub(super) per_route: Option<PerRoute>,
    pub(super) services: Option<Vec<(String, Service)>>,
    pub(super) endpoints: Option<Endpoints>,
    pub(super) headers: Option<Headers>,
    pub(super) cors: Option<CorsSection>,
    pub(super) limits: Option<Vec<(String, Limit)>>,
    pub(super) limit_table: Option<LimitTable>,
    pub(super) suspicious_activity: Option<SuspiciousActivity>,
    pub(super) token_profiles: Vec<(String, TokenProfile)>,
    pub(super) token_limits: Option<TokenLimits>,
    pub(super) token_cache: Option<TokenCache>,
    pub(super) verification: Option<Verification>,
    pub(super) access_log: Vec<String>,
    pub(super) keys: Option<Keys>,
    pub(super) discovery: Vec<(String, Discovery)>,
}

impl Root {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            providers: fields.map("providers", Provider::read).unwrap_or_default(),
            rules: fields.list("rules", Rule::read),
            requirement_map: fields.map("requirement_map", Requirement::read).unwrap_or_default(),
            filter_state_rules: fields.object("filter_state_rules", StateRules::read),
            bypass_cors_preflight: fields.flag("bypass_cors_preflight").unwrap_or_default(),
            strip_failure_response: fields.flag("strip_failure_response").unwrap_or_default(),
            stat_prefix: fields.string("stat_prefix"),
            per_route: fields.object("per_route", PerRoute::read),
            services: fields.map("services", Service::read),
            endpoints: fields.object("endpoints", Endpoints::read),
            headers: fields.object("headers", Headers::read),
            cors: CorsSection::read(fields),
            limits: fields.map("limits", Limit::read),
            limit_table: fields.object("limit_table", LimitTable::read),
            suspicious_activity: fields.object("suspicious_activity", SuspiciousActivity::read),
            token_profiles: fields.map("token_profiles", TokenProfile::read).unwrap_or_default(),
            token_limits: fields.object("token_limits", TokenLimits::read),
            token_cache: fields.object("token_cache", TokenCache::read),
            verification: fields.object("verification", Verification::read),
            access_log: fields.strings("access_log"),
            keys: fields.object("keys", Keys::read),
            discovery: fields.map("discovery", Discovery::read).unwrap_or_default(),
        }
    }
}

/// `JwtProvider`
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "the message has them")]
pub(super) struct Provider {
    pub(super) path: String,
    pub(super) issuer: Option<String>,
    pub(super) audiences: Vec<String>,
    pub(super) subjects: Option<StringMatcher>,
    pub(super) require_expiration: bool,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) clock_skew_seconds: u64,
    pub(super) remote_jwks: Option<RemoteJwks>,
    pub(super) local_jwks: Option<LocalJwks>,
    pub(super) forward: bool,
    pub(super) from_headers: Vec<FromHeader>,
    pub(super) from_params: Vec<String>,
    pub(super) from_cookies: Vec<String>,
    pub(super) forward_payload_header: Option<String>,
    pub(super) pad_forward_payload_header: bool,
    pub(super) claim_to_headers: Vec<ClaimToHeader>,
    pub(super) metadata: MetadataFields,
    pub(super) clear_route_cache: bool,
    pub(super) jwt_cache_config: Option<JwtCacheConfig>,
}

impl Provider {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            issuer: fields.string("issuer"),
            audiences: fields.strings("audiences"),
            subjects: fields.object("subjects", StringMatcher::read),
            require_expiration: fields.flag("require_expiration").unwrap_or_default(),
            max_lifetime: fields.duration("max_lifetime"),
            clock_skew_seconds: fields.integer("clock_skew_seconds").unwrap_or_default(),
            remote_jwks: fields.object("remote_jwks", RemoteJwks::read),
            local_jwks: fields.object("local_jwks", LocalJwks::read),
            forward: fields.flag("forward").unwrap_or_default(),
            from_headers: fields.list("from_headers", FromHeader::read),
            from_params: fields.strings("from_params"),
            from_cookies: fields.strings("from_cookies"),
            forward_payload_header: fields.string("forward_payload_header"),
            pad_forward_payload_header: fields.flag("pad_forward_payload_header").unwrap_or_default(),
            claim_to_headers: fields.list("claim_to_headers", ClaimToHeader::read),
            metadata: MetadataFields::read(fields),
            clear_route_cache: fields.flag("clear_route_cache").unwrap_or_default(),
            jwt_cache_config: fields.object("jwt_cache_config", JwtCacheConfig::read),
        }
    }
}

/// `JwtCacheConfig`
#[derive(Debug, Clone, Copy)]
pub(super) struct JwtCacheConfig {
    pub(super) jwt_cache_size: Option<u64>,
    pub(super) jwt_max_token_size: Option<u64>,
}

impl JwtCacheConfig {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            jwt_cache_size: fields.integer("jwt_cache_size"),
            jwt_max_token_size: fields.integer("jwt_max_token_size"),
        }
    }
}

/// The fields of `JwtProvider` about dynamic metadata.
#[derive(Debug)]
pub(super) struct MetadataFields {
    pub(super) payload: Option<String>,
    pub(super) header: Option<String>,
    pub(super) failed_status: Option<String>,
    pub(super) space_delimited_claims: Option<Vec<String>>,
}

impl MetadataFields {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            payload: fields.string("payload_in_metadata"),
            header: fields.string("header_in_metadata"),
            failed_status: fields.string("failed_status_in_metadata"),
            space_delimited_claims: fields.object("normalize_payload_in_metadata", |fields| {
                fields.strings("space_delimited_claims")
            }),
        }
    }
}

/// `RemoteJwks`
#[derive(Debug)]
pub(super) struct RemoteJwks {
    pub(super) path: String,
    pub(super) http_uri: Option<HttpUri>,
    pub(super) cache_duration: Option<Duration>,
    pub(super) failed_refetch_duration: Option<Duration>,
    pub(super) retry_policy: Option<RetryPolicy>,
}

impl RemoteJwks {
    fn read(fields: &mut Fields<'_>) -> Self {
        let async_fetch = fields.object("async_fetch", |fields| {
            // Keys are always fetched ahead; what differs between the two values is over when the listener stands.
            fields.flag("fast_listener");
            fields.duration("failed_refetch_duration")
        });
        Self {
            path: fields.path(),
            http_uri: fields.object("http_uri", HttpUri::read),
            cache_duration: fields.duration("cache_duration"),
            failed_refetch_duration: async_fetch.flatten(),
            retry_policy: fields.object("retry_policy", RetryPolicy::read),
        }
    }
}

/// `RetryPolicy` of `envoy.config.core.v3`
#[derive(Debug)]
pub(super) struct RetryPolicy {
    pub(super) path: String,
    pub(super) retry_back_off: Option<BackOff>,
    pub(super) num_retries: Option<u64>,
}

impl RetryPolicy {
    fn read(fields: &mut Fields<'_>) -> Self {
        fields.ignored(
            "retry_on",
            "what is tried again does not depend on it: answers from 500 on, resets, connections that fail",
        );
        for name in [
            "retry_priority",
            "retry_host_predicate",
            "host_selection_retry_max_attempts",
        ] {
            fields.ignored(name, "the cluster's load balancing chooses the host of each attempt");
        }
        Self {
            path: fields.path(),
            retry_back_off: fields.object("retry_back_off", BackOff::read),
            num_retries: fields.integer("num_retries"),
        }
    }
}

/// `BackoffStrategy`
#[derive(Debug)]
pub(super) struct BackOff {
    pub(super) path: String,
    pub(super) base_interval: Option<Duration>,
    pub(super) max_interval: Option<Duration>,
}

impl BackOff {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            base_interval: fields.duration("base_interval"),
            max_interval: fields.duration("max_interval"),
        }
    }
}

/// `HttpUri`
#[derive(Debug)]
pub(super) struct HttpUri {
    pub(super) path: String,
    pub(super) uri: String,
    pub(super) cluster: String,
    pub(super) timeout: Option<Duration>,
}

impl HttpUri {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            uri: fields.string("uri").unwrap_or_default(),
            cluster: fields.string("cluster").unwrap_or_default(),
            timeout: fields.duration("timeout"),
        }
    }
}

/// `DataSource`
#[derive(Debug)]
pub(super) struct LocalJwks {
    pub(super) path: String,
    pub(super) inline_string: Option<String>,
    pub(super) inline_bytes: Option<String>,
}

impl LocalJwks {
    fn read(fields: &mut Fields<'_>) -> Self {
        const INLINE: &str = "a Wasm filter can't read it; put the key set into inline_string";
        fields.unsupported("filename", INLINE);
        fields.unsupported("environment_variable", INLINE);
        fields.unsupported("watched_directory", INLINE);
        Self {
            path: fields.path(),
            inline_string: fields.string("inline_string"),
            inline_bytes: fields.string("inline_bytes"),
        }
    }
}

/// `JwtHeader`
#[derive(Debug)]
pub(super) struct FromHeader {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) value_prefix: String,
}

impl FromHeader {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            name: fields.string("name").unwrap_or_default(),
            value_prefix: fields.string("value_prefix").unwrap_or_default(),
        }
    }
}

/// `JwtClaimToHeader`
#[derive(Debug)]
pub(super) struct ClaimToHeader {
    pub(super) header_name: String,
    pub(super) claim: ClaimName,
}

impl ClaimToHeader {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            header_name: fields.string("header_name").unwrap_or_default(),
            claim: ClaimName::read(fields),
        }
    }
}

/// `RequirementRule`
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) path: String,
    pub(super) r#match: Option<Match>,
    pub(super) requires: Option<Requirement>,
    pub(super) requirement_name: Option<String>,
}

impl Rule {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            r#match: fields.object("match", Match::read),
            requires: fields.object("requires", Requirement::read),
            requirement_name: fields.string("requirement_name"),
        }
    }
}

/// `FilterStateRule`
#[derive(Debug)]
pub(super) struct StateRules {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) requires: Vec<(String, Requirement)>,
}

impl StateRules {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            name: fields.string("name").unwrap_or_default(),
            requires: fields.map("requires", Requirement::read).unwrap_or_default(),
        }
    }
}

/// `JwtRequirement`: the alternatives that were written; exactly one is right.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) path: String,
    pub(super) alternatives: Vec<Alternative>,
}

/// One kind of requirement.
#[derive(Debug)]
pub(super) enum Alternative {
    Provider(String),
    ProviderAndAudiences { name: String, audiences: Vec<String> },
    Any(Vec<Requirement>),
    All(Vec<Requirement>),
    AllowMissing,
    AllowMissingOrFailed,
    ExtractOnly { status_header: Option<String> },
}

impl Requirement {
    fn read(fields: &mut Fields<'_>) -> Self {
        let list = |fields: &mut Fields<'_>| fields.list("requirements", Self::read);
        let mut alternatives = Vec::new();
        alternatives.extend(fields.string("provider_name").map(Alternative::Provider));
        alternatives.extend(
            fields.object("provider_and_audiences", |fields| Alternative::ProviderAndAudiences {
                name: fields.string("provider_name").unwrap_or_default(),
                audiences: fields.strings("audiences"),
            }),
        );
        alternatives.extend(fields.object("requires_any", list).map(Alternative::Any));
        alternatives.extend(fields.object("requires_all", list).map(Alternative::All));
        alternatives.extend(fields.object("allow_missing", |_| Alternative::AllowMissing));
        alternatives.extend(fields.object("allow_missing_or_failed", |_| Alternative::AllowMissingOrFailed));
        alternatives.extend(
            fields.object("extract_only_without_validation", |fields| Alternative::ExtractOnly {
                status_header: fields.string("verification_status_header"),
            }),
        );
        Self {
            path: fields.path(),
            alternatives,
        }
    }
}
