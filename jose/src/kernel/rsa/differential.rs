//! Random and adversarial signatures in any number, judged by the kernel and by the `rsa` crate. Their blocks are made
//! here, good ones and such as a lax reader would take, and then signed.
//!
//! So many signatures need a key that signs fast: its modulus is a product of primes of 32 bits, so that each root is
//! taken by many small powers (the Chinese remainder theorem). To those who verify it is a modulus as any other.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use num_bigint::BigUint;
use rsa::BoxedUint;
use sha2::digest::Digest;
use sha2::digest::const_oid::AssociatedOid;
use sha2::{Sha256, Sha384, Sha512};

use super::tests::{padded, verdict};
use super::*;
use crate::Algorithm;
use crate::kernel::testing::{Random, Tally};

const USUALLY: u64 = if cfg!(target_arch = "wasm32") { 60 } else { 2000 };

/// A key of which the primes are known.
struct Signer {
    kernel: RsaPublicOperation,
    reference: rsa::PublicKey,
    modulus: BigUint,
    /// Each prime, the exponent that undoes 65537 modulo it, and the number that is 1 modulo it and 0 modulo all others.
    parts: Vec<(u64, u64, BigUint)>,
}

fn power(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let (mut result, mut square) = (1, base % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * square % modulus;
        }
        square = square * square % modulus;
        exponent >>= 1;
    }
    result
}

/// Miller's and Rabin's test, which is certain for numbers of 32 bits with these bases (Jaeschke 1993).
fn is_prime(odd: u64) -> bool {
    let twos = (odd - 1).trailing_zeros();
    [2, 7, 61].into_iter().all(|base| {
        let mut value = power(base, (odd - 1) >> twos, odd);
        value == 1
            || (0..twos).any(|_| {
                let found = value == odd - 1;
                value = value * value % odd;
                found
            })
    })
}

impl Signer {
    /// All primes lie so near below 2^32 that their product has all bits.
    fn new(bits: u64, random: &mut Random) -> Self {
        let count = bits / 32;
        let spread = (1_u64 << 32) / (2 * count);
        let mut primes: Vec<u64> = Vec::new();
        while (primes.len() as u64) < count {
            let candidate = ((1 << 32) - random.next() % spread) | 1;
            let candidate = candidate.min(u64::from(u32::MAX));
            if is_prime(candidate) && (candidate - 1) % 65537 != 0 && !primes.contains(&candidate) {
                primes.push(candidate);
            }
        }
        let modulus = primes
            .iter()
            .fold(BigUint::from(1_u8), |product, prime| product * prime);
        assert_eq!(modulus.bits(), bits);
        let parts = primes.iter().map(|&prime| {
            let root = BigUint::from(65537_u32).modinv(&BigUint::from(prime - 1)).unwrap();
            let others = &modulus / prime;
            let inverse = (&others % prime).modinv(&BigUint::from(prime)).unwrap();
            (prime, u64::try_from(root).unwrap(), others * inverse)
        });
        let bytes = modulus.to_bytes_be();
        Self {
            kernel: RsaPublicOperation::new(&bytes, 65537).unwrap(),
            reference: rsa::PublicKey::new(
                BoxedUint::from_be_slice_vartime(&bytes),
                BoxedUint::from_be_slice_vartime(&[1, 0, 1]),
            )
            .unwrap(),
            parts: parts.collect(),
            modulus,
        }
    }

    fn len(&self) -> usize {
        self.kernel.bytes.len()
    }

    /// The number of which the block is the 65537th power.
    fn sign(&self, block: &[u8]) -> BigUint {
        let block = BigUint::from_bytes_be(block);
        let sum = self.parts.iter().fold(BigUint::ZERO, |sum, (prime, root, unit)| {
            let rest = u64::try_from(&block % *prime).unwrap();
            sum + unit * power(rest, *root, *prime)
        });
        sum % &self.modulus
    }
}

