//! Cookies, read as the native filter reads them, and taken out without touching the others.

use crate::request::Request;

/// All values of a cookie, in all `Cookie` headers (RFC 6265, section 5.4), without the double quotes that may stand
/// around them. Names are compared with their case and all blanks but those before them.
pub(super) fn values<'r>(request: &'r impl Request, name: &'r str) -> impl Iterator<Item = &'r [u8]> {
    crumbs(request)
        .filter_map(halves)
        .filter(move |(key, _)| *key == name.as_bytes())
        .map(|(_, value)| {
            let unquoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
            unquoted.unwrap_or(value).trim_ascii_end()
        })
}

/// The cookies without those of these names, as one header; `None` where none is left.
#[must_use]
pub fn without_cookies(request: &impl Request, names: &[&str]) -> Option<Vec<u8>> {
    let is_named = |crumb: &[u8]| halves(crumb).is_some_and(|(key, _)| names.iter().any(|name| key == name.as_bytes()));
    let kept: Vec<&[u8]> = crumbs(request)
        .filter(|crumb| !is_named(crumb))
        .map(<[u8]>::trim_ascii)
        .filter(|crumb| !crumb.is_empty())
        .collect();
    (!kept.is_empty()).then(|| kept.join(&b"; "[..]))
}

fn crumbs(request: &impl Request) -> impl Iterator<Item = &[u8]> {
    request
        .values("cookie")
        .flat_map(|value| value.split(|byte| *byte == b';'))
}

fn halves(crumb: &[u8]) -> Option<(&[u8], &[u8])> {
    let blanks = crumb.iter().take_while(|byte| **byte == b' ').count();
    let crumb = crumb.get(blanks..)?;
    let equals = crumb.iter().position(|byte| *byte == b'=')?;
    Some((crumb.get(..equals)?, crumb.get(equals + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{request, test};

    #[test]
    fn one_cookie_is_taken_out_and_the_others_stay() {
        for (values, expected) in [
            (&["sess=T"][..], None),
            (&["a=b; sess=T; c=\"d; e\""], Some("a=b; c=\"d; e\"")),
            (&["sess=T; a=b; sess=U"], Some("a=b")),
            (&["sess=T", "a=b", " c=d ;sess=U"], Some("a=b; c=d")),
            (&["xsess=T; sess; Sess=T"], Some("xsess=T; sess; Sess=T")),
            (&["; ;sess=T;"], None),
        ] {
            let headers: Vec<(&str, &str)> = values.iter().map(|value| ("cookie", *value)).collect();
            let kept = without_cookies(&request(&headers), &["sess"]);
            assert_eq!(kept.as_deref(), expected.map(str::as_bytes), "{values:?}");
        }
    }
}
