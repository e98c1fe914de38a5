//! Inverses modulo an odd prime by Bernstein's and Yang's divsteps ("Fast constant-time gcd computation and modular
//! inversion", TCHES 2019), which look at the lowest bits only. Their order of steps is kept, but steps that only halve
//! are taken together, and the loop ends when the number has become zero: what is inverted here is public.
//!
//! 29 divsteps depend on the lowest 29 bits alone and act on both numbers as one matrix with entries of at most 2^29, so
//! they are done on machine words first and applied to the long numbers at once.

use super::limbs::{BITS, LIMBS, Limbs, MASK};
use super::order::Modulus;

/// The bound for 256 bits is 741 divsteps (their theorem 11.2).
const MAX_ROUNDS: usize = 741_usize.div_ceil(BITS as usize);

/// What 29 divsteps do: 2^29·(f, g) becomes (u·f + v·g, q·f + r·g).
#[derive(Clone, Copy)]
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// The inverse of `number`, which must be settled, between 0 and 2^256, and no multiple of the modulus. The result is
/// settled and less than 14 moduli away from zero.
///
/// f and g start as the modulus and the number, and at all times f = d·number and g = e·number modulo the modulus. At the
/// end g = 0 and f is their greatest common divisor or its negative, so plus or minus 1.
pub(super) fn inverse(number: &Limbs, modulus: &Modulus) -> Limbs {
    let (mut f, mut g) = (modulus.limbs, *number);
    let (mut d, mut e) = ([0; LIMBS], [0; LIMBS]);
    if let Some(lowest) = e.first_mut() {
        *lowest = 1;
    }
    let mut eta = -1;
    for _ in 0..MAX_ROUNDS {
        let matrix;
        (eta, matrix) = divsteps(eta, lowest(&f), lowest(&g));
        (f, g) = apply(&matrix, &f, &g, None);
        (d, e) = apply(&matrix, &d, &e, Some(modulus));
        if g == [0; LIMBS] {
            break;
        }
    }
    if lowest(&f) == 1 { d } else { d.map(|limb| -limb) }
}

fn lowest([lowest, ..]: &Limbs) -> i64 {
    *lowest
}

/// 29 divsteps from the lowest bits of f, which is odd, and g. `eta` is the negative of the paper's δ.
fn divsteps(mut eta: i32, f: i64, g: i64) -> (i32, Matrix) {
    let (mut f, mut g) = (f, g);
    let (mut u, mut v, mut q, mut r) = (1_i64, 0_i64, 0_i64, 1_i64);
    let mut left = BITS;
    loop {
        // The bit on top ends the count where the divsteps end.
        let zeros = (g | 1 << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= zeros.cast_signed();
        left -= zeros;
        if left == 0 {
            return (eta, Matrix { u, v, q, r });
        }
        if eta < 0 {
            eta = -eta;
            (f, g) = (g, -f);
            (u, q) = (q, -u);
            (v, r) = (r, -v);
        }
        // The next eta + 1 divsteps only add f to g or not, so so many of g's bits may be cleared at once. The inverse of f
        // modulo 2^6 by one step of Newton's iteration, from f, which is its own inverse modulo 2^3.
        let clear = (eta + 1).cast_unsigned().min(left).min(6);
        let factor = g.wrapping_mul(f).wrapping_mul(f.wrapping_mul(f) - 2) & ((1 << clear) - 1);
        g += factor * f;
        q += factor * u;
        r += factor * v;
    }
}

/// Applies the matrix to two settled numbers and takes 29 bits off. With a modulus, so much of it is added to both that
/// these bits are zero; the multiple is chosen between −2^28 and 2^28, so the numbers grow by half a modulus each time at
/// most. Without one they are zero already.
#[inline(always)]
fn apply(matrix: &Matrix, a: &Limbs, b: &Limbs, modulus: Option<&Modulus>) -> (Limbs, Limbs) {
    let Matrix { u, v, q, r } = *matrix;
    let ([a0, a_rest @ ..], [b0, b_rest @ ..]) = (a, b);
    let (mut x, mut y) = (u * a0 + v * b0, q * a0 + r * b0);
    let (mut m, mut n) = (0, 0);
    let mut limbs = [0; LIMBS];
    if let Some(modulus) = modulus {
        m = signed_digit(x.wrapping_mul(-modulus.inverse));
        n = signed_digit(y.wrapping_mul(-modulus.inverse));
        limbs = modulus.limbs;
    }
    let [limb, limbs @ ..] = &limbs;
    x = (x + m * limb) >> BITS;
    y = (y + n * limb) >> BITS;

    let (mut first, mut second) = ([0; LIMBS], [0; LIMBS]);
    let ([first_lower @ .., first_highest], [second_lower @ .., second_highest]) = (&mut first, &mut second);
    let sources = a_rest.iter().zip(b_rest).zip(limbs);
    for ((one, other), ((a, b), limb)) in first_lower.iter_mut().zip(second_lower).zip(sources) {
        x += u * a + v * b + m * limb;
        y += q * a + r * b + n * limb;
        (*one, *other) = (x & MASK, y & MASK);
        x >>= BITS;
        y >>= BITS;
    }
    (*first_highest, *second_highest) = (x, y);
    (first, second)
}

/// The lowest 29 bits as a signed number.
fn signed_digit(number: i64) -> i64 {
    number << (64 - BITS) >> (64 - BITS)
}
