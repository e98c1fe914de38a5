//! Paths that mean the same thing to the gate and to every server behind it.
//!
//! A gate that matches `/bank/..;/admin` as text while the service resolves it is no gate. A path that two readers could
//! understand differently is refused, not repaired: Envoy's own normalisation stands before the filter, and what is left
//! after it was either not normalised or written to mislead. One repair is safe, and done: an encoded character that
//! needed no encoding means the same decoded (RFC 3986, section 6.2.2.2).

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path can be understood in more than one way")]
pub struct DangerousPath;

/// A path in the one form in which it is both matched and forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanPath(String);

impl CleanPath {
    /// Checks and normalises the path of a request target (no query, see [`path_of`](crate::request::path_of)).
    pub fn parse(raw: &[u8]) -> Result<Self, DangerousPath> {
        let path = normalise(raw)?;
        // A path begins with a slash; an absolute form does not.
        let mut rest = path.strip_prefix('/').ok_or(DangerousPath)?.split('/').peekable();
        while let Some(segment) = rest.next() {
            let last = rest.peek().is_none();
            if segment == "." || segment == ".." || (segment.is_empty() && !last) {
                return Err(DangerousPath);
            }
        }
        Ok(Self(path))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn normalise(raw: &[u8]) -> Result<String, DangerousPath> {
    let mut path = String::with_capacity(raw.len());
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if !is_plain(byte) {
                return Err(DangerousPath);
            }
            path.push(char::from(byte));
            decoded.push(byte);
            continue;
        }
        let value = bytes
            .next()
            .zip(bytes.next())
            .and_then(|(high, low)| hex(high, low))
            .ok_or(DangerousPath)?;
        match value {
            // Encoded separators, the percent sign of a double encoding, and control characters.
            b'/' | b'\\' | b'%' | b';' | 0..=0x1f | 0x7f => return Err(DangerousPath),
            _ if is_unreserved(value) => path.push(char::from(value)),
            _ => path.extend(percent_encoded(value)),
        }
        decoded.push(value);
    }
    // Overlong forms of `.` and `/` are not UTF-8; a lenient decoder behind us might take them.
    if std::str::from_utf8(&decoded).is_err() {
        return Err(DangerousPath);
    }
    Ok(path)
}

/// A byte in percent-encoding, as RFC 3986 (section 2.1) prefers it.
pub(crate) fn percent_encoded(byte: u8) -> [char; 3] {
    let digit = |value: u8| char::from(b"0123456789ABCDEF".get(usize::from(value)).copied().unwrap_or(b'0'));
    ['%', digit(byte >> 4), digit(byte & 0xf)]
}

/// What may stand in a path unencoded: visible ASCII but for what begins a query, a fragment or a path parameter, and the
/// backslash, which some servers take for a slash.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b';' | b'\\')
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_path_that_could_widen_access_is_refused() {
        for path in [
            "",
            "bank/accounts",
            "*",
            "http://bank/accounts/",
            "HTTP://BANK:80/accounts/",
            "//admin",
            "/bank//admin",
            "///",
            "/bank/../admin",
            "/bank/..",
            "/..",
            "/../",
            "/./bank/",
            "/bank/.",
            "/%2e%2e/admin",
            "/%2E%2E/admin",
            "/.%2e/admin",
            "/%2e./admin",
            "/bank/%2e/admin",
            "/bank%2Fadmin",
            "/bank%2fadmin",
            "/bank%5Cadmin",
            "/bank%5cadmin",
            "/bank\\admin",
            "/bank\\..\\admin",
            "/..;/admin",
            "/bank/..;/admin",
            "/bank/;x",
            "/bank;x=1/accounts",
            "/bank/%3bx",
            "/bank%00",
            "/bank/%0d%0aset-cookie:x",
            "/bank/%7f",
            "/bank/%09",
            "/%252e%252e/admin",
            "/bank/%25",
            "/bank/%",
            "/bank/%2",
            "/bank/%zz",
            "/bank/% 2",
            "/bank/%+f",
            "/bank/%c0%ae%c0%ae/",
            "/bank/%c0%af",
            "/bank/%e0%80%af",
            "/bank/%ff",
            "/bank/caf\u{e9}",
            "/bank/a b",
            "/bank/\t",
            "/bank/\u{0}",
            "/bank/#/admin",
        ] {
            assert_eq!(CleanPath::parse(path.as_bytes()), Err(DangerousPath), "{path:?}");
        }
        assert_eq!(CleanPath::parse(b"/bank/\xff"), Err(DangerousPath));
    }

    #[test]
    fn an_ordinary_path_passes_and_needless_encoding_is_undone() {
        for (path, clean) in [
            ("/", "/"),
            ("/bank/", "/bank/"),
            ("/bank/accounts/1/", "/bank/accounts/1/"),
            ("/.well-known/jwks.json", "/.well-known/jwks.json"),
            ("/bank/...", "/bank/..."),
            ("/bank/..a/.b", "/bank/..a/.b"),
            ("/b%61nk/", "/bank/"),
            ("/bank/%7ealice", "/bank/~alice"),
            ("/bank/a%20b", "/bank/a%20b"),
            ("/bank/caf%c3%a9", "/bank/caf%C3%A9"),
            ("/bank/a:b@c!$&'()*+,=", "/bank/a:b@c!$&'()*+,="),
        ] {
            assert_eq!(
                CleanPath::parse(path.as_bytes()),
                Ok(CleanPath(clean.to_owned())),
                "{path}"
            );
        }
    }
}
