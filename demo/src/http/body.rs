//! JSON bodies, read field by field, so that one answer names everything that is wrong.
//!
//! A derived `Deserialize` would stop at the first mistake and speak of Rust's types.

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::problem::{Fault, Problem};
use super::{AppState, MAX_BODY_BYTES};
use crate::domain::id::{AccountId, UserId};
use crate::domain::money::{Amount, Currency};
use crate::domain::reference::Reference;

/// The members of a JSON object, taken out one after the other.
#[derive(Debug)]
pub(super) struct Fields {
    members: Vec<(String, Value)>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

/// A body that may be left out altogether.
pub(super) struct OptionalFields(pub(super) Fields);

impl FromRequest<AppState> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (is_json, body) = read(request, state).await?;
        if is_json { Self::parse(&body) } else { Err(not_json()) }
    }
}

impl FromRequest<AppState> for OptionalFields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (is_json, body) = read(request, state).await?;
        if body.is_empty() {
            return Ok(Self(Fields::new(Vec::new())));
        }
        if is_json {
            Fields::parse(&body).map(Self)
        } else {
            Err(not_json())
        }
    }
}

async fn read(request: Request, state: &AppState) -> Result<(bool, Bytes), Problem> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| names_json(value.as_bytes()));
    let body = Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = format!("The body is larger than {MAX_BODY_BYTES} bytes.");
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "Body too large",
                detail,
            )
        } else {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "incomplete_body",
                "Incomplete body",
                "The body did not arrive whole.",
            )
        }
    })?;
    Ok((is_json, body))
}

/// Whether a media type is JSON. Parameters don't matter: JSON has none (RFC 8259, section 11).
fn names_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Unsupported media type",
        "Send JSON, and say so: Content-Type: application/json.",
    )
}

impl Fields {
    fn new(members: Vec<(String, Value)>) -> Self {
        Self {
            members,
            known: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Parses a body that has to be one JSON object with each member once.
    fn parse(body: &[u8]) -> Result<Self, Problem> {
        match serde_json::from_slice::<Members>(body) {
            Ok(Members(members)) => Ok(Self::new(members)),
            Err(error) => {
                // Our own words are passed on; the parser's may repeat the input, so of those only the place is.
                let what = if error.is_data() {
                    "is not an object that names each field once"
                } else {
                    "is not JSON"
                };
                let detail = format!("The body {what} (line {}, column {}).", error.line(), error.column());
                Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    "invalid_json",
                    "Invalid JSON",
                    detail,
                ))
            }
        }
    }

    /// Takes a field that has to be there. A wrong one is noted, for [`Fields::finish`] to tell.
    pub(super) fn required<T>(&mut self, name: &'static str, read: impl Fn(&Value) -> Result<T, String>) -> Option<T> {
        let value = self.take(name);
        if value.is_none() {
            self.faults.push(Fault::member(name, "is required"));
        }
        self.read(name, value.as_ref(), read)
    }

    /// Takes a field that may be absent or null.
    pub(super) fn optional<T>(&mut self, name: &'static str, read: impl Fn(&Value) -> Result<T, String>) -> Option<T> {
        let value = self.take(name).filter(|value| !value.is_null());
        self.read(name, value.as_ref(), read)
    }

    /// Notes something that is wrong between two fields.
    pub(super) fn fault(&mut self, name: &'static str, detail: impl Into<String>) {
        self.faults.push(Fault::member(name, detail));
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        let index = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.remove(index).1)
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        value: Option<&Value>,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        match value.map(read)? {
            Ok(read) => Some(read),
            Err(detail) => {
                self.faults.push(Fault::member(name, detail));
                None
            }
        }
    }

    /// Refuses everything that was wrong and every field that nobody asked for; else makes the whole of its parts.
    pub(super) fn finish<T>(mut self, whole: Option<T>) -> Result<T, Problem> {
        for (name, _) in &self.members {
            let known = self.known.join(", ");
            // A name of any length would come back; the first characters are enough to find it.
            let name: String = name.chars().take(40).collect();
            self.faults.push(Fault::member(
                &name,
                format!("is not known here; the fields are {known}"),
            ));
        }
        match whole {
            Some(whole) if self.faults.is_empty() => Ok(whole),
            _ => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_fields",
                "Invalid fields",
                "The body is JSON, but some of its fields are wrong; nothing was done. \"errors\" lists them.",
            )
            .with_faults(self.faults)),
        }
    }
}

