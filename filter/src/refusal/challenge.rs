//! `WWW-Authenticate` (RFC 6750, section 3). The realm is the address that was asked for, as the native filter has it.

use super::{Challenge, Entry};
use crate::request::{Request, path_of};
use crate::service::percent_encoded;

/// No more of a path goes into a realm.
const PATH_LEN: usize = 256;

/// The header's value, if the refusal comes with one; with the scope that would have been enough, if it is known.
pub(super) fn challenge(entry: &Entry, request: &impl Request, scope: Option<&str>) -> Option<String> {
    let realm = realm(request);
    match entry.challenge {
        Challenge::None => None,
        Challenge::Bare => Some(format!("Bearer realm=\"{realm}\"")),
        Challenge::InvalidToken => Some(format!(
            "Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{}\"",
            entry.detail
        )),
        Challenge::InsufficientScope => {
            let mut value = format!(
                "Bearer realm=\"{realm}\", error=\"insufficient_scope\", error_description=\"{}\"",
                entry.detail
            );
            // What a scope may hold (RFC 6749, section 3.3) can't end the quoted string.
            value.extend(scope.map(|scope| format!(", scope=\"{scope}\"")));
            Some(value)
        }
    }
}

/// Scheme, host and path, without the query: it may hold a token. Whatever could end the quoted string or the line is
/// percent-encoded.
fn realm(request: &impl Request) -> String {
    let scheme = request
        .first(":scheme")
        .filter(|scheme| *scheme == b"https")
        .map_or("http", |_| "https");
    let host = request.first(":authority").unwrap_or_default();
    let path = path_of(request.target().unwrap_or_default());
    let mut realm = format!("{scheme}://");
    for byte in host.iter().take(PATH_LEN).chain(path.iter().take(PATH_LEN)) {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>') {
            realm.push(char::from(*byte));
        } else {
            realm.extend(percent_encoded(*byte));
        }
    }
    realm
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::refusal::Reason;
    use crate::testing::{request, test};

    #[test]
    fn the_realm_is_the_address_without_its_query() {
        let long = format!("/{}", "x".repeat(400));
        for (scheme, host, path, expected) in [
            ("http", "gate:8080", "/bank/", "http://gate:8080/bank/".to_owned()),
            (
                "https",
                "gate",
                "/bank/?access_token=secret#x",
                "https://gate/bank/".to_owned(),
            ),
            ("javascript", "gate", "/", "http://gate/".to_owned()),
            (
                "http",
                "a\", x=\"y",
                "/\"\\\r\n<b>",
                "http://a%22,%20x=%22y/%22%5C%0D%0A%3Cb%3E".to_owned(),
            ),
            ("http", "gate", "/caf\u{e9}", "http://gate/caf%C3%A9".to_owned()),
            ("http", "gate", long.as_str(), format!("http://gate{}", &long[..256])),
        ] {
            let request = request(&[(":scheme", scheme), (":authority", host), (":path", path)]);
            assert_eq!(realm(&request), expected);
        }
    }

    #[test]
    fn the_challenge_says_no_more_than_is_wrong() {
        let request = request(&[(":scheme", "http"), (":authority", "gate"), (":path", "/")]);
        for (reason, expected) in [
            (Reason::TokenMissing, Some("Bearer realm=\"http://gate/\"")),
            (
                Reason::Expired,
                Some(
                    "Bearer realm=\"http://gate/\", error=\"invalid_token\", error_description=\"The token has expired.\"",
                ),
            ),
            (Reason::KeysUnavailable, None),
            (Reason::ServiceUnknown, None),
            (Reason::AccessDenied, None),
        ] {
            assert_eq!(challenge(&reason.entry(), &request, None).as_deref(), expected);
        }
    }
}
