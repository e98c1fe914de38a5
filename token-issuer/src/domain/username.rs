//! How people are called when they log in. Names are folded by NFKC, as Django folds them: `ａｌｉｃｅ` in full-width letters
//! is `alice`, so no second account looks like the first. Case is kept and counts.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// A normalised name: 1 to 150 letters, digits and `@ . + - _`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Username(String);

/// Why a text is no username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum UsernameError {
    /// Nothing but white space.
    #[error("a username must not be empty")]
    Empty,
    /// Longer than Django allows.
    #[error("a username must not be longer than 150 characters")]
    TooLong,
    /// A character that has no place in a name.
    #[error("a username consists of letters, digits and the characters @ . + - _")]
    Character,
}

const LONGEST: usize = 150;

impl Username {
    /// Trims, normalises and checks a name.
    pub(crate) fn parse(text: &str) -> Result<Self, UsernameError> {
        // Before normalising, because NFKC can make one character into eighteen.
        if text.trim().chars().count() > LONGEST {
            return Err(UsernameError::TooLong);
        }
        let name: String = text.trim().nfkc().collect();
        match name.chars().count() {
            0 => Err(UsernameError::Empty),
            count if count > LONGEST => Err(UsernameError::TooLong),
            _ if name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '@' | '.' | '+' | '-' | '_')) =>
            {
                Ok(Self(name))
            }
            _ => Err(UsernameError::Character),
        }
    }

    /// The normalised text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_that_look_alike_become_one() {
        for (text, expected) in [
            ("alice", "alice"),
            ("  alice\n", "alice"),
            ("ａｌｉｃｅ", "alice"),
            ("Alice", "Alice"),
            ("a.l-i_c+e@example.org", "a.l-i_c+e@example.org"),
            ("zoe\u{308}", "zo\u{eb}"),
            ("ﬁona", "fiona"),
            ("李", "李"),
        ] {
            assert_eq!(Username::parse(text).unwrap().as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (text, error) in [
            ("", UsernameError::Empty),
            (" \t", UsernameError::Empty),
            ("al ice", UsernameError::Character),
            ("alice\u{0}", UsernameError::Character),
            ("al\u{200b}ice", UsernameError::Character),
            ("al\u{202e}ice", UsernameError::Character),
            ("alice;drop", UsernameError::Character),
            ("alice\r\nx: y", UsernameError::Character),
        ] {
            assert_eq!(Username::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(Username::parse(&"a".repeat(151)), Err(UsernameError::TooLong));
        assert_eq!(Username::parse(&"\u{fdfa}".repeat(9)), Err(UsernameError::TooLong));
        assert!(Username::parse(&"a".repeat(150)).is_ok());
    }
}
