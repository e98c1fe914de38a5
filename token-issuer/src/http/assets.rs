//! `GET /static/…`: the few files that pages of this service need, part of the program itself.

use std::sync::LazyLock;

use axum::{body::Body, extract::Path, http::HeaderMap, response::Response};

use super::{
    conditional::{self, Document},
    error::ApiError,
};
use crate::keyring::fingerprint;

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    entity_tag: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        asset(
            "gatehouse.css",
            "text/css; charset=utf-8",
            include_bytes!("../../assets/gatehouse.css"),
        ),
        asset("logo.svg", "image/svg+xml", include_bytes!("../../assets/logo.svg")),
        asset(
            "favicon.svg",
            "image/svg+xml",
            include_bytes!("../../assets/favicon.svg"),
        ),
    ]
});

fn asset(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset {
        name,
        content_type,
        bytes,
        entity_tag: format!("\"{}\"", fingerprint(bytes)),
    }
}

/// Answers with a file of the program.
pub(super) async fn serve(Path(name): Path<String>, request: HeaderMap) -> Result<Response, ApiError> {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .ok_or(ApiError::NotFound)?;
    Ok(conditional::respond(
        &request,
        Document {
            content_type: asset.content_type,
            cache_control: "public, max-age=3600",
            entity_tag: &asset.entity_tag,
            body: Body::from(asset.bytes),
        },
    ))
}
