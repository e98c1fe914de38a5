//! The query of a listing: which page, how many, which direction.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::AppState;
use super::problem::{Fault, Problem};
use crate::domain::page::{DEFAULT_LIMIT, Direction, MAX_LIMIT, PageRequest};

/// The parameters of a query, each of them at most once, taken out one after the other.
pub(super) struct Parameters {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl FromRequestParts<AppState> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &AppState) -> Result<Self, Problem> {
        let parameters = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| invalid_query(vec![]))?;
        Ok(Self::new(parameters.0))
    }
}

impl Parameters {
    fn new(parameters: Vec<(String, String)>) -> Self {
        Self {
            left: parameters,
            known: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn take<T>(&mut self, name: &'static str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        self.known.push(name);
        let (taken, rest): (Vec<_>, Vec<_>) = self.left.drain(..).partition(|(parameter, _)| parameter == name);
        self.left = rest;
        let fault = match taken.as_slice() {
            [] => return None,
            [(_, value)] => match read(value) {
                Ok(value) => return Some(value),
                Err(detail) => detail,
            },
            _ => "stands there more than once".to_owned(),
        };
        self.faults.push(Fault::parameter(name, fault));
        None
    }

    /// `direction`: none means both.
    pub(super) fn direction(&mut self) -> Option<Direction> {
        self.take("direction", |value| match value {
            "incoming" => Ok(Direction::Incoming),
            "outgoing" => Ok(Direction::Outgoing),
            _ => Err("must be \"incoming\" or \"outgoing\"; leave it out for both".to_owned()),
        })
    }

    /// `cursor` and `limit`, and the end of the query: what nobody has asked for is refused.
    pub(super) fn page<Cursor>(
        mut self,
        read_cursor: impl Fn(&str) -> Option<Cursor>,
    ) -> Result<PageRequest<Cursor>, Problem> {
        let after = self.take("cursor", |value| {
            read_cursor(value).ok_or_else(|| "must be the next_cursor of the page before, unchanged".to_owned())
        });
        let limit = self.take("limit", |value| {
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            let number = value
                .parse()
                .ok()
                .filter(|number| digits && (1..=MAX_LIMIT).contains(number));
            number.ok_or_else(|| format!("must be a whole number from 1 to {MAX_LIMIT}"))
        });
        for (name, _) in &self.left {
            let known = self.known.join(", ");
            let name: String = name.chars().take(40).collect();
            self.faults.push(Fault::parameter(
                &name,
                format!("is not known here; the parameters are {known}"),
            ));
        }
        if self.faults.is_empty() {
            Ok(PageRequest {
                after,
                limit: limit.unwrap_or(DEFAULT_LIMIT),
            })
        } else {
            Err(invalid_query(self.faults))
        }
    }
}

fn invalid_query(faults: Vec<Fault>) -> Problem {
    let detail = "The query of this address is wrong.";
    Problem::new(StatusCode::BAD_REQUEST, "invalid_query", "Invalid query", detail).with_faults(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static [(&'static str, &'static str)], Option<Read>);
    type Read = (Option<i64>, u16, Option<Direction>);

    fn read(query: &[(&str, &str)]) -> Option<Read> {
        let owned = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut parameters = Parameters::new(owned);
        let direction = parameters.direction();
        let page = parameters.page(|value| value.parse::<i64>().ok()).ok()?;
        Some((page.after, page.limit, direction))
    }

    #[test]
    fn a_query_is_refused_where_anything_in_it_is_wrong() {
        let cases: [Case; 14] = [
            (&[], Some((None, 50, None))),
            (&[("limit", "1")], Some((None, 1, None))),
            (&[("limit", "100"), ("cursor", "7")], Some((Some(7), 100, None))),
            (
                &[("direction", "incoming")],
                Some((None, 50, Some(Direction::Incoming))),
            ),
            (
                &[("direction", "outgoing")],
                Some((None, 50, Some(Direction::Outgoing))),
            ),
            (&[("limit", "0")], None),
            (&[("limit", "101")], None),
            (&[("limit", "+5")], None),
            (&[("limit", "")], None),
            (&[("limit", "99999999999999999999")], None),
            (&[("limit", "5"), ("limit", "5")], None),
            (&[("cursor", "seven")], None),
            (&[("direction", "sideways")], None),
            (&[("offset", "10")], None),
        ];
        for (query, expected) in cases {
            assert_eq!(read(query), expected, "{query:?}");
        }
    }
}
