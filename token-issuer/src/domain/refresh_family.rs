//! Refresh families (RFC 9700 §4.14.2): a login begins one, each refresh replaces its only usable token, the use of a
//! token that was already replaced ends it, because then two parties hold tokens of one login.

use std::fmt;

use jose::{VerifiedToken, claims as names, json::Value};
use thiserror::Error;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    claims::Parties,
    lifetime::Lifetimes,
    token_id::TokenId,
    user::{Identity, UserId},
};

/// A family's identifier: the `fid` claim of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FamilyId(pub(crate) Uuid);

impl fmt::Display for FamilyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A family that a login begins.
#[derive(Debug)]
pub(crate) struct NewFamily {
    /// Identifier.
    pub(crate) id: FamilyId,
    /// Whose login it is.
    pub(crate) user: UserId,
    /// The first token.
    pub(crate) token: TokenId,
    /// When it begins.
    pub(crate) created_at: OffsetDateTime,
    /// When it ends, however often it is refreshed.
    pub(crate) expires_at: OffsetDateTime,
}

impl NewFamily {
    /// Begins a family.
    pub(crate) fn begin(
        user: UserId,
        now: OffsetDateTime,
        lifetimes: Lifetimes,
        family_bytes: [u8; 10],
        token_bytes: [u8; 16],
    ) -> Self {
        // Version 7: rows of one time lie together in the index. A clock before 1970 counts as 1970.
        let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        Self {
            id: FamilyId(uuid::Builder::from_unix_timestamp_millis(millis, &family_bytes).into_uuid()),
            user,
            token: TokenId::from_random(token_bytes),
            created_at: now,
            expires_at: now + lifetimes.refresh_family.duration(),
        }
    }
}

/// When a refresh token that is made now expires: it may lie unused for its own lifetime, but never outlives its family.
pub(crate) fn token_expiry(
    now: OffsetDateTime,
    lifetimes: Lifetimes,
    family_expires_at: OffsetDateTime,
) -> OffsetDateTime {
    (now + lifetimes.refresh.duration()).min(family_expires_at)
}

/// A refresh token that this issuer signed, that is meant for it and not expired. Whether it is spent, only the database
/// knows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PresentedToken {
    /// Its family.
    pub(crate) family: FamilyId,
    /// Its user.
    pub(crate) user: UserId,
    /// Its identifier.
    pub(crate) id: TokenId,
}

/// Why a refresh token gives nothing. The texts are the answers of `SimpleJWT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// No token, not ours, or not meant for us.
    #[error("Token is invalid")]
    Invalid,
    /// Too old, or its family is.
    #[error("Token is expired")]
    Expired,
    /// A token of ours, but of another kind.
    #[error("Token has wrong type")]
    WrongType,
    /// It was used before, or its family ended.
    #[error("Token is blacklisted")]
    Spent,
    /// The account is disabled or gone.
    #[error("No active account found for the given token.")]
    AccountInactive,
}

impl PresentedToken {
    /// Judges the header and claims of a token whose signature was verified with one of our keys.
    pub(crate) fn from_verified(
        token: &VerifiedToken,
        parties: &Parties,
        now: OffsetDateTime,
    ) -> Result<Self, Refusal> {
        let claims = token.claims();
        let text = |name| claims.get(name).and_then(Value::as_str);
        let uuid = |name| {
            text(name)
                .and_then(|text| Uuid::try_parse(text).ok())
                .ok_or(Refusal::Invalid)
        };

        if claims.issuer() != Some(parties.issuer.as_str()) {
            return Err(Refusal::Invalid);
        }
        let expires_at = claims.expires_at().ok_or(Refusal::Invalid)?.seconds();
        // RFC 7519 §4.1.4: not on or after that second. A clock before 1970 is no reason to accept anything.
        if u64::try_from(now.unix_timestamp()).map_or(true, |now| expires_at <= now) {
            return Err(Refusal::Expired);
        }
        if !token.header().is_of_type(names::REFRESH_TOKEN_TYP)
            || text(names::TOKEN_TYPE) != Some(names::REFRESH_TOKEN_TYPE)
        {
            return Err(Refusal::WrongType);
        }
        if !claims.audience().eq([parties.issuer.as_str()]) {
            return Err(Refusal::Invalid);
        }
        Ok(Self {
            family: FamilyId(uuid(names::FAMILY_ID)?),
            user: UserId(uuid(names::SUBJECT)?),
            id: claims
                .jwt_id()
                .map(TokenId::from_verified_claim)
                .ok_or(Refusal::Invalid)?,
        })
    }
}

/// What the use of a refresh token came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// The successor took its place.
    Rotated {
        /// Whose token it is, as the user is now.
        identity: Identity,
        /// When the family ends.
        family_expires_at: OffsetDateTime,
    },
    /// Nothing was given; a spent token has ended its family.
    Refused(Refusal),
}

#[cfg(test)]
mod tests;
