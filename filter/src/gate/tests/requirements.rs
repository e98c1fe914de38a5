//! Several providers: whose token it is, and that no issuer's key vouches for another's token.

use serde_json::{Value, json};

use super::provider;
use crate::testing::{Gate, claims, jwks, sign, sign_with_header, test, token, word};

const OTHER: &str = "https://other.test";

/// Two issuers with a key of the same id each.
fn gate(requires: Value) -> Gate {
    let other = provider(json!({"issuer": OTHER, "local_jwks": {"inline_string": jwks(&[("one", 2)])}}));
    let named =
        json!({"either": {"requires_any": {"requirements": [{"provider_name": "main"}, {"provider_name": "other"}]}}});
    let mut rule = json!({"match": {"prefix": "/"}});
    super::merge(&mut rule, requires);
    Gate::new(
        &json!({"providers": {"main": provider(json!({})), "other": other}, "requirement_map": named, "rules": [rule]})
            .to_string(),
    )
}

fn of(issuer: &str, seed: u8) -> String {
    sign_with_header(
        &json!({"alg": "ES256", "kid": "one"}),
        &claims(json!({"iss": issuer})),
        seed,
    )
}

#[test]
fn a_key_of_one_issuer_never_vouches_for_another() {
    let either = gate(json!({"requirement_name": "either"}));
    for (token, expected) in [
        (of(crate::testing::ISSUER, 1), "forward"),
        (of(OTHER, 2), "forward"),
        (of(crate::testing::ISSUER, 2), "signature_invalid"),
        (of(OTHER, 1), "signature_invalid"),
        (of("https://third.test", 1), "issuer_unknown"),
        (sign(&claims(json!({"exp": 1}))), "token_expired"),
    ] {
        assert_eq!(either.get("/", &token), expected);
    }
    let main = gate(json!({"requires": {"provider_name": "main"}}));
    assert_eq!(main.get("/", &of(OTHER, 2)), "issuer_unknown");
}

#[test]
fn allowances_allow_what_they_say() {
    let requires = |requirement: Value| gate(json!({ "requires": requirement }));
    let any = |allowance: &str| {
        requires(json!({"requires_any": {"requirements": [{"provider_name": "main"}, {allowance: {}}]}}))
    };
    for (gate, missing, good, bad) in [
        (
            requires(json!({"allow_missing": {}})),
            "forward",
            "forward",
            "token_expired",
        ),
        (
            requires(json!({"allow_missing_or_failed": {}})),
            "forward",
            "forward",
            "forward",
        ),
        (any("allow_missing"), "forward", "forward", "token_expired"),
        (any("allow_missing_or_failed"), "forward", "forward", "forward"),
        (gate(json!({})), "forward", "forward", "forward"),
    ] {
        assert_eq!(word(&gate.decide(&[(":path", "/")])), missing);
        assert_eq!(gate.get("/", &token()), good);
        assert_eq!(gate.get("/", &sign(&claims(json!({"exp": 1})))), bad);
    }
}

#[test]
fn other_audiences_stand_in_for_the_provider_s_own() {
    let gate =
        gate(json!({"requires": {"provider_and_audiences": {"provider_name": "main", "audiences": ["special"]}}}));
    assert_eq!(gate.get("/", &token()), "audience_not_allowed");
    assert_eq!(gate.get("/", &sign(&claims(json!({"aud": "special"})))), "forward");

    let gate = self::gate(json!({"requires": {"provider_and_audiences": {"provider_name": "main"}}}));
    assert_eq!(gate.get("/", &token()), "forward");
    assert_eq!(
        gate.get("/", &sign(&claims(json!({"aud": "special"})))),
        "audience_not_allowed"
    );
}

#[test]
fn rules_may_ask_for_headers_and_parameters_but_not_for_those_that_only_the_gate_sets() {
    let named = provider(json!({"claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}]}));
    let rules = json!([
        {"match": {"prefix": "/", "headers": [{"name": "x-user-id", "present_match": true}]}},
        {"match": {"prefix": "/a", "headers": [{"name": ":method", "string_match": {"exact": "GET"}}],
                   "query_parameters": [{"name": "open", "string_match": {"exact": "1"}}]}},
        {"match": {"safe_regex": {"regex": "/b/[0-9]+"}}},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "main"}},
    ]);
    let gate = Gate::new(&json!({"providers": {"main": named}, "rules": rules}).to_string());
    for (method, path, name, expected) in [
        ("GET", "/a?open=1", "x-other", "forward"),
        ("GET", "/a?open=2", "x-other", "token_missing"),
        ("GET", "/a?x=1&open=1#", "x-other", "forward"),
        ("GET", "/a", "x-other", "token_missing"),
        ("PUT", "/a?open=1", "x-other", "token_missing"),
        ("GET", "/b/12?x", "x-other", "forward"),
        ("GET", "/b/12/x", "x-other", "token_missing"),
        ("GET", "/x/b/12", "x-other", "token_missing"),
        ("GET", "/", "x-user-id", "token_missing"),
        ("GET", "/", "X_User_Id", "token_missing"),
    ] {
        let decision = gate.decide(&[(":method", method), (":path", path), (name, "mallory")]);
        assert_eq!(word(&decision), expected, "{method} {path} {name}");
    }
}

#[test]
fn the_first_rule_that_matches_counts_and_no_match_allows() {
    let config =
        |rules: Value| Gate::new(&json!({"providers": {"main": provider(json!({}))}, "rules": rules}).to_string());
    let gate = config(json!([
        {"match": {"path": "/open"}},
        {"match": {"path_separated_prefix": "/api"}, "requires": {"provider_name": "main"}},
        {"match": {"prefix": "/API", "case_sensitive": false}},
        {"match": {"prefix": "/x"}, "requires": {"provider_name": "main"}},
    ]));
    for (prefix, expected) in [("", "token_missing"), ("x", "forward"), ("/", "token_missing")] {
        let rule = json!([{"match": {"prefix": prefix}, "requires": {"provider_name": "main"}}]);
        assert_eq!(word(&config(rule).decide(&[(":path", "/x")])), expected, "{prefix:?}");
    }
    for (path, expected) in [
        ("/open", "forward"),
        ("/api", "token_missing"),
        ("/api/x", "token_missing"),
        ("/apix", "forward"),
        ("/Api/x", "forward"),
        ("/xyz", "token_missing"),
        ("/other", "forward"),
    ] {
        assert_eq!(word(&gate.decide(&[(":path", path)])), expected, "{path}");
    }
}
