//! Ed25519: the kernel takes the keys and judges the signatures as the `ed25519-dalek` crate does.
#![no_main]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use jose::kernel::Ed25519Key;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha512};

/// Three values and a message: with `None` a key, R and S of any kind, else a secret and a nonce of which a signature is
/// made, with parts of small order in the key and in R.
type Input<'a> = (Option<u8>, [u8; 32], [u8; 32], [u8; 32], &'a [u8]);

fuzz_target!(|input: Input<'_>| {
    let (torsion, first, second, third, message) = input;
    let (key, r, s, good) = match torsion {
        None => (first, second, third, false),
        Some(torsion) => {
            let [secret, nonce] = [first, second].map(Scalar::from_bytes_mod_order);
            let (of_key, of_r) = (torsion % 8, torsion / 8 % 8);
            let key = ED25519_BASEPOINT_POINT * secret + EIGHT_TORSION[usize::from(of_key)];
            let r = ED25519_BASEPOINT_POINT * nonce + EIGHT_TORSION[usize::from(of_r)];
            let (key, r) = (key.compress().to_bytes(), r.compress().to_bytes());
            let hash = Sha512::new()
                .chain_update(r)
                .chain_update(key)
                .chain_update(message)
                .finalize();
            let s = nonce + Scalar::from_bytes_mod_order_wide(&hash.into()) * secret;
            (key, r, s.to_bytes(), torsion % 64 == 0)
        }
    };
    let reference = VerifyingKey::from_bytes(&key).ok();
    let canonical = reference.filter(|reference| reference.to_edwards().compress().to_bytes() == key);
    let kernel = Ed25519Key::new(&key);
    assert_eq!(kernel.is_some(), canonical.is_some());
    let (Some(kernel), Some(reference)) = (kernel, canonical) else {
        return;
    };
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&s);
    let expected = reference.verify(message, &Signature::from_bytes(&signature)).is_ok();
    assert_eq!(kernel.verify(message, &signature), expected);
    assert!(expected || !good, "made to be good");
});
