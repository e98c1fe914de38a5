//! Providers, from the wire to the domain.

use std::time::Duration;

use super::error::Report;
use super::names::{claim, header_name, own_header_name};
use super::{Limits, Provider, keys, matching, wire};
use crate::headers::{ClaimHeader, FoldedName, Padding, PayloadHeader, Sanitiser};
use crate::metadata::{METADATA_PREFIX, MetadataKeys};
use crate::token::{Expiration, Place, Prefix, TokenProfile, TokenRules, default_places};

/// What the native filter takes for a skew of zero.
const DEFAULT_SKEW: u64 = 60;
/// A clock that is off by more than a day is not skewed but wrong.
const MAX_SKEW: u64 = 86_400;
/// What the native filter takes for a `jwt_max_token_size` of zero.
const DEFAULT_CACHED_TOKEN_BYTES: usize = 4096;

/// A provider, as far as it makes sense.
pub(super) fn provider(
    name: String,
    wire: wire::Provider,
    discovery: Option<wire::Discovery>,
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
    let sources = keys::Sources {
        remote: wire.remote_jwks,
        local: wire.local_jwks,
        discovery,
    };
    let keys = keys::origin(sources, rules.issuer.as_deref(), &path, limits, report);
    Some(Provider {
        name,
        rules,
        keys: keys?,
        places,
        forward: wire.forward,
        claim_headers,
        payload_header,
        metadata: metadata(wire.metadata, &path, report),
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

/// Longer keys are no names.
const MAX_KEY_LEN: usize = 100;

/// `payload_in_metadata` and its kin.
fn metadata(wire: wire::MetadataFields, path: &str, report: &Report) -> MetadataKeys {
    let key = |field: &str, key: Option<String>| {
        let key = key.filter(|key| !key.is_empty())?;
        let path = format!("{path}.{field}");
        if key.len() > MAX_KEY_LEN || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let problem = format!("is no key; write up to {MAX_KEY_LEN} visible ASCII characters without blanks");
            report.add(path, problem);
            return None;
        }
        let problem = format!(
            "goes into the filter state wasm.{METADATA_PREFIX}{key}, which access logs can show; a Wasm filter can't write \
             dynamic metadata, so filters that read it there will not find it"
        );
        report.warn(path, problem);
        Some(key)
    };
    let payload = key("payload_in_metadata", wire.payload);
    if wire.space_delimited_claims.is_some() && payload.is_none() {
        report.warn(
            format!("{path}.normalize_payload_in_metadata"),
            "changes nothing without payload_in_metadata",
        );
    }
    MetadataKeys {
        payload,
        header: key("header_in_metadata", wire.header),
        failed_status: key("failed_status_in_metadata", wire.failed_status),
        space_delimited_claims: wire.space_delimited_claims.unwrap_or_default(),
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
        let name = own_header_name(&entry.header_name, &format!("{}.header_name", entry.claim.path), report);
        let claim = claim(entry.claim, report);
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
