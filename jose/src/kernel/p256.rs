//! ECDSA on P-256 (FIPS 186-5 section 6.4.2) with a table for each key.

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod differential;
mod field;
mod point;
mod table;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

use std::sync::OnceLock;

use field::{Element, PRIME};
use point::{Affine, Sum};
use table::Table;

use super::inverse::inverse;
use super::limbs::{self, Limbs};
use super::order::{Modulus, is_negative};

/// The order of the base point
static ORDER: Modulus = Modulus {
    limbs: [
        0x1c63_2551,
        0x1dce_5617,
        0x05e7_a13c,
        0x0df5_5b4e,
        0x1fff_fbce,
        0x1fff_ffff,
        0x3_ffff,
        0x1fe0_0000,
        0xff_ffff,
    ],
    inverse: 0x11ff_43b1,
    r_squared: [
        0x148d_9ef5,
        0x0f4e_7f75,
        0x14c6_a651,
        0x03f8_b765,
        0x1658_61f1,
        0x1256_d7d8,
        0x1c18_5b23,
        0x0d4c_ab0f,
        0x84_b655,
    ],
};

/// The base point
const BASE: Affine = Affine {
    x: Element([
        0x1522_8783,
        0x0730_d418,
        0x0db0_0bcf,
        0x057f_11fb,
        0x0a20_eb75,
        0x12b7_7622,
        0x0330_fdb9,
        0x1af4_dd57,
        0x12_0bee,
    ]),
    y: Element([
        0x12aa_c150,
        0x1253_57ce,
        0x0f22_e6ef,
        0x0e39_0e86,
        0x064b_1695,
        0x088d_d21f,
        0x02a9_7443,
        0x0296_2176,
        0xae_3fe3,
    ]),
};

/// The base point's table is shared by all keys, so it may be larger than theirs: 170 KB and fewer additions.
static BASE_TABLE: OnceLock<Table<7, 37>> = OnceLock::new();

/// A P-256 public key with its table of 60 KB.
#[derive(Clone)]
pub struct P256Key {
    table: Table<5, 52>,
}

impl P256Key {
    /// Prepares a key from its big-endian coordinates (SEC 1 section 2.3.3). `None` unless they are below p and the point
    /// is on the curve.
    #[must_use]
    pub fn new(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let [x, y] = [x, y].map(limbs::from_big_endian);
        if !is_below(&x, &PRIME) || !is_below(&y, &PRIME) {
            return None;
        }
        let point = Affine {
            x: Element::from_limbs(&x).canonical(),
            y: Element::from_limbs(&y).canonical(),
        };
        // x³ − 3x + b − y²
        let factor = point
            .x
            .square()
            .subtract(&Element::ONE.add(&Element::ONE).add(&Element::ONE))
            .settle();
        let right = factor.multiply(&point.x).add(&Element::B);
        if !right.subtract(&point.y.square()).is_zero() {
            return None;
        }
        BASE_TABLE.get_or_init(|| Table::new(&BASE));
        Some(Self {
            table: Table::new(&point),
        })
    }

    /// Verifies r and s, 32 bytes each, over a message's hash. A high s is accepted.
    #[must_use]
    pub fn verify_prehash(&self, hash: &[u8; 32], signature: &[u8; 64]) -> bool {
        let Some((r, s)) = signature.split_first_chunk::<32>() else {
            return false;
        };
        let Some(s) = s.first_chunk::<32>() else {
            return false;
        };
        let [e, r, s] = [hash, r, s].map(limbs::from_big_endian);
        let zero = [0; limbs::LIMBS];
        if r == zero || s == zero || !is_below(&r, &ORDER) || !is_below(&s, &ORDER) {
            return false;
        }
        // s⁻¹·R, so that the products below come out plain
        let w = ORDER.multiply(&inverse(&s, &ORDER), &ORDER.r_squared);
        let (u1, u2) = (ORDER.multiply(&e, &w), ORDER.multiply(&r, &w));
        let mut sum = Sum::Infinity;
        BASE_TABLE.get_or_init(|| Table::new(&BASE)).add_multiple(&u1, &mut sum);
        self.table.add_multiple(&u2, &mut sum);
        let Sum::Finite(point) = sum else {
            return false;
        };
        // x = X/ZZ modulo p is r or, if that is below p, r + n: without an inversion, r·ZZ = X
        let is_x = |x: &Limbs| Element::from_limbs(x).multiply(&point.zz).subtract(&point.x).is_zero();
        let wrapped = limbs::settle(limbs::add(&r, &ORDER.limbs));
        is_x(&r) || is_below(&wrapped, &PRIME) && is_x(&wrapped)
    }
}

/// Whether a settled number that is not negative is below a modulus.
fn is_below(number: &Limbs, modulus: &Modulus) -> bool {
    is_negative(&limbs::settle(limbs::subtract(number, &modulus.limbs)))
}

/// The prime and the order, for tests of what is common to all moduli.
#[cfg(test)]
pub(super) fn moduli() -> [&'static Modulus; 2] {
    [&PRIME, &ORDER]
}
