//! Tokens that ours alone refuses, in rules that ask more than once: the native filter would have taken them out, so
//! nothing that it asks later finds them, and nothing of ours accepts them.

use serde_json::{Value, json};

use super::provider;
use crate::testing::{Gate, ISSUER, claims, jwks, sign, sign_with_header, test, token, word};

/// Providers `strict`, `other`, which finds nothing, and `lenient`, each of the same issuer and with the same place.
fn gate(strict: Value, lenient: Value, requires: &Value, sections: Value) -> Gate {
    let other = json!({"issuer": "https://other.test", "from_headers": [{"name": "x-other"}]});
    let mut config = json!({
        "providers": {"strict": provider(strict), "other": provider(other), "lenient": provider(lenient)},
        "rules": [{"match": {"prefix": "/"}, "requires": requires}],
    });
    super::merge(&mut config, sections);
    Gate::new(&config.to_string())
}

fn all(list: &[Value]) -> Value {
    json!({"requires_all": {"requirements": list}})
}

fn any(list: &[Value]) -> Value {
    json!({"requires_any": {"requirements": list}})
}

fn of(name: &str) -> Value {
    json!({ "provider_name": name })
}

/// The key of the tokens, changed, and another.
fn listed(changes: Value) -> Value {
    let mut set: Value = serde_json::from_str(&jwks(&[("one", 1), ("two", 2)])).unwrap();
    super::merge(&mut set["keys"][0], changes);
    json!({"inline_string": set.to_string()})
}

#[test]
fn what_ours_alone_refuses_is_spent_for_what_is_asked_behind_it() {
    let nested = any(&[all(&[of("strict"), of("other")]), of("lenient")]);
    let (api, typed) = (
        sign(&claims(json!({"aud": "http://api.test/"}))),
        sign_with_header(
            &json!({"alg": "ES256", "kid": "one", "typ": "JWT"}),
            &claims(json!({})),
            1,
        ),
    );
    let to = |audience: &str| json!({"audiences": [audience]});
    let only_access_tokens = json!({"token_profiles": {"strict": {"typ": ["at+jwt"]}}});
    for (strict, lenient, sections, token, expected) in [
        // Similar to the native filter.
        (
            to("https://api.test"),
            json!({}),
            json!({}),
            &api,
            "audience_not_allowed",
        ),
        (to("api.test"), json!({}), json!({}), &api, "audience_not_allowed"),
        // It does not know the kinds of tokens,
        (
            json!({}),
            json!({}),
            only_access_tokens.clone(),
            &typed,
            "token_type_not_allowed",
        ),
        // nor what keys are for.
        (
            json!({"local_jwks": listed(json!({"use": "enc"}))}),
            json!({}),
            json!({}),
            &token(),
            "key_unknown",
        ),
        (
            json!({"local_jwks": listed(json!({"kid": null, "key_ops": ["sign"]}))}),
            json!({}),
            json!({}),
            &token(),
            "key_unknown",
        ),
    ] {
        let mut lenient = lenient;
        super::merge(&mut lenient, json!({"audiences": []}));
        let gate = gate(strict.clone(), lenient, &nested, sections);
        assert_eq!(gate.get("/", token), expected, "{strict}");
    }
}

