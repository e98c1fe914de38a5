//! For tests only: the examples that the RFCs print, as facts to hold the whole crate against.

#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::json::{self, Value};
use crate::testing::{NO_LIMIT, jwks, text};
use crate::{Algorithm, JwkSet, KeySource, Part, TokenError, UnverifiedToken, base64url};

/// The published signatures: source, algorithm, public key and compact serialisation.
fn examples() -> Vec<Value> {
    let document = json::parse(include_bytes!("../testdata/published-jws.json")).unwrap();
    document.as_array().unwrap().to_vec()
}

#[test]
fn every_published_signature_verifies_and_not_when_anything_is_changed() {
    let examples = examples();
    assert_eq!(examples.len(), 9);
    for example in &examples {
        let source = text(example, "source");
        let algorithm = Algorithm::parse(text(example, "alg")).unwrap();
        let jwk = example.as_object().unwrap().get("jwk").unwrap();
        let set = jwks(&[serde_json::to_string(jwk).unwrap()]);
        let set = JwkSet::parse(set.as_bytes(), KeySource::Local).unwrap();
        let [key] = set.keys() else { panic!("{source}") };
        let (input, signature) = text(example, "compact").rsplit_once('.').unwrap();
        let mut signature = base64url::decode(signature).unwrap();

        assert_eq!(key.verify(algorithm, input.as_bytes(), &signature), Ok(()), "{source}");
        assert!(
            key.verify(algorithm, input.to_lowercase().as_bytes(), &signature)
                .is_err(),
            "{source}"
        );
        *signature.last_mut().unwrap() ^= 1;
        assert!(key.verify(algorithm, input.as_bytes(), &signature).is_err(), "{source}");
    }
}

#[test]
fn of_the_published_signatures_those_over_claims_are_tokens() {
    let mut tokens = 0;
    for example in &examples() {
        let source = text(example, "source");
        let outcome = UnverifiedToken::parse(text(example, "compact").as_bytes(), NO_LIMIT);
        // The others are over the text "Payload" and over lines of a novel.
        if ![
            "RFC 7515 appendix A.1",
            "RFC 7515 appendix A.2",
            "RFC 7515 appendix A.3",
        ]
        .contains(&source)
        {
            assert!(
                matches!(outcome.unwrap_err(), TokenError::Json(Part::Payload, _)),
                "{source}"
            );
            continue;
        }
        let token = outcome.unwrap();
        let claims = token.claims_unverified();
        assert_eq!(claims.issuer(), Some("joe"), "{source}");
        assert_eq!(
            claims.expires_at().map(crate::NumericDate::seconds),
            Some(1_300_819_380),
            "{source}"
        );
        assert_eq!(
            claims.get("http://example.com/is_root").and_then(Value::as_bool),
            Some(true),
            "{source}"
        );
        let jwk = example.as_object().unwrap().get("jwk").unwrap();
        let set = jwks(&[serde_json::to_string(jwk).unwrap()]);
        assert!(
            JwkSet::parse(set.as_bytes(), KeySource::Local)
                .unwrap()
                .verify(&token)
                .is_ok(),
            "{source}"
        );
        tokens += 1;
    }
    assert_eq!(tokens, 3);
}

#[test]
fn published_tokens_that_are_no_signed_jwt_are_refused() {
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let table = [
        // RFC 7515 appendix A.5
        (format!("eyJhbGciOiJub25lIn0.{claims}."), TokenError::AlgorithmNone),
        // RFC 7797 section 4.2, with the payload in base64url instead of "$.02"
        (
            format!("eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.{claims}.AAAA"),
            TokenError::CriticalExtension,
        ),
        // RFC 7516 appendix A.2.1 and A.2.7, shortened
        (
            "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.UGhI.AxY8.KDlT.9hH0".to_owned(),
            TokenError::Encrypted,
        ),
        // the same header on a token of three parts
        (
            format!("eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.{claims}.AAAA"),
            TokenError::Encrypted,
        ),
        // RFC 7519 appendix A.2: the header of a nested token, signed
        (
            format!("{}.{claims}.AAAA", base64url::encode(r#"{"alg":"RS256","cty":"JWT"}"#)),
            TokenError::Nested,
        ),
        // RFC 7515 appendix A.7: the flattened JSON serialisation, shortened
        (
            format!(r#"{{"payload":"{claims}","protected":"eyJhbGciOiJFUzI1NiJ9","signature":"DtEh"}}"#),
            TokenError::NotThreeParts,
        ),
    ];
    for (token, reason) in table {
        assert_eq!(
            UnverifiedToken::parse(token.as_bytes(), NO_LIMIT).unwrap_err(),
            reason,
            "{token}"
        );
    }
}
