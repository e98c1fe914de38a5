//! Identifiers in paths.

use axum::extract::FromRequestParts;
use axum::extract::RawPathParams;
use axum::http::request::Parts;

use super::AppState;
use super::problem::Problem;
use crate::domain::id::parse_uuid;

/// The `{id}` of a path. What is no UUID names nothing, so it is not found like any other unknown id.
pub(super) struct PathId(pub(super) uuid::Uuid);

impl FromRequestParts<AppState> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::no_such_path())?;
        let id = params
            .iter()
            .find(|(name, _)| *name == "id")
            .and_then(|(_, value)| parse_uuid(value));
        id.map(Self).ok_or_else(Problem::no_such_path)
    }
}
