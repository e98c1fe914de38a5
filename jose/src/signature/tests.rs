#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use ::rsa::traits::PublicKeyParts;
use jwt_compact::{AlgorithmExt, UntrustedToken};
use sha2::Sha256;

use super::*;
use crate::testing::{self, SECRET, jwk, jwks};
use crate::{Algorithm as Name, JwkSet, KeySource, VerifyingKey};

fn key(algorithm: Name) -> VerifyingKey {
    JwkSet::parse(jwks(&[jwk(algorithm, "")]).as_bytes(), KeySource::Local)
        .unwrap()
        .keys()[0]
        .clone()
}

/// jwt-compact reads the token, compares the algorithm's name, cuts out what was signed, and asks the algorithm.
fn jwt_compact_accepts<A: Algorithm>(algorithm: &A, key: &A::VerifyingKey, token: &str) -> bool {
    let token = UntrustedToken::new(token).unwrap();
    let validator = algorithm.validator::<serde_json::Value>(key);
    validator
        .validate(&token)
        .is_ok_and(|token| token.claims().custom["sub"] == "me")
}

#[test]
fn jwt_compact_verifies_with_every_algorithm_of_ours() {
    let rsa = RsaKey::new(testing::rsa_key().to_public_key());
    let p256 = TabledKey::new(*testing::p256_key().verifying_key());
    let p384 = *testing::p384_key().verifying_key();
    let p521 = *testing::p521_key().verifying_key();
    let ed25519 = TabledKey::new(testing::ed25519_key().verifying_key());
    let accepts = |algorithm: Name, token: &str| match algorithm {
        Name::Rs256 => jwt_compact_accepts(&RS256, &rsa, token),
        Name::Rs384 => jwt_compact_accepts(&RS384, &rsa, token),
        Name::Rs512 => jwt_compact_accepts(&RS512, &rsa, token),
        Name::Ps256 => jwt_compact_accepts(&PS256, &rsa, token),
        Name::Ps384 => jwt_compact_accepts(&PS384, &rsa, token),
        Name::Ps512 => jwt_compact_accepts(&PS512, &rsa, token),
        Name::Es256 => jwt_compact_accepts(&ES256, &p256, token),
        Name::Es384 => jwt_compact_accepts(&ES384, &p384, token),
        Name::Es512 => jwt_compact_accepts(&ES512, &p521, token),
        Name::EdDsa => jwt_compact_accepts(&ED25519, &ed25519, token),
        Name::Hs256 => jwt_compact_accepts(&HS256, &::hmac::KeyInit::new_from_slice(&SECRET).unwrap(), token),
        Name::Hs384 => jwt_compact_accepts(&HS384, &::hmac::KeyInit::new_from_slice(&SECRET).unwrap(), token),
        Name::Hs512 => jwt_compact_accepts(&HS512, &::hmac::KeyInit::new_from_slice(&SECRET).unwrap(), token),
    };
    for algorithm in Name::ALL {
        let token = testing::token(algorithm, testing::header(algorithm), r#"{"sub":"me"}"#);
        assert!(accepts(algorithm, &token), "{algorithm}");
        let mistaken = testing::token(algorithm, r#"{"alg":"RS257"}"#, r#"{"sub":"me"}"#);
        assert!(!accepts(algorithm, &mistaken), "{algorithm}");
        let (input, _) = token.rsplit_once('.').unwrap();
        let forged = format!(
            "{input}.{}",
            crate::base64url::encode(testing::sign(algorithm, b"another message"))
        );
        assert!(!accepts(algorithm, &forged), "{algorithm}");
    }
}

#[test]
fn a_signature_gives_back_its_bytes() {
    fn round_trip<A: Algorithm>(_algorithm: &A, signature: &[u8]) -> bool {
        A::Signature::try_from_slice(signature).unwrap().as_bytes() == signature
    }
    assert!(round_trip(&RS256, &testing::sign(Name::Rs256, b"")));
    assert!(round_trip(&PS512, &testing::sign(Name::Ps512, b"")));
    assert!(round_trip(&ES256, &testing::sign(Name::Es256, b"")));
    assert!(round_trip(&ES384, &testing::sign(Name::Es384, b"")));
    assert!(round_trip(&ES512, &testing::sign(Name::Es512, b"")));
    assert!(round_trip(&ED25519, &testing::sign(Name::EdDsa, b"")));
    assert!(round_trip(&HS256, &testing::sign(Name::Hs256, b"")));
}

/// The curves' orders (SEC 2 version 2, sections 2.4.2, 2.5.1 and 2.6.1).
fn orders() -> [(Name, Vec<u8>); 3] {
    let (fs, zeros) = ("ff".repeat(33), "00".repeat(4));
    let hexadecimal = [
        (
            Name::Es256,
            format!("{}{zeros}{}bce6faada7179e84f3b9cac2fc632551", &fs[..8], &fs[..16]),
        ),
        (
            Name::Es384,
            format!("{}c7634d81f4372ddf581a0db248b0a77aecec196accc52973", &fs[..48]),
        ),
        (
            Name::Es512,
            format!(
                "01{}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
                &fs[..64]
            ),
        ),
    ];
    hexadecimal.map(|(algorithm, order)| {
        (
            algorithm,
            (0..order.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&order[at..at + 2], 16).unwrap())
                .collect(),
        )
    })
}

/// Big-endian numbers of one length: one less the other.
fn less(number: &[u8], other: &[u8]) -> Vec<u8> {
    let mut borrow = false;
    let mut difference: Vec<u8> = Vec::new();
    for (one, other) in number.iter().zip(other).rev() {
        let (digit, first) = one.overflowing_sub(*other);
        let (digit, second) = digit.overflowing_sub(u8::from(borrow));
        borrow = first || second;
        difference.insert(0, digit);
    }
    assert!(!borrow);
    difference
}

/// Big-endian numbers of one length: their sum, if it has that length too.
fn plus(number: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    let most = vec![0xff; number.len()];
    (less(&most, other).as_slice() >= number).then(|| less(&most, &less(&less(&most, other), number)))
}

#[test]
fn a_high_s_is_as_good_as_a_low_one() {
    let message = b"message";
    for (algorithm, order) in orders() {
        let signature = testing::sign(algorithm, message);
        let (r, s) = signature.split_at(order.len());
        let other = [r, &less(&order, s)].concat();
        assert_eq!(
            key(algorithm).verify(algorithm, message, &signature),
            Ok(()),
            "{algorithm}"
        );
        assert_eq!(key(algorithm).verify(algorithm, message, &other), Ok(()), "{algorithm}");
    }
}

#[test]
fn an_ecdsa_signature_in_der_or_with_numbers_out_of_range_is_malformed() {
    let message = b"message";
    for (algorithm, order) in orders() {
        let signature = testing::sign(algorithm, message);
        let (r, s) = signature.split_at(signature.len() / 2);
        assert_eq!(order.len(), r.len());
        let (zero, beyond) = (vec![0; r.len()], vec![0xff; r.len()]);
        let der = match algorithm {
            Name::Es256 => p256::ecdsa::Signature::from_slice(&signature)
                .unwrap()
                .to_der()
                .as_bytes()
                .to_vec(),
            Name::Es384 => p384::ecdsa::Signature::from_slice(&signature)
                .unwrap()
                .to_der()
                .as_bytes()
                .to_vec(),
            _ => p521::ecdsa::Signature::from_slice(&signature)
                .unwrap()
                .to_der()
                .as_bytes()
                .to_vec(),
        };
        for malformed in [
            der,
            Vec::new(),
            [r, &zero].concat(),
            [&zero, s].concat(),
            [r, &order].concat(),
            [&order, s].concat(),
            [r, &beyond].concat(),
            [&beyond, s].concat(),
            signature[1..].to_vec(),
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..], &[0]].concat(),
        ] {
            let outcome = key(algorithm).verify(algorithm, message, &malformed);
            assert_eq!(outcome, Err(SignatureError::Malformed), "{algorithm} {malformed:02x?}");
        }
    }
}

