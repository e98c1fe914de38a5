//! A key that verifies signatures. Everything that depends on the key alone (decoding, checks of size, curve and point,
//! Montgomery constants, HMAC's first blocks) happens once, when the key is read; a token costs only what depends on
//! it. The tables of ES256 and `EdDSA` keys are made later, by the first token that needs them.

mod error;
mod read;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use sha2::{Sha256, Sha384, Sha512};

pub use error::JwkError;

use crate::kernel::{Ed25519Key, P256Key};
use crate::signature::{
    self, ED25519, ES256, ES384, ES512, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512, RsaDelegate,
    RsaKey, SignatureError, TabledKey,
};
use crate::{Algorithm, AlgorithmSet};

/// Where keys come from, which decides what they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// The gate's own configuration. Shared secrets are for such sets only.
    Local,
    /// An issuer's published set. A shared secret or a private key in it is known to everyone and vouches for nothing.
    Remote,
}

/// A key that was checked and prepared. Clones share it.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Prepared>);

struct Prepared {
    identity: KeyIdentity,
    key_id: Option<String>,
    algorithms: AlgorithmSet,
    material: Material,
}

/// What makes a key this key: its name, its algorithms and its material, in one number. Read again from another document,
/// an unchanged key has the same one.
///
/// It is SHA-256 over the parameters of the JWK. A secret's is as little for other eyes as the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyIdentity([u8; 32]);

impl fmt::Debug for KeyIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyIdentity")
    }
}

/// What verifies. Boxed where a variant would be much larger than the others.
enum Material {
    Rsa(RsaKey),
    P256(TabledKey<P256Key>),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(Box<TabledKey<Ed25519Key>>),
    Hmac(Box<HmacStates>),
}

/// One state for each hash that the secret is long enough for.
struct HmacStates {
    sha256: Option<hmac::Hmac<Sha256>>,
    sha384: Option<hmac::Hmac<Sha384>>,
    sha512: Option<hmac::Hmac<Sha512>>,
}

impl VerifyingKey {
    /// `kid`; an empty one counts as absent.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.0.key_id.as_deref()
    }

    /// What makes it this key.
    #[must_use]
    pub fn identity(&self) -> KeyIdentity {
        self.0.identity
    }

    /// The algorithms that the key may verify: the one that its JWK names, else all that fit its type.
    #[must_use]
    pub fn algorithms(&self) -> AlgorithmSet {
        self.0.algorithms
    }

    /// Whether the key is of a kind that may have a table, of which a set gets a few only ([`signature::tabled`]).
    pub(crate) fn may_have_table(&self) -> bool {
        matches!(self.0.material, Material::P256(_) | Material::Ed25519(_))
    }

    /// Goes without a table for good, unless it has one.
    pub(crate) fn forgo_table(&self) {
        match &self.0.material {
            Material::P256(key) => key.forgo_table(),
            Material::Ed25519(key) => key.forgo_table(),
            Material::Rsa(_) | Material::P384(_) | Material::P521(_) | Material::Hmac(_) => {}
        }
    }

    /// Whether the key has its table.
    #[cfg(test)]
    pub(crate) fn has_table(&self) -> bool {
        match &self.0.material {
            Material::P256(key) => key.has_table(),
            Material::Ed25519(key) => key.has_table(),
            Material::Rsa(_) | Material::P384(_) | Material::P521(_) | Material::Hmac(_) => false,
        }
    }

    /// Verifies a signature over `signing_input`.
    pub fn verify(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.verify_with(None, algorithm, signing_input, signature)
    }

    /// The same, with somebody who may be asked. Every verification of a token passes here.
    pub fn verify_with(
        &self,
        delegate: Option<&dyn RsaDelegate>,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        use Algorithm as A;
        use Material as M;

        if !self.0.algorithms.contains(algorithm) {
            return Err(SignatureError::AlgorithmMismatch);
        }
        if let (M::Rsa(key), Some(delegate)) = (&self.0.material, delegate)
            && let Some(answer) = key.ask(delegate, algorithm, signing_input, signature)
        {
            return if answer { Ok(()) } else { Err(SignatureError::Mismatch) };
        }
        match (&self.0.material, algorithm) {
            (M::Rsa(key), A::Rs256) => signature::verify(&RS256, key, signing_input, signature),
            (M::Rsa(key), A::Rs384) => signature::verify(&RS384, key, signing_input, signature),
            (M::Rsa(key), A::Rs512) => signature::verify(&RS512, key, signing_input, signature),
            (M::Rsa(key), A::Ps256) => signature::verify(&PS256, key, signing_input, signature),
            (M::Rsa(key), A::Ps384) => signature::verify(&PS384, key, signing_input, signature),
            (M::Rsa(key), A::Ps512) => signature::verify(&PS512, key, signing_input, signature),
            (M::P256(key), A::Es256) => signature::verify(&ES256, key, signing_input, signature),
            (M::P384(key), A::Es384) => signature::verify(&ES384, key, signing_input, signature),
            (M::P521(key), A::Es512) => signature::verify(&ES512, key, signing_input, signature),
            (M::Ed25519(key), A::EdDsa) => signature::verify(&ED25519, key, signing_input, signature),
            (M::Hmac(states), A::Hs256) => verify_hmac(&HS256, states.sha256.as_ref(), signing_input, signature),
            (M::Hmac(states), A::Hs384) => verify_hmac(&HS384, states.sha384.as_ref(), signing_input, signature),
            (M::Hmac(states), A::Hs512) => verify_hmac(&HS512, states.sha512.as_ref(), signing_input, signature),
            _ => Err(SignatureError::AlgorithmMismatch),
        }
    }
}

fn verify_hmac<A: jwt_compact::Algorithm>(
    algorithm: &A,
    state: Option<&A::VerifyingKey>,
    signing_input: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let state = state.ok_or(SignatureError::AlgorithmMismatch)?;
    signature::verify(algorithm, state, signing_input, signature)
}

/// Shows which key it is, and nothing of a secret.
impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifyingKey")
            .field("key_id", &self.0.key_id)
            .field("algorithms", &self.0.algorithms)
            .finish_non_exhaustive()
    }
}
