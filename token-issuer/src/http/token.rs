//! `POST /api/token/` and `POST /api/auth/token/`: a username and a password become a pair of tokens.

use axum::{Json, extract::State, response::Response};
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
        password::Password,
        refresh_family::NewFamily,
        user::{AccountState, User},
        username::Username,
    },
    environment::random,
    metrics::Outcome,
    password_hasher::Verdict,
    postgres::refresh_family::Beginning,
};

/// Two tokens of one user.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenPair)]
struct Answer {
    /// Works once, at /api/token/refresh/.
    refresh: String,
    /// For the services.
    access: String,
}

/// Who logs in.
#[derive(ToSchema)]
#[schema(as = Credentials)]
#[expect(dead_code, reason = "a description; the body is read field by field (fields.rs)")]
struct CredentialsBody {
    username: String,
    #[schema(format = Password)]
    password: String,
}

struct Credentials {
    username: String,
    password: Password,
}

impl TryFrom<&Fields> for Credentials {
    type Error = ApiError;

    fn try_from(fields: &Fields) -> Result<Self, Self::Error> {
        let [username, password] = fields.all_required(["username", "password"])?;
        Ok(Self {
            username: username.to_owned(),
            password: Password::new(password.to_owned()),
        })
    }
}

/// Logs a user in.
#[utoipa::path(
    post,
    path = "/api/token/",
    operation_id = "obtainTokens",
    request_body(content(
        (CredentialsBody = "application/json"),
        (CredentialsBody = "application/x-www-form-urlencoded"),
        (CredentialsBody = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "The user's tokens", body = Answer),
        (status = 401, description = "Unknown user, wrong password or disabled account", body = ErrorBody),
        TokenRefusals,
    ),
)]
pub(super) async fn obtain(State(app): State<SharedApp>, fields: Fields) -> Result<Response, ApiError> {
    let credentials = Credentials::try_from(&fields)?;
    match log_in(&app, credentials).await {
        Ok(pair) => {
            app.metrics.login(Outcome::Succeeded);
            Ok(no_store(Json(Answer {
                refresh: pair.refresh,
                access: pair.access,
            })))
        }
        Err(error) => {
            if let Some(outcome) = error.outcome() {
                app.metrics.login(outcome);
            }
            Err(error)
        }
    }
}

async fn log_in(app: &App, credentials: Credentials) -> Result<TokenPair, ApiError> {
    // Before the password is looked at: without a key there is nothing to give.
    let keys = keys(app)?;
    let user = authenticate(app, credentials).await?;
    let now = app.clock.now();
    let family = NewFamily::begin(
        user.identity.id,
        now,
        app.lifetimes,
        random(&*app.entropy)?,
        random(&*app.entropy)?,
    );
    match app.database.begin_family(&family, user.password_changed_at).await? {
        Beginning::Begun => {}
        Beginning::AccountChanged => return Err(ApiError::NoActiveAccount),
    }
    let place = RefreshPlace {
        family: family.id,
        token: family.token,
        family_expires_at: family.expires_at,
    };
    sign_pair(app, &keys, &user.identity, &place, now)
}

/// Finds the user whose credentials these are. Whatever is wrong with them, one answer after one amount of work: a hash
/// is computed for unknown names and disabled accounts too. Whoever limits attempts does it here, around the whole.
async fn authenticate(app: &App, credentials: Credentials) -> Result<User, ApiError> {
    let Credentials { username, password } = credentials;
    // A name that nobody can have is an unknown name.
    let user = match Username::parse(&username) {
        Ok(username) => app.database.user_by_name(&username).await?,
        Err(_) => None,
    };
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let verdict = {
        let _counted = app.metrics.hashing();
        app.hasher.verify(password.clone(), stored).await?
    };
    let user = user
        .filter(|user| user.state == AccountState::Active)
        .ok_or(ApiError::NoActiveAccount)?;
    match verdict {
        Verdict::Right => Ok(user),
        Verdict::RightWithOldHash => {
            rehash(app, &user, password).await;
            Ok(user)
        }
        Verdict::Wrong => Err(ApiError::NoActiveAccount),
    }
}

/// Stores the hash that today's parameters give. The login does not depend on it: next time is good enough.
async fn rehash(app: &App, user: &User, password: Password) {
    let outcome = match app.hasher.hash(password).await {
        Ok(hash) => app
            .database
            .replace_password_hash(user.identity.id, &user.password_hash, &hash)
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(()) => tracing::info!(user = %user.identity.id, "password hashed anew with today's parameters"),
        Err(error) => tracing::warn!(user = %user.identity.id, %error, "password not hashed anew"),
    }
}

#[cfg(test)]
mod tests;
