//! Tokens and keys.
pub mod algorithm;
pub mod base64url;
pub mod claims;
pub mod json;
pub mod jwk;
pub mod key;
pub mod key_set;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod published;
pub mod signature;
#[cfg(test)]
mod testing;
pub mod token;
pub mod verified;

pub use algorithm::{Algorithm, AlgorithmSet, Family};
pub use key::{JwkError, KeySource, VerifyingKey};
pub use key_set::{JwkSet, JwkSetError, SkippedKey, VerificationError};
pub use signature::SignatureError;
pub use token::{Claims, Header, NumericDate, Part, TokenError, UnverifiedToken};
pub use verified::VerifiedToken;
