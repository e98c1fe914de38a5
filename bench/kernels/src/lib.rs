//! Times the verification kernels against the crates that they stand in for. `run.mjs` loads this module into V8, hands
//! it keys and signatures that it made, and calls both sides in turns.
//!
//! The host writes a case's fields byte by byte, so that nothing here needs a raw pointer; only what follows is timed.
#![allow(
    clippy::missing_panics_doc,
    reason = "a defect here ends a measurement and nothing else"
)]

use std::cell::RefCell;
use std::hint::black_box;

use ed25519_dalek::Verifier;
use jose::kernel::{Ed25519Key, P256Key, RsaPublicOperation};
use rsa::BoxedUint;
use sha2::{Digest, Sha256};

/// One operation that is timed; whether it gave what was expected.
type Operation = Box<dyn Fn() -> bool>;

thread_local! {
    static FIELDS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    static OPERATIONS: RefCell<Vec<Operation>> = const { RefCell::new(Vec::new()) };
}

/// Begins a field of the next case.
#[unsafe(no_mangle)]
pub extern "C" fn begin_field() {
    FIELDS.with_borrow_mut(|fields| fields.push(Vec::new()));
}

/// Adds a byte to the field.
#[unsafe(no_mangle)]
pub extern "C" fn add_byte(byte: u8) {
    FIELDS.with_borrow_mut(|fields| fields.last_mut().expect("a field was begun").push(byte));
}

/// Makes an operation of the fields: key, message and signature. Returns its number.
#[unsafe(no_mangle)]
pub extern "C" fn make_operation(kind: u32) -> usize {
    let fields = FIELDS.take();
    let operation = operation(kind, fields);
    OPERATIONS.with_borrow_mut(|operations| {
        operations.push(operation);
        operations.len() - 1
    })
}

/// Runs an operation so often and returns how often it gave what was expected.
#[unsafe(no_mangle)]
pub extern "C" fn run(operation: usize, times: u32) -> u32 {
    OPERATIONS.with_borrow(|operations| (0..times).map(|_| u32::from(black_box(&operations[operation])())).sum())
}

fn operation(kind: u32, fields: Vec<Vec<u8>>) -> Operation {
    let [first, second, message, signature] = fields.try_into().expect("two fields of the key, message, signature");
    match kind {
        0 => {
            let key = rsa_key(&first, &second);
            Box::new(move || key.pkcs1v15_verify::<Sha256>(&message, &signature).is_ok())
        }
        1 => {
            let key = RsaPublicOperation::new(&first, 65537).expect("a modulus with a kernel");
            Box::new(move || key.verify_pkcs1v15::<Sha256>(&message, &signature))
        }
        2 => {
            let key = p256_key(&first, &second);
            let signature = p256::ecdsa::Signature::from_slice(&signature).expect("a signature");
            Box::new(move || p256::ecdsa::signature::Verifier::verify(&key, &message, &signature).is_ok())
        }
        3 => {
            let key = P256Key::new(&array(&first), &array(&second)).expect("a point");
            let signature = array(&signature);
            Box::new(move || key.verify_prehash(&Sha256::digest(&message).into(), &signature))
        }
        4 => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(&array(&first)).expect("a point");
            let signature = ed25519_dalek::Signature::from_bytes(&array(&signature));
            Box::new(move || key.verify(&message, &signature).is_ok())
        }
        5 => {
            let key = Ed25519Key::new(&array(&first)).expect("a point");
            let signature = array(&signature);
            Box::new(move || key.verify(&message, &signature))
        }
        // The preparation of keys
        6 => Box::new(move || rsa_key(&first, &second).pkcs1v15_verify::<Sha256>(&[], &[]).is_err()),
        7 => Box::new(move || RsaPublicOperation::new(&first, 65537).is_some()),
        8 => Box::new(move || black_box(p256_key(&first, &second)).as_affine() != &p256::AffinePoint::IDENTITY),
        9 => Box::new(move || P256Key::new(&array(&first), &array(&second)).is_some()),
        10 => Box::new(move || ed25519_dalek::VerifyingKey::from_bytes(&array(&first)).is_ok()),
        11 => Box::new(move || Ed25519Key::new(&array(&first)).is_some()),
        // What each RS256 and ES256 has in it besides
        12 => Box::new(move || black_box(Sha256::digest(&message)).len() == 32),
        _ => panic!("no operation has the number {kind}"),
    }
}

fn rsa_key(modulus: &[u8], exponent: &[u8]) -> rsa::PublicKey {
    let number = BoxedUint::from_be_slice_vartime;
    rsa::PublicKey::new(number(modulus), number(exponent)).expect("an RSA key")
}

fn p256_key(x: &[u8], y: &[u8]) -> p256::ecdsa::VerifyingKey {
    p256::ecdsa::VerifyingKey::from_sec1_bytes(&[&[4], x, y].concat()).expect("a point")
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("a field of the right length")
}
