//! The judgement of one token by one provider, in the native filter's order: what the token says comes first, its
//! signature last, so that a client learns of an expired token even while the keys are being fetched.

use std::time::Duration;

use jose::{JwkSet, RsaDelegate, TokenError, UnverifiedToken, VerificationError, VerifiedToken};

use super::TokenProfile;
use crate::clock::Timestamp;
use crate::matching::TextMatch;
use crate::refusal::Reason;
use crate::witness::{Fact, Witness};

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

/// What a token is held against, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// That it is of the provider's issuer.
    Issuer,
    /// That it is an access token. What the thing is comes before what it says: a refresh token is for another audience
    /// too, but its bearer is helped by hearing that it is no access token.
    Profile,
    /// That it is valid already.
    NotBefore,
    /// That it is valid still.
    Expiration,
    /// That it is for one of the audiences.
    Audience,
    /// That the provider vouches for its subject.
    Subject,
    /// That it says when it ends, and that this is not too far ahead.
    Lifetime,
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

/// Judges a token's signature by its provider's keys; somebody else may be asked about it.
pub fn verify_signature(
    token: &UnverifiedToken,
    keys: Option<&JwkSet>,
    delegate: Option<&dyn RsaDelegate>,
    witness: &impl Witness,
) -> Result<VerifiedToken, Failure> {
    let verified = signed(token, keys, delegate);
    witness.sees(Fact::Signature(verified.as_ref().map_err(|failure| *failure)));
    verified
}

fn signed(
    token: &UnverifiedToken,
    keys: Option<&JwkSet>,
    delegate: Option<&dyn RsaDelegate>,
) -> Result<VerifiedToken, Failure> {
    let keys = keys.ok_or(Failure::NoKeys)?;
    keys.verify_with(delegate, token).map_err(|error| match error {
        VerificationError::NoKeyForId => Failure::UnknownKey,
        VerificationError::NoSuitableKey => Failure::Refused(Reason::KeyUnsuitable),
        _ => Failure::Refused(Reason::SignatureInvalid),
    })
}

impl TokenRules {
    /// Judges what a token says. `audiences` stand in for the provider's own where they are given.
    pub fn check(
        &self,
        token: &UnverifiedToken,
        audiences: Option<&[String]>,
        now: Timestamp,
        witness: &impl Witness,
    ) -> Result<(), Reason> {
        let seen = |check, outcome| {
            witness.sees(Fact::Checked(check, outcome));
            outcome
        };
        seen(Check::Issuer, self.check_issuer(token))?;
        let accepted = self.profile.accepts(token);
        seen(Check::Profile, accepted.then_some(()).ok_or(Reason::TypeNotAllowed))?;
        seen(Check::NotBefore, self.check_not_before(token, now))?;
        seen(Check::Expiration, self.check_expiration(token, now))?;
        let audiences = audiences.unwrap_or(&self.audiences);
        seen(Check::Audience, check_audience(token, audiences))?;
        seen(Check::Subject, self.check_subject(token))?;
        seen(Check::Lifetime, self.check_lifetime(token, now))
    }

    /// Whether the native filter, by the same rules, may have nothing against what a token says: it knows no kinds of
    /// tokens, cuts a fraction of a second off `nbf`, and compares audiences without their scheme and closing slash.
    #[must_use]
    pub fn may_pass_natively(&self, token: &UnverifiedToken, audiences: Option<&[String]>, now: Timestamp) -> bool {
        self.check_issuer(token).is_ok()
            && self.check_not_before(token, now.plus(Duration::from_secs(1))).is_ok()
            && self.check_expiration(token, now).is_ok()
            && is_for_similar_audience(token, audiences.unwrap_or(&self.audiences))
            && self.check_subject(token).is_ok()
            && self.check_lifetime(token, now).is_ok()
    }

    fn check_issuer(&self, token: &UnverifiedToken) -> Result<(), Reason> {
        let issuer = token.claims_unverified().issuer();
        if self.issuer.as_deref().is_some_and(|own| issuer != Some(own)) {
            return Err(Reason::IssuerUnknown);
        }
        Ok(())
    }

    /// Both edges belong to the token's life, as in the native filter: with a skew of 60 s it passes from `nbf - 60` to
    /// `exp + 60`, by whole seconds of our clock.
    fn check_not_before(&self, token: &UnverifiedToken, now: Timestamp) -> Result<(), Reason> {
        let latest = now.as_secs().saturating_add(self.clock_skew.as_secs());
        match token.claims_unverified().not_before() {
            Some(not_before) if latest < not_before.seconds() => Err(Reason::NotYetValid),
            _ => Ok(()),
        }
    }

    fn check_expiration(&self, token: &UnverifiedToken, now: Timestamp) -> Result<(), Reason> {
        let skew = self.clock_skew.as_secs();
        match token.claims_unverified().expires_at() {
            Some(expires_at) if now.as_secs() > expires_at.seconds().saturating_add(skew) => Err(Reason::Expired),
            _ => Ok(()),
        }
    }

    fn check_subject(&self, token: &UnverifiedToken) -> Result<(), Reason> {
        let subject = token.claims_unverified().subject().unwrap_or_default().as_bytes();
        match &self.subjects {
            Some(subjects) if !subjects.matches(subject) => Err(Reason::SubjectNotAllowed),
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

fn check_audience(token: &UnverifiedToken, audiences: &[String]) -> Result<(), Reason> {
    let is_known = |audience: &str| audiences.iter().any(|known| known == audience);
    if audiences.is_empty() || token.claims_unverified().audience().any(is_known) {
        Ok(())
    } else {
        Err(Reason::AudienceNotAllowed)
    }
}

fn is_for_similar_audience(token: &UnverifiedToken, audiences: &[String]) -> bool {
    let is_similar = |audience: &str| {
        let core = core_of_audience(audience);
        audiences.iter().any(|known| core_of_audience(known) == core)
    };
    audiences.is_empty() || token.claims_unverified().audience().any(is_similar)
}

fn core_of_audience(audience: &str) -> &str {
    let schemes = ["https://", "http://"];
    let bare = schemes.iter().find_map(|scheme| audience.strip_prefix(scheme));
    let bare = bare.unwrap_or(audience);
    bare.strip_suffix('/').unwrap_or(bare)
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
