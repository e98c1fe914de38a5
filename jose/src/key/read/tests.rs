#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::json;
use crate::testing::{self, SECRET};

fn read(jwk: &str, source: KeySource) -> Result<VerifyingKey, JwkError> {
    VerifyingKey::from_jwk(&json::parse(jwk.as_bytes()).unwrap(), source)
}

fn refused(jwk: &str) -> JwkError {
    read(jwk, KeySource::Remote).expect_err(jwk)
}

fn algorithms(jwk: &str) -> Vec<Algorithm> {
    read(jwk, KeySource::Local).unwrap().algorithms().iter().collect()
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> String {
    format!(
        r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#,
        base64url::encode(modulus),
        base64url::encode(exponent)
    )
}

/// An odd number of exactly so many bits.
fn odd(bits: usize) -> Vec<u8> {
    let mut number = vec![0xff; bits.div_ceil(8)];
    if let Some(first) = number.first_mut() {
        *first = 0xff >> (bits.div_ceil(8) * 8 - bits);
    }
    number
}

const E: [u8; 3] = [1, 0, 1];

#[test]
fn what_is_no_key_of_ours_says_why() {
    let x = base64url::encode([1; 32]);
    let table = [
        ("[]".to_owned(), JwkError::NotAnObject),
        ("null".to_owned(), JwkError::NotAnObject),
        ("{}".to_owned(), JwkError::Missing("kty")),
        (r#"{"kty":1}"#.to_owned(), JwkError::WrongType("kty")),
        (r#"{"kty":"rsa"}"#.to_owned(), JwkError::UnsupportedKeyType),
        (r#"{"kty":"OCT"}"#.to_owned(), JwkError::UnsupportedKeyType),
        (
            r#"{"kty":"AKP","alg":"ML-DSA-44"}"#.to_owned(),
            JwkError::UnsupportedAlgorithm,
        ),
        (
            r#"{"kty":"RSA","alg":"RSA-OAEP"}"#.to_owned(),
            JwkError::UnsupportedAlgorithm,
        ),
        (
            r#"{"kty":"RSA","alg":"none"}"#.to_owned(),
            JwkError::UnsupportedAlgorithm,
        ),
        (
            r#"{"kty":"RSA","alg":"rs256"}"#.to_owned(),
            JwkError::UnsupportedAlgorithm,
        ),
        (r#"{"kty":"RSA","alg":null}"#.to_owned(), JwkError::WrongType("alg")),
        (r#"{"kty":"RSA"}"#.to_owned(), JwkError::Missing("n")),
        (r#"{"kty":"RSA","n":"AQAB"}"#.to_owned(), JwkError::Missing("e")),
        (
            r#"{"kty":"RSA","n":65537,"e":"AQAB"}"#.to_owned(),
            JwkError::WrongType("n"),
        ),
        (
            r#"{"kty":"RSA","n":"AQ+B","e":"AQAB"}"#.to_owned(),
            JwkError::NotBase64url("n"),
        ),
        (
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB="}"#.to_owned(),
            JwkError::NotBase64url("e"),
        ),
        (r#"{"kty":"EC"}"#.to_owned(), JwkError::Missing("crv")),
        (r#"{"kty":"EC","crv":"P-256"}"#.to_owned(), JwkError::Missing("x")),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}"}}"#),
            JwkError::Missing("y"),
        ),
        (r#"{"kty":"EC","crv":"p-256"}"#.to_owned(), JwkError::UnsupportedCurve),
        (
            r#"{"kty":"EC","crv":"secp256k1"}"#.to_owned(),
            JwkError::UnsupportedCurve,
        ),
        (
            format!(r#"{{"kty":"EC","crv":"Ed25519","x":"{x}"}}"#),
            JwkError::UnsupportedCurve,
        ),
        (r#"{"kty":"OKP","crv":"Ed448"}"#.to_owned(), JwkError::UnsupportedCurve),
        (
            format!(r#"{{"kty":"OKP","crv":"X25519","x":"{x}"}}"#),
            JwkError::UnsupportedCurve,
        ),
        (r#"{"kty":"OKP","crv":"P-256"}"#.to_owned(), JwkError::UnsupportedCurve),
        (r#"{"kty":"OKP","crv":"Ed25519"}"#.to_owned(), JwkError::Missing("x")),
    ];
    for (jwk, reason) in table {
        assert_eq!(refused(&jwk), reason, "{jwk}");
    }
}

#[test]
fn a_modulus_has_2048_to_8192_bits() {
    for bits in [0, 8, 512, 1024, 2040, 2047, 8193, 8200, 16384, 1 << 20] {
        assert_eq!(refused(&rsa(&odd(bits), &E)), JwkError::ModulusSize, "{bits}");
    }
    for bits in [2048, 2049, 3072, 4096, 8191, 8192] {
        assert!(read(&rsa(&odd(bits), &E), KeySource::Remote).is_ok(), "{bits}");
    }
    // A zero byte in front, as of a signed number, neither makes a short key long nor a long one too long.
    for (bits, outcome) in [(2047, Some(JwkError::ModulusSize)), (2048, None), (8192, None)] {
        let padded = [vec![0], odd(bits)].concat();
        assert_eq!(read(&rsa(&padded, &E), KeySource::Remote).err(), outcome, "{bits}");
    }
}

#[test]
fn modulus_and_exponent_are_odd_and_the_exponent_is_3_at_least() {
    let even = [odd(2040), vec![0xfe]].concat();
    assert_eq!(refused(&rsa(&even, &E)), JwkError::InvalidRsaKey);
    let exponents: [&[u8]; 9] = [
        &[],
        &[0],
        &[1],
        &[2],
        &[4],
        &[1, 0, 0],
        &[2, 0, 0, 0, 1],
        &[1, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0xff; 256],
    ];
    for exponent in exponents {
        assert_eq!(
            refused(&rsa(&odd(2048), exponent)),
            JwkError::InvalidRsaKey,
            "{exponent:?}"
        );
    }
    for exponent in [&[3][..], &[17], &E, &[0, 1, 0, 1], &[1, 0xff, 0xff, 0xff, 0xff]] {
        assert!(
            read(&rsa(&odd(2048), exponent), KeySource::Remote).is_ok(),
            "{exponent:?}"
        );
    }
}

#[test]
fn coordinates_have_the_length_of_the_curve_and_lie_on_it() {
    for (curve, algorithm) in [
        ("P-256", Algorithm::Es256),
        ("P-384", Algorithm::Es384),
        ("P-521", Algorithm::Es512),
    ] {
        let good = json::parse(testing::jwk(algorithm, "").as_bytes()).unwrap();
        let coordinate = |name| base64url::decode(testing::text(&good, name)).unwrap();
        let (x, y) = (coordinate("x"), coordinate("y"));
        let jwk = |curve: &str, x: &[u8], y: &[u8]| {
            let (x, y) = (base64url::encode(x), base64url::encode(y));
            format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"}}"#)
        };
        assert!(read(&jwk(curve, &x, &y), KeySource::Remote).is_ok());

        for (x, y) in [
            (x[1..].to_vec(), y.clone()),
            (x.clone(), y[1..].to_vec()),
            ([vec![0], x.clone()].concat(), y.clone()),
            (x.clone(), [y.clone(), vec![0]].concat()),
            (x[1..].to_vec(), [y.clone(), vec![0]].concat()),
            (Vec::new(), y.clone()),
            ([x.clone(), y.clone()].concat(), Vec::new()),
        ] {
            assert_eq!(refused(&jwk(curve, &x, &y)), JwkError::CoordinateLength, "{curve}");
        }
        let mut off = y.clone();
        *off.last_mut().unwrap() ^= 1;
        let size = x.len();
        for (x, y) in [
            (x.clone(), off),
            (y.clone(), x.clone()),
            (vec![0; size], vec![0; size]),
            (vec![0xff; size], vec![0xff; size]),
            (vec![0; size], y.clone()),
        ] {
            assert_eq!(refused(&jwk(curve, &x, &y)), JwkError::InvalidPoint, "{curve}");
        }
        for other in ["P-256", "P-384", "P-521"].into_iter().filter(|other| *other != curve) {
            assert_eq!(
                refused(&jwk(other, &x, &y)),
                JwkError::CoordinateLength,
                "{curve} as {other}"
            );
        }
    }
}

#[test]
fn an_ed25519_key_is_a_canonical_point_of_large_order() {
    let jwk = |x: &[u8]| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url::encode(x));
    let good = testing::ed25519_key().verifying_key().to_bytes();
    assert!(read(&jwk(&good), KeySource::Remote).is_ok());
    for x in [&good[1..], &[good.as_slice(), &[0]].concat(), &[]] {
        assert_eq!(refused(&jwk(x)), JwkError::CoordinateLength);
    }
    let with_ends = |first: u8, fill: u8, last: u8| {
        let mut x = [fill; 32];
        (x[0], x[31]) = (first, last);
        x
    };
    let order_eight = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let order_eight: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&order_eight[at..at + 2], 16).unwrap())
        .collect();
    for x in [
        with_ends(0, 0, 0),              // y = 0, order 4
        with_ends(1, 0, 0),              // the neutral element
        with_ends(0xec, 0xff, 0x7f),     // y = -1, order 2
        with_ends(1, 0, 0x80),           // the neutral element with a sign that zero can't have
        with_ends(0xed, 0xff, 0x7f),     // y = p, which is 0
        with_ends(0xee, 0xff, 0x7f),     // y = p + 1, which is 1
        with_ends(0xf0, 0xff, 0x7f),     // y = p + 3, which is 3 written too large
        with_ends(2, 0, 0),              // no point has this y
        order_eight.try_into().unwrap(), // order 8
    ] {
        assert_eq!(refused(&jwk(&x)), JwkError::InvalidPoint, "{x:02x?}");
    }
}

#[test]
fn a_secret_is_as_long_as_the_hash_at_least() {
    use Algorithm as A;
    let jwk = |len: usize, more: &str| format!(r#"{{"kty":"oct","k":"{}"{more}}}"#, base64url::encode(&SECRET[..len]));
    let table: [(usize, &[Algorithm]); 6] = [
        (32, &[A::Hs256]),
        (33, &[A::Hs256]),
        (47, &[A::Hs256]),
        (48, &[A::Hs256, A::Hs384]),
        (63, &[A::Hs256, A::Hs384]),
        (64, &[A::Hs256, A::Hs384, A::Hs512]),
    ];
    for (len, fitting) in table {
        assert_eq!(algorithms(&jwk(len, "")), fitting, "{len}");
    }
    for (len, named) in [
        (0, ""),
        (1, ""),
        (31, ""),
        (31, "HS256"),
        (32, "HS384"),
        (47, "HS384"),
        (63, "HS512"),
        (0, "HS256"),
    ] {
        let named = if named.is_empty() {
            String::new()
        } else {
            format!(r#","alg":"{named}""#)
        };
        assert_eq!(
            read(&jwk(len, &named), KeySource::Local).unwrap_err(),
            JwkError::ShortSecret,
            "{len} {named}"
        );
    }
    let long = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url::encode([7; 1000]));
    assert_eq!(algorithms(&long).len(), 3);
}

#[test]
fn a_remote_set_has_no_private_and_no_symmetric_key() {
    for (algorithm, parameters) in [
        (Algorithm::Rs256, &["d", "p", "q", "dp", "dq", "qi", "oth", "k"][..]),
        (Algorithm::Es256, &["d", "k"]),
        (Algorithm::EdDsa, &["d", "k"]),
    ] {
        for parameter in parameters {
            for value in [r#""AQAB""#, "null", r#""""#, "[]"] {
                let jwk = testing::jwk(algorithm, &format!(r#","{parameter}":{value}"#));
                assert_eq!(refused(&jwk), JwkError::PrivateKey, "{algorithm} {parameter}");
                assert!(read(&jwk, KeySource::Local).is_ok(), "{algorithm} {parameter}");
            }
        }
    }
    assert_eq!(refused(&testing::jwk(Algorithm::Hs256, "")), JwkError::SharedSecret);
    assert_eq!(refused(r#"{"kty":"oct"}"#), JwkError::SharedSecret);
}

#[test]
fn parameters_that_decide_nothing_may_be_anything() {
    let more = r#","x5c":null,"x5t":1,"x5u":"http://x","x5t#S256":[],"iat":"?","custom":{"a":[]}"#;
    for algorithm in [Algorithm::Rs256, Algorithm::Es512, Algorithm::EdDsa] {
        assert!(read(&testing::jwk(algorithm, more), KeySource::Remote).is_ok());
    }
}
