//! Providers, from the wire to the domain.

use std::time::Duration;

use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::{DecodeError, Engine};
use jose::{JwkSet, KeySource};

use super::error::Report;
use super::matching;
use super::names::{cluster, header_name, own_header_name};
use super::wire;
use super::{KeyOrigin, Limits, Provider, RemoteJwks};
use crate::headers::{ClaimHeader, ClaimPath, FoldedName, Padding, PayloadHeader, Sanitiser};
use crate::keys::RefreshPolicy;
use crate::token::{Expiration, Place, Prefix, TokenProfile, TokenRules, default_places};

/// What the native filter takes for a skew of zero.
const DEFAULT_SKEW: u64 = 60;
/// A clock that is off by more than a day is not skewed but wrong.
const MAX_SKEW: u64 = 86_400;
/// What the native filter takes for a `jwt_max_token_size` of zero.
const DEFAULT_CACHED_TOKEN_BYTES: usize = 4096;
/// Shorter times would make a busy loop of the refresh.
const SHORTEST_CACHE: Duration = Duration::from_secs(1);

/// A provider, as far as it makes sense.
pub(super) fn provider(
    name: String,
    wire: wire::Provider,
    profile: TokenProfile,
    limits: &Limits,
    report: &Report,
) -> Option<Provider> {
    let path = wire.path;
    let field = |name: &str| format!("{path}.{name}");
    if wire.clock_skew_seconds > MAX_SKEW {
        report.add(
            field("clock_skew_seconds"),
            format!("is too large; at most {MAX_SKEW} make sense"),
        );
    }
    if wire.max_lifetime.is_some_and(|lifetime| lifetime.is_zero()) {
        report.add(
            field("max_lifetime"),
            "is zero, so that no token would pass; write the longest lifetime",
        );
    }
    for (index, audience) in wire.audiences.iter().enumerate() {
        if audience.is_empty() {
            report.add(
                format!("{path}.audiences[{index}]"),
                "is empty; name an audience or leave it out",
            );
        }
    }
    let skew = if wire.clock_skew_seconds == 0 {
        DEFAULT_SKEW
    } else {
        wire.clock_skew_seconds
    };
    let rules = TokenRules {
        issuer: wire.issuer.filter(|issuer| !issuer.is_empty()),
        audiences: wire.audiences,
        subjects: wire.subjects.and_then(|subjects| matching::text(subjects, report)),
        expiration: if wire.require_expiration {
            Expiration::Required
        } else {
            Expiration::Optional
        },
        max_lifetime: wire.max_lifetime,
        clock_skew: Duration::from_secs(skew),
        profile,
    };
    let places = places(wire.from_headers, wire.from_params, wire.from_cookies, &path, report);
    let claim_headers = claim_headers(wire.claim_to_headers, report);
    let payload_header = wire
        .forward_payload_header
        .filter(|name| !name.is_empty())
        .and_then(|name| {
            let padding = if wire.pad_forward_payload_header {
                Padding::Added
            } else {
                Padding::Omitted
            };
            Some(PayloadHeader {
                name: own_header_name(&name, &field("forward_payload_header"), report)?,
                padding,
            })
        });
    no_header_twice(&claim_headers, payload_header.as_ref(), &path, report);
    let keys = match (wire.remote_jwks, wire.local_jwks) {
        (Some(remote), None) => remote_keys(remote, limits, report).map(KeyOrigin::Remote),
        (None, Some(local)) => local_keys(local, report).map(KeyOrigin::Local),
        _ => {
            report.add(
                &path,
                "needs its keys from one place; write either remote_jwks or local_jwks",
            );
            None
        }
    };
    Some(Provider {
        name,
        rules,
        keys: keys?,
        places,
        forward: wire.forward,
        claim_headers,
        payload_header,
        clear_route_cache: wire.clear_route_cache,
        max_cached_token_bytes: wire
            .jwt_cache_config
            .map_or(limits.max_token_bytes, max_cached_token_bytes),
    })
}

fn max_cached_token_bytes(cache: wire::JwtCacheConfig) -> usize {
    match cache.jwt_max_token_size {
        None | Some(0) => DEFAULT_CACHED_TOKEN_BYTES,
        Some(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
    }
}

/// A token in a header that the gate itself takes out would never be found.
pub(super) fn check_places(providers: &[Provider], sanitiser: &Sanitiser, report: &Report) {
    for provider in providers {
        for place in &provider.places {
            if let Place::Header { name, .. } = place
                && sanitiser.trusts(name.as_bytes())
            {
                let problem = format!("looks for tokens in {name}, a header that the gate takes from every request");
                report.add(format!("providers.{}.from_headers", provider.name), problem);
            }
        }
    }
}

fn places(
    headers: Vec<wire::FromHeader>,
    params: Vec<String>,
    cookies: Vec<String>,
    path: &str,
    report: &Report,
) -> Vec<Place> {
    let mut places = Vec::new();
    for header in headers {
        let Some(name) = header_name(&header.name, &format!("{}.name", header.path), report) else {
            continue;
        };
        let is_scheme = name == "authorization" && header.value_prefix == "Bearer ";
        let prefix = if is_scheme {
            Prefix::Bearer
        } else {
            Prefix::Literal(header.value_prefix)
        };
        places.push(Place::Header { name, prefix });
    }
    for (index, name) in params.into_iter().enumerate() {
        let path = format!("{path}.from_params[{index}]");
        if name.is_empty() {
            report.add(&path, "is empty; name a query parameter");
        }
        places.push(Place::Parameter(name));
    }
    for (index, name) in cookies.into_iter().enumerate() {
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b';' | b',' | b'"');
        if name.is_empty() || !name.bytes().all(plain) {
            report.add(
                format!("{path}.from_cookies[{index}]"),
                "is no name of a cookie; write one such as session",
            );
        }
        places.push(Place::Cookie(name));
    }
    if places.is_empty() {
        return default_places();
    }
    // One that is named twice is looked at once.
    places.sort_by_key(Place::rank);
    places.dedup();
    places
}

