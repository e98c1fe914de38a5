//! `GET /whoami/`: what the bank sees of a caller after the gate has done its work. A mirror for demonstrations and tests.
//!
//! It asks for no identity, on purpose: that a header did not arrive is worth seeing too.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::observe::REQUEST_ID;
use super::openapi::ReadRefusals;

/// A request as the service saw it.
#[derive(Serialize, ToSchema)]
#[schema(as = Whoami)]
pub(super) struct WhoamiView {
    service: &'static str,
    method: String,
    /// Without the query, where a token could stand.
    path: String,
    /// By the spelling that arrived; a header that came more than once is joined with commas (RFC 9110, section 5.3).
    headers: BTreeMap<String, String>,
    authorization_present: bool,
    request_id: Option<String>,
}

/// The request as it arrived.
#[utoipa::path(
    get,
    path = "/whoami/",
    operation_id = "showWhoami",
    responses((status = 200, description = "What the service saw", body = WhoamiView), ReadRefusals),
    security(("bearer" = ["bank.read"])),
)]
pub(super) async fn show(
    State(state): State<AppState>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Json<WhoamiView> {
    let mut seen = BTreeMap::new();
    for name in headers.keys().filter(|name| speaks_of_the_caller(name.as_str())) {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| harmless(&String::from_utf8_lossy(value.as_bytes())))
            .collect();
        seen.insert(name.as_str().to_owned(), values.join(", "));
    }
    Json(WhoamiView {
        service: state.service.name(),
        method: method.to_string(),
        path: uri.path().to_owned(),
        headers: seen,
        authorization_present: headers.contains_key(header::AUTHORIZATION),
        request_id: headers
            .get(&REQUEST_ID)
            .map(|value| harmless(&String::from_utf8_lossy(value.as_bytes()))),
    })
}

/// Whether a header belongs to the gate's own names in any spelling: `x-user-id`, `x_user_id`, `X.User.Id` are one name to
/// many a server.
fn speaks_of_the_caller(name: &str) -> bool {
    let folded: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    folded.starts_with("x-user-") || folded.starts_with("x-gatehouse-")
}

/// The value, unless it looks like a token: this page must never give one away.
fn harmless(value: &str) -> String {
    if value.contains("eyJ") || value.to_ascii_lowercase().contains("bearer ") {
        return "[hidden: looks like a token]".to_owned();
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_identity_header_is_shown() {
        for (name, shown) in [
            ("x-user-id", true),
            ("x_user_id", true),
            ("x.user.id", true),
            ("x-user_roles", true),
            ("x-gatehouse-cluster", true),
            ("x-userid", false),
            ("x-request-id", false),
            ("authorization", false),
            ("cookie", false),
        ] {
            assert_eq!(speaks_of_the_caller(name), shown, "{name}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        for (value, shown) in [
            ("alice", true),
            ("bank.read payment.read", true),
            ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", false),
            ("Bearer abc", false),
            ("bearer abc", false),
            ("x, eyJhbGciOiJSUzI1NiJ9", false),
        ] {
            assert_eq!(harmless(value) == value, shown, "{value}");
        }
    }
}
