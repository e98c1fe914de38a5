//! Ed25519 (RFC 8032 section 5.1.7) with a table for each key.
//!
//! The signature is verified by the equation without the cofactor: S must be below the group's order, and the point
//! S·B − k·A must be spelled exactly as the R that was sent. This is what `ed25519_dalek::VerifyingKey::verify` does.

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

use sha2::{Digest, Sha512};

use field::Element;
use point::{Affine, Extended};
use table::Table;

use super::limbs::{self, LIMBS, Limbs};
use super::order::{Modulus, is_negative};

/// The base point's order, 2^252 + 27742317777372353535851937790883648493
static ORDER: Modulus = Modulus {
    limbs: [
        0x1cf5_d3ed,
        0x0093_18d2,
        0x1de7_3596,
        0x1df3_bd45,
        0x14d,
        0,
        0,
        0,
        0x10_0000,
    ],
    inverse: 0x0dab_81e5,
    r_squared: [
        0x0b5f_9d12,
        0x1e14_1b17,
        0x158d_7f3d,
        0x143f_3757,
        0x1972_d781,
        0x042f_eb7c,
        0x1cee_c73d,
        0x1e18_4d1e,
        0x0005_046d,
    ],
};

/// The base point
const BASE: Affine = Affine {
    x: Element([
        0x0f25_d51a,
        0x0ab1_6b04,
        0x0969_ecb2,
        0x198e_c12a,
        0x0dc5_c692,
        0x1118_feeb,
        0x0ffb_0293,
        0x1a79_adca,
        0x0021_6936,
    ]),
    y: Element([
        0x0666_6658,
        0x1333_3333,
        0x1999_9999,
        0x0ccc_cccc,
        0x0666_6666,
        0x1333_3333,
        0x1999_9999,
        0x0ccc_cccc,
        0x0066_6666,
    ]),
};

/// The base point's table is shared by all keys, so it may be larger than theirs.
static BASE_TABLE: OnceLock<Table<7, 37>> = OnceLock::new();

/// An Ed25519 public key with its table.
#[derive(Clone)]
pub struct Ed25519Key {
    bytes: [u8; 32],
    /// Of the key's negative
    table: Table<5, 51>,
}

impl Ed25519Key {
    /// Prepares a key. `None` unless it is a point of the curve in its only correct spelling (RFC 8032 section 5.1.3).
    /// Keys of small order are as good as any other here; who reads keys refuses them.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Option<Self> {
        let point = decode(bytes)?;
        BASE_TABLE.get_or_init(|| Table::new(&BASE));
        let negative = Affine {
            x: point.x.negate(),
            y: point.y,
        };
        Some(Self {
            bytes: *bytes,
            table: Table::new(&negative),
        })
    }

    /// Verifies a signature over a message.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let Some((r, s)) = signature.split_first_chunk::<32>() else {
            return false;
        };
        let Some(s) = s.first_chunk::<32>().map(limbs::from_little_endian) else {
            return false;
        };
        if !is_negative(&limbs::settle(limbs::subtract(&s, &ORDER.limbs))) {
            return false;
        }
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(self.bytes)
            .chain_update(message)
            .finalize();
        let k = modulo_order(&hash.into());
        let mut sum = Extended::NEUTRAL;
        BASE_TABLE.get_or_init(|| Table::new(&BASE)).add_multiple(&s, &mut sum);
        self.table.add_multiple(&k, &mut sum);
        encode(&sum) == *r
    }
}

/// A little-endian number of 512 bits modulo the order.
fn modulo_order(bytes: &[u8; 64]) -> Limbs {
    let mut numbers = [[0; LIMBS]; 2];
    let mut bytes = bytes.iter();
    let (mut buffer, mut filled) = (0, 0);
    for limb in numbers.as_flattened_mut() {
        while filled < limbs::BITS {
            buffer |= i64::from(bytes.next().copied().unwrap_or(0)) << filled;
            filled += 8;
        }
        *limb = buffer & limbs::MASK;
        buffer >>= limbs::BITS;
        filled -= limbs::BITS;
    }
    // low + high·R, by multiplications that divide by R
    let [low, high] = numbers;
    let one = Element::ONE.0;
    let low = ORDER.multiply(&ORDER.multiply(&low, &ORDER.r_squared), &one);
    let high = ORDER.multiply(&high, &ORDER.r_squared);
    ORDER.canonical(limbs::settle(limbs::add(&low, &high)))
}

/// RFC 8032 section 5.1.2
fn encode(point: &Extended) -> [u8; 32] {
    let z = point.z.inverse();
    let (x, y) = (point.x.multiply(&z).canonical(), point.y.multiply(&z).canonical());
    with_sign(&x, &y)
}

fn with_sign(x: &Element, y: &Element) -> [u8; 32] {
    let mut bytes = limbs::to_little_endian(&y.0);
    let (Element([lowest, ..]), [.., last]) = (x, &mut bytes);
    *last |= u8::from(lowest & 1 == 1) << 7;
    bytes
}

/// RFC 8032 section 5.1.3
fn decode(bytes: &[u8; 32]) -> Option<Affine> {
    let mut y_bytes = *bytes;
    let [.., last] = &mut y_bytes;
    let negative = *last >> 7 == 1;
    *last &= 0x7f;
    let y = Element(limbs::from_little_endian(&y_bytes)).canonical();

    let y2 = y.square();
    let numerator = y2.subtract(&Element::ONE);
    let denominator = y2.multiply(&Element::D).add(&Element::ONE);
    // d is no square, so the denominator is never zero
    let x2 = numerator.multiply(&denominator.inverse());
    // x²^((p+3)/8) = x²^(2^252 − 2) is a root of x² or of −x²
    let mut power = x2;
    for _ in 0..250 {
        power = power.square().multiply(&x2);
    }
    let mut x = power.square();
    if !x.square().equals(&x2) {
        x = x.multiply(&Element::ROOT_OF_MINUS_ONE);
        if !x.square().equals(&x2) {
            return None;
        }
    }
    let mut x = x.canonical();
    let Element([lowest, ..]) = &x;
    if (lowest & 1 == 1) != negative {
        x = x.negate().canonical();
    }
    (with_sign(&x, &y) == *bytes).then_some(Affine { x, y })
}

/// The prime and the order, for tests of what is common to all moduli.
#[cfg(test)]
pub(super) fn moduli() -> [&'static Modulus; 2] {
    [&field::PRIME, &ORDER]
}
