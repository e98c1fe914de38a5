//! Random and adversarial signatures in any number, judged by the kernel and by the `ed25519-dalek` crate.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::{EdwardsPoint, Scalar};
use num_bigint::BigUint;
use sha2::{Digest, Sha512};

use super::tests::{Key, ORDER_HEX, PRIME_HEX, SMALL_ORDER, bytes, curve25519_scalar};
use crate::kernel::testing::{Random, Tally, from_hex, little_endian};

const USUALLY: u64 = if cfg!(target_arch = "wasm32") { 200 } else { 4000 };

struct Cases {
    random: Random,
    tally: Tally,
    order: BigUint,
    /// Spellings of R that are the only correct one or not, of points that are of small order or none at all.
    spellings: Vec<[u8; 32]>,
}

impl Cases {
    fn scalar(&mut self) -> Scalar {
        let number = match self.random.below(8) {
            0 => BigUint::from(self.random.next() % 40),
            1 => &self.order - 1_u8 - self.random.next() % 40,
            2 => (BigUint::from(1_u8) << self.random.below(253)) % &self.order,
            _ => self.random.number_below(&self.order),
        };
        curve25519_scalar(&number)
    }

    /// A point of small order, most often the neutral one.
    fn torsion(&mut self) -> EdwardsPoint {
        EIGHT_TORSION[self.random.below(32) % 8 * usize::from(self.random.below(2) == 1)]
    }

    fn s(&mut self, near: &[u8; 32]) -> [u8; 32] {
        let above = BigUint::from_bytes_le(near) + &self.order * (1 + self.random.next() % 15);
        let number = match self.random.below(4) {
            0 => above % (BigUint::from(1_u8) << 256),
            1 => &self.order + self.random.next() % 3 - 1_u8,
            2 => BigUint::from(self.random.next() % 3),
            _ => self.random.number(256),
        };
        little_endian(&number)
    }

    /// A signature that is good if what is of small order in R and in the key cancels out, and what differs from it a little.
    fn around(&mut self, key: &Key, other: &Key, secret: &Scalar) {
        let message = self.random.next().to_be_bytes();
        let message = &message[..self.random.below(9)];
        let nonce = self.scalar();
        let r = (B * nonce + self.torsion()).compress().to_bytes();
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(key.reference.as_bytes())
            .chain_update(message)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let s = (nonce + k * secret).to_bytes();
        self.tally.note(key.verdict(message, &r, &s));

        let (place, bit) = (self.random.below(32), 1 << self.random.below(8));
        let (mut other_r, mut other_s) = (r, s);
        other_r[place] ^= bit;
        other_s[place] ^= bit;
        let spelled = self.spellings[self.random.below(self.spellings.len())];
        let verdict = match self.random.below(7) {
            0 => key.verdict(message, &other_r, &s),
            1 => key.verdict(message, &r, &other_s),
            2 => key.verdict(&[message, &[0]].concat(), &r, &s),
            3 => key.verdict(message, &r, &self.s(&s)),
            4 => key.verdict(message, &spelled, &self.s(&s)),
            5 => other.verdict(message, &r, &s),
            _ => key.verdict(message, &(-(B * nonce)).compress().to_bytes(), &s),
        };
        self.tally.note(verdict);
    }
}

#[test]
fn random_and_adversarial_signatures_are_judged_as_the_reference_does() {
    let (tally, prime) = (Tally::new("Ed25519", USUALLY), from_hex(PRIME_HEX));
    let mut spellings: Vec<_> = SMALL_ORDER.iter().map(|hex| bytes(hex)).collect();
    spellings.extend(
        (0..19_u8)
            .flat_map(|small| [&prime + small, &prime - small, small.into()])
            .map(|y| little_endian(&y)),
    );
    for place in 0..spellings.len() {
        let mut other_sign = spellings[place];
        other_sign[31] ^= 0x80;
        spellings.push(other_sign);
    }
    let mut cases = Cases {
        random: tally.random(),
        tally,
        order: from_hex(ORDER_HEX),
        spellings,
    };
    let other = Key::new(&B.compress().to_bytes());
    while !cases.tally.is_full() {
        let secret = cases.scalar();
        let point = B * secret + cases.torsion();
        let key = Key::new(&point.compress().to_bytes());
        for _ in 0..128 {
            cases.around(&key, &other, &secret);
        }
    }
    cases.tally.report();
}
