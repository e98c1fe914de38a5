//! What happens around every request: its id, its time limit, its problem document, its line in the log.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use uuid::Uuid;

use super::AppState;
use super::caller::caller_of;
use super::problem::Problem;

/// The name by which a request is known along its whole way.
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer of both services.
pub(crate) async fn observe(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id(request.headers());
    let method = request.method().clone();
    // Without the query: it may carry what belongs in no log.
    let path = request.uri().path().to_owned();
    let user = caller_of(request.headers()).ok().map(|caller| caller.id);
    let span = tracing::info_span!("request", service = state.service.name(), request_id = %request_id);

    let work = tokio::time::timeout(state.request_timeout, next.run(request))
        .instrument(span.clone())
        .await;
    let mut response = work.unwrap_or_else(|_| Problem::timed_out().into_response());

    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        let bare = response;
        response = problem.render(&request_id);
        // What axum has added, such as `Allow`, stays.
        for (name, value) in bare.headers() {
            if !response.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                response.headers_mut().insert(name, value.clone());
            }
        }
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID.clone(), value);
    }

    let _entered = span.enter();
    tracing::info!(
        %method,
        path,
        status = response.status().as_u16(),
        problem = problem.map(|problem| problem.code),
        user = user.map(tracing::field::display),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// The id that the gate gave, or a new one where it gave none that belongs in a log.
fn request_id(headers: &HeaderMap) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    headers
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| !id.is_empty() && id.len() <= 128 && id.bytes().all(plain))
        .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_a_plain_request_id_is_taken_over() {
        for (value, taken) in [
            ("5b2f6b1e-6a0e-4d4e-9d0e-0f4c5f1d2a3b", true),
            ("a", true),
            ("", false),
            ("a b", false),
            ("{\"a\":1}", false),
            (&"a".repeat(129), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID.clone(), HeaderValue::from_str(value).unwrap());
            assert_eq!(request_id(&headers) == value, taken, "{value}");
        }
        assert_eq!(request_id(&HeaderMap::new()).len(), 36);
    }
}
