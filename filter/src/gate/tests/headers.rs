//! Who the upstream is told is asking.

use serde_json::{Value, json};

use super::{gate, gate_with};
use crate::testing::{Gate, claims, sign, test, token, word};

/// Spellings of `x-user-id` that some server takes for it.
const FORGED: [&str; 30] = [
    "x-user-id",
    "X-User-Id",
    "X-USER-ID",
    "x_user_id",
    "X_USER_ID",
    "X_User_Id",
    "x.user.id",
    "X.User.Id",
    "x-user_id",
    "x_user-id",
    "x.user-id",
    "x-user.id",
    "x.user_id",
    "x_user.id",
    "x~user~id",
    "x!user!id",
    "x#user#id",
    "x$user$id",
    "x%user%id",
    "x&user&id",
    "x'user'id",
    "x*user*id",
    "x+user+id",
    "x^user^id",
    "x`user`id",
    "x|user|id",
    "X|uSeR^iD",
    "x-uSER-id",
    "x-user-ID",
    "X-user_ID",
];

fn identity() -> Value {
    json!({"claim_to_headers": [
        {"header_name": "X-User-Id", "claim_name": "sub"},
        {"header_name": "x-user-name", "claim_name": "username"},
    ], "forward_payload_header": "x-payload"})
}

fn sections() -> Value {
    json!({
        "headers": {"profile": "edge", "trusted": ["X-User-Roles"]},
        "services": {
            "bank": {"prefix": "/bank/", "cluster": "bank"},
            "open": {"prefix": "/open/", "cluster": "open", "public": true},
        },
    })
}

fn named<'a>(upstream: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    upstream
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
        .collect()
}

fn upstream(gate: &Gate, path: &str, token: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![(":path", path), (":method", "GET"), ("authorization", bearer.as_str())];
    headers.extend_from_slice(more);
    gate.upstream(&headers)
}

#[test]
fn no_spelling_of_an_identity_header_reaches_the_upstream() {
    for gate in [gate(identity()), gate_with(identity(), sections())] {
        for name in FORGED {
            let headers = [(name, "mallory"), ("accept", "*/*"), (name, "mallory again")];
            let upstream = upstream(&gate, "/bank/", &token(), &headers);
            assert_eq!(named(&upstream, "x-user-id"), ["alice"], "{name}");
            assert!(!upstream.iter().any(|(_, value)| value.contains("mallory")), "{name}");
        }
    }
}

#[test]
fn they_go_on_public_routes_and_preflights_and_where_the_claim_is_absent_too() {
    let gate = gate_with(identity(), sections());
    let open = upstream(
        &gate,
        "/open/",
        "whatever",
        &[("x_user_id", "mallory"), ("x-user-roles", "admin")],
    );
    assert_eq!(
        named(&open, "authorization"),
        ["Bearer whatever"],
        "a public service gets the header as it came"
    );
    assert!(named(&open, "x_user_id").is_empty() && named(&open, "x-user-roles").is_empty());

    let absent = upstream(
        &gate,
        "/bank/",
        &token(),
        &[("x-user-name", "mallory"), ("X.User.Name", "mallory")],
    );
    assert_eq!(named(&absent, "x-user-id"), ["alice"]);
    assert!(!absent.iter().any(|(_, value)| value == "mallory"));

    let no_rule = gate_with(identity(), json!({"rules": []}));
    let free = no_rule.upstream(&[(":path", "/"), ("x_user_id", "mallory"), ("x-payload", "forged")]);
    assert_eq!(free, [(":path".to_owned(), "/".to_owned())]);

    let preflights = gate_with(identity(), json!({"bypass_cors_preflight": true}));
    let preflight = preflights.upstream(&[
        (":path", "/"),
        (":method", "OPTIONS"),
        ("origin", "x"),
        ("access-control-request-method", "GET"),
        ("X-User-Id", "mallory"),
    ]);
    assert!(named(&preflight, "X-User-Id").is_empty());
}

#[test]
fn a_pasted_native_configuration_takes_out_what_it_maps_and_nothing_else() {
    let others = [
        ("x-forwarded-user", "u"),
        ("x-gatehouse-cluster", "c"),
        ("x-real-ip", "1"),
        ("x-user-roles", "r"),
    ];
    let native = upstream(&gate(identity()), "/bank/", &token(), &others);
    for (name, value) in others {
        assert_eq!(named(&native, name), [value]);
    }
    let own = upstream(&gate_with(identity(), sections()), "/bank/", &token(), &others);
    assert_eq!(named(&own, "x-gatehouse-cluster"), ["bank"]);
    for name in ["x-forwarded-user", "x-real-ip", "x-user-roles"] {
        assert!(named(&own, name).is_empty(), "{name}");
    }
}

