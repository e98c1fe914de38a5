//! Arithmetic modulo one odd number of fixed size, in Montgomery form (Montgomery 1985; HAC algorithm 14.36), made for
//! machines whose widest multiplication is 32 × 32 → 64 bits, as wasm's is.
//!
//! A number is `LIMBS` signed digits of `BITS` bits, each between −2^(BITS−1) and 2^(BITS−1). A product is summed up in
//! columns of 64 bits without any carry, and the carries are done once for the whole product. Signed digits halve the
//! size of a digit, so a column holds four times as many products as it would with unsigned ones, which is what makes
//! room for 29 bits instead of 27. The quotient's digits are signed as well.
//!
//! What a column can hold: a product of two digits is at most 2^(2·BITS−2), called a unit here, and a signed column
//! holds fewer than 2^63, so [`Modulus::UNITS`] units. Column k of a product or a square sums min(k+1, 2·LIMBS−1−k)
//! of them, and the reduction adds as many again. Where both together would be too many, the columns are settled in
//! between (see [`Modulus::settle`]).
//!
//! What a value can be: with R = 2^(BITS·LIMBS) ≥ 4n and |a|, |b| ≤ n, the reduction gives (a·b + q·n)/R with
//! |q| ≤ R/2·(1 + 2^(1−BITS)), so its size is below n/4 + n/2 + a trifle: every result lies between −n and n, and a
//! final subtraction is never needed on the way.

/// How many rows of a product are summed in one pass over the columns. Each pass loads and stores every column once, so
/// more rows mean less traffic; four rows and their window of limbs are about what fits in the registers.
const ROWS: usize = 4;
/// How many columns a pass does before it asks whether there are more: between blocks V8 moves the window from register to
/// register, checks its stack and computes addresses anew. Blocks of more than 16 are slower again.
const BLOCK: usize = 16;

/// A modulus with what depends on it alone. `COLUMNS` is twice `LIMBS` (stable Rust can't say so in a type), and `LIMBS`
/// is a multiple of four.
#[derive(Clone)]
pub(super) struct Modulus<const BITS: u32, const LIMBS: usize, const COLUMNS: usize> {
    limbs: Digits<LIMBS>,
    /// −n⁻¹ modulo 2^32
    negated_inverse: i32,
    /// R² modulo n, which brings a number into Montgomery form
    r_squared: Digits<LIMBS>,
}

/// A number below a modulus, in signed digits.
pub(super) type Digits<const LIMBS: usize> = [i64; LIMBS];

impl<const BITS: u32, const LIMBS: usize, const COLUMNS: usize> Modulus<BITS, LIMBS, COLUMNS> {
    /// How many products of two digits a column holds.
    const UNITS: usize = 1 << (63 - 2 * (BITS - 1));
    /// The columns that must be settled between a product and its reduction: those with at least half of the units.
    const CROWDED: std::ops::Range<usize> = {
        assert!(COLUMNS == 2 * LIMBS && LIMBS.is_multiple_of(ROWS) && BITS <= 29 && LIMBS < Self::UNITS);
        let half = Self::UNITS / 2;
        if half > LIMBS { 0..0 } else { half - 1..COLUMNS - half }
    };

