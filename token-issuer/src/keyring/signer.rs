//! A private key in memory and what it signs: compact JWS (RFC 7515 §3.1) with RS256 (RFC 7518 §3.3).

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::{
    Algorithm,
    jwk::{PublicJwk, PublicKey},
};
use serde::Serialize;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::domain::signing_key::KeyId;

/// What a compact JWS says of itself.
#[derive(Debug, Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'a str,
    kid: &'a str,
}

/// An RSA key pair that signs with RS256. The library wipes the key from memory when it is dropped.
pub(crate) struct Signer {
    kid: KeyId,
    pair: KeyPair,
}

/// Why there is no signature or no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SignerError {
    /// The library made no key.
    #[error("no RSA key could be generated")]
    Generate,
    /// The bytes are no RSA key that signs.
    #[error("the stored private key is no RSA key")]
    Load,
    /// The private key is not the one that the row's key id names.
    #[error("the stored private key does not belong to its key id")]
    OtherKey,
    /// The library made no signature.
    #[error("the token could not be signed")]
    Sign,
}

/// A new key, its private half ready to be sealed.
pub(crate) struct GeneratedKey {
    /// Key id: the RFC 7638 thumbprint.
    pub(crate) kid: KeyId,
    /// PKCS #8.
    pub(crate) private_key: Zeroizing<Vec<u8>>,
    /// The public half as a JWK document.
    pub(crate) public_jwk: String,
}

impl Signer {
    /// Makes an RSA key of 2048 bits. This takes a noticeable part of a second: not for an async thread.
    pub(crate) fn generate() -> Result<GeneratedKey, SignerError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| SignerError::Generate)?;
        let pkcs8: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| SignerError::Generate)?;
        let public_jwk =
            PublicJwk::named_by_thumbprint(Algorithm::Rs256, public_key(&pair)).map_err(|_| SignerError::Generate)?;
        Ok(GeneratedKey {
            kid: KeyId(public_jwk.key_id().to_owned()),
            public_jwk: serde_json::to_string(&public_jwk).map_err(|_| SignerError::Generate)?,
            private_key: Zeroizing::new(pkcs8.as_ref().to_vec()),
        })
    }

    /// Takes a private key into use, if it is the one that `kid` names.
    pub(crate) fn from_pkcs8(kid: KeyId, pkcs8: &[u8]) -> Result<Self, SignerError> {
        let pair = KeyPair::from_pkcs8(pkcs8).map_err(|_| SignerError::Load)?;
        if public_key(&pair).thumbprint() != kid.0 {
            return Err(SignerError::OtherKey);
        }
        Ok(Self { kid, pair })
    }

    /// Whose signatures these are.
    pub(crate) const fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// Signs claims as a compact JWS of the given `typ`.
    pub(crate) fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignerError> {
        let header = Header {
            alg: Algorithm::Rs256.as_str(),
            typ,
            kid: &self.kid.0,
        };
        let mut token = String::with_capacity(1024);
        append_json(&mut token, &header)?;
        token.push('.');
        append_json(&mut token, claims)?;
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .map_err(|_| SignerError::Sign)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({})", self.kid)
    }
}

fn public_key(pair: &KeyPair) -> PublicKey {
    let public = pair.public_key();
    PublicKey::rsa(
        public.modulus().big_endian_without_leading_zero(),
        public.exponent().big_endian_without_leading_zero(),
    )
}

fn append_json(token: &mut String, value: &impl Serialize) -> Result<(), SignerError> {
    let json = serde_json::to_vec(value).map_err(|_| SignerError::Sign)?;
    URL_SAFE_NO_PAD.encode_string(json, token);
    Ok(())
}
