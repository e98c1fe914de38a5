//! The service's endpoints, one file each. Only this room knows axum.

mod assets;
mod conditional;
mod error;
mod fields;
mod health;
mod jwks;
mod media;
mod metrics;
mod openapi;
mod pair;
mod refresh;
mod token;
mod trace;

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};

use self::error::ApiError;
use crate::{
    domain::{claims::Parties, lifetime::Lifetimes},
    environment::{Clock, Entropy},
    keyring::Keyring,
    metrics::Metrics,
    password_hasher::PasswordHasher,
    postgres::Database,
};

/// The largest request body that is read: many times the largest sensible one.
const LARGEST_BODY: usize = 64 * 1024;

/// All that a request may need.
pub(crate) struct App {
    /// Users and families.
    pub(crate) database: Database,
    /// Keys in memory.
    pub(crate) keyring: Keyring,
    /// Passwords.
    pub(crate) hasher: PasswordHasher,
    /// Counters.
    pub(crate) metrics: Metrics,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Random bytes.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// `iss` and `aud`.
    pub(crate) parties: Parties,
    /// How long tokens live.
    pub(crate) lifetimes: Lifetimes,
    /// What /media/ serves; nothing when absent.
    pub(crate) media_dir: Option<PathBuf>,
}

type SharedApp = Arc<App>;

/// Puts all endpoints together.
pub(crate) fn router(app: App) -> Router {
    let app = Arc::new(app);
    // The public endpoints stand at the root and again under /auth/, so that a gateway can hand over the whole of
    // /auth/ without a rewrite; health and metrics stand at the root only, and no gateway routes to them.
    let mut router = Router::new()
        .merge(public())
        .nest("/auth", public())
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::scrape))
        .route("/static/{*name}", get(assets::serve));
    if let Some(directory) = &app.media_dir {
        router = router.nest("/media", Router::new().route("/{*path}", media::service(directory)));
    }
    router
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|method: Method| async move { ApiError::MethodNotAllowed(method) })
        .layer(CatchPanicLayer::custom(|_| {
            ApiError::internal("a handler panicked").into_response()
        }))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), trace::trace))
        .with_state(app)
}

fn public() -> Router<SharedApp> {
    Router::new()
        .route("/api/token", post(token::obtain))
        .route("/api/token/", post(token::obtain))
        .route("/api/auth/token", post(token::obtain))
        .route("/api/auth/token/", post(token::obtain))
        .route("/api/token/refresh", post(refresh::refresh))
        .route("/api/token/refresh/", post(refresh::refresh))
        .route("/.well-known/jwks.json", get(jwks::publish))
        .route("/openapi.json", get(openapi::json))
        .route("/docs/", get(openapi::page))
}

/// An endpoint that takes POST, tells so to OPTIONS and refuses the rest as `SimpleJWT` does.
fn post<H, T>(handler: H) -> MethodRouter<SharedApp>
where
    H: axum::handler::Handler<T, SharedApp>,
    T: 'static,
{
    axum::routing::post(handler)
        .options(|| async { (StatusCode::NO_CONTENT, ALLOW_POST) })
        .fallback(|method: Method| async move { (ALLOW_POST, ApiError::MethodNotAllowed(method)) })
}

const ALLOW_POST: [(HeaderName, &str); 1] = [(header::ALLOW, "POST, OPTIONS")];

/// An answer that nobody may store (RFC 6749 §5.1).
fn no_store(response: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], response).into_response()
}

#[cfg(test)]
mod tests;
