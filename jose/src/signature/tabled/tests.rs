#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use rsa::signature::Signer;

use super::*;
use crate::jwk::PublicKey;
use crate::testing::jwks;
use crate::{Algorithm, JwkSet, KeySource, VerifyingKey};

fn signer(number: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap()
}

fn key(number: u8) -> p256::ecdsa::VerifyingKey {
    *signer(number).verifying_key()
}

#[test]
fn equal_keys_share_a_table_as_long_as_one_of_them_is_there() {
    let tables = Tables::<P256Key>::new(2);
    assert!(tables.find(&key(1)).is_none());
    let first = tables.find_or_build(&key(1)).unwrap();
    assert!(Arc::ptr_eq(&first, &tables.find_or_build(&key(1)).unwrap()));
    let found = tables.find(&key(1)).unwrap();
    assert!(Arc::ptr_eq(&first, &found));
    drop(first);
    assert!(tables.find(&key(1)).is_some(), "one is left");
    drop(found);
    assert!(tables.find(&key(1)).is_none());
}

#[test]
fn there_are_no_more_tables_than_the_bound_and_one_that_goes_makes_room() {
    let tables = Tables::<P256Key>::new(2);
    let (first, second) = (
        tables.find_or_build(&key(1)).unwrap(),
        tables.find_or_build(&key(2)).unwrap(),
    );
    assert!(tables.find_or_build(&key(3)).is_none());
    assert!(Arc::ptr_eq(&first, &tables.find_or_build(&key(1)).unwrap()));
    drop(second);
    assert!(tables.find(&key(3)).is_none(), "looking builds nothing");
    assert!(tables.find_or_build(&key(3)).is_some());
}

#[test]
fn a_key_gets_its_table_with_its_first_signature_and_verifies_the_same_without_one() {
    let good: p256::ecdsa::Signature = signer(4).sign(b"message");
    let (with, without) = (TabledKey::<P256Key>::new(key(4)), TabledKey::<P256Key>::new(key(4)));
    without.forgo_table();
    assert!(!with.has_table());
    for (key, has_table) in [(&with, true), (&without, false)] {
        assert!(key.verify(b"message", &good).is_ok());
        assert!(key.verify(b"Message", &good).is_err());
        assert_eq!(key.has_table(), has_table);
    }
    with.forgo_table();
    assert!(with.has_table(), "what is there stays");
    // Read anew, as at a refresh, while the old one is still there.
    assert!(TabledKey::<P256Key>::new(key(4)).has_table());
    drop(with);
    assert!(!TabledKey::<P256Key>::new(key(4)).has_table());

    // No other test has this key: another's table would be shared.
    let signer = ed25519_dalek::SigningKey::from_bytes(&[4; 32]);
    let good = signer.sign(b"message");
    let ed25519 = || TabledKey::<Ed25519Key>::new(signer.verifying_key());
    let (with, without) = (ed25519(), ed25519());
    without.forgo_table();
    for key in [&with, &without] {
        assert!(key.verify(b"message", &good).is_ok());
        assert!(key.verify(b"Message", &good).is_err());
    }
    assert!(with.has_table() && !without.has_table());
}

#[test]
fn both_kernels_serve_every_key_that_the_crates_take() {
    for number in 1..=20 {
        assert!(P256Key::build(&key(number)).is_some(), "{number}");
        let key = ed25519_dalek::SigningKey::from_bytes(&[number; 32]).verifying_key();
        assert!(Ed25519Key::build(&key).is_some(), "{number}");
    }
}

#[test]
fn only_the_first_keys_of_a_set_get_tables_and_a_refreshed_set_has_those_of_the_old_one() {
    let signers: Vec<_> = (21..=30).map(signer).collect();
    let document = jwks(
        &signers
            .iter()
            .map(|signer| {
                let point = signer.verifying_key().to_sec1_point(false);
                let [x, y] = [point.x(), point.y()].map(|bytes| bytes.unwrap().as_slice().try_into().unwrap());
                serde_json::to_string(&PublicKey::p256(&x, &y)).unwrap()
            })
            .collect::<Vec<_>>(),
    );
    let read = || JwkSet::parse(document.as_bytes(), KeySource::Remote).unwrap();
    let tables = |set: &JwkSet| set.keys().iter().filter(|key| key.has_table()).count();
    let old = read();
    assert_eq!(tables(&old), 0, "none is built when a set is read");
    for (key, signer) in old.keys().iter().zip(&signers) {
        let signature: p256::ecdsa::Signature = signer.sign(b"message");
        for _ in 0..2 {
            assert_eq!(key.verify(Algorithm::Es256, b"message", &signature.to_bytes()), Ok(()));
        }
    }
    assert_eq!(tables(&old), MAX_TABLES_OF_A_SET);
    assert!(old.keys()[..MAX_TABLES_OF_A_SET].iter().all(VerifyingKey::has_table));
    let new = read();
    drop(old);
    assert_eq!(tables(&new), MAX_TABLES_OF_A_SET);
    drop(new);
    assert_eq!(tables(&read()), 0);
}
