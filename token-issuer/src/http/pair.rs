//! An access token and a refresh token, signed together. Nothing is written to the database for them here: the login or
//! the refresh did that, in one statement.

use time::OffsetDateTime;

use super::{App, error::ApiError};
use crate::{
    domain::{
        claims::{AccessClaims, RefreshClaims},
        refresh_family::{FamilyId, token_expiry},
        token_id::TokenId,
        user::Identity,
    },
    environment::random,
    keyring::KeySet,
};

/// Two tokens of one user.
pub(super) struct TokenPair {
    /// For the services.
    pub(super) access: String,
    /// For this issuer.
    pub(super) refresh: String,
}

/// The family and the token in it that a pair's refresh token is.
pub(super) struct RefreshPlace {
    /// The family.
    pub(super) family: FamilyId,
    /// The token.
    pub(super) token: TokenId,
    /// When the family ends.
    pub(super) family_expires_at: OffsetDateTime,
}

/// Signs a pair.
pub(super) fn sign_pair(
    app: &App,
    keys: &KeySet,
    identity: &Identity,
    place: &RefreshPlace,
    now: OffsetDateTime,
) -> Result<TokenPair, ApiError> {
    let access_id = TokenId::from_random(random(&*app.entropy)?);
    let access = AccessClaims::new(&app.parties, identity, &access_id, now, app.lifetimes.access);
    let expires_at = token_expiry(now, app.lifetimes, place.family_expires_at);
    let refresh = RefreshClaims::new(&app.parties, identity.id, place.family, &place.token, now, expires_at);
    let pair = TokenPair {
        access: keys.signer.sign(jose::claims::ACCESS_TOKEN_TYP, &access)?,
        refresh: keys.signer.sign(jose::claims::REFRESH_TOKEN_TYP, &refresh)?,
    };
    app.metrics.pair_issued();
    Ok(pair)
}

/// The keys in memory.
pub(super) fn keys(app: &App) -> Result<std::sync::Arc<KeySet>, ApiError> {
    app.keyring.current().ok_or_else(|| ApiError::Unavailable {
        cause: "no signing key was loaded yet".to_owned(),
    })
}
