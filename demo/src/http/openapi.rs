//! `GET /openapi.json` and `GET /docs/`: what a service takes and answers, for programs and for people.
//!
//! Each endpoint says at its handler what it is, and the router is made of the same words, so nothing is served that is not
//! described. Here stands what the endpoints share. Both pages are public: they tell what anybody may read in this repository.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use gatehouse_openapi_page::{CONTENT_SECURITY_POLICY, PageError, render};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, ServerBuilder};
use utoipa::{IntoParams, IntoResponses};

use super::problem::{Problem, ProblemDocument};
use super::{AppState, Service};

/// The document without its paths, which the routes bring.
pub(super) fn frame(service: Service) -> OpenApi {
    let (title, description) = match service {
        Service::Bank => (
            "Bank",
            "Users' accounts, balances and what changed them. The gate lets only tokens with bank.read through, whatever is read.",
        ),
        Service::Payment => (
            "Payment service",
            "Moves money between accounts, and lets users ask each other for it. The gate lets only tokens with payment.read \
             through where something is read, and with payment.write everywhere else.",
        ),
    };
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "An access token of the token issuer. The gate verifies it; the service never sees it.",
        ))
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title(title)
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(description))
                .build(),
        )
        .servers(Some([ServerBuilder::new()
            .url(format!("/{}", service.name()))
            .description(Some("Through the gate"))
            .build()]))
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme("bearer", SecurityScheme::Http(bearer))
                .build(),
        ))
        .build()
}

/// The routes of the document and its page.
pub(super) fn routes(document: &OpenApi) -> Router<AppState> {
    let written = Written::of(document).map(Arc::new);
    if let Err(error) = &written {
        tracing::error!(%error, "this service's documentation can't be written");
    }
    let written = written.ok();
    let for_programs = written.clone();
    Router::new()
        .route("/openapi.json", get(async move || json(for_programs.as_deref())))
        .route("/docs/", get(async move || page(written.as_deref())))
}

struct Written {
    json: String,
    page: String,
}

impl Written {
    fn of(document: &OpenApi) -> Result<Self, PageError> {
        let json = document.to_pretty_json()?;
        // From /docs/, also where a gate has put something in front of it.
        let page = render(&json, "../openapi.json")?;
        Ok(Self { json, page })
    }
}

fn json(written: Option<&Written>) -> Response {
    let Some(written) = written else { return unwritten() };
    ([(header::CONTENT_TYPE, "application/json")], written.json.clone()).into_response()
}

fn page(written: Option<&Written>) -> Response {
    let Some(written) = written else { return unwritten() };
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(written.page.clone())).into_response()
}

fn unwritten() -> Response {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "Internal error",
        "The documentation could not be written; the log has the cause.",
    )
    .into_response()
}

/// The query of a listing.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "a description; the query is read one parameter after the other (listing.rs)"
)]
pub(super) struct PageParameters {
    /// How many items, 50 unless it is said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before, unchanged.
    cursor: Option<String>,
}

/// The side of the caller in a listing.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "a description; the query is read one parameter after the other (listing.rs)"
)]
pub(super) struct DirectionParameter {
    /// `incoming` or `outgoing`; both unless it is said.
    direction: Option<String>,
}

/// What a wrong query gets.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description")]
#[response(
    status = 400,
    description = "A parameter is unknown, repeated or out of range",
    content_type = "application/problem+json"
)]
pub(super) struct WrongQuery(ProblemDocument);

/// What any request of a caller may get instead of an answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description")]
pub(super) enum ReadRefusals {
    /// No token that the gate takes
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(ProblemDocument),
    /// The token lacks the scope
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemDocument),
    /// The database can't serve this now, or it took too long
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}

/// What an answer to a payment request may get instead of being taken.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description")]
pub(super) enum AnswerRefusals {
    /// The token lacks the scope, or it is the other user's to say
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemDocument),
    /// The caller has no part in such a request
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemDocument),
    /// Not now: settled otherwise before, no money, or no account in the currency
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemDocument),
}

/// What an order in a body may get instead of an answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description")]
pub(super) enum WriteRefusals {
    /// The body is no JSON object, or the Idempotency-Key is missing or malformed
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemDocument),
    /// An account, a user or a request is not there for the caller
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemDocument),
    /// Not now: no money, no account in the currency, or settled otherwise before
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemDocument),
    /// The body is larger than 16 KiB
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDocument),
    /// The body is no JSON
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemDocument),
    /// A field is wrong, or the Idempotency-Key belongs to another order
    #[response(status = 422, content_type = "application/problem+json")]
    WrongFields(ProblemDocument),
}
