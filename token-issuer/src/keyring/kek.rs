//! The key-encryption key: 256 bits from a file outside the database, under which private keys are sealed with
//! AES-256-GCM. The key id is the associated data, so that a sealed key opens in its own row only.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hmac,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    domain::{signing_key::KeyId, token_id::hexadecimal},
    environment::{Entropy, EntropyError, random},
};

const KEY_BYTES: usize = 32;

/// A key under which private keys are sealed.
pub(crate) struct KeyEncryptionKey {
    aead: RandomizedNonceKey,
    id: KekId,
}

/// Tells one key-encryption key from another without telling anything else about it. Stored beside what was sealed, so
/// that a wrong key is called by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KekId(pub(crate) String);

impl fmt::Display for KekId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A private key as it is stored: nonce, ciphertext and tag.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SealedKey {
    /// The sealed bytes.
    pub(crate) bytes: Vec<u8>,
    /// Which key-encryption key it takes.
    pub(crate) sealed_with: KekId,
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "SealedKey({} bytes, sealed with {})",
            self.bytes.len(),
            self.sealed_with
        )
    }
}

/// Why there is no key-encryption key.
#[derive(Debug, Error)]
pub(crate) enum KekFileError {
    /// The file can't be read.
    #[error(
        "cannot read the key-encryption key from {path}: {source}; \
         set GATEHOUSE_KEY_ENCRYPTION_KEY_FILE, and make a key with `token-issuer keys generate-kek > FILE`",
        path = path.display()
    )]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{path} holds no key-encryption key: expected 32 bytes as base64url (43 characters) or hexadecimal \
         (64 characters); make one with `token-issuer keys generate-kek > FILE`",
        path = path.display()
    )]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
}

/// Why a sealed key stays shut.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum OpenError {
    /// Another key-encryption key sealed it.
    #[error(
        "the signing key {kid} was sealed with the key-encryption key {sealed_with}, but \
         GATEHOUSE_KEY_ENCRYPTION_KEY_FILE holds {given}"
    )]
    WrongKek {
        /// Which signing key.
        kid: KeyId,
        /// What would open it.
        sealed_with: KekId,
        /// What was given.
        given: KekId,
    },
    /// The right key-encryption key, but the bytes were changed or belong to another row.
    #[error("the sealed signing key {0} is damaged: its row was changed by something else than the token issuer")]
    Damaged(KeyId),
}

/// Sealing failed in the cryptographic library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signing key could not be sealed")]
pub(crate) struct SealError;

impl KeyEncryptionKey {
    /// Reads the key from a file.
    pub(crate) fn from_file(path: &Path) -> Result<Self, KekFileError> {
        let text = fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|source| KekFileError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        Self::from_text(text.trim()).ok_or_else(|| KekFileError::Malformed { path: path.to_owned() })
    }

