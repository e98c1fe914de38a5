//! Points of Ed25519, −x² + y² = 1 + d·x²·y², in extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z and T = X·Y/Z
//! (Hisil, Wong, Carter and Dawson 2008). The addition is complete: it is right for any two points of the curve, equal,
//! opposite, neutral or of small order.

use super::field::Element;

/// A point by its affine coordinates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub(super) x: Element,
    pub(super) y: Element,
}

/// A point as the addition wants it: (y + x)/2, (y − x)/2 and d·x·y, each between 0 and p.
///
/// The halves take a factor of two from the sum's coordinates, where it does not matter, and so keep the limbs' sums
/// within what a multiplication takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summand {
    pub(super) half_sum: Element,
    pub(super) half_difference: Element,
    pub(super) product: Element,
}

/// A sum of points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extended {
    pub(super) x: Element,
    pub(super) y: Element,
    pub(super) z: Element,
    pub(super) t: Element,
}

impl Extended {
    pub(super) const NEUTRAL: Self = Self {
        x: Element::ZERO,
        y: Element::ONE,
        z: Element::ONE,
        t: Element::ZERO,
    };

    /// Adds a point: seven multiplications ("madd-2008-hwcd-3" of the Explicit-Formulas Database). The first product is
    /// the negative of the database's, so that of e and h one is a sum and one a difference, as of f and g.
    #[inline(always)]
    pub(super) fn add(&self, point: &Summand) -> Self {
        let a = self.x.subtract(&self.y).multiply(&point.half_difference);
        let b = self.y.add(&self.x).multiply(&point.half_sum);
        let c = self.t.multiply(&point.product);
        let (e, h) = (b.add(&a), b.subtract(&a));
        let (f, g) = (self.z.subtract(&c), self.z.add(&c));
        Self {
            x: e.multiply(&f),
            y: g.multiply(&h),
            z: f.multiply(&g),
            t: e.multiply(&h),
        }
    }

    /// Twice the point ("dbl-2008-hwcd" of the database, with a = −1; f and h, and with them all four coordinates,
    /// have the other sign). Only tables are made with it, so the sums are brought back to elements by a multiplication where they would become too large.
    pub(super) fn double(&self) -> Self {
        let (x2, y2, z2) = (self.x.square(), self.y.square(), self.z.square());
        let xy = self.x.multiply(&self.y);
        let e = xy.add(&xy);
        let h = x2.add(&y2).multiply(&Element::ONE);
        let g = y2.subtract(&x2).multiply(&Element::ONE);
        let f = z2.add(&z2).subtract(&g).multiply(&Element::ONE);
        Self {
            x: e.multiply(&f),
            y: g.multiply(&h),
            z: f.multiply(&g),
            t: e.multiply(&h),
        }
    }
}

impl From<&Affine> for Extended {
    fn from(point: &Affine) -> Self {
        Self {
            x: point.x,
            y: point.y,
            z: Element::ONE,
            t: point.x.multiply(&point.y),
        }
    }
}

impl From<&Affine> for Summand {
    fn from(Affine { x, y }: &Affine) -> Self {
        Self {
            half_sum: y.add(x).multiply(&Element::HALF).canonical(),
            half_difference: y.subtract(x).multiply(&Element::HALF).canonical(),
            product: x.multiply(y).multiply(&Element::D).canonical(),
        }
    }
}
