#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::testing::{self, NO_LIMIT, unsigned};
use crate::{Part, UnverifiedToken};

const HEADER: &str = r#"{"alg":"RS256"}"#;

fn claims_refused(claims: impl AsRef<[u8]>) -> TokenError {
    UnverifiedToken::parse(unsigned(HEADER, claims).as_bytes(), NO_LIMIT).expect_err("must be refused")
}

#[test]
fn registered_claims_have_their_types() {
    let wrong_types = ["null", "1", "true", "[]", r#"["a"]"#, "{}", "-1", "0.5"];
    for claim in ["iss", "sub", "jti"] {
        for value in wrong_types {
            assert_eq!(
                claims_refused(format!(r#"{{"{claim}":{value}}}"#)),
                TokenError::ClaimType(claim),
                "{claim}: {value}"
            );
        }
    }
    for claim in ["exp", "nbf", "iat"] {
        for value in ["null", r#""1""#, r#""4102444800""#, "true", "[]", "[1]", "{}"] {
            assert_eq!(
                claims_refused(format!(r#"{{"{claim}":{value}}}"#)),
                TokenError::ClaimType(claim),
                "{claim}: {value}"
            );
        }
        for value in [
            "-1",
            "-0.5",
            "-1e300",
            "18446744073709551615",
            "18446744073709551616",
            "1.8446744073709552e19",
            "1e300",
            "-9223372036854775809",
        ] {
            assert_eq!(
                claims_refused(format!(r#"{{"{claim}":{value}}}"#)),
                TokenError::ClaimRange(claim),
                "{claim}: {value}"
            );
        }
        for value in ["9223372036854775807", "9223372036854775808", "1e19"] {
            let parsed = UnverifiedToken::parse(
                unsigned(HEADER, format!(r#"{{"{claim}":{value}}}"#)).as_bytes(),
                NO_LIMIT,
            );
            assert_eq!(parsed.is_ok(), claim == "iat", "{claim}: {value}");
        }
        for value in ["1e400", "-1e400", "1e999"] {
            assert!(matches!(
                claims_refused(format!(r#"{{"{claim}":{value}}}"#)),
                TokenError::Json(Part::Payload, _)
            ));
        }
        for value in ["0", "1", "9223372036854774784", "0.0", "1e9", "4102444800.75"] {
            assert!(
                UnverifiedToken::parse(
                    unsigned(HEADER, format!(r#"{{"{claim}":{value}}}"#)).as_bytes(),
                    NO_LIMIT
                )
                .is_ok()
            );
        }
    }
    for value in [
        "null",
        "1",
        "true",
        "{}",
        "[1]",
        r#"["a",null]"#,
        r#"["a",["b"]]"#,
        r#"[{"a":"b"}]"#,
    ] {
        assert_eq!(
            claims_refused(format!(r#"{{"aud":{value}}}"#)),
            TokenError::ClaimType("aud"),
            "{value}"
        );
    }
}

#[test]
fn an_audience_is_one_string_or_a_list_of_strings() {
    let table: [(&str, &[&str]); 5] = [
        (r#""a""#, &["a"]),
        (r#""""#, &[""]),
        ("[]", &[]),
        (r#"["a"]"#, &["a"]),
        (r#"["a","b","a"]"#, &["a", "b", "a"]),
    ];
    for (value, audience) in table {
        let token = testing::parsed(&unsigned(HEADER, format!(r#"{{"aud":{value}}}"#)));
        assert_eq!(
            token.claims_unverified().audience().collect::<Vec<_>>(),
            audience,
            "{value}"
        );
    }
}
