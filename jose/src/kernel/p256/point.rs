//! Points of P-256, y² = x³ − 3x + b, in the coordinates that make adding an affine point cheapest: X, Y, ZZ, ZZZ with
//! x = X/ZZ, y = Y/ZZZ and ZZ³ = ZZZ² (the "XYZZ" coordinates of the Explicit-Formulas Database; Chudnovsky and
//! Chudnovsky 1986).
//!
//! Whoever makes a signature chooses the scalars, so a sum may meet the point at infinity, its own summand or that
//! summand's negative. All of these are told apart and come out right.

use super::field::Element;

/// A point other than infinity, by its coordinates between 0 and p.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub(super) x: Element,
    pub(super) y: Element,
}

/// A sum of points.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is hardly ever infinity"
)]
pub(super) enum Sum {
    Infinity,
    Finite(Projective),
}

/// A point other than infinity. Sizes in multiples of p, as [`field`](super::field) counts them: X at most 6, the others
/// at most 3.
#[derive(Clone, Copy, Debug)]
pub(super) struct Projective {
    pub(super) x: Element,
    pub(super) y: Element,
    pub(super) zz: Element,
    pub(super) zzz: Element,
}

impl Sum {
    /// Adds a point ("madd-2008-s" of the database): eight multiplications and two squarings.
    #[inline(always)]
    pub(super) fn add(&mut self, point: &Affine) {
        let Self::Finite(sum) = self else {
            *self = Self::Finite(Projective::from(point));
            return;
        };
        let dx = point.x.multiply(&sum.zz).subtract(&sum.x);
        let dy = point.y.multiply(&sum.zzz).subtract(&sum.y);
        if dx.may_be_zero() && dx.is_zero() {
            *self = if dy.is_zero() {
                Projective::from(point).double()
            } else {
                Self::Infinity
            };
            return;
        }
        let dx2 = dx.square();
        let dx3 = dx.multiply(&dx2);
        let q = sum.x.multiply(&dx2);
        let x = dy.square_less(&dx3.add(&q.add(&q)));
        sum.y = Element::difference_of_products(&dy, &q.subtract(&x), &sum.y, &dx3);
        sum.x = x;
        sum.zz = sum.zz.multiply(&dx2);
        sum.zzz = sum.zzz.multiply(&dx3);
    }
}

impl Projective {
    /// Twice the point ("dbl-2008-s-1" of the database, with a = −3). The order is odd, so no point has y = 0.
    pub(super) fn double(&self) -> Sum {
        let u = self.y.add(&self.y).settle();
        let v = u.square();
        let w = u.multiply(&v);
        let s = self.x.multiply(&v);
        let product = self.x.subtract(&self.zz).multiply(&self.x.add(&self.zz));
        let m = product.add(&product).add(&product).settle();
        let x = m.square_less(&s.add(&s));
        let y = Element::difference_of_products(&m, &s.subtract(&x), &w, &self.y);
        Sum::Finite(Self {
            x,
            y,
            zz: v.multiply(&self.zz),
            zzz: w.multiply(&self.zzz),
        })
    }
}

impl From<&Affine> for Projective {
    fn from(point: &Affine) -> Self {
        Self {
            x: point.x,
            y: point.y,
            zz: Element::ONE,
            zzz: Element::ONE,
        }
    }
}