fn claim_headers(wire: Vec<wire::ClaimToHeader>, report: &Report) -> Vec<ClaimHeader> {
    let mut headers = Vec::with_capacity(wire.len());
    for entry in wire {
        let name = own_header_name(&entry.header_name, &format!("{}.header_name", entry.path), report);
        for (index, name) in entry.claim_path.iter().enumerate() {
            if name.is_empty() {
                report.add(
                    format!("{}.claim_path[{index}].key", entry.path),
                    "is empty; name a claim",
                );
            }
        }
        let named = entry.claim_name.filter(|claim| !claim.is_empty());
        let claim = match (named, entry.claim_path) {
            (Some(name), path) if path.is_empty() => Some(ClaimPath::dotted(&name)),
            (None, path) if !path.is_empty() => Some(ClaimPath::new(path)),
            _ => {
                report.add(
                    &entry.path,
                    "must name its claim once; write either claim_name or claim_path",
                );
                None
            }
        };
        headers.extend(name.zip(claim).map(|(name, claim)| ClaimHeader { name, claim }));
    }
    headers
}

fn no_header_twice(claims: &[ClaimHeader], payload: Option<&PayloadHeader>, path: &str, report: &Report) {
    let names = claims
        .iter()
        .map(|header| &header.name)
        .chain(payload.map(|header| &header.name));
    let mut seen: Vec<FoldedName> = Vec::new();
    for name in names {
        let folded = FoldedName::new(name.as_bytes());
        if seen.contains(&folded) {
            report.add(
                path,
                format!("sets the header {name} twice (spellings count as one); keep one of them"),
            );
        }
        seen.push(folded);
    }
}

fn remote_keys(wire: wire::RemoteJwks, limits: &Limits, report: &Report) -> Option<RemoteJwks> {
    let path = wire.path;
    let Some(uri) = wire.http_uri else {
        report.add(
            format!("{path}.http_uri"),
            "is missing; say where the key set is: {uri, cluster, timeout}",
        );
        return None;
    };
    let cache_duration = wire.cache_duration.unwrap_or(limits.policy.cache_duration);
    if cache_duration < SHORTEST_CACHE {
        report.add(
            format!("{path}.cache_duration"),
            "is too short; at least \"1s\" makes sense",
        );
    }
    let first_pause = wire.failed_refetch_duration.unwrap_or(limits.policy.first_pause);
    if first_pause.is_zero() {
        report.add(
            format!("{path}.async_fetch.failed_refetch_duration"),
            "is zero; write a pause such as \"1s\"",
        );
    }
    if uri
        .timeout
        .is_none_or(|timeout| timeout.is_zero() || timeout > Duration::from_hours(1))
    {
        report.add(
            format!("{}.timeout", uri.path),
            "is missing or out of range; write one such as \"5s\"",
        );
    }
    let timeout = uri.timeout.unwrap_or(limits.policy.timeout);
    let cluster = cluster(uri.cluster, &format!("{}.cluster", uri.path), report);
    let parts = split_uri(&uri.uri);
    if parts.is_none() {
        report.add(
            format!("{}.uri", uri.path),
            "is no URI of a key set; write one such as http://issuer:8001/.well-known/jwks.json",
        );
    }
    let (scheme, authority, target) = parts?;
    Some(RemoteJwks {
        cluster: cluster?,
        scheme,
        authority,
        path: target,
        policy: RefreshPolicy {
            cache_duration,
            timeout,
            first_pause,
            ..limits.policy.clone()
        },
    })
}

/// Scheme, authority and path with query of an absolute `http` or `https` URI (RFC 3986, section 4.3). As in Envoy's own
/// field, the scheme may be missing.
fn split_uri(uri: &str) -> Option<(String, String, String)> {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("http", uri));
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let plain = uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let known = matches!(scheme, "http" | "https");
    if !plain || !known || authority.is_empty() || authority.contains(['@', '?']) {
        return None;
    }
    let path = if path.is_empty() { "/" } else { path };
    Some((scheme.to_owned(), authority.to_owned(), path.to_owned()))
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
