//! Checks of names that become headers, paths and clusters.

use super::error::Report;
use crate::headers::FoldedName;
use crate::service::CLUSTER_HEADER;

/// Headers that mean something to HTTP, to Envoy or to the gate itself: a claim there, or their removal, would do more
/// than tell who is asking.
const RESERVED: [&str; 22] = [
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
    CLUSTER_HEADER,
];

/// A header's name in lower case, if it is one (RFC 9110, section 5.1).
pub(super) fn header_name(name: &str, path: &str, report: &Report) -> Option<String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        report.add(path, "is no header name; write one such as x-user-id");
        return None;
    }
    Some(name.to_ascii_lowercase())
}

/// The same, for a header that the gate takes out and sets itself.
pub(super) fn own_header_name(name: &str, path: &str, report: &Report) -> Option<String> {
    let name = header_name(name, path, report)?;
    if RESERVED
        .iter()
        .any(|reserved| FoldedName::new(reserved.as_bytes()).matches(name.as_bytes()))
    {
        report.add(
            path,
            format!("is {name}, which has a meaning of its own; choose another header"),
        );
        return None;
    }
    Some(name)
}

/// A cluster's name: what Envoy's configuration calls it, and safe to be a header's value.
pub(super) fn cluster(name: String, path: &str, report: &Report) -> Option<String> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        report.add(path, "is no cluster name; write the name of one of Envoy's clusters");
        return None;
    }
    Some(name)
}

/// A path or a prefix of one: begins with a slash, and has neither query nor fragment.
pub(super) fn path_text(text: String, path: &str, report: &Report) -> Option<String> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
    if !text.starts_with('/') || !plain {
        report.add(
            path,
            "must be a path that begins with / and has no blanks, query or fragment",
        );
        return None;
    }
    Some(text)
}

/// What a rule compares paths with. As in the native filter this may be any text, also one that no path begins with; but
/// none that only a query could match, since rules never see the query.
pub(super) fn match_text(text: String, path: &str, report: &Report) -> Option<String> {
    if text.contains(['?', '#']) {
        report.add(path, "holds a ? or a #, which no path does; match on query_parameters");
        return None;
    }
    if !text.is_empty() && !text.starts_with('/') {
        report.warn(path, "does not begin with /, so it matches no path");
    }
    Some(text)
}
