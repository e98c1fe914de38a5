//! Path matches of rules, with the native filter's meaning: on the path as it was sent, never on the query.

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// They do: the default.
    Sensitive,
    /// They don't, for ASCII letters (`case_sensitive: false`).
    Insensitive,
}

/// What a path is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPattern {
    /// The path begins so.
    Prefix(String),
    /// The path is this.
    Exact(String),
    /// The path begins so, and either ends there or goes on with a slash.
    SeparatedPrefix(String),
}

/// A rule's match on the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathMatch {
    /// What it is compared with.
    pub pattern: PathPattern,
    /// How it is compared.
    pub case: Case,
}

impl PathMatch {
    /// Whether it matches a path that carries no query.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        let begins = |pattern: &str| {
            path.split_at_checked(pattern.len())
                .filter(|(start, _)| self.equal(start, pattern.as_bytes()))
                .map(|(_, rest)| rest)
        };
        match &self.pattern {
            PathPattern::Prefix(prefix) => begins(prefix).is_some(),
            PathPattern::Exact(whole) => begins(whole).is_some_and(<[u8]>::is_empty),
            PathPattern::SeparatedPrefix(prefix) => {
                begins(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            }
        }
    }

    fn equal(&self, one: &[u8], other: &[u8]) -> bool {
        match self.case {
            Case::Sensitive => one == other,
            Case::Insensitive => one.eq_ignore_ascii_case(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn paths_match_as_the_native_filter_matches_them() {
        use Case::{Insensitive, Sensitive};
        let prefix = |text: &str| PathPattern::Prefix(text.to_owned());
        let exact = |text: &str| PathPattern::Exact(text.to_owned());
        let separated = |text: &str| PathPattern::SeparatedPrefix(text.to_owned());
        for (pattern, case, path, expected) in [
            (prefix("/"), Sensitive, "/", true),
            (prefix("/"), Sensitive, "", false),
            (prefix("/bank"), Sensitive, "/bankrupt", true),
            (prefix("/bank"), Sensitive, "/Bank", false),
            (prefix("/bank"), Insensitive, "/BANK/x", true),
            (prefix("/bank"), Sensitive, "/ban", false),
            (exact("/bank"), Sensitive, "/bank", true),
            (exact("/bank"), Sensitive, "/bank/", false),
            (exact("/bank"), Sensitive, "/bankrupt", false),
            (exact("/bank"), Insensitive, "/Bank", true),
            (exact("/bank"), Sensitive, "/BANK", false),
            (separated("/bank"), Sensitive, "/bank", true),
            (separated("/bank"), Sensitive, "/bank/x", true),
            (separated("/bank"), Sensitive, "/bankrupt", false),
            (separated("/bank"), Insensitive, "/bAnK/x", true),
        ] {
            let matcher = PathMatch { pattern, case };
            assert_eq!(matcher.matches(path.as_bytes()), expected, "{matcher:?} {path}");
        }
    }
}
