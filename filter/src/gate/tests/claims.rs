//! The registered claims, at their edges.

use serde_json::{Value, json};

use super::{gate, gate_with};
use crate::testing::{ISSUER, NOW, claims, segments, sign, test};

/// The word for a token whose claims are changed so.
fn with(provider: Value, change: Value) -> &'static str {
    gate(provider).get("/", &sign(&claims(change)))
}

/// The word for a token whose claim is written so, which need not be JSON that `serde_json` can hold.
fn with_text(name: &str, text: &str) -> &'static str {
    let payload = format!(r#"{{"iss":"{ISSUER}","aud":"gatehouse","{name}":{text}}}"#);
    gate(json!({})).get("/", &segments(br#"{"alg":"ES256"}"#, payload.as_bytes(), 1))
}

#[test]
fn exp_and_nbf_hold_to_the_second_of_the_skew() {
    for (skew, seconds) in [
        (json!({}), 60),
        (json!({"clock_skew_seconds": 0}), 60),
        (json!({"clock_skew_seconds": 5}), 5),
    ] {
        for (change, expected) in [
            (json!({"exp": NOW - seconds}), "forward"),
            (json!({"exp": NOW - seconds - 1}), "token_expired"),
            (json!({"nbf": NOW + seconds}), "forward"),
            (json!({"nbf": NOW + seconds + 1}), "token_not_yet_valid"),
        ] {
            assert_eq!(with(skew.clone(), change.clone()), expected, "{skew} {change}");
        }
    }
}

#[test]
fn the_clock_is_read_by_whole_seconds() {
    let mut gate = gate(json!({"clock_skew_seconds": 1}));
    let token = sign(&claims(json!({"exp": NOW})));
    for (millis, expected) in [(1000, "forward"), (1999, "forward"), (2000, "token_expired")] {
        gate.now = crate::clock::Timestamp::from_millis(NOW * 1000 + millis);
        assert_eq!(gate.get("/", &token), expected, "{millis}");
    }
}

#[test]
fn fractions_shorten_a_token_s_life() {
    #[allow(clippy::cast_precision_loss)]
    let at = |offset: f64| json!(NOW as f64 + offset);
    for (change, expected) in [
        (json!({"exp": at(-60.0)}), "forward"),
        (json!({"exp": at(-60.5)}), "token_expired"),
        (json!({"nbf": at(60.0)}), "forward"),
        (json!({"nbf": at(60.5)}), "token_not_yet_valid"),
        (json!({"nbf": at(59.5)}), "forward"),
    ] {
        assert_eq!(with(json!({}), change.clone()), expected, "{change}");
    }
}

#[test]
fn dates_of_other_kinds_are_invalid() {
    for name in ["exp", "nbf", "iat"] {
        for text in [
            "\"9999999999\"",
            "null",
            "true",
            "[]",
            "{}",
            "-1",
            "-0.5",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
        ] {
            assert_eq!(with_text(name, text), "claim_invalid", "{name} {text}");
        }
        assert_eq!(with_text(name, "1e400"), "token_malformed", "{name}");
        for text in ["9223372036854775808", "9.3e18", "1e19", "18446744073709549568"] {
            let expected = if name == "iat" { "forward" } else { "claim_invalid" };
            assert_eq!(with_text(name, text), expected, "{name} {text}");
        }
    }
    assert_eq!(with_text("exp", "9223372036854775295"), "forward");
    assert_eq!(
        with_text("exp", "9223372036854775296"),
        "claim_invalid",
        "as a double it is 2^63"
    );
    assert_eq!(with_text("exp", "0"), "token_expired");
    assert_eq!(with_text("exp", "-0"), "token_expired");
    assert_eq!(
        with_text("iat", "9999999999"),
        "forward",
        "iat is only checked for its type"
    );
}

#[test]
fn expiration_is_optional_until_it_is_required() {
    let without = json!({"exp": null});
    assert_eq!(with(json!({}), without.clone()), "forward");
    assert_eq!(
        with(json!({"require_expiration": true}), without.clone()),
        "expiration_missing"
    );
    assert_eq!(with(json!({"max_lifetime": "600s"}), without), "expiration_missing");
    assert_eq!(
        with(
            json!({"require_expiration": true}),
            json!({"exp": null, "aud": "other"})
        ),
        "audience_not_allowed",
        "the audience is looked at before"
    );
}

#[test]
fn a_lifetime_reaches_its_limit_and_no_further() {
    let limited = json!({"max_lifetime": "600s"});
    for (exp, expected) in [
        (NOW + 600, "forward"),
        (NOW + 601, "lifetime_too_long"),
        (NOW + 10_000, "lifetime_too_long"),
    ] {
        assert_eq!(with(limited.clone(), json!({ "exp": exp })), expected, "{exp}");
    }
    assert_eq!(with(limited, json!({"exp": NOW - 10})), "forward");
    assert_eq!(with(json!({"max_lifetime": "0.5s"}), json!({"exp": NOW})), "forward");
    assert_eq!(
        with(json!({"max_lifetime": "0.5s"}), json!({"exp": NOW + 1})),
        "lifetime_too_long"
    );
}

#[test]
fn subjects_are_matched_and_an_absent_one_counts_as_empty() {
    let users = json!({"subjects": {"prefix": "user-"}});
    for (subjects, sub, expected) in [
        (&users, json!("user-1"), "forward"),
        (&users, json!("User-1"), "subject_not_allowed"),
        (&users, json!("x-user-1"), "subject_not_allowed"),
        (&users, Value::Null, "subject_not_allowed"),
        (
            &json!({"subjects": {"safe_regex": {"regex": ".*"}}}),
            Value::Null,
            "forward",
        ),
        (&json!({"subjects": {"exact": "é"}}), json!("é"), "forward"),
    ] {
        assert_eq!(
            with(subjects.clone(), json!({ "sub": sub })),
            expected,
            "{subjects} {sub}"
        );
    }
}

#[test]
fn the_issuer_is_exact() {
    for issuer in [
        json!("https://issuer.test/"),
        json!("https://Issuer.test"),
        json!("http://issuer.test"),
        json!("https://issuer.test "),
        json!("https://\u{456}ssuer.test"),
        json!(""),
        Value::Null,
    ] {
        assert_eq!(with(json!({}), json!({ "iss": issuer })), "issuer_unknown", "{issuer}");
    }
    for issuer in [json!([ISSUER]), json!({}), json!(1)] {
        assert_eq!(with(json!({}), json!({ "iss": issuer })), "claim_invalid", "{issuer}");
    }
    for provider in [json!({"issuer": null}), json!({"issuer": ""})] {
        assert_eq!(with(provider.clone(), json!({"iss": "anybody"})), "forward");
        assert_eq!(with(provider, json!({"iss": null})), "forward");
    }
}

#[test]
fn one_of_the_audiences_is_needed_exactly() {
    let two = json!({"audiences": ["gatehouse", "https://api.test/"]});
    for (aud, expected) in [
        (json!("gatehouse"), "forward"),
        (json!(["other", "gatehouse"]), "forward"),
        (json!("https://api.test/"), "forward"),
        (json!("https://api.test"), "audience_not_allowed"),
        (json!("http://api.test/"), "audience_not_allowed"),
        (json!("api.test"), "audience_not_allowed"),
        (json!("Gatehouse"), "audience_not_allowed"),
        (json!("gatehouse "), "audience_not_allowed"),
        (json!("other"), "audience_not_allowed"),
        (json!([]), "audience_not_allowed"),
        (json!(""), "audience_not_allowed"),
        (Value::Null, "audience_not_allowed"),
        (json!(1), "claim_invalid"),
        (json!(["gatehouse", 1]), "claim_invalid"),
        (json!({"gatehouse": true}), "claim_invalid"),
    ] {
        assert_eq!(with(two.clone(), json!({ "aud": aud })), expected, "{aud}");
    }
    assert_eq!(with(json!({"audiences": []}), json!({"aud": "whoever"})), "forward");
    assert_eq!(with(json!({"audiences": []}), json!({"aud": null})), "forward");
}

#[test]
fn claims_are_judged_before_the_signature_and_in_the_native_order() {
    let gate = gate_with(json!({"require_expiration": true}), json!({}));
    let forged = |change: Value| {
        let header = json!({"alg": "ES256", "kid": "one"});
        gate.get("/", &crate::testing::sign_with_header(&header, &claims(change), 9))
    };
    assert_eq!(
        forged(json!({"iss": "other", "exp": 1, "aud": "other"})),
        "issuer_unknown"
    );
    assert_eq!(forged(json!({"exp": 1, "aud": "other"})), "token_expired");
    assert_eq!(forged(json!({"aud": "other"})), "audience_not_allowed");
    assert_eq!(forged(json!({})), "signature_invalid");
}
