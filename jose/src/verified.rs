//! The other side of the border: a token that a key vouches for.

use std::fmt;

use crate::key::VerifyingKey;
use crate::token::{Claims, Header, UnverifiedToken};

/// A token whose signature was verified. Only [`JwkSet::verify`](crate::JwkSet::verify) makes one.
///
/// It says that the owner of the key wrote these claims; it does not say that they allow anything. Issuer, audience,
/// times and type are for the caller to judge, and for which issuer the key may speak at all.
#[derive(Clone)]
pub struct VerifiedToken {
    token: UnverifiedToken,
    key: VerifyingKey,
}

impl VerifiedToken {
    /// For [`JwkSet::verify`](crate::JwkSet::verify) alone.
    pub(crate) fn vouched_for(token: UnverifiedToken, key: VerifyingKey) -> Self {
        Self { token, key }
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.token.header_unverified()
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.token.claims_unverified()
    }

    /// The payload as it came, in base64url.
    #[must_use]
    pub fn payload_segment(&self) -> &str {
        self.token.payload_segment()
    }

    /// The token as it came.
    #[must_use]
    pub fn compact(&self) -> &str {
        self.token.compact()
    }

    /// The same token, as one about which nothing is known: for checks that all tokens go through, verified or not.
    #[must_use]
    pub fn as_unverified(&self) -> &UnverifiedToken {
        &self.token
    }

    /// The key that vouches for it.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }
}

/// Tokens are never logged, not even by accident.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifiedToken")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
