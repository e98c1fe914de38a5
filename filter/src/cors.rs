//! Who may read answers from pages of other origins (CORS, Fetch standard, section 3.3), answered by the gate.
//!
//! Apart from authorization, which it is not: a browser keeps an answer from a page, nothing keeps a request from a
//! service. So everything here is about answers, but for the preflight, which the gate answers itself, for nobody.

mod origin;

use std::time::Duration;

pub use origin::{NULL, OriginError, OriginPattern};

use crate::headers::Edit;
use crate::refusal::Answer;
use crate::request::Request;

const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
const EXPOSE_HEADERS: &str = "access-control-expose-headers";

/// Which origins may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every page. Never with credentials.
    Any,
    /// Those that one of these matches.
    Listed(Vec<OriginPattern>),
}

/// Whether pages may send cookies, and read what comes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// They may.
    Allowed,
    /// They may not; a token in `Authorization` is none in this sense.
    Omitted,
}

/// Whether public pages may ask a gate in a private network (Private Network Access).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateNetwork {
    /// They may.
    Allowed,
    /// They may not.
    Closed,
}

/// What pages of other origins may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Whose pages.
    pub origins: Origins,
    /// The methods that they may use, as the header has them.
    pub methods: String,
    /// The headers that they may send.
    pub headers: String,
    /// The headers that they may read; none where it is empty.
    pub expose: String,
    /// Whether with cookies.
    pub credentials: Credentials,
    /// How long a browser may remember the answer to a preflight.
    pub max_age: Option<Duration>,
    /// Whether into a private network.
    pub private_network: PrivateNetwork,
}

