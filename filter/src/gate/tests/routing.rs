//! Services: which one gets a request, and which requests get none.

use serde_json::{Value, json};

use super::gate_with;
use crate::gate::{Decision, RouteCache};
use crate::testing::{Gate, claims, sign, test, token, word};

fn services() -> Value {
    json!({"services": {
        "bank": {"prefix": "/bank/", "cluster": "bank", "timeout": "5s", "prefix_rewrite": "/"},
        "reports": {"prefix": "/bank/reports/", "cluster": "reports"},
        "token": {"prefix": "/api/token/", "cluster": "token-issuer", "public": true},
        "admin": {"prefix": "/admin/", "cluster": "token-issuer"},
    }})
}

fn gateway() -> Gate {
    gate_with(json!({}), services())
}

fn upstream(path: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let bearer = format!("Bearer {}", token());
    let mut headers = vec![(":path", path), (":method", "GET"), ("authorization", bearer.as_str())];
    headers.extend_from_slice(more);
    gateway().upstream(&headers)
}

fn value<'a>(upstream: &'a [(String, String)], name: &str) -> Option<&'a str> {
    upstream
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

#[test]
fn a_service_gets_its_cluster_its_timeout_and_its_path() {
    for (path, cluster, timeout, upstream_path) in [
        ("/bank/accounts/?page=2", "bank", Some("5000"), "/accounts/?page=2"),
        ("/bank/", "bank", Some("5000"), "/"),
        ("/bank", "bank", Some("5000"), "/"),
        ("/bank/reports/2024", "reports", None, "/bank/reports/2024"),
        ("/b%61nk/accounts/", "bank", Some("5000"), "/accounts/"),
        ("/admin/%7Ex?", "token-issuer", None, "/admin/~x?"),
    ] {
        let upstream = upstream(
            path,
            &[("x-gatehouse-cluster", "forged"), ("X_Gatehouse_Cluster", "forged")],
        );
        assert_eq!(value(&upstream, "x-gatehouse-cluster"), Some(cluster), "{path}");
        assert_eq!(value(&upstream, "X_Gatehouse_Cluster"), None);
        assert_eq!(value(&upstream, "x-envoy-upstream-rq-timeout-ms"), timeout, "{path}");
        assert_eq!(value(&upstream, ":path"), Some(upstream_path), "{path}");
    }
}

#[test]
fn the_route_is_chosen_anew_only_when_the_gate_chose_the_cluster() {
    let bearer = format!("Bearer {}", token());
    let headers = [(":path", "/bank/"), ("authorization", bearer.as_str())];
    assert_eq!(gateway().forward(&headers).route, RouteCache::Clear);
    assert_eq!(
        gate_with(json!({}), json!({})).forward(&headers).route,
        RouteCache::Keep
    );
    assert_eq!(
        gate_with(json!({"clear_route_cache": true}), json!({}))
            .forward(&headers)
            .route,
        RouteCache::Clear
    );
}

#[test]
fn services_are_protected_unless_they_are_public() {
    for (path, expected) in [
        ("/bank/", "token_missing"),
        ("/bank/reports/", "token_missing"),
        ("/admin/", "token_missing"),
        ("/api/token/", "forward"),
        ("/api/token/refresh/", "forward"),
        ("/api/tokens/", "token_missing"),
        ("/nowhere/", "token_missing"),
    ] {
        assert_eq!(
            word(&gateway().decide(&[(":path", path), (":method", "GET")])),
            expected,
            "{path}"
        );
    }
    let without_rules = gate_with(json!({}), json!({"services": services()["services"], "rules": []}));
    for (path, expected) in [
        ("/bank/", "token_missing"),
        ("/api/token/", "forward"),
        ("/nowhere/", "service_unknown"),
    ] {
        assert_eq!(
            word(&without_rules.decide(&[(":path", path), (":method", "GET")])),
            expected,
            "{path}"
        );
    }
    let lenient = json!([{"match": {"prefix": "/"}, "requires": {"allow_missing_or_failed": {}}}]);
    let lenient = gate_with(json!({}), json!({"services": services()["services"], "rules": lenient}));
    assert_eq!(
        word(&lenient.decide(&[(":path", "/bank/"), (":method", "GET")])),
        "token_missing"
    );
    assert_eq!(lenient.get("/bank/", &token()), "forward");
    assert_eq!(
        lenient.get("/bank/", &sign(&claims(json!({"exp": 1})))),
        "token_expired"
    );
}

