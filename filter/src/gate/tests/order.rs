//! The order in which requirements ask, and what one question leaves for the next: the native filter's, so that nothing is
//! let in which it would refuse.

use serde_json::{Value, json};

use super::provider;
use crate::testing::{Gate, claims, jwks, sign_with_header, test, word};

const A: &str = "https://a.test";
const B: &str = "https://b.test";

/// Providers `a` and `b` with an issuer and a key each, and `open`, which takes any issuer's, each with `x-<name>` for the
/// subject; and what is required.
fn gate(changes: [Value; 3], requires: &Value) -> Gate {
    let [a, b, open] = changes;
    let of = |name: &str, issuer: Value, seed: u8, changes: Value| {
        let mut provider = provider(json!({
            "issuer": issuer,
            "local_jwks": {"inline_string": jwks(&[("one", seed)])},
            "claim_to_headers": [{"header_name": format!("x-{name}"), "claim_name": "sub"}],
        }));
        super::merge(&mut provider, changes);
        provider
    };
    let mut providers = json!({"a": of("a", json!(A), 1, a), "b": of("b", json!(B), 2, b)});
    if !open.is_null() {
        providers["open"] = of("open", Value::Null, 3, open);
    }
    let rules = json!([{"match": {"prefix": "/"}, "requires": requires}]);
    Gate::new(&json!({"providers": providers, "rules": rules}).to_string())
}

fn two(requires: &Value) -> Gate {
    gate([json!({}), json!({}), Value::Null], requires)
}

fn token(issuer: &str, seed: u8, changes: Value) -> String {
    let mut claims = claims(changes);
    claims["iss"] = json!(issuer);
    sign_with_header(&json!({"alg": "ES256", "kid": "one"}), &claims, seed)
}

fn all(list: &[Value]) -> Value {
    json!({"requires_all": {"requirements": list}})
}

fn any(list: &[Value]) -> Value {
    json!({"requires_any": {"requirements": list}})
}

fn of(name: &str) -> Value {
    json!({"provider_name": name})
}

fn missing() -> Value {
    json!({"allow_missing": {}})
}

fn missing_or_failed() -> Value {
    json!({"allow_missing_or_failed": {}})
}

