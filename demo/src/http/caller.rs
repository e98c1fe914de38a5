//! Who calls: the gate's headers, and nothing else, say it.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::AppState;
use super::problem::Problem;
use crate::domain::caller::{Caller, Scope};

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &AppState) -> Result<Self, Problem> {
        Self::from_headers(|name| {
            parts
                .headers
                .get_all(name)
                .iter()
                .map(|value| value.as_bytes())
                .collect()
        })
        .map_err(|error| {
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
