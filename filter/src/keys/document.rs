//! The answer to a fetch: only a key set that is whole and holds a key that can verify takes the place of an older one.

use jose::{JwkSet, JwkSetError, KeySource};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response<'b> {
    /// The status; `None` where there was no answer.
    pub status: Option<u16>,
    /// How long the body is, also where it was too long to be read.
    pub body_len: usize,
    /// The body.
    pub body: &'b [u8],
}

/// Why an answer is no key set. Says nothing of what the answer said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Nothing came: a timeout, a connection that failed, a cluster without a healthy host.
    #[error("no answer")]
    NoAnswer,
    /// Another status than 200; redirects are not followed.
    #[error("status {0} instead of 200")]
    Status(u16),
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
}

/// Reads the keys out of an answer.
pub fn read_document(response: &Response<'_>, limit: usize) -> Result<JwkSet, DocumentError> {
    match response.status {
        None => return Err(DocumentError::NoAnswer),
        Some(200) => {}
        Some(status) => return Err(DocumentError::Status(status)),
    }
    if response.body_len > limit {
        return Err(DocumentError::TooLarge {
            len: response.body_len,
            limit,
        });
    }
    JwkSet::parse(response.body, KeySource::Remote).map_err(DocumentError::NotAKeySet)
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
                body_len: body.len(),
                body: body.as_bytes(),
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
            status: Some(200),
            body_len: 100 << 20,
            body: b"",
        };
        let limit = 1 << 20;
        assert_eq!(
            read_document(&response, limit).err(),
            Some(DocumentError::TooLarge { len: 100 << 20, limit })
        );
    }
}
