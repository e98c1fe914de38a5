//! For tests only: one key of every kind, what signs with it, and tokens made of any bytes. The keys are published
//! (RSA) or constants, so every run signs alike and none of them protects anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::convert::Infallible;
use std::sync::OnceLock;

use hmac::{KeyInit, Mac};
use rsa::BoxedUint;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use sha2::{Sha256, Sha384, Sha512};

use crate::json::{self, Value};
use crate::jwk::PublicKey;
use crate::{Algorithm, Family, UnverifiedToken, base64url};

pub(crate) const NO_LIMIT: usize = usize::MAX;
/// Long enough for every HMAC.
pub(crate) const SECRET: [u8; 64] = *b"64 bytes that every reader of this file knows, so not a secret..";

/// The public key (RSA, EC, OKP) that belongs to an algorithm, as an issuer would publish it.
pub(crate) fn public_key(algorithm: Algorithm) -> PublicKey {
    match algorithm {
        Algorithm::Es256 => {
            let point = p256_key().verifying_key().to_sec1_point(false);
            PublicKey::p256(&array(point.x().unwrap()), &array(point.y().unwrap()))
        }
        Algorithm::Es384 => {
            let point = p384_key().verifying_key().to_sec1_point(false);
            PublicKey::p384(&array(point.x().unwrap()), &array(point.y().unwrap()))
        }
        Algorithm::Es512 => {
            let point = p521_key().verifying_key().to_sec1_point(false);
            PublicKey::p521(&array(point.x().unwrap()), &array(point.y().unwrap()))
        }
        Algorithm::EdDsa => PublicKey::ed25519(&ed25519_key().verifying_key().to_bytes()),
        _ => PublicKey::rsa(&rsa_key().n_bytes(), &rsa_key().e_bytes()),
    }
}

/// The key's own members as a JWK, with more members behind them, written as `,"name":value`.
pub(crate) fn jwk(algorithm: Algorithm, more: &str) -> String {
    let key = if algorithm.family() == Family::Hmac {
        format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url::encode(SECRET))
    } else {
        serde_json::to_string(&public_key(algorithm)).unwrap()
    };
    format!("{}{more}}}", key.strip_suffix('}').unwrap())
}

pub(crate) fn jwks(keys: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// Signs with the key that belongs to the algorithm.
pub(crate) fn sign(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Rs256 => rsa::pkcs1v15::SigningKey::<Sha256>::new(rsa_key())
            .sign(message)
            .to_vec(),
        Algorithm::Rs384 => rsa::pkcs1v15::SigningKey::<Sha384>::new(rsa_key())
            .sign(message)
            .to_vec(),
        Algorithm::Rs512 => rsa::pkcs1v15::SigningKey::<Sha512>::new(rsa_key())
            .sign(message)
            .to_vec(),
        Algorithm::Ps256 => pss::<Sha256>(message, 32),
        Algorithm::Ps384 => pss::<Sha384>(message, 48),
        Algorithm::Ps512 => pss::<Sha512>(message, 64),
        Algorithm::Es256 => Signer::<p256::ecdsa::Signature>::sign(&p256_key(), message).to_vec(),
        Algorithm::Es384 => Signer::<p384::ecdsa::Signature>::sign(&p384_key(), message).to_vec(),
        Algorithm::Es512 => Signer::<p521::ecdsa::Signature>::sign(&p521_key(), message).to_vec(),
        Algorithm::EdDsa => ed25519_key().sign(message).to_vec(),
        Algorithm::Hs256 => tag::<hmac::Hmac<Sha256>>(&SECRET, message),
        Algorithm::Hs384 => tag::<hmac::Hmac<Sha384>>(&SECRET, message),
        Algorithm::Hs512 => tag::<hmac::Hmac<Sha512>>(&SECRET, message),
    }
}

/// RSASSA-PSS with a salt of any length.
pub(crate) fn pss<D: sha2::digest::Digest + sha2::digest::FixedOutputReset>(
    message: &[u8],
    salt_len: usize,
) -> Vec<u8> {
    rsa::pss::SigningKey::<D>::new_with_salt_len(rsa_key(), salt_len)
        .sign_with_rng(&mut Counting(0), message)
        .to_vec()
}

pub(crate) fn tag<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> Vec<u8> {
    <M as KeyInit>::new_from_slice(secret)
        .unwrap()
        .chain_update(message)
        .finalize()
        .into_bytes()
        .to_vec()
}

/// A token of this header and these claims, whatever they are, signed.
pub(crate) fn token(algorithm: Algorithm, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
    let signature = sign(algorithm, input.as_bytes());
    format!("{input}.{}", base64url::encode(signature))
}

/// A token of this header and these claims, with a signature that is none.
pub(crate) fn unsigned(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}.AAAA", base64url::encode(header), base64url::encode(claims))
}

pub(crate) fn parsed(token: &str) -> UnverifiedToken {
    UnverifiedToken::parse(token.as_bytes(), NO_LIMIT).unwrap()
}

pub(crate) fn header(algorithm: Algorithm) -> String {
    format!(r#"{{"alg":"{algorithm}"}}"#)
}

/// A member that has to be there, as a string.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value
        .as_object()
        .and_then(|object| object.get(name))
        .and_then(Value::as_str)
        .unwrap()
}

/// The key of RFC 7515 appendix A.2.
pub(crate) fn rsa_key() -> rsa::PrivateKey {
    static KEY: OnceLock<rsa::PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let primes = json::parse(include_bytes!("../testdata/rsa-2048-primes.json")).unwrap();
        let prime = |name| BoxedUint::from_be_slice(&base64url::decode(text(&primes, name)).unwrap(), 1024).unwrap();
        rsa::PrivateKey::from_p_q(prime("p"), prime("q"), BoxedUint::from(65537_u64)).unwrap()
    })
    .clone()
}

pub(crate) fn p256_key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[1; 32]).unwrap()
}

pub(crate) fn p384_key() -> p384::ecdsa::SigningKey {
    p384::ecdsa::SigningKey::from_slice(&[1; 48]).unwrap()
}

pub(crate) fn p521_key() -> p521::ecdsa::SigningKey {
    p521::ecdsa::SigningKey::from_slice(&[vec![0], vec![1; 65]].concat()).unwrap()
}

pub(crate) fn ed25519_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[1; 32])
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

/// Counts; for salts and blinding in tests, where randomness is not wanted.
struct Counting(u64);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64()
            .map(|number| u32::try_from(number & 0xffff_ffff).unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for byte in destination {
            *byte = self.try_next_u64()?.to_be_bytes()[0];
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}
