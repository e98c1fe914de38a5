//! The request as the gate reads it: a list of headers, all of it bytes, and what the host knows beside them.
//!
//! Apart from the host so that every rule can be tested without one, and made of bytes because a header may hold any byte:
//! what assumes UTF-8 here falls over on the first request that has none.

use crate::requirement::RouteWord;

/// What the gate needs to see of a request. HTTP/2 pseudo-headers (`:path`, `:method`, ...) are headers like the others.
pub trait Request {
    /// All headers in the order in which they came; a name that came twice stands here twice.
    fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])>;

    /// All values that came under one name, compared without regard to case (RFC 9110, section 5.1).
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers()
            .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The first value under a name.
    fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// The method; empty where the request has none.
    fn method(&self) -> &[u8] {
        self.first(":method").unwrap_or_default()
    }

    /// Path and query as they were sent; `None` for a plain CONNECT (RFC 9113, section 8.5).
    fn target(&self) -> Option<&[u8]> {
        self.first(":path")
    }

    /// Whether anything follows the headers.
    fn body(&self) -> Body;

    /// What the host knows beside the headers; nothing unless it was asked.
    fn surroundings(&self) -> &Surroundings {
        static NONE: Surroundings = Surroundings {
            state: None,
            route: RouteWord::Silent,
        };
        &NONE
    }
}

/// Whether a request goes on behind its headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Body {
    /// It ends with them.
    #[default]
    None,
    /// A body follows, or what an upgrade brings.
    Follows,
}

/// What the host knows of a request beside its headers. No client sets it. It is asked for each of these only where the
/// configuration needs the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The object of the filter state that `filter_state_rules` names, as text.
    pub state: Option<Vec<u8>>,
    /// What the metadata of the route says to the gate.
    pub route: RouteWord,
}

/// A request as one read of the header map delivers it.
#[derive(Debug, Clone, Default)]
pub struct HeaderList {
    headers: Vec<(String, Vec<u8>)>,
    body: Body,
    surroundings: Surroundings,
}

impl HeaderList {
    /// Takes over what the host delivered: a request that ends with its headers.
    #[must_use]
    pub fn new(headers: Vec<(String, Vec<u8>)>) -> Self {
        Self {
            headers,
            body: Body::None,
            surroundings: Surroundings::default(),
        }
    }

    /// How much memory it takes, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let texts = self
            .headers
            .iter()
            .map(|(name, value)| name.capacity() + value.capacity());
        self.headers.capacity() * size_of::<(String, Vec<u8>)>() + texts.sum::<usize>()
    }

    /// The same, and what follows.
    #[must_use]
    pub fn with_body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// The same, with one header that takes the place of all others of its name.
    #[must_use]
    pub fn with(mut self, name: &str, value: Vec<u8>) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value));
        self
    }

    /// The same, with what the host knows beside it.
    #[must_use]
    pub fn within(self, surroundings: Surroundings) -> Self {
        Self { surroundings, ..self }
    }
}

impl Request for HeaderList {
    fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (name.as_bytes(), value.as_slice()))
    }

    fn body(&self) -> Body {
        self.body
    }

    fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }
}

/// The path of a request target: what stands before the query and the fragment.
#[must_use]
pub fn path_of(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#'));
    target.get(..end.unwrap_or(target.len())).unwrap_or_default()
}

/// The query of a request target, without its question mark; `None` where there is no question mark.
#[must_use]
pub fn query_of(target: &[u8]) -> Option<&[u8]> {
    let start = target.iter().position(|byte| *byte == b'?')?;
    let query = target.get(start + 1..)?;
    let end = query.iter().position(|byte| *byte == b'#');
    query.get(..end.unwrap_or(query.len()))
}

/// Whether this is a CORS preflight as the Fetch standard defines it: OPTIONS with an origin and the method that is to come.
/// A bare OPTIONS is a request like any other.
#[must_use]
pub fn is_cors_preflight(request: &impl Request) -> bool {
    let filled = |name| request.first(name).is_some_and(|value| !value.is_empty());
    request.method() == b"OPTIONS" && filled("origin") && filled("access-control-request-method")
}

/// Whether the caller speaks gRPC, judged as Envoy judges it: `application/grpc`, alone or with a `+suffix`, and a path, which
/// a CONNECT has not.
#[must_use]
pub fn is_grpc(request: &impl Request) -> bool {
    request.target().is_some()
        && request.first("content-type").is_some_and(|value| {
            value
                .strip_prefix(b"application/grpc")
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
        })
}