#[test]
fn an_rsa_signature_is_as_long_as_the_modulus_and_below_it() {
    let message = b"message";
    for algorithm in [Name::Rs256, Name::Ps256] {
        // A signature that leaves room for the modulus to be added without growing longer.
        let modulus = testing::rsa_key().n_bytes();
        let (message, signature) = (0_u8..=255)
            .map(|number| [message.as_slice(), &[number]].concat())
            .map(|message| (message.clone(), testing::sign(algorithm, &message)))
            .find(|(_, signature)| plus(signature, &modulus).is_some())
            .unwrap();
        let key = key(algorithm);
        assert_eq!(key.verify(algorithm, &message, &signature), Ok(()));
        let beyond = plus(&signature, &modulus).unwrap();
        for forged in [
            beyond,
            modulus.to_vec(),
            [&[0], &signature[..]].concat(),
            [&signature[..], &[0]].concat(),
            signature[..255].to_vec(),
        ] {
            assert_eq!(
                key.verify(algorithm, &message, &forged),
                Err(SignatureError::Mismatch),
                "{algorithm}"
            );
        }
        let outcome = key.verify(algorithm, &message, &[1; 1025]);
        assert_eq!(outcome, Err(SignatureError::Malformed));
    }
}

#[test]
fn a_pss_salt_is_as_long_as_the_hash() {
    let key = key(Name::Ps256);
    for salt_len in [0, 1, 20, 31, 32, 33, 64, 222] {
        let signature = testing::pss::<Sha256>(b"message", salt_len);
        let outcome = key.verify(Name::Ps256, b"message", &signature);
        assert_eq!(outcome.is_ok(), salt_len == 32, "{salt_len}");
    }
}

#[test]
fn an_hmac_tag_is_compared_whole() {
    for (algorithm, len) in [(Name::Hs256, 32), (Name::Hs384, 48), (Name::Hs512, 64)] {
        let tag = testing::sign(algorithm, b"message");
        assert_eq!(tag.len(), len);
        for shorter in 0..len {
            let outcome = key(algorithm).verify(algorithm, b"message", &tag[..shorter]);
            assert_eq!(outcome, Err(SignatureError::Mismatch), "{algorithm} {shorter}");
        }
        assert!(
            key(algorithm)
                .verify(algorithm, b"message", &[&tag[..], &[0]].concat())
                .is_err()
        );
        assert_eq!(key(algorithm).verify(algorithm, b"message", &tag), Ok(()));
    }
}

#[test]
fn rsa_keys_of_usual_size_and_exponent_have_the_kernel_and_all_others_the_crate() {
    use ::rsa::BoxedUint;
    let table: [(usize, u64, _); 8] = [
        (256, 65537, "RsaKey(Kernel)"),
        (384, 65537, "RsaKey(Kernel)"),
        (512, 65537, "RsaKey(Kernel)"),
        (256, 3, "RsaKey(General)"),
        (256, 65539, "RsaKey(General)"),
        (256, 1 + (1 << 32), "RsaKey(General)"),
        (257, 65537, "RsaKey(General)"),
        (511, 65537, "RsaKey(General)"),
    ];
    for (len, exponent, expected) in table {
        let modulus = BoxedUint::from_be_slice_vartime(&vec![0xff; len]);
        let key = ::rsa::PublicKey::new(modulus, BoxedUint::from(exponent)).unwrap();
        assert_eq!(format!("{:?}", RsaKey::new(key)), expected, "{len} {exponent}");
    }
}
