//! Arithmetic modulo 2^255 − 19.
//!
//! An element's limbs are those of a number between 0 and about 2^255: below 2^29, the highest below 2^23, and the
//! second one off by 2^16 at most, because the last carry is not followed any further. Sums and differences of two such
//! are taken limb by limb. A multiplication takes one of them and an element, or a sum and a difference: then the limbs'
//! products stay below 2^59 and their columns below 2^62.2.

use super::super::inverse::inverse;
use super::super::limbs::{self, BITS, Columns, LIMBS, Limbs, MASK};
use super::super::order::Modulus;

/// 2^255 − 19
pub(super) static PRIME: Modulus = Modulus {
    limbs: [
        0x1fff_ffed,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x7f_ffff,
    ],
    inverse: 0x1794_35e5,
    r_squared: [0x16_9000, 0, 0, 0, 0, 0, 0, 0, 0],
};
/// 2^261 modulo p: what a limb beyond the ninth counts.
const ABOVE: i64 = 19 << 6;
/// How many bits the highest limb has: 8·29 + 23 = 255.
const HIGHEST_BITS: u32 = 23;

/// A number modulo 2^255 − 19.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element(pub(super) Limbs);

impl Element {
    pub(super) const ZERO: Self = Self([0; LIMBS]);
    pub(super) const ONE: Self = Self([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    /// The curve's d = −121665/121666
    pub(super) const D: Self = Self([
        0x1359_78a3,
        0x0f5a_6e50,
        0x1076_2add,
        0x0014_9a82,
        0x1e89_8007,
        0x003c_bbbc,
        0x19ce_331d,
        0x1dc5_6dff,
        0x0052_036c,
    ]);
    /// A square root of −1
    pub(super) const ROOT_OF_MINUS_ONE: Self = Self([
        0x0a0e_a0b0,
        0x0770_d93a,
        0x0bf9_1e31,
        0x0630_0d5a,
        0x1d7a_72f4,
        0x004c_9efd,
        0x1c2c_ad34,
        0x1009_f83b,
        0x002b_8324,
    ]);
    /// 1/2
    pub(super) const HALF: Self = Self([
        0x1fff_fff7,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x003f_ffff,
    ]);

    #[inline(always)]
    pub(super) fn add(&self, other: &Self) -> Self {
        Self(limbs::add(&self.0, &other.0))
    }

    #[inline(always)]
    pub(super) fn subtract(&self, other: &Self) -> Self {
        Self(limbs::subtract(&self.0, &other.0))
    }

    pub(super) fn negate(&self) -> Self {
        Self(self.0.map(|limb| -limb))
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self(reduce(limbs::product(&self.0, &other.0)))
    }

    pub(super) fn square(&self) -> Self {
        Self(reduce(limbs::square(&self.0)))
    }

    /// The inverse of a number other than 0.
    pub(super) fn inverse(&self) -> Self {
        Self(inverse(&self.canonical().0, &PRIME))
    }

    /// The same number between 0 and p.
    pub(super) fn canonical(&self) -> Self {
        Self(PRIME.canonical(limbs::settle(self.0)))
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        self.subtract(other).canonical().0 == [0; LIMBS]
    }
}

/// The columns' number modulo p: what is above 2^261 is added 19·2^6 times, what is then above 2^255 19 times.
#[inline(always)]
fn reduce(columns: Columns) -> Limbs {
    let [low @ .., h0, h1, h2, h3, h4, h5, h6, h7] = columns;
    // Each upper column in two parts, so that the multiplication fits; no carry waits for another here.
    let high = [
        h0 & MASK,
        (h1 & MASK) + (h0 >> BITS),
        (h2 & MASK) + (h1 >> BITS),
        (h3 & MASK) + (h2 >> BITS),
        (h4 & MASK) + (h3 >> BITS),
        (h5 & MASK) + (h4 >> BITS),
        (h6 & MASK) + (h5 >> BITS),
        (h7 & MASK) + (h6 >> BITS),
        h7 >> BITS,
    ];
    let mut limbs = low;
    for (limb, high) in limbs.iter_mut().zip(high) {
        *limb += ABOVE * high;
    }
    let mut limbs = limbs::settle(limbs);
    let [lowest, second, .., highest] = &mut limbs;
    let sum = *lowest + 19 * (*highest >> HIGHEST_BITS);
    *highest &= (1 << HIGHEST_BITS) - 1;
    *lowest = sum & MASK;
    *second += sum >> BITS;
    limbs
}
