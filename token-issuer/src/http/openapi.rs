//! `GET /openapi.json` and `GET /docs/`: what the public endpoints take and answer, for programs and for people.
//!
//! Each endpoint says at its handler what it is; here stands what they share. Operations (`/health/…`, `/metrics`) are left
//! out: no gateway leads to them.

use std::sync::LazyLock;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use gatehouse_openapi_page::{CONTENT_SECURITY_POLICY, PageError, render};
use utoipa::{
    IntoResponses, OpenApi, ToSchema,
    openapi::{InfoBuilder, ServerBuilder},
};

use super::{
    conditional::{self, Document},
    error::ApiError,
    jwks, refresh, token,
};
use crate::keyring::fingerprint;

#[derive(OpenApi)]
#[openapi(
    paths(token::obtain, refresh::refresh, jwks::publish),
    // Named by no handler itself.
    components(schemas(FieldErrorsBody)),
)]
struct Described;

/// The document: what stands at the handlers, and the second path of the login.
fn document() -> utoipa::openapi::OpenApi {
    let mut document = Described::openapi();
    document.info = InfoBuilder::new()
        .title("Token issuer")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Gives tokens to users, and publishes the keys by which anybody can verify them. Paths of the token endpoints \
             work without the slash at the end, too, and everything stands a second time under /auth/.",
        ))
        .build();
    document.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    let paths = &mut document.paths.paths;
    if let Some(mut second) = paths.get("/api/token/").cloned() {
        if let Some(operation) = &mut second.post {
            operation.operation_id = Some("obtainTokensToo".to_owned());
        }
        paths.insert("/api/auth/token/".to_owned(), second);
    }
    document
}

struct Written {
    json: String,
    json_tag: String,
    page: String,
    page_tag: String,
}

impl Written {
    fn new() -> Result<Self, PageError> {
        let json = document().to_pretty_json()?;
        // From /docs/, also where a gate has put something in front of it.
        let page = render(&json, "../openapi.json")?;
        let tag = |text: &str| format!("\"{}\"", fingerprint(text.as_bytes()));
        Ok(Self {
            json_tag: tag(&json),
            page_tag: tag(&page),
            json,
            page,
        })
    }
}

static WRITTEN: LazyLock<Result<Written, PageError>> = LazyLock::new(Written::new);

/// Kept by browsers, and asked for each time whether it still holds: it changes with the program.
const CACHE_CONTROL: &str = "no-cache";

/// Answers with the document.
pub(super) async fn json(request: HeaderMap) -> Response {
    match &*WRITTEN {
        Ok(written) => conditional::respond(
            &request,
            Document {
                content_type: "application/json",
                cache_control: CACHE_CONTROL,
                entity_tag: &written.json_tag,
                body: Body::from(written.json.as_str()),
            },
        ),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// Answers with the page.
pub(super) async fn page(request: HeaderMap) -> Response {
    let written = match &*WRITTEN {
        Ok(written) => written,
        Err(error) => return ApiError::internal(error).into_response(),
    };
    let mut response = conditional::respond(
        &request,
        Document {
            content_type: "text/html; charset=utf-8",
            cache_control: CACHE_CONTROL,
            entity_tag: &written.page_tag,
            body: Body::from(written.page.as_str()),
        },
    );
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    response
}

/// What went wrong.
#[derive(ToSchema)]
#[schema(as = Error)]
#[expect(dead_code, reason = "a description of what error.rs writes")]
pub(super) struct ErrorBody {
    detail: String,
    /// A word for programs, where there is one: `token_not_valid`, `busy`, `service_unavailable`.
    code: Option<String>,
}

/// What went wrong before anything was tried: `detail`, or lists of what is wrong with each field, or with all together.
#[derive(ToSchema)]
#[schema(as = FieldErrors)]
#[expect(dead_code, reason = "a description of what error.rs writes")]
pub(super) struct FieldErrorsBody {
    /// The body can't be read.
    detail: Option<String>,
    /// The body is no set of fields.
    non_field_errors: Option<Vec<String>>,
    username: Option<Vec<String>>,
    password: Option<Vec<String>>,
    refresh: Option<Vec<String>>,
}

/// What every token endpoint may answer instead of a pair.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description")]
pub(super) enum TokenRefusals {
    /// A field is missing or of no use, or the body can't be read
    #[response(status = 400)]
    Malformed(FieldErrorsBody),
    /// The body is larger than 64 KiB
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The body is neither JSON nor a form
    #[response(status = 415)]
    UnsupportedMediaType(ErrorBody),
    /// The gate lets no more of these through for now; Retry-After says when to come back
    #[response(status = 429)]
    TooMany,
    /// Too many logins at once, or the database is away; Retry-After says when to come back
    #[response(status = 503)]
    Unavailable(ErrorBody),
}