/// EMSA-PKCS1-v1_5 with everything that may be wrong about it. The second says whether it is good.
fn pkcs1_block<D: Digest + AssociatedOid>(message: &[u8], len: usize, random: &mut Random) -> (Vec<u8>, bool) {
    let hash = D::digest(message);
    let identifier = D::OID.as_bytes();
    let info = |identifier: &[u8], null: &[u8], hash: &[u8]| {
        let algorithm = [&[6, byte(identifier.len())], identifier, null].concat();
        let algorithm = [
            &[0x30, byte(algorithm.len())],
            &algorithm[..],
            &[4, byte(hash.len())],
            hash,
        ]
        .concat();
        [&[0x30, byte(algorithm.len())], &algorithm[..]].concat()
    };
    let block = |first: [u8; 2], filler: u8, info: &[u8], behind: usize| {
        let fill = len - 3 - info.len() - behind;
        [&first[..], &vec![filler; fill], &[0], info, &vec![0x5a; behind]].concat()
    };
    let right = info(identifier, &[5, 0], &hash);
    let mut good = block([0, 1], 0xff, &right, 0);
    match random.below(20) {
        0 => (block([0, 1], 0xff, &info(identifier, &[], &hash), 0), false),
        1 => (block([0, 1], 0xff, &info(identifier, &[5, 1, 0], &hash), 0), false),
        2 => (
            block([0, 1], 0xff, &info(Sha256::OID.as_bytes(), &[5, 0], &hash[1..]), 0),
            false,
        ),
        3 => {
            let mut other = identifier.to_vec();
            *other.last_mut().unwrap() ^= 1 + byte(random.below(4));
            (block([0, 1], 0xff, &info(&other, &[5, 0], &hash), 0), false)
        }
        4 => (block([0, 2], 0xff, &right, 0), false),
        5 => (block([0, 0], 0xff, &right, 0), false),
        6 => (block([0, 1], 0xfe, &right, 0), false),
        // Bleichenbacher 2006: the hash moved forward, with anything behind it.
        7 => (
            block([0, 1], 0xff, &right, 1 + random.below(len - 12 - right.len())),
            false,
        ),
        8 => (block([0, 1], 0xff, &hash, 0), false),
        9 | 10 => {
            let place = random.below(len);
            // Not above the modulus
            good[place] ^= if place == 0 { 1 } else { 1 << random.below(8) };
            (good, false)
        }
        11 => {
            // An end of the padding before its time.
            good[2 + random.below(len - 3 - right.len())] = 0;
            (good, false)
        }
        _ => (good, true),
    }
}

/// EMSA-PSS (RFC 8017 section 9.1.1) with everything that may be wrong about it.
fn pss_block<D: Digest>(message: &[u8], len: usize, random: &mut Random) -> (Vec<u8>, bool) {
    let hash_len = <D as Digest>::output_size();
    let longest = len - hash_len - 2;
    let wrong = random.below(20);
    let salt_len = match wrong {
        0 => 0,
        1 => hash_len - 1,
        2 => hash_len + 1,
        3 => longest,
        4 => random.below(longest + 1),
        _ => hash_len,
    };
    let salt = vec![random.next().to_be_bytes()[0]; salt_len];
    let hash = D::digest(message);
    let eight = [u8::from(wrong == 5); 8];
    let seed = D::new()
        .chain_update(eight)
        .chain_update(&hash)
        .chain_update(&salt)
        .finalize();
    let mut masked = [vec![0; longest - salt_len], vec![1], salt].concat();
    match wrong {
        6 => masked[longest - salt_len] = 2,
        7 => masked[longest - salt_len - 1] = 1,
        8 => {
            let place = random.below(longest - salt_len);
            masked[place] |= if place == 0 { 1 } else { 1 << random.below(8) };
        }
        _ => {}
    }
    let mut mask = Vec::new();
    for counter in 0_u32.. {
        if mask.len() >= masked.len() {
            break;
        }
        let counter = if wrong == 9 {
            counter.to_le_bytes()
        } else {
            counter.to_be_bytes()
        };
        mask.extend(D::new().chain_update(&seed).chain_update(counter).finalize());
    }
    for (byte, mask) in masked.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    masked[0] &= 0x7f;
    let mut block = [&masked[..], &seed, &[0xbc]].concat();
    match wrong {
        10 => *block.last_mut().unwrap() = 0xcc,
        11 | 12 => {
            let place = random.below(len);
            block[place] ^= 1 << random.below(8);
        }
        _ => {}
    }
    let good = (salt_len == hash_len) && !(5..=12).contains(&wrong);
    (block, good)
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap()
}