#[test]
fn a_gate_inside_a_mesh_leaves_what_the_edge_said() {
    let mesh = gate_with(
        identity(),
        json!({"headers": {"profile": "mesh", "trusted": ["x-tenant"]}}),
    );
    let headers = [
        ("x-real-ip", "1"),
        ("forwarded", "for=1"),
        ("x_tenant", "forged"),
        ("x-gatehouse-any", "forged"),
    ];
    let upstream = upstream(&mesh, "/", &token(), &headers);
    assert_eq!(named(&upstream, "x-real-ip"), ["1"]);
    assert_eq!(named(&upstream, "forwarded"), ["for=1"]);
    assert!(named(&upstream, "x_tenant").is_empty() && named(&upstream, "x-gatehouse-any").is_empty());
}

#[test]
fn connection_does_not_drop_our_header() {
    let upstream = upstream(
        &gate(identity()),
        "/",
        &token(),
        &[("connection", "X-User-Id, upgrade"), ("upgrade", "x")],
    );
    assert_eq!(named(&upstream, "connection"), ["upgrade"]);
    assert_eq!(named(&upstream, "x-user-id"), ["alice"]);
}

#[test]
fn two_interleaved_tokens_do_not_mix() {
    let gate = gate(identity());
    let of = |sub: &str, name: Value| sign(&claims(json!({"sub": sub, "username": name})));
    let (alice, bob) = (of("alice", json!("Alice")), of("bob", Value::Null));
    for _ in 0..3 {
        let first = upstream(&gate, "/", &alice, &[]);
        assert_eq!(
            (named(&first, "x-user-id"), named(&first, "x-user-name")),
            (vec!["alice"], vec!["Alice"])
        );
        let second = upstream(&gate, "/", &bob, &[]);
        assert_eq!(
            (named(&second, "x-user-id"), named(&second, "x-user-name")),
            (vec!["bob"], vec![])
        );
    }
}

#[test]
fn a_claim_never_breaks_a_header() {
    let gate = gate(identity());
    for (name, expected) in [
        (json!("a\r\nx-admin: 1"), Err("claim_unusable")),
        (json!("a\0b"), Err("claim_unusable")),
        (json!("Jos\u{e9}"), Ok(vec!["UTF-8''Jos%C3%A9"])),
        (json!(["a", "b"]), Ok(vec!["WyJhIiwiYiJd"])),
        (json!(7), Ok(vec!["7"])),
        (json!(""), Ok(vec![])),
        (json!("Alice B."), Ok(vec!["Alice B."])),
    ] {
        let token = sign(&claims(json!({ "username": name })));
        match expected {
            Ok(expected) => assert_eq!(
                named(&upstream(&gate, "/", &token, &[]), "x-user-name"),
                expected,
                "{name}"
            ),
            Err(code) => assert_eq!(gate.get("/", &token), code, "{name}"),
        }
    }
}

#[test]
fn the_payload_header_is_the_token_s_own_segment() {
    let token = token();
    let payload = token.split('.').nth(1).unwrap();
    assert_eq!(
        named(&upstream(&gate(identity()), "/", &token, &[]), "x-payload"),
        [payload]
    );
    let mut padded = identity();
    padded["pad_forward_payload_header"] = json!(true);
    let sent = upstream(&gate(padded), "/", &token, &[]);
    let [value] = named(&sent, "x-payload")[..] else {
        panic!("one payload header")
    };
    assert_eq!((value.len() % 4, value.trim_end_matches('=')), (0, payload));
}

#[test]
fn the_subject_is_told_to_access_logs_in_one_safe_line() {
    for (sub, expected) in [
        (json!("alice"), Some("alice")),
        (json!("a\nb"), None),
        (json!("\u{e9}"), Some("UTF-8''%C3%A9")),
        (Value::Null, None),
    ] {
        let gate = gate(json!({}));
        let bearer = format!("Bearer {}", sign(&claims(json!({ "sub": sub }))));
        let headers = [(":path", "/"), ("authorization", bearer.as_str())];
        assert_eq!(word(&gate.decide(&headers)), "forward");
        let caller = gate.forward(&headers).caller.unwrap();
        assert_eq!(caller.subject.as_deref(), expected);
    }
}
