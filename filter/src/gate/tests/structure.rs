//! Tokens that are no tokens, or not of the kind that is accepted: each class of error, once through the whole gate.

use serde_json::{Value, json};

use super::{gate, gate_with};
use crate::testing::{ISSUER, claims, segments, sign, sign_with_header, test, token};

fn header(changes: Value) -> Value {
    let mut header = json!({"alg": "ES256", "kid": "one", "typ": "at+jwt"});
    super::merge(&mut header, changes);
    header
}

#[test]
fn an_ordinary_token_passes() {
    assert_eq!(gate(json!({})).get("/", &token()), "forward");
}

#[test]
fn what_is_no_compact_jws_is_malformed() {
    let good = token();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (first, second) = input.split_once('.').unwrap();
    let gate = gate(json!({}));
    for bad in [
        "x".to_owned(),
        "a.b".to_owned(),
        format!("{input}."),
        format!(".{good}"),
        format!("{good}."),
        format!("{first}..{signature}"),
        format!(".{second}.{signature}"),
        format!("{good}.{signature}"),
        format!("{good} "),
        format!("{good}="),
        format!("{first}. {second}.{signature}"),
        format!("{first}+.{second}.{signature}"),
        format!("{first}/.{second}.{signature}"),
        format!("{good} trailing"),
        ".".repeat(8000),
        "{\"payload\":\"e30\",\"signature\":\"\"}".to_owned(),
        segments(b"[]", b"{}", 1),
        segments(b"null", b"{}", 1),
        segments(br#"{"alg":"ES256"}"#, b"\"text\"", 1),
        segments(br#"{"alg":"ES256"}"#, b"null", 1),
        segments(br#"{"alg":"ES256"}"#, b"{} x", 1),
        segments(br#"{"alg":"ES256"}"#, b"\xef\xbb\xbf{}", 1),
        segments(br#"{"alg":"ES256"}"#, b"{\"a\":\"\\ud800\"}", 1),
        segments(br#"{"alg":"ES256"}"#, b"{\"a\":1e999}", 1),
        segments(br#"{"alg":"ES256"}"#, &[b'['; 5000], 1),
        segments(br#"{"alg":"ES256"}"#, br#"{"exp":1,"\u0065xp":9999999999}"#, 1),
        segments(br#"{"alg":"ES256","alg":"ES256"}"#, b"{}", 1),
    ] {
        let expected = if bad == format!("{good} ") {
            "forward"
        } else {
            "token_malformed"
        };
        assert_eq!(gate.get("/", &bad), expected, "{bad:.80}");
    }
}

#[test]
fn a_token_beyond_the_limit_is_refused_unread() {
    let long = sign(&claims(json!({"filler": "x".repeat(6500)})));
    assert!(long.len() > 8192);
    assert_eq!(gate(json!({})).get("/", &long), "token_too_large");
    let larger = gate_with(json!({}), json!({"token_limits": {"max_token_bytes": 10_000}}));
    assert_eq!(larger.get("/", &long), "forward");
    let smaller = gate_with(json!({}), json!({"token_limits": {"max_token_bytes": 100}}));
    assert_eq!(smaller.get("/", &token()), "token_too_large");
    assert_eq!(gate(json!({})).get("/", &"x".repeat(1_000_000)), "token_too_large");
}

#[test]
fn algorithms_are_those_that_are_known_by_their_exact_names() {
    let gate = gate(json!({}));
    for alg in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!("nOnE"),
        json!(""),
        json!("es256"),
        json!("ES256 "),
        json!("ES256K"),
        json!("RS1"),
        json!(256),
        json!(["ES256"]),
        Value::Null,
    ] {
        let mut header = header(json!({}));
        header["alg"] = alg.clone();
        assert_eq!(
            gate.get("/", &sign_with_header(&header, &claims(json!({})), 1)),
            "algorithm_unsupported",
            "{alg}"
        );
    }
    for alg in ["RS256", "PS256", "ES384", "EdDSA", "HS256"] {
        let token = sign_with_header(&header(json!({"alg": alg})), &claims(json!({})), 1);
        assert_eq!(gate.get("/", &token), "key_unsuitable", "{alg}");
    }
}

#[test]
fn headers_that_change_what_a_token_is_are_refused() {
    let gate = gate(json!({}));
    for (change, expected) in [
        (json!({"crit": ["exp"]}), "token_header_unsupported"),
        (json!({"crit": []}), "token_header_unsupported"),
        (json!({"crit": "exp"}), "token_header_unsupported"),
        (json!({"b64": false}), "token_header_unsupported"),
        (json!({"b64": true}), "token_header_unsupported"),
        (json!({"zip": "DEF"}), "token_header_unsupported"),
        (json!({"kid": 1}), "token_header_unsupported"),
        (json!({"kid": {}}), "token_header_unsupported"),
        (json!({"kid": "x".repeat(5000)}), "token_header_unsupported"),
        (json!({"typ": 1}), "token_header_unsupported"),
        (json!({"cty": "JWT"}), "token_encrypted"),
        (json!({"enc": "A256GCM"}), "token_encrypted"),
        (json!({"kid": "../../etc/passwd"}), "key_unknown"),
        (json!({"kid": "' OR 1=1 --"}), "key_unknown"),
        (json!({"kid": "ONE"}), "key_unknown"),
        (
            json!({"jku": "https://evil.test", "jwk": {"kty": "oct"}, "x5u": "x", "x5c": []}),
            "forward",
        ),
        (json!({"kid": null}), "forward"),
    ] {
        let token = sign_with_header(&header(change.clone()), &claims(json!({})), 1);
        assert_eq!(gate.get("/", &token), expected, "{change:.80}");
    }
    assert_eq!(gate.get("/", "a.b.c.d.e"), "token_encrypted");
}

#[test]
fn a_signature_by_another_key_or_over_other_bytes_is_invalid() {
    let gate = gate(json!({}));
    let good = token();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let other = sign(&claims(json!({"sub": "mallory"})));
    let (other_input, _) = other.rsplit_once('.').unwrap();
    for bad in [
        sign_with_header(&header(json!({})), &claims(json!({})), 2),
        format!("{other_input}.{signature}"),
        format!("{input}.{}", "A".repeat(86)),
        format!("{input}.AAAA"),
    ] {
        assert_eq!(gate.get("/", &bad), "signature_invalid", "{bad}");
    }
}

#[test]
fn only_access_tokens_are_access_tokens() {
    let typ = |typ: &str| sign_with_header(&header(json!({"typ": typ})), &claims(json!({})), 1);
    let token_type = |value: Value| sign(&claims(json!({"token_type": value})));
    let plain = gate(json!({}));
    for (token, expected) in [
        (typ("at+jwt"), "forward"),
        (typ("JWT"), "forward"),
        (
            sign_with_header(&header(json!({"typ": null})), &claims(json!({})), 1),
            "forward",
        ),
        (typ("rt+jwt"), "token_type_not_allowed"),
        (typ("RT+JWT"), "token_type_not_allowed"),
        (typ("application/rt+jwt"), "token_type_not_allowed"),
        (typ("logout+jwt"), "token_type_not_allowed"),
        (typ("dpop+jwt"), "token_type_not_allowed"),
        (typ("secevent+jwt"), "token_type_not_allowed"),
        (token_type(json!("refresh")), "token_type_not_allowed"),
        (token_type(json!("access")), "forward"),
        (token_type(json!("Bearer")), "forward"),
    ] {
        assert_eq!(plain.get("/", &token), expected, "{token}");
    }

    // What it is comes first, also where more is wrong with it: a refresh token is for the issuer, not for us.
    let refresh = claims(json!({"token_type": "refresh", "aud": ISSUER, "exp": 1}));
    assert_eq!(plain.get("/", &sign(&refresh)), "token_type_not_allowed");

    let strict = gate_with(
        json!({}),
        json!({"token_profiles": {"main": {"typ": ["at+jwt"], "token_type": ["access"]}}}),
    );
    let both = |typ: Value, token_type: Value| {
        sign_with_header(
            &header(json!({ "typ": typ })),
            &claims(json!({"token_type": token_type})),
            1,
        )
    };
    for (token, expected) in [
        (both(json!("at+jwt"), json!("access")), "forward"),
        (both(json!("application/AT+JWT"), json!("access")), "forward"),
        (both(json!("JWT"), json!("access")), "token_type_not_allowed"),
        (both(Value::Null, json!("access")), "token_type_not_allowed"),
        (both(json!("at+jwt"), json!("refresh")), "token_type_not_allowed"),
        (both(json!("at+jwt"), json!("Access")), "token_type_not_allowed"),
        (both(json!("at+jwt"), json!(["access"])), "token_type_not_allowed"),
        (both(json!("at+jwt"), Value::Null), "token_type_not_allowed"),
        (both(json!("rt+jwt"), json!("access")), "token_type_not_allowed"),
    ] {
        assert_eq!(strict.get("/", &token), expected, "{token}");
    }
    let by_typ = gate_with(json!({}), json!({"token_profiles": {"main": {"typ": ["JWT"]}}}));
    assert_eq!(
        by_typ.get("/", &both(json!("JWT"), json!("refresh"))),
        "token_type_not_allowed"
    );
}
