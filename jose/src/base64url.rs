//! Base64url as RFC 7515 section 2 uses it: no padding, no white space, no other alphabet, and no bits set behind the
//! last byte. So every byte string has exactly one spelling, and no two different tokens decode alike.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The text is not base64url. It is not repeated here: it may come from an attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not unpadded base64url")]
pub struct NotBase64url;

/// Encodes bytes, without padding.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes the one spelling of a byte string.
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, NotBase64url> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| NotBase64url)
}

/// Decodes into a buffer that is used again and again; what was in it is gone afterwards, whatever the outcome.
pub(crate) fn decode_into(text: &str, buffer: &mut Vec<u8>) -> Result<(), NotBase64url> {
    buffer.clear();
    URL_SAFE_NO_PAD.decode_vec(text, buffer).map_err(|_| {
        buffer.clear();
        NotBase64url
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_was_encoded_is_decoded_to_the_same_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..bytes.len() {
            let (part, _) = bytes.split_at(length);
            assert_eq!(decode(encode(part)).unwrap(), part);
        }
        // RFC 7515 appendix C
        assert_eq!(encode([3, 236, 255, 224, 193]), "A-z_4ME");
    }

    #[test]
    fn every_other_spelling_is_refused() {
        for text in [
            "QQ==", "QQ=", "QUI=", "QR", "QUJ", "Q", "QUJDR", "A+z/4ME", "QU I", "QUI\n", " QUI", "QUI\r\n", "QU\tI",
            "QUI.", "QU\0I", "QÜI", "=", "====",
        ] {
            assert_eq!(decode(text), Err(NotBase64url), "{text:?}");
        }
    }

    #[test]
    fn a_buffer_keeps_nothing_of_what_it_held_before() {
        let mut buffer = b"before".to_vec();
        decode_into("QUI", &mut buffer).unwrap();
        assert_eq!(buffer, b"AB");
        assert_eq!(decode_into("QUJDREVGR0hJSktM!", &mut buffer), Err(NotBase64url));
        assert!(buffer.is_empty());
    }
}
