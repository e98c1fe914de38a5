//! What a rule asks of headers and query parameters beside the path: Envoy's `HeaderMatcher` and `QueryParameterMatcher`.

use crate::headers::Sanitiser;
use crate::matching::TextMatch;
use crate::request::{Request, query_of};

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// That there is one, or (false) that there is none.
    Present(bool),
    /// That it matches.
    Text(TextMatch),
    /// That it is a whole number from the first to below the second.
    Range(i64, i64),
}

/// What becomes of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// It counts as it is.
    Plain,
    /// Its opposite counts (`invert_match`).
    Inverted,
}

/// What a header that is absent counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// As absent: it matches nothing, inverted or not, but a test of its presence.
    Absent,
    /// As an empty one (`treat_missing_header_as_empty`).
    Empty,
}

/// A condition on a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderMatch {
    /// Its name, in lower case.
    pub name: String,
    /// What is asked of its value; of several, one has to pass, and inverted none may.
    pub test: Test,
    /// What becomes of the answer.
    pub sense: Sense,
    /// What its absence means.
    pub absent: Absent,
}

impl HeaderMatch {
    /// Whether it holds. What only the gate may set is absent here: a client's copy of it decides nothing.
    #[must_use]
    pub fn holds(&self, request: &impl Request, sanitiser: &Sanitiser) -> bool {
        let mut values = request
            .values(&self.name)
            .filter(|_| !sanitiser.trusts(self.name.as_bytes()));
        let inverted = self.sense == Sense::Inverted;
        match (values.next(), self.absent) {
            (None, Absent::Absent) => match self.test {
                Test::Present(wanted) => wanted == inverted,
                Test::Text(_) | Test::Range(..) => false,
            },
            (None, Absent::Empty) => self.test.passes(b"") != inverted,
            (Some(first), _) => {
                let mut all = std::iter::once(first).chain(values);
                all.any(|value| self.test.passes(value)) != inverted
            }
        }
    }
}

impl Test {
    /// Whether a value that is there passes.
    fn passes(&self, value: &[u8]) -> bool {
        match self {
            Self::Present(wanted) => *wanted,
            Self::Text(text) => text.matches(value),
            Self::Range(start, end) => whole(value).is_some_and(|number| (*start..*end).contains(&number)),
        }
    }
}

fn whole(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

/// A condition on a query parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterMatch {
    /// Its name, as it stands in the query.
    pub name: String,
    /// What is asked of its first value, as it stands in the query.
    pub test: Option<TextMatch>,
}

impl ParameterMatch {
    /// Whether it holds. As in the native filter, nothing is decoded.
    #[must_use]
    pub fn holds(&self, request: &impl Request) -> bool {
        let query = request.target().and_then(query_of).unwrap_or_default();
        let value = crate::token::raw_parameter(query, self.name.as_bytes());
        match (&self.test, value) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(text), Some(value)) => text.matches(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::{Case, TextPattern};
    use crate::testing::{request, test};

    fn text(exact: &str) -> TextMatch {
        TextMatch {
            pattern: TextPattern::Exact(exact.to_owned()),
            case: Case::Sensitive,
        }
    }

    #[test]
    fn headers_are_judged_as_envoy_judges_them() {
        let sanitiser = Sanitiser::new(["x-own"], []);
        let exact = || Test::Text(text("1"));
        for (test, values, plain, inverted, plain_empty, inverted_empty) in [
            (Test::Present(true), &[][..], false, true, true, false),
            (Test::Present(true), &["1"], true, false, true, false),
            (Test::Present(false), &[], true, false, false, true),
            (Test::Present(false), &["1"], false, true, false, true),
            (exact(), &[], false, false, false, true),
            (exact(), &["1"], true, false, true, false),
            (exact(), &["2"], false, true, false, true),
            (exact(), &["1", "2"], true, false, true, false),
            (exact(), &["2", "1"], true, false, true, false),
            (exact(), &["2", "3"], false, true, false, true),
            (Test::Text(text("1,2")), &["1", "2"], false, true, false, true),
            (Test::Text(text("1,2")), &["1,2"], true, false, true, false),
            (Test::Range(-1, 2), &["x", "1"], true, false, true, false),
            (Test::Text(text("")), &["1", ""], true, false, true, false),
            (Test::Text(text("")), &[], false, false, true, false),
            (Test::Range(-1, 2), &["-1"], true, false, true, false),
            (Test::Range(-1, 2), &["2"], false, true, false, true),
            (Test::Range(-1, 2), &["1x"], false, true, false, true),
            (Test::Range(-1, 2), &[], false, false, false, true),
        ] {
            let headers: Vec<_> = values.iter().map(|value| ("x-a", *value)).collect();
            for (sense, absent, expected) in [
                (Sense::Plain, Absent::Absent, plain),
                (Sense::Inverted, Absent::Absent, inverted),
                (Sense::Plain, Absent::Empty, plain_empty),
                (Sense::Inverted, Absent::Empty, inverted_empty),
            ] {
                let (name, test) = ("x-a".to_owned(), test.clone());
                let matcher = HeaderMatch {
                    name,
                    test,
                    sense,
                    absent,
                };
                assert_eq!(
                    matcher.holds(&request(&headers), &sanitiser),
                    expected,
                    "{matcher:?} {values:?}"
                );
            }
        }
        let own = HeaderMatch {
            name: "x-own".to_owned(),
            test: Test::Present(true),
            sense: Sense::Plain,
            absent: Absent::Absent,
        };
        assert!(!own.holds(&request(&[("x-own", "forged")]), &sanitiser));
    }

    #[test]
    fn parameters_are_judged_as_they_stand_in_the_query() {
        for (test, target, expected) in [
            (None, "/?a", true),
            (None, "/?a=1", true),
            (None, "/?b=1", false),
            (None, "/a=1", false),
            (Some("1"), "/?a=1", true),
            (Some("1"), "/?a=%31", false),
            (Some("%31"), "/?a=%31", true),
            (Some("1"), "/?b=2&a=1&a=2", true),
            (Some("2"), "/?a=1&a=2", false),
            (Some(""), "/?a", true),
            (Some("1"), "/?A=1", false),
        ] {
            let matcher = ParameterMatch {
                name: "a".to_owned(),
                test: test.map(text),
            };
            assert_eq!(
                matcher.holds(&request(&[(":path", target)])),
                expected,
                "{test:?} {target}"
            );
        }
    }
}
