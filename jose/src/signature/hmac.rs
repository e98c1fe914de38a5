//! HMAC with SHA-2 (RFC 7518 section 3.2). The key is kept as the state after its two blocks, so that no request pays
//! for them again; the tag is compared in constant time and never truncated.

use std::borrow::Cow;
use std::fmt;

use hmac::Mac;
use jwt_compact::AlgorithmSignature;
use sha2::{Sha256, Sha384, Sha512};

use super::VerifyOnly;
use crate::Algorithm;

/// HMAC with SHA-256
pub const HS256: Hmac<hmac::Hmac<Sha256>> = Hmac::new(Algorithm::Hs256);
/// HMAC with SHA-384
pub const HS384: Hmac<hmac::Hmac<Sha384>> = Hmac::new(Algorithm::Hs384);
/// HMAC with SHA-512
pub const HS512: Hmac<hmac::Hmac<Sha512>> = Hmac::new(Algorithm::Hs512);

/// HMAC, by the state that its key becomes.
#[derive(Debug, Clone, Copy)]
pub struct Hmac<M> {
    algorithm: Algorithm,
    state: std::marker::PhantomData<fn(M)>,
}

/// The tag that a token brings, as long as it is.
#[derive(Clone)]
pub struct HmacTag(Vec<u8>);

impl<M> Hmac<M> {
    const fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            state: std::marker::PhantomData,
        }
    }
}

impl fmt::Debug for HmacTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HmacTag").finish_non_exhaustive()
    }
}

impl AlgorithmSignature for HmacTag {
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.to_owned()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl<M: Mac + Clone> jwt_compact::Algorithm for Hmac<M> {
    type SigningKey = VerifyOnly;
    type VerifyingKey = M;
    type Signature = HmacTag;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.algorithm.as_str())
    }

    fn sign(&self, signing_key: &VerifyOnly, _message: &[u8]) -> HmacTag {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &HmacTag, verifying_key: &M, message: &[u8]) -> bool {
        let mut state = verifying_key.clone();
        state.update(message);
        state.verify_slice(&signature.0).is_ok()
    }
}
