//! The sections `cors`: what arrives of them, and what is said about wrong ones.

use std::time::Duration;

use serde_json::{Value, json};

use super::{camel, errors, full, parse, with};
use crate::cors::{Credentials, OriginPattern, Origins, PrivateNetwork};
use crate::testing::test;

/// A policy with every field that there is.
pub(super) fn every_field() -> Value {
    json!({
        "allow_origins": ["https://app.example.com", "https://*.example.org"],
        "allow_methods": ["GET", "DELETE"],
        "allow_headers": ["authorization", "x-trace"],
        "expose_headers": ["x-total"],
        "allow_credentials": true,
        "max_age": "600s",
        "allow_private_network": true,
    })
}

#[test]
fn every_field_arrives_in_either_spelling() {
    for config in [full(), camel(&full())] {
        let config = parse(&config);
        let cors = config.header_rules.cors.as_ref().unwrap();
        let origins = ["https://app.example.com", "https://*.example.org"];
        let origins = origins.map(|text| OriginPattern::parse(text).unwrap());
        assert_eq!(cors.origins, Origins::Listed(origins.to_vec()));
        assert_eq!(
            (cors.methods.as_str(), cors.headers.as_str()),
            ("GET, DELETE", "authorization, x-trace")
        );
        assert_eq!(
            (cors.expose.as_str(), cors.max_age),
            ("x-total", Some(Duration::from_mins(10)))
        );
        assert_eq!(
            (cors.credentials, cors.private_network),
            (Credentials::Allowed, PrivateNetwork::Allowed)
        );
    }
}

#[test]
fn what_is_left_out_is_what_a_page_needs_to_ask_a_gate() {
    let config = parse(&json!({"cors": {"allow_origins": ["*"]}}));
    let cors = config.header_rules.cors.as_ref().unwrap();
    assert_eq!(cors.origins, Origins::Any);
    assert_eq!(cors.methods, "GET, HEAD, POST");
    assert_eq!(cors.headers, "authorization, content-type");
    assert_eq!(
        cors.expose,
        "www-authenticate, retry-after, ratelimit, ratelimit-policy"
    );
    assert_eq!(
        (cors.credentials, cors.private_network, cors.max_age),
        (Credentials::Omitted, PrivateNetwork::Closed, None)
    );
    let any = json!({"cors": {"allow_origins": ["*"], "allow_headers": ["*"]}});
    let config = parse(&any);
    assert_eq!(config.header_rules.cors.as_ref().unwrap().headers, "*, authorization");
}

#[test]
fn a_wrong_policy_is_named_with_what_would_be_right() {
    for (field, value, expected) in [
        (
            "allow_origins",
            json!([]),
            ": is missing or empty, so it lets no page read",
        ),
        (
            "allow_origins",
            json!(["*"]),
            ": has \"*\", which with allow_credentials lets any page act as its visitor",
        ),
        (
            "allow_origins",
            json!(["null"]),
            ": has \"null\", which with allow_credentials",
        ),
        (
            "allow_origins",
            json!(["https://a.test/"]),
            "[0]: is no origin as browsers send it",
        ),
        (
            "allow_origins",
            json!(["https://a*.test"]),
            "[0]: has a * that is not the whole first part",
        ),
        ("allow_methods", json!(["get"]), "[0]: is no method"),
        (
            "allow_methods",
            json!(["*"]),
            "[0]: means nothing but itself where credentials are allowed",
        ),
        (
            "allow_headers",
            json!(["*"]),
            "[0]: means nothing but itself where credentials are allowed",
        ),
        ("allow_headers", json!(["a b"]), "[0]: is no header name"),
        (
            "expose_headers",
            json!(["*"]),
            "[0]: means nothing but itself where credentials are allowed",
        ),
        ("max_age", json!("86401s"), ": is longer than any browser remembers"),
    ] {
        let errors = errors(&with(&format!("/cors/{field}"), value));
        let expected = format!("cors.{field}{expected}");
        assert!(
            errors.len() == 1 && errors[0].starts_with(&expected),
            "{errors:#?}\nis not {expected}"
        );
    }
    for (config, expected) in [
        (json!({"cors": true}), "cors: does not say whose pages may read"),
        (
            json!({"cors": {"allow_origins": ["*", "https://a.test"]}}),
            "cors.allow_origins: has \"*\" and others",
        ),
    ] {
        let errors = errors(&config);
        assert!(errors.len() == 1 && errors[0].starts_with(expected), "{errors:#?}");
    }
}
