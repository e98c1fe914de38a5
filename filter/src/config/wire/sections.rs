//! Gatehouse's own sections as they are written.

use std::time::Duration;

use crate::config::reader::Fields;

/// `per_route`
#[derive(Debug)]
pub(in crate::config) struct PerRoute {
    pub(in crate::config) path: String,
    pub(in crate::config) namespace: Option<String>,
    pub(in crate::config) forged_headers: Option<String>,
}

impl PerRoute {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            namespace: fields.string("namespace"),
            forged_headers: fields.string("forged_headers"),
        }
    }
}

/// One entry of `token_profiles`.
#[derive(Debug)]
pub(in crate::config) struct TokenProfile {
    pub(in crate::config) path: String,
    pub(in crate::config) typ: Option<Vec<String>>,
    pub(in crate::config) token_type: Option<Vec<String>>,
}

impl TokenProfile {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            typ: fields.has("typ").then(|| fields.strings("typ")),
            token_type: fields.has("token_type").then(|| fields.strings("token_type")),
        }
    }
}

/// `token_limits`
#[derive(Debug)]
pub(in crate::config) struct TokenLimits {
    pub(in crate::config) path: String,
    pub(in crate::config) max_token_bytes: Option<u64>,
}

impl TokenLimits {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            max_token_bytes: fields.integer("max_token_bytes"),
        }
    }
}

/// `token_cache`
#[derive(Debug)]
pub(in crate::config) struct TokenCache {
    pub(in crate::config) path: String,
    pub(in crate::config) max_entries: Option<u64>,
    pub(in crate::config) max_bytes: Option<u64>,
}

impl TokenCache {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            max_entries: fields.integer("max_entries"),
            max_bytes: fields.integer("max_bytes"),
        }
    }
}

/// `verification`
#[derive(Debug)]
pub(in crate::config) struct Verification {
    pub(in crate::config) path: String,
    pub(in crate::config) host_function: Option<String>,
}

impl Verification {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            host_function: fields.string("host_function"),
        }
    }
}

/// One entry of `discovery`.
#[derive(Debug)]
pub(in crate::config) struct Discovery {
    pub(in crate::config) path: String,
    pub(in crate::config) cluster: String,
    pub(in crate::config) timeout: Option<Duration>,
    pub(in crate::config) metadata: Option<String>,
    pub(in crate::config) metadata_cache_duration: Option<Duration>,
    pub(in crate::config) cache_duration: Option<Duration>,
    pub(in crate::config) jwks_cluster: Option<String>,
    pub(in crate::config) jwks_authority: Option<String>,
}

impl Discovery {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            cluster: fields.string("cluster").unwrap_or_default(),
            timeout: fields.duration("timeout"),
            metadata: fields.string("metadata"),
            metadata_cache_duration: fields.duration("metadata_cache_duration"),
            cache_duration: fields.duration("cache_duration"),
            jwks_cluster: fields.string("jwks_cluster"),
            jwks_authority: fields.string("jwks_authority"),
        }
    }
}

/// `keys`
#[derive(Debug)]
pub(in crate::config) struct Keys {
    pub(in crate::config) path: String,
    pub(in crate::config) keep_last_good: Option<Duration>,
    pub(in crate::config) unknown_key_cooldown: Option<Duration>,
    pub(in crate::config) max_wait: Option<Duration>,
    pub(in crate::config) max_waiting_requests: Option<u64>,
    pub(in crate::config) max_document_bytes: Option<u64>,
}

impl Keys {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            keep_last_good: fields.duration("keep_last_good"),
            unknown_key_cooldown: fields.duration("unknown_key_cooldown"),
            max_wait: fields.duration("max_wait"),
            max_waiting_requests: fields.integer("max_waiting_requests"),
            max_document_bytes: fields.integer("max_document_bytes"),
        }
    }
}
