//! `GET /metrics`: counters and gauges for Prometheus.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::{SharedApp, error::ApiError};
use crate::metrics::Readings;

/// The format that the encoder writes.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers with everything that is counted.
pub(super) async fn scrape(State(app): State<SharedApp>) -> Result<Response, ApiError> {
    let pool = app.database.pool_use();
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let readings = Readings {
        connections_open: i64::from(pool.open),
        connections_idle: count(pool.idle),
        hashes_running: count(app.hasher.turns().saturating_sub(app.hasher.free_turns())),
        key_age: app
            .keyring
            .current()
            .map(|keys| (app.clock.now() - keys.signing_since).whole_seconds()),
    };
    let text = app
        .metrics
        .render(readings)
        .map_err(|error| ApiError::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
