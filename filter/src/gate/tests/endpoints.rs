//! The gate's own endpoints: who reaches them, and how little of what stands behind them.

use serde_json::json;

use super::gate_with;
use crate::gate::Decision;
use crate::request::Body;
use crate::status::Form;
use crate::testing::{Gate, claims, request, sign, test, word};

fn gateway() -> Gate {
    gate_with(
        json!({}),
        json!({
            "bypass_cors_preflight": true,
            "services": {"web": {"prefix": "/", "cluster": "web"}},
            "endpoints": {"metrics": {"cluster": "admin"}, "status": {}},
            "limits": {"callers": {"per": "subject", "requests": 5, "every": "60s"}},
        }),
    )
}

fn bearer(scope: &str) -> String {
    format!("Bearer {}", sign(&claims(json!({ "scope": scope }))))
}

/// Where a request by a caller with the scope goes: its cluster and its target, or why it goes nowhere.
fn destination(gate: &Gate, method: &str, target: &str) -> String {
    let bearer = bearer("ops.read");
    let headers = [(":method", method), (":path", target), ("authorization", &bearer)];
    let decision = gate.decide(&headers);
    if word(&decision) != "forward" {
        return word(&decision).to_owned();
    }
    let upstream = gate.upstream(&headers);
    let value = |name: &str| {
        let mut values = upstream.iter().filter(|(known, _)| known == name);
        values.next().map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    format!("{} {}", value("x-gatehouse-cluster"), value(":path"))
}

#[test]
fn of_the_admin_interface_one_resource_is_reached_however_it_is_asked_for() {
    let gate = gateway();
    for (method, target, expected) in [
        ("GET", "/metrics/", "admin /stats/prometheus"),
        ("GET", "/metrics", "admin /stats/prometheus"),
        ("HEAD", "/metrics/", "admin /stats/prometheus"),
        ("GET", "/m%65trics/", "admin /stats/prometheus"),
        // No part of the query, whose letters could say anything to the admin interface.
        ("GET", "/metrics/?", "admin /stats/prometheus"),
        ("GET", "/metrics/?usedonly&filter=.*", "admin /stats/prometheus"),
        ("GET", "/metrics/?/quitquitquit", "admin /stats/prometheus"),
        ("GET", "/metrics/?x=../quitquitquit", "admin /stats/prometheus"),
        (
            "GET",
            "/metrics/?x=%0d%0aPOST%20/quitquitquit",
            "admin /stats/prometheus",
        ),
        // What is longer is another path, and another service's.
        ("GET", "/metrics/quitquitquit", "web /metrics/quitquitquit"),
        ("GET", "/metrics/config_dump", "web /metrics/config_dump"),
        ("GET", "/metricsx", "web /metricsx"),
        ("GET", "/METRICS/", "web /METRICS/"),
        ("GET", "/services/status/x", "web /services/status/x"),
        ("GET", "/services/", "web /services/"),
        ("GET", "/services/status/", "status"),
        ("HEAD", "/services/status", "status"),
        ("GET", "/services/status/?x=y", "status"),
        ("POST", "/services/status/", "method_not_allowed"),
        ("GET", "/stats/prometheus", "web /stats/prometheus"),
        ("POST", "/quitquitquit", "web /quitquitquit"),
        // What could be understood as another path is nobody's.
        ("GET", "/metrics/../quitquitquit", "path_ambiguous"),
        ("GET", "/metrics/..", "path_ambiguous"),
        ("GET", "/metrics/./", "path_ambiguous"),
        ("GET", "/metrics//", "path_ambiguous"),
        ("GET", "//metrics/", "path_ambiguous"),
        ("GET", "/metrics/%2e%2e/quitquitquit", "path_ambiguous"),
        ("GET", "/metrics%2f..%2fquitquitquit", "path_ambiguous"),
        ("GET", "/metrics/..%2fquitquitquit", "path_ambiguous"),
        ("GET", "/metrics/%252e%252e/quitquitquit", "path_ambiguous"),
        ("GET", "/metrics/..;/quitquitquit", "path_ambiguous"),
        ("GET", "/metrics/;x", "path_ambiguous"),
        ("GET", "/metrics/\\..\\quitquitquit", "path_ambiguous"),
        ("GET", "/metrics/#/quitquitquit", "path_ambiguous"),
        ("GET", "/metrics/%00", "path_ambiguous"),
        ("GET", "http://admin/metrics/", "path_ambiguous"),
        // Nothing but reading.
        ("POST", "/metrics/", "method_not_allowed"),
        ("PUT", "/metrics/", "method_not_allowed"),
        ("DELETE", "/metrics/", "method_not_allowed"),
        ("PATCH", "/metrics/", "method_not_allowed"),
        ("OPTIONS", "/metrics/", "method_not_allowed"),
        ("TRACE", "/metrics/", "method_not_allowed"),
        ("CONNECT", "/metrics/", "method_not_allowed"),
        ("get", "/metrics/", "method_not_allowed"),
        ("", "/metrics/", "method_not_allowed"),
    ] {
        assert_eq!(destination(&gate, method, target), expected, "{method} {target}");
    }
}

#[test]
fn nothing_follows_a_request_to_an_endpoint() {
    let bearer = bearer("ops.read");
    for (name, value, body, expected) in [
        ("content-length", "0", Body::None, "forward"),
        ("content-length", "1", Body::Follows, "body_too_large"),
        ("transfer-encoding", "chunked", Body::Follows, "length_required"),
        // What an upgrade brings would be another conversation with the admin interface.
        ("upgrade", "websocket", Body::Follows, "length_required"),
    ] {
        let headers = [
            (":method", "GET"),
            (":path", "/metrics/"),
            ("authorization", bearer.as_str()),
            (name, value),
        ];
        let decision = gateway().decide_about(&request(&headers).with_body(body));
        assert_eq!(word(&decision), expected, "{name} {value}");
    }
}

#[test]
fn an_endpoint_is_for_those_whose_token_allows_it() {
    for (scope, expected) in [
        ("ops.read", "forward"),
        ("bank.read ops.read", "forward"),
        ("bank.read", "insufficient_scope"),
        ("ops.readonly", "insufficient_scope"),
        ("", "insufficient_scope"),
    ] {
        let token = sign(&claims(json!({ "scope": scope })));
        assert_eq!(gateway().get("/metrics/", &token), expected, "{scope}");
        let expected = expected.replace("forward", "status");
        assert_eq!(gateway().get("/services/status/", &token), expected, "{scope}");
    }
    for path in ["/metrics/", "/services/status/"] {
        let get = [(":method", "GET"), (":path", path)];
        assert_eq!(word(&gateway().decide(&get)), "token_missing", "{path}");
    }
}

#[test]
fn an_endpoint_takes_no_preflight() {
    for (path, expected) in [
        ("/bank/", "forward"),
        ("/metrics/", "token_missing"),
        ("/services/status/", "token_missing"),
    ] {
        let preflight = [
            (":method", "OPTIONS"),
            (":path", path),
            ("origin", "https://app.example"),
            ("access-control-request-method", "GET"),
        ];
        assert_eq!(word(&gateway().decide(&preflight)), expected, "{path}");
    }
}

#[test]
fn rules_that_ask_for_nothing_do_not_open_an_endpoint() {
    for requires in [
        json!(null),
        json!({"allow_missing": {}}),
        json!({"allow_missing_or_failed": {}}),
    ] {
        let mut rule = json!({"match": {"prefix": "/"}});
        if !requires.is_null() {
            rule["requires"] = requires.clone();
        }
        let gate = gate_with(
            json!({}),
            json!({
                "rules": [rule],
                "services": {"web": {"prefix": "/", "cluster": "web", "public": true}},
                "endpoints": {"metrics": {"cluster": "admin"}, "status": {}},
            }),
        );
        for path in ["/metrics/", "/services/status/"] {
            let get = [(":method", "GET"), (":path", path)];
            assert_eq!(word(&gate.decide(&get)), "token_missing", "{requires} {path}");
        }
    }
}

#[test]
fn whoever_sees_the_status_is_known_and_charged() {
    let bearer = bearer("ops.read");
    let decision = gateway().decide(&[
        (":method", "GET"),
        (":path", "/services/status/"),
        ("accept", "text/html"),
        ("authorization", &bearer),
    ]);
    let Decision::Status(view) = decision else {
        panic!("{decision:?}")
    };
    assert_eq!(view.form, Form::Page);
    assert!(view.caller.is_some());
    assert_eq!(view.charges.len(), 1);
}
