//! The arithmetic that the kernels for both curves share, against a library of long numbers.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use num_bigint::{BigInt, BigUint};

use super::inverse::inverse;
use super::limbs::{self, BITS, LIMBS, Limbs, MASK};
use super::order::Modulus;
use super::testing::{Random, big_endian, little_endian, rounds};
use super::window::signed_digits;

fn to_limbs(number: &BigUint) -> Limbs {
    limbs::from_big_endian(&big_endian(number))
}

/// The number that limbs stand for, whatever their size and sign.
pub(super) fn value(limbs: &[i64]) -> BigInt {
    limbs
        .iter()
        .rev()
        .fold(BigInt::ZERO, |value, limb| (value << BITS) + limb)
}

fn moduli() -> [(&'static Modulus, BigUint); 4] {
    [super::p256::moduli(), super::ed25519::moduli()]
        .concat()
        .try_into()
        .map(|moduli: [&'static Modulus; 4]| {
            moduli.map(|modulus| (modulus, value(&modulus.limbs).to_biguint().unwrap()))
        })
        .unwrap()
}

#[test]
fn the_constants_of_every_modulus_are_right() {
    let primes = [
        (1_u8, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
        (1, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        (1, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"),
        (1, "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"),
    ];
    let radix = BigUint::from(1_u8) << BITS;
    for ((modulus, number), (one, prime)) in moduli().iter().zip(primes) {
        assert_eq!(*number, super::testing::from_hex(prime));
        assert_eq!(
            number * BigUint::try_from(modulus.inverse).unwrap() % &radix,
            one.into()
        );
        let r_squared = (BigUint::from(1_u8) << (2 * 261)) % number;
        assert_eq!(modulus.r_squared, to_limbs(&r_squared));
    }
}

#[test]
fn bytes_become_limbs_and_bytes_again() {
    let mut random = Random(1);
    for _ in 0..rounds(300) {
        let number = random.number(256);
        let limbs = to_limbs(&number);
        assert!(limbs.iter().all(|limb| (0..=MASK).contains(limb)));
        assert_eq!(value(&limbs), number.clone().into());
        assert_eq!(limbs::to_little_endian(&limbs), little_endian(&number));
        assert_eq!(limbs::from_little_endian(&little_endian(&number)), limbs);
    }
}

#[test]
fn columns_of_the_largest_limbs_do_not_overflow_and_are_the_product() {
    // Debug builds panic where a sum overflows.
    let mut random = Random(2);
    let extremes = [-MASK - 1, -MASK, -1, 0, 1, MASK, MASK + 1, 2 * MASK + 2, -2 * MASK - 2];
    for round in 0..rounds(500) {
        let mut pick = |largest: usize| -> Limbs {
            let same = extremes[random.below(largest)];
            std::array::from_fn(|_| {
                if round % 2 == 0 {
                    same
                } else {
                    extremes[random.below(largest)]
                }
            })
        };
        let (a, b) = (pick(9), pick(7));
        assert_eq!(value(&limbs::product(&a, &b)), value(&a) * value(&b));
        assert_eq!(value(&limbs::square(&b)), value(&b) * value(&b));
        assert_eq!(value(&limbs::add(&a, &b)), value(&a) + value(&b));
        assert_eq!(value(&limbs::subtract(&a, &b)), value(&a) - value(&b));
        let settled = limbs::settle(a);
        assert_eq!(value(&settled), value(&a));
        assert!(settled[..LIMBS - 1].iter().all(|limb| (0..=MASK).contains(limb)));
    }
}

#[test]
fn products_modulo_an_order_are_those_of_the_reference() {
    let mut random = Random(3);
    let r = BigUint::from(1_u8) << (BITS as usize * LIMBS);
    for (modulus, number) in moduli() {
        for _ in 0..rounds(300) {
            let (a, b) = (random.number(256), random.number_below(&number));
            let product = value(&modulus.multiply(&to_limbs(&a), &to_limbs(&b)))
                .to_biguint()
                .unwrap();
            assert!(product < number);
            assert_eq!(product * &r % &number, a * b % &number);
        }
    }
}

#[test]
fn an_inverse_times_its_number_is_one() {
    let mut random = Random(4);
    for (modulus, number) in moduli() {
        let signed = BigInt::from(number.clone());
        let near = (1..40_u32).flat_map(|small| [BigUint::from(small), &number - small]);
        let powers = (0..252).map(|power| BigUint::from(1_u8) << power);
        let any = (0..rounds(500))
            .map(|_| random.number_below(&number))
            .collect::<Vec<_>>();
        for candidate in near
            .chain(powers)
            .chain(any)
            .filter(|candidate| *candidate != BigUint::ZERO)
        {
            let inverse = value(&inverse(&to_limbs(&candidate), modulus));
            assert!(inverse.magnitude() < &(&number * 14_u8), "{candidate}");
            let one = (inverse * BigInt::from(candidate.clone()) % &signed + &signed) % &signed;
            assert_eq!(one, 1.into(), "{candidate}");
        }
    }
}

#[test]
fn signed_digits_are_the_number() {
    fn check<const WIDTH: u32, const COUNT: usize>(number: &BigUint) {
        let digits = signed_digits::<WIDTH, COUNT>(&to_limbs(number));
        let half = 1 << (WIDTH - 1);
        assert!(digits.iter().all(|digit| (-half..=half).contains(digit)));
        let sum = digits
            .iter()
            .rev()
            .fold(BigInt::ZERO, |sum, digit| (sum << WIDTH) + digit);
        assert_eq!(sum, number.clone().into());
    }
    let mut random = Random(5);
    let largest = (BigUint::from(1_u8) << 256) - 1_u8;
    for _ in 0..rounds(300) {
        let number = random.number(256);
        for number in [&number, &largest, &BigUint::ZERO] {
            check::<5, 52>(number);
            check::<7, 37>(number);
            check::<4, 65>(number);
            check::<5, 51>(&(number >> 3_u8));
        }
    }
}
