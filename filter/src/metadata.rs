//! What the native filter writes into dynamic metadata, as JSON: the payload and the header of a token that passed, and why
//! one did not.
//!
//! Apart from the headers because the upstream never sees it. Dynamic metadata can't be written from Wasm; the host puts the
//! entries into filter state, where access logs find them.

use std::borrow::Cow;

use jose::UnverifiedToken;
use jose::json::{Object, Value};
use serde::ser::{Serialize, Serializer};
use serde_json::json;

use crate::refusal::Reason;

/// What stands before a key in the name of the host's property.
pub const METADATA_PREFIX: &str = "gatehouse.metadata.";

/// Under which keys a provider's tokens are noted (`…_in_metadata`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetadataKeys {
    /// The key of the payload.
    pub payload: Option<String>,
    /// The key of the header.
    pub header: Option<String>,
    /// The key of the reason why a token did not pass.
    pub failed_status: Option<String>,
    /// Claims whose text is noted as the list of its words.
    pub space_delimited_claims: Vec<String>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataEntry {
    /// Its key in the configuration.
    pub key: String,
    /// A JSON object.
    pub value: String,
}

impl MetadataKeys {
    /// All keys that can be written.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let keys = [&self.header, &self.payload, &self.failed_status];
        keys.into_iter().flatten().map(String::as_str)
    }

    /// The entries of a token that passed, in the native filter's order: where header and payload have one key, the payload
    /// stays.
    #[must_use]
    pub fn accepted(&self, token: &UnverifiedToken) -> Vec<MetadataEntry> {
        let header = self.header.as_ref().map(|key| MetadataEntry {
            key: key.clone(),
            value: json_text(token.header_unverified().raw()),
        });
        let payload = self.payload.as_ref().map(|key| MetadataEntry {
            key: key.clone(),
            value: json_text(&Noted {
                claims: token.claims_unverified().raw(),
                space_delimited: &self.space_delimited_claims,
            }),
        });
        header.into_iter().chain(payload).collect()
    }

    /// The entry for a token that did not pass, or was not there.
    #[must_use]
    pub fn failed(&self, reason: Reason) -> Option<MetadataEntry> {
        let entry = reason.entry();
        Some(MetadataEntry {
            key: self.failed_status.clone()?,
            value: json!({"code": entry.code, "message": entry.detail}).to_string(),
        })
    }
}

/// Claims as they are noted, in the token's order.
struct Noted<'t> {
    claims: &'t Object,
    space_delimited: &'t [String],
}

impl Noted<'_> {
    /// A text that is to be a list becomes one, unless there is no word in it.
    fn value<'v>(&self, name: &str, value: &'v Value) -> Cow<'v, Value> {
        let is_list = self.space_delimited.iter().any(|known| known == name);
        let text = value.as_str().filter(|_| is_list).unwrap_or_default();
        let words = text.split(' ').filter(|word| !word.is_empty());
        let words: Vec<Value> = words.map(|word| Value::String(word.to_owned())).collect();
        if words.is_empty() {
            Cow::Borrowed(value)
        } else {
            Cow::Owned(Value::Array(words))
        }
    }
}

impl Serialize for Noted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let claims = self.claims.iter();
        serializer.collect_map(claims.map(|(name, value)| (name, self.value(name, value))))
    }
}

/// JSON text. What was read as JSON can be written as such.
fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{segments, test};

    fn keys() -> MetadataKeys {
        MetadataKeys {
            payload: Some("claims".to_owned()),
            header: Some("head".to_owned()),
            failed_status: Some("failure".to_owned()),
            space_delimited_claims: ["scope", "aud", "empty", "gone"].map(str::to_owned).to_vec(),
        }
    }

    fn entries(keys: &MetadataKeys) -> Vec<(String, String)> {
        let payload = br#"{"scope":" read  write","sub":"a b","aud":["x y"],"empty":"  ","exp":9007199254740993,"o":{"scope":"a b"}}"#;
        let token = segments(br#"{"alg":"ES256","kid":"one"}"#, payload, 1);
        let token = UnverifiedToken::parse(token.as_bytes(), 8192).unwrap();
        let entries = keys.accepted(&token).into_iter();
        entries.map(|entry| (entry.key, entry.value)).collect()
    }

    #[test]
    fn header_and_payload_are_noted_and_words_where_that_was_asked_for() {
        let header = r#"{"alg":"ES256","kid":"one"}"#;
        let payload = r#"{"scope":["read","write"],"sub":"a b","aud":["x y"],"empty":"  ","exp":9007199254740993,"o":{"scope":"a b"}}"#;
        let expected = [("head", header), ("claims", payload)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(entries(&keys()), expected);
    }

    #[test]
    fn only_what_has_a_key_is_noted() {
        let none = MetadataKeys::default();
        assert!(entries(&none).is_empty());
        assert_eq!(none.failed(Reason::Expired), None);
        assert_eq!(none.iter().count(), 0);
        assert_eq!(keys().iter().collect::<Vec<_>>(), ["head", "claims", "failure"]);
    }

    #[test]
    fn a_failure_is_noted_with_its_code_and_what_it_means() {
        let entry = keys().failed(Reason::Expired).unwrap();
        assert_eq!(entry.key, "failure");
        assert_eq!(
            entry.value,
            r#"{"code":"token_expired","message":"The token has expired."}"#
        );
    }
}