    /// `None` unless the number is odd and has between 2·BITS and LIMBS·BITS − 2 bits. The bytes are big-endian, the
    /// first one is not zero.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let first = bytes.first().filter(|first| **first != 0)?;
        let bits = bytes.len() * 8 - first.leading_zeros() as usize;
        let room = LIMBS * BITS as usize;
        if bits + 2 > room || bits < 2 * BITS as usize || bytes.last()? & 1 == 0 {
            return None;
        }
        let limbs = Self::digits(bytes);
        #[allow(clippy::cast_possible_truncation)]
        let lowest = *limbs.first()? as i32;
        let mut modulus = Self {
            limbs,
            negated_inverse: inverse_modulo_word(lowest).wrapping_neg(),
            r_squared: [0; LIMBS],
        };
        modulus.r_squared = modulus.r_squared(bits);
        Some(modulus)
    }

    /// The digits of a big-endian number of at most LIMBS·BITS − 2 bits.
    fn digits(bytes: &[u8]) -> Digits<LIMBS> {
        let mut columns = [0; LIMBS];
        let mut bytes = bytes.iter().rev();
        let (mut buffer, mut filled) = (0_u64, 0);
        for column in &mut columns {
            while filled < BITS {
                buffer |= u64::from(bytes.next().copied().unwrap_or(0)) << filled;
                filled += 8;
            }
            *column = i64::from(low_bits::<BITS>(buffer));
            buffer >>= BITS;
            filled -= BITS;
        }
        carry::<BITS, LIMBS>(&columns)
    }

    /// s^65537 modulo n. Both are big-endian numbers as long as n, and `s` is below n.
    ///
    /// 65537 = 2^16 + 1: the number is brought into Montgomery form, squared 16 times and multiplied with itself as it
    /// was before, which also takes it out of Montgomery form.
    pub(super) fn power_65537(&self, s: &[u8], power: &mut [u8]) {
        let s = Self::digits(s);
        let mut columns = [0; COLUMNS];
        let mut digits = self.multiply(&s, &self.r_squared, &mut columns);
        for _ in 0..16 {
            digits = self.square(&digits, &mut columns);
        }
        let digits = self.multiply(&digits, &s, &mut columns);
        self.write(&digits, power);
    }

    /// a·b/R
    fn multiply(&self, a: &Digits<LIMBS>, b: &Digits<LIMBS>, columns: &mut [i64; COLUMNS]) -> Digits<LIMBS> {
        columns.fill(0);
        let mut rest = columns.as_mut_slice();
        for rows in a.as_chunks::<ROWS>().0 {
            accumulate(rest, *rows, [0; ROWS], b);
            rest = rest.get_mut(ROWS..).unwrap_or_default();
        }
        self.reduce(columns)
    }

    /// a²/R. The products off the diagonal occur twice (HAC algorithm 14.16).
    fn square(&self, a: &Digits<LIMBS>, columns: &mut [i64; COLUMNS]) -> Digits<LIMBS> {
        for (column, &digit) in columns.as_chunks_mut::<2>().0.iter_mut().zip(a) {
            *column = [digit * digit, 0];
        }
        let (mut rest, mut digits) = (columns.as_mut_slice(), a.as_slice());
        while let Some((rows, higher)) = digits.split_first_chunk::<ROWS>() {
            rest = square_rows(rest, *rows, higher);
            digits = higher;
        }
        self.reduce(columns)
    }

    /// Montgomery's reduction, four digits of the quotient at a time. They come at the end of a chain of dependent
    /// steps, so each four are computed as soon as their columns are complete, before the pass over all other columns
    /// that the processor can do meanwhile.
    fn reduce(&self, columns: &mut [i64; COLUMNS]) -> Digits<LIMBS> {
        Self::settle(columns);
        let (low, high) = self.limbs.split_at(2 * ROWS);
        let (Some(lowest), Some(next)) = (low.first_chunk::<ROWS>(), low.last_chunk::<ROWS>()) else {
            return [0; LIMBS];
        };
        let [_, n1, n2, n3] = *lowest;
        let Some((low, mut rest)) = columns.split_first_chunk_mut::<ROWS>() else {
            return [0; LIMBS];
        };
        let (mut rows, mut carried) = self.quotient(*low, lowest);
        for _ in 1..LIMBS / ROWS {
            let Some((low, tail)) = std::mem::take(&mut rest).split_first_chunk_mut::<ROWS>() else {
                break;
            };
            let [c0, ..] = low;
            *c0 += carried;
            let window = accumulate_block(low, rows, [n3, n2, n1, 0], next);
            let previous = rows;
            (rows, carried) = self.quotient(*low, lowest);
            accumulate(tail, previous, window, high);
            rest = tail;
        }
        if let Some(c0) = rest.first_mut() {
            *c0 += carried;
        }
        let (_, higher) = self.limbs.split_at(ROWS);
        accumulate(rest, rows, [n3, n2, n1, 0], higher);
        match rest.first_chunk::<LIMBS>() {
            Some(columns) => carry::<BITS, LIMBS>(columns),
            None => [0; LIMBS],
        }
    }

    /// Four digits of the quotient from the four lowest columns, and what these carry into the fifth.
    #[inline(always)]
    fn quotient(&self, [c0, c1, c2, c3]: [i64; ROWS], &[n0, n1, n2, n3]: &[i64; ROWS]) -> ([i64; ROWS], i64) {
        let q0 = self.quotient_digit(c0);
        let c1 = c1 + ((c0 + q0 * n0) >> BITS) + q0 * n1;
        let q1 = self.quotient_digit(c1);
        let c2 = c2 + ((c1 + q1 * n0) >> BITS) + q0 * n2 + q1 * n1;
        let q2 = self.quotient_digit(c2);
        let c3 = c3 + ((c2 + q2 * n0) >> BITS) + q0 * n3 + q1 * n2 + q2 * n1;
        let q3 = self.quotient_digit(c3);
        ([q0, q1, q2, q3], (c3 + q3 * n0) >> BITS)
    }

    /// The signed digit q for which `column` + q·n is a multiple of 2^BITS.
    #[allow(clippy::cast_possible_truncation)]
    fn quotient_digit(&self, column: i64) -> i64 {
        let spare = 32 - BITS;
        i64::from((column as i32).wrapping_mul(self.negated_inverse) << spare >> spare)
    }

    /// Makes room in the columns in the middle for the reduction's products: their upper bits go one column up.
    fn settle(columns: &mut [i64; COLUMNS]) {
        if Self::CROWDED.is_empty() {
            return;
        }
        let mut carry = 0;
        for column in columns.get_mut(Self::CROWDED).unwrap_or_default() {
            let sum = *column + carry;
            carry = sum >> BITS;
            *column = sum - (carry << BITS);
        }
        if let Some(next) = columns.get_mut(Self::CROWDED.end) {
            *next += carry;
        }
    }

    /// Writes a number between −n and n as the number below n that it is modulo n, big-endian.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn write(&self, number: &Digits<LIMBS>, bytes: &mut [u8]) {
        let add_modulus = is_negative(number);
        let mut digits = number.iter().zip(&self.limbs);
        let (mut buffer, mut filled, mut carry) = (0_u64, 0, 0);
        for byte in bytes.iter_mut().rev() {
            while filled < 8 {
                let Some((&digit, &modulus)) = digits.next() else {
                    break;
                };
                let sum = digit + carry + if add_modulus { modulus } else { 0 };
                carry = sum >> BITS;
                buffer |= u64::from(low_bits::<BITS>(sum as u64)) << filled;
                filled += BITS;
            }
            *byte = buffer as u8;
            buffer >>= 8;
            filled = filled.saturating_sub(8);
        }
    }

    /// R² modulo n, up to a multiple of n: R·2^x by doubling and Montgomery squaring, along the bits of x = LIMBS·BITS.
    fn r_squared(&self, bits: usize) -> Digits<LIMBS> {
        let exponent = LIMBS * BITS as usize;
        let mut columns = [0; COLUMNS];
        // 2^bits − n = 2^bits modulo n, and from there on R modulo n by doubling
        let mut top = [0; LIMBS];
        if let Some(digit) = top.get_mut(bits / BITS as usize) {
            *digit = 1_i64 << (bits % BITS as usize);
        }
        let top = carry::<BITS, LIMBS>(&top);
        let mut power = combine::<BITS, LIMBS>(&top, &self.limbs, -1);
        for _ in bits..exponent {
            power = self.double(&power);
        }
        for bit in (0..=exponent.ilog2()).rev() {
            power = self.square(&power, &mut columns);
            if exponent >> bit & 1 == 1 {
                power = self.double(&power);
            }
        }
        power
    }

    /// 2·a for a between −n and n, and between them again
    fn double(&self, a: &Digits<LIMBS>) -> Digits<LIMBS> {
        let sign = if is_negative(a) { 1 } else { -1 };
        combine::<BITS, LIMBS>(&combine::<BITS, LIMBS>(a, a, 1), &self.limbs, sign)
    }
}

