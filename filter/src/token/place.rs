//! Where a provider's token is looked for.

use super::query::values;
use crate::request::{Request, query_of};

/// What stands before the token in a header's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prefix {
    /// The authentication scheme `Bearer`, in any case, then blanks (RFC 9110, section 11.1).
    Bearer,
    /// This text, as it stands; it may be empty.
    Literal(String),
}

/// A place where a token may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A header.
    Header {
        /// Its name, in lower case.
        name: String,
        /// What comes before the token.
        prefix: Prefix,
    },
    /// A query parameter.
    Parameter(String),
}

/// The places of a provider that names none: RFC 6750, sections 2.1 and 2.3.
#[must_use]
pub fn default_places() -> Vec<Place> {
    vec![
        Place::Header {
            name: "authorization".to_owned(),
            prefix: Prefix::Bearer,
        },
        Place::Parameter("access_token".to_owned()),
    ]
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search<'p> {
    /// There is no token.
    Missing,
    /// There is one.
    Found {
        /// The token, yet unread.
        token: Vec<u8>,
        /// Where it was.
        place: &'p Place,
    },
    /// There are several, or `Authorization` came more than once: which one counts is not for a gate to guess
    /// (RFC 6750, section 2: no more than one method in a request).
    Repeated,
}

/// Looks for a provider's token.
#[must_use]
pub fn find<'p>(places: &'p [Place], request: &impl Request) -> Search<'p> {
    let mut search = Search::Missing;
    for place in places {
        let tokens = match place {
            Place::Header { name, prefix } => {
                if name == "authorization" && is_repeated(request, prefix) {
                    return Search::Repeated;
                }
                request
                    .values(name)
                    .filter_map(|value| prefix.token_of(value))
                    .map(<[u8]>::to_vec)
                    .collect()
            }
            Place::Parameter(name) => {
                let query = request.target().and_then(query_of).unwrap_or_default();
                values(query, name)
                    .filter(|token| !token.is_empty())
                    .collect::<Vec<_>>()
            }
        };
        for token in tokens {
            if search != Search::Missing {
                return Search::Repeated;
            }
            search = Search::Found { token, place };
        }
    }
    search
}

/// Whether `Authorization` came more than once. Envoy joins the values of repeated headers that it knows; what stands
/// behind a comma and begins with a scheme was another value.
fn is_repeated(request: &impl Request, prefix: &Prefix) -> bool {
    let mut values = request.values("authorization");
    let joined = |value| {
        let token = prefix.token_of(value).unwrap_or_default();
        token
            .split(|byte| *byte == b',')
            .skip(1)
            .any(|part| part.trim_ascii().contains(&b' '))
    };
    values.next().is_some_and(joined) || values.next().is_some()
}

impl Prefix {
    /// The token in a header's value; none where the value belongs to another scheme or the token is empty.
    fn token_of<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        const SCHEME: &[u8] = b"bearer";
        let value = value.trim_ascii();
        let token = match self {
            Self::Literal(prefix) => value.strip_prefix(prefix.trim_ascii_end().as_bytes()).filter(|rest| {
                // `prefix` was compared without the blanks at its end, which trimming took from a value without a token.
                rest.is_empty() || !prefix.ends_with(' ') || rest.starts_with(b" ")
            })?,
            Self::Bearer => {
                let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
                if !scheme.eq_ignore_ascii_case(SCHEME) || !(rest.is_empty() || rest.starts_with(b" ")) {
                    return None;
                }
                rest
            }
        };
        Some(token.trim_ascii()).filter(|token| !token.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{request, test};

    fn found(places: &[Place], headers: &[(&str, &str)]) -> Result<Option<String>, &'static str> {
        match find(places, &request(headers)) {
            Search::Missing => Ok(None),
            Search::Found { token, .. } => Ok(Some(String::from_utf8_lossy(&token).into_owned())),
            Search::Repeated => Err("repeated"),
        }
    }

