//! Where a provider's keys come from, from the wire to the domain.

use std::time::Duration;

use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::{DecodeError, Engine};
use jose::{JwkSet, KeySource};

use super::error::Report;
use super::names::cluster;
use super::wire;
use super::{KeyOrigin, Limits, RemoteJwks};
use crate::keys::{Discovery, Endpoint, KeySetSource, MetadataChoice, MetadataKind, RefreshPolicy, Retries};

/// Shorter times would make a busy loop of the refresh.
const SHORTEST_CACHE: Duration = Duration::from_secs(1);
/// Longer than anybody waits for an answer.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(1);
/// Metadata hardly ever change, and are looked at again anyway when keys are missing.
const METADATA_DURATION: Duration = Duration::from_hours(1);
/// What the native filter takes for a retry's pause.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What is written about a provider's keys; exactly one is right.
pub(super) struct Sources {
    pub(super) remote: Option<wire::RemoteJwks>,
    pub(super) local: Option<wire::LocalJwks>,
    pub(super) discovery: Option<wire::Discovery>,
}

/// Where the keys of a provider come from, as far as it makes sense.
pub(super) fn origin(
    sources: Sources,
    issuer: Option<&str>,
    path: &str,
    limits: &Limits,
    report: &Report,
) -> Option<KeyOrigin> {
    match (sources.remote, sources.local, sources.discovery) {
        (Some(remote), None, None) => remote_keys(remote, limits, report).map(fetched),
        (None, Some(local), None) => local_keys(local, report).map(KeyOrigin::Local),
        (None, None, Some(discovery)) => discovered(discovery, issuer, path, limits, report).map(fetched),
        (None, None, None) => {
            report.add(
                path,
                "needs its keys from one place; write remote_jwks or local_jwks, or have them found by the issuer with an \
                 entry in the section discovery",
            );
            None
        }
        _ => {
            report.add(
                path,
                "needs its keys from one place; write either remote_jwks or local_jwks, or an entry in the section discovery",
            );
            None
        }
    }
}

fn fetched(keys: RemoteJwks) -> KeyOrigin {
    KeyOrigin::Remote(Box::new(keys))
}

/// `discovery` of a provider
fn discovered(
    wire: wire::Discovery,
    issuer: Option<&str>,
    provider: &str,
    limits: &Limits,
    report: &Report,
) -> Option<RemoteJwks> {
    let field = |name: &str| format!("{}.{name}", wire.path);
    let defaults = &limits.policy;
    let timeout = timeout(wire.timeout.or(Some(defaults.timeout)), &field("timeout"), report);
    let cache_duration = cache_duration(wire.cache_duration, &field("cache_duration"), limits, report);
    let metadata_duration = wire.metadata_cache_duration.unwrap_or(METADATA_DURATION);
    if metadata_duration < SHORTEST_CACHE {
        report.add(
            field("metadata_cache_duration"),
            "is too short; at least \"1s\" makes sense",
        );
    }
    let choice = match wire.metadata.as_deref() {
        None => MetadataChoice::Either,
        Some("openid-configuration") => MetadataChoice::Only(MetadataKind::OpenId),
        Some("oauth-authorization-server") => MetadataChoice::Only(MetadataKind::OAuth),
        Some(_) => {
            report.add(
                field("metadata"),
                "is unknown; write \"openid-configuration\" or \"oauth-authorization-server\", or leave it out to try both",
            );
            MetadataChoice::Either
        }
    };
    let keys_authority = wire.jwks_authority.filter(|authority| {
        let plain = Endpoint::new("", &format!("https://{authority}")).is_some_and(|endpoint| endpoint.path == "/");
        if !plain || authority.ends_with('/') {
            report.add(
                field("jwks_authority"),
                "is no host; write the host of the jwks_uri, with its port if it has one, such as keys.example.com",
            );
        }
        plain
    });
    let keys_cluster = wire
        .jwks_cluster
        .map(|name| cluster(name, &field("jwks_cluster"), report));
    let issuer_cluster = cluster(wire.cluster, &field("cluster"), report);
    let Some(issuer) = issuer else {
        report.add(
            format!("{provider}.issuer"),
            "is missing, and discovery begins with it; write the issuer's URI",
        );
        return None;
    };
    let Some(mut discovery) = Discovery::new(issuer, issuer_cluster.as_deref().unwrap_or_default(), metadata_duration)
    else {
        report.add(
            format!("{provider}.issuer"),
            "is no http or https URI without query and fragment, so no metadata can be found by it; write remote_jwks",
        );
        return None;
    };
    discovery.choice = choice;
    discovery.keys_authority = keys_authority;
    discovery.keys_cluster = keys_cluster.unwrap_or(issuer_cluster)?;
    Some(RemoteJwks {
        source: KeySetSource::Discovered(discovery),
        policy: RefreshPolicy {
            cache_duration,
            timeout,
            ..limits.policy.clone()
        },
    })
}

