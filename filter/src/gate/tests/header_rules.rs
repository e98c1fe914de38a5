//! What the configuration wants changed in headers: of requests that pass, and of all answers.

use serde_json::{Value, json};

use super::gate_with;
use crate::gate::{AnswerPlan, clean_trailers};
use crate::headers::Edit;
use crate::testing::{Gate, claims, request, sign, test, token};

fn gate() -> Gate {
    gate_with(
        json!({"claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}]}),
        json!({
            "headers": {
                "profile": "edge",
                "request": {
                    "remove": ["x-debug", "x-internal-*"],
                    "set": {"x-gateway": "gatehouse", "X-Tenant": "{claims.tenant}"},
                    "set_if_absent": {"accept-language": "en"},
                },
                "response": {
                    "set": {"cache-control": "no-cache"},
                    "security_headers": {"x_frame_options": "SAMEORIGIN", "content_security_policy": ""},
                },
            },
            "services": {
                "bank": {
                    "prefix": "/bank/",
                    "cluster": "bank",
                    "headers": {
                        "request": {
                            "remove": ["x-only-bank"],
                            "set": {"x-gateway": "", "x-call": "{claims.tenant}/{request.method}", "x-service": "{service}"},
                        },
                        "response": {"remove": ["x-node"], "security_headers": false},
                    },
                },
                "open": {"prefix": "/open/", "cluster": "open", "public": true},
            },
        }),
    )
}

fn upstream(path: &str, token: &str, others: &[(&str, &str)]) -> Vec<(String, String)> {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![(":method", "GET"), (":path", path), ("authorization", bearer.as_str())];
    headers.extend(others);
    let mut sent = gate().upstream(&headers);
    sent.retain(|(name, _)| !name.starts_with(':') && name != "authorization" && name != "x-gatehouse-cluster");
    sent
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn tenant(tenant: &Value) -> String {
    sign(&claims(json!({ "tenant": tenant })))
}

/// What a client would like the service to see.
const FORGED: [(&str, &str); 8] = [
    ("x-tenant", "evil"),
    ("X_Tenant", "evil"),
    ("x.call", "evil"),
    ("X-SERVICE", "evil"),
    ("x_gateway", "evil"),
    ("X-Debug", "1"),
    ("x_internal_node", "1"),
    ("x-only-bank", "kept elsewhere"),
];

#[test]
fn a_service_gets_what_all_get_and_what_it_asked_for() {
    assert_eq!(
        upstream("/bank/", &tenant(&json!("a/b")), &FORGED),
        pairs(&[
            ("accept-language", "en"),
            ("x-call", "a%2Fb/GET"),
            ("x-service", "bank"),
            ("x-tenant", "a/b"),
            ("x-user-id", "alice"),
        ])
    );
}

#[test]
fn what_is_unknown_is_not_said_and_never_the_clients_word() {
    assert_eq!(
        upstream("/bank/", &token(), &FORGED),
        pairs(&[("accept-language", "en"), ("x-service", "bank"), ("x-user-id", "alice")])
    );
    assert_eq!(
        upstream("/open/", "whatever", &FORGED),
        pairs(&[
            ("accept-language", "en"),
            ("x-gateway", "gatehouse"),
            ("x-only-bank", "kept elsewhere"),
        ])
    );
}

#[test]
fn a_client_may_say_what_is_only_set_if_absent() {
    let sent = upstream("/open/", "whatever", &[("Accept-Language", "de")]);
    assert_eq!(sent, pairs(&[("Accept-Language", "de"), ("x-gateway", "gatehouse")]));
}

#[test]
fn a_claim_that_would_break_a_header_is_refused() {
    let gate = gate();
    assert_eq!(gate.get("/bank/", &tenant(&json!("a\nx-admin: 1"))), "claim_unusable");
    assert_eq!(gate.get("/bank/", &tenant(&json!("a"))), "forward");
}

#[test]
fn trailers_are_rid_of_everything_that_some_service_does_not_want() {
    let trailers = request(&[
        ("x-user-id", "evil"),
        ("x_call", "evil"),
        ("x-internal-node", "1"),
        ("x-only-bank", "1"),
        ("grpc-status", "0"),
        ("x-checksum", "1"),
    ]);
    let removed = ["x-user-id", "x_call", "x-internal-node", "x-only-bank"];
    assert_eq!(
        clean_trailers(&trailers, &gate().config),
        removed.map(|name| Edit::Remove(name.to_owned()))
    );
}

fn answer(gate: &Gate, path: &str, scheme: &str, sent: &[(&str, &str)]) -> Vec<(String, String)> {
    let request_headers = [(":method", "GET"), (":path", path), (":scheme", scheme)];
    let mut answer: Vec<(String, String)> = pairs(sent);
    let plan = AnswerPlan::of(&request(&request_headers), &gate.config);
    for edit in plan.into_iter().flat_map(|plan| plan.edits(|| request(sent))) {
        let (Edit::Remove(name) | Edit::Set(name, _)) = &edit;
        answer.retain(|(known, _)| known != name);
        if let Edit::Set(name, value) = edit {
            answer.push((name, String::from_utf8(value).unwrap()));
        }
    }
    answer.retain(|(name, _)| !name.starts_with(':'));
    answer.sort();
    answer
}

#[test]
fn answers_lose_what_tells_too_much_and_get_what_protects() {
    let sent = [
        (":status", "200"),
        ("x-powered-by", "PHP"),
        ("x-node", "7"),
        ("referrer-policy", "no-referrer"),
    ];
    let gate = gate();
    assert_eq!(
        answer(&gate, "/open/", "https", &sent),
        pairs(&[
            ("cache-control", "no-cache"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=31536000"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "SAMEORIGIN"),
            ("x-node", "7"),
        ])
    );
    assert_eq!(
        answer(&gate, "/bank/", "https", &sent),
        pairs(&[("cache-control", "no-cache"), ("referrer-policy", "no-referrer")])
    );
    // Also what nobody serves, and what nobody can read.
    for path in ["/nowhere/", "/open/../bank/"] {
        let refused = [(":status", "404"), ("cache-control", "no-store")];
        assert_eq!(
            answer(&gate, path, "http", &refused),
            pairs(&[
                ("cache-control", "no-store"),
                ("referrer-policy", "strict-origin-when-cross-origin"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "SAMEORIGIN"),
            ])
        );
    }
}

#[test]
fn nothing_is_planned_where_nothing_is_configured() {
    for sections in [json!({}), json!({"headers": {"profile": "mesh"}})] {
        let gate = gate_with(json!({}), sections);
        assert_eq!(AnswerPlan::of(&request(&[(":path", "/")]), &gate.config), None);
    }
}
