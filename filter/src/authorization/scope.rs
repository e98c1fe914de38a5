//! Scopes: words that an issuer grants and a service asks for (RFC 6749, section 3.3).

use std::sync::Arc;

use jose::claims::{SCOPE, SCOPES};
use jose::json::{Object, Value};

/// The scopes that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes {
    all: Vec<String>,
    any: Vec<Vec<String>>,
    needed: Arc<str>,
}

/// A scope is missing; these are asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scope is missing; needed are: {0}")]
pub struct ScopeError(pub Arc<str>);

impl Default for Scopes {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new())
    }
}

impl Scopes {
    /// All of the first, and of each list of the second at least one.
    #[must_use]
    pub fn new(all: Vec<String>, any: Vec<Vec<String>>) -> Self {
        let mut words: Vec<&str> = Vec::new();
        for word in all.iter().chain(any.iter().flatten()) {
            if !words.contains(&word.as_str()) {
                words.push(word);
            }
        }
        let needed = words.join(" ").into();
        Self { all, any, needed }
    }

    /// What both ask for.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::new(
            [self.all.as_slice(), &other.all].concat(),
            [self.any.as_slice(), &other.any].concat(),
        )
    }

    /// Whether a token has them, by whole words.
    pub fn check(&self, claims: &Object) -> Result<(), ScopeError> {
        let granted = granted(claims);
        let has = |wanted: &String| granted.contains(&wanted.as_str());
        if self.all.iter().all(has) && self.any.iter().all(|words| words.iter().any(has)) {
            Ok(())
        } else {
            Err(ScopeError(Arc::clone(&self.needed)))
        }
    }
}

/// The scopes that a token grants: `scope`, or `scp` where there is no `scope`, each as words between blanks or as a list
/// of words. Anything else grants nothing.
fn granted(claims: &Object) -> Vec<&str> {
    let claim = [SCOPE, SCOPES]
        .iter()
        .find_map(|name| claims.get(name).filter(|value| **value != Value::Null));
    match claim {
        Some(Value::String(words)) => words.split(' ').collect(),
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn scopes_are_whole_words_of_either_claim() {
        for (claims, all, any, expected) in [
            (r#"{"scope":"bank.read bank.write"}"#, &["bank.read"][..], &[][..], true),
            (
                r#"{"scope":"bank.read bank.write"}"#,
                &["bank.write", "bank.read"],
                &[],
                true,
            ),
            (r#"{"scope":"bank.read"}"#, &["bank.read", "bank.write"], &[], false),
            (r#"{"scope":"bank.readonly"}"#, &["bank.read"], &[], false),
            (r#"{"scope":"xbank.read"}"#, &["bank.read"], &[], false),
            (r#"{"scope":"Bank.Read"}"#, &["bank.read"], &[], false),
            (r#"{"scope":"bank.read,bank.write"}"#, &["bank.read"], &[], false),
            (r#"{"scope":"bank.read\tbank.write"}"#, &["bank.read"], &[], false),
            (r#"{"scope":"  bank.read  "}"#, &["bank.read"], &[], true),
            (r#"{"scope":["bank.read","bank.write"]}"#, &["bank.write"], &[], true),
            (r#"{"scope":["bank.read bank.write"]}"#, &["bank.write"], &[], false),
            (r#"{"scope":{"bank.read":true}}"#, &["bank.read"], &[], false),
            (r#"{"scope":7}"#, &["7"], &[], false),
            (r#"{"scp":["bank.read",7]}"#, &["bank.read"], &[], true),
            (r#"{"scp":"bank.read bank.write"}"#, &["bank.read"], &[], true),
            (r#"{"scope":null,"scp":["bank.read"]}"#, &["bank.read"], &[], true),
            (r#"{"scope":"other","scp":["bank.read"]}"#, &["bank.read"], &[], false),
            (r#"{"scope":"","scp":["bank.read"]}"#, &["bank.read"], &[], false),
            (r#"{"Scope":"bank.read"}"#, &["bank.read"], &[], false),
            (r"{}", &["bank.read"], &[], false),
            (r"{}", &[], &[], true),
            (r#"{"scope":"b"}"#, &[], &["a", "b"], true),
            (r#"{"scope":"c"}"#, &[], &["a", "b"], false),
            (r#"{"scope":"b c"}"#, &["c"], &["a", "b"], true),
            (r#"{"scope":"b"}"#, &["c"], &["a", "b"], false),
        ] {
            let document = jose::json::parse(claims.as_bytes()).unwrap();
            let any = if any.is_empty() { vec![] } else { vec![words(any)] };
            let scopes = Scopes::new(words(all), any);
            assert_eq!(
                scopes.check(document.as_object().unwrap()).is_ok(),
                expected,
                "{claims} {scopes:?}"
            );
        }
    }

    #[test]
    fn all_scopes_that_are_needed_are_named_once() {
        let service = Scopes::new(words(&["bank.read"]), vec![]);
        let rule = Scopes::new(words(&["bank.write", "bank.read"]), vec![words(&["a", "b"])]);
        let both = service.and(&rule);
        let error = both.check(&Object::default()).unwrap_err();
        assert_eq!(&*error.0, "bank.read bank.write a b");
    }
}
