//! The section `services` as it is written.

use std::time::Duration;

use jose::json::Value;

use super::{CorsSection, HeaderRules};
use crate::config::reader::Fields;

/// One entry of `services`.
#[derive(Debug)]
pub(in crate::config) struct Service {
    pub(in crate::config) path: String,
    pub(in crate::config) prefix: String,
    pub(in crate::config) cluster: String,
    pub(in crate::config) upstream: Option<Vec<Choice>>,
    pub(in crate::config) timeout: Option<Duration>,
    pub(in crate::config) prefix_rewrite: Option<String>,
    pub(in crate::config) public: bool,
    pub(in crate::config) methods: Option<Vec<String>>,
    pub(in crate::config) max_body_bytes: Option<u64>,
    pub(in crate::config) retries: Option<Retries>,
    pub(in crate::config) providers: Option<Vec<String>>,
    pub(in crate::config) authorization: Option<Authorization>,
    pub(in crate::config) health_path: Option<String>,
    pub(in crate::config) headers: Option<HeaderRules>,
    pub(in crate::config) cors: Option<CorsSection>,
}

impl Service {
    pub(in crate::config::wire) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            prefix: fields.string("prefix").unwrap_or_default(),
            cluster: fields.string("cluster").unwrap_or_default(),
            upstream: fields.has("upstream").then(|| fields.list("upstream", Choice::read)),
            timeout: fields.duration("timeout"),
            prefix_rewrite: fields.string("prefix_rewrite"),
            public: fields.flag("public").unwrap_or_default(),
            methods: strings(fields, "methods"),
            max_body_bytes: fields.integer("max_body_bytes"),
            retries: fields.object("retries", Retries::read),
            providers: strings(fields, "providers"),
            authorization: fields.object("authorization", Authorization::read),
            health_path: fields.string("health_path"),
            headers: fields.object("headers", HeaderRules::read),
            cors: CorsSection::read(fields),
        }
    }
}

/// One entry of `upstream`.
#[derive(Debug)]
pub(in crate::config) struct Choice {
    pub(in crate::config) claim: ClaimName,
    pub(in crate::config) header: Option<String>,
    pub(in crate::config) values: Option<Vec<(String, String)>>,
    pub(in crate::config) cel: Option<String>,
    pub(in crate::config) percent: Option<f64>,
    pub(in crate::config) cluster: Option<String>,
    pub(in crate::config) otherwise: Option<String>,
}

impl Choice {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            claim: ClaimName::read(fields),
            header: fields.string("header"),
            values: fields.string_map("values"),
            cel: fields.string("cel"),
            percent: fields.number("percent"),
            cluster: fields.string("cluster"),
            otherwise: fields.string("otherwise"),
        }
    }
}

/// `retries`
#[derive(Debug)]
pub(in crate::config) struct Retries {
    pub(in crate::config) path: String,
    pub(in crate::config) attempts: Option<u64>,
    pub(in crate::config) on: Option<Vec<String>>,
    pub(in crate::config) per_try_timeout: Option<Duration>,
}

impl Retries {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            attempts: fields.integer("attempts"),
            on: strings(fields, "on"),
            per_try_timeout: fields.duration("per_try_timeout"),
        }
    }
}

/// `authorization`
#[derive(Debug)]
pub(in crate::config) struct Authorization {
    pub(in crate::config) conditions: Conditions,
    pub(in crate::config) rules: Option<Vec<AuthorizationRule>>,
}

impl Authorization {
    pub(in crate::config::wire) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            conditions: Conditions::read(fields),
            rules: fields
                .has("rules")
                .then(|| fields.list("rules", AuthorizationRule::read)),
        }
    }
}

/// One entry of `authorization.rules`.
#[derive(Debug)]
pub(in crate::config) struct AuthorizationRule {
    pub(in crate::config) prefixes: Option<Vec<String>>,
    pub(in crate::config) methods: Option<Vec<String>>,
    pub(in crate::config) conditions: Conditions,
}

impl AuthorizationRule {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            prefixes: strings(fields, "prefixes"),
            methods: strings(fields, "methods"),
            conditions: Conditions::read(fields),
        }
    }
}

/// What an authorization and each of its rules can ask for.
#[derive(Debug)]
pub(in crate::config) struct Conditions {
    pub(in crate::config) path: String,
    pub(in crate::config) scopes: Option<Vec<String>>,
    pub(in crate::config) any_scope: Option<Vec<String>>,
    pub(in crate::config) audiences: Option<Vec<String>>,
    pub(in crate::config) claims: Option<Vec<ClaimCondition>>,
    pub(in crate::config) cel: Option<String>,
}

impl Conditions {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            scopes: strings(fields, "scopes"),
            any_scope: strings(fields, "any_scope"),
            audiences: strings(fields, "audiences"),
            claims: fields
                .has("claims")
                .then(|| fields.list("claims", ClaimCondition::read)),
            cel: fields.string("cel"),
        }
    }
}

/// A claim's name in either of its forms, as in the native `claim_to_headers`.
#[derive(Debug)]
#[allow(clippy::struct_field_names, reason = "the message's own names")]
pub(in crate::config) struct ClaimName {
    pub(in crate::config) path: String,
    pub(in crate::config) claim_name: Option<String>,
    pub(in crate::config) claim_path: Vec<String>,
}

impl ClaimName {
    pub(in crate::config::wire) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            claim_name: fields.string("claim_name"),
            claim_path: fields.list("claim_path", |fields| fields.string("key").unwrap_or_default()),
        }
    }
}

/// One entry of `claims`.
#[derive(Debug)]
pub(in crate::config) struct ClaimCondition {
    pub(in crate::config) claim: ClaimName,
    pub(in crate::config) equals: Option<Value>,
    pub(in crate::config) one_of: Option<Vec<Value>>,
    pub(in crate::config) contains: Option<Value>,
    pub(in crate::config) matches: Option<String>,
    pub(in crate::config) exists: Option<bool>,
}

impl ClaimCondition {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            claim: ClaimName::read(fields),
            equals: fields.scalar("equals"),
            one_of: fields.has("one_of").then(|| fields.scalars("one_of")),
            contains: fields.scalar("contains"),
            matches: fields.string("matches"),
            exists: fields.flag("exists"),
        }
    }
}

/// A list that may be absent, which is not the same as empty here.
pub(in crate::config::wire) fn strings(fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<String>> {
    fields.has(name).then(|| fields.strings(name))
}
