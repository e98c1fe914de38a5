//! `GET /health/live`: the process answers. `GET /health/ready`: it could give a token now, and if not, why not.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::json;

use super::{SharedApp, no_store};

/// Says that the process answers.
pub(super) async fn live() -> Response {
    no_store(Json(json!({ "status": "ok" })))
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    database: Check,
    signing_key: Check,
}

#[derive(Serialize)]
struct Check {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
}

impl Check {
    fn ok(kid: Option<String>) -> Self {
        Self {
            status: "ok",
            cause: None,
            kid,
        }
    }

    fn failed(cause: String) -> Self {
        Self {
            status: "failed",
            cause: Some(cause),
            kid: None,
        }
    }

    fn is_ok(&self) -> bool {
        self.cause.is_none()
    }
}

/// Says whether the issuer can work. Not for the public: the causes name hosts and ports.
pub(super) async fn ready(State(app): State<SharedApp>) -> Response {
    let checks = Checks {
        database: match app.database.probe().await {
            Ok(()) => Check::ok(None),
            Err(error) => Check::failed(error.to_string()),
        },
        signing_key: match app.keyring.current() {
            Some(keys) => Check::ok(Some(keys.signer.kid().to_string())),
            None => Check::failed("no signing key was loaded yet; that takes the database".to_owned()),
        },
    };
    let (code, status) = if checks.database.is_ok() && checks.signing_key.is_ok() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    no_store((code, Json(Readiness { status, checks })))
}
