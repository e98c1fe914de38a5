//! Why a token is malformed. No reason repeats any of the token, so each may be logged and shown.

use std::fmt;

use crate::json::JsonError;

/// A part of a token, by its place between the dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The first part, the JOSE header
    Header,
    /// The second part, the claims
    Payload,
    /// The third part
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// Why a token was refused before any key was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is longer than the limit.
    #[error("the token is longer than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes
        limit: usize,
    },
    /// It has not exactly two dots. The JSON serialisations of RFC 7515 section 7.2 end here as well.
    #[error("the token does not have three parts")]
    NotThreeParts,
    /// It is encrypted: it has five parts, or its header names a content encryption.
    #[error("the token is encrypted")]
    Encrypted,
    /// A part is not base64url without padding (RFC 7515 section 2).
    #[error("the token's {0} is not base64url")]
    Encoding(Part),
    /// A part is not strict JSON.
    #[error("the token's {0} is refused: {1}")]
    Json(Part, #[source] JsonError),
    /// A part is JSON, but no object.
    #[error("the token's {0} is not a JSON object")]
    NotAnObject(Part),
    /// The signature is empty.
    #[error("the token has no signature")]
    SignatureMissing,

    /// The header has no `alg`, or one that is no string (RFC 7515 section 4.1.1).
    #[error("the token names no algorithm")]
    AlgorithmMissing,
    /// `alg` is `none`, in whatever case (RFC 8725 section 3.1).
    #[error("the token says that it is unsigned")]
    AlgorithmNone,
    /// `alg` is none of the signature algorithms that are supported.
    #[error("the token's algorithm is not supported")]
    AlgorithmUnsupported,
    /// The header has a `crit` (RFC 7515 section 4.1.11). No extension is supported, so any use of it is refused, also
    /// those that the RFC forbids: empty, no list, naming what needs no naming.
    #[error("the token demands an extension that is not supported")]
    CriticalExtension,
    /// The header has a `b64` (RFC 7797), which must come with a `crit` and is not for JWTs (RFC 7797 section 7).
    #[error("the token's payload is said to be unencoded")]
    UnencodedPayload,
    /// The header has a `zip` (RFC 7516 section 4.1.3), which no signed token has.
    #[error("the token is said to be compressed")]
    Compressed,
    /// `cty` says that the payload is another token (RFC 7519 section 5.2).
    #[error("the token holds another token")]
    Nested,
    /// A header parameter has another type than its RFC gives it.
    #[error("the token's header parameter {0} has the wrong type")]
    HeaderType(&'static str),
    /// `kid` is longer than any key's.
    #[error("the token's key id is too long")]
    KeyIdTooLong,

    /// A registered claim has another type than RFC 7519 section 4.1 gives it; `null` is such a type.
    #[error("the token's claim {0} has the wrong type")]
    ClaimType(&'static str),
    /// A date is negative, or 2^63 seconds or more (`iat`: 2^64).
    #[error("the token's claim {0} is out of range")]
    ClaimRange(&'static str),
}
