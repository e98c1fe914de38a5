//! Named fields from a request's body, as Django REST framework reads them: JSON, URL-encoded forms and multipart forms
//! alike, with the same messages for what is missing or of no use.

use std::collections::HashMap;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Multipart, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use serde_json::Value;

use super::error::{ApiError, FieldErrors};

/// The fields of a body. A field that stands there twice counts with its last value. Without `Debug`: there are
/// passwords among them.
#[derive(Default)]
pub(super) struct Fields(HashMap<String, Field>);

enum Field {
    Text(String),
    Null,
    /// A boolean, a list, an object or a file.
    NoText,
}

/// What is wrong with one field.
type FieldError = &'static str;

impl Fields {
    /// A field that must be there and must not be blank; untouched, white space and all.
    pub(super) fn required(&self, name: &str) -> Result<&str, FieldError> {
        match self.0.get(name) {
            None => Err("This field is required."),
            Some(Field::Null) => Err("This field may not be null."),
            Some(Field::NoText) => Err("Not a valid string."),
            Some(Field::Text(text)) if text.trim().is_empty() => Err("This field may not be blank."),
            Some(Field::Text(text)) if text.contains('\0') => Err("Null characters are not allowed."),
            Some(Field::Text(text)) => Ok(text),
        }
    }

    /// Several required fields, or the errors of all of them.
    pub(super) fn all_required<const N: usize>(&self, names: [&'static str; N]) -> Result<[&str; N], ApiError> {
        let mut texts = [""; N];
        let mut errors = Vec::new();
        for (slot, name) in texts.iter_mut().zip(names) {
            match self.required(name) {
                Ok(text) => *slot = text,
                Err(message) => errors.push((name, message)),
            }
        }
        if errors.is_empty() {
            Ok(texts)
        } else {
            Err(ApiError::Fields(FieldErrors(errors)))
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        // No body needs no type.
        if body.is_empty() {
            return Ok(Self::default());
        }
        match media_type(&headers).as_str() {
            "application/json" => from_json(&body),
            "application/x-www-form-urlencoded" => Ok(from_form(&body)),
            "multipart/form-data" => from_multipart(headers, body, state).await,
            other => Err(ApiError::UnsupportedMediaType(well_known(other))),
        }
    }
}

fn unreadable(rejection: BytesRejection) -> ApiError {
    if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::TooLarge
    } else {
        ApiError::Unreadable("The request body could not be read.".to_owned())
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The name of a media type that may stand in an answer: one from a list, never the client's own words.
fn well_known(name: &str) -> Option<&'static str> {
    [
        "",
        "text/plain",
        "text/html",
        "text/xml",
        "application/xml",
        "application/jwt",
        "application/octet-stream",
        "application/vnd.api+json",
        "application/merge-patch+json",
    ]
    .into_iter()
    .find(|known| *known == name)
}

fn from_json(body: &[u8]) -> Result<Fields, ApiError> {
    let kind = match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => {
            return Ok(Fields(
                object.into_iter().map(|(name, value)| (name, field(value))).collect(),
            ));
        }
        Ok(Value::Null) => return Err(ApiError::NotFields("No data provided")),
        Ok(Value::Array(_)) => "Invalid data. Expected a dictionary, but got list.",
        Ok(Value::String(_)) => "Invalid data. Expected a dictionary, but got str.",
        Ok(Value::Bool(_)) => "Invalid data. Expected a dictionary, but got bool.",
        Ok(Value::Number(number)) if number.is_f64() => "Invalid data. Expected a dictionary, but got float.",
        Ok(Value::Number(_)) => "Invalid data. Expected a dictionary, but got int.",
        // The parser's words name a place and a kind of mistake, nothing of the text.
        Err(error) => return Err(ApiError::Unreadable(format!("JSON parse error - {error}"))),
    };
    Err(ApiError::NotFields(kind))
}

fn field(value: Value) -> Field {
    match value {
        Value::String(text) => Field::Text(text),
        // As in Django REST framework, a number is the text that it is written as.
        Value::Number(number) => Field::Text(number.to_string()),
        Value::Null => Field::Null,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Field::NoText,
    }
}

fn from_form(body: &[u8]) -> Fields {
    let pairs = form_urlencoded::parse(body);
    Fields(
        pairs
            .map(|(name, value)| (name.into_owned(), Field::Text(value.into_owned())))
            .collect(),
    )
}

async fn from_multipart<S: Send + Sync>(headers: HeaderMap, body: Bytes, state: &S) -> Result<Fields, ApiError> {
    let malformed = || ApiError::Unreadable("Multipart form parse error".to_owned());
    let mut request = Request::new(Body::from(body));
    *request.headers_mut() = headers;
    let mut parts = Multipart::from_request(request, state).await.map_err(|_| malformed())?;
    let mut fields = Fields::default();
    while let Some(part) = parts.next_field().await.map_err(|_| malformed())? {
        let Some(name) = part.name().map(str::to_owned) else {
            continue;
        };
        let field = if part.file_name().is_some() {
            Field::NoText
        } else {
            let bytes = part.bytes().await.map_err(|_| malformed())?;
            Field::Text(String::from_utf8_lossy(&bytes).into_owned())
        };
        fields.0.insert(name, field);
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn judged(fields: &Fields) -> Result<String, FieldError> {
        fields.required("f").map(str::to_owned)
    }

    #[test]
    fn a_json_field_is_judged_as_django_rest_framework_does() {
        for (json, expected) in [
            (r#"{"f":"text"}"#, Ok("text")),
            (r#"{"f":" text "}"#, Ok(" text ")),
            (r#"{"f":1}"#, Ok("1")),
            (r#"{"f":2.5}"#, Ok("2.5")),
            (r#"{"f":"first","f":"last"}"#, Ok("last")),
            ("{}", Err("This field is required.")),
            (r#"{"F":"text"}"#, Err("This field is required.")),
            (r#"{"f":null}"#, Err("This field may not be null.")),
            (r#"{"f":true}"#, Err("Not a valid string.")),
            (r#"{"f":[]}"#, Err("Not a valid string.")),
            (r#"{"f":{"g":1}}"#, Err("Not a valid string.")),
            (r#"{"f":""}"#, Err("This field may not be blank.")),
            (r#"{"f":"  \u2003"}"#, Err("This field may not be blank.")),
            (r#"{"f":"a\u0000"}"#, Err("Null characters are not allowed.")),
        ] {
            assert_eq!(
                judged(&from_json(json.as_bytes()).unwrap()),
                expected.map(str::to_owned),
                "{json}"
            );
        }
    }

    #[test]
    fn a_form_field_is_decoded_and_the_last_one_counts() {
        for (form, expected) in [
            ("f=text", Ok("text")),
            ("f=a+b%2Bc", Ok("a b+c")),
            ("f=first&f=last", Ok("last")),
            ("f=%zz", Ok("%zz")),
            ("f=%ff", Ok("\u{fffd}")),
            ("f", Err("This field may not be blank.")),
            ("f=%00", Err("Null characters are not allowed.")),
            ("g=1", Err("This field is required.")),
        ] {
            assert_eq!(
                judged(&from_form(form.as_bytes())),
                expected.map(str::to_owned),
                "{form}"
            );
        }
    }

    #[test]
    fn json_that_is_no_object_is_named_by_its_python_type() {
        for (json, kind) in [
            ("[1]", "list"),
            ("\"x\"", "str"),
            ("1", "int"),
            ("1.5", "float"),
            ("false", "bool"),
            ("-7", "int"),
        ] {
            let Err(ApiError::NotFields(message)) = from_json(json.as_bytes()) else {
                panic!("{json}")
            };
            assert_eq!(
                message,
                format!("Invalid data. Expected a dictionary, but got {kind}."),
                "{json}"
            );
        }
        assert!(matches!(
            from_json(b"null"),
            Err(ApiError::NotFields("No data provided"))
        ));
    }

    #[test]
    fn broken_json_is_refused_without_being_repeated() {
        let deep = "[".repeat(100_000);
        for json in [
            &b"{secret"[..],
            b"{\"f\":\"secret",
            b"{\"f\":\"a\"} secret",
            b"{\"f\":secret}",
            b"\xef\xbb\xbf{\"f\":\"secret\"}",
            b"{\"f\":\"\xff\"}",
            b"{\"f\":\"\\ud800\"}",
            b"{\"f\":NaN}",
            deep.as_bytes(),
        ] {
            let Err(ApiError::Unreadable(message)) = from_json(json) else {
                panic!("{json:?}")
            };
            assert!(
                message.starts_with("JSON parse error - ") && !message.contains("secret"),
                "{message}"
            );
        }
    }
}
