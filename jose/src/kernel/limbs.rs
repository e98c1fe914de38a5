//! Numbers of 256 bits as nine limbs of 29 bits, least significant first: the representation that the arithmetic modulo
//! the primes and the orders of both curves shares.
//!
//! A limb is a signed number of 64 bits of which normally 29 are used, so limbs can be added and subtracted several times
//! without a carry, and a sum may be negative. Limbs are *settled* when all but the highest lie between 0 and 2^29; the
//! highest has the sign. A product of two numbers whose limbs are at most 2^29 in size sums at most nine products of at
//! most 2^58 in one column, less than 2^61.2, so that a column of 64 bits can hold the sum of two such products and the
//! reduction's part on top.

/// How many limbs a number has.
pub(super) const LIMBS: usize = 9;
/// How many bits a limb has.
pub(super) const BITS: u32 = 29;
/// All bits of a limb.
pub(super) const MASK: i64 = (1 << BITS) - 1;

/// A number as limbs.
pub(super) type Limbs = [i64; LIMBS];
/// A product before its carries.
pub(super) type Columns = [i64; 2 * LIMBS - 1];

/// The product of two numbers by columns (HAC algorithm 14.12, carries left out).
#[inline(always)]
pub(super) fn product(a: &Limbs, b: &Limbs) -> Columns {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = *a;
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = *b;
    [
        a0 * b0,
        a0 * b1 + a1 * b0,
        a0 * b2 + a1 * b1 + a2 * b0,
        a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0,
        a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0,
        a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0,
        a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0,
        a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0,
        a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0,
        a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1,
        a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2,
        a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3,
        a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4,
        a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5,
        a6 * b8 + a7 * b7 + a8 * b6,
        a7 * b8 + a8 * b7,
        a8 * b8,
    ]
}

/// The square of a number by columns: a product off the diagonal occurs twice and is computed once (HAC algorithm 14.16).
#[inline(always)]
pub(super) fn square(a: &Limbs) -> Columns {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = *a;
    let [d0, d1, d2, d3, d4, d5, d6, d7, _] = a.map(|limb| 2 * limb);
    [
        a0 * a0,
        d0 * a1,
        d0 * a2 + a1 * a1,
        d0 * a3 + d1 * a2,
        d0 * a4 + d1 * a3 + a2 * a2,
        d0 * a5 + d1 * a4 + d2 * a3,
        d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3,
        d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4,
        d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4,
        d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5,
        d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5,
        d3 * a8 + d4 * a7 + d5 * a6,
        d4 * a8 + d5 * a7 + a6 * a6,
        d5 * a8 + d6 * a7,
        d6 * a8 + a7 * a7,
        d7 * a8,
        a8 * a8,
    ]
}

/// Limb by limb, no carries.
#[inline(always)]
pub(super) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let mut sum = *a;
    for (limb, other) in sum.iter_mut().zip(b) {
        *limb += other;
    }
    sum
}

/// Limb by limb, no carries.
#[inline(always)]
pub(super) fn subtract(a: &Limbs, b: &Limbs) -> Limbs {
    let mut difference = *a;
    for (limb, other) in difference.iter_mut().zip(b) {
        *limb -= other;
    }
    difference
}

/// The same number in settled limbs.
#[inline(always)]
pub(super) fn settle(mut limbs: Limbs) -> Limbs {
    let mut carry = 0;
    let [lower @ .., highest] = &mut limbs;
    for limb in lower {
        let sum = *limb + carry;
        carry = sum >> BITS;
        *limb = sum & MASK;
    }
    *highest += carry;
    limbs
}

/// A big-endian number as settled limbs.
pub(super) fn from_big_endian(bytes: &[u8; 32]) -> Limbs {
    let mut reversed = *bytes;
    reversed.reverse();
    from_little_endian(&reversed)
}

/// A little-endian number as settled limbs.
pub(super) fn from_little_endian(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; LIMBS];
    let mut bytes = bytes.iter();
    let (mut buffer, mut filled) = (0, 0);
    for limb in &mut limbs {
        while filled < BITS {
            buffer |= i64::from(bytes.next().copied().unwrap_or(0)) << filled;
            filled += 8;
        }
        *limb = buffer & MASK;
        buffer >>= BITS;
        filled -= BITS;
    }
    limbs
}

/// Settled limbs of a number between 0 and 2^256 as little-endian bytes.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn to_little_endian(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut limbs = limbs.iter();
    let (mut buffer, mut filled) = (0, 0);
    for byte in &mut bytes {
        if filled < 8 {
            buffer |= limbs.next().copied().unwrap_or(0) << filled;
            filled += BITS;
        }
        *byte = buffer as u8;
        buffer >>= 8;
        filled -= 8;
    }
    bytes
}
