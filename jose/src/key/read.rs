//! From a JWK (RFC 7517, RFC 7518 section 6, RFC 8037 section 2) to a prepared key. Parameters that decide nothing here
//! (`x5c`, `x5t`, `x5u`, `iat` and the like) are not looked at.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hmac::KeyInit;
use rsa::BoxedUint;
use sha2::{Digest, Sha256};

use super::{HmacStates, JwkError, KeyIdentity, KeySource, Material, Prepared, VerifyingKey};
use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::base64url;
use crate::json::{Object, Value};
use crate::signature::{RsaKey, TabledKey};
use crate::token::MAX_KEY_ID_LEN;

const MIN_MODULUS_BITS: usize = 2048;
const MAX_MODULUS_BITS: usize = 8192;

/// Parameters that make a key what it is, or say what it is for. Those that a key of its type needs are strings.
const IDENTIFYING_PARAMETERS: [&str; 9] = ["kid", "alg", "kty", "crv", "n", "e", "x", "y", "k"];

/// Parameters that only private and symmetric keys have (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2).
const PRIVATE_PARAMETERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl VerifyingKey {
    /// Reads one key of a set.
    pub(crate) fn from_jwk(jwk: &Value, source: KeySource) -> Result<Self, JwkError> {
        let jwk = jwk.as_object().ok_or(JwkError::NotAnObject)?;
        let key_type = required(jwk, "kty")?;
        for_verification(jwk)?;
        let key_id = key_id(jwk)?;
        let named = string(jwk, "alg")?
            .map(|alg| Algorithm::parse(alg).ok_or(JwkError::UnsupportedAlgorithm))
            .transpose()?;

        if source == KeySource::Remote {
            if key_type == "oct" {
                return Err(JwkError::SharedSecret);
            }
            if PRIVATE_PARAMETERS.iter().any(|parameter| jwk.contains(parameter)) {
                return Err(JwkError::PrivateKey);
            }
        }
        let (material, fitting) = match key_type {
            "RSA" => rsa_key(jwk)?,
            "EC" => point(jwk)?,
            "OKP" => edwards_point(jwk)?,
            "oct" => secret(jwk, named)?,
            _ => return Err(JwkError::UnsupportedKeyType),
        };
        let algorithms = match named {
            None => fitting,
            Some(algorithm) if fitting.contains(algorithm) => AlgorithmSet::EMPTY.with(algorithm),
            Some(_) => return Err(JwkError::AlgorithmMismatch),
        };
        Ok(Self(Arc::new(Prepared {
            identity: identity(jwk),
            key_id,
            algorithms,
            material,
        })))
    }
}

/// Each parameter with its length before it, so that no two keys are spelled alike.
fn identity(jwk: &Object) -> KeyIdentity {
    let mut hash = Sha256::new();
    for name in IDENTIFYING_PARAMETERS {
        let text = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    KeyIdentity(hash.finalize().into())
}

/// `use` and `key_ops`: absent, or saying that the key verifies (RFC 7517 sections 4.2 and 4.3).
fn for_verification(jwk: &Object) -> Result<(), JwkError> {
    if string(jwk, "use")?.is_some_and(|usage| usage != "sig") {
        return Err(JwkError::NotForSignatures);
    }
    let Some(operations) = jwk.get("key_ops") else {
        return Ok(());
    };
    let mut verify = false;
    for operation in operations.as_array().ok_or(JwkError::WrongType("key_ops"))? {
        verify |= operation.as_str().ok_or(JwkError::WrongType("key_ops"))? == "verify";
    }
    if verify {
        Ok(())
    } else {
        Err(JwkError::NotForVerification)
    }
}

fn key_id(jwk: &Object) -> Result<Option<String>, JwkError> {
    match string(jwk, "kid")? {
        None | Some("") => Ok(None),
        Some(key_id) if key_id.len() > MAX_KEY_ID_LEN => Err(JwkError::KeyIdTooLong),
        Some(key_id) => Ok(Some(key_id.to_owned())),
    }
}

/// RFC 7518 section 6.3.1. Some issuers write the modulus as a signed number, with a zero byte in front, which the RFC
/// forbids; it changes nothing about the key, so it is let pass.
fn rsa_key(jwk: &Object) -> Result<(Material, AlgorithmSet), JwkError> {
    let modulus = bytes(jwk, "n")?;
    let exponent = bytes(jwk, "e")?;
    let (modulus, exponent) = (without_leading_zeros(&modulus), without_leading_zeros(&exponent));
    let key = rsa::PublicKey::new_with_size_limits(
        BoxedUint::from_be_slice_vartime(modulus),
        BoxedUint::from_be_slice_vartime(exponent),
        MIN_MODULUS_BITS..=MAX_MODULUS_BITS,
    )
    .map_err(|error| match error {
        rsa::Error::ModulusTooSmall | rsa::Error::ModulusTooLarge => JwkError::ModulusSize,
        _ => JwkError::InvalidRsaKey,
    })?;
    let fitting = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ];
    Ok((Material::Rsa(RsaKey::new(key)), fitting.into_iter().collect()))
}

