//! What a service takes of a request, and how often Envoy tries it: the terms that have nothing to do with who is asking.

use std::sync::Arc;
use std::time::Duration;

use crate::headers::Edits;
use crate::request::{Body, Request};

/// The methods that a service takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods {
    names: Vec<String>,
    allow: Arc<str>,
}

impl Methods {
    /// These methods. Whoever may GET may HEAD: it tells the same and less (RFC 9110, section 9.3.2). OPTIONS is a method
    /// like any other.
    #[must_use]
    pub fn new(mut names: Vec<String>) -> Self {
        let has = |names: &[String], wanted: &str| names.iter().any(|name| name == wanted);
        if has(&names, "GET") && !has(&names, "HEAD") {
            names.push("HEAD".to_owned());
        }
        let allow = names.join(", ").into();
        Self { names, allow }
    }

    /// Whether a method is among them; their case counts (RFC 9110, section 9.1).
    #[must_use]
    pub fn contain(&self, method: &[u8]) -> bool {
        self.names.iter().any(|name| name.as_bytes() == method)
    }

    /// The value of the header `Allow` (RFC 9110, section 10.2.1).
    #[must_use]
    pub fn allow(&self) -> Arc<str> {
        Arc::clone(&self.allow)
    }
}

/// Why a body is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Nobody knows how long it will be.
    #[error("the body's length is not known")]
    LengthUnknown,
    /// It is too long.
    #[error("the body is too long")]
    TooLong,
}

/// Checks what a request says of its body's length against a limit, in bytes. Whether it holds to what it says is the
/// host's business: a body that is longer than its `content-length` is a broken message to every HTTP parser.
pub fn check_body(request: &impl Request, limit: u64) -> Result<(), BodyError> {
    let mut lengths = request.values("content-length");
    match (lengths.next(), lengths.next(), request.body()) {
        (None, None, Body::None) => Ok(()),
        (Some(length), None, _) if request.first("transfer-encoding").is_none() => match number(length) {
            Some(length) if length <= limit => Ok(()),
            Some(_) => Err(BodyError::TooLong),
            None => Err(BodyError::LengthUnknown),
        },
        // A body in chunks, several lengths, or both at once.
        _ => Err(BodyError::LengthUnknown),
    }
}

/// A number of digits alone (RFC 9110, section 8.6). One that has too many of them for 64 bits is longer than any limit.
fn number(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// How often Envoy's router tries a request again, and after what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    /// How many times after the first; 0 turns the route's own retries off.
    pub attempts: u64,
    /// After which failures, by the router's names.
    pub on: Vec<&'static str>,
    /// After which gRPC statuses, by the router's names.
    pub on_grpc: Vec<&'static str>,
    /// How long each try may take; `None` leaves it to the timeout of all together.
    pub per_try_timeout: Option<Duration>,
}

/// The failures that Envoy's router knows (`x-envoy-retry-on`), but for those that need lists of their own.
pub const RETRY_ON: [&str; 8] = [
    "connect-failure",
    "refused-stream",
    "reset-before-request",
    "reset",
    "5xx",
    "gateway-error",
    "envoy-ratelimited",
    "retriable-4xx",
];