impl Cors {
    /// The origin that may read the answer to a request, as the answer has to name it.
    #[must_use]
    pub fn reader(&self, request: &impl Request) -> Option<String> {
        let patterns = match &self.origins {
            Origins::Any => return Some("*".to_owned()),
            Origins::Listed(patterns) => patterns,
        };
        let mut origins = request.values("origin");
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return None;
        };
        let origin = std::str::from_utf8(origin).ok()?;
        let listed = patterns.iter().any(|pattern| pattern.matches(origin));
        listed.then(|| origin.to_owned())
    }

    /// The answer to a preflight; none for an origin that may not read. It tells what is allowed, and the browser compares.
    #[must_use]
    pub fn preflight(&self, request: &impl Request) -> Option<Answer> {
        let mut headers = vec![
            (ALLOW_ORIGIN, self.reader(request)?),
            ("access-control-allow-methods", self.methods.clone()),
            ("access-control-allow-headers", self.headers.clone()),
        ];
        if self.credentials == Credentials::Allowed {
            headers.push((ALLOW_CREDENTIALS, "true".to_owned()));
        }
        if let Some(age) = self.max_age {
            headers.push(("access-control-max-age", age.as_secs().to_string()));
        }
        let asks = request.first("access-control-request-private-network") == Some(b"true");
        if asks && self.private_network == PrivateNetwork::Allowed {
            headers.push(("access-control-allow-private-network", "true".to_owned()));
        }
        Some(Answer {
            status: 204,
            grpc: None,
            headers,
            body: Vec::new(),
        })
    }

    /// What every other answer says: to the reader, if there is one, and in place of what the service says of it. What
    /// browsers read in answers to preflights only is left as it is: nobody reads it.
    #[must_use]
    pub fn edits(&self, request: &impl Request) -> [Edit; 3] {
        let reader = self.reader(request);
        let is_read = reader.is_some();
        let set = |name: &str, value: Option<String>| match value {
            Some(value) => Edit::Set(name.to_owned(), value.into_bytes()),
            None => Edit::Remove(name.to_owned()),
        };
        let credentials = is_read && self.credentials == Credentials::Allowed;
        let expose = is_read && !self.expose.is_empty();
        [
            set(ALLOW_ORIGIN, reader),
            set(ALLOW_CREDENTIALS, credentials.then(|| "true".to_owned())),
            set(EXPOSE_HEADERS, expose.then(|| self.expose.clone())),
        ]
    }

    /// Whether answers differ by origin, which caches must know (RFC 9110, section 12.5.5): also those that name none.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.origins != Origins::Any
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{request, test};

    fn policy(origins: Origins) -> Cors {
        Cors {
            origins,
            methods: "GET, PUT".to_owned(),
            headers: "authorization".to_owned(),
            expose: "retry-after".to_owned(),
            credentials: Credentials::Omitted,
            max_age: None,
            private_network: PrivateNetwork::Closed,
        }
    }

    fn listed(origins: &[&str]) -> Cors {
        policy(Origins::Listed(
            origins.iter().map(|text| OriginPattern::parse(text).unwrap()).collect(),
        ))
    }

    #[test]
    fn only_one_origin_that_is_listed_may_read() {
        let cors = listed(&["https://app.example.com", "https://*.example.org"]);
        for (origins, expected) in [
            (&["https://app.example.com"][..], Some("https://app.example.com")),
            (&["https://a.example.org"], Some("https://a.example.org")),
            (&["https://evil.example.com"], None),
            (&["null"], None),
            (&[""], None),
            (&[], None),
            (&["https://app.example.com", "https://app.example.com"], None),
            (&["https://app.example.com, https://evil.test"], None),
        ] {
            let headers: Vec<_> = origins.iter().map(|origin| ("Origin", *origin)).collect();
            assert_eq!(cors.reader(&request(&headers)).as_deref(), expected, "{origins:?}");
        }
        assert_eq!(policy(Origins::Any).reader(&request(&[])).as_deref(), Some("*"));
    }

    #[test]
    fn a_preflight_is_told_what_is_allowed_and_a_stranger_nothing() {
        let asked = request(&[
            ("origin", "https://app.example.com"),
            ("access-control-request-private-network", "true"),
        ]);
        let mut cors = listed(&["https://app.example.com"]);
        let plain = [
            (ALLOW_ORIGIN, "https://app.example.com".to_owned()),
            ("access-control-allow-methods", "GET, PUT".to_owned()),
            ("access-control-allow-headers", "authorization".to_owned()),
        ];
        let answer = cors.preflight(&asked).unwrap();
        assert_eq!((answer.status, &answer.headers[..]), (204, &plain[..]));
        cors.credentials = Credentials::Allowed;
        cors.max_age = Some(Duration::from_millis(600_900));
        cors.private_network = PrivateNetwork::Allowed;
        let more = [
            (ALLOW_CREDENTIALS, "true".to_owned()),
            ("access-control-max-age", "600".to_owned()),
            ("access-control-allow-private-network", "true".to_owned()),
        ];
        assert_eq!(cors.preflight(&asked).unwrap().headers, [&plain[..], &more].concat());
        let unasked = request(&[("origin", "https://app.example.com")]);
        assert_eq!(cors.preflight(&unasked).unwrap().headers.len(), 5);
        assert_eq!(cors.preflight(&request(&[("origin", "https://evil.test")])), None);
    }

    #[test]
    fn what_a_service_says_of_it_is_replaced_or_taken_out() {
        let remove = |name: &str| Edit::Remove(name.to_owned());
        let set = |name: &str, value: &str| Edit::Set(name.to_owned(), value.as_bytes().to_vec());
        let mut cors = listed(&["https://app.example.com"]);
        cors.credentials = Credentials::Allowed;
        let stranger = [remove(ALLOW_ORIGIN), remove(ALLOW_CREDENTIALS), remove(EXPOSE_HEADERS)];
        for headers in [&[][..], &[("origin", "https://evil.test")]] {
            assert_eq!(cors.edits(&request(headers)), stranger);
        }
        let reader = [
            set(ALLOW_ORIGIN, "https://app.example.com"),
            set(ALLOW_CREDENTIALS, "true"),
            set(EXPOSE_HEADERS, "retry-after"),
        ];
        let asked = request(&[("origin", "https://app.example.com")]);
        assert_eq!(cors.edits(&asked), reader);
        assert!(cors.varies() && !policy(Origins::Any).varies());
    }
}
