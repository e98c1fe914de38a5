//! `GET /.well-known/jwks.json`: the public keys, from memory, whether the database is there or not.

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use utoipa::ToSchema;

use super::{
    SharedApp,
    conditional::{self, Document},
    error::ApiError,
    openapi::ErrorBody,
    pair::keys,
};

/// How long gateways may keep the set. A key is published for longer than this before it signs.
const CACHE_CONTROL: &str = "public, max-age=300";

/// A JWK Set (RFC 7517 §5).
#[derive(ToSchema)]
#[schema(as = JwkSet)]
#[expect(dead_code, reason = "a description; the keyring writes the set")]
struct JwkSetBody {
    keys: Vec<JwkBody>,
}

/// A public key (RFC 7517 §4, RFC 7518 §6.3.1).
#[derive(ToSchema)]
#[schema(as = Jwk)]
#[expect(dead_code, reason = "a description; the keyring writes the set")]
struct JwkBody {
    /// The key's RFC 7638 thumbprint.
    kid: String,
    /// `RSA`.
    kty: String,
    /// `RS256`.
    alg: String,
    /// `sig`.
    r#use: String,
    /// The modulus.
    n: String,
    /// The exponent.
    e: String,
}

/// The public keys.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "publishKeys",
    params(("if-none-match" = Option<String>, Header, description = "The `etag` of the copy that is there already")),
    responses(
        (status = 200, description = "The set", body = JwkSetBody),
        (status = 304, description = "The copy is still the same"),
        (status = 503, description = "No key was loaded yet", body = ErrorBody),
    ),
)]
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
