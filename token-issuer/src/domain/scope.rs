//! A user's scope: the set of rights that goes into the `scope` claim (RFC 6749 §3.3, RFC 9068 §2.2.3).

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Scope tokens in the order in which they were given, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope(Vec<String>);

/// Why a text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum ScopeError {
    /// A character that RFC 6749 §3.3 does not allow.
    #[error("a scope consists of visible ASCII characters except \" and \\, with single words parted by spaces")]
    Character,
    /// More than a token should carry.
    #[error("a scope must not be longer than 1024 characters")]
    TooLong,
}

const LONGEST: usize = 1024;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err(ScopeError::TooLong);
        }
        let mut words: Vec<String> = Vec::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            if !word
                .bytes()
                .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
            {
                return Err(ScopeError::Character);
            }
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        Ok(Self(words))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_scope_keeps_its_order_and_each_word_once() {
        for (text, expected) in [
            ("", ""),
            ("bank.read", "bank.read"),
            ("b a", "b a"),
            (" bank.read  bank.write bank.read ", "bank.read bank.write"),
            ("urn:x:y!#$%", "urn:x:y!#$%"),
        ] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn characters_outside_the_grammar_are_refused() {
        for text in ["a\"b", "a\\b", "a\tb", "a\nb", "ä", "a\u{0}b", "a\u{7f}"] {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError::Character), "{text:?}");
        }
        assert_eq!("a ".repeat(600).parse::<Scope>(), Err(ScopeError::TooLong));
    }
}
