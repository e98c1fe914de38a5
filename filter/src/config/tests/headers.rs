//! The sections `headers`: what arrives of them, and what is said about wrong ones.

use serde_json::{Value, json};

use super::{camel, errors, full, parse, with};
use crate::config::Config;
use crate::headers::RequestIds;
use crate::testing::test;

/// The section with every field that there is.
pub(super) fn section() -> Value {
    json!({
        "profile": "mesh",
        "trusted": ["X-User-Roles"],
        "request_id": "make",
        "request": {
            "remove": ["x-debug", "x-internal-*"],
            "set": {"x-caller": "{claims.sub} by {request.method}"},
            "set_if_absent": {"accept-language": "en"},
        },
        "response": {
            "remove": ["x-node", "x-gatehouse-*"],
            "set": {"cache-control": "no-store"},
            "set_if_absent": {"x-robots-tag": "noindex"},
            "security_headers": {
                "strict_transport_security": "max-age=1",
                "x_content_type_options": "nosniff",
                "x_frame_options": "",
                "referrer_policy": "no-referrer",
                "content_security_policy": "default-src 'none'",
                "permissions_policy": "camera=()",
                "cross_origin_opener_policy": "same-origin",
            },
        },
    })
}

#[test]
fn every_field_arrives_in_either_spelling() {
    for config in [full(), camel(&full())] {
        let config = parse(&config);
        let rules = &config.header_rules;
        assert_eq!((rules.request.remove.len(), rules.response.remove.len()), (2, 2));
        assert_eq!(rules.request.set[0].0, "x-caller");
        assert_eq!(rules.request.set_if_absent[0].0, "accept-language");
        assert_eq!(config.request_ids, RequestIds::Make);
        assert!(config.sanitiser.trusts(b"X_Caller") && !config.sanitiser.trusts(b"accept-language"));
        assert_eq!(rules.response.set, [("cache-control".to_owned(), b"no-store".to_vec())]);
        let said: Vec<&str> = rules
            .response
            .set_if_absent
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            said,
            [
                "strict-transport-security",
                "x-content-type-options",
                "referrer-policy",
                "content-security-policy",
                "permissions-policy",
                "cross-origin-opener-policy",
                "x-robots-tag"
            ]
        );
    }
}

#[test]
fn a_gate_that_faces_clients_takes_telltales_out_of_answers() {
    let removed = |config: &Value| parse(config).header_rules.response.remove.len();
    assert_eq!(removed(&json!({"headers": {}})), 4);
    assert_eq!(removed(&json!({"headers": {"profile": "mesh"}})), 0);
    assert_eq!(removed(&json!({})), 0);
}

#[test]
fn ids_are_passed_or_made() {
    for (section, expected) in [
        (json!({"headers": {}}), RequestIds::Pass),
        (json!({"headers": {"request_id": "pass"}}), RequestIds::Pass),
        (json!({}), RequestIds::Pass),
    ] {
        assert_eq!(parse(&section).request_ids, expected);
    }
    let errors = errors(&json!({"headers": {"request_id": "mint"}}));
    assert_eq!(errors, ["headers.request_id: is unknown; write \"pass\" or \"make\""]);
}

fn complaints(field: &str, cases: &[(Value, &str)]) {
    for (value, expected) in cases {
        let errors = errors(&with(&format!("/headers/{field}"), value.clone()));
        let expected = format!("headers.{}{expected}", field.replace('/', "."));
        assert!(
            errors.len() == 1 && errors[0].starts_with(&expected),
            "{errors:#?}\nis not {expected}"
        );
    }
}

#[test]
fn a_wrong_rule_for_requests_is_named_with_what_would_be_right() {
    complaints(
        "request/remove",
        &[
            (json!(["content-length"]), "[0]: is content-length, which has a meaning"),
            (json!(["x y"]), "[0]: is no header name"),
            (json!(["*"]), "[0]: takes out nearly everything"),
            (json!(["x-*"]), "[0]: takes out nearly everything"),
        ],
    );
    complaints(
        "request/set",
        &[
            (json!({"x-made": 1}), ".x-made: is a number; it must be a string"),
            (json!({"Host": "a"}), ".Host: is host, which has a meaning"),
            (
                json!({"x-forwarded_for": "a"}),
                ".x-forwarded_for: is x-forwarded_for, which has",
            ),
            (json!({":path": "/a"}), "[\":path\"]: is no header name"),
            (
                json!({"X_User_Id": "a"}),
                ".X_User_Id: is x_user_id, which a token sets",
            ),
            (
                json!({"x-gatehouse-a": "a"}),
                ".x-gatehouse-a: is x-gatehouse-a; what begins with x-gatehouse- belongs to the gate",
            ),
            (
                json!({"x-envoy-a": "a"}),
                ".x-envoy-a: is x-envoy-a; what begins with x-envoy- belongs to Envoy",
            ),
            (json!({"x-made": "{claims.a"}), ".x-made: has a { that is never closed"),
            (
                json!({"x-made": "{user}"}),
                ".x-made: asks for {user}, which there is not; there are {claims.NAME}",
            ),
            (
                json!({"x-made": "a\nb"}),
                ".x-made: holds something other than visible ASCII",
            ),
            (
                json!({"x-made": "a", "x_made": "b"}),
                ".x_made: is x-made to every server that folds names",
            ),
        ],
    );
    complaints(
        "request/set_if_absent",
        &[(
            json!({"x_user_id": "a"}),
            ".x_user_id: is x_user_id, which clients can't send",
        )],
    );
}

#[test]
fn a_wrong_rule_for_answers_is_named_with_what_would_be_right() {
    complaints(
        "response/set",
        &[
            (
                json!({"content-type": "a"}),
                ".content-type: is content-type, which no rule may touch",
            ),
            (
                json!({"Server": "a"}),
                ".Server: is server, which no rule may touch; set server_header_transformation",
            ),
            (
                json!({"access-control-max-age": "1"}),
                ".access-control-max-age: is access-control-max-age, which no rule may touch; write a section cors",
            ),
            (json!({"x-made": "é"}), ".x-made: must be visible ASCII"),
        ],
    );
    complaints(
        "response/remove",
        &[(
            json!(["www-authenticate"]),
            "[0]: is www-authenticate, which no rule may touch",
        )],
    );
    complaints(
        "response/security_headers",
        &[
            (json!("yes"), ": is a string; it must be true, false or an object"),
            (json!({"hsts": "x"}), ".hsts: is no field that Gatehouse knows"),
        ],
    );
}

#[test]
fn the_guide_to_headers_shows_a_configuration_that_is_right() {
    let page = include_str!("../../../../docs/headers.md");
    let examples: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(!examples.is_empty());
    for example in examples {
        Config::parse(example.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{example}"));
    }
}
