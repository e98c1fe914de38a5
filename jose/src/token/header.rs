//! The JOSE header (RFC 7515 section 4): the parameters that decide how a token is verified, and the refusal of all
//! that would make it something else than a plainly signed JWT.

#[cfg(test)]
mod tests;

use std::fmt;

use super::TokenError;
use crate::Algorithm;
use crate::json::{Object, Value};

/// No `kid` may be longer. Keys are named by thumbprints, dates or URLs; this leaves room for each of them.
pub(crate) const MAX_KEY_ID_LEN: usize = 1024;

/// A header that asks for nothing but the verification of one signature with one of our algorithms.
///
/// `jwk`, `jku`, `x5u` and `x5c` (RFC 7515 section 4.1) are members of [`raw`](Self::raw) like any other, and nothing
/// reads them: a token does not bring its own key.
#[derive(Clone)]
pub struct Header {
    algorithm: Algorithm,
    key_id: Option<usize>,
    token_type: Option<usize>,
    raw: Object,
}

impl Header {
    /// `alg`
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `kid`. An empty one counts as absent, as it does for Envoy's own filter.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.string_at(self.key_id).filter(|key_id| !key_id.is_empty())
    }

    /// `typ`, as it stands.
    #[must_use]
    pub fn token_type(&self) -> Option<&str> {
        self.string_at(self.token_type)
    }

    /// Whether `typ` is this media type. Media types have no case, and `application/` may be left out
    /// (RFC 7515 section 4.1.9).
    #[must_use]
    pub fn is_of_type(&self, media_type: &str) -> bool {
        self.token_type().is_some_and(|token_type| {
            without_application(token_type).eq_ignore_ascii_case(without_application(media_type))
        })
    }

    /// All parameters.
    #[must_use]
    pub fn raw(&self) -> &Object {
        &self.raw
    }

    fn string_at(&self, position: Option<usize>) -> Option<&str> {
        self.raw.at(position?).and_then(Value::as_str)
    }
}

impl TryFrom<Object> for Header {
    type Error = TokenError;

    fn try_from(raw: Object) -> Result<Self, TokenError> {
        // First what makes the token a thing of another kind, so that the reason tells what it is.
        if raw.contains("enc") {
            return Err(TokenError::Encrypted);
        }
        let algorithm = algorithm(&raw)?;
        if raw.contains("crit") {
            return Err(TokenError::CriticalExtension);
        }
        if raw.contains("b64") {
            return Err(TokenError::UnencodedPayload);
        }
        if raw.contains("zip") {
            return Err(TokenError::Compressed);
        }
        if string(&raw, "cty")?.is_some_and(|(_, content_type)| is_token(content_type)) {
            return Err(TokenError::Nested);
        }
        let key_id = string(&raw, "kid")?;
        if key_id.is_some_and(|(_, key_id)| key_id.len() > MAX_KEY_ID_LEN) {
            return Err(TokenError::KeyIdTooLong);
        }
        let key_id = key_id.map(|(position, _)| position);
        let token_type = string(&raw, "typ")?.map(|(position, _)| position);
        Ok(Self {
            algorithm,
            key_id,
            token_type,
            raw,
        })
    }
}

/// Header parameters come from the caller and may hold anything; only what was understood is shown.
impl fmt::Debug for Header {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Header")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn algorithm(raw: &Object) -> Result<Algorithm, TokenError> {
    let name = raw
        .get("alg")
        .and_then(Value::as_str)
        .ok_or(TokenError::AlgorithmMissing)?;
    Algorithm::parse(name).ok_or(if name.eq_ignore_ascii_case("none") {
        TokenError::AlgorithmNone
    } else {
        TokenError::AlgorithmUnsupported
    })
}

/// A parameter that is a string if it is there, and its position.
fn string<'o>(raw: &'o Object, name: &'static str) -> Result<Option<(usize, &'o str)>, TokenError> {
    let Some(position) = raw.position(name) else {
        return Ok(None);
    };
    let text = raw
        .at(position)
        .and_then(Value::as_str)
        .ok_or(TokenError::HeaderType(name))?;
    Ok(Some((position, text)))
}

fn without_application(media_type: &str) -> &str {
    const APPLICATION: &str = "application/";
    match media_type.split_at_checked(APPLICATION.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(APPLICATION) => rest,
        _ => media_type,
    }
}

/// Whether a content type says that the payload is a token itself: `JWT` and whatever ends in `+jwt`.
fn is_token(content_type: &str) -> bool {
    without_application(content_type)
        .rsplit('+')
        .next()
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case("jwt"))
}
