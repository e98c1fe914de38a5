//! RSASSA-PKCS1-v1_5 (RFC 7518 section 3.3, RFC 8017 section 8.2) and RSASSA-PSS (RFC 7518 section 3.5, RFC 8017
//! section 8.1).
//!
//! A signature is exactly as long as the modulus and, as a number, below it. For PKCS #1 v1.5 the whole encoded block
//! is compared with the one that the message gives, so there is no padding to be parsed wrongly. For PSS the salt is
//! exactly as long as the hash, and MGF1 uses the hash of the message.
//!
//! Keys of 2048, 3072 and 4096 bits with the exponent 65537, which are nearly all that there are, are verified by our
//! kernel ([`RsaPublicOperation`]), all others by the `rsa` crate. For the same keys a delegate can stand in.

mod public_key_info;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use jwt_compact::AlgorithmSignature;
use rsa::PublicKey;
use rsa::traits::PublicKeyParts;
use sha2::digest::const_oid::AssociatedOid;
use sha2::digest::{Digest, FixedOutputReset};
use sha2::{Sha256, Sha384, Sha512};

use super::{RsaDelegate, VerifyOnly};
use crate::Algorithm;
use crate::kernel::RsaPublicOperation;

/// RSASSA-PKCS1-v1_5 with SHA-256
pub const RS256: RsaPkcs1v15<Sha256> = RsaPkcs1v15::new(Algorithm::Rs256);
/// RSASSA-PKCS1-v1_5 with SHA-384
pub const RS384: RsaPkcs1v15<Sha384> = RsaPkcs1v15::new(Algorithm::Rs384);
/// RSASSA-PKCS1-v1_5 with SHA-512
pub const RS512: RsaPkcs1v15<Sha512> = RsaPkcs1v15::new(Algorithm::Rs512);
/// RSASSA-PSS with SHA-256
pub const PS256: RsaPss<Sha256> = RsaPss::new(Algorithm::Ps256);
/// RSASSA-PSS with SHA-384
pub const PS384: RsaPss<Sha384> = RsaPss::new(Algorithm::Ps384);
/// RSASSA-PSS with SHA-512
pub const PS512: RsaPss<Sha512> = RsaPss::new(Algorithm::Ps512);

/// RSASSA-PKCS1-v1_5, by its hash.
#[derive(Debug, Clone, Copy)]
pub struct RsaPkcs1v15<D> {
    algorithm: Algorithm,
    digest: PhantomData<fn(D)>,
}

/// RSASSA-PSS, by its hash.
#[derive(Debug, Clone, Copy)]
pub struct RsaPss<D> {
    algorithm: Algorithm,
    digest: PhantomData<fn(D)>,
}

/// An RSA key, prepared for the way that verifies with it.
#[derive(Clone)]
pub struct RsaKey(Way);

#[derive(Clone)]
enum Way {
    Kernel {
        operation: Box<RsaPublicOperation>,
        /// The key as a delegate takes it.
        public_key_info: Box<[u8]>,
    },
    General(Box<PublicKey>),
}

impl RsaKey {
    /// Chooses the kernel if it serves the key.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        let exponent = key.e_bytes().iter().try_fold(0_u64, |number, byte| {
            number.checked_mul(256)?.checked_add(u64::from(*byte))
        });
        let modulus = key.n_bytes();
        let kernel = exponent.and_then(|exponent| RsaPublicOperation::new(&modulus, exponent));
        Self(match kernel {
            Some(operation) => Way::Kernel {
                operation: Box::new(operation),
                public_key_info: public_key_info::of(&modulus).into(),
            },
            None => Way::General(Box::new(key)),
        })
    }

    /// What a delegate says about a signature, if it is asked: about these algorithms, for keys that the kernel serves.
    /// A signature of another length than the modulus, or not below it, is none, whatever others may think of it.
    pub(crate) fn ask(
        &self,
        delegate: &dyn RsaDelegate,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let Way::Kernel {
            operation,
            public_key_info,
        } = &self.0
        else {
            return None;
        };
        if !matches!(algorithm, Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512) {
            return None;
        }
        if !operation.is_in_range(signature) {
            return Some(false);
        }
        delegate.verify(algorithm, public_key_info, message, signature)
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Way::Kernel { .. } => "RsaKey(Kernel)",
            Way::General(_) => "RsaKey(General)",
        })
    }
}

/// The bytes of an RSA signature. Only together with a key can anything be said about them.
#[derive(Debug, Clone)]
pub struct RsaSignature(Vec<u8>);

impl<D> RsaPkcs1v15<D> {
    const fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            digest: PhantomData,
        }
    }
}

impl<D> RsaPss<D> {
    const fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            digest: PhantomData,
        }
    }
}

impl AlgorithmSignature for RsaSignature {
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        if slice.len() > rsa::pkcs1v15::Signature::MAX_LEN {
            return Err(anyhow::anyhow!("longer than the largest modulus"));
        }
        Ok(Self(slice.to_owned()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl<D: Digest + AssociatedOid> jwt_compact::Algorithm for RsaPkcs1v15<D> {
    type SigningKey = VerifyOnly;
    type VerifyingKey = RsaKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.algorithm.as_str())
    }

    fn sign(&self, signing_key: &VerifyOnly, _message: &[u8]) -> RsaSignature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &RsaSignature, verifying_key: &RsaKey, message: &[u8]) -> bool {
        match &verifying_key.0 {
            Way::Kernel { operation, .. } => operation.verify_pkcs1v15::<D>(message, &signature.0),
            Way::General(key) => key.pkcs1v15_verify::<D>(message, &signature.0).is_ok(),
        }
    }
}

impl<D: Digest + FixedOutputReset> jwt_compact::Algorithm for RsaPss<D> {
    type SigningKey = VerifyOnly;
    type VerifyingKey = RsaKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.algorithm.as_str())
    }

    fn sign(&self, signing_key: &VerifyOnly, _message: &[u8]) -> RsaSignature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &RsaSignature, verifying_key: &RsaKey, message: &[u8]) -> bool {
        match &verifying_key.0 {
            Way::Kernel { operation, .. } => operation.verify_pss::<D>(message, &signature.0),
            Way::General(key) => key.pss_verify::<D>(message, &signature.0).is_ok(),
        }
    }
}
