//! Where tokens are looked for.

use std::borrow::Cow;

use super::{cookie, query};
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
    /// A cookie.
    Cookie(String),
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

impl Place {
    /// By this, places come in the order in which the native filter looks at them: headers by name and prefix, then
    /// parameters, then cookies.
    #[must_use]
    pub fn rank(&self) -> (u8, String) {
        match self {
            Self::Header { name, prefix } => (0, format!("{name}{}", prefix.text())),
            Self::Parameter(name) => (1, name.clone()),
            Self::Cookie(name) => (2, name.clone()),
        }
    }
}

/// Something that stands where a token belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'p> {
    /// The token, yet unread; empty where what stands there is none. It is where it stood, unless it had to be decoded.
    pub token: Cow<'p, [u8]>,
    /// Where it was.
    pub place: &'p Place,
}

/// `Authorization` came more than once: which one counts is not for a gate to guess (RFC 6750, section 2: no more than one
/// method in a request).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

/// Places whose tokens have passed and do not go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent<'p>(Vec<&'p Place>);

impl<'p> Spent<'p> {
    /// Takes note of a place.
    pub fn add(&mut self, place: &'p Place) {
        self.0.push(place);
    }

    /// The headers among them.
    pub fn headers(&self) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter_map(|place| match place {
            Place::Header { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// The query parameters among them.
    pub fn parameters(&self) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter_map(|place| match place {
            Place::Parameter(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The cookies among them.
    pub fn cookies(&self) -> impl Iterator<Item = &'p str> {
        self.0.iter().filter_map(|place| match place {
            Place::Cookie(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether nothing can be found here any more. A header goes as a whole, whatever the prefix; a cookie only goes when
    /// everything has been judged, since the native filter leaves it for the next requirement to find.
    fn covers(&self, place: &Place) -> bool {
        match place {
            Place::Header { name, .. } => self.headers().any(|spent| spent == name),
            Place::Parameter(name) => self.parameters().any(|spent| spent == name),
            Place::Cookie(_) => false,
        }
    }
}

/// Looks for tokens in places that are not spent, in the order of the places.
pub fn find<'p>(places: &'p [Place], request: &'p impl Request, spent: &Spent<'_>) -> Result<Vec<Found<'p>>, Repeated> {
    let mut found = Vec::new();
    for place in places.iter().filter(|place| !spent.covers(place)) {
        let mut add = |token: Cow<'p, [u8]>| found.push(Found { token, place });
        match place {
            Place::Header { name, prefix } => {
                if name == "authorization" && is_repeated(request, prefix) {
                    return Err(Repeated);
                }
                request
                    .values(name)
                    .filter_map(|value| prefix.token_of(value))
                    .for_each(|token| add(Cow::Borrowed(token)));
            }
            Place::Parameter(name) => {
                let query = request.target().and_then(query_of).unwrap_or_default();
                query::values(query, name).for_each(|value| add(Cow::Owned(value)));
            }
            Place::Cookie(name) => cookie::values(request, name).for_each(|value| add(Cow::Borrowed(value))),
        }
    }
    Ok(found)
}

/// Whether `Authorization` came more than once. Envoy joins the values of repeated headers that it knows; what stands
/// behind a comma and begins with a scheme was another value.
fn is_repeated(request: &impl Request, prefix: &Prefix) -> bool {
    let mut values = request.values("authorization");
    let joined = |value: &[u8]| {
        // Looking for one byte is many times faster than splitting, and nearly no token has a comma.
        if !value.contains(&b',') {
            return false;
        }
        let token = prefix.token_of(value).unwrap_or_default();
        token
            .split(|byte| *byte == b',')
            .skip(1)
            .any(|part| part.trim_ascii().contains(&b' '))
    };
    values.next().is_some_and(joined) || values.next().is_some()
}

impl Prefix {
    /// How it is written in a configuration.
    fn text(&self) -> &str {
        match self {
            Self::Bearer => "Bearer ",
            Self::Literal(prefix) => prefix,
        }
    }

    /// The token in a header's value; none where the value has not the prefix. A prefix that does not begin the value, or
    /// has nothing behind it, is not taken for a missing token: readers that search for it would find one there.
    fn token_of<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let text = self.text().as_bytes();
        let begin = |value: &'v [u8]| {
            let (start, rest) = value.split_at_checked(text.len())?;
            let equal = match self {
                Self::Bearer => start.eq_ignore_ascii_case(text),
                Self::Literal(_) => start == text,
            };
            equal.then_some(rest)
        };
        let anywhere = || text.is_empty() || value.windows(text.len()).any(|window| window == text);
        begin(value)
            .or_else(|| begin(value.trim_ascii_start()))
            .map(<[u8]>::trim_ascii)
            .or_else(|| anywhere().then_some(b"".as_slice()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::testing::{request, test};

    fn found(places: &[Place], headers: &[(&str, &str)]) -> Result<Option<String>, &'static str> {
        let request = request(headers);
        let mut found = find(places, &request, &Spent::default()).map_err(|Repeated| "repeated")?;
        match (found.pop(), found.is_empty()) {
            (Some(_), false) => Err("repeated"),
            (found, _) => Ok(found.map(|found| String::from_utf8_lossy(&found.token).into_owned())),
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
            (&[("authorization", "Bearer ")], Ok(Some(""))),
            (&[("authorization", "bearer   ")], Ok(Some(""))),
            (&[("authorization", "")], Ok(None)),
            (&[("authorization", "Bearerabc")], Ok(None)),
            (&[("authorization", "Basic abc")], Ok(None)),
            (&[("authorization", "Basic Bearer abc")], Ok(Some(""))),
            (&[("authorization", "Basic x, Bearer abc")], Ok(Some(""))),
            (&[("authorization", "xBearer abc")], Ok(Some(""))),
            (&[("authorization", "xbearer abc")], Ok(None)),
            (&[("authorization", " Bearer abc")], Ok(Some("abc"))),
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
            (&[(":path", "/x?access_token=")], Ok(Some(""))),
            (&[(":path", "/x?access_token")], Ok(Some(""))),
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
            (&[("x-token", "x Token abc")], Ok(Some(""))),
            (&[("x-token", "Token ")], Ok(Some(""))),
            (&[("x-token", "")], Ok(None)),
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
        for (prefix, value, expected) in [
            ("", " abc ", Some("abc")),
            ("", "", Some("")),
            ("", "  ", Some("")),
            ("v=", "v=abc", Some("abc")),
            ("v=", "v=", Some("")),
            ("v=", "v", None),
            ("v=", "x; v=abc", Some("")),
            // The text behind the prefix is no token, though the whole value may look like one.
            ("Tok", "abTokcd", Some("")),
            ("Bearer", "Bearerabc", Some("abc")),
            ("Bearer", "Bearer abc", Some("abc")),
            ("Bearer", "bearerabc", None),
        ] {
            let expected = Ok(expected.map(str::to_owned));
            assert_eq!(
                found(&[header(prefix)], &[("x-token", value)]),
                expected,
                "{prefix:?} {value:?}"
            );
        }
    }

    #[test]
    fn cookies_are_found_as_the_native_filter_finds_them() {
        let places = [Place::Cookie("sess".to_owned())];
        for (value, expected) in [
            ("sess=T", Ok(Some("T"))),
            ("a=b; sess=T; c=d", Ok(Some("T"))),
            ("a=b;sess=T", Ok(Some("T"))),
            ("sess=\"T\"", Ok(Some("T"))),
            ("sess=T=", Ok(Some("T="))),
            ("sess=", Ok(Some(""))),
            ("sess=\"\"", Ok(Some(""))),
            ("sess", Ok(None)),
            ("sess = T", Ok(None)),
            ("a=b, sess=T", Ok(None)),
            ("Sess=T", Ok(None)),
            ("xsess=T", Ok(None)),
            ("\tsess=T", Ok(None)),
            ("sess=T; sess=T", Err("repeated")),
        ] {
            let expected = expected.map(|token: Option<&str>| token.map(str::to_owned));
            assert_eq!(found(&places, &[("cookie", value)]), expected, "{value}");
        }
        assert_eq!(
            found(&places, &[("cookie", "a=b"), ("cookie", "sess=T")]),
            Ok(Some("T".to_owned()))
        );
        assert_eq!(
            found(&places, &[("cookie", "sess=S"), ("cookie", "sess=T")]),
            Err("repeated")
        );
    }

    #[test]
    fn what_is_spent_is_not_found_again_but_for_cookies() {
        let header = |name: &str, prefix: &str| Place::Header {
            name: name.to_owned(),
            prefix: Prefix::Literal(prefix.to_owned()),
        };
        let (one, other) = (header("x-token", "a"), header("x-token", ""));
        let places = [
            one.clone(),
            other,
            Place::Parameter("jwt".to_owned()),
            Place::Cookie("jwt".to_owned()),
        ];
        let request = request(&[("x-token", "abc"), (":path", "/?jwt=def"), ("cookie", "jwt=ghi")]);
        let mut spent = Spent::default();
        for (place, left) in [(&one, 2), (&places[2], 1), (&places[3], 1)] {
            spent.add(place);
            assert_eq!(find(&places, &request, &spent).unwrap().len(), left, "{place:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_just_another_token() {
        let request = crate::request::HeaderList::new(vec![("authorization".to_owned(), b"Bearer \xff\xfe".to_vec())]);
        let places = default_places();
        let found = find(&places, &request, &Spent::default()).unwrap();
        assert_eq!(*found[0].token, *b"\xff\xfe");
    }
}
