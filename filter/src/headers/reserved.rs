//! Names that no rule of a configuration may touch.

use super::FoldedName;

/// Headers of requests that mean something to HTTP, to Envoy or to the gate itself: a claim there, or their removal, would
/// do more than tell who is asking.
const IN_REQUESTS: [&str; 22] = [
    "authorization",
    "proxy-authorization",
    "host",
    "connection",
    "proxy-connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-type",
    "content-encoding",
    "expect",
    "cookie",
    "origin",
    "access-control-request-method",
    "x-request-id",
    "x-envoy-upstream-rq-timeout-ms",
    "x-forwarded-for",
    "x-forwarded-proto",
    crate::service::CLUSTER_HEADER,
];

/// The same of answers: what frames them, what a refusal is made of, and what has a section of its own.
const IN_ANSWERS: [&str; 32] = [
    "connection",
    "proxy-connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-type",
    "content-encoding",
    "content-range",
    "date",
    "vary",
    "set-cookie",
    "location",
    "allow",
    "retry-after",
    "www-authenticate",
    "proxy-authenticate",
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "ratelimit",
    "ratelimit-policy",
    "server",
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-allow-credentials",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-allow-private-network",
];

/// Whether a request's header is none for rules, in any spelling.
#[must_use]
pub fn is_reserved(name: &[u8]) -> bool {
    is_among(&IN_REQUESTS, name)
}

/// Whether an answer's header is none for rules.
#[must_use]
pub fn is_reserved_in_answers(name: &[u8]) -> bool {
    is_among(&IN_ANSWERS, name)
}

/// Pseudo-headers (RFC 9113, section 8.3) are always among them.
fn is_among(reserved: &[&str], name: &[u8]) -> bool {
    let same = |reserved: &&str| FoldedName::new(reserved.as_bytes()).matches(name);
    name.starts_with(b":") || reserved.iter().any(same)
}
