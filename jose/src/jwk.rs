//! What an issuer publishes: public keys as JWKs (RFC 7517), a set of them, and the thumbprints that name them
//! (RFC 7638). These types have no place for a private parameter, so none can be published by mistake.

#[cfg(test)]
mod tests;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::base64url;
use crate::{Algorithm, Family};

/// A public key, without anything said about its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub enum PublicKey {
    /// RFC 7518 section 6.3.1
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus, in base64url
        n: String,
        /// The exponent, in base64url
        e: String,
    },
    /// RFC 7518 section 6.2.1
    #[serde(rename = "EC")]
    Ec {
        /// The curve's name
        crv: &'static str,
        /// The x coordinate, in base64url
        x: String,
        /// The y coordinate, in base64url
        y: String,
    },
    /// RFC 8037 section 2
    #[serde(rename = "OKP")]
    Okp {
        /// The curve's name
        crv: &'static str,
        /// The key, in base64url
        x: String,
    },
}

/// A key as an issuer publishes it: for signatures with one algorithm, under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    #[serde(rename = "kid")]
    key_id: String,
    #[serde(rename = "use")]
    usage: &'static str,
    #[serde(rename = "alg")]
    algorithm: Algorithm,
    #[serde(flatten)]
    key: PublicKey,
}

/// The algorithm is not for this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key does not fit the algorithm")]
pub struct AlgorithmMismatch;

/// A JWK Set (RFC 7517 section 5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PublicJwkSet {
    keys: Vec<PublicJwk>,
}

impl PublicKey {
    /// An RSA key by modulus and exponent, both big-endian; zero bytes in front are left out, as RFC 7518 section
    /// 6.3.1.1 wants it.
    #[must_use]
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::Rsa {
            n: unsigned(modulus),
            e: unsigned(exponent),
        }
    }

    /// A point on P-256.
    #[must_use]
    pub fn p256(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self::Ec {
            crv: "P-256",
            x: base64url::encode(x),
            y: base64url::encode(y),
        }
    }

    /// A point on P-384.
    #[must_use]
    pub fn p384(x: &[u8; 48], y: &[u8; 48]) -> Self {
        Self::Ec {
            crv: "P-384",
            x: base64url::encode(x),
            y: base64url::encode(y),
        }
    }

    /// A point on P-521.
    #[must_use]
    pub fn p521(x: &[u8; 66], y: &[u8; 66]) -> Self {
        Self::Ec {
            crv: "P-521",
            x: base64url::encode(x),
            y: base64url::encode(y),
        }
    }

    /// An Ed25519 key.
    #[must_use]
    pub fn ed25519(key: &[u8; 32]) -> Self {
        Self::Okp {
            crv: "Ed25519",
            x: base64url::encode(key),
        }
    }

    /// The thumbprint (RFC 7638 section 3, RFC 8037 appendix A.3): SHA-256 over the parameters that make the key, in
    /// base64url. It is a good `kid`: the same for everyone, and no two keys share it.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // The members in the order of their names, without white space. Nothing in them needs escaping.
        let canonical = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        };
        base64url::encode(Sha256::digest(canonical))
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa { .. } => matches!(algorithm.family(), Family::RsaPkcs1v15 | Family::RsaPss),
            Self::Ec { crv, .. } => matches!(
                (*crv, algorithm),
                ("P-256", Algorithm::Es256) | ("P-384", Algorithm::Es384) | ("P-521", Algorithm::Es512)
            ),
            Self::Okp { .. } => algorithm == Algorithm::EdDsa,
        }
    }
}

impl PublicJwk {
    /// A key under a name of the issuer's choice.
    pub fn new(key_id: impl Into<String>, algorithm: Algorithm, key: PublicKey) -> Result<Self, AlgorithmMismatch> {
        if !key.fits(algorithm) {
            return Err(AlgorithmMismatch);
        }
        Ok(Self {
            key_id: key_id.into(),
            usage: "sig",
            algorithm,
            key,
        })
    }

    /// A key that is named by its thumbprint.
    pub fn named_by_thumbprint(algorithm: Algorithm, key: PublicKey) -> Result<Self, AlgorithmMismatch> {
        Self::new(key.thumbprint(), algorithm, key)
    }

    /// `kid`
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// `alg`
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The thumbprint of the key, whatever its name.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.key.thumbprint()
    }
}

impl PublicJwkSet {
    /// The keys, in their order.
    #[must_use]
    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }
}

impl FromIterator<PublicJwk> for PublicJwkSet {
    fn from_iter<I: IntoIterator<Item = PublicJwk>>(keys: I) -> Self {
        Self {
            keys: keys.into_iter().collect(),
        }
    }
}

/// `Base64urlUInt` (RFC 7518 section 2): no zero bytes in front, but one for zero itself.
fn unsigned(number: &[u8]) -> String {
    let first = number
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(number.len().saturating_sub(1));
    base64url::encode(number.get(first..).unwrap_or_default())
}
