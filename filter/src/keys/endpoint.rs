//! Where something is fetched from.

use std::fmt;

/// What is fetched with GET from one of Envoy's clusters. The cluster alone decides who is asked, and whether over TLS; the
/// rest is what the request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Envoy's cluster that is asked.
    pub cluster: String,
    /// The URI's scheme: `http` or `https`.
    pub scheme: String,
    /// The URI's host and port.
    pub authority: String,
    /// The URI's path and query.
    pub path: String,
}

impl Endpoint {
    /// Of an absolute `http` or `https` URI (RFC 3986, section 4.3) without user information and fragment; `None` for all
    /// else.
    #[must_use]
    pub fn new(cluster: &str, uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        let (authority, path) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
        let host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if !matches!(scheme, "http" | "https")
            || authority.is_empty()
            || !authority.bytes().all(host)
            || path.starts_with('?')
            || !path.bytes().all(plain)
        {
            return None;
        }
        Some(Self {
            cluster: cluster.to_owned(),
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
        })
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.path)
    }

    /// Host and port as they are compared: a host has no case, and the scheme's own port need not be written
    /// (RFC 3986, section 6.2.3).
    #[must_use]
    pub fn origin(&self) -> String {
        let authority = self.authority.to_ascii_lowercase();
        let port = if self.scheme == "https" { ":443" } else { ":80" };
        authority.strip_suffix(port).unwrap_or(&authority).to_owned()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at the cluster {}", self.uri(), self.cluster)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    #[test]
    fn only_plain_http_uris_are_endpoints() {
        for (uri, expected) in [
            ("http://issuer", Some(("http", "issuer", "/"))),
            ("https://issuer:8443/a?b=c", Some(("https", "issuer:8443", "/a?b=c"))),
            ("https://[::1]:80/a", Some(("https", "[::1]:80", "/a"))),
            ("http://a_b/x//y", Some(("http", "a_b", "/x//y"))),
            ("issuer/jwks", None),
            ("HTTP://issuer/", None),
            ("ftp://issuer/", None),
            ("http://", None),
            ("http:///jwks", None),
            ("http://user@issuer/", None),
            ("http://issuer?x", None),
            ("http://issuer/#x", None),
            ("http://issuer\\@other/", None),
            ("http://issuer/a b", None),
            ("http://issuer/a\r\nx-evil: 1", None),
            ("http://issuer/\u{e4}", None),
            ("", None),
        ] {
            let endpoint = Endpoint::new("c", uri);
            let parts = endpoint
                .as_ref()
                .map(|endpoint| (&*endpoint.scheme, &*endpoint.authority, &*endpoint.path));
            assert_eq!(parts, expected, "{uri}");
        }
    }

    #[test]
    fn origins_are_compared_without_case_and_default_ports() {
        for (one, other, same) in [
            ("https://Issuer.test/a", "https://issuer.test:443/b", true),
            ("http://issuer.test:80", "http://issuer.test", true),
            ("https://issuer.test:80", "https://issuer.test", false),
            ("https://issuer.test.", "https://issuer.test", false),
            ("https://issuer.test:8443", "https://issuer.test", false),
        ] {
            let origin = |uri| Endpoint::new("c", uri).unwrap().origin();
            assert_eq!(origin(one) == origin(other), same, "{one} {other}");
        }
    }
}