fn cache_duration(written: Option<Duration>, path: &str, limits: &Limits, report: &Report) -> Duration {
    let duration = written.unwrap_or(limits.policy.cache_duration);
    if duration < SHORTEST_CACHE {
        report.add(path, "is too short; at least \"1s\" makes sense");
    }
    duration
}

fn timeout(written: Option<Duration>, path: &str, report: &Report) -> Duration {
    written
        .filter(|timeout| !timeout.is_zero() && *timeout <= LONGEST_TIMEOUT)
        .unwrap_or_else(|| {
            report.add(path, "is missing or out of range; write one such as \"5s\"");
            Duration::ZERO
        })
}

/// `retry_policy`
fn retries(wire: wire::RetryPolicy, report: &Report) -> Retries {
    let (base, max) = wire.retry_back_off.map_or((None, None), |back_off| {
        if back_off.base_interval.is_none_or(|base| base.is_zero()) {
            report.add(
                format!("{}.base_interval", back_off.path),
                "is missing or zero; write a pause such as \"1s\"",
            );
        }
        let shorter = |max: Duration| back_off.base_interval.is_some_and(|base| max < base);
        if back_off.max_interval.is_some_and(shorter) {
            report.add(
                format!("{}.max_interval", back_off.path),
                "is shorter than base_interval; write at least as much",
            );
        }
        (back_off.base_interval, back_off.max_interval)
    });
    let base_interval = base.unwrap_or(RETRY_INTERVAL);
    Retries {
        number: u32::try_from(wire.num_retries.unwrap_or(1)).unwrap_or_else(|_| {
            report.add(format!("{}.num_retries", wire.path), "is too large; at most 4294967295");
            0
        }),
        base_interval,
        max_interval: max.unwrap_or(base_interval.saturating_mul(10)),
    }
}

/// `remote_jwks`
fn remote_keys(wire: wire::RemoteJwks, limits: &Limits, report: &Report) -> Option<RemoteJwks> {
    let path = wire.path;
    let retries = wire.retry_policy.map(|policy| retries(policy, report));
    let Some(uri) = wire.http_uri else {
        report.add(
            format!("{path}.http_uri"),
            "is missing; say where the key set is: {uri, cluster, timeout}",
        );
        return None;
    };
    let cache_duration = cache_duration(wire.cache_duration, &format!("{path}.cache_duration"), limits, report);
    let first_pause = wire.failed_refetch_duration.unwrap_or(limits.policy.first_pause);
    if first_pause.is_zero() {
        report.add(
            format!("{path}.async_fetch.failed_refetch_duration"),
            "is zero; write a pause such as \"1s\"",
        );
    }
    let timeout = timeout(uri.timeout, &format!("{}.timeout", uri.path), report);
    let cluster = cluster(uri.cluster, &format!("{}.cluster", uri.path), report);
    // As in Envoy's own field, the scheme may be missing.
    let written = if uri.uri.contains("://") {
        uri.uri
    } else {
        format!("http://{}", uri.uri)
    };
    let endpoint = Endpoint::new(cluster.as_deref().unwrap_or_default(), &written);
    if endpoint.is_none() {
        report.add(
            format!("{}.uri", uri.path),
            "is no URI of a key set; write one such as http://issuer:8001/.well-known/jwks.json",
        );
    }
    cluster?;
    Some(RemoteJwks {
        source: KeySetSource::At(endpoint?),
        policy: RefreshPolicy {
            cache_duration,
            timeout,
            first_pause,
            retries: retries.unwrap_or_default(),
            ..limits.policy.clone()
        },
    })
}

/// Bytes as proto3 JSON has them: in either alphabet of base64, with or without padding.
fn any_base64(text: &str) -> Result<Vec<u8>, DecodeError> {
    let standard: String = text
        .trim_end_matches('=')
        .chars()
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            letter => letter,
        })
        .collect();
    STANDARD_NO_PAD.decode(standard)
}

fn local_keys(wire: wire::LocalJwks, report: &Report) -> Option<JwkSet> {
    let path = wire.path;
    let document = match (wire.inline_string, wire.inline_bytes) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(encoded)) => any_base64(&encoded)
            .map_err(|_| report.add(format!("{path}.inline_bytes"), "is not base64"))
            .ok()?,
        _ => {
            report.add(&path, "needs one key set; write it into inline_string");
            return None;
        }
    };
    match JwkSet::parse(&document, KeySource::Local) {
        Ok(keys) => {
            for skipped in keys.skipped() {
                report.warn(
                    format!("{path}.keys[{}]", skipped.index),
                    format!("is left out: {}", skipped.reason),
                );
            }
            Some(keys)
        }
        Err(error) => {
            report.add(&path, format!("{error}; write a JSON Web Key Set: {{\"keys\": [...]}}"));
            None
        }
    }
}
