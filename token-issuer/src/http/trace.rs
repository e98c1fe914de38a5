//! Around every request: its id, one log line, one count, and a bound on its time.

use std::time::{Duration, Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::{
    SharedApp,
    error::{ApiError, Cause},
};
use crate::{environment::random, metrics::RequestLabels};

const REQUEST_ID: &str = "x-request-id";

/// Longer than the wait for a hash and the work on the database together.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Wraps a request.
pub(super) async fn trace(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    // The route's pattern, not the path: a path can hold anything, secrets included.
    let endpoint = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let method = method_name(request.method());
    let id = given_id(&request).unwrap_or_else(|| new_id(&app));
    let span = tracing::info_span!("request", request_id = %id, method, endpoint);

    let mut response = async {
        let answer = tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await;
        let response = answer.unwrap_or_else(|_| {
            let cause = format!("no answer within {} s", LONGEST_REQUEST.as_secs());
            ApiError::Unavailable { cause }.into_response()
        });
        log(&endpoint, &response, started.elapsed());
        response
    }
    .instrument(span)
    .await;

    let status = response.status().as_u16();
    app.metrics.request(
        &RequestLabels {
            endpoint,
            method,
            status,
        },
        started.elapsed(),
    );
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn log(endpoint: &str, response: &Response, took: Duration) {
    let status = response.status().as_u16();
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let cause = response.extensions().get::<Cause>().map(|Cause(text)| text.as_str());
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        tracing::warn!(status, millis, cause, "answered");
    } else if response.status().is_server_error() {
        tracing::error!(status, millis, cause, "answered");
    } else if endpoint.starts_with("/health/") || endpoint == "/metrics" {
        tracing::debug!(status, millis, cause, "answered");
    } else {
        tracing::info!(status, millis, cause, "answered");
    }
}

/// The id that the gateway gave, if it is one: short and of characters that harm no log.
fn given_id(request: &Request) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!id.is_empty() && id.len() <= 128 && id.bytes().all(plain)).then(|| id.to_owned())
}

fn new_id(app: &SharedApp) -> String {
    random(&*app.entropy).map_or_else(
        |_| "none".to_owned(),
        |bytes| uuid::Builder::from_random_bytes(bytes).into_uuid().to_string(),
    )
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
