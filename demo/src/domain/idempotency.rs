//! The `Idempotency-Key` of a request that must not happen twice (draft-ietf-httpapi-idempotency-key-header).

use thiserror::Error;

/// Long enough for any UUID or hash, short enough to index.
const MAX_LENGTH: usize = 255;

/// A caller's name for one intended change. The same key again means the same change, never a second one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

/// Why a header value is not a key.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("must be 1 to {MAX_LENGTH} visible ASCII characters without quotes inside, such as a fresh UUID")]
pub(crate) struct IdempotencyKeyError;

impl IdempotencyKey {
    /// The key without the quotes that it may have been sent in.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&[u8]> for IdempotencyKey {
    type Error = IdempotencyKeyError;

    /// The draft makes the value a quoted string; most clients send it bare. Both name the same key.
    fn try_from(value: &[u8]) -> Result<Self, IdempotencyKeyError> {
        let bare = match value {
            [b'"', inner @ .., b'"'] => inner,
            other => other,
        };
        let visible = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"' && *byte != b'\\';
        if bare.is_empty() || bare.len() > MAX_LENGTH || !bare.iter().all(visible) {
            return Err(IdempotencyKeyError);
        }
        String::from_utf8(bare.to_vec())
            .map(Self)
            .map_err(|_| IdempotencyKeyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_quoted_or_bare() {
        let longest = "k".repeat(255);
        let too_long = "k".repeat(256);
        for (value, expected) in [
            (
                &b"8e03978e-40d5-43dd-bc93-6894a57f9324"[..],
                Some("8e03978e-40d5-43dd-bc93-6894a57f9324"),
            ),
            (b"\"8e03978e\"", Some("8e03978e")),
            (longest.as_bytes(), Some(longest.as_str())),
            (too_long.as_bytes(), None),
            (b"", None),
            (b"\"\"", None),
            (b"\"", None),
            (b"\"open", None),
            (b"a\"b", None),
            (b"a b", None),
            (b"a, b", None),
            (b"caf\xc3\xa9", None),
            (b"\xff", None),
            (b"a\tb", None),
        ] {
            let key = IdempotencyKey::try_from(value).ok();
            assert_eq!(key.as_ref().map(IdempotencyKey::as_str), expected, "{value:?}");
        }
    }
}
