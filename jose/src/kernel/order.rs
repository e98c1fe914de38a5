//! Arithmetic modulo an odd number of about 256 bits, for the few multiplications modulo a curve's order that a signature
//! needs: Montgomery's method (HAC algorithm 14.36) with R = 2^261, for any modulus.

use super::limbs::{self, BITS, LIMBS, Limbs, MASK};

/// An odd modulus of 252 to 256 bits and what depends on it.
#[derive(Debug)]
pub(super) struct Modulus {
    /// The modulus
    pub(super) limbs: Limbs,
    /// Its inverse modulo 2^29
    pub(super) inverse: i64,
    /// R² modulo the modulus
    pub(super) r_squared: Limbs,
}

impl Modulus {
    /// a·b/R, between 0 and the modulus. Both factors are settled and between −2^260 and 2^260, and one of them is between
    /// minus the modulus and the modulus.
    pub(super) fn multiply(&self, a: &Limbs, b: &Limbs) -> Limbs {
        let mut columns = limbs::product(a, b);
        let mut carry = 0;
        for place in 0..LIMBS {
            let Some([lowest, others @ ..]) = columns.get_mut(place..place + LIMBS) else {
                continue;
            };
            *lowest += carry;
            let digit = lowest.wrapping_mul(-self.inverse) & MASK;
            let [lowest_limb, limbs @ ..] = &self.limbs;
            carry = (*lowest + digit * lowest_limb) >> BITS;
            for (column, limb) in others.iter_mut().zip(limbs) {
                *column += digit * limb;
            }
        }
        let mut quotient = [0; LIMBS];
        for (limb, column) in quotient.iter_mut().zip(columns.iter().skip(LIMBS)) {
            *limb = column + carry;
            carry = 0;
        }
        self.canonical(limbs::settle(quotient))
    }

    /// The same number modulo the modulus, between 0 and it, for a number that is at most a few multiples away.
    pub(super) fn canonical(&self, mut number: Limbs) -> Limbs {
        while is_negative(&number) {
            number = limbs::settle(limbs::add(&number, &self.limbs));
        }
        loop {
            let less = limbs::settle(limbs::subtract(&number, &self.limbs));
            if is_negative(&less) {
                return number;
            }
            number = less;
        }
    }
}

/// Whether a settled number is negative.
pub(super) fn is_negative(number: &Limbs) -> bool {
    let [.., highest] = number;
    *highest < 0
}
