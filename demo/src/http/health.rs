//! `GET /health/`: ready to serve, the database included.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::openapi::ReadRefusals;
use super::problem::{PROBLEM, Problem, ProblemDocument};
use crate::postgres::{self, HealthError};

/// That the service works.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthView {
    status: &'static str,
    service: &'static str,
    database: &'static str,
}

/// 200 where requests can be served, 503 with the cause where they can't.
#[utoipa::path(
    get,
    path = "/health/",
    operation_id = "showHealth",
    responses(
        ReadRefusals,
        (status = 200, description = "Requests can be served", body = HealthView),
        (status = 503, description = "They can't, and why", body = ProblemDocument, content_type = PROBLEM),
    ),
    security(("bearer" = [])),
)]
pub(super) async fn show(State(state): State<AppState>) -> Result<Json<HealthView>, Problem> {
    match postgres::check(&state.pool).await {
        Ok(()) => Ok(Json(HealthView {
            status: "ok",
            service: state.service.name(),
            database: "ok",
        })),
        Err(error) => {
            tracing::warn!(cause = %error, "not ready");
            let code = match error {
                HealthError::Unreachable(_) => "database_unreachable",
                HealthError::Refused(_) => "database_refuses",
                HealthError::Busy => "database_busy",
                HealthError::OldSchema => "schema_outdated",
            };
            Err(Problem::unavailable(
                code,
                "Not ready",
                format!("This service can't serve requests now: {error}."),
            ))
        }
    }
}
