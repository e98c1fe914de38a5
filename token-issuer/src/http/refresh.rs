//! `POST /api/token/refresh/`: a refresh token becomes a new pair and is spent by it.

use axum::{Json, extract::State, response::Response};
use jose::UnverifiedToken;
use serde::Serialize;

use super::{
    App, SharedApp,
    error::ApiError,
    fields::Fields,
    no_store,
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

#[derive(Serialize)]
struct Answer {
    access: String,
    refresh: String,
}

/// Answers the use of a refresh token.
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
