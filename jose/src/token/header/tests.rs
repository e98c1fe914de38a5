#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::UnverifiedToken;
use crate::testing::{self, NO_LIMIT, unsigned};

fn refused(token: &str) -> TokenError {
    UnverifiedToken::parse(token.as_bytes(), NO_LIMIT).expect_err("must be refused")
}

fn header_refused(header: impl AsRef<[u8]>) -> TokenError {
    refused(&unsigned(header, "{}"))
}

#[test]
fn the_algorithm_is_one_of_ours_and_spelled_exactly() {
    let table = [
        (r"{}", TokenError::AlgorithmMissing),
        (r#"{"ALG":"RS256"}"#, TokenError::AlgorithmMissing),
        (r#"{"alg":null}"#, TokenError::AlgorithmMissing),
        (r#"{"alg":1}"#, TokenError::AlgorithmMissing),
        (r#"{"alg":["RS256"]}"#, TokenError::AlgorithmMissing),
        (r#"{"alg":{"RS256":1}}"#, TokenError::AlgorithmMissing),
        (r#"{"alg":true}"#, TokenError::AlgorithmMissing),
        (r#"{"alg":"none"}"#, TokenError::AlgorithmNone),
        (r#"{"alg":"None"}"#, TokenError::AlgorithmNone),
        (r#"{"alg":"NONE"}"#, TokenError::AlgorithmNone),
        (r#"{"alg":"nOnE"}"#, TokenError::AlgorithmNone),
        (r#"{"alg":"n\u006fne"}"#, TokenError::AlgorithmNone),
        (r#"{"alg":""}"#, TokenError::AlgorithmUnsupported),
        (r#"{"alg":"none "}"#, TokenError::AlgorithmUnsupported),
        (r#"{"alg":"rs256"}"#, TokenError::AlgorithmUnsupported),
        (r#"{"alg":"RS256 "}"#, TokenError::AlgorithmUnsupported),
        (r#"{"alg":"RS256\u0000"}"#, TokenError::AlgorithmUnsupported),
        (r#"{"alg":"ES256K"}"#, TokenError::AlgorithmUnsupported),
        (r#"{"alg":"RSA-OAEP"}"#, TokenError::AlgorithmUnsupported),
        (r#"{"alg":"dir"}"#, TokenError::AlgorithmUnsupported),
    ];
    for (header, reason) in table {
        assert_eq!(header_refused(header), reason, "{header}");
    }
    for algorithm in Algorithm::ALL {
        let token = testing::parsed(&unsigned(testing::header(algorithm), "{}"));
        assert_eq!(token.header_unverified().algorithm(), algorithm);
    }
    // RFC 7519 section 6.1: unsigned tokens have an empty signature as well; the header is told first.
    assert_eq!(refused("eyJhbGciOiJub25lIn0.e30."), TokenError::AlgorithmNone);
}

#[test]
fn headers_that_make_it_another_thing_than_a_signed_jwt_are_refused() {
    let table = [
        (r#""crit":["exp"]"#, TokenError::CriticalExtension),
        (r#""crit":["b64"],"b64":true"#, TokenError::CriticalExtension),
        (r#""crit":["alg"]"#, TokenError::CriticalExtension),
        (r#""crit":[]"#, TokenError::CriticalExtension),
        (r#""crit":null"#, TokenError::CriticalExtension),
        (r#""crit":"exp""#, TokenError::CriticalExtension),
        (r#""crit":[1]"#, TokenError::CriticalExtension),
        (r#""crit":{}"#, TokenError::CriticalExtension),
        (r#""b64":false"#, TokenError::UnencodedPayload),
        (r#""b64":true"#, TokenError::UnencodedPayload),
        (r#""zip":"DEF""#, TokenError::Compressed),
        (r#""zip":null"#, TokenError::Compressed),
        (r#""enc":"A128GCM""#, TokenError::Encrypted),
        (r#""enc":null"#, TokenError::Encrypted),
        (r#""cty":"JWT""#, TokenError::Nested),
        (r#""cty":"jwt""#, TokenError::Nested),
        (r#""cty":"application/JWT""#, TokenError::Nested),
        (r#""cty":"Application/at+jwt""#, TokenError::Nested),
        (r#""cty":"secevent+jwt""#, TokenError::Nested),
        (r#""cty":1"#, TokenError::HeaderType("cty")),
        (r#""cty":null"#, TokenError::HeaderType("cty")),
        (r#""typ":null"#, TokenError::HeaderType("typ")),
        (r#""typ":["JWT"]"#, TokenError::HeaderType("typ")),
        (r#""kid":null"#, TokenError::HeaderType("kid")),
        (r#""kid":1"#, TokenError::HeaderType("kid")),
        (r#""kid":{"a":"b"}"#, TokenError::HeaderType("kid")),
        (r#""kid":["a"]"#, TokenError::HeaderType("kid")),
        (r#""kid":true"#, TokenError::HeaderType("kid")),
    ];
    for (member, reason) in table {
        assert_eq!(
            header_refused(format!(r#"{{"alg":"RS256",{member}}}"#)),
            reason,
            "{member}"
        );
        assert_eq!(
            header_refused(format!(r#"{{{member},"alg":"RS256"}}"#)),
            reason,
            "{member}"
        );
    }
    for member in [
        r#""cty":"json""#,
        r#""cty":"""#,
        r#""cty":"jwt-not""#,
        r#""typ":"anything""#,
        r#""jku":1,"x5c":{}"#,
    ] {
        let token = unsigned(format!(r#"{{"alg":"RS256",{member}}}"#), "{}");
        assert!(UnverifiedToken::parse(token.as_bytes(), NO_LIMIT).is_ok(), "{member}");
    }
}

#[test]
fn a_key_id_is_any_string_of_bounded_length_and_an_empty_one_is_none() {
    let with = |key_id: &str| unsigned(format!(r#"{{"alg":"RS256","kid":"{key_id}"}}"#), "{}");
    for key_id in [
        "a",
        "../../etc/passwd",
        "' OR 1=1 --",
        "https://keys/1",
        "é\u{1f600}",
        &"k".repeat(MAX_KEY_ID_LEN),
    ] {
        assert_eq!(
            testing::parsed(&with(key_id)).header_unverified().key_id(),
            Some(key_id)
        );
    }
    assert_eq!(testing::parsed(&with("")).header_unverified().key_id(), None);
    for length in [MAX_KEY_ID_LEN + 1, 1 << 20] {
        assert_eq!(refused(&with(&"k".repeat(length))), TokenError::KeyIdTooLong);
    }
}

#[test]
fn media_types_are_compared_without_case_and_without_application() {
    let of_type = |token_type: &str, asked: &str| {
        let token = unsigned(format!(r#"{{"alg":"RS256","typ":"{token_type}"}}"#), "{}");
        testing::parsed(&token).header_unverified().is_of_type(asked)
    };
    for same in ["at+jwt", "AT+JWT", "application/at+jwt", "APPLICATION/At+Jwt"] {
        assert!(of_type(same, "at+jwt") && of_type("at+jwt", same), "{same}");
    }
    for other in [
        "",
        "JWT",
        "at+jwt ",
        "rt+jwt",
        "text/at+jwt",
        "application/application/at+jwt",
        "at+jw",
        "applicationat+jwt",
    ] {
        assert!(!of_type(other, "at+jwt"), "{other}");
    }
    assert!(
        !testing::parsed(&unsigned(r#"{"alg":"RS256"}"#, "{}"))
            .header_unverified()
            .is_of_type("")
    );
}
