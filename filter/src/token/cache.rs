//! Tokens whose signatures were verified, so that the next request with the same token needs no second verification, and
//! no second reading either.
//!
//! What the cache knows of a token is what the token says, which key vouches for it, and what its provider makes of it:
//! nothing that a rule decided, and nothing that time changes. The rules run again on every request; the cache stands in
//! for the parser, the signature and the writing of headers alone, so that none of its hits lets in what would be refused
//! without it.
//!
//! Only what was verified is remembered, so strangers can't fill it. Each worker has its own.

mod accepted;
mod sieve;

use std::sync::Arc;

use jose::UnverifiedToken;

pub use accepted::{Accepted, Caller};
pub use sieve::CacheLimits;
use sieve::Sieve;

use crate::keys::ProviderId;

/// The tokens that one worker remembers.
#[derive(Debug)]
pub struct TokenCache {
    store: Sieve<Remembered>,
}

/// A token, and the providers that accepted it. One token may be good for two of them, which make different things of it.
#[derive(Debug)]
pub struct Remembered {
    token: UnverifiedToken,
    accepted: Vec<(ProviderId, Arc<Accepted>)>,
}

impl Remembered {
    /// The token as it was read. That it is remembered says that somebody vouches for it, not who.
    #[must_use]
    pub fn token(&self) -> &UnverifiedToken {
        &self.token
    }

    /// What a provider made of the token, if it is one that accepted it.
    #[must_use]
    pub fn accepted_by(&self, provider: ProviderId) -> Option<&Arc<Accepted>> {
        let mut accepted = self.accepted.iter();
        accepted.find_map(|(known, accepted)| (*known == provider).then_some(accepted))
    }

    fn memory(&self) -> usize {
        let each = size_of::<(ProviderId, Arc<Accepted>)>();
        let accepted: usize = self.accepted.iter().map(|(_, accepted)| accepted.memory()).sum();
        self.token.memory() + self.accepted.capacity() * each + accepted
    }
}

impl TokenCache {
    /// An empty cache of this size; one of no entries remembers nothing.
    #[must_use]
    pub fn new(limits: CacheLimits) -> Self {
        Self {
            store: Sieve::new(limits),
        }
    }

    /// What is known of a token: of exactly these bytes.
    pub fn recall(&mut self, token: &[u8]) -> Option<&Remembered> {
        let is_meant = |remembered: &Remembered| is_same(remembered.token.compact().as_bytes(), token);
        self.store.get(fingerprint(token)?, is_meant)
    }

    /// Remembers that a provider accepted a token.
    pub fn remember(&mut self, provider: ProviderId, accepted: Arc<Accepted>) {
        let token = accepted.token();
        let Some(key) = fingerprint(token.compact().as_bytes()) else {
            return;
        };
        let known = self
            .store
            .remove(key)
            .filter(|known| known.token.compact() == token.compact());
        let mut remembered = known.unwrap_or_else(|| Remembered {
            token: token.clone(),
            accepted: Vec::with_capacity(1),
        });
        remembered.accepted.retain(|(known, _)| *known != provider);
        remembered.accepted.push((provider, accepted));
        let memory = remembered.memory();
        self.store.insert(key, remembered, memory);
    }

    /// Forgets a token, whoever accepted it.
    pub fn forget(&mut self, token: &[u8]) {
        if let Some(key) = fingerprint(token) {
            let _forgotten = self.store.remove(key);
        }
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether no token is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much memory the remembered tokens take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }
}

/// Whether two tokens are the same. Eight bytes at a time, which wasm has no instruction for and the language's own
/// comparison does not do there.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (other_words, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let equal = |(word, other): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*word) == u64::from_ne_bytes(*other);
    one.len() == other.len() && words.iter().zip(other_words).all(equal) && rest == other_rest
}

/// A number for a token, made of its last sixteen characters: the end of the signature, which is as good as random and
/// which nobody can choose for a token that verifies. So it takes the same short time for every token, needs no secret
/// seed, and is worth comparing the whole token for. Whoever would learn a token by the time that this comparison takes
/// must know as much of it beforehand.
fn fingerprint(token: &[u8]) -> Option<u64> {
    // Any odd numbers without a pattern do: here the fractions of the golden ratio and of the square root of two.
    const ONE: u64 = 0x9e37_79b9_7f4a_7c15;
    const OTHER: u64 = 0x6a09_e667_f3bc_c909;
    let (rest, last) = token.split_last_chunk::<8>()?;
    let (_, before) = rest.split_last_chunk::<8>()?;
    let product =
        u128::from(u64::from_le_bytes(*last) ^ ONE).wrapping_mul(u128::from(u64::from_le_bytes(*before) ^ OTHER));
    let [a, b] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
    u64::try_from(a ^ b).ok()
}