    #[test]
    fn the_default_places_are_the_bearer_scheme_and_access_token() {
        for (headers, expected) in [
            (&[("authorization", "Bearer abc")][..], Ok(Some("abc"))),
            (&[("Authorization", "bearer abc")], Ok(Some("abc"))),
            (&[("authorization", "BEARER   abc  ")], Ok(Some("abc"))),
            (&[("authorization", "BeArEr abc")], Ok(Some("abc"))),
            (&[("authorization", "Bearer")], Ok(None)),
            (&[("authorization", "Bearer ")], Ok(None)),
            (&[("authorization", "")], Ok(None)),
            (&[("authorization", "Bearerabc")], Ok(None)),
            (&[("authorization", "Basic abc")], Ok(None)),
            (&[("authorization", "Basic Bearer abc")], Ok(None)),
            (&[("authorization", "DPoP abc")], Ok(None)),
            (&[("authorization", "Bearer abc def")], Ok(Some("abc def"))),
            (&[("authorization", "Bearer a, Bearer b")], Err("repeated")),
            (&[("authorization", "Bearer a,Basic b")], Err("repeated")),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
                Err("repeated"),
            ),
            (
                &[("authorization", "Bearer a"), ("authorization", "Basic b")],
                Err("repeated"),
            ),
            (
                &[("authorization", "Basic a"), ("authorization", "Basic b")],
                Err("repeated"),
            ),
            (&[(":path", "/x?access_token=abc")], Ok(Some("abc"))),
            (&[(":path", "/x?access_token=")], Ok(None)),
            (&[(":path", "/access_token=abc")], Ok(None)),
            (&[(":path", "/x?a=b#?access_token=abc")], Ok(None)),
            (&[(":path", "/x?access_token=a&access_token=b")], Err("repeated")),
            (
                &[(":path", "/x?access_token=a"), ("authorization", "Bearer b")],
                Err("repeated"),
            ),
            (
                &[(":path", "/x?access_token=a"), ("authorization", "Bearer a")],
                Err("repeated"),
            ),
            (
                &[(":path", "/x?access_token=a"), ("authorization", "Basic b")],
                Ok(Some("a")),
            ),
            (&[("x-token", "abc")], Ok(None)),
        ] {
            let expected = expected.map(|token: Option<&str>| token.map(str::to_owned));
            assert_eq!(found(&default_places(), headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_provider_s_own_places_are_the_only_ones() {
        let header = |prefix: &str| Place::Header {
            name: "x-token".to_owned(),
            prefix: Prefix::Literal(prefix.to_owned()),
        };
        let places = [header("Token "), Place::Parameter("jwt".to_owned())];
        for (headers, expected) in [
            (&[("x-token", "Token abc")][..], Ok(Some("abc"))),
            (&[("x-token", "token abc")], Ok(None)),
            (&[("x-token", "Token")], Ok(None)),
            (&[("x-token", "Tokenabc")], Ok(None)),
            (&[("x-token", "x Token abc")], Ok(None)),
            (&[(":path", "/?jwt=abc")], Ok(Some("abc"))),
            (
                &[("authorization", "Bearer abc"), (":path", "/?access_token=abc")],
                Ok(None),
            ),
            (
                &[
                    ("authorization", "Bearer a"),
                    ("authorization", "Bearer b"),
                    ("x-token", "Token c"),
                ],
                Ok(Some("c")),
            ),
            (&[("x-token", "Token a"), ("x-token", "Token b")], Err("repeated")),
            (&[("x-token", "Token a"), (":path", "/?jwt=b")], Err("repeated")),
        ] {
            let expected = expected.map(|token: Option<&str>| token.map(str::to_owned));
            assert_eq!(found(&places, headers), expected, "{headers:?}");
        }
        assert_eq!(
            found(&[header("")], &[("x-token", " abc ")]),
            Ok(Some("abc".to_owned()))
        );
        assert_eq!(
            found(&[header("v=")], &[("x-token", "v=abc")]),
            Ok(Some("abc".to_owned()))
        );
    }

    #[test]
    fn bytes_that_are_not_text_are_just_another_token() {
        let request = crate::request::HeaderList::new(vec![("authorization".to_owned(), b"Bearer \xff\xfe".to_vec())]);
        let places = default_places();
        assert!(matches!(find(&places, &request), Search::Found { token, .. } if token == b"\xff\xfe"));
    }
}
