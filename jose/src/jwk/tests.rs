#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::testing;
use crate::{JwkSet, KeySource};

#[test]
fn a_thumbprint_is_that_of_the_rfcs() {
    // RFC 7638 section 3.1
    let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebW\
                   KRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQM\
                   icAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcR\
                   wr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = PublicKey::rsa(&base64url::decode(modulus).unwrap(), &[1, 0, 1]);
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8037 appendix A.3
    let x = base64url::decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let ed25519 = PublicKey::ed25519(&x.try_into().unwrap());
    assert_eq!(ed25519.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // The key of RFC 7515 appendix A.3; no RFC prints its thumbprint, this one is jwcrypto's.
    let coordinate = |text| base64url::decode(text).unwrap().try_into().unwrap();
    let p256 = PublicKey::p256(
        &coordinate("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        &coordinate("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    );
    assert_eq!(p256.thumbprint(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

#[test]
fn what_an_issuer_publishes_is_what_the_gate_reads() {
    let published: Vec<Algorithm> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.family() != Family::Hmac)
        .collect();
    let set: PublicJwkSet = published
        .iter()
        .map(|algorithm| PublicJwk::new(algorithm.as_str(), *algorithm, testing::public_key(*algorithm)).unwrap())
        .collect();
    let read = JwkSet::parse(serde_json::to_string(&set).unwrap().as_bytes(), KeySource::Remote).unwrap();
    assert!(read.skipped().is_empty());
    assert_eq!(read.keys().len(), published.len());
    for (key, algorithm) in read.keys().iter().zip(published) {
        assert_eq!(key.key_id(), Some(algorithm.as_str()));
        assert_eq!(key.algorithms().iter().collect::<Vec<_>>(), [algorithm]);
        assert_eq!(
            key.verify(algorithm, b"message", &testing::sign(algorithm, b"message")),
            Ok(())
        );
    }
}

#[test]
fn a_published_key_has_these_members_and_no_others() {
    let key = PublicJwk::new("one", Algorithm::Rs256, PublicKey::rsa(&[0, 0, 0xff, 1], &[1, 0, 1])).unwrap();
    let expected = r#"{"kid":"one","use":"sig","alg":"RS256","kty":"RSA","n":"_wE","e":"AQAB"}"#;
    assert_eq!(serde_json::to_string(&key).unwrap(), expected);
    let set: PublicJwkSet = [key].into_iter().collect();
    assert_eq!(
        serde_json::to_string(&set).unwrap(),
        format!(r#"{{"keys":[{expected}]}}"#)
    );
    assert_eq!(set.keys().first().map(PublicJwk::key_id), Some("one"));
    assert_eq!(
        serde_json::to_string(&PublicJwkSet::default()).unwrap(),
        r#"{"keys":[]}"#
    );

    let key = PublicJwk::new("two", Algorithm::EdDsa, PublicKey::ed25519(&[0; 32])).unwrap();
    let zeros = "A".repeat(43);
    let expected = format!(r#"{{"kid":"two","use":"sig","alg":"EdDSA","kty":"OKP","crv":"Ed25519","x":"{zeros}"}}"#);
    assert_eq!(serde_json::to_string(&key).unwrap(), expected);
}

#[test]
fn a_key_is_published_for_an_algorithm_of_its_kind_only() {
    for key_of in [
        Algorithm::Rs256,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::EdDsa,
    ] {
        for algorithm in Algorithm::ALL {
            let is_rsa = |algorithm: Algorithm| matches!(algorithm.family(), Family::RsaPkcs1v15 | Family::RsaPss);
            let fits = if is_rsa(key_of) {
                is_rsa(algorithm)
            } else {
                key_of == algorithm
            };
            let outcome = PublicJwk::new("a", algorithm, testing::public_key(key_of));
            assert_eq!(outcome.is_ok(), fits, "{key_of} for {algorithm}");
        }
    }
}

#[test]
fn a_key_may_be_named_by_its_thumbprint() {
    let key = PublicJwk::named_by_thumbprint(Algorithm::Es256, testing::public_key(Algorithm::Es256)).unwrap();
    assert_eq!(key.key_id(), key.thumbprint());
    assert_eq!(key.key_id(), key.key().thumbprint());
    assert_eq!(key.algorithm(), Algorithm::Es256);
    let other = PublicJwk::new("other", Algorithm::Es256, testing::public_key(Algorithm::Es256)).unwrap();
    assert_eq!(other.thumbprint(), key.thumbprint());
}

#[test]
fn numbers_have_no_zero_bytes_in_front() {
    let table: [(&[u8], &str); 5] = [
        (&[], ""),
        (&[0], "AA"),
        (&[0, 0], "AA"),
        (&[0, 1], "AQ"),
        (&[1, 0], "AQA"),
    ];
    for (number, text) in table {
        assert_eq!(unsigned(number), text, "{number:?}");
    }
}
