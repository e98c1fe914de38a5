//! Documents that change seldom: served with an entity tag, and answered with 304 to whoever has them already
//! (RFC 9110 §8.8.3, §13.1.2).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::error::ApiError;

/// What is served.
pub(super) struct Document<'a> {
    pub(super) content_type: &'static str,
    pub(super) cache_control: &'static str,
    /// With its quotes.
    pub(super) entity_tag: &'a str,
    pub(super) body: Body,
}

/// Answers with the document, or with 304 if the client's copy is the same.
pub(super) fn respond(request: &HeaderMap, document: Document<'_>) -> Response {
    let Ok(entity_tag) = HeaderValue::from_str(document.entity_tag) else {
        return ApiError::internal("an entity tag is no header value").into_response();
    };
    let headers = [
        (header::ETAG, entity_tag),
        (header::CACHE_CONTROL, HeaderValue::from_static(document.cache_control)),
    ];
    if holds_copy(request, document.entity_tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, document.content_type)], document.body).into_response()
}

/// Whether `If-None-Match` names the tag. Weak comparison, as RFC 9110 §13.1.2 asks for.
fn holds_copy(request: &HeaderMap, entity_tag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == entity_tag)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_copy_is_recognised_in_every_form_that_the_header_may_take() {
        for (values, held) in [
            (&[][..], false),
            (&["\"a\""], true),
            (&["W/\"a\""], true),
            (&["\"b\", \"a\""], true),
            (&["\"b\"", "\"a\""], true),
            (&["*"], true),
            (&["\"b\""], false),
            (&["a"], false),
            (&["\"A\""], false),
            (&[""], false),
        ] {
            let mut request = HeaderMap::new();
            for value in values {
                request.append(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(holds_copy(&request, "\"a\""), held, "{values:?}");
        }
    }
}
