//! Tokens that are looked at and need not be good, and what is noted of tokens for access logs.

use serde_json::{Value, json};

use super::{gate_with, provider};
use crate::gate::Decision;
use crate::testing::{Gate, ISSUER, claims, jwks, sign, sign_with_header, test, token, word};

const MARK: &str = "x-jwt-signature-verified";
const OTHER: &str = "https://other.test";

/// Two providers whose tokens set a header each.
fn two(requires: &Value) -> Gate {
    let mapped = |issuer: &str, seed: u8, header: &str, place: Value| {
        provider(json!({
            "issuer": issuer,
            "local_jwks": {"inline_string": jwks(&[("one", seed)])},
            "claim_to_headers": [{"header_name": header, "claim_name": "sub"}],
            "from_headers": [{"name": place}],
        }))
    };
    Gate::new(
        &json!({
            "providers": {
                "main": mapped(ISSUER, 1, "x-main", json!("x-token")),
                "other": mapped(OTHER, 2, "x-other", json!("x-more")),
            },
            "rules": [{"match": {"prefix": "/"}, "requires": requires}],
        })
        .to_string(),
    )
}

fn others(seed: u8) -> String {
    let header = json!({"alg": "ES256", "kid": "one"});
    sign_with_header(&header, &claims(json!({"iss": OTHER, "sub": "bob"})), seed)
}

fn upstream(gate: &Gate, headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut found = gate.upstream(headers);
    found.retain(|(name, _)| name.starts_with("x-") && !matches!(name.as_str(), "x-token" | "x-more"));
    found
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    headers.iter().map(pair).collect()
}

#[test]
fn whoever_comes_is_let_in_and_only_verified_claims_become_headers() {
    let gate = two(&json!({"extract_only_without_validation": {}}));
    let (good, forged) = (
        token(),
        sign_with_header(&json!({"alg": "ES256"}), &claims(json!({})), 9),
    );
    let expired = sign(&claims(json!({"exp": 1})));
    for (headers, expected) in [
        (&[("x-token", good.as_str())][..], &[("x-main", "alice")][..]),
        (&[], &[]),
        (&[("x-token", &forged)], &[(MARK, "false")]),
        (&[("x-token", &expired)], &[(MARK, "false")]),
        (&[("x-token", "nonsense")], &[(MARK, "false")]),
        (&[("x-token", &others(2))], &[(MARK, "false")]),
        (&[("x-token", &good), ("x-token", &good)], &[(MARK, "false")]),
        (
            &[("x-token", &good), ("x-more", &others(2))],
            &[("x-main", "alice"), ("x-other", "bob")],
        ),
        // Of two, the one that is found first is told of: `x-more` comes before `x-token`.
        (
            &[("x-token", &good), ("x-more", &others(1))],
            &[(MARK, "false"), ("x-main", "alice")],
        ),
        (&[("x-token", &forged), ("x-more", &others(2))], &[("x-other", "bob")]),
    ] {
        assert_eq!(upstream(&gate, headers), pairs(expected), "{headers:?}");
    }
}

#[test]
fn a_token_that_failed_stays_where_it_was_and_one_that_passed_goes() {
    let gate = two(&json!({"extract_only_without_validation": {}}));
    for (token, stays) in [(token(), false), (others(1), true), ("nonsense".to_owned(), true)] {
        let found = gate.upstream(&[("x-token", &token)]);
        assert_eq!(found.iter().any(|(name, _)| name == "x-token"), stays, "{token}");
    }
}

#[test]
fn no_client_says_that_its_token_was_verified() {
    for (requirement, mark) in [
        (json!({}), MARK),
        (json!({"verification_status_header": "X-Status"}), "x-status"),
    ] {
        let gate = two(&json!({ "extract_only_without_validation": requirement }));
        let spelled = mark.replace('-', "_");
        for token in [token(), String::new()] {
            let found = gate.upstream(&[("x-token", &token), (mark, "true"), (&spelled, "true")]);
            assert!(!found.contains(&(mark.to_owned(), "true".to_owned())), "{found:?}");
            assert!(!found.iter().any(|(name, _)| *name == spelled), "{found:?}");
        }
    }
    let unmarked = two(&json!({"extract_only_without_validation": {"verification_status_header": "-"}}));
    assert_eq!(upstream(&unmarked, &[("x-token", "nonsense")]), pairs(&[]));
}

#[test]
fn beside_others_it_asks_for_itself() {
    let any =
        json!({"requires_any": {"requirements": [{"provider_name": "main"}, {"extract_only_without_validation": {}}]}});
    let all =
        json!({"requires_all": {"requirements": [{"provider_name": "main"}, {"extract_only_without_validation": {}}]}});
    let (any, all) = (two(&any), two(&all));
    assert_eq!(upstream(&any, &[("x-token", &token())]), pairs(&[("x-main", "alice")]));
    assert_eq!(upstream(&any, &[("x-more", &others(2))]), pairs(&[("x-other", "bob")]));
    assert_eq!(upstream(&any, &[("x-token", "nonsense")]), pairs(&[(MARK, "false")]));
    // As behind an allowance: the question begins by taking out what providers set.
    assert_eq!(upstream(&all, &[("x-token", &token())]), pairs(&[]));
    assert_eq!(word(&all.decide(&[("x-token", "nonsense")])), "token_malformed");
}

