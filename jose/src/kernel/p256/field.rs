//! Arithmetic modulo the prime of P-256 (SP 800-186 section 3.2.1.3), p = 2^256 − 2^224 + 2^192 + 2^96 − 1, in
//! Montgomery form with R = 2^261.
//!
//! Because p is −1 modulo 2^96, the quotient's digits of Montgomery's reduction are the columns' lowest bits as they
//! stand, and because p is a sum of few powers of two, a digit's multiple of p is four shifts. So the reduction needs no
//! multiplication.
//!
//! Sizes, in multiples of p: a product of a and b is reduced to more than a·b·p/R − 1 and less than a·b·p/R + 1, and
//! R/p > 31. Elements in a table lie between 0 and 1. Where a function asks for more than that, it says so.

use super::super::inverse::inverse;
use super::super::limbs::{self, BITS, Columns, LIMBS, Limbs, MASK};
use super::super::order::Modulus;

/// p
pub(super) static PRIME: Modulus = Modulus {
    limbs: [
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1ff,
        0,
        0,
        0x4_0000,
        0x1fe0_0000,
        0xff_ffff,
    ],
    inverse: 0x1fff_ffff,
    r_squared: [
        0xc00,
        0,
        0x1fff_0000,
        0x1fdf_ffff,
        0x1fbf_ffff,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1fff_fffe,
        0x13,
    ],
};
/// R³ modulo p
const R_CUBED: Limbs = [
    0x5_0000,
    0x1ff4_0000,
    0x1eff_ffff,
    0x0dff_ffff,
    0x07ff_ffff,
    0x1fff_ffff,
    0xb,
    0x10,
    0xc00,
];

/// A number modulo p: settled limbs, or a sum or difference of such.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element(pub(super) Limbs);

impl Element {
    /// 1, that is R modulo p
    pub(super) const ONE: Self = Self([
        0x20,
        0,
        0,
        0x1fff_c000,
        0x1fff_ffff,
        0x1fff_ffff,
        0x1f7f_ffff,
        0x03ff_ffff,
        0,
    ]);
    /// The curve's b
    pub(super) const B: Self = Self([
        0x1897_bbfb,
        0x1cdf_6229,
        0x0184_86c4,
        0x0173_2821,
        0x1dad_59e0,
        0x0abf_7212,
        0x1a06_d110,
        0x1772_1d20,
        0x0086_00c3,
    ]);

    /// Brings a number between −16p and 16p into Montgomery form.
    pub(super) fn from_limbs(number: &Limbs) -> Self {
        Self(*number).multiply(&Self(PRIME.r_squared))
    }

    /// The inverse of a number other than 0.
    pub(super) fn inverse(&self) -> Self {
        // (a·R)⁻¹ = a⁻¹/R, and that times R³, divided by R, is a⁻¹·R
        Self(inverse(&PRIME.canonical(self.settle().0), &PRIME)).multiply(&Self(R_CUBED))
    }

    /// The same number between 0 and p.
    pub(super) fn canonical(&self) -> Self {
        Self(PRIME.canonical(self.settle().0))
    }

    pub(super) fn settle(&self) -> Self {
        Self(limbs::settle(self.0))
    }

    /// Whether a number between −8p and 8p may be 0 modulo p, judged by its lowest limb: k·p is −k modulo 2^29.
    #[inline(always)]
    pub(super) fn may_be_zero(&self) -> bool {
        let Self([lowest, ..]) = self;
        (lowest + 8) & MASK <= 16
    }

    /// Whether a number between −16p and 16p is 0 modulo p: divided by R it is less than 1 in size, so the reduction,
    /// which adds between 0 and p, gives 0 or p exactly.
    pub(super) fn is_zero(&self) -> bool {
        let mut columns = [0; 2 * LIMBS - 1];
        for (column, limb) in columns.iter_mut().zip(&self.0) {
            *column = *limb;
        }
        let reduced = reduce(columns, &[0; LIMBS]);
        reduced == [0; LIMBS] || reduced == PRIME.limbs
    }

    #[inline(always)]
    pub(super) fn add(&self, other: &Self) -> Self {
        Self(limbs::add(&self.0, &other.0))
    }

    #[inline(always)]
    pub(super) fn subtract(&self, other: &Self) -> Self {
        Self(limbs::subtract(&self.0, &other.0))
    }

    pub(super) fn multiply(&self, other: &Self) -> Self {
        Self(reduce(limbs::product(&self.0, &other.0), &[0; LIMBS]))
    }

    pub(super) fn square(&self) -> Self {
        Self(reduce(limbs::square(&self.0), &[0; LIMBS]))
    }

    /// self² − other
    pub(super) fn square_less(&self, other: &Self) -> Self {
        Self(reduce(limbs::square(&self.0), &other.0))
    }

    /// a·b − c·d with one reduction
    pub(super) fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let mut columns = limbs::product(&a.0, &b.0);
        for (column, other) in columns.iter_mut().zip(limbs::product(&c.0, &d.0)) {
            *column -= other;
        }
        Self(reduce(columns, &[0; LIMBS]))
    }
}

/// columns/R − less
#[inline(always)]
fn reduce(columns: Columns, less: &Limbs) -> Limbs {
    let mut c = columns;
    macro_rules! step {
        ($c0:expr, $c1:expr, $c3:expr, $c6:expr, $c7:expr, $c8:expr) => {
            let q = $c0 & MASK;
            $c1 += $c0 >> BITS;
            $c3 += q << 9;
            $c6 += q << 18;
            $c7 -= q << 21;
            $c8 += q << 24;
        };
    }
    let [
        c0,
        c1,
        c2,
        c3,
        c4,
        c5,
        c6,
        c7,
        c8,
        c9,
        c10,
        c11,
        c12,
        c13,
        c14,
        c15,
        c16,
    ] = &mut c;
    step!(*c0, *c1, *c3, *c6, *c7, *c8);
    step!(*c1, *c2, *c4, *c7, *c8, *c9);
    step!(*c2, *c3, *c5, *c8, *c9, *c10);
    step!(*c3, *c4, *c6, *c9, *c10, *c11);
    step!(*c4, *c5, *c7, *c10, *c11, *c12);
    step!(*c5, *c6, *c8, *c11, *c12, *c13);
    step!(*c6, *c7, *c9, *c12, *c13, *c14);
    step!(*c7, *c8, *c10, *c13, *c14, *c15);
    step!(*c8, *c9, *c11, *c14, *c15, *c16);
    limbs::settle(limbs::subtract(
        &[*c9, *c10, *c11, *c12, *c13, *c14, *c15, *c16, 0],
        less,
    ))
}
