//! Scalars as signed digits, for sums of multiples that stand in a table: a digit's sign is the sign of the point, so a
//! table needs half the multiples (HAC section 14.7 has the idea, in another form).

use super::limbs::{BITS, Limbs};

/// A number of at most 256 bits, settled, as digits of `WIDTH` bits between −2^(WIDTH−1) and 2^(WIDTH−1), the lowest first.
/// There must be room for the number and a carry.
pub(super) fn signed_digits<const WIDTH: u32, const COUNT: usize>(number: &Limbs) -> [i32; COUNT] {
    let mut digits = [0; COUNT];
    let mut limbs = number.iter();
    let (mut buffer, mut filled) = (0_i64, 0);
    for digit in &mut digits {
        if filled < WIDTH {
            // The carry is in the buffer already, which may have made it one bit longer than it is filled.
            buffer += limbs.next().copied().unwrap_or(0) << filled;
            filled += BITS;
        }
        // The lowest bits as a signed number
        let shift = 64 - WIDTH;
        #[allow(clippy::cast_possible_truncation)]
        {
            *digit = (buffer << shift >> shift) as i32;
        }
        buffer = (buffer - i64::from(*digit)) >> WIDTH;
        filled -= WIDTH;
    }
    digits
}
