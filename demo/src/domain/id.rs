//! Identifiers, one type for each kind of thing: an account's id can never stand where a user's belongs.

use std::fmt;

use serde::Serialize;
use uuid::Uuid;

/// Reads a UUID in its one usual spelling (RFC 9562, section 4): 36 characters with hyphens.
///
/// The `uuid` crate would also take braces, a URN or no hyphens at all; one thing with many names helps only an attacker.
pub(crate) fn parse_uuid(text: &str) -> Option<Uuid> {
    if text.len() != 36 {
        return None;
    }
    Uuid::try_parse(text).ok()
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) Uuid);

        impl $name {
            /// Reads the identifier from text.
            pub(crate) fn parse(text: &str) -> Option<Self> {
                parse_uuid(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

identifiers! {
    /// A user, as the gate names them (the token's `sub`).
    UserId,
    /// An account at the bank.
    AccountId,
    /// A transfer that has happened.
    TransferId,
    /// A request from one user to another to pay.
    PaymentRequestId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_spelling() {
        let good = "0190163d-8694-739b-aea5-966c26f8ad91";
        for (text, accepted) in [
            (good, true),
            ("0190163D-8694-739B-AEA5-966C26F8AD91", true),
            ("0190163d8694739baea5966c26f8ad91", false),
            ("{0190163d-8694-739b-aea5-966c26f8ad91}", false),
            ("urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91", false),
            ("0190163d-8694-739b-aea5-966c26f8ad9g", false),
            (" 190163d-8694-739b-aea5-966c26f8ad91", false),
            ("0190163d-8694-739b-aea5-966c26f8ad9", false),
            ("", false),
        ] {
            assert_eq!(parse_uuid(text).is_some(), accepted, "{text}");
        }
    }
}