#[test]
fn an_unknown_path_is_not_found_only_for_those_who_may_ask() {
    let expired = sign(&claims(json!({"exp": 1})));
    assert_eq!(
        word(&gateway().decide(&[(":path", "/nowhere"), (":method", "GET")])),
        "token_missing"
    );
    assert_eq!(gateway().get("/nowhere", &expired), "token_expired");
    assert_eq!(gateway().get("/nowhere", &token()), "service_unknown");
    assert_eq!(gateway().get("/bankrupt", &token()), "service_unknown");
    assert_eq!(gateway().get("/BANK/", &token()), "service_unknown");
}

#[test]
fn a_public_service_forwards_what_it_got() {
    let headers = [
        (":path", "/api/token/?access_token=x"),
        (":method", "POST"),
        ("authorization", "Basic abc"),
    ];
    let upstream = gateway().upstream(&headers);
    assert_eq!(value(&upstream, "authorization"), Some("Basic abc"));
    assert_eq!(value(&upstream, ":path"), Some("/api/token/?access_token=x"));
    assert_eq!(value(&upstream, "x-gatehouse-cluster"), Some("token-issuer"));
}

#[test]
fn a_path_that_is_not_plain_widens_nothing() {
    for path in [
        "//admin",
        "/bank//admin",
        "/api/token/../../bank/",
        "/api/token/%2e%2e/bank/",
        "/api/token/..%2fbank/",
        "/api/token%2F..%2F..%2Fbank",
        "/api/token/%5C..%5Cbank",
        "/api/token\\..\\bank",
        "/..;/bank/",
        "/api/token/;x",
        "/api/token/..;/bank/",
        "/api/token/%00",
        "/api/token/%252e%252e/bank",
        "http://gate/bank/",
        "HTTP://GATE:80/api/token/",
        "bank",
        "*",
        "",
        "/api/token/#/bank/",
        "/api/token/?x#y",
        "/api/token/\u{7f}",
        "/./bank/",
        "/bank/.",
        "/%c0%ae%c0%ae/bank/",
    ] {
        assert_eq!(gateway().get(path, &token()), "path_ambiguous", "{path:?}");
        assert_eq!(
            word(&gateway().decide(&[(":path", path), (":method", "GET")])),
            "path_ambiguous",
            "{path:?}"
        );
    }
    assert_eq!(word(&gateway().decide(&[(":method", "CONNECT")])), "path_ambiguous");
}

#[test]
fn rules_see_the_path_as_the_service_will_and_never_the_query() {
    let rules = json!([
        {"match": {"prefix": "/bank/open"}},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "main"}},
    ]);
    let gate = gate_with(json!({}), json!({ "rules": rules }));
    for (path, expected) in [
        ("/bank/open", "forward"),
        ("/bank/open?x", "forward"),
        ("/bank?/bank/open", "token_missing"),
        ("/bank/?x=/bank/open", "token_missing"),
        ("/bank#/bank/open", "token_missing"),
        ("/?/bank/open", "token_missing"),
    ] {
        assert_eq!(word(&gate.decide(&[(":path", path)])), expected, "{path}");
    }
    let guarded = json!([
        {"match": {"prefix": "/bank/reports"}, "requires": {"provider_and_audiences": {"provider_name": "main", "audiences": ["auditors"]}}},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "main"}},
    ]);
    let gate = gate_with(json!({}), json!({"rules": guarded, "services": services()["services"]}));
    assert_eq!(gate.get("/bank/reports/", &token()), "audience_not_allowed");
    assert_eq!(gate.get("/bank/%72eports/", &token()), "audience_not_allowed");
    assert_eq!(gate.get("/bank/", &token()), "forward");
}

#[test]
fn the_gate_answers_for_its_health_itself() {
    for (method, path, expected) in [
        ("GET", "/health/", "answer"),
        ("GET", "/health", "answer"),
        ("HEAD", "/health/?x", "answer"),
        ("POST", "/health/", "token_missing"),
        ("GET", "/health/live", "token_missing"),
        ("GET", "/healthy", "token_missing"),
    ] {
        assert_eq!(
            word(&gateway().decide(&[(":path", path), (":method", method)])),
            expected,
            "{method} {path}"
        );
    }
    let Decision::Answer(answer) = gateway().decide(&[(":path", "/health/"), (":method", "GET")]) else {
        panic!("no answer")
    };
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, &br#"{"status":"ok"}"#[..])
    );
    let no_gateway = gate_with(json!({}), json!({}));
    assert_eq!(
        word(&no_gateway.decide(&[(":path", "/health/"), (":method", "GET")])),
        "token_missing"
    );
}
