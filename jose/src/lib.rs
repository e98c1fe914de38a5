//! Tokens and keys: strict parsing of signed JSON Web Tokens, of JSON Web Keys and sets of them, and the verification
//! of signatures. No host, no I/O, no clock, no randomness: what goes in decides what comes out, natively and in
//! wasm32.
//!
//! # The way of a token
//!
//! 1. [`UnverifiedToken::parse`] takes bytes of which nothing is known. What comes out is well-formed in every way that
//!    can be checked without a key: three parts in base64url, strict JSON, one of our [`Algorithm`]s, no header that
//!    would make it anything else than a signed JWT, registered claims with the types that RFC 7519 gives them.
//! 2. A caller may look at it under names that say `_unverified`: to choose the issuer whose keys to ask, and to turn
//!    away what has expired before a signature is computed.
//! 3. [`JwkSet::verify`] asks the keys of one issuer, and gives a [`VerifiedToken`] if one of them vouches for it. Only
//!    that type has [`claims`](VerifiedToken::claims), so a function that must not decide on forged claims says so by
//!    the type that it takes.
//! 4. What the claims allow is for the caller to decide: issuer, audience, times, type and scope are policy, and need a
//!    clock. A set holds the keys of *one* issuer; whether the token's `iss` is that issuer is the caller's to compare.
//!
//! ```
//! use jose::{JwkSet, KeySource, UnverifiedToken, VerificationError, base64url};
//!
//! // The key is that of RFC 8037 appendix A.1.
//! let keys = JwkSet::parse(
//!     br#"{"keys": [{
//!         "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "2024-01",
//!         "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
//!     }]}"#,
//!     KeySource::Remote,
//! )?;
//! let compact = concat!(
//!     "eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjQtMDEiLCJ0eXAiOiJhdCtqd3QifQ.",
//!     "eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYWxpY2UiLCJleHAiOjQxMDI0NDQ4MDB9.",
//!     "9B1EWABlR7gKxQUhhAmAsxiiWOnS8vImc8rPvsY6qda2Dj-mxT-5HdZyc2TmID9TfIAd8yuHDMwZD6cLqiD_Ag",
//! );
//!
//! let token = UnverifiedToken::parse(compact.as_bytes(), 8192)?;
//! assert_eq!(token.claims_unverified().issuer(), Some("https://issuer.example"));
//!
//! let verified = keys.verify(&token)?;
//! assert_eq!(verified.claims().subject(), Some("alice"));
//! assert!(verified.header().is_of_type("at+jwt"));
//!
//! // Anyone may write other claims, but nobody else can sign them.
//! let mallory = base64url::encode(r#"{"iss":"https://issuer.example","sub":"mallory"}"#);
//! let forged = compact.replace(token.payload_segment(), &mallory);
//! let forged = UnverifiedToken::parse(forged.as_bytes(), 8192)?;
//! assert_eq!(forged.claims_unverified().subject(), Some("mallory"));
//! assert_eq!(keys.verify(&forged).unwrap_err(), VerificationError::BadSignature);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is decided here
//!
//! The RFCs leave some choices open, and practice has some more. These are ours:
//!
//! - **JSON** is read whole and strictly, members that nobody asks for included: see [`json`].
//! - **Dates** may have fractions. They are rounded to the second so that no token lives longer than it says: see
//!   [`NumericDate`]. Negative dates, dates of 2^63 seconds and more (`iat`: 2^64), strings and `null` are refused.
//! - **`kid`** is a string of at most 1024 bytes; an empty one counts as absent, in tokens and in keys.
//! - **`crit`, `b64`, `zip`, `enc`** and a `cty` that announces another token are refused, whatever their value.
//!   `jwk`, `jku`, `x5u` and `x5c` are never looked at.
//! - **The key decides about the algorithm.** A JWK that names an `alg` verifies nothing else, and one that names none
//!   verifies what fits its type, curve and length. So an RSA key is never an HMAC's secret.
//! - **Sets**: a key that can't be used is left out and reported, two keys with one `kid` refuse the set, a set without
//!   a usable key is refused. From a remote set neither private nor symmetric keys are taken.
//! - **RSA** keys have 2048 to 8192 bits and an odd exponent from 3 to 2^33. A modulus with zero bytes in front is read
//!   as the number that it is.
//! - **ECDSA** signatures may have a high `s`, for JWS does not ask for a low one. **Ed25519** is verified as RFC 8032
//!   says, without the cofactor, with keys of small order refused.
//!
//! # jwt-compact
//!
//! The signature algorithms are implementations of [`jwt_compact::Algorithm`] ([`signature`]), so they work in its
//! validators as well, and one of them can be exchanged for a faster one without anything else changing. The split into
//! an untrusted and a verified token is its idea too. Its own `UntrustedToken` is not used on the way of a request: it
//! passes over header parameters and claims that nobody asks it for, `crit` among them, and would let pass what is
//! refused here.

pub mod algorithm;
pub mod base64url;
pub mod claims;
pub mod json;
pub mod jwk;
pub mod kernel;
pub mod key;
pub mod key_set;
pub mod signature;
pub mod token;
pub mod verified;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod published;
#[cfg(test)]
mod testing;

pub use algorithm::{Algorithm, AlgorithmSet, Family};
pub use key::{JwkError, KeyIdentity, KeySource, VerifyingKey};
pub use key_set::{JwkSet, JwkSetError, SkippedKey, VerificationError};
pub use signature::{RsaDelegate, SignatureError};
pub use token::{Claims, Header, NumericDate, Part, TokenError, UnverifiedToken};
pub use verified::VerifiedToken;
