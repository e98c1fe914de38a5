//! `GET /.well-known/jwks.json`: the public keys, from memory, whether the database is there or not.

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};

use super::{
    SharedApp,
    conditional::{self, Document},
    error::ApiError,
    pair::keys,
};

/// How long gateways may keep the set. A key is published for longer than this before it signs.
const CACHE_CONTROL: &str = "public, max-age=300";

/// Answers with the JWK Set (RFC 7517 §5).
pub(super) async fn publish(State(app): State<SharedApp>, request: HeaderMap) -> Result<Response, ApiError> {
    let keys = keys(&app)?;
    Ok(conditional::respond(
        &request,
        Document {
            content_type: "application/json",
            cache_control: CACHE_CONTROL,
            entity_tag: &keys.entity_tag,
            body: Body::from(keys.document.clone()),
        },
    ))
}