/// The names of the mapped headers that the upstream gets, and of the places that still hold something.
fn upstream(gate: &Gate, headers: &[(&str, &str)]) -> String {
    let names = ["authorization", "x-a", "x-b", "x-open", "x-token-a", "x-token-b"];
    let upstream = gate.upstream(headers);
    let there = names
        .iter()
        .filter(|name| upstream.iter().any(|(known, _)| known == *name));
    there.copied().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_token_that_passed_is_not_there_for_the_next_requirement() {
    let bearer = format!("Bearer {}", token(A, 1, json!({})));
    let headers = [(":path", "/"), ("authorization", bearer.as_str())];
    let no_issuer = json!({"issuer": null, "local_jwks": {"inline_string": jwks(&[("one", 1)])}});
    let forwarding = json!({"issuer": null, "local_jwks": {"inline_string": jwks(&[("one", 1)])}, "forward": true});
    for (b, requires, expected) in [
        (&no_issuer, all(&[of("a"), of("b")]), "token_missing"),
        (&no_issuer, all(&[of("b"), of("a")]), "token_missing"),
        (&forwarding, all(&[of("b"), of("a")]), "forward"),
        (&no_issuer, all(&[missing(), of("a")]), "token_missing"),
        (&no_issuer, all(&[missing_or_failed(), of("a")]), "token_missing"),
        (&no_issuer, all(&[of("a"), missing()]), "forward"),
        (&no_issuer, any(&[all(&[of("a"), of("b")]), of("b")]), "token_missing"),
        (&no_issuer, any(&[all(&[of("a"), of("b")]), missing()]), "forward"),
    ] {
        let gate = gate([json!({}), b.clone(), Value::Null], &requires);
        assert_eq!(word(&gate.decide(&headers)), expected, "{requires} {b}");
    }
}

#[test]
fn the_issuer_s_provider_alone_judges_where_anybody_s_token_is_asked_for() {
    let own_place = json!({"from_headers": [{"name": "x-token-open"}]});
    for (open, requires, header, token, expected) in [
        (json!({}), missing(), "authorization", token(A, 1, json!({})), "forward"),
        // Of a's issuer, by a key of another provider that would take it.
        (
            json!({}),
            missing(),
            "authorization",
            token(A, 3, json!({})),
            "signature_invalid",
        ),
        (
            own_place.clone(),
            missing(),
            "x-token-open",
            token(A, 3, json!({})),
            "signature_invalid",
        ),
        (
            json!({}),
            missing(),
            "authorization",
            token("https://c.test", 3, json!({})),
            "forward",
        ),
        (
            json!({}),
            missing(),
            "authorization",
            token("https://c.test", 1, json!({})),
            "signature_invalid",
        ),
        (
            Value::Null,
            missing(),
            "authorization",
            token("https://c.test", 3, json!({})),
            "issuer_unknown",
        ),
        (
            json!({"audiences": ["x"]}),
            missing(),
            "authorization",
            token("https://c.test", 3, json!({})),
            "audience_not_allowed",
        ),
        // Asked one by one, each provider is asked about its own.
        (
            json!({}),
            any(&[of("a"), of("open")]),
            "authorization",
            token(A, 3, json!({})),
            "forward",
        ),
    ] {
        let gate = gate([json!({}), json!({}), open.clone()], &requires);
        let value = if header == "authorization" {
            format!("Bearer {token}")
        } else {
            token
        };
        assert_eq!(
            word(&gate.decide(&[(":path", "/"), (header, &value)])),
            expected,
            "{requires} {open}"
        );
    }
}

#[test]
fn a_place_is_for_the_issuers_of_the_providers_that_name_it() {
    let a = json!({"from_headers": [{"name": "x-token-a"}]});
    let b = json!({"from_headers": [{"name": "x-token-b"}]});
    let gate = gate([a, b, Value::Null], &missing());
    let (good_a, good_b) = (token(A, 1, json!({})), token(B, 2, json!({})));
    let bad_b = token(B, 1, json!({}));
    for (headers, expected) in [
        (&[("x-token-a", good_a.as_str())][..], "forward"),
        (&[("x-token-b", good_a.as_str())], "issuer_unknown"),
        (
            &[("x-token-a", good_a.as_str()), ("x-token-b", good_b.as_str())],
            "forward",
        ),
        // The token that is found first is judged last and has the last word.
        (
            &[("x-token-a", good_a.as_str()), ("x-token-b", bad_b.as_str())],
            "forward",
        ),
        (
            &[("x-token-a", bad_b.as_str()), ("x-token-b", good_b.as_str())],
            "issuer_unknown",
        ),
        (
            &[("x-token-a", good_a.as_str()), ("x-token-a", good_a.as_str())],
            "token_repeated",
        ),
    ] {
        assert_eq!(word(&gate.decide(headers)), expected, "{headers:.30?}");
    }
    assert_eq!(
        upstream(&gate, &[("x-token-a", &good_a), ("x-token-b", &good_b)]),
        "x-a x-b"
    );
    assert_eq!(
        upstream(&gate, &[("x-token-a", &good_a), ("x-token-b", &bad_b)]),
        "x-a x-token-b"
    );
}

#[test]
fn what_is_no_token_is_a_failed_one_and_no_allowance_takes_it_for_a_missing_one() {
    let bad = format!("Bearer {}", token(A, 1, json!({"exp": 1})));
    let behind = format!("Basic x, {bad}");
    let within = format!("x{bad}");
    for requires in [
        missing(),
        any(&[of("a"), missing()]),
        any(&[missing(), missing()]),
        all(&[missing(), missing()]),
    ] {
        let gate = gate([json!({}), json!({}), Value::Null], &requires);
        for headers in [
            &[(":path", "/"), ("authorization", bad.as_str())][..],
            &[(":path", "/"), ("authorization", behind.as_str())],
            &[(":path", "/"), ("authorization", within.as_str())],
            &[(":path", "/"), ("authorization", "Bearer ")],
            &[(":path", "/?access_token=")],
            &[(":path", "/?access_token")],
        ] {
            assert_ne!(word(&gate.decide(headers)), "forward", "{requires} {headers:?}");
        }
        assert_eq!(
            word(&gate.decide(&[(":path", "/"), ("authorization", "Basic x")])),
            "forward"
        );
        assert_eq!(word(&gate.decide(&[(":path", "/")])), "forward");
    }
    for (place, headers) in [
        (json!({"from_headers": [{"name": "x-token-a"}]}), [("x-token-a", "")]),
        (
            json!({"from_headers": [{"name": "x-token-a", "value_prefix": "Tok"}]}),
            [("x-token-a", "Tok;")],
        ),
        (
            json!({"from_headers": [{"name": "x-token-a", "value_prefix": "Tok"}]}),
            [("x-token-a", "a Tok")],
        ),
        (
            json!({"from_headers": [{"name": "authorization", "value_prefix": "Bearer"}]}),
            [("authorization", "BearereyJ")],
        ),
        (json!({"from_cookies": ["session"]}), [("cookie", "session=")]),
        (json!({"from_params": ["jwt"]}), [(":path", "/?jwt=")]),
    ] {
        let gate = gate([place.clone(), json!({}), Value::Null], &missing());
        assert_eq!(word(&gate.decide(&headers)), "token_malformed", "{place} {headers:?}");
    }
}

#[test]
fn each_requirement_begins_by_taking_out_the_headers_that_it_sets() {
    let bearer = format!("Bearer {}", token(A, 1, json!({})));
    let headers = [(":path", "/"), ("authorization", bearer.as_str())];
    for (requires, expected) in [
        (of("a"), "x-a"),
        (missing(), "x-a"),
        (missing_or_failed(), "x-a"),
        (any(&[of("b"), of("a")]), "x-a"),
        (any(&[missing(), missing_or_failed()]), "x-a"),
        (all(&[of("a"), missing()]), ""),
        (all(&[of("a"), missing_or_failed()]), ""),
        (any(&[all(&[of("a"), of("b")]), missing()]), "x-a"),
    ] {
        assert_eq!(upstream(&two(&requires), &headers), expected, "{requires}");
    }
}

#[test]
fn no_allowance_forgives_a_good_token_whose_claims_no_header_can_carry() {
    let bearer = format!("Bearer {}", token(A, 1, json!({"sub": "a\r\nb"})));
    let headers = [(":path", "/"), ("authorization", bearer.as_str())];
    for (requires, expected) in [
        (of("a"), "claim_unusable"),
        (missing_or_failed(), "claim_unusable"),
        (any(&[of("a"), missing_or_failed()]), "claim_unusable"),
        (any(&[of("b"), missing_or_failed()]), "forward"),
        (all(&[of("a"), missing_or_failed()]), "forward"),
    ] {
        assert_eq!(word(&two(&requires).decide(&headers)), expected, "{requires}");
    }
}

#[test]
fn the_last_telling_refusal_is_told() {
    let expired = format!("Bearer {}", token(A, 1, json!({"exp": 1})));
    let other = format!("Bearer {}", token(A, 1, json!({"aud": "other"})));
    let take_all = json!({"issuer": null, "audiences": null});
    let deaf = json!({"issuer": null, "audiences": ["deaf"]});
    for (b, requires, bearer, expected) in [
        (&take_all, any(&[of("a"), of("b")]), &other, "signature_invalid"),
        (&take_all, any(&[of("b"), of("a")]), &other, "audience_not_allowed"),
        (&deaf, any(&[of("a"), of("b")]), &expired, "token_expired"),
        (&json!({}), any(&[of("a"), of("b")]), &other, "audience_not_allowed"),
    ] {
        let gate = gate([json!({}), b.clone(), Value::Null], &requires);
        let headers = [(":path", "/"), ("authorization", bearer.as_str())];
        assert_eq!(word(&gate.decide(&headers)), expected, "{requires} {b}");
    }
}
