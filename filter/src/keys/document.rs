//! The answer to a fetch: only a key set that is whole and holds a key that can verify takes the place of an older one.
//!
//! What the content type says makes no difference, since servers say all sorts of things; the bytes decide.

use jose::json::JsonError;
use jose::{JwkSet, JwkSetError, KeySource};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<'b> {
    /// The status; `None` where there was no answer.
    pub status: Option<u16>,
    /// The `Content-Encoding`, if there is one.
    pub encoding: Option<&'b [u8]>,
    /// How long the body is, also where it was too long to be read.
    pub body_len: usize,
    /// The body.
    pub body: &'b [u8],
}

impl<'b> Response<'b> {
    /// A document that was good once.
    #[must_use]
    pub fn kept(body: &'b [u8]) -> Self {
        Self {
            status: Some(200),
            encoding: None,
            body_len: body.len(),
            body,
        }
    }

    /// The body of an answer that can be read.
    pub fn document(&self, limit: usize) -> Result<&'b [u8], DocumentError> {
        match self.status {
            None => return Err(DocumentError::NoAnswer),
            Some(200) => {}
            Some(status) => return Err(DocumentError::Status(status)),
        }
        if self
            .encoding
            .is_some_and(|encoding| !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity"))
        {
            return Err(DocumentError::Encoded);
        }
        if self.body_len > limit {
            return Err(DocumentError::TooLarge {
                len: self.body_len,
                limit,
            });
        }
        Ok(self.body)
    }
}

/// Why an answer is not what was asked for. Says nothing of what the answer said, but for the host in an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Nothing came: a timeout, a connection that failed, a cluster without a healthy host.
    #[error("no answer")]
    NoAnswer,
    /// Another status than 200; redirects are not followed. Envoy gives some to calls that had no answer.
    #[error("status {0} instead of 200{hint}", hint = Self::hint(*.0))]
    Status(u16),
    /// It is compressed, though it was asked for as it is (RFC 9110, section 12.5.3).
    #[error("it has a content-encoding, though identity was asked for")]
    Encoded,
    /// More than the limit.
    #[error("{len} bytes are more than the limit of {limit}")]
    TooLarge {
        /// What came.
        len: usize,
        /// What may come.
        limit: usize,
    },
    /// No JSON Web Key Set, or one without any key that could verify a signature.
    #[error("no usable JSON Web Key Set: {0}")]
    NotAKeySet(#[source] JwkSetError),
    /// Metadata of an issuer are a JSON object (Discovery, section 4.2; RFC 8414, section 3.2).
    #[error("no JSON object of issuer metadata: {0}")]
    NotMetadata(#[source] JsonError),
    /// The metadata are another issuer's than this one.
    #[error("its issuer is not exactly {0}, the provider's; a closing slash counts")]
    WrongIssuer(String),
    /// The metadata don't tell where the keys are.
    #[error("it has no jwks_uri that is an http or https address")]
    NoAddress,
    /// The keys are to be fetched over less than the metadata.
    #[error("its jwks_uri is http, though the issuer is https")]
    PlainAddress,
    /// The keys are at a host that the configuration does not name.
    #[error(
        "its jwks_uri is at {found}, not at {expected}; if that is right, write it into discovery as jwks_authority"
    )]
    ForeignAddress {
        /// Where they are said to be.
        found: String,
        /// Where they may be.
        expected: String,
    },
}

impl DocumentError {
    fn hint(status: u16) -> &'static str {
        match status {
            503 => ", which is also what Envoy says when the server can't be reached",
            504 => ", which is also what Envoy says when the timeout is over",
            _ => "",
        }
    }

    /// Whether asking again soon may help: an answer that says the server is in trouble, or none (as in the native filter's
    /// retries).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::NoAnswer | Self::Status(500..))
    }
}

/// Reads the keys out of an answer.
pub fn read_document(response: &Response<'_>, limit: usize) -> Result<JwkSet, DocumentError> {
    JwkSet::parse(response.document(limit)?, KeySource::Remote).map_err(DocumentError::NotAKeySet)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use super::*;
    use crate::testing::{jwks, test};

    #[test]
    fn only_a_whole_key_set_takes_the_place_of_an_older_one() {
        let good = jwks(&[("one", 1)]);
        let half = &good[..good.len() / 2];
        let twice = jwks(&[("one", 1), ("one", 2)]);
        for (status, body, expected) in [
            (Some(200), good.as_str(), "1 keys"),
            (None, "", "no answer"),
            (Some(304), "", "status 304 instead of 200"),
            (Some(302), good.as_str(), "status 302 instead of 200"),
            (Some(201), good.as_str(), "status 201 instead of 200"),
            (Some(500), good.as_str(), "status 500 instead of 200"),
            (Some(200), "", "no usable JSON Web Key Set"),
            (Some(200), "<html>", "no usable JSON Web Key Set"),
            (Some(200), half, "no usable JSON Web Key Set"),
            (Some(200), "{}", "no usable JSON Web Key Set"),
            (Some(200), r#"{"keys":[]}"#, "no usable JSON Web Key Set"),
            (
                Some(200),
                r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#,
                "no usable JSON Web Key Set",
            ),
            (Some(200), twice.as_str(), "no usable JSON Web Key Set"),
        ] {
            let response = Response {
                status,
                ..Response::kept(body.as_bytes())
            };
            let said = match read_document(&response, 4096) {
                Ok(keys) => format!("{} keys", keys.keys().len()),
                Err(error) => error.to_string(),
            };
            assert!(said.starts_with(expected), "{status:?} {body}: {said}");
        }
    }

    #[test]
    fn a_body_beyond_the_limit_is_refused_unread() {
        let response = Response {
            body_len: 100 << 20,
            ..Response::kept(b"")
        };
        let limit = 1 << 20;
        assert_eq!(
            read_document(&response, limit).err(),
            Some(DocumentError::TooLarge { len: 100 << 20, limit })
        );
    }

    #[test]
    fn a_body_that_is_encoded_is_refused_unread() {
        let good = jwks(&[("one", 1)]);
        for (encoding, read) in [
            (None, true),
            (Some(""), true),
            (Some("identity"), true),
            (Some("Identity"), true),
            (Some("gzip"), false),
            (Some("identity, br"), false),
        ] {
            let response = Response {
                encoding: encoding.map(str::as_bytes),
                ..Response::kept(good.as_bytes())
            };
            let expected = if read { None } else { Some(DocumentError::Encoded) };
            assert_eq!(read_document(&response, 4096).err(), expected, "{encoding:?}");
        }
    }

    #[test]
    fn trouble_of_the_server_may_pass_and_a_wrong_document_will_not() {
        for (error, transient) in [
            (DocumentError::NoAnswer, true),
            (DocumentError::Status(500), true),
            (DocumentError::Status(503), true),
            (DocumentError::Status(404), false),
            (DocumentError::Status(302), false),
            (DocumentError::Encoded, false),
            (DocumentError::NoAddress, false),
        ] {
            assert_eq!(error.is_transient(), transient, "{error}");
        }
    }
}
