//! The two services on the wire: axum lives here and nowhere else.
//!
//! One file per endpoint. What all of them share (the caller, bodies, queries, problem documents, the log line) stands beside
//! them, so that an endpoint only says what is its own.

mod account_transactions;
mod accounts;
mod body;
mod caller;
mod health;
mod listing;
mod observe;
mod openapi;
mod path;
mod payment_request_answers;
mod payment_requests;
mod problem;
mod refusals;
mod transfers;
mod whoami;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use problem::Problem;

/// No request of these services needs more.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Which service this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Accounts and balances.
    Bank,
    /// Transfers and payment requests.
    Payment,
}

impl Service {
    /// Its name in logs and answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::Payment => "payment",
        }
    }
}

/// What every endpoint can reach.
#[derive(Debug, Clone)]
pub(crate) struct AppState {
    /// Which service this is.
    pub(crate) service: Service,
    /// The database.
    pub(crate) pool: PgPool,
    /// How long a request may take.
    pub(crate) request_timeout: Duration,
}

/// All routes of a service, with everything around them.
pub(crate) fn router(state: AppState) -> Router {
    let described = OpenApiRouter::with_openapi(openapi::frame(state.service));
    let described = match state.service {
        Service::Bank => described
            .routes(routes!(accounts::list))
            .routes(routes!(accounts::show))
            .routes(routes!(account_transactions::list))
            .routes(routes!(whoami::show)),
        Service::Payment => described
            .routes(routes!(transfers::list, transfers::create))
            .routes(routes!(transfers::show))
            .routes(routes!(payment_requests::list, payment_requests::create))
            .routes(routes!(payment_requests::show))
            .routes(routes!(payment_request_answers::accept))
            .routes(routes!(payment_request_answers::decline))
            .routes(routes!(payment_request_answers::cancel)),
    };
    let (routes, document) = described.routes(routes!(health::show)).split_for_parts();
    routes
        .merge(openapi::routes(&document))
        .fallback(async || Problem::no_such_path())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(state.clone(), observe::observe))
        .with_state(state)
}

#[cfg(test)]
mod tests;
