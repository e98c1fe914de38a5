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
