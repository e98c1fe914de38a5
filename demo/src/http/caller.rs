//! Who calls: the gate's headers, and nothing else, say it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::AppState;
use super::problem::Problem;
use crate::domain::caller::{Caller, CallerError, Scope};

/// Reads the caller from a request's headers.
pub(super) fn caller_of(headers: &HeaderMap) -> Result<Caller, CallerError> {
    Caller::from_headers(|name| headers.get_all(name).iter().map(HeaderValue::as_bytes).collect())
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &AppState) -> Result<Self, Problem> {
        caller_of(&parts.headers).map_err(|error| {
            Problem::unauthenticated(format!("This service answers callers behind the gate only: {error}."))
        })
    }
}

impl Caller {
    /// Refuses a caller whose token does not allow this.
    pub(super) fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "Not allowed",
            format!("This needs a token with the scope {}.", scope.as_str()),
        ))
    }
}
