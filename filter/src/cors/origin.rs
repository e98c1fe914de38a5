//! Origins, as browsers serialise them (HTML standard, section 7.1.1): scheme, host, and a port that is not the scheme's own.

/// What sandboxed pages, files and some redirects send. Anybody can make a page that does.
pub const NULL: &str = "null";

/// Why a text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It is none.
    #[error("is no origin as browsers send it; write scheme, host and port alone, such as \"https://app.example.com\"")]
    Malformed,
    /// It has letters that no browser sends.
    #[error("has capital letters, and browsers send small ones; write it so")]
    Capitals,
    /// Its port is the scheme's own.
    #[error("names the port that its scheme has anyway, and browsers leave that out; leave it out too")]
    DefaultPort,
    /// A star somewhere else.
    #[error("has a * that is not the whole first part of the host; write it so: \"https://*.example.com\"")]
    Star,
}

/// One origin, or all those below a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginPattern {
    /// This one.
    Exact(String),
    /// Those whose hosts have more in front.
    Below {
        /// What stands before the star: `https://`.
        scheme: String,
        /// What stands behind it: `.example.com:8443`.
        host: String,
    },
}

impl OriginPattern {
    /// Reads an origin, `null`, or `https://*.example.com`.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        if text == NULL {
            return Ok(Self::Exact(text.to_owned()));
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(OriginError::Capitals);
        }
        let (scheme, authority) = text.split_once("://").ok_or(OriginError::Malformed)?;
        let is_scheme = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
        if scheme.is_empty() || !scheme.bytes().all(is_scheme) {
            return Err(OriginError::Malformed);
        }
        if let Some(below) = authority.strip_prefix('*') {
            let host = below.strip_prefix('.').ok_or(OriginError::Star)?;
            check_authority(scheme, host)?;
            return Ok(Self::Below {
                scheme: format!("{scheme}://"),
                host: below.to_owned(),
            });
        }
        check_authority(scheme, authority)?;
        Ok(Self::Exact(text.to_owned()))
    }

    /// Whether it means this origin. Origins are compared as they are written (Fetch standard, section 3.2.3).
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == origin,
            Self::Below { scheme, host } => origin
                .strip_prefix(scheme.as_str())
                .and_then(|rest| rest.strip_suffix(host.as_str()))
                .is_some_and(is_labels),
        }
    }
}

/// Names of a host with dots between them, none of them empty.
fn is_labels(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    text.split('.')
        .all(|label| !label.is_empty() && label.bytes().all(letter))
}

fn check_authority(scheme: &str, authority: &str) -> Result<(), OriginError> {
    if authority.contains('*') {
        return Err(OriginError::Star);
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    if !is_address && !is_labels(host) {
        return Err(OriginError::Malformed);
    }
    match (scheme, port) {
        (_, None) => Ok(()),
        ("http", Some("80")) | ("https", Some("443")) => Err(OriginError::DefaultPort),
        (_, Some(port)) if port.parse::<u16>().is_ok_and(|number| number.to_string() == port) => Ok(()),
        (_, Some(_)) => Err(OriginError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    #[test]
    fn a_pattern_means_what_it_says_and_nothing_that_looks_like_it() {
        for (pattern, origin, expected) in [
            ("https://app.example.com", "https://app.example.com", true),
            ("https://app.example.com", "http://app.example.com", false),
            ("https://app.example.com", "https://app.example.com:8443", false),
            ("https://app.example.com", "https://app.example.com/", false),
            ("https://app.example.com", "https://APP.example.com", false),
            ("https://app.example.com", "https://app.example.com.evil.test", false),
            ("http://localhost:3000", "http://localhost:3000", true),
            ("http://[::1]:3000", "http://[::1]:3000", true),
            ("null", "null", true),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://a.b-c.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://.example.com", false),
            ("https://*.example.com", "https://a..example.com", false),
            ("https://*.example.com", "https://evilexample.com", false),
            ("https://*.example.com", "https://evil.test/.example.com", false),
            ("https://*.example.com", "https://evil.test:1@a.example.com", false),
            ("https://*.example.com", "https://evil.test#.example.com", false),
            ("https://*.example.com", "https://a.example.com:8443", false),
            ("https://*.example.com", "http://a.example.com", false),
            ("https://*.example.com", "null", false),
            ("https://*.example.com:8443", "https://a.example.com:8443", true),
        ] {
            let parsed = OriginPattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(origin), expected, "{pattern} {origin}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_no_origin() {
        for (text, expected) in [
            ("app.example.com", OriginError::Malformed),
            ("https://", OriginError::Malformed),
            ("https://app.example.com/", OriginError::Malformed),
            ("https://app.example.com/path", OriginError::Malformed),
            ("https://user@app.example.com", OriginError::Malformed),
            ("https://app..example.com", OriginError::Malformed),
            ("https://app.example.com:", OriginError::Malformed),
            ("https://app.example.com:0443", OriginError::Malformed),
            ("https://app.example.com:99999", OriginError::Malformed),
            ("https://[::g]", OriginError::Malformed),
            ("://app", OriginError::Malformed),
            ("", OriginError::Malformed),
            ("https://App.example.com", OriginError::Capitals),
            ("https://app.example.com:443", OriginError::DefaultPort),
            ("http://app.example.com:80", OriginError::DefaultPort),
            ("https://*", OriginError::Star),
            ("https://*example.com", OriginError::Star),
            ("https://app.*.com", OriginError::Star),
            ("https://*.*.com", OriginError::Star),
        ] {
            assert_eq!(OriginPattern::parse(text), Err(expected), "{text}");
        }
    }
}
