//! The signature algorithms, each an implementation of [`jwt_compact::Algorithm`]. Apart from the keys, so that one
//! algorithm's implementation can be exchanged without anything else noticing.
//!
//! | Algorithm | Verified by |
//! |---|---|
//! | RS256, RS384, RS512, PS256, PS384, PS512 | [`RsaPublicOperation`](crate::kernel::RsaPublicOperation) for 2048, 3072 and 4096 bits with the exponent 65537, else the `rsa` crate; of the former, RS256, RS384 and RS512 by an [`RsaDelegate`] where there is one |
//! | ES256 | [`P256Key`](crate::kernel::P256Key) for keys that have a table ([`tabled`]), else the `p256` crate |
//! | ES384, ES512 | the `p384` and `p521` crates |
//! | `EdDSA` | [`Ed25519Key`](crate::kernel::Ed25519Key) for keys that have a table, else the `ed25519-dalek` crate |
//! | HS256, HS384, HS512 | the `hmac` crate |
//!
//! A kernel and its crate accept the same signatures; which of them was asked is never to be seen but by the time that it
//! took.
//!
//! All of them verify and none of them signs: the signing key is a type without values. Verification reads public data
//! only (but for HMAC), so it need not take constant time; it has to be right, which is what the vectors are for.

mod delegate;
mod elliptic;
mod hmac;
mod rsa;
pub mod tabled;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof;

use jwt_compact::{Algorithm, AlgorithmSignature};

pub use delegate::RsaDelegate;
pub use elliptic::{ED25519, ES256, ES384, ES512, Elliptic, EllipticSignature};
pub use hmac::{HS256, HS384, HS512, Hmac, HmacTag};
pub use rsa::{PS256, PS384, PS512, RS256, RS384, RS512, RsaKey, RsaPkcs1v15, RsaPss, RsaSignature};
pub use tabled::TabledKey;

/// The signing key of an algorithm that only verifies. It has no values, so nothing can be signed with it.
#[derive(Debug, Clone, Copy)]
pub enum VerifyOnly {}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The key is not for this algorithm.
    #[error("the key is not for this algorithm")]
    AlgorithmMismatch,
    /// The signature has not the form that the algorithm gives to signatures, its length for one.
    #[error("the signature is malformed")]
    Malformed,
    /// The signature is not that of the message under this key.
    #[error("the signature does not match")]
    Mismatch,
}

/// Verifies a signature as it stands in a token.
pub(crate) fn verify<A: Algorithm>(
    algorithm: &A,
    key: &A::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let signature = A::Signature::try_from_slice(signature).map_err(|_| SignatureError::Malformed)?;
    if algorithm.verify_signature(&signature, key, message) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}
