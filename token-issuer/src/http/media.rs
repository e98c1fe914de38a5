//! `/media/…`: files from a directory that the operator chooses. Browsers treat them as what they are, somebody's
//! uploads: they run nothing from there.

use std::path::Path;

use axum::{
    http::{HeaderValue, header},
    routing::{MethodRouter, any, get_service},
};
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

use super::{SharedApp, error::ApiError};

/// Serves the files of a directory, without listings. Takes the path below `/media`.
pub(super) fn service(directory: &Path) -> MethodRouter<SharedApp> {
    let files = ServeDir::new(directory)
        .append_index_html_on_directories(false)
        .fallback(any(|| async { ApiError::NotFound }));
    get_service(files).layer(SetResponseHeaderLayer::overriding(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    ))
}
