//! Text matched by patterns: Envoy's `StringMatcher`, its regular expressions and its templates of paths.
//!
//! Apart from the rooms that use it (rules, subjects) because one meaning must hold in all of them: on bytes, over the whole
//! text, and where a pattern could mean something else to RE2, which Envoy uses, it is refused.

mod pattern;
mod template;

pub use pattern::{Pattern, PatternError};
pub use template::{PathTemplate, TemplateError};

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// They do: the default.
    Sensitive,
    /// They don't, for ASCII letters (`case_sensitive: false`, `ignore_case: true`).
    Insensitive,
}

impl Case {
    /// Whether two texts are equal.
    #[must_use]
    pub fn equal(self, one: &[u8], other: &[u8]) -> bool {
        match self {
            Self::Sensitive => one == other,
            Self::Insensitive => one.eq_ignore_ascii_case(other),
        }
    }
}

/// What a text is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPattern {
    /// The text is this.
    Exact(String),
    /// The text begins so.
    Prefix(String),
    /// The text ends so.
    Suffix(String),
    /// The text holds this.
    Contains(String),
    /// The whole text matches this. The case is the expression's own matter.
    Regex(Pattern),
}

/// A `StringMatcher`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMatch {
    /// What is compared with.
    pub pattern: TextPattern,
    /// How.
    pub case: Case,
}

impl TextMatch {
    /// Whether it matches.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        let equal =
            |part: Option<&[u8]>, wanted: &str| part.is_some_and(|part| self.case.equal(part, wanted.as_bytes()));
        match &self.pattern {
            TextPattern::Exact(wanted) => equal(Some(text), wanted),
            TextPattern::Prefix(wanted) => equal(text.get(..wanted.len()), wanted),
            TextPattern::Suffix(wanted) => {
                let start = text.len().checked_sub(wanted.len());
                equal(start.and_then(|start| text.get(start..)), wanted)
            }
            TextPattern::Contains(wanted) => {
                wanted.is_empty() || text.windows(wanted.len()).any(|part| equal(Some(part), wanted))
            }
            TextPattern::Regex(pattern) => pattern.matches(text),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    #[test]
    fn texts_match_as_envoy_s_string_matcher_has_it() {
        use Case::{Insensitive, Sensitive};
        let exact = |text: &str| TextPattern::Exact(text.to_owned());
        let prefix = |text: &str| TextPattern::Prefix(text.to_owned());
        let suffix = |text: &str| TextPattern::Suffix(text.to_owned());
        let contains = |text: &str| TextPattern::Contains(text.to_owned());
        let regex = |text: &str| TextPattern::Regex(Pattern::new(text).unwrap());
        for (pattern, case, text, expected) in [
            (exact("ab"), Sensitive, "ab", true),
            (exact("ab"), Sensitive, "Ab", false),
            (exact("ab"), Insensitive, "Ab", true),
            (exact("ab"), Sensitive, "abc", false),
            (exact(""), Sensitive, "", true),
            (prefix("ab"), Sensitive, "abc", true),
            (prefix("ab"), Sensitive, "a", false),
            (prefix("ab"), Insensitive, "AB", true),
            (prefix(""), Sensitive, "", true),
            (suffix("bc"), Sensitive, "abc", true),
            (suffix("bc"), Sensitive, "c", false),
            (suffix("bc"), Sensitive, "bca", false),
            (suffix("bc"), Insensitive, "aBC", true),
            (contains("b"), Sensitive, "abc", true),
            (contains("B"), Sensitive, "abc", false),
            (contains("B"), Insensitive, "abc", true),
            (contains("abcd"), Sensitive, "abc", false),
            (regex("a.*"), Sensitive, "abc", true),
            (regex("b"), Sensitive, "abc", false),
            (regex("A.*"), Insensitive, "abc", false),
            (regex("(?i)A.*"), Sensitive, "abc", true),
        ] {
            let matcher = TextMatch { pattern, case };
            assert_eq!(matcher.matches(text.as_bytes()), expected, "{matcher:?} {text}");
        }
    }
}
