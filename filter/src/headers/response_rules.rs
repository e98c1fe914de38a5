//! What the configuration wants changed in answers: the services' and the gate's own.
//!
//! Each change is a call into the host, and reading an answer's headers is the dearest of them: they are read only where a
//! rule depends on what is there.

use super::{Edits, FoldedName, NamePattern, is_reserved_in_answers};
use crate::request::{HeaderList, Request};

/// What servers tell about themselves without being asked. Taken out by a gate that faces clients.
pub const TELLTALE_NAMES: [&str; 4] = ["x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-runtime"];

/// Means nothing over HTTP, and must not be said there (RFC 6797, section 7.2).
const HSTS: &str = "strict-transport-security";
/// What an error says of itself counts: no refusal may be kept for others because a service's pages may.
const CACHE_CONTROL: &str = "cache-control";

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The scheme of a request, as the host determined it.
    #[must_use]
    pub fn of(request: &impl Request) -> Self {
        match request.first(":scheme") {
            Some(b"https") => Self::Https,
            _ => Self::Http,
        }
    }
}

/// Changes of an answer's headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseRules {
    /// What is taken out.
    pub remove: Vec<NamePattern>,
    /// What the gate says in any case. `strict-transport-security` only over TLS, `cache-control` not in errors.
    pub set: Vec<(String, Vec<u8>)>,
    /// What the gate says where the answer does not.
    pub set_if_absent: Vec<(String, Vec<u8>)>,
}

impl ResponseRules {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.set_if_absent.is_empty()
    }

    /// Writes what changes. `read` reads the answer's headers, and is called only where a rule depends on them.
    pub fn apply(&self, scheme: Scheme, read: impl FnOnce() -> HeaderList, edits: &mut Edits) {
        let depends = !self.set_if_absent.is_empty()
            || self.remove.iter().any(|pattern| pattern.exact().is_none())
            || self.set.iter().any(|(name, _)| name == CACHE_CONTROL);
        let answer = depends.then(read);
        match &answer {
            None => {
                for name in self.remove.iter().filter_map(NamePattern::exact) {
                    edits.remove(name);
                }
            }
            Some(answer) => self.strip(answer, edits),
        }
        let is_error = answer.as_ref().is_some_and(is_error);
        for (name, value) in &self.set {
            if is_meant(name, scheme) && !(is_error && name == CACHE_CONTROL) {
                edits.set(name, value.clone());
            }
        }
        let Some(answer) = answer else { return };
        for (name, value) in &self.set_if_absent {
            let folded = FoldedName::new(name.as_bytes());
            let is_there = |(sent, _): (&[u8], &[u8])| folded.matches(sent) && !self.removes(sent);
            if is_meant(name, scheme) && !answer.headers().any(is_there) {
                edits.set(name, value.clone());
            }
        }
    }

    fn strip(&self, answer: &HeaderList, edits: &mut Edits) {
        for (name, _) in answer.headers() {
            if self.removes(name)
                && let Ok(name) = std::str::from_utf8(name)
            {
                edits.remove(name);
            }
        }
    }

    fn removes(&self, name: &[u8]) -> bool {
        self.remove.iter().any(|pattern| pattern.matches(name)) && !is_reserved_in_answers(name)
    }
}

fn is_meant(name: &str, scheme: Scheme) -> bool {
    name != HSTS || scheme == Scheme::Https
}

fn is_error(answer: &HeaderList) -> bool {
    answer
        .first(":status")
        .and_then(|status| status.first())
        .is_none_or(|digit| !matches!(digit, b'1'..=b'3'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unreachable)]

    use super::*;
    use crate::headers::Edit;
    use crate::testing::{request, test};

    fn rules(remove: &[&str], set: &[(&str, &str)], set_if_absent: &[(&str, &str)]) -> ResponseRules {
        let pairs = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect()
        };
        ResponseRules {
            remove: remove.iter().map(|name| NamePattern::new(name)).collect(),
            set: pairs(set),
            set_if_absent: pairs(set_if_absent),
        }
    }

    fn edits(rules: &ResponseRules, scheme: Scheme, answer: &[(&str, &str)]) -> Vec<Edit> {
        let mut edits = Edits::default();
        rules.apply(scheme, || request(answer), &mut edits);
        edits.into_edits().collect()
    }

    fn set(name: &str, value: &str) -> Edit {
        Edit::Set(name.to_owned(), value.as_bytes().to_vec())
    }

    #[test]
    fn names_are_taken_out_and_set_without_reading_the_answer() {
        let rules = rules(&["x-powered-by"], &[("x-frame-options", "DENY")], &[]);
        let mut edits = Edits::default();
        rules.apply(
            Scheme::Http,
            || unreachable!("nothing depends on the answer"),
            &mut edits,
        );
        assert_eq!(
            edits.into_edits().collect::<Vec<_>>(),
            [Edit::Remove("x-powered-by".to_owned()), set("x-frame-options", "DENY")]
        );
    }

    #[test]
    fn patterns_take_out_what_is_there_and_nothing_that_the_answer_needs() {
        let rules = rules(&["x-internal-*", "*t*"], &[], &[]);
        let answer = [
            (":status", "200"),
            ("content-type", "text/plain"),
            ("content-length", "1"),
            ("x-internal-node", "7"),
            ("www-authenticate", "Bearer"),
            ("x-trace", "1"),
        ];
        assert_eq!(
            edits(&rules, Scheme::Http, &answer),
            [
                Edit::Remove("x-internal-node".to_owned()),
                Edit::Remove("x-trace".to_owned())
            ]
        );
    }

    #[test]
    fn hsts_is_said_over_tls_only() {
        let value = "max-age=31536000";
        for rules in [rules(&[], &[(HSTS, value)], &[]), rules(&[], &[], &[(HSTS, value)])] {
            assert_eq!(edits(&rules, Scheme::Http, &[(":status", "200")]), []);
            assert_eq!(edits(&rules, Scheme::Https, &[(":status", "200")]), [set(HSTS, value)]);
        }
    }

    #[test]
    fn what_the_answer_says_itself_counts_where_a_rule_yields() {
        let rules = rules(
            &["x-frame-*"],
            &[],
            &[("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")],
        );
        assert_eq!(
            edits(
                &rules,
                Scheme::Http,
                &[(":status", "200"), ("Referrer-Policy", "same-origin")]
            ),
            [set("x-frame-options", "DENY")]
        );
        // What is taken out is not there.
        let answer = [
            (":status", "200"),
            ("x-frame-options", "ALLOWALL"),
            ("referrer-policy", "x"),
        ];
        assert_eq!(edits(&rules, Scheme::Http, &answer), [set("x-frame-options", "DENY")]);
    }

    #[test]
    fn no_error_becomes_cacheable_by_a_rule() {
        let rules = rules(&[], &[(CACHE_CONTROL, "public, max-age=60")], &[]);
        for (status, expected) in [
            ("200", vec![set(CACHE_CONTROL, "public, max-age=60")]),
            ("304", vec![set(CACHE_CONTROL, "public, max-age=60")]),
            ("401", vec![]),
            ("404", vec![]),
            ("503", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(
                edits(&rules, Scheme::Http, &[(":status", status)]),
                expected,
                "{status}"
            );
        }
    }
}