    /// Reads the key from base64url or hexadecimal text.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        match text.len() {
            43 => {
                let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
                bytes.copy_from_slice(&decoded);
            }
            64 if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                    *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
                }
            }
            _ => return None,
        }
        let id = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &*bytes),
            b"gatehouse key-encryption key id",
        );
        Some(Self {
            aead: RandomizedNonceKey::new(&AES_256_GCM, &*bytes).ok()?,
            id: KekId(hexadecimal(&id.as_ref()[..8])),
        })
    }

    /// Makes the text of a new key.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Zeroizing<String>, EntropyError> {
        let bytes = Zeroizing::new(random::<KEY_BYTES>(entropy)?);
        Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
    }

    /// Seals a private key for the row of `kid`.
    pub(crate) fn seal(&self, kid: &KeyId, private_key: &[u8]) -> Result<SealedKey, SealError> {
        let mut sealed = Zeroizing::new(private_key.to_vec());
        let nonce = self
            .aead
            .seal_in_place_append_tag(Aad::from(kid.0.as_bytes()), &mut *sealed)
            .map_err(|_| SealError)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.extend_from_slice(&sealed);
        Ok(SealedKey {
            bytes,
            sealed_with: self.id.clone(),
        })
    }

    /// Opens the private key of the row of `kid`.
    pub(crate) fn open(&self, kid: &KeyId, sealed: &SealedKey) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if sealed.sealed_with != self.id {
            return Err(OpenError::WrongKek {
                kid: kid.clone(),
                sealed_with: sealed.sealed_with.clone(),
                given: self.id.clone(),
            });
        }
        let damaged = || OpenError::Damaged(kid.clone());
        let (nonce, ciphertext) = sealed.bytes.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut in_out = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .aead
            .open_in_place(nonce, Aad::from(kid.0.as_bytes()), &mut in_out)
            .map_err(|_| damaged())?
            .len();
        in_out.truncate(length);
        Ok(in_out)
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyEncryptionKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::environment::SystemEntropy;

    fn kek() -> KeyEncryptionKey {
        KeyEncryptionKey::from_text(&KeyEncryptionKey::generate(&SystemEntropy::default()).unwrap()).unwrap()
    }

    fn kid(text: &str) -> KeyId {
        KeyId(text.to_owned())
    }

    #[test]
    fn a_sealed_key_opens_in_its_own_row() {
        let kek = kek();
        let sealed = kek.seal(&kid("a"), b"private").unwrap();
        assert!(!sealed.bytes.windows(7).any(|window| window == b"private"));
        assert_eq!(&**kek.open(&kid("a"), &sealed).unwrap(), b"private");
    }

    #[test]
    fn a_sealed_key_opens_in_no_other_row_and_not_when_a_bit_changed() {
        let kek = kek();
        let sealed = kek.seal(&kid("a"), b"private").unwrap();
        assert_eq!(kek.open(&kid("b"), &sealed), Err(OpenError::Damaged(kid("b"))));
        for index in [0, NONCE_LEN, sealed.bytes.len() - 1] {
            let mut changed = sealed.clone();
            changed.bytes[index] ^= 1;
            assert_eq!(
                kek.open(&kid("a"), &changed),
                Err(OpenError::Damaged(kid("a"))),
                "byte {index}"
            );
        }
        for length in [0, NONCE_LEN - 1, NONCE_LEN, NONCE_LEN + 15] {
            let cut = SealedKey {
                bytes: sealed.bytes[..length].to_vec(),
                sealed_with: sealed.sealed_with.clone(),
            };
            assert_eq!(
                kek.open(&kid("a"), &cut),
                Err(OpenError::Damaged(kid("a"))),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_wrong_key_encryption_key_is_called_by_its_name() {
        let (right, wrong) = (kek(), kek());
        let error = wrong
            .open(&kid("a"), &right.seal(&kid("a"), b"private").unwrap())
            .unwrap_err()
            .to_string();
        assert!(error.contains(&right.id.0) && error.contains(&wrong.id.0), "{error}");
    }

    #[test]
    fn base64url_and_hexadecimal_give_the_same_key() {
        let bytes = [0xab_u8; 32];
        let base64 = KeyEncryptionKey::from_text(&URL_SAFE_NO_PAD.encode(bytes)).unwrap();
        let hexadecimal = KeyEncryptionKey::from_text(&"aB".repeat(32)).unwrap();
        assert_eq!(base64.id, hexadecimal.id);
        let sealed = base64.seal(&kid("a"), b"x").unwrap();
        assert_eq!(&**hexadecimal.open(&kid("a"), &sealed).unwrap(), b"x");
    }

    #[test]
    fn other_texts_are_no_keys() {
        let long = "a".repeat(44);
        for text in [
            "",
            "secret",
            &long,
            &"g".repeat(64),
            &"+".repeat(43),
            &"ä".repeat(32),
            &"+a".repeat(32),
        ] {
            assert!(KeyEncryptionKey::from_text(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_missing_file_is_named_with_what_to_do() {
        let error = KeyEncryptionKey::from_file(Path::new("/nonexistent/kek"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("/nonexistent/kek") && error.contains("keys generate-kek"),
            "{error}"
        );
    }
}
