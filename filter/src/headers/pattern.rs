//! Patterns of header names, for what is taken out of requests and answers.

use super::FoldedName;

/// A header name, or a pattern in which each `*` stands for any characters, also for none. Names are compared folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    /// What stands between the stars; a name without any is one part.
    parts: Vec<FoldedName>,
}

impl NamePattern {
    /// A pattern, as it is written.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_ascii_lowercase(),
            parts: text.split('*').map(|part| FoldedName::new(part.as_bytes())).collect(),
        }
    }

    /// The name, if there is only one that it could mean.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        (self.parts.len() == 1).then_some(&self.text)
    }

    /// Whether a name, as it was sent, is meant.
    #[must_use]
    pub fn matches(&self, name: &[u8]) -> bool {
        let Some((first, others)) = self.parts.split_first() else {
            return false;
        };
        let Some((last, middle)) = others.split_last() else {
            return first.matches(name);
        };
        let Some(mut rest) = first.strip_from(name) else {
            return false;
        };
        for part in middle {
            // The leftmost place leaves the most to the parts that follow.
            let after = (0..=rest.len()).find_map(|start| part.strip_from(rest.get(start..)?));
            let Some(after) = after else { return false };
            rest = after;
        }
        last.is_suffix_of(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_star_stands_for_anything_and_spelling_does_not_count() {
        for (pattern, name, expected) in [
            ("x-debug", "X_Debug", true),
            ("x-debug", "x-debug-2", false),
            ("x-internal-*", "x-internal-a", true),
            ("x-internal-*", "X.Internal_", true),
            ("x-internal-*", "x-internal", false),
            ("*-secret", "x_secret", true),
            ("*-secret", "-secret", true),
            ("*-secret", "secret", false),
            ("*-secret", "x-secret-1", false),
            ("*debug*", "x-debug-1", true),
            ("*debug*", "DEBUG", true),
            ("*debug*", "x-debu", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "ac", false),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("ab*ba", "aba", false),
            ("x**y", "x-y", true),
        ] {
            assert_eq!(
                NamePattern::new(pattern).matches(name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
        assert_eq!(NamePattern::new("X-Debug").exact(), Some("x-debug"));
        assert_eq!(NamePattern::new("x-*").exact(), None);
    }
}
