//! Everything that goes wrong, in one format: problem documents (RFC 9457).

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::postgres::StoreError;

/// Its media type.
pub(super) const PROBLEM: &str = "application/problem+json";

/// What goes back to the caller instead of an answer.
///
/// As a response it is an empty body with the problem beside it; `observe` writes the document, because only there the
/// request's id is known.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// A word for programs. It never changes.
    pub(crate) code: &'static str,
    /// The same for people, the same for every problem of this kind.
    title: &'static str,
    /// What happened this time, and what would be right.
    detail: String,
    /// Which parts of the request were wrong.
    errors: Vec<Fault>,
    /// Headers that belong to the status.
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One wrong part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    #[serde(flatten)]
    place: Place,
    detail: String,
}

/// Where the wrong part stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// A member of the JSON body, as a JSON pointer in a URI fragment (RFC 6901, section 6).
    Pointer(String),
    /// A query parameter.
    Parameter(String),
    /// A header.
    Header(&'static str),
}

impl Fault {
    /// A member of the body is wrong.
    pub(crate) fn member(name: &str, detail: impl Into<String>) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self {
            place: Place::Pointer(format!("#/{name}")),
            detail: detail.into(),
        }
    }

    /// A query parameter is wrong.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self {
            place: Place::Parameter(name.to_owned()),
            detail: detail.into(),
        }
    }

    /// A header is wrong.
    pub(crate) fn header(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            place: Place::Header(name),
            detail: detail.into(),
        }
    }
}

/// A problem document as others read it (RFC 9457), the service's or the gate's.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "a description of what `Document` and the gate write")]
pub(super) struct ProblemDocument {
    /// A URN, one for each kind.
    r#type: String,
    title: String,
    status: u16,
    /// What happened this time, and what would be right.
    detail: String,
    /// A word for programs.
    code: String,
    /// Which parts of the request were wrong; absent where none in particular was.
    errors: Option<Vec<FaultDocument>>,
    /// The scope that the token lacks; the gate says it.
    scope: Option<String>,
    request_id: String,
}

/// A wrong part of a request. It has one of `pointer`, `parameter` and `header`.
#[derive(ToSchema)]
#[schema(as = Fault)]
#[expect(
    dead_code,
    reason = "a description of `Fault`, which writes its place as one of its members"
)]
pub(super) struct FaultDocument {
    /// A member of the body (RFC 6901, section 6).
    pointer: Option<String>,
    /// A query parameter.
    parameter: Option<String>,
    header: Option<String>,
    detail: String,
}

/// The document on the wire.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
    request_id: &'a str,
}

impl Problem {
    /// A problem with a status, its code and title, and what happened.
    pub(crate) fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds which part of the request was wrong.
    pub(crate) fn with_fault(self, fault: Fault) -> Self {
        self.with_faults(vec![fault])
    }

    /// Adds which parts of the request were wrong.
    pub(crate) fn with_faults(mut self, mut faults: Vec<Fault>) -> Self {
        self.errors.append(&mut faults);
        self
    }

    fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// The path leads nowhere.
    pub(crate) fn no_such_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Not found",
            "There is nothing at this path. The paths of this service end in a slash.",
        )
    }

    /// The path is there and does not do this. axum adds the `Allow` header.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            "This path does not do this; the Allow header lists the methods that it has.",
        )
    }

    /// Nobody vouches for the caller.
    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not authenticated", detail)
            .with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"gatehouse\"")
    }

    /// Trying again later may help.
    pub(crate) fn unavailable(code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, title, detail).with_header(header::RETRY_AFTER, "2")
    }

    /// The whole request took too long.
    pub(crate) fn timed_out() -> Self {
        Self::unavailable(
            "timeout",
            "Took too long",
            "The request could not be finished in time. With an Idempotency-Key it is safe to send it again.",
        )
    }

    /// The document, complete.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let document = Document {
            r#type: format!("urn:gatehouse:problem:{}", self.code.replace('_', "-")),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            errors: &self.errors,
            request_id,
        };
        let mut response = (self.status, Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    /// The cause goes to the log; the caller learns what to do.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "the database can't serve this now");
                Self::unavailable(
                    "database_unavailable",
                    "Database unavailable",
                    "The database can't serve this now. Try again in a moment.",
                )
            }
            StoreError::Failed(_) | StoreError::ImpossibleRow { .. } => {
                tracing::error!(cause = %error, "a statement failed that never should");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal_error",
                    "Internal error",
                    "Something is wrong in this service, not in your request. The request's id finds the cause in its log.",
                )
            }
        }
    }
}
