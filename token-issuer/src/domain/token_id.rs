//! The `jti` of a token (RFC 7519 §4.1.7): 128 random bits in hexadecimal, as Django REST services know it from
//! `SimpleJWT`. For a refresh token it is also what the database remembers, as a hash.

use std::fmt;

use aws_lc_rs::digest;

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// A token's identifier.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TokenId(String);

/// What is stored of a refresh token: SHA-256 of its identifier.
pub(crate) type TokenIdHash = [u8; 32];

impl TokenId {
    /// Makes an identifier of random bytes.
    pub(crate) fn from_random(bytes: [u8; 16]) -> Self {
        Self(hexadecimal(&bytes))
    }

    /// Takes the identifier of a token whose signature was verified.
    pub(crate) fn from_verified_claim(jti: &str) -> Self {
        Self(jti.to_owned())
    }

    /// As it stands in the `jti` claim.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256, which is what the database holds of a refresh token.
    pub(crate) fn hash(&self) -> TokenIdHash {
        let digest = digest::digest(&digest::SHA256, self.0.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        hash
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenId(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_32_hexadecimal_digits() {
        let id = TokenId::from_random([0x0f, 0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 255]);
        assert_eq!(id.as_str(), "0fa00102030405060708090a0b0c0dff");
    }

    #[test]
    fn the_hash_is_sha_256_of_the_text() {
        let expected = digest::digest(&digest::SHA256, b"00000000000000000000000000000000");
        assert_eq!(TokenId::from_random([0; 16]).hash(), expected.as_ref());
    }

    #[test]
    fn debug_output_hides_the_identifier() {
        assert!(!format!("{:?}", TokenId::from_random([7; 16])).contains("0707"));
    }
}