#[test]
fn a_protected_service_still_asks_for_a_caller() {
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"extract_only_without_validation": {}}}]);
    let services = json!({"bank": {"prefix": "/bank/", "cluster": "bank"}});
    let gate = gate_with(json!({}), json!({"rules": rules, "services": services}));
    let forged = sign_with_header(&json!({"alg": "ES256", "kid": "one"}), &claims(json!({})), 9);
    assert_eq!(gate.get("/bank/", &forged), "signature_invalid");
    assert_eq!(gate.get("/bank/", "nonsense"), "token_malformed");
    assert_eq!(word(&gate.decide(&[(":path", "/bank/")])), "token_missing");
    assert!(gate.tokens.borrow().is_empty(), "what failed is not remembered");
    assert_eq!(gate.get("/bank/", &token()), "forward");
}

fn noted(gate: &Gate, headers: &[(&str, &str)]) -> Vec<(String, Value)> {
    let metadata = match gate.decide(headers) {
        Decision::Forward(forward) => forward.metadata,
        Decision::Refuse(refusal) => refusal.metadata,
        other => panic!("{other:?}"),
    };
    let value = |text: &str| serde_json::from_str(text).unwrap();
    metadata
        .into_iter()
        .map(|entry| (entry.key, value(&entry.value)))
        .collect()
}

#[test]
fn tokens_are_noted_as_the_native_filter_notes_them() {
    let keys = json!({"payload_in_metadata": "p", "header_in_metadata": "h", "failed_status_in_metadata": "f"});
    let gate = gate_with(keys, json!({}));
    let bearer = |token: &str| format!("Bearer {token}");
    let header = json!({"alg": "ES256", "kid": "one", "typ": "at+jwt"});
    let passed = [("h".to_owned(), header), ("p".to_owned(), claims(json!({})))];
    // The second time the token is remembered.
    for _ in 0..2 {
        assert_eq!(noted(&gate, &[("authorization", &bearer(&token()))]), passed);
    }
    for (headers, code) in [
        (&[][..], "token_missing"),
        (&[("authorization", "Bearer x")], "token_malformed"),
        (
            &[("authorization", &bearer(&sign(&claims(json!({"exp": 1})))))],
            "token_expired",
        ),
        (
            &[("authorization", &bearer(&sign(&claims(json!({"iss": "x"})))))],
            "issuer_unknown",
        ),
        (
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
            "token_repeated",
        ),
    ] {
        let [(key, value)] = &noted(&gate, headers)[..] else {
            panic!("{headers:?}")
        };
        assert_eq!((key.as_str(), &value["code"]), ("f", &json!(code)), "{headers:?}");
        assert_eq!(word(&gate.decide(headers)), code);
    }
}

#[test]
fn of_several_providers_each_notes_its_own() {
    let mut config = json!({
        "providers": {
            "main": provider(json!({"payload_in_metadata": "one", "failed_status_in_metadata": "one-failed"})),
            "other": provider(json!({
                "issuer": OTHER,
                "local_jwks": {"inline_string": jwks(&[("one", 2)])},
                "payload_in_metadata": "two",
                "failed_status_in_metadata": "two-failed",
            })),
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [
            {"provider_name": "main"}, {"provider_name": "other"},
        ]}}}],
    });
    let keys = |gate: &Gate, token: &str| {
        let noted = noted(gate, &[("authorization", &format!("Bearer {token}"))]);
        noted.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    let gate = Gate::new(&config.to_string());
    assert_eq!(keys(&gate, &token()), ["one"]);
    assert_eq!(keys(&gate, "nonsense"), ["one-failed", "two-failed"]);
    assert_eq!(keys(&gate, &others(2)), ["one-failed", "two"]);
    assert_eq!(keys(&gate, &others(1)), ["one-failed", "two-failed"]);
    assert!(
        noted(&gate, &[]).is_empty(),
        "nobody's token is missing more than another's"
    );

    config["rules"][0]["requires"] = json!({"allow_missing_or_failed": {}});
    let gate = Gate::new(&config.to_string());
    assert_eq!(keys(&gate, &others(2)), ["two"]);
    assert_eq!(keys(&gate, &others(1)), ["two-failed"]);
    assert!(keys(&gate, "nonsense").is_empty());
}

#[test]
fn nothing_is_noted_without_a_key() {
    let gate = gate_with(json!({}), json!({}));
    assert!(noted(&gate, &[]).is_empty());
    assert!(noted(&gate, &[("authorization", &format!("Bearer {}", token()))]).is_empty());
}
