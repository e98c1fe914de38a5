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
fn what_an_allowance_has_forgiven_is_not_accepted_by_what_follows_in_the_rule() {
    let main = |more: Value| {
        let mut main = json!({"from_headers": [{"name": "x-token"}]});
        super::merge(&mut main, more);
        provider(main)
    };
    // Its places are those of the other and one more.
    let other = json!({"issuer": OTHER, "from_headers": [{"name": "x-token"}], "from_cookies": ["session"]});
    let all = |second: Value| {
        json!([{"match": {"prefix": "/"},
                "requires": {"requires_all": {"requirements": [{"allow_missing_or_failed": {}}, second]}}}])
    };
    let gate = |forward: bool, second: Value| {
        let providers = json!({"main": main(json!({"forward": forward})), "other": provider(other.clone())});
        Gate::new(&json!({"providers": providers, "rules": all(second)}).to_string())
    };
    let named = || json!({"provider_name": "main"});
    let for_audience = || json!({"provider_and_audiences": {"provider_name": "main", "audiences": ["https://a"]}});
    let similar = sign(&claims(json!({"aud": ["https://a"]})));
    for (forward, second, good, cookie, expected) in [
        (true, named(), &token(), "a=b", "forward"),
        // Accepted, and taken out.
        (false, named(), &token(), "a=b", "token_missing"),
        // Refused as one of two; the native filter accepts it and takes it out.
        (false, named(), &token(), "session=x.y.z", "token_repeated"),
        // Refused for its audience, which may have been similar enough for the native filter.
        (false, for_audience(), &similar, "a=b", "audience_not_allowed"),
        (true, for_audience(), &similar, "a=b", "audience_not_allowed"),
    ] {
        let request = [(":path", "/"), ("x-token", good.as_str()), ("cookie", cookie)];
        assert_eq!(
            word(&gate(forward, second.clone()).decide(&request)),
            expected,
            "{second} {cookie}"
        );
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
fn rules_may_ask_for_headers_and_parameters() {
    let rules = json!([
        {"match": {"prefix": "/a", "headers": [{"name": ":method", "string_match": {"exact": "GET"}}],
                   "query_parameters": [{"name": "open", "string_match": {"exact": "1"}}]}},
        {"match": {"safe_regex": {"regex": "/b/[0-9]+"}}},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "main"}},
    ]);
    let gate = Gate::new(&json!({"providers": {"main": provider(json!({}))}, "rules": rules}).to_string());
    for (method, path, expected) in [
        ("GET", "/a?open=1", "forward"),
        ("GET", "/a?open=2", "token_missing"),
        ("GET", "/a?x=1&open=1#", "forward"),
        ("GET", "/a", "token_missing"),
        ("PUT", "/a?open=1", "token_missing"),
        ("GET", "/b/12?x", "forward"),
        ("GET", "/b/12/x", "token_missing"),
        ("GET", "/x/b/12", "token_missing"),
    ] {
        let decision = gate.decide(&[(":method", method), (":path", path)]);
        assert_eq!(word(&decision), expected, "{method} {path}");
    }
}

#[test]
fn an_empty_exact_match_of_the_older_kind_means_any_value() {
    for (condition, value, expected) in [
        (json!({"exact_match": ""}), "x", "token_missing"),
        (json!({"exact_match": ""}), "", "token_missing"),
        (json!({"exact_match": "", "invert_match": true}), "x", "forward"),
        (json!({"string_match": {"exact": ""}}), "x", "forward"),
        (json!({"string_match": {"exact": ""}}), "", "token_missing"),
    ] {
        let mut header = condition.clone();
        super::merge(&mut header, json!({"name": "x-a"}));
        let rule = json!({"match": {"prefix": "/", "headers": [header]}, "requires": {"provider_name": "main"}});
        let gate = Gate::new(&json!({"providers": {"main": provider(json!({}))}, "rules": [rule]}).to_string());
        assert_eq!(
            word(&gate.decide(&[(":path", "/"), ("x-a", value)])),
            expected,
            "{condition} {value:?}"
        );
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