#[test]
fn what_the_native_filter_refuses_too_or_leaves_in_its_place_is_good_for_what_is_asked_behind_it() {
    let nested = any(&[all(&[of("strict"), of("other")]), of("lenient")]);
    let plain = any(&[of("strict"), of("lenient")]);
    let api = sign(&claims(json!({"aud": "http://api.test/"})));
    let only_access_tokens = json!({"token_profiles": {"strict": {"typ": ["at+jwt"]}}});
    let elsewhere = json!({"inline_string": jwks(&[("one", 2)])});
    for (requires, strict, sections, token) in [
        // It passes there, with this very token.
        (&plain, json!({"audiences": ["https://api.test"]}), json!({}), &api),
        (&plain, json!({}), only_access_tokens.clone(), &token()),
        // It goes on there.
        (
            &nested,
            json!({"audiences": ["https://api.test"], "forward": true}),
            json!({}),
            &api,
        ),
        // Refused there as well: for the audience, whatever the kind; for the signature; for the issuer.
        (
            &nested,
            json!({"audiences": ["https://elsewhere.test"]}),
            json!({}),
            &api,
        ),
        (
            &nested,
            json!({"audiences": ["https://elsewhere.test"]}),
            only_access_tokens.clone(),
            &token(),
        ),
        (
            &nested,
            json!({"audiences": ["https://api.test"], "local_jwks": elsewhere.clone()}),
            json!({}),
            &api,
        ),
        (&nested, json!({"local_jwks": elsewhere}), json!({}), &token()),
        (&nested, json!({"issuer": "https://third.test"}), json!({}), &token()),
        // The key that was left out is another.
        (
            &nested,
            json!({"local_jwks": listed(json!({"kid": "three", "use": "enc"}))}),
            json!({}),
            &token(),
        ),
    ] {
        let lenient = json!({"issuer": ISSUER, "audiences": []});
        let gate = gate(strict.clone(), lenient, requires, sections);
        assert_eq!(gate.get("/", token), "forward", "{requires} {strict}");
    }
}

#[test]
fn what_one_of_a_list_accepted_is_not_asked_for_once_more_behind_the_list() {
    let behind = all(&[any(&[of("strict"), of("lenient")]), of("lenient")]);
    let strict = json!({"audiences": ["https://api.test"]});
    let lenient = json!({"audiences": [], "forward": true});
    let gate = gate(strict, lenient, &behind, json!({}));
    // Spent by the first there; ours let the second have it, which leaves it in its place.
    let api = sign(&claims(json!({"aud": "http://api.test/"})));
    assert_eq!(gate.get("/", &api), "audience_not_allowed");
    assert_eq!(gate.get("/", &sign(&claims(json!({"aud": "elsewhere"})))), "forward");
}

#[test]
fn what_the_native_filter_would_have_gone_on_to_ask_for_is_spent_too() {
    let first = any(&[all(&[of("strict"), of("other")]), of("lenient")]);
    let behind = all(&[first.clone(), of("other")]);
    // It goes on with the token of the first in its place, and takes out that of the other.
    let strict = json!({"audiences": ["https://api.test"], "forward": true});
    let api = format!("Bearer {}", sign(&claims(json!({"aud": "http://api.test/"}))));
    let elsewhere = format!("Bearer {}", sign(&claims(json!({"aud": "elsewhere"}))));
    let other = sign(&claims(json!({"iss": "https://other.test"})));
    for (requires, bearer, expected) in [
        (&first, &api, "forward"),
        (&behind, &api, "audience_not_allowed"),
        (&behind, &elsewhere, "forward"),
    ] {
        let gate = gate(strict.clone(), json!({"audiences": []}), requires, json!({}));
        let headers = [
            (":path", "/"),
            ("authorization", bearer.as_str()),
            ("x-other", other.as_str()),
        ];
        assert_eq!(word(&gate.decide(&headers)), expected, "{requires} {bearer}");
    }
}

#[test]
fn two_tokens_for_one_provider_are_spent_too() {
    let nested = any(&[all(&[of("strict"), of("other")]), of("lenient")]);
    let strict = json!({"from_headers": [{"name": "authorization", "value_prefix": "Bearer "}, {"name": "x-token"}]});
    let gate = gate(strict, json!({}), &nested, json!({}));
    let (bearer, good) = (format!("Bearer {}", token()), token());
    let headers = [
        (":path", "/"),
        ("authorization", bearer.as_str()),
        ("x-token", good.as_str()),
    ];
    assert_eq!(word(&gate.decide(&headers)), "token_repeated");
    assert_eq!(word(&gate.decide(&headers[..2])), "token_missing");
}
