//! From bytes to a token that says what it claims to be: the compact serialisation (RFC 7515 section 3.1, RFC 7519).
//! Everything that can be refused without a key is refused here; whether any of it is true is for
//! [`JwkSet::verify`](crate::JwkSet::verify) to find out, and the types keep the two apart.

mod claims;
mod error;
mod header;
mod numeric_date;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use claims::Claims;
pub use error::{Part, TokenError};
pub use header::Header;
pub(crate) use header::MAX_KEY_ID_LEN;
pub use numeric_date::NumericDate;

use crate::base64url;
use crate::json::{self, Object};

/// A token of which nothing is known but that it is well-formed. What it says is behind names that end in
/// `_unverified`, for the decisions that have to be made first: which issuer's keys to ask, and whether it has expired
/// long before the dear work of verifying it.
///
/// Clones share their content, so that a token can wait for its keys, or live in a cache, without being copied.
#[derive(Clone)]
pub struct UnverifiedToken(Arc<Parts>);

struct Parts {
    compact: String,
    header_end: usize,
    payload_end: usize,
    header: Header,
    claims: Claims,
    signature: Vec<u8>,
}

impl UnverifiedToken {
    /// Parses a token of at most `max_len` bytes. A longer one is refused before anything of it is read, and the work
    /// for any other grows with its length only.
    pub fn parse(token: &[u8], max_len: usize) -> Result<Self, TokenError> {
        if token.len() > max_len {
            return Err(TokenError::TooLarge { limit: max_len });
        }
        let compact =
            std::str::from_utf8(token).map_err(|error| TokenError::Encoding(part_at(token, error.valid_up_to())))?;
        let (header, payload, signature) = three_parts(compact)?;

        let mut buffer = Vec::with_capacity(header.len().max(payload.len()));
        let parsed_header = Header::try_from(object(Part::Header, header, &mut buffer)?)?;
        let claims = Claims::try_from(object(Part::Payload, payload, &mut buffer)?)?;
        if signature.is_empty() {
            return Err(TokenError::SignatureMissing);
        }
        let signature = base64url::decode(signature).map_err(|_| TokenError::Encoding(Part::Signature))?;

        let header_end = header.len();
        let payload_end = header_end + 1 + payload.len();
        Ok(Self(Arc::new(Parts {
            compact: compact.to_owned(),
            header_end,
            payload_end,
            header: parsed_header,
            claims,
            signature,
        })))
    }

    /// The header, which anyone may have written.
    #[must_use]
    pub fn header_unverified(&self) -> &Header {
        &self.0.header
    }

    /// The claims, which anyone may have made.
    #[must_use]
    pub fn claims_unverified(&self) -> &Claims {
        &self.0.claims
    }

    /// The token as it came.
    #[must_use]
    pub fn compact(&self) -> &str {
        &self.0.compact
    }

    /// The header as it came, in base64url.
    #[must_use]
    pub fn header_segment(&self) -> &str {
        self.0.compact.get(..self.0.header_end).unwrap_or_default()
    }

    /// The payload as it came, in base64url.
    #[must_use]
    pub fn payload_segment(&self) -> &str {
        self.0
            .compact
            .get(self.0.header_end + 1..self.0.payload_end)
            .unwrap_or_default()
    }

    /// How much memory the token takes, in bytes, with all that was read from it. Clones share it.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Parts>()
            + self.0.compact.capacity()
            + self.0.signature.capacity()
            + self.0.header.raw().memory()
            + self.0.claims.raw().memory()
    }

    /// What the signature is over: header, dot and payload (RFC 7515 section 5.2, step 8).
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.0.compact.as_bytes().get(..self.0.payload_end).unwrap_or_default()
    }

    /// The signature, decoded.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.0.signature
    }
}

/// Tokens are never logged, not even by accident.
impl fmt::Debug for UnverifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UnverifiedToken")
            .field("algorithm", &self.0.header.algorithm())
            .finish_non_exhaustive()
    }
}

/// Cuts at the dots. The search ends at the first part too many, whatever follows.
fn three_parts(compact: &str) -> Result<(&str, &str, &str), TokenError> {
    let mut parts = compact.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok((header, payload, signature)),
        // RFC 7516 section 9: five parts are an encrypted token.
        (_, _, _, Some(_)) if parts.next().is_some() && parts.next().is_none() => Err(TokenError::Encrypted),
        _ => Err(TokenError::NotThreeParts),
    }
}

/// The part that a byte belongs to, by the dots in front of it.
fn part_at(token: &[u8], position: usize) -> Part {
    match token.iter().take(position).filter(|byte| **byte == b'.').count() {
        0 => Part::Header,
        1 => Part::Payload,
        _ => Part::Signature,
    }
}

fn object(part: Part, segment: &str, buffer: &mut Vec<u8>) -> Result<Object, TokenError> {
    base64url::decode_into(segment, buffer).map_err(|_| TokenError::Encoding(part))?;
    match json::parse(buffer).map_err(|error| TokenError::Json(part, error))? {
        json::Value::Object(object) => Ok(object),
        _ => Err(TokenError::NotAnObject(part)),
    }
}