/// RFC 7518 section 6.2.1.
fn point(jwk: &Object) -> Result<(Material, AlgorithmSet), JwkError> {
    let curve = required(jwk, "crv")?;
    let (material, algorithm) = match curve {
        "P-256" => (
            p256::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed(jwk, 32)?)
                .map(|key| Material::P256(TabledKey::new(key))),
            Algorithm::Es256,
        ),
        "P-384" => (
            p384::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed(jwk, 48)?).map(Material::P384),
            Algorithm::Es384,
        ),
        "P-521" => (
            p521::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed(jwk, 66)?).map(Material::P521),
            Algorithm::Es512,
        ),
        _ => return Err(JwkError::UnsupportedCurve),
    };
    Ok((
        material.map_err(|_| JwkError::InvalidPoint)?,
        AlgorithmSet::EMPTY.with(algorithm),
    ))
}

/// The point as SEC 1 section 2.3.3 writes it: 4, x, y.
fn uncompressed(jwk: &Object, coordinate_len: usize) -> Result<Vec<u8>, JwkError> {
    let mut point = Vec::with_capacity(1 + 2 * coordinate_len);
    point.push(4);
    for name in ["x", "y"] {
        let coordinate = bytes(jwk, name)?;
        if coordinate.len() != coordinate_len {
            return Err(JwkError::CoordinateLength);
        }
        point.extend_from_slice(&coordinate);
    }
    Ok(point)
}

/// RFC 8037 section 2. A point of small order would let one signature fit many messages, and a point that is spelled in
/// another way than the canonical one would be two keys to two implementations.
fn edwards_point(jwk: &Object) -> Result<(Material, AlgorithmSet), JwkError> {
    if required(jwk, "crv")? != "Ed25519" {
        return Err(JwkError::UnsupportedCurve);
    }
    let x: [u8; 32] = bytes(jwk, "x")?.try_into().map_err(|_| JwkError::CoordinateLength)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&x).map_err(|_| JwkError::InvalidPoint)?;
    if key.is_weak() || key.to_edwards().compress().to_bytes() != x {
        return Err(JwkError::InvalidPoint);
    }
    Ok((
        Material::Ed25519(Box::new(TabledKey::new(key))),
        AlgorithmSet::EMPTY.with(Algorithm::EdDsa),
    ))
}

/// RFC 7518 section 6.4.1, and section 3.2 for the length: a secret is at least as long as the hash.
fn secret(jwk: &Object, named: Option<Algorithm>) -> Result<(Material, AlgorithmSet), JwkError> {
    let secret = bytes(jwk, "k")?;
    let states = HmacStates {
        sha256: state(&secret)?,
        sha384: state(&secret)?,
        sha512: state(&secret)?,
    };
    let mut fitting = AlgorithmSet::EMPTY;
    for (algorithm, long_enough) in [
        (Algorithm::Hs256, states.sha256.is_some()),
        (Algorithm::Hs384, states.sha384.is_some()),
        (Algorithm::Hs512, states.sha512.is_some()),
    ] {
        if long_enough {
            fitting = fitting.with(algorithm);
        } else if named == Some(algorithm) {
            return Err(JwkError::ShortSecret);
        }
    }
    if fitting.is_empty() {
        Err(JwkError::ShortSecret)
    } else {
        Ok((Material::Hmac(Box::new(states)), fitting))
    }
}

/// HMAC's state after its key, if the key is long enough for the hash.
fn state<M: hmac::Mac + KeyInit>(secret: &[u8]) -> Result<Option<M>, JwkError> {
    if secret.len() < M::output_size() {
        return Ok(None);
    }
    M::new_from_slice(secret).map(Some).map_err(|_| JwkError::ShortSecret)
}

fn required<'o>(jwk: &'o Object, name: &'static str) -> Result<&'o str, JwkError> {
    string(jwk, name)?.ok_or(JwkError::Missing(name))
}

/// A parameter that is a string if it is there.
fn string<'o>(jwk: &'o Object, name: &'static str) -> Result<Option<&'o str>, JwkError> {
    jwk.get(name)
        .map(|value| value.as_str().ok_or(JwkError::WrongType(name)))
        .transpose()
}

fn bytes(jwk: &Object, name: &'static str) -> Result<Vec<u8>, JwkError> {
    base64url::decode(required(jwk, name)?).map_err(|_| JwkError::NotBase64url(name))
}

fn without_leading_zeros(mut number: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = number {
        number = rest;
    }
    number
}
