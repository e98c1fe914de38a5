//! The words that a payer or a requester writes for the other side.

use thiserror::Error;

/// As many characters as a SEPA transfer takes.
const MAX_CHARACTERS: usize = 140;

/// A line of text for the other side: not empty, no control characters, at most 140 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference(String);

/// Why a text is not a reference.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum ReferenceError {
    /// Nothing but white space.
    #[error("must not be empty: leave the field out when there is nothing to say")]
    Empty,
    /// More than 140 characters.
    #[error("must be at most {MAX_CHARACTERS} characters long")]
    TooLong,
    /// A line break, NUL or another control character.
    #[error("must be one line without control characters")]
    ControlCharacter,
}

impl Reference {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Reference {
    type Error = ReferenceError;

    fn try_from(text: &str) -> Result<Self, ReferenceError> {
        if text.trim().is_empty() {
            Err(ReferenceError::Empty)
        } else if text.chars().any(char::is_control) {
            Err(ReferenceError::ControlCharacter)
        } else if text.chars().count() > MAX_CHARACTERS {
            Err(ReferenceError::TooLong)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_one_line_of_reasonable_length() {
        let longest = "ä".repeat(140);
        let too_long = "a".repeat(141);
        for (text, expected) in [
            ("Rent for May", Ok(())),
            (longest.as_str(), Ok(())),
            ("", Err(ReferenceError::Empty)),
            ("   ", Err(ReferenceError::Empty)),
            (too_long.as_str(), Err(ReferenceError::TooLong)),
            ("a\nb", Err(ReferenceError::ControlCharacter)),
            ("a\0b", Err(ReferenceError::ControlCharacter)),
            ("a\u{85}b", Err(ReferenceError::ControlCharacter)),
        ] {
            assert_eq!(Reference::try_from(text).map(|_| ()), expected, "{text:?}");
        }
    }
}