/// Reads an amount: a JSON integer, never a string or a fraction.
pub(super) fn amount(value: &Value) -> Result<Amount, String> {
    let wrong = "must be a whole number of minor units, such as 1250 for 12.50 EUR";
    let Value::Number(number) = value else {
        return Err(wrong.to_owned());
    };
    match (number.as_i64(), number.as_u64()) {
        (Some(minor_units), _) => Amount::try_from(minor_units).map_err(|error| error.to_string()),
        // Beyond i64, and an integer still.
        (None, Some(_)) => Amount::try_from(i64::MAX).map_err(|error| error.to_string()),
        (None, None) => Err(wrong.to_owned()),
    }
}

/// Reads an account's identifier.
pub(super) fn account(value: &Value) -> Result<AccountId, String> {
    identifier(value, AccountId::parse)
}

/// Reads a user's identifier.
pub(super) fn user(value: &Value) -> Result<UserId, String> {
    identifier(value, UserId::parse)
}

fn identifier<T>(value: &Value, parse: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    value
        .as_str()
        .and_then(parse)
        .ok_or_else(|| "must be a UUID, such as \"0190163d-8694-739b-aea5-966c26f8ad91\"".to_owned())
}

/// Reads a currency.
pub(super) fn currency(value: &Value) -> Result<Currency, String> {
    Currency::try_from(value.as_str().unwrap_or_default()).map_err(|error| error.to_string())
}

/// Reads a reference.
pub(super) fn reference(value: &Value) -> Result<Reference, String> {
    let text = value.as_str().ok_or("must be text")?;
    Reference::try_from(text).map_err(|error| error.to_string())
}

/// The members in their order. A name that comes twice is refused: readers don't agree which one counts.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.iter().any(|(earlier, _)| *earlier == name) {
                        return Err(A::Error::custom("a field stands there twice"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn only_json_is_json() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/json ;", true),
            ("text/plain", false),
            ("application/jsonp", false),
            ("application/problem+json", false),
            ("", false),
        ] {
            assert_eq!(names_json(content_type.as_bytes()), expected, "{content_type}");
        }
    }

    #[test]
    fn a_body_is_one_object_with_each_field_once() {
        for (body, accepted) in [
            (r"{}", true),
            (r#"{"a": 1, "b": 2}"#, true),
            (r#"{"a": 1, "a": 1}"#, false),
            (r#"{"a": 1, "\u0061": 2}"#, false),
            (r"[]", false),
            (r"null", false),
            (r#""a""#, false),
            (r"", false),
            (r"{", false),
            (r"{} {}", false),
            (r#"{"a": NaN}"#, false),
            ("\u{feff}{}", false),
        ] {
            let problem = Fields::parse(body.as_bytes()).err().map(|problem| problem.code);
            assert_eq!(problem, (!accepted).then_some("invalid_json"), "{body}");
        }
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(
            Fields::parse(deep.as_bytes()).is_err(),
            "a deep document is refused, not a stack overflow"
        );
        assert!(Fields::parse(b"{\"a\": \"\xff\"}").is_err(), "not UTF-8");
    }

    #[test]
    fn an_amount_is_a_json_integer() {
        for (value, accepted) in [
            (json!(1), true),
            (json!(9_007_199_254_740_991_i64), true),
            (json!(9_007_199_254_740_992_i64), false),
            (json!(u64::MAX), false),
            (json!(0), false),
            (json!(-5), false),
            (json!(1.0), false),
            (json!(1.5), false),
            (json!("1"), false),
            (json!(null), false),
            (json!(true), false),
            (json!([1]), false),
            (serde_json::from_str("1e3").unwrap(), false),
            (serde_json::from_str("-0").unwrap(), false),
            (serde_json::from_str("99999999999999999999999999").unwrap(), false),
        ] {
            assert_eq!(amount(&value).is_ok(), accepted, "{value}");
        }
    }
}
