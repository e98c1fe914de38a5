//! Multiples of one point, so that a multiple by any scalar is a sum of entries and needs no doubling: for each window of
//! `WIDTH` bits at place w the multiples 1 to 2^(WIDTH−1) of 2^(WIDTH·w)·P (Brickell and others, "Fast exponentiation with
//! precomputation", 1992, with signed digits).

use super::super::limbs::LIMBS;
use super::super::limbs::Limbs;
use super::super::window::signed_digits;
use super::field::Element;
use super::point::{Affine, Projective, Sum};

/// The coordinates of a point between 0 and p, in half the space.
type Entry = [[u32; LIMBS]; 2];

/// A table for windows of `WIDTH` bits; there are `COUNT` of them.
#[derive(Clone)]
pub(super) struct Table<const WIDTH: u32, const COUNT: usize> {
    entries: Box<[Entry]>,
}

impl<const WIDTH: u32, const COUNT: usize> Table<WIDTH, COUNT> {
    /// How many multiples a window has.
    const MULTIPLES: usize = 1 << (WIDTH - 1);

    /// The table of a point. All multiples that occur are of different size and below the order, which is prime, so no
    /// two are equal or opposite, none is infinity, and the additions need no exceptions.
    pub(super) fn new(point: &Affine) -> Self {
        let mut entries = vec![[[0; LIMBS]; 2]; Self::MULTIPLES * COUNT].into_boxed_slice();
        let bases = Self::bases(point);
        for (window, base) in entries.chunks_mut(Self::MULTIPLES).zip(&bases) {
            for (entry, base) in window.iter_mut().zip([base]) {
                *entry = store(base);
            }
        }
        // From the multiples 1 to k all of those from k + 1 to 2k, for all windows with one inversion.
        let mut known = 1;
        while known < Self::MULTIPLES {
            let mut slopes = Vec::with_capacity(known * COUNT);
            let mut denominators = Vec::with_capacity(known * COUNT);
            for window in entries.chunks(Self::MULTIPLES) {
                let Some(largest) = known.checked_sub(1).and_then(|last| window.get(last)).map(load) else {
                    continue;
                };
                for (entry, place) in window.iter().zip(1..=known) {
                    let other = load(entry);
                    let (rise, run) = if place == known {
                        let square = largest.x.square().subtract(&Element::ONE);
                        (
                            square.add(&square).add(&square).settle(),
                            largest.y.add(&largest.y).settle(),
                        )
                    } else {
                        (other.y.subtract(&largest.y), other.x.subtract(&largest.x))
                    };
                    slopes.push(rise);
                    denominators.push(run);
                }
            }
            invert_all(&mut denominators);
            let mut slopes = slopes
                .iter()
                .zip(&denominators)
                .map(|(rise, inverse)| rise.multiply(inverse));
            for window in entries.chunks_mut(Self::MULTIPLES) {
                let Some((low, high)) = window.split_at_mut_checked(known) else {
                    continue;
                };
                let Some(largest) = low.last().map(load) else {
                    continue;
                };
                for ((entry, sum), slope) in low.iter().zip(high).zip(slopes.by_ref()) {
                    let other = load(entry);
                    let x = slope.square_less(&largest.x.add(&other.x));
                    let y = slope.multiply(&largest.x.subtract(&x)).subtract(&largest.y);
                    *sum = store(&Affine {
                        x: x.canonical(),
                        y: y.canonical(),
                    });
                }
            }
            known *= 2;
        }
        Self { entries }
    }

    /// 2^(WIDTH·w)·P for all windows
    fn bases(point: &Affine) -> Vec<Affine> {
        let mut bases = Vec::with_capacity(COUNT);
        let mut current = Projective::from(point);
        for _ in 0..COUNT {
            bases.push(current);
            for _ in 0..WIDTH {
                if let Sum::Finite(double) = current.double() {
                    current = double;
                }
            }
        }
        let mut denominators: Vec<_> = bases.iter().map(|base| base.zzz).collect();
        invert_all(&mut denominators);
        bases
            .iter()
            .zip(&denominators)
            .map(|(base, inverse)| {
                // 1/Z = ZZ/ZZZ
                let z = base.zz.multiply(inverse);
                Affine {
                    x: base.x.multiply(&z.square()).canonical(),
                    y: base.y.multiply(inverse).canonical(),
                }
            })
            .collect()
    }

    /// Adds the multiple of the table's point by a scalar, settled and between 0 and 2^256, to a sum.
    pub(super) fn add_multiple(&self, scalar: &Limbs, sum: &mut Sum) {
        let digits = signed_digits::<WIDTH, COUNT>(scalar);
        for (window, digit) in self.entries.chunks_exact(Self::MULTIPLES).zip(digits) {
            // Zero finds no entry: it adds nothing.
            let place = (digit.unsigned_abs() as usize).wrapping_sub(1);
            let Some(entry) = window.get(place) else {
                continue;
            };
            let mut point = load(entry);
            let sign = i64::from(digit >> 31);
            point.y = Element(point.y.0.map(|limb| (limb ^ sign) - sign));
            sum.add(&point);
        }
    }
}

/// The inverses of numbers other than 0, with one inversion (Montgomery 1987, section 10.3.1).
fn invert_all(numbers: &mut [Element]) {
    let mut products = Vec::with_capacity(numbers.len());
    let mut product = Element::ONE;
    for number in numbers.iter() {
        products.push(product);
        product = product.multiply(number);
    }
    let mut inverse = product.inverse();
    for (number, before) in numbers.iter_mut().zip(products).rev() {
        let next = inverse.multiply(number);
        *number = inverse.multiply(&before);
        inverse = next;
    }
}

#[inline(always)]
fn load([x, y]: &Entry) -> Affine {
    Affine {
        x: Element(x.map(i64::from)),
        y: Element(y.map(i64::from)),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn store(point: &Affine) -> Entry {
    [point.x.0.map(|limb| limb as u32), point.y.0.map(|limb| limb as u32)]
}
