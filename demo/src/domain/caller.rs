//! Who calls, as the gate says it.

use thiserror::Error;

use super::id::UserId;

/// A name longer than this is no name.
const MAX_NAME_BYTES: usize = 255;

/// The caller that the gate vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Who they are.
    pub(crate) id: UserId,
    /// What they may do.
    scopes: Vec<String>,
}

/// What a caller may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// See one's accounts.
    BankRead,
    /// See one's transfers and payment requests.
    PaymentRead,
    /// Move money, ask for it, answer requests.
    PaymentWrite,
}

impl Scope {
    /// The word in the token.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::BankRead => "bank.read",
            Self::PaymentRead => "payment.read",
            Self::PaymentWrite => "payment.write",
        }
    }
}

/// Why the headers name no caller. The words never repeat what was sent.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum CallerError {
    /// A header that must be there is not.
    #[error("the header {0} is missing; the gate sets it for every caller with a valid token")]
    Missing(&'static str),
    /// A header stands there more than once: which one would be true?
    #[error("the header {0} stands there more than once")]
    Repeated(&'static str),
    /// A header has a value that the gate would not send.
    #[error("the header {name} is malformed: {expected}")]
    Malformed {
        /// Which header.
        name: &'static str,
        /// What would be right.
        expected: &'static str,
    },
}

/// The header with the user's id.
pub(crate) const USER_ID: &str = "x-user-id";
/// The header with the user's name.
pub(crate) const USER_NAME: &str = "x-user-name";
/// The header with what the user may do.
pub(crate) const USER_SCOPE: &str = "x-user-scope";

impl Caller {
    /// Reads the three identity headers. `values` gives all values of a header.
    ///
    /// A token without a scope makes the gate leave `x-user-scope` out: such a caller is known, and may do nothing.
    pub(crate) fn from_headers<'a>(values: impl Fn(&'static str) -> Vec<&'a [u8]>) -> Result<Self, CallerError> {
        let one = |name| match values(name).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(*value)),
            _ => Err(CallerError::Repeated(name)),
        };
        let text = |name, expected| {
            let malformed = CallerError::Malformed { name, expected };
            match one(name)?.map(std::str::from_utf8) {
                None => Ok(None),
                Some(Ok(text)) if !text.chars().any(char::is_control) => Ok(Some(text)),
                Some(_) => Err(malformed),
            }
        };

        let expected = "a UUID";
        let id = text(USER_ID, expected)?.ok_or(CallerError::Missing(USER_ID))?;
        let id = UserId::parse(id).ok_or(CallerError::Malformed {
            name: USER_ID,
            expected,
        })?;

        let expected = "1 to 255 bytes of text";
        let name = text(USER_NAME, expected)?.ok_or(CallerError::Missing(USER_NAME))?;
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(CallerError::Malformed {
                name: USER_NAME,
                expected,
            });
        }

        let scopes = text(USER_SCOPE, "words with spaces between them")?.unwrap_or_default();
        let scopes = scopes
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        Ok(Self { id, scopes })
    }

    /// Whether the caller may do this. Whole words only: `payment.reader` is not `payment.read`.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|word| word == scope.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ALICE: &[u8] = b"0190163d-8694-739b-aea5-966c26f8ad91";

    type Case<'a> = (&'a str, Vec<(&'a str, &'a [u8])>, Result<(), CallerError>);

    fn read(headers: &[(&str, &[u8])]) -> Result<Caller, CallerError> {
        let headers: Vec<(String, Vec<u8>)> = headers.iter().map(|(n, v)| ((*n).to_owned(), v.to_vec())).collect();
        Caller::from_headers(|name| {
            headers
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, v)| v.as_slice())
                .collect()
        })
    }

    #[test]
    fn a_caller_is_named_by_well_formed_headers_only() {
        let malformed_id = || {
            Err(CallerError::Malformed {
                name: USER_ID,
                expected: "a UUID",
            })
        };
        let malformed_name = || {
            Err(CallerError::Malformed {
                name: USER_NAME,
                expected: "1 to 255 bytes of text",
            })
        };
        let long = vec![b'a'; 256];
        let cases: Vec<Case<'_>> = vec![
            ("id and name", vec![(USER_ID, ALICE), (USER_NAME, b"alice")], Ok(())),
            (
                "a name in UTF-8",
                vec![(USER_ID, ALICE), (USER_NAME, "Zoë".as_bytes())],
                Ok(()),
            ),
            ("nothing", vec![], Err(CallerError::Missing(USER_ID))),
            ("no id", vec![(USER_NAME, b"alice")], Err(CallerError::Missing(USER_ID))),
            ("no name", vec![(USER_ID, ALICE)], Err(CallerError::Missing(USER_NAME))),
            (
                "an id with underscores",
                vec![("x_user_id", ALICE), (USER_NAME, b"a")],
                Err(CallerError::Missing(USER_ID)),
            ),
            (
                "a name for an id",
                vec![(USER_ID, b"alice"), (USER_NAME, b"alice")],
                malformed_id(),
            ),
            (
                "an empty id",
                vec![(USER_ID, b""), (USER_NAME, b"alice")],
                malformed_id(),
            ),
            (
                "bytes for an id",
                vec![(USER_ID, b"\xff"), (USER_NAME, b"alice")],
                malformed_id(),
            ),
            (
                "two ids",
                vec![(USER_ID, ALICE), (USER_ID, ALICE)],
                Err(CallerError::Repeated(USER_ID)),
            ),
            (
                "two ids in one",
                vec![(USER_ID, b"a, b"), (USER_NAME, b"alice")],
                malformed_id(),
            ),
            (
                "an empty name",
                vec![(USER_ID, ALICE), (USER_NAME, b"")],
                malformed_name(),
            ),
            (
                "a long name",
                vec![(USER_ID, ALICE), (USER_NAME, &long)],
                malformed_name(),
            ),
            (
                "a tab in a name",
                vec![(USER_ID, ALICE), (USER_NAME, b"a\tb")],
                malformed_name(),
            ),
            (
                "two scopes",
                vec![
                    (USER_ID, ALICE),
                    (USER_NAME, b"a"),
                    (USER_SCOPE, b"bank.read"),
                    (USER_SCOPE, b"payment.write"),
                ],
                Err(CallerError::Repeated(USER_SCOPE)),
            ),
        ];
        for (case, headers, expected) in cases {
            assert_eq!(read(&headers).map(|_| ()), expected, "{case}");
        }
    }

    #[test]
    fn a_scope_counts_as_a_whole_word() {
        for (scopes, allowed) in [
            (&b"payment.read"[..], true),
            (b"bank.read payment.read", true),
            (b"  bank.read  payment.read ", true),
            (b"", false),
            (b"payment.reader", false),
            (b"xpayment.read", false),
            (b"PAYMENT.READ", false),
            (b"payment.write", false),
            (b"bank.read,payment.read", false),
        ] {
            let caller = read(&[(USER_ID, ALICE), (USER_NAME, b"alice"), (USER_SCOPE, scopes)]).unwrap();
            assert_eq!(caller.may(Scope::PaymentRead), allowed, "{scopes:?}");
        }
        assert!(
            !read(&[(USER_ID, ALICE), (USER_NAME, b"alice")])
                .unwrap()
                .may(Scope::PaymentRead)
        );
    }
}