/// The gRPC statuses that it knows (`x-envoy-retry-grpc-on`).
pub const RETRY_ON_GRPC: [&str; 5] = [
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// What is tried again unless the configuration says otherwise: only what certainly never reached the service.
pub const RETRY_ON_BY_DEFAULT: [&str; 2] = ["connect-failure", "refused-stream"];

/// The header by which Envoy's router takes a request's timeout.
const TIMEOUT: &str = "x-envoy-upstream-rq-timeout-ms";
const PER_TRY_TIMEOUT: &str = "x-envoy-upstream-rq-per-try-timeout-ms";
const MAX_RETRIES: &str = "x-envoy-max-retries";
const ON: &str = "x-envoy-retry-on";
const ON_GRPC: &str = "x-envoy-retry-grpc-on";

/// The headers by which a request tells Envoy's router how long to wait, how often to try, what to answer when the time is
/// over, and under which further name to count. With services they are the gate's to write: a caller who could set them
/// would decide how much work one request makes, and how many statistics there are. Envoy itself removes them only from
/// requests that it takes for external ones, and the duration of a stream not even from those.
const ROUTER_HEADERS: [&str; 12] = [
    TIMEOUT,
    PER_TRY_TIMEOUT,
    MAX_RETRIES,
    ON,
    ON_GRPC,
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-alt-stat-name",
];

/// Writes what the router is told, and takes out what it was told by others.
pub fn instruct_router(
    request: &impl Request,
    timeout: Option<Duration>,
    retries: Option<&Retries>,
    edits: &mut Edits,
) {
    for (name, _) in request.headers() {
        if let Some(known) = ROUTER_HEADERS
            .iter()
            .find(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        {
            edits.remove(known);
        }
    }
    let milliseconds = |duration: Duration| duration.as_millis().to_string().into_bytes();
    if let Some(timeout) = timeout {
        edits.set(TIMEOUT, milliseconds(timeout));
    }
    let Some(retries) = retries else { return };
    edits.set(MAX_RETRIES, retries.attempts.to_string().into_bytes());
    for (name, events) in [(ON, &retries.on), (ON_GRPC, &retries.on_grpc)] {
        if !events.is_empty() {
            edits.set(name, events.join(",").into_bytes());
        }
    }
    if let Some(timeout) = retries.per_try_timeout {
        edits.set(PER_TRY_TIMEOUT, milliseconds(timeout));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{request, test};

    #[test]
    fn methods_are_those_that_were_named_and_head_comes_with_get() {
        let methods = |names: &[&str]| Methods::new(names.iter().map(|name| (*name).to_owned()).collect());
        for (names, method, expected) in [
            (&["GET"][..], "GET", true),
            (&["GET"], "HEAD", true),
            (&["GET"], "get", false),
            (&["GET"], "OPTIONS", false),
            (&["GET"], "", false),
            (&["HEAD"], "GET", false),
            (&["POST"], "HEAD", false),
            (&["POST", "OPTIONS"], "OPTIONS", true),
        ] {
            assert_eq!(
                methods(names).contain(method.as_bytes()),
                expected,
                "{names:?} {method}"
            );
        }
        assert_eq!(&*methods(&["GET", "POST"]).allow(), "GET, POST, HEAD");
        assert_eq!(&*methods(&["HEAD", "GET"]).allow(), "HEAD, GET");
    }

    #[test]
    fn a_body_must_say_that_it_is_short_enough() {
        use BodyError::{LengthUnknown, TooLong};
        for (headers, body, expected) in [
            (&[][..], Body::None, Ok(())),
            (&[], Body::Follows, Err(LengthUnknown)),
            (&[("content-length", "0")], Body::None, Ok(())),
            (&[("content-length", "10")], Body::Follows, Ok(())),
            (&[("content-length", "11")], Body::Follows, Err(TooLong)),
            (&[("Content-Length", "11")], Body::None, Err(TooLong)),
            (
                &[("content-length", "99999999999999999999999999")],
                Body::Follows,
                Err(TooLong),
            ),
            (&[("content-length", "-1")], Body::Follows, Err(LengthUnknown)),
            (&[("content-length", "+1")], Body::Follows, Err(LengthUnknown)),
            (&[("content-length", "1 ")], Body::Follows, Err(LengthUnknown)),
            (&[("content-length", "")], Body::Follows, Err(LengthUnknown)),
            (
                &[("content-length", "1"), ("content-length", "1")],
                Body::Follows,
                Err(LengthUnknown),
            ),
            (&[("transfer-encoding", "chunked")], Body::Follows, Err(LengthUnknown)),
            (
                &[("content-length", "1"), ("transfer-encoding", "chunked")],
                Body::Follows,
                Err(LengthUnknown),
            ),
        ] {
            let request = request(headers).with_body(body);
            assert_eq!(check_body(&request, 10), expected, "{headers:?} {body:?}");
        }
    }

    #[test]
    fn the_router_hears_the_gate_alone() {
        let sent = request(&[
            ("x-envoy-max-retries", "50"),
            ("X-Envoy-Retry-On", "5xx"),
            ("x-envoy-upstream-rq-timeout-ms", "0"),
            ("x-envoy-hedge-on-per-try-timeout", "true"),
            ("x-envoy-upstream-stream-duration-ms", "86400000"),
            ("x-envoy-upstream-rq-timeout-alt-response", "1"),
            ("x-envoy-upstream-alt-stat-name", "one-of-very-many"),
            ("x-envoy-external-address", "192.0.2.1"),
        ]);
        let written = |timeout, retries: Option<&Retries>| {
            let mut edits = Edits::default();
            instruct_router(&sent, timeout, retries, &mut edits);
            let shown = edits.into_edits().map(|edit| match edit {
                crate::headers::Edit::Remove(name) => format!("-{name}"),
                crate::headers::Edit::Set(name, value) => format!("{name}={}", String::from_utf8_lossy(&value)),
            });
            let mut shown: Vec<String> = shown.collect();
            shown.sort();
            shown
        };
        assert_eq!(
            written(None, None),
            [
                "-x-envoy-hedge-on-per-try-timeout",
                "-x-envoy-max-retries",
                "-x-envoy-retry-on",
                "-x-envoy-upstream-alt-stat-name",
                "-x-envoy-upstream-rq-timeout-alt-response",
                "-x-envoy-upstream-rq-timeout-ms",
                "-x-envoy-upstream-stream-duration-ms",
            ]
        );
        let unlimited = written(Some(Duration::ZERO), None);
        assert!(
            unlimited.contains(&"x-envoy-upstream-rq-timeout-ms=0".to_owned()),
            "{unlimited:?}"
        );
        let retries = Retries {
            attempts: 2,
            on: vec!["connect-failure", "5xx"],
            on_grpc: vec!["unavailable"],
            per_try_timeout: Some(Duration::from_millis(250)),
        };
        assert_eq!(
            written(Some(Duration::from_secs(5)), Some(&retries)),
            [
                "-x-envoy-hedge-on-per-try-timeout",
                "-x-envoy-upstream-alt-stat-name",
                "-x-envoy-upstream-rq-timeout-alt-response",
                "-x-envoy-upstream-stream-duration-ms",
                "x-envoy-max-retries=2",
                "x-envoy-retry-grpc-on=unavailable",
                "x-envoy-retry-on=connect-failure,5xx",
                "x-envoy-upstream-rq-per-try-timeout-ms=250",
                "x-envoy-upstream-rq-timeout-ms=5000",
            ]
        );
    }
}
