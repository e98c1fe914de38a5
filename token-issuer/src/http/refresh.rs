//! `POST /api/token/refresh/`: a refresh token becomes a new pair and is spent by it.

use axum::{Json, extract::State, response::Response};
use jose::UnverifiedToken;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, SharedApp,
    error::ApiError,
    fields::Fields,
    no_store,
    openapi::{ErrorBody, TokenRefusals},
    pair::{RefreshPlace, TokenPair, keys, sign_pair},
};
use crate::{
    domain::{
        refresh_family::{PresentedToken, Refusal, Rotation},
        token_id::TokenId,
    },
    environment::random,
    metrics::Outcome,
};

/// Longer than any token that this issuer makes.
const LONGEST_TOKEN: usize = 8192;

/// Two tokens of one user.
#[derive(Serialize, ToSchema)]
#[schema(as = NewTokenPair)]
struct Answer {
    /// For the services.
    access: String,
    /// The successor of the one that was sent, which works no more.
    refresh: String,
}

/// The token to be spent.
#[derive(ToSchema)]
#[schema(as = Refresh)]
#[expect(dead_code, reason = "a description; the body is read field by field (fields.rs)")]
struct RefreshBody {
    refresh: String,
}

/// Spends a refresh token on a new pair. One that was spent before ends all that descend from the same login.
#[utoipa::path(
    post,
    path = "/api/token/refresh/",
    operation_id = "refreshTokens",
    request_body(content(
        (RefreshBody = "application/json"),
        (RefreshBody = "application/x-www-form-urlencoded"),
        (RefreshBody = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "The user's new tokens", body = Answer),
        (status = 401, description = "No refresh token that is still good, or a disabled account", body = ErrorBody),
        TokenRefusals,
    ),
)]
pub(super) async fn refresh(State(app): State<SharedApp>, fields: Fields) -> Result<Response, ApiError> {
    let [token] = fields.all_required(["refresh"])?;
    match rotate(&app, token.trim()).await {
        Ok(pair) => {
            app.metrics.refresh(Outcome::Succeeded);
            Ok(no_store(Json(Answer {
                access: pair.access,
                refresh: pair.refresh,
            })))
        }
        Err(error) => {
            if let Some(outcome) = error.outcome() {
                app.metrics.refresh(outcome);
            }
            Err(error)
        }
    }
}

async fn rotate(app: &App, token: &str) -> Result<TokenPair, ApiError> {
    let keys = keys(app)?;
    let now = app.clock.now();
    let token = UnverifiedToken::parse(token.as_bytes(), LONGEST_TOKEN).map_err(|_| Refusal::Invalid)?;
    let token = keys.verification.verify(&token).map_err(|_| Refusal::Invalid)?;
    let presented = PresentedToken::from_verified(&token, &app.parties, now)?;

    let successor = TokenId::from_random(random(&*app.entropy)?);
    match app.database.rotate(&presented, &successor, now).await? {
        Rotation::Rotated {
            identity,
            family_expires_at,
        } => {
            let place = RefreshPlace {
                family: presented.family,
                token: successor,
                family_expires_at,
            };
            sign_pair(app, &keys, &identity, &place, now)
        }
        Rotation::Refused(refusal) => Err(refusal.into()),
    }
}

#[cfg(test)]
mod tests;
