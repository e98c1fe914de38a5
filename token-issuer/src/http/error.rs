//! Every refusal of the service in one table: status, body, headers and what the log says of it. Bodies are those of
//! `SimpleJWT` and Django REST framework, word for word, so that existing clients need no change; what a client sent is
//! never repeated in them.

use axum::{
    Json,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::json;

use super::{LARGEST_BODY, no_store};
use crate::{
    domain::refresh_family::Refusal, environment::EntropyError, keyring::signer::SignerError, metrics::Outcome,
    password_hasher::HashError, postgres::DatabaseError,
};

/// Why a request got no success.
#[derive(Debug)]
pub(super) enum ApiError {
    /// Fields that are missing or of no use, in the order in which the endpoint names them.
    Fields(FieldErrors),
    /// The body is no set of fields.
    NotFields(&'static str),
    /// The body can't be read.
    Unreadable(String),
    /// Unknown user, wrong password, disabled account: the same for all.
    NoActiveAccount,
    /// A refresh token that gives nothing.
    Token(Refusal),
    /// No such place.
    NotFound,
    /// No such method here.
    MethodNotAllowed(Method),
    /// The body is larger than any sensible one.
    TooLarge,
    /// A body in another form. Only well-known types are called by their names.
    UnsupportedMediaType(Option<&'static str>),
    /// All turns for password hashing are taken.
    Busy {
        /// For the log.
        cause: String,
    },
    /// The database is away, or was never reached.
    Unavailable {
        /// For the log.
        cause: String,
    },
    /// Our own mistake.
    Internal {
        /// For the log.
        cause: String,
    },
}

/// Errors of fields as an object of lists.
#[derive(Debug)]
pub(super) struct FieldErrors(pub(super) Vec<(&'static str, &'static str)>);

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, message) in &self.0 {
            map.serialize_entry(field, &[message])?;
        }
        map.end()
    }
}

/// What the log says of a refusal beyond its status. Travels with the response, never inside it.
#[derive(Clone, Debug)]
pub(super) struct Cause(pub(super) String);

impl ApiError {
    /// Our own mistake, with words for the log.
    pub(super) fn internal(cause: &(impl ToString + ?Sized)) -> Self {
        Self::Internal {
            cause: cause.to_string(),
        }
    }

    /// How a login or a refresh that ended so is counted; a request that was never an attempt is not.
    pub(super) const fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Token(Refusal::Spent) => Some(Outcome::Reused),
            Self::NoActiveAccount | Self::Token(_) => Some(Outcome::Refused),
            Self::Busy { .. } => Some(Outcome::Busy),
            Self::Unavailable { .. } | Self::Internal { .. } => Some(Outcome::Unavailable),
            _ => None,
        }
    }

    fn cause(&self) -> Option<String> {
        match self {
            Self::Busy { cause } | Self::Unavailable { cause } | Self::Internal { cause } => Some(cause.clone()),
            Self::NoActiveAccount => Some("no active account with these credentials".to_owned()),
            Self::Token(refusal) => Some(refusal.to_string()),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let cause = self.cause();
        let detail = |status: StatusCode, detail: &str| (status, Json(json!({ "detail": detail }))).into_response();
        let mut response = match self {
            Self::Fields(errors) => (StatusCode::BAD_REQUEST, Json(errors)).into_response(),
            Self::NotFields(message) => {
                (StatusCode::BAD_REQUEST, Json(json!({ "non_field_errors": [message] }))).into_response()
            }
            Self::Unreadable(message) => detail(StatusCode::BAD_REQUEST, &message),
            Self::NoActiveAccount => challenge(detail(
                StatusCode::UNAUTHORIZED,
                "No active account found with the given credentials",
            )),
            Self::Token(refusal @ Refusal::AccountInactive) => {
                challenge(detail(StatusCode::UNAUTHORIZED, &refusal.to_string()))
            }
            Self::Token(refusal) => {
                let body = DetailAndCode {
                    detail: refusal.to_string(),
                    code: "token_not_valid",
                };
                challenge((StatusCode::UNAUTHORIZED, Json(body)).into_response())
            }
            Self::NotFound => detail(StatusCode::NOT_FOUND, "Not found."),
            Self::MethodNotAllowed(method) => detail(StatusCode::METHOD_NOT_ALLOWED, &method_message(&method)),
            Self::TooLarge => detail(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("Request body is larger than {} KiB.", LARGEST_BODY / 1024),
            ),
            Self::UnsupportedMediaType(Some(name)) => detail(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                &format!("Unsupported media type \"{name}\" in request."),
            ),
            Self::UnsupportedMediaType(None) => {
                detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type in request.")
            }
            Self::Busy { .. } => retry_later("Too many logins at once. Try again in a moment.", "busy", 2),
            Self::Unavailable { .. } => retry_later(
                "Service temporarily unavailable, try again later.",
                "service_unavailable",
                5,
            ),
            Self::Internal { .. } => detail(StatusCode::INTERNAL_SERVER_ERROR, "A server error occurred."),
        };
        if let Some(cause) = cause {
            response.extensions_mut().insert(Cause(cause));
        }
        no_store(response)
    }
}

#[derive(Serialize)]
struct DetailAndCode {
    detail: String,
    code: &'static str,
}

/// The challenge that `SimpleJWT` sends with every 401.
fn challenge(mut response: Response) -> Response {
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"api\""),
    );
    response
}

fn retry_later(detail: &str, code: &'static str, seconds: u16) -> Response {
    let body = DetailAndCode {
        detail: detail.to_owned(),
        code,
    };
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::RETRY_AFTER, seconds.to_string())],
        Json(body),
    )
        .into_response()
}

fn method_message(method: &Method) -> String {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS
        | Method::TRACE
        | Method::CONNECT => format!("Method \"{method}\" not allowed."),
        _ => "Method not allowed.".to_owned(),
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Token(refusal)
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        if error.is_unavailable() {
            Self::Unavailable {
                cause: error.to_string(),
            }
        } else {
            Self::internal(&error)
        }
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy(_) => Self::Busy {
                cause: error.to_string(),
            },
            _ => Self::internal(&error),
        }
    }
}

impl From<SignerError> for ApiError {
    fn from(error: SignerError) -> Self {
        Self::internal(&error)
    }
}

impl From<EntropyError> for ApiError {
    fn from(error: EntropyError) -> Self {
        Self::internal(&error)
    }
}
