//! Random and adversarial signatures in any number, judged by the kernel and by the `p256` crate.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use num_bigint::BigUint;
use p256::elliptic_curve::point::DecompressPoint;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};

use super::tests::{Key, ORDER_HEX, PRIME_HEX, edges, number, scalar};
use crate::kernel::testing::{Random, Tally, big_endian, from_hex};

const USUALLY: u64 = if cfg!(target_arch = "wasm32") { 200 } else { 4000 };

struct Cases {
    random: Random,
    tally: Tally,
    order: BigUint,
    edges: Vec<BigUint>,
    /// What r and s may be wrongly.
    beyond: Vec<BigUint>,
}

impl Cases {
    fn below_order(&mut self) -> BigUint {
        if self.random.below(3) == 0 {
            self.edges[self.random.below(self.edges.len())].clone()
        } else {
            self.random.number_below(&self.order)
        }
    }

    fn any(&mut self) -> BigUint {
        match self.random.below(4) {
            0 => self.beyond[self.random.below(self.beyond.len())].clone(),
            1 => self.random.number(256),
            _ => self.below_order(),
        }
    }

    /// A key with one of u1 and u2 that make its sums difficult.
    fn difficult(&mut self, secret: &BigUint) -> (BigUint, BigUint) {
        let (u1, u2, low) = (
            self.below_order(),
            self.below_order(),
            BigUint::from(self.random.next() % 40),
        );
        let (multiple, inverse) = (&u2 * secret % &self.order, number(&scalar(secret).invert().unwrap()));
        match self.random.below(6) {
            // u1·G = u2·Q and u1·G = −u2·Q
            0 => (multiple, u2),
            1 => ((&self.order - multiple) % &self.order, u2),
            // Only the lowest digits are left when the sum so far meets its summand or the negative of it.
            2 => ((&u1 + &low) * secret, low),
            3 => ((&self.order + &u1 - &low) * secret, low),
            4 => (low.clone(), (&u1 + low) * inverse),
            _ => (u1, u2),
        }
    }

    /// A good signature and what differs from it a little.
    fn around(&mut self, key: &Key, other: &Key, (hash, r, s): ([u8; 32], BigUint, BigUint), good: bool) {
        assert_eq!(self.tally.note(key.verdict(&hash, &r, &s)), good);
        let high = &self.order - &s % &self.order;
        assert_eq!(self.tally.note(key.verdict(&hash, &r, &high)), good);
        let mut changed = hash;
        changed[self.random.below(32)] ^= 1 << self.random.below(8);
        let bit = BigUint::from(1_u8) << self.random.below(256);
        let all = BigUint::from(1_u8) << 256;
        let (key, (hash, r, s)) = match self.random.below(10) {
            0 => (key, (changed, r, s)),
            1 => (key, (hash, r ^ bit, s)),
            2 => (key, (hash, r, s ^ bit)),
            3 => (key, (hash, (r + &self.order) % all, s)),
            4 => (key, (hash, r, (s + &self.order) % all)),
            5 => (key, (hash, &self.order - r, s)),
            6 => (key, (hash, s, r)),
            7 => (key, (hash, self.any(), s)),
            8 => (key, (hash, r, self.any())),
            _ => (other, (hash, r, s)),
        };
        self.tally.note(key.verdict(&hash, &r, &s));
    }

    /// A point that may have an x-coordinate above the order, and the key for which a signature leads to it.
    fn leading_to_a_point(&mut self, other: &Key) {
        let gap = from_hex(PRIME_HEX) - &self.order;
        let x = match self.random.below(3) {
            0 => &self.order + self.random.number_below(&gap),
            1 => self.random.number_below(&gap),
            _ => self.random.number_below(&self.order),
        };
        let (u1, u2) = (scalar(&self.below_order()), scalar(&(self.below_order() + 1_u8)));
        let odd = u8::from(self.random.below(2) == 1);
        let bytes = FieldBytes::from(big_endian::<32>(&x));
        let Some(point) = Option::<AffinePoint>::from(AffinePoint::decompress(&bytes, odd.into())) else {
            return;
        };
        let Some(inverse) = Option::<Scalar>::from(u2.invert()) else {
            return;
        };
        let key = (ProjectivePoint::from(point) - ProjectivePoint::GENERATOR * u1) * inverse;
        let (r, s) = (scalar(&x), scalar(&x) * inverse);
        if key == ProjectivePoint::IDENTITY || number(&r) == BigUint::ZERO {
            return;
        }
        let signature = (big_endian(&number(&(u1 * s))), number(&r), number(&s));
        self.around(&Key::new(&key), other, signature, true);
    }
}

#[test]
fn random_and_adversarial_signatures_are_judged_as_the_reference_does() {
    let tally = Tally::new("P-256", USUALLY);
    let (order, all) = (from_hex(ORDER_HEX), BigUint::from(1_u8) << 256);
    let mut cases = Cases {
        random: tally.random(),
        tally,
        edges: edges(),
        beyond: [0_u8, 1, 2]
            .iter()
            .flat_map(|small| [&order + *small, from_hex(PRIME_HEX) + *small, &all - 1_u8 - *small])
            .collect(),
        order,
    };
    let other = Key::new(&(ProjectivePoint::GENERATOR * scalar(&BigUint::from(77_u8))));
    while !cases.tally.is_full() {
        let secret = cases.below_order();
        if secret == BigUint::ZERO {
            continue;
        }
        let key = Key::new(&(ProjectivePoint::GENERATOR * scalar(&secret)));
        for _ in 0..64 {
            let (u1, u2) = cases.difficult(&secret);
            let infinity = (&u1 + &u2 * &secret) % &cases.order == BigUint::ZERO;
            if let Some(signature) = key.signature_for(&u1, &u2) {
                cases.around(&key, &other, signature, !infinity);
            }
            let (hash, r, s) = (big_endian(&cases.random.number(256)), cases.any(), cases.any());
            cases.tally.note(key.verdict(&hash, &r, &s));
        }
        cases.leading_to_a_point(&key);
    }
    cases.tally.report();
}
