//! A set of keys (RFC 7517 section 5), and the choice of the one that verifies a token.

mod read;
#[cfg(test)]
mod tests;

use crate::Algorithm;
use crate::json::JsonError;
use crate::key::{JwkError, KeyIdentity, KeySource, VerifyingKey};
use crate::signature::RsaDelegate;
use crate::token::UnverifiedToken;
use crate::verified::VerifiedToken;

/// No set may be larger, in bytes. Published sets have a few thousand.
pub const MAX_SET_LEN: usize = 1 << 20;

/// No token is tried with more keys than this. Sets are small, and a token that names its key is tried with one; only a
/// huge set of keys without names would let one token cause that much work.
pub const MAX_ATTEMPTS: usize = 32;

/// RFC 8032 section 5.1.6
const ED25519_SIGNATURE_LEN: usize = 64;

/// Keys that vouch for one issuer. At least one of them can be used; those that can't are reported.
#[derive(Debug, Clone)]
pub struct JwkSet {
    keys: Vec<VerifyingKey>,
    skipped: Vec<SkippedKey>,
    ends: Vec<SearchEnd>,
}

/// An Ed25519 key that names no algorithm, usable or not. Envoy's `jwt_authn` holds such a key against every token that may
/// mean it: a signature of another length ends its search with a refusal. A set must not verify more in our hands than it
/// does there, so what stands behind such a key is out of reach here too.
#[derive(Debug, Clone)]
struct SearchEnd {
    /// So many of the set's keys stand before it.
    keys_before: usize,
    key_id: Option<String>,
}

impl SearchEnd {
    fn is_meant_by(&self, key_id: Option<&str>) -> bool {
        key_id.is_none() || self.key_id.is_none() || self.key_id.as_deref() == key_id
    }
}

/// A key of the set that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in `keys`, from 0
    pub index: usize,
    /// Its `kid`, if it has one that can be read
    pub key_id: Option<String>,
    /// Why it is not used
    pub reason: JwkError,
}

/// Why a whole set was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkSetError {
    /// It is longer than [`MAX_SET_LEN`].
    #[error("the set is longer than {MAX_SET_LEN} bytes")]
    TooLarge,
    /// It is not strict JSON.
    #[error("the set is refused: {0}")]
    Json(#[source] JsonError),
    /// It is no object with a list named `keys` (RFC 7517 section 5).
    #[error("the set is not an object with a list of keys")]
    NotASet,
    /// Two keys have the same `kid`, so that it is open which of them a token means.
    #[error("two keys of the set have the same id")]
    DuplicateKeyId,
    /// It has no key that can be used.
    #[error("the set has no usable key")]
    NoUsableKey {
        /// The keys that it has, each with the reason
        skipped: Vec<SkippedKey>,
    },
}

/// Why no key of a set vouches for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// The token names a key that the set does not have, and no key without an id vouches for it either. The issuer may
    /// have begun to use a new key: fetching the set again can help.
    #[error("the key that the token names is not known")]
    NoKeyForId,
    /// No key that the token may mean is for the token's algorithm.
    #[error("no key fits the token's algorithm")]
    NoSuitableKey,
    /// The signature is that of no key that the token may mean.
    #[error("the signature does not match")]
    BadSignature,
}

impl JwkSet {
    /// Reads a set. Keys that can't be used are left out one by one; what makes it unclear which key is which refuses
    /// the whole set.
    pub fn parse(document: &[u8], source: KeySource) -> Result<Self, JwkSetError> {
        read::set(document, source)
    }

    /// The keys, in the order of the set.
    #[must_use]
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The keys that were left out.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// Whether the set has this key, under the same name and for the same algorithms: what it vouched for before, it
    /// vouches for still.
    #[must_use]
    pub fn has(&self, key: KeyIdentity) -> bool {
        self.keys.iter().any(|known| known.identity() == key)
    }

    /// Verifies a token's signature with the keys that it may mean: those of its `kid` and those without one, or all if
    /// it names none; of these only keys for its algorithm. The algorithm is the token's to name, but the key decides
    /// whether to take part in it. Keys behind an Ed25519 key that the token may mean as well, since it names neither
    /// another id nor an algorithm, verify signatures of Ed25519's length only.
    pub fn verify(&self, token: &UnverifiedToken) -> Result<VerifiedToken, VerificationError> {
        self.verify_with(None, token)
    }

    /// The same, with somebody who may be asked about signatures.
    pub fn verify_with(
        &self,
        delegate: Option<&dyn RsaDelegate>,
        token: &UnverifiedToken,
    ) -> Result<VerifiedToken, VerificationError> {
        let header = token.header_unverified();
        let (algorithm, key_id) = (header.algorithm(), header.key_id());
        let is_known = key_id.is_none_or(|key_id| self.keys.iter().any(|key| key.key_id() == Some(key_id)));
        let within_reach = self.keys.get(..self.reach(token)).unwrap_or_default();
        let named = within_reach
            .iter()
            .filter(|key| key_id.is_some() && key.key_id() == key_id);
        let others = within_reach
            .iter()
            .filter(|key| key_id.is_none() || key.key_id().is_none());
        let candidates = named.chain(others).filter(|key| key.algorithms().contains(algorithm));

        let mut attempts = 0;
        for key in candidates.take(MAX_ATTEMPTS) {
            let outcome = key.verify_with(delegate, algorithm, token.signing_input(), token.signature());
            if outcome.is_ok() {
                return Ok(VerifiedToken::vouched_for(token.clone(), key.clone()));
            }
            attempts += 1;
        }
        Err(match attempts {
            _ if !is_known => VerificationError::NoKeyForId,
            0 => VerificationError::NoSuitableKey,
            _ => VerificationError::BadSignature,
        })
    }

    /// Whether the token may mean a key that it is not tried with: one that was left out, or one too many.
    #[must_use]
    pub fn may_lack_the_key_of(&self, token: &UnverifiedToken) -> bool {
        let key_id = token.header_unverified().key_id();
        let is_meant = |skipped: &SkippedKey| {
            let listed = skipped.key_id.as_deref().filter(|id| !id.is_empty());
            key_id.is_none() || listed.is_none() || listed == key_id
        };
        self.keys.len() > MAX_ATTEMPTS || self.skipped.iter().any(is_meant)
    }

    /// How many of the keys, from the first on, a token may be verified with.
    fn reach(&self, token: &UnverifiedToken) -> usize {
        let header = token.header_unverified();
        if header.algorithm() == Algorithm::EdDsa || token.signature().len() == ED25519_SIGNATURE_LEN {
            return self.keys.len();
        }
        let end = self.ends.iter().find(|end| end.is_meant_by(header.key_id()));
        end.map_or(self.keys.len(), |end| end.keys_before)
    }
}
