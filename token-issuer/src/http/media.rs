//! `/media/…`: files from a directory that the operator chooses. Browsers treat them as what they are, somebody's
//! uploads: they run nothing from there.

use std::path::Path;

use axum::{
    Router,
    http::{HeaderValue, header},
    routing::any,
};
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

use super::error::ApiError;

/// Serves the files of a directory, without listings.
pub(super) fn service(directory: &Path) -> Router {
    let files = ServeDir::new(directory)
        .append_index_html_on_directories(false)
        .call_fallback_on_method_not_allowed(false)
        .fallback(any(not_found));
    Router::new()
        .fallback_service(files)
        .layer(SetResponseHeaderLayer::overriding(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ))
}

async fn not_found() -> ApiError {
    ApiError::NotFound
}
