//! Claims as headers.
//!
//! A claim is whatever the issuer signed; a header value is visible ASCII on one line. What lies between is decided here,
//! so that two claims that differ never look the same to an upstream.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jose::json::{Number, Object, Value};

use crate::service::percent_encoded;

/// Where a claim stands: its name, or the names on the way to it through nested objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// A path of these names. Names may contain dots.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The path that a `claim_name` of Envoy's means: dots separate the names.
    #[must_use]
    pub fn dotted(name: &str) -> Self {
        Self(name.split('.').map(str::to_owned).collect())
    }

    /// The claim, if it is there.
    #[must_use]
    pub fn find<'c>(&self, claims: &'c Object) -> Option<&'c Value> {
        let (last, way) = self.0.split_last()?;
        way.iter()
            .try_fold(claims, |object, name| object.get(name)?.as_object())?
            .get(last)
    }
}

/// One entry of a provider's `claim_to_headers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimHeader {
    /// The header that carries the claim.
    pub name: String,
    /// The claim.
    pub claim: ClaimPath,
}

/// A claim holds control characters, which no header can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a claim that becomes a header holds control characters")]
pub struct UnusableClaim;

impl ClaimHeader {
    /// The header's value; none for a claim that is absent, null or empty.
    pub fn value(&self, claims: &Object) -> Result<Option<Vec<u8>>, UnusableClaim> {
        let text = plain_text(self.claim.find(claims))?;
        text.map(|text| header_text(&text)).transpose()
    }
}

/// A claim as text, before it becomes a header; none for one that is absent, null or empty.
pub(super) fn plain_text(claim: Option<&Value>) -> Result<Option<String>, UnusableClaim> {
    Ok(match claim {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) if text.bytes().any(|byte| byte.is_ascii_control()) => return Err(UnusableClaim),
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Bool(flag)) => Some(flag.to_string()),
        Some(Value::Number(number)) => Some(number_text(*number)),
        Some(composite @ (Value::Array(_) | Value::Object(_))) => {
            let json = serde_json::to_vec(composite).map_err(|_| UnusableClaim)?;
            Some(STANDARD.encode(json))
        }
    })
}

/// The beginning of an encoded value (RFC 8187, section 3.2.1).
const ENCODED: &str = "UTF-8''";

/// ASCII goes as it is. What a header would lose or mangle (other characters, blanks at the ends) is encoded as RFC 8187
/// has it; so is text that only looks encoded, lest it be taken for somebody else's. Control characters are refused.
pub fn header_text(text: &str) -> Result<Vec<u8>, UnusableClaim> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(UnusableClaim);
    }
    if text.is_ascii() && text.trim_ascii() == text && !text.starts_with(ENCODED) {
        return Ok(text.as_bytes().to_vec());
    }
    let mut value = ENCODED.to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            value.extend(percent_encoded(byte));
        }
    }
    Ok(value.into_bytes())
}

/// Whole non-negative numbers below 2^64 as integers, all others with six decimals, as the native filter writes them. Integers keep
/// all their digits: the native filter sends them through a double, and two users' numbers may become one.
fn number_text(number: Number) -> String {
    const TWO_TO_THE_64: f64 = 18_446_744_073_709_551_616.0;
    match number {
        Number::Unsigned(whole) => whole.to_string(),
        Number::Negative(whole) => format!("{whole}.000000"),
        // Of the two zeros, only one has no sign.
        Number::Float(float) if (0.0..TWO_TO_THE_64).contains(&float) && float.fract() == 0.0 => {
            format!("{:.0}", float.abs())
        }
        Number::Float(float) => format!("{float:.6}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    fn value(claim: &str, claims: &str) -> Result<Option<String>, UnusableClaim> {
        let claims = jose::json::parse(claims.as_bytes()).unwrap();
        let header = ClaimHeader {
            name: "x-claim".to_owned(),
            claim: ClaimPath::dotted(claim),
        };
        let value = header.value(claims.as_object().unwrap())?;
        Ok(value.map(|bytes| String::from_utf8(bytes).unwrap()))
    }

    #[test]
    fn every_kind_of_claim_has_one_form_as_a_header() {
        for (json, expected) in [
            (r#""alice""#, Some("alice")),
            (r#""a, b; c=\"d\"""#, Some("a, b; c=\"d\"")),
            (r#""""#, None),
            ("null", None),
            ("true", Some("true")),
            ("false", Some("false")),
            ("0", Some("0")),
            ("-0", Some("0")),
            ("42", Some("42")),
            ("9007199254740993", Some("9007199254740993")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("1e3", Some("1000")),
            ("1e19", Some("10000000000000000000")),
            ("1e20", Some("100000000000000000000.000000")),
            ("18446744073709551616", Some("18446744073709551616.000000")),
            ("2.0", Some("2")),
            ("1.5", Some("1.500000")),
            ("-5", Some("-5.000000")),
            ("-5.25", Some("-5.250000")),
            (r#"["a","b"]"#, Some("WyJhIiwiYiJd")),
            (r#"{"a":1}"#, Some("eyJhIjoxfQ==")),
            ("[]", Some("W10=")),
            (r#""José""#, Some("UTF-8''Jos%C3%A9")),
            (r#"" alice""#, Some("UTF-8''%20alice")),
            (r#""alice ""#, Some("UTF-8''alice%20")),
            (r#""UTF-8''Jos%C3%A9""#, Some("UTF-8''UTF-8%27%27Jos%25C3%25A9")),
            (r#""100%25""#, Some("100%25")),
        ] {
            assert_eq!(
                value("c", &format!(r#"{{"c":{json}}}"#)).unwrap().as_deref(),
                expected,
                "{json}"
            );
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for json in [
            r#""a\r\nx-admin: 1""#,
            r#""a\nb""#,
            r#""a\rb""#,
            r#""\u0000""#,
            r#""a\tb""#,
            r#""\u007f""#,
        ] {
            assert_eq!(value("c", &format!(r#"{{"c":{json}}}"#)), Err(UnusableClaim), "{json}");
        }
        assert_eq!(
            value("c", r#"{"c":["\r\n"]}"#).unwrap().as_deref(),
            Some("WyJcclxuIl0=")
        );
    }

    #[test]
    fn nested_claims_are_found_by_their_path_only() {
        let claims = r#"{"a":{"b":{"c":"deep"}},"a.b":"dotted","s":"text"}"#;
        for (claim, expected) in [
            ("a.b.c", Some("deep")),
            ("a.b.x", None),
            ("s.x", None),
            ("x.b", None),
            ("s", Some("text")),
        ] {
            assert_eq!(value(claim, claims).unwrap().as_deref(), expected, "{claim}");
        }
        let header = ClaimHeader {
            name: "x-claim".to_owned(),
            claim: ClaimPath::new(vec!["a.b".to_owned()]),
        };
        let claims = jose::json::parse(claims.as_bytes()).unwrap();
        assert_eq!(header.value(claims.as_object().unwrap()), Ok(Some(b"dotted".to_vec())));
    }
}
