//! Path matches of rules, with the native filter's meaning: on the path as it was sent, never on the query.

use crate::matching::{Case, PathTemplate, Pattern};
use crate::request::Request;

/// What a path is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPattern {
    /// The path begins so.
    Prefix(String),
    /// The path is this.
    Exact(String),
    /// The path begins so, and either ends there or goes on with a slash.
    SeparatedPrefix(String),
    /// The whole path matches this; the case is the expression's own matter.
    Regex(Pattern),
    /// The whole path fits this (`path_match_policy`); its case always counts, as in the native filter.
    Template(PathTemplate),
    /// The path is any, but the method is CONNECT (`connect_matcher`).
    Connect,
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
    pub fn matches(&self, request: &impl Request, path: &[u8]) -> bool {
        let begins = |pattern: &str| {
            path.split_at_checked(pattern.len())
                .filter(|(start, _)| self.case.equal(start, pattern.as_bytes()))
                .map(|(_, rest)| rest)
        };
        match &self.pattern {
            PathPattern::Prefix(prefix) => begins(prefix).is_some(),
            PathPattern::Exact(whole) => begins(whole).is_some_and(<[u8]>::is_empty),
            PathPattern::SeparatedPrefix(prefix) => {
                begins(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            }
            PathPattern::Regex(pattern) => pattern.matches(path),
            PathPattern::Template(template) => template.matches(path),
            PathPattern::Connect => request.method() == b"CONNECT",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{request, test};

    #[test]
    fn paths_match_as_the_native_filter_matches_them() {
        use Case::{Insensitive, Sensitive};
        let prefix = |text: &str| PathPattern::Prefix(text.to_owned());
        let exact = |text: &str| PathPattern::Exact(text.to_owned());
        let separated = |text: &str| PathPattern::SeparatedPrefix(text.to_owned());
        let regex = |text: &str| PathPattern::Regex(Pattern::new(text).unwrap());
        let template = |text: &str| PathPattern::Template(PathTemplate::new(text).unwrap());
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
            (regex("/b.*"), Sensitive, "/bank", true),
            (regex("/b"), Sensitive, "/bank", false),
            (regex("/B.*"), Insensitive, "/bank", false),
            (template("/b/{id}"), Sensitive, "/b/1", true),
            (template("/b/{id}"), Insensitive, "/B/1", false),
            (PathPattern::Connect, Sensitive, "/", false),
        ] {
            let matcher = PathMatch { pattern, case };
            assert_eq!(
                matcher.matches(&request(&[(":method", "GET")]), path.as_bytes()),
                expected,
                "{matcher:?} {path}"
            );
        }
    }

    #[test]
    fn connect_is_matched_by_its_method() {
        let matcher = PathMatch {
            pattern: PathPattern::Connect,
            case: Case::Sensitive,
        };
        assert!(matcher.matches(&request(&[(":method", "CONNECT")]), b"/"));
        assert!(!matcher.matches(&request(&[(":method", "connect")]), b"/"));
    }
}
