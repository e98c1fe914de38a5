//! Checks of names that become headers, paths and clusters, and of names that lead to something.

use super::error::Report;
use super::wire;
use crate::cel::Program;
use crate::headers::{ClaimPath, is_reserved};
use crate::keys::ProviderId;
use crate::service::Methods;

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
    if is_reserved(name.as_bytes()) {
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

/// Whether a text is a method's name as it is registered (RFC 9110, section 16.1).
pub(super) fn is_method(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

/// Methods by their names (RFC 9110, section 9.1).
pub(super) fn methods(names: Vec<String>, path: &str, report: &Report) -> Methods {
    if names.is_empty() {
        report.add(path, "is empty; name methods, or leave it out to take all of them");
    }
    for (index, name) in names.iter().enumerate() {
        if !is_method(name) {
            report.add(
                format!("{path}[{index}]"),
                "is no method; write one such as GET, in capital letters",
            );
        }
    }
    Methods::new(names)
}

/// A claim by either form of its name.
pub(super) fn claim(wire: wire::ClaimName, report: &Report) -> Option<ClaimPath> {
    for (index, name) in wire.claim_path.iter().enumerate() {
        if name.is_empty() {
            report.add(
                format!("{}.claim_path[{index}].key", wire.path),
                "is empty; name a claim",
            );
        }
    }
    let named = wire.claim_name.filter(|claim| !claim.is_empty());
    match (named, wire.claim_path) {
        (Some(name), path) if path.is_empty() => Some(ClaimPath::dotted(&name)),
        (None, path) if !path.is_empty() => Some(ClaimPath::new(path)),
        _ => {
            report.add(
                &wire.path,
                "must name its claim once; write either claim_name or claim_path",
            );
            None
        }
    }
}

/// An expression that says yes or no.
pub(super) fn expression(text: &str, path: &str, report: &Report) -> Option<Program> {
    Program::compile(text)
        .map_err(|error| report.add(path, error.to_string()))
        .ok()
}

/// The names of the providers, in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProviderNames<'n>(pub(super) &'n [String]);

impl ProviderNames<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find(&self, name: &str, path: &str, report: &Report) -> Option<ProviderId> {
        let position = self.0.iter().position(|known| known == name);
        if position.is_none() {
            let known = if self.0.is_empty() {
                "none".to_owned()
            } else {
                self.0.join(", ")
            };
            report.add(path, format!("names nothing in providers; there are: {known}"));
        }
        position.map(ProviderId::new)
    }
}