/// Adds twice the products of four digits with each other and with all that follow. Returns the columns from the next four
/// digits' square on.
#[inline(always)]
fn square_rows<'c>(columns: &'c mut [i64], rows: [i64; ROWS], higher: &[i64]) -> &'c mut [i64] {
    let doubled = rows.map(|digit| 2 * digit);
    if let Some([_, c1, c2, c3, c4, c5, ..]) = columns.first_chunk_mut::<{ 2 * ROWS }>() {
        let ([_, a1, a2, a3], [d0, d1, d2, _]) = (rows, doubled);
        *c1 += d0 * a1;
        *c2 += d0 * a2;
        *c3 += d0 * a3 + d1 * a2;
        *c4 += d1 * a3;
        *c5 += d2 * a3;
    }
    let rest = columns.get_mut(ROWS..).unwrap_or_default();
    accumulate(rest, doubled, [0; ROWS], higher);
    rest.get_mut(ROWS..).unwrap_or_default()
}

/// Adds rows × limbs to the columns: column k gets the sum of rows[i]·limbs[k − i]. `before` are the limbs before the
/// first one, the nearest last; their products count as well, from the first column on. Rows beyond the last limb go into
/// the three columns above.
#[inline(always)]
fn accumulate(columns: &mut [i64], rows: [i64; ROWS], mut window: [i64; ROWS], limbs: &[i64]) {
    let (blocks, rest) = limbs.as_chunks::<BLOCK>();
    let Some((block_columns, columns)) = columns.split_at_mut_checked(blocks.len() * BLOCK) else {
        return;
    };
    for (limbs, columns) in blocks.iter().zip(block_columns.as_chunks_mut::<BLOCK>().0) {
        window = accumulate_block(columns, rows, window, limbs);
    }
    let mut columns = columns.as_chunks_mut::<ROWS>().0.iter_mut();
    for (limbs, columns) in rest.as_chunks::<ROWS>().0.iter().zip(columns.by_ref()) {
        window = accumulate_block(columns, rows, window, limbs);
    }
    if let Some(columns) = columns.next() {
        accumulate_block(columns, rows, window, &[0; ROWS]);
    }
}

