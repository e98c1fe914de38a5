//! ECDSA (RFC 7518 section 3.4) and `EdDSA` on Ed25519 (RFC 8037 section 3.1), whose `RustCrypto` implementations speak
//! the same traits. ES256 and `EdDSA` are verified by our kernels ([`crate::kernel`]) where a key has its table, see
//! [`super::tabled`]; ES384 and ES512 by the crates.
//!
//! An ECDSA signature is r and s, each as long as the curve's order, one behind the other: 64, 96 or 132 bytes, never
//! DER. Both must lie between 1 and the order less 1. A high s is accepted, because JWS does not ask for a low one and
//! most signers don't make it low.
//!
//! Ed25519 signatures are verified as RFC 8032 section 5.1.7 says, by the equation without the cofactor: S must be
//! below the group's order, and the R that is computed must be spelled exactly as the R that was sent. Keys of small
//! order, for which one signature fits many messages, are refused when a key is read ([`crate::JwkSet::parse`]).

use std::borrow::Cow;
use std::marker::PhantomData;

use ed25519_dalek::ed25519;
use jwt_compact::AlgorithmSignature;
use rsa::signature::{SignatureEncoding, Verifier};

use super::VerifyOnly;
use super::tabled::TabledKey;
use crate::Algorithm;
use crate::kernel::{Ed25519Key, P256Key};

/// ECDSA on P-256 with SHA-256
pub const ES256: Elliptic<TabledKey<P256Key>, p256::ecdsa::Signature> = Elliptic::new(Algorithm::Es256);
/// ECDSA on P-384 with SHA-384
pub const ES384: Elliptic<p384::ecdsa::VerifyingKey, p384::ecdsa::Signature> = Elliptic::new(Algorithm::Es384);
/// ECDSA on P-521 with SHA-512
pub const ES512: Elliptic<p521::ecdsa::VerifyingKey, p521::ecdsa::Signature> = Elliptic::new(Algorithm::Es512);
/// `EdDSA` on Ed25519
pub const ED25519: Elliptic<TabledKey<Ed25519Key>, ed25519::Signature> = Elliptic::new(Algorithm::EdDsa);

/// A signature algorithm on an elliptic curve, by its key and its signature.
#[derive(Debug, Clone, Copy)]
pub struct Elliptic<K, S> {
    algorithm: Algorithm,
    types: PhantomData<fn(K, S)>,
}

/// A signature of the right length whose numbers are in range.
#[derive(Debug, Clone)]
pub struct EllipticSignature<S>(S);

impl<K, S> Elliptic<K, S> {
    const fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            types: PhantomData,
        }
    }
}

impl<S: SignatureEncoding> AlgorithmSignature for EllipticSignature<S> {
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        S::try_from(slice)
            .map(Self)
            .map_err(|_| anyhow::anyhow!("not a signature of this curve"))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.0.to_vec())
    }
}

impl<K: Verifier<S>, S: SignatureEncoding> jwt_compact::Algorithm for Elliptic<K, S> {
    type SigningKey = VerifyOnly;
    type VerifyingKey = K;
    type Signature = EllipticSignature<S>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.algorithm.as_str())
    }

    fn sign(&self, signing_key: &VerifyOnly, _message: &[u8]) -> Self::Signature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &Self::Signature, verifying_key: &K, message: &[u8]) -> bool {
        verifying_key.verify(message, &signature.0).is_ok()
    }
}
