#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::{json, testing};

fn read(jwk: &str, source: KeySource) -> Result<VerifyingKey, JwkError> {
    VerifyingKey::from_jwk(&json::parse(jwk.as_bytes()).unwrap(), source)
}

fn algorithms(jwk: &str) -> Vec<Algorithm> {
    read(jwk, KeySource::Local).unwrap().algorithms().iter().collect()
}

#[test]
fn a_key_verifies_the_algorithms_of_its_type_and_only_the_one_that_it_names() {
    use Algorithm as A;
    let rsa = [A::Rs256, A::Rs384, A::Rs512, A::Ps256, A::Ps384, A::Ps512];
    let hmac = [A::Hs256, A::Hs384, A::Hs512];
    for algorithm in Algorithm::ALL {
        let fitting: &[Algorithm] = if rsa.contains(&algorithm) {
            &rsa
        } else if hmac.contains(&algorithm) {
            &hmac
        } else {
            &[algorithm]
        };
        assert_eq!(algorithms(&testing::jwk(algorithm, "")), fitting, "{algorithm}");
        for named in Algorithm::ALL {
            let jwk = testing::jwk(algorithm, &format!(r#","alg":"{named}""#));
            if fitting.contains(&named) {
                assert_eq!(algorithms(&jwk), [named], "{algorithm} key, named {named}");
            } else {
                assert_eq!(
                    read(&jwk, KeySource::Local).unwrap_err(),
                    JwkError::AlgorithmMismatch,
                    "{algorithm}, {named}"
                );
            }
        }
    }
}

#[test]
fn a_key_says_its_name_and_an_empty_name_is_none() {
    let named = |member: &str| read(&testing::jwk(Algorithm::Es256, member), KeySource::Remote);
    assert_eq!(named(r#","kid":"one""#).unwrap().key_id(), Some("one"));
    assert_eq!(named("").unwrap().key_id(), None);
    assert_eq!(named(r#","kid":"""#).unwrap().key_id(), None);
    let longest = "k".repeat(1024);
    assert_eq!(
        named(&format!(r#","kid":"{longest}""#)).unwrap().key_id(),
        Some(longest.as_str())
    );
    assert_eq!(
        named(&format!(r#","kid":"{longest}k""#)).unwrap_err(),
        JwkError::KeyIdTooLong
    );
    for other in ["1", "null", "[]", "{}"] {
        assert_eq!(
            named(&format!(r#","kid":{other}"#)).unwrap_err(),
            JwkError::WrongType("kid")
        );
    }
}

#[test]
fn use_and_key_ops_must_allow_verification() {
    let table = [
        (r#","use":"sig""#, None),
        (r#","key_ops":["verify"]"#, None),
        (r#","key_ops":["sign","verify"],"use":"sig""#, None),
        (r#","use":"enc""#, Some(JwkError::NotForSignatures)),
        (r#","use":"SIG""#, Some(JwkError::NotForSignatures)),
        (r#","use":"""#, Some(JwkError::NotForSignatures)),
        (r#","use":null"#, Some(JwkError::WrongType("use"))),
        (r#","use":["sig"]"#, Some(JwkError::WrongType("use"))),
        (r#","key_ops":[]"#, Some(JwkError::NotForVerification)),
        (r#","key_ops":["sign"]"#, Some(JwkError::NotForVerification)),
        (
            r#","key_ops":["encrypt","wrapKey"]"#,
            Some(JwkError::NotForVerification),
        ),
        (r#","key_ops":["Verify"]"#, Some(JwkError::NotForVerification)),
        (r#","key_ops":"verify""#, Some(JwkError::WrongType("key_ops"))),
        (r#","key_ops":null"#, Some(JwkError::WrongType("key_ops"))),
        (r#","key_ops":["verify",1]"#, Some(JwkError::WrongType("key_ops"))),
        (r#","key_ops":["sign"],"use":"sig""#, Some(JwkError::NotForVerification)),
        (r#","key_ops":["verify"],"use":"enc""#, Some(JwkError::NotForSignatures)),
    ];
    for algorithm in [Algorithm::Rs256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Hs256] {
        for (members, reason) in table {
            let outcome = read(&testing::jwk(algorithm, members), KeySource::Local);
            assert_eq!(outcome.err(), reason, "{algorithm} {members}");
        }
    }
}

#[test]
fn a_key_does_not_verify_what_it_is_not_for() {
    for algorithm in Algorithm::ALL {
        let key = read(&testing::jwk(algorithm, ""), KeySource::Local).unwrap();
        let named = read(
            &testing::jwk(algorithm, &format!(r#","alg":"{algorithm}""#)),
            KeySource::Local,
        )
        .unwrap();
        let signature = testing::sign(algorithm, b"message");
        assert_eq!(named.verify(algorithm, b"message", &signature), Ok(()), "{algorithm}");
        assert_eq!(key.verify(algorithm, b"message", &signature), Ok(()), "{algorithm}");
        assert_eq!(
            key.verify(algorithm, b"Message", &signature),
            Err(SignatureError::Mismatch),
            "{algorithm}"
        );
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            let expected = if key.algorithms().contains(other) {
                SignatureError::Mismatch
            } else {
                SignatureError::AlgorithmMismatch
            };
            assert_eq!(
                key.verify(other, b"message", &signature),
                Err(expected),
                "{algorithm} as {other}"
            );
            let signature = testing::sign(other, b"message");
            let outcome = named.verify(other, b"message", &signature);
            assert_eq!(
                outcome,
                Err(SignatureError::AlgorithmMismatch),
                "{algorithm} as {other}"
            );
        }
    }
}

#[test]
fn a_key_shows_its_name_and_nothing_of_itself() {
    let key = read(&testing::jwk(Algorithm::Hs256, r#","kid":"one""#), KeySource::Local).unwrap();
    assert_eq!(
        format!("{key:?}"),
        r#"VerifyingKey { key_id: Some("one"), algorithms: {"HS256", "HS384", "HS512"}, .. }"#
    );
}

#[test]
fn keys_are_one_when_name_algorithm_and_material_are() {
    const P256: &str = r#""kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU""#;
    // The same point on the other side of the axis.
    const MIRRORED: &str = r#""kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"sBy9HAHlgGVxGBS1g_Bh6dQxzKmUzqExNEm_l8hArgo""#;
    const SECRET: &str = r#""kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8""#;
    let key = |members: &str, more: &str| {
        let key = read(&format!("{{{members}{more}}}"), KeySource::Local);
        key.expect(members).identity()
    };
    let one = r#","kid":"one","alg":"ES256""#;
    for (other, other_more, same) in [
        (P256, one, true),
        (
            P256,
            r#","alg":"ES256","use":"sig","kid":"one","key_ops":["verify"],"x5t":"x""#,
            true,
        ),
        (P256, r#","kid":"two","alg":"ES256""#, false),
        (P256, r#","alg":"ES256""#, false),
        (P256, r#","kid":"one""#, false),
        // Lengths tell where one parameter ends and the next begins.
        (P256, r#","kid":"oneES256""#, false),
        (MIRRORED, one, false),
        (SECRET, r#","kid":"one""#, false),
    ] {
        assert_eq!(key(P256, one) == key(other, other_more), same, "{other_more}");
    }
    let longer = SECRET.replace("Hh8", "Hh8g");
    assert_eq!(key(SECRET, ""), key(SECRET, ""));
    assert_ne!(key(SECRET, ""), key(&longer, ""));
    assert_ne!(key(SECRET, r#","alg":"HS256""#), key(SECRET, ""));

    let rsa = testing::jwk(Algorithm::Rs256, r#","alg":"RS256""#);
    for (other, same) in [
        (rsa.clone(), true),
        (testing::jwk(Algorithm::Rs256, ""), false),
        (testing::jwk(Algorithm::Ps256, r#","alg":"PS256""#), false),
        (rsa.replace(r#""e":"AQAB""#, r#""e":"Aw""#), false),
    ] {
        let [one, other] = [&rsa, &other].map(|jwk| read(jwk, KeySource::Remote).unwrap().identity());
        assert_eq!(one == other, same, "{other:?}");
    }
}

/// Answers as it was told to, and counts how often it was asked.
#[derive(Debug)]
struct Oracle {
    answer: Option<bool>,
    asked: std::cell::Cell<usize>,
}

impl RsaDelegate for Oracle {
    fn verify(&self, _algorithm: Algorithm, _key: &[u8], _message: &[u8], _signature: &[u8]) -> Option<bool> {
        self.asked.set(self.asked.get() + 1);
        self.answer
    }
}

/// Whether a signature is accepted with a delegate that answers so, and how often that was asked.
fn with_oracle(
    key: &VerifyingKey,
    algorithm: Algorithm,
    signature: &[u8],
    answer: Option<bool>,
) -> (Result<(), SignatureError>, usize) {
    let oracle = Oracle {
        answer,
        asked: std::cell::Cell::new(0),
    };
    let outcome = key.verify_with(Some(&oracle), algorithm, b"message", signature);
    (outcome, oracle.asked.get())
}

#[test]
fn a_delegate_is_asked_about_pkcs1v15_and_nothing_else() {
    use Algorithm as A;
    for algorithm in A::ALL {
        let key = read(&testing::jwk(algorithm, ""), KeySource::Local).unwrap();
        let signature = testing::sign(algorithm, b"message");
        if matches!(algorithm, A::Rs256 | A::Rs384 | A::Rs512) {
            let refused = Err(SignatureError::Mismatch);
            assert_eq!(with_oracle(&key, algorithm, &signature, Some(false)), (refused, 1));
            assert_eq!(with_oracle(&key, algorithm, &signature, Some(true)), (Ok(()), 1));
        } else {
            assert_eq!(
                with_oracle(&key, algorithm, &signature, Some(false)),
                (Ok(()), 0),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn without_an_answer_the_signature_is_verified_here() {
    let key = read(&testing::jwk(Algorithm::Rs256, ""), KeySource::Local).unwrap();
    let mut signature = testing::sign(Algorithm::Rs256, b"message");
    assert_eq!(with_oracle(&key, Algorithm::Rs256, &signature, None), (Ok(()), 1));
    *signature.last_mut().unwrap() ^= 1;
    let refused = Err(SignatureError::Mismatch);
    assert_eq!(with_oracle(&key, Algorithm::Rs256, &signature, None), (refused, 1));
}

#[test]
fn no_delegate_can_accept_what_can_not_be_a_signature() {
    let key = read(&testing::jwk(Algorithm::Rs256, ""), KeySource::Local).unwrap();
    let signature = testing::sign(Algorithm::Rs256, b"message");
    let modulus = rsa::traits::PublicKeyParts::n_bytes(testing::rsa_key().as_ref()).to_vec();
    let longer = [&[0], signature.as_slice()].concat();
    for impossible in [&[][..], &signature[1..], &longer, &[0xff; 256], &modulus] {
        let refused = Err(SignatureError::Mismatch);
        assert_eq!(
            with_oracle(&key, Algorithm::Rs256, impossible, Some(true)),
            (refused, 0)
        );
    }
    // Nor whether the key is for the algorithm.
    let named = read(&testing::jwk(Algorithm::Rs256, r#","alg":"RS512""#), KeySource::Local).unwrap();
    let refused = Err(SignatureError::AlgorithmMismatch);
    assert_eq!(
        with_oracle(&named, Algorithm::Rs256, &signature, Some(true)),
        (refused, 0)
    );
}
