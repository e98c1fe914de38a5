//! One line of the log: a JSON object, made of what the gate knows and nothing that a caller wrote.

use serde::Serialize;

use super::{Kind, Look};
use crate::refusal::request_id;
use crate::request::Request;

/// A line about one event, or about those that were left out.
#[derive(Debug, Serialize)]
pub struct Line<'l> {
    event: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u64>,
}

impl<'l> Line<'l> {
    /// About one event.
    #[must_use]
    pub fn of(kind: Kind, look: Look<'l>, request: &'l impl Request) -> Self {
        Self {
            event: "suspicious",
            kind: kind.name(),
            header: look.forged.filter(|_| kind == Kind::ForgedHeader),
            code: look.refused.map(crate::refusal::Reason::code),
            address: look.address.map(|address| address.to_string()),
            request_id: request_id(request),
            left_out: None,
        }
    }

    /// About so many that were not written.
    #[must_use]
    pub fn about_those_left_out(kind: Kind, number: u64) -> Self {
        Self {
            event: "suspicious",
            kind: kind.name(),
            header: None,
            code: None,
            address: None,
            request_id: None,
            left_out: Some(number),
        }
    }

    /// The text of the line.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::ClientAddress;
    use crate::refusal::Reason;
    use crate::testing::{request, test};

    #[test]
    fn a_line_tells_what_is_known_and_nothing_that_was_sent() {
        let sent = request(&[
            (":path", "/secret?access_token=abc"),
            ("x_user_id", "admin"),
            ("x-request-id", "0f2a1b3c-4d5e-6f70-8192-a3b4c5d6e7f8"),
            ("authorization", "Bearer abc"),
        ]);
        let look = Look {
            forged: Some("x-user-id"),
            refused: Some(Reason::Expired),
            address: ClientAddress::parse(b"192.0.2.1:5"),
        };
        assert_eq!(
            Line::of(Kind::ForgedHeader, look, &sent).text(),
            r#"{"event":"suspicious","kind":"forged_header","header":"x-user-id","code":"token_expired","address":"192.0.2.1","request_id":"0f2a1b3c-4d5e-6f70-8192-a3b4c5d6e7f8"}"#
        );
        let look = Look {
            forged: Some("x-user-id"),
            refused: None,
            address: None,
        };
        let forged_id = request(&[("x-request-id", "<script>")]);
        assert_eq!(
            Line::of(Kind::RefusalBurst, look, &forged_id).text(),
            r#"{"event":"suspicious","kind":"refusal_burst"}"#
        );
        assert_eq!(
            Line::about_those_left_out(Kind::KeyProbing, 7).text(),
            r#"{"event":"suspicious","kind":"key_probing","left_out":7}"#
        );
    }
}
