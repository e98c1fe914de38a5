//! The keys in memory: the one that signs, and the published set by which our own refresh tokens are verified. They are
//! loaded from the database and stay when the database goes away, so the set is published without it.

pub(crate) mod bring_up;
pub(crate) mod kek;
pub(crate) mod signer;

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::{JwkSet, KeySource};
use thiserror::Error;
use time::OffsetDateTime;
use tokio::sync::watch;

use self::{
    kek::{KeyEncryptionKey, OpenError},
    signer::{Signer, SignerError},
};
use crate::domain::signing_key::{KeyId, KeyState};
use crate::postgres::signing_key::StoredKey;

/// One consistent set of keys.
#[derive(Debug)]
pub(crate) struct KeySet {
    /// Signs new tokens.
    pub(crate) signer: Signer,
    /// Since when it signs.
    pub(crate) signing_since: OffsetDateTime,
    /// Verifies the refresh tokens that come back.
    pub(crate) verification: JwkSet,
    /// The published JWK Set (RFC 7517 §5).
    pub(crate) document: String,
    /// The document's entity tag, in quotes.
    pub(crate) entity_tag: String,
}

/// Why stored keys are no use.
#[derive(Debug, Error)]
pub(crate) enum KeySetError {
    /// None of them signs.
    #[error("no active signing key is stored")]
    NoActiveKey,
    /// The private key stays shut.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The private key is no key.
    #[error("{kid}: {source}")]
    Signer {
        /// Which.
        kid: KeyId,
        /// Why.
        source: SignerError,
    },
    /// The published set is not one that anybody would accept.
    #[error("the stored public keys make no valid JWK Set: {0}")]
    PublicSet(String),
}

impl KeySet {
    /// Opens the active key and puts the published set together.
    pub(crate) fn open(stored: &[StoredKey], kek: &KeyEncryptionKey) -> Result<Self, KeySetError> {
        let (active, signing_since) = stored
            .iter()
            .find_map(|key| match key.state {
                KeyState::Active { since } => Some((key, since)),
                _ => None,
            })
            .ok_or(KeySetError::NoActiveKey)?;
        let sealed = active.sealed.as_ref().ok_or(KeySetError::NoActiveKey)?;
        let signer = Signer::from_pkcs8(active.kid.clone(), &kek.open(&active.kid, sealed)?).map_err(|source| {
            KeySetError::Signer {
                kid: active.kid.clone(),
                source,
            }
        })?;

        let published: Vec<&str> = stored
            .iter()
            .filter(|key| key.state.is_published())
            .map(|key| key.public_jwk.as_str())
            .collect();
        let document = format!(r#"{{"keys":[{}]}}"#, published.join(","));
        // Read as a gateway reads it: what it would refuse must not be published.
        let verification = JwkSet::parse(document.as_bytes(), KeySource::Remote)
            .map_err(|error| KeySetError::PublicSet(error.to_string()))?;
        if let Some(skipped) = verification.skipped().first() {
            return Err(KeySetError::PublicSet(skipped.reason.to_string()));
        }
        let entity_tag = format!("\"{}\"", fingerprint(document.as_bytes()));
        Ok(Self {
            signer,
            signing_since,
            verification,
            document,
            entity_tag,
        })
    }
}

/// A short name for some bytes, the same on every replica.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    URL_SAFE_NO_PAD.encode(digest.as_ref().iter().copied().take(16).collect::<Vec<_>>())
}

/// Holds the newest set of keys, or none until the database was reached for the first time.
#[derive(Clone, Debug)]
pub(crate) struct Keyring(Arc<watch::Sender<Option<Arc<KeySet>>>>);

impl Keyring {
    /// A ring without keys.
    pub(crate) fn empty() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// The keys, if they were loaded.
    pub(crate) fn current(&self) -> Option<Arc<KeySet>> {
        self.0.borrow().clone()
    }

    /// Puts newer keys in the place of the current ones.
    pub(crate) fn replace(&self, keys: KeySet) {
        self.0.send_replace(Some(Arc::new(keys)));
    }
}

#[cfg(test)]
mod tests;