/// What becomes of a signature on its way.
fn change(signature: &BigUint, signer: &Signer, random: &mut Random) -> Vec<u8> {
    let (len, modulus) = (signer.len(), &signer.modulus);
    let mut bytes = padded(signature, len);
    let small = random.next() % 3;
    match random.below(12) {
        0 | 1 => bytes[random.below(len)] ^= 1 << random.below(8),
        2 => bytes.insert(0, 0),
        3 => bytes.push(0),
        4 => drop(bytes.pop()),
        5 => drop(bytes.remove(0)),
        6 => bytes = padded(&BigUint::from(small), len),
        7 => bytes = padded(&(modulus - small), len),
        8 => bytes = padded(&(modulus + small), len),
        // The same number modulo n, if that can be written.
        9 if (signature + modulus).bits() <= modulus.bits() => bytes = padded(&(signature + modulus), len),
        // Its negative
        9 | 10 => bytes = padded(&(modulus - signature), len),
        _ => bytes = padded(&random.number(len * 8), len),
    }
    bytes
}

fn compare(
    mut tally: Tally,
    algorithms: [Algorithm; 3],
    block: impl Fn(Algorithm, &[u8], usize, &mut Random) -> (Vec<u8>, bool),
) {
    let mut random = tally.random();
    let signers: Vec<_> = [2048, 2048, 2048, 3072, 4096]
        .map(|bits| Signer::new(bits, &mut random))
        .into();
    while !tally.is_full() {
        // Mostly 2048 bits, which take the least time.
        let signer = &signers[random.below(24).saturating_sub(19).max(random.below(3))];
        let key = (&signer.kernel, &signer.reference);
        let algorithm = algorithms[random.below(3)];
        let message = random.bytes::<16>();
        let (block, good) = block(algorithm, &message, signer.len(), &mut random);
        let signature = signer.sign(&block);
        let bytes = padded(&signature, signer.len());
        // Whatever the block was, here it is known what is right.
        assert_eq!(
            tally.note(verdict(key, algorithm, &message, &bytes)),
            good,
            "{algorithm} {block:02x?}"
        );
        let (message, bytes, algorithm) = match random.below(4) {
            0 => (random.bytes(), bytes, algorithm),
            1 => (message, bytes, algorithms[random.below(3)]),
            _ => (message, change(&signature, signer, &mut random), algorithm),
        };
        tally.note(verdict(key, algorithm, &message, &bytes));
    }
    tally.report();
}

#[test]
fn random_and_adversarial_pkcs1_signatures_are_judged_as_the_reference_does() {
    let algorithms = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];
    compare(
        Tally::new("RSASSA-PKCS1-v1_5", USUALLY),
        algorithms,
        |algorithm, message, len, random| match algorithm {
            Algorithm::Rs256 => pkcs1_block::<Sha256>(message, len, random),
            Algorithm::Rs384 => pkcs1_block::<Sha384>(message, len, random),
            _ => pkcs1_block::<Sha512>(message, len, random),
        },
    );
}

#[test]
fn random_and_adversarial_pss_signatures_are_judged_as_the_reference_does() {
    let algorithms = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];
    compare(
        Tally::new("RSASSA-PSS", USUALLY),
        algorithms,
        |algorithm, message, len, random| match algorithm {
            Algorithm::Ps256 => pss_block::<Sha256>(message, len, random),
            Algorithm::Ps384 => pss_block::<Sha384>(message, len, random),
            _ => pss_block::<Sha512>(message, len, random),
        },
    );
}
