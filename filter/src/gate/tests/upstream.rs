//! Which cluster gets a request, and who gets none; and conditions in CEL, which also choose.

use serde_json::{Value, json};

use super::gate_with;
use crate::testing::{Gate, claims, sign, test, word};

/// A gate with one service `bank` at the cluster `main`, and changes to it.
fn gate(changes: Value) -> Gate {
    let mut bank = json!({"prefix": "/bank/", "cluster": "main"});
    super::merge(&mut bank, changes);
    let sections = json!({"services": {"bank": bank}, "headers": {"trusted": ["x-user-plan"]}});
    gate_with(
        json!({"claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}]}),
        sections,
    )
}

/// The cluster, or the refusal's code.
fn cluster(gate: &Gate, changes: Value, headers: &[(&str, &str)]) -> String {
    let bearer = format!("Bearer {}", sign(&claims(changes)));
    let mut sent = vec![
        (":method", "GET"),
        (":path", "/bank/"),
        ("authorization", bearer.as_str()),
        ("x-gatehouse-cluster", "beta"),
    ];
    sent.extend_from_slice(headers);
    let decision = gate.decide(&sent);
    if word(&decision) != "forward" {
        return word(&decision).to_owned();
    }
    let upstream = gate.upstream(&sent);
    let found = upstream.iter().find(|(name, _)| name == "x-gatehouse-cluster");
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

#[test]
fn a_claim_chooses_among_the_clusters_that_are_named() {
    let values = json!({"gold": "fast", "beta": "beta"});
    let strict = gate(json!({"upstream": [{"claim_name": "tenant.plan", "values": values}]}));
    let lenient = gate(json!({"upstream": [{"claim_name": "tenant.plan", "values": values, "otherwise": "continue"}]}));
    for (plan, chosen, fallen_back) in [
        (json!("gold"), "fast", "fast"),
        (json!("beta"), "beta", "beta"),
        (json!("Gold"), "upstream_unknown", "main"),
        (json!("main"), "upstream_unknown", "main"),
        (json!(""), "upstream_unknown", "main"),
        (json!(["gold"]), "upstream_unknown", "main"),
        (json!(null), "upstream_unknown", "main"),
        (json!(7), "upstream_unknown", "main"),
    ] {
        let changes = json!({"tenant": {"plan": plan}});
        assert_eq!(cluster(&strict, changes.clone(), &[]), chosen, "{plan}");
        assert_eq!(cluster(&lenient, changes, &[]), fallen_back, "{plan}");
    }
    assert_eq!(cluster(&strict, json!({}), &[]), "upstream_unknown");
}

#[test]
fn a_header_chooses_too_if_it_came_once() {
    let gate =
        gate(json!({"upstream": [{"header": "X-Track", "values": {"canary": "beta"}, "otherwise": "continue"}]}));
    for (headers, expected) in [
        (&[("x-track", "canary")][..], "beta"),
        (&[("X-TRACK", "canary")], "beta"),
        (&[("x-track", "main")], "main"),
        (&[("x-track", "beta")], "main"),
        (&[], "main"),
        (&[("x-track", "canary"), ("x-track", "other")], "main"),
        (&[("x-track", "canary"), ("X-Track", "canary")], "main"),
        (&[("x_track", "canary")], "main"),
    ] {
        assert_eq!(cluster(&gate, json!({}), headers), expected, "{headers:?}");
    }
}

#[test]
fn the_first_choice_that_settles_counts() {
    let gate = gate(json!({"upstream": [
        {"header": "x-track", "values": {"canary": "beta"}, "otherwise": "continue"},
        {"cel": "has(claims.tester) && claims.tester", "cluster": "lab"},
        {"claim_name": "region", "values": {"eu": "europe"}, "otherwise": "continue"},
        {"percent": 100, "cluster": "all"},
    ]}));
    for (changes, headers, expected) in [
        (
            json!({"tester": true, "region": "eu"}),
            &[("x-track", "canary")][..],
            "beta",
        ),
        (json!({"tester": true, "region": "eu"}), &[], "lab"),
        (json!({"tester": false, "region": "eu"}), &[], "europe"),
        (json!({"region": "us"}), &[], "all"),
        // Who has no subject is in no share, not even in the whole.
        (json!({"sub": null}), &[], "main"),
        // An expression without an answer lets nobody go on to the next.
        (json!({"tester": "yes"}), &[], "expression_failed"),
    ] {
        assert_eq!(cluster(&gate, changes.clone(), headers), expected, "{changes}");
    }
}

#[test]
fn shares_split_subjects_and_stay_with_them() {
    let split = |first: Value| {
        gate(json!({"upstream": [
            {"percent": first, "cluster": "beta"},
            {"percent": 25, "cluster": "lab"},
        ]}))
    };
    let (narrow, wide) = (split(json!(10)), split(json!(20.5)));
    let mut counts = std::collections::BTreeMap::new();
    for number in 0..300 {
        let changes = json!({"sub": format!("user-{number}")});
        let chosen = cluster(&narrow, changes.clone(), &[]);
        assert_eq!(cluster(&narrow, changes.clone(), &[("x-track", "x")]), chosen);
        if chosen == "beta" {
            assert_eq!(cluster(&wide, changes, &[]), "beta", "{number}");
        }
        *counts.entry(chosen).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 3, "{counts:?}");
    let by_tenant = gate(json!({"upstream": [{"percent": 50, "claim_name": "tenant.id", "cluster": "beta"}]}));
    for number in 0..20 {
        let tenant = |sub: &str| json!({"sub": sub, "tenant": {"id": format!("t{number}")}});
        assert_eq!(
            cluster(&by_tenant, tenant("alice"), &[]),
            cluster(&by_tenant, tenant("bob"), &[]),
            "{number}"
        );
    }
}

#[test]
fn a_public_service_chooses_without_knowing_anybody() {
    let gate = gate(json!({"public": true, "upstream": [
        {"header": "x-track", "values": {"canary": "beta"}, "otherwise": "continue"},
        {"cel": "request.path.endsWith('/old/')", "cluster": "legacy"},
    ]}));
    assert_eq!(cluster(&gate, json!({}), &[("x-track", "canary")]), "beta");
    assert_eq!(cluster(&gate, json!({}), &[]), "main");
}

#[test]
fn expressions_allow_and_deny_and_what_they_cannot_say_is_denied() {
    let gate = gate(json!({"authorization": {
        "cel": "claims.level >= 3 && (request.method == 'GET' || 'admin' in claims.roles)",
        "rules": [
            {"prefixes": ["/bank/own/"], "cel": "request.path.startsWith('/bank/own/' + claims.sub + '/')"},
            {"methods": ["POST"], "cel": "!('x-user-id' in request.headers) && request.headers['x-reason'] != ''"},
            {},
        ],
    }}));
    let ask = |method: &str, path: &str, changes: Value, headers: &[(&str, &str)]| {
        let bearer = format!("Bearer {}", sign(&claims(changes)));
        let mut sent = vec![(":method", method), (":path", path), ("authorization", bearer.as_str())];
        sent.extend_from_slice(headers);
        word(&gate.decide(&sent))
    };
    let admin = json!({"level": 3, "roles": ["admin"]});
    for (method, path, changes, headers, expected) in [
        ("GET", "/bank/", json!({"level": 3}), &[][..], "forward"),
        ("GET", "/bank/", json!({"level": 2}), &[], "access_denied"),
        ("GET", "/bank/", json!({}), &[], "expression_failed"),
        ("GET", "/bank/", json!({"level": "3"}), &[], "expression_failed"),
        ("GET", "/bank/own/alice/1", json!({"level": 3}), &[], "forward"),
        ("GET", "/bank/own/bob/1", json!({"level": 3}), &[], "access_denied"),
        ("GET", "/bank/own/alice", json!({"level": 3}), &[], "access_denied"),
        (
            "POST",
            "/bank/",
            json!({"level": 3}),
            &[("x-reason", "a")],
            "expression_failed",
        ),
        ("POST", "/bank/", admin.clone(), &[("x-reason", "a")], "forward"),
        ("POST", "/bank/", admin.clone(), &[("x-reason", "")], "access_denied"),
        ("POST", "/bank/", admin.clone(), &[], "expression_failed"),
        // Only the gate may set it: what a client forged is not there.
        (
            "POST",
            "/bank/",
            admin,
            &[("x-user-id", "root"), ("x-reason", "a")],
            "forward",
        ),
    ] {
        assert_eq!(
            ask(method, path, changes.clone(), headers),
            expected,
            "{method} {path} {changes}"
        );
    }
}
