//! The sections `cors`, from the wire to the domain.

use std::time::Duration;

use super::error::Report;
use super::names::{header_name, is_method};
use super::wire;
use crate::cors::{Cors, Credentials, NULL, OriginPattern, Origins, PrivateNetwork};

/// What needs no preflight unless a header asks for one (Fetch standard, section 2.2.1).
const METHODS: [&str; 3] = ["GET", "HEAD", "POST"];
/// What a page needs in order to ask a gate for anything.
const HEADERS: [&str; 2] = ["authorization", "content-type"];
/// What a refusal says beside its document.
const EXPOSED: [&str; 4] = ["www-authenticate", "retry-after", "ratelimit", "ratelimit-policy"];
/// The longest that a browser remembers.
const MAX_AGE: Duration = Duration::from_hours(24);
const ANY: &str = "*";

/// The policy of a section; none where there is none to be.
pub(super) fn cors(wire: wire::CorsSection, report: &Report) -> Option<Cors> {
    match wire {
        wire::CorsSection::Off => None,
        wire::CorsSection::On(path) => {
            report.add(
                path,
                "does not say whose pages may read; write an object with allow_origins",
            );
            None
        }
        wire::CorsSection::Policy(wire) => Some(policy(&wire, report)),
    }
}

fn policy(wire: &wire::Cors, report: &Report) -> Cors {
    let credentials = if wire.allow_credentials {
        Credentials::Allowed
    } else {
        Credentials::Omitted
    };
    let field = |name: &str| format!("{}.{name}", wire.path);
    if wire.max_age.is_some_and(|age| age > MAX_AGE) {
        report.add(
            field("max_age"),
            "is longer than any browser remembers; at most \"86400s\" makes sense",
        );
    }
    let words = |name: &str, words: &Option<Vec<String>>, default: &[&str]| {
        let Some(words) = words else { return default.join(", ") };
        for (index, word) in words.iter().enumerate() {
            let path = format!("{}[{index}]", field(name));
            if word == ANY && credentials == Credentials::Allowed {
                report.add(
                    path,
                    "means nothing but itself where credentials are allowed; write the names",
                );
            } else if word != ANY && name == "allow_methods" && !is_method(word) {
                report.add(path, "is no method; write one such as GET, in capital letters");
            } else if word != ANY && name != "allow_methods" {
                header_name(word, &path, report);
            }
        }
        words.join(", ")
    };
    let mut headers = words("allow_headers", &wire.allow_headers, &HEADERS);
    if headers == ANY {
        // The star means every header but this one.
        headers.push_str(", authorization");
    }
    Cors {
        origins: origins(wire, credentials, report),
        methods: words("allow_methods", &wire.allow_methods, &METHODS),
        headers,
        expose: words("expose_headers", &wire.expose_headers, &EXPOSED),
        credentials,
        max_age: wire.max_age,
        private_network: if wire.allow_private_network {
            PrivateNetwork::Allowed
        } else {
            PrivateNetwork::Closed
        },
    }
}

fn origins(wire: &wire::Cors, credentials: Credentials, report: &Report) -> Origins {
    let path = format!("{}.allow_origins", wire.path);
    let has_any = wire.allow_origins.iter().any(|origin| origin == ANY);
    if wire.allow_origins.is_empty() {
        report.add(
            &path,
            "is missing or empty, so it lets no page read; name origins, or write \"*\"",
        );
    }
    if has_any && wire.allow_origins.len() > 1 {
        report.add(&path, "has \"*\" and others, which it means too; keep one of the two");
    }
    if credentials == Credentials::Allowed {
        for open in [ANY, NULL] {
            if wire.allow_origins.iter().any(|origin| origin == open) {
                report.add(
                    &path,
                    format!(
                        "has {open:?}, which with allow_credentials lets any page act as its visitor; name origins"
                    ),
                );
            }
        }
    }
    if has_any {
        return Origins::Any;
    }
    let texts = wire.allow_origins.iter().enumerate();
    let patterns = texts.filter_map(|(index, text)| {
        let parsed = OriginPattern::parse(text);
        parsed
            .map_err(|error| report.add(format!("{path}[{index}]"), error.to_string()))
            .ok()
    });
    Origins::Listed(patterns.collect())
}
