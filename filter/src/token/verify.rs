//! The judgement of one token by one provider, in the native filter's order: what the token says comes first, its
//! signature last, so that a client learns of an expired token even while the keys are being fetched.

use std::time::Duration;

use jose::{JwkSet, TokenError, UnverifiedToken, VerificationError, VerifiedToken};

use super::TokenProfile;
use crate::clock::Timestamp;
use crate::matching::TextMatch;
use crate::refusal::Reason;

/// Whether a token must say when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiration {
    /// A token without `exp` never expires.
    Optional,
    /// A token without `exp` is refused.
    Required,
}

/// What a provider asks of a token's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// The one `iss` that is accepted; `None` accepts any, also none.
    pub issuer: Option<String>,
    /// The audiences of which the token must have one; none accepts any.
    pub audiences: Vec<String>,
    /// What `sub` must match, if anything; an absent one counts as empty.
    pub subjects: Option<TextMatch>,
    /// Whether `exp` must be there.
    pub expiration: Expiration,
    /// How far ahead of now `exp` may lie at most.
    pub max_lifetime: Option<Duration>,
    /// How far the issuer's clock may differ from ours.
    pub clock_skew: Duration,
    /// Which kinds of token pass.
    pub profile: TokenProfile,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// For good.
    Refused(Reason),
    /// The signature can't be judged: no keys are held.
    NoKeys,
    /// None of the keys that are held has the token's key id.
    UnknownKey,
}

/// Judges a token. `audiences` stand in for the provider's own where they are given.
pub fn verify(
    token: &UnverifiedToken,
    rules: &TokenRules,
    audiences: Option<&[String]>,
    keys: Option<&JwkSet>,
    now: Timestamp,
) -> Result<VerifiedToken, Failure> {
    rules
        .check(token, audiences.unwrap_or(&rules.audiences), now)
        .map_err(Failure::Refused)?;
    keys.ok_or(Failure::NoKeys)?.verify(token).map_err(|error| match error {
        VerificationError::NoKeyForId => Failure::UnknownKey,
        VerificationError::NoSuitableKey => Failure::Refused(Reason::KeyUnsuitable),
        _ => Failure::Refused(Reason::SignatureInvalid),
    })
}

impl TokenRules {
    fn check(&self, token: &UnverifiedToken, audiences: &[String], now: Timestamp) -> Result<(), Reason> {
        let claims = token.claims_unverified();
        if self
            .issuer
            .as_deref()
            .is_some_and(|issuer| claims.issuer() != Some(issuer))
        {
            return Err(Reason::IssuerUnknown);
        }
        // What the thing is comes before what it says: a refresh token is for another audience too, but its bearer is
        // helped by hearing that it is no access token.
        if !self.profile.accepts(token) {
            return Err(Reason::TypeNotAllowed);
        }
        self.check_times(token, now)?;
        if !audiences.is_empty()
            && !claims
                .audience()
                .any(|audience| audiences.iter().any(|known| known == audience))
        {
            return Err(Reason::AudienceNotAllowed);
        }
        let subject = claims.subject().unwrap_or_default().as_bytes();
        if self
            .subjects
            .as_ref()
            .is_some_and(|subjects| !subjects.matches(subject))
        {
            return Err(Reason::SubjectNotAllowed);
        }
        self.check_lifetime(token, now)
    }

    /// Both edges belong to the token's life, as in the native filter: with a skew of 60 s it passes from `nbf - 60` to
    /// `exp + 60`, by whole seconds of our clock.
    fn check_times(&self, token: &UnverifiedToken, now: Timestamp) -> Result<(), Reason> {
        let claims = token.claims_unverified();
        let (now, skew) = (now.as_secs(), self.clock_skew.as_secs());
        if claims
            .not_before()
            .is_some_and(|not_before| now.saturating_add(skew) < not_before.seconds())
        {
            return Err(Reason::NotYetValid);
        }
        match claims.expires_at() {
            Some(expires_at) if now > expires_at.seconds().saturating_add(skew) => Err(Reason::Expired),
            _ => Ok(()),
        }
    }

    fn check_lifetime(&self, token: &UnverifiedToken, now: Timestamp) -> Result<(), Reason> {
        let Some(expires_at) = token.claims_unverified().expires_at() else {
            let is_needed = self.expiration == Expiration::Required || self.max_lifetime.is_some();
            return if is_needed {
                Err(Reason::ExpirationMissing)
            } else {
                Ok(())
            };
        };
        let Some(limit) = self.max_lifetime else { return Ok(()) };
        if Duration::from_secs(expires_at.seconds().saturating_sub(now.as_secs())) <= limit {
            Ok(())
        } else {
            Err(Reason::LifetimeTooLong)
        }
    }
}

impl From<TokenError> for Reason {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::TooLarge { .. } => Self::TokenTooLarge,
            TokenError::Encrypted | TokenError::Nested => Self::TokenEncrypted,
            TokenError::AlgorithmMissing | TokenError::AlgorithmNone | TokenError::AlgorithmUnsupported => {
                Self::AlgorithmUnsupported
            }
            TokenError::CriticalExtension
            | TokenError::UnencodedPayload
            | TokenError::Compressed
            | TokenError::HeaderType(_)
            | TokenError::KeyIdTooLong => Self::HeaderUnsupported,
            TokenError::ClaimType(_) | TokenError::ClaimRange(_) => Self::ClaimInvalid,
            _ => Self::TokenMalformed,
        }
    }
}