#[inline(always)]
fn accumulate_block<const N: usize>(
    columns: &mut [i64; N],
    rows: [i64; ROWS],
    mut window: [i64; ROWS],
    limbs: &[i64; N],
) -> [i64; ROWS] {
    for (limb, column) in limbs.iter().zip(columns) {
        let [first, second, third, _] = window;
        window = [*limb, first, second, third];
        *column = add_products(*column, rows, window);
    }
    window
}

/// The newest limb's product and the column come last. The order is worth a third of the time in V8, where it decides how
/// many registers are needed, and summing in a loop keeps the compiler from choosing another.
#[inline(always)]
fn add_products(column: i64, rows: [i64; ROWS], window: [i64; ROWS]) -> i64 {
    let mut products = rows.iter().zip(&window).map(|(row, limb)| row * limb);
    let newest = products.next().unwrap_or(0);
    let mut sum = 0;
    for product in products {
        sum += product;
    }
    sum + newest + column
}

/// Turns columns into signed digits. The highest takes what is left.
#[allow(clippy::cast_possible_truncation)]
fn carry<const BITS: u32, const LIMBS: usize>(columns: &[i64; LIMBS]) -> Digits<LIMBS> {
    let mut digits = [0; LIMBS];
    let mut carry = 0;
    for (digit, column) in digits.iter_mut().zip(columns) {
        let sum = column + carry;
        carry = (sum + (1 << (BITS - 1))) >> BITS;
        *digit = sum - (carry << BITS);
    }
    // The value fits into the digits by far, so this carry is zero.
    debug_assert_eq!(carry, 0);
    digits
}

/// a + factor·b
fn combine<const BITS: u32, const LIMBS: usize>(a: &Digits<LIMBS>, b: &Digits<LIMBS>, factor: i64) -> Digits<LIMBS> {
    let mut columns = [0; LIMBS];
    for ((column, a), b) in columns.iter_mut().zip(a).zip(b) {
        *column = *a + factor * *b;
    }
    carry::<BITS, LIMBS>(&columns)
}

/// The highest digit that is not zero decides: all that are below it make less than one of its units.
fn is_negative(digits: &[i64]) -> bool {
    digits
        .iter()
        .rev()
        .find(|digit| **digit != 0)
        .is_some_and(|digit| *digit < 0)
}

#[allow(clippy::cast_possible_truncation)]
fn low_bits<const BITS: u32>(value: u64) -> u32 {
    value as u32 & ((1 << BITS) - 1)
}

/// The inverse of an odd number modulo 2^32 by Newton's iteration: an odd number is its own inverse modulo 8, and each
/// step doubles the bits that are right.
fn inverse_modulo_word(odd: i32) -> i32 {
    let mut inverse = odd;
    for _ in 0..4 {
        inverse = inverse.wrapping_mul(2_i32.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse
}
