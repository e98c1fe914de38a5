//! Multiples of one point, so that a multiple by any scalar is a sum of entries and needs no doubling: for each window of
//! `WIDTH` bits at place w the multiples 1 to 2^(WIDTH−1) of 2^(WIDTH·w)·P (Brickell and others, "Fast exponentiation with
//! precomputation", 1992, with signed digits).

use super::super::limbs::{LIMBS, Limbs};
use super::super::window::signed_digits;
use super::field::Element;
use super::point::{Affine, Extended, Summand};

/// A summand in half the space.
type Entry = [[u32; LIMBS]; 3];

/// A table for windows of `WIDTH` bits; there are `COUNT` of them.
#[derive(Clone)]
pub(super) struct Table<const WIDTH: u32, const COUNT: usize> {
    entries: Box<[Entry]>,
}

impl<const WIDTH: u32, const COUNT: usize> Table<WIDTH, COUNT> {
    /// How many multiples a window has.
    const MULTIPLES: usize = 1 << (WIDTH - 1);

    pub(super) fn new(point: &Affine) -> Self {
        let mut entries = Vec::with_capacity(Self::MULTIPLES * COUNT);
        let mut base = *point;
        for _ in 0..COUNT {
            let summand = Summand::from(&base);
            let mut multiple = Extended::from(&base);
            let mut multiples = Vec::with_capacity(Self::MULTIPLES + 1);
            for _ in 1..Self::MULTIPLES {
                multiples.push(multiple);
                multiple = multiple.add(&summand);
            }
            multiples.push(multiple);
            multiples.push(multiple.double());
            let multiples = affine(&multiples);
            for point in multiples.iter().take(Self::MULTIPLES) {
                entries.push(store(&Summand::from(point)));
            }
            if let Some(next) = multiples.last() {
                base = *next;
            }
        }
        Self {
            entries: entries.into_boxed_slice(),
        }
    }

    /// Adds the multiple of the table's point by a scalar, settled and below 2^(WIDTH·COUNT − 1), to a sum.
    pub(super) fn add_multiple(&self, scalar: &Limbs, sum: &mut Extended) {
        let digits = signed_digits::<WIDTH, COUNT>(scalar);
        for (window, digit) in self.entries.chunks_exact(Self::MULTIPLES).zip(digits) {
            // Zero finds no entry: it adds nothing.
            let place = (digit.unsigned_abs() as usize).wrapping_sub(1);
            if let Some(entry) = window.get(place) {
                *sum = sum.add(&load(entry, digit));
            }
        }
    }
}

/// The points' affine coordinates, with one inversion (Montgomery 1987, section 10.3.1).
fn affine(points: &[Extended]) -> Vec<Affine> {
    let mut products = Vec::with_capacity(points.len());
    let mut product = Element::ONE;
    for point in points {
        products.push(product);
        product = product.multiply(&point.z);
    }
    let mut inverse = product.inverse();
    let mut affine = Vec::with_capacity(points.len());
    for (point, before) in points.iter().zip(&products).rev() {
        let z = inverse.multiply(before);
        affine.push(Affine {
            x: point.x.multiply(&z),
            y: point.y.multiply(&z),
        });
        inverse = inverse.multiply(&point.z);
    }
    affine.reverse();
    affine
}

/// The entry, or the negative of it if the digit is negative.
#[inline(always)]
fn load([half_sum, half_difference, product]: &Entry, digit: i32) -> Summand {
    let (half_sum, half_difference) = if digit < 0 {
        (half_difference, half_sum)
    } else {
        (half_sum, half_difference)
    };
    let sign = i64::from(digit >> 31);
    Summand {
        half_sum: Element(half_sum.map(i64::from)),
        half_difference: Element(half_difference.map(i64::from)),
        product: Element(product.map(|limb| (i64::from(limb) ^ sign) - sign)),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn store(summand: &Summand) -> Entry {
    [&summand.half_sum, &summand.half_difference, &summand.product].map(|element| element.0.map(|limb| limb as u32))
}
