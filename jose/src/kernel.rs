//! Verification kernels: the arithmetic of the signature algorithms that most tokens have, made for wasm, where the widest
//! multiplication is 32 × 32 → 64 bits and a new token costs one verification. They only verify, so all they see is
//! public, and they may take as long as the data makes them take.
//!
//! They stand apart from [`crate::signature`] because they know nothing of tokens or of how keys are written. The general
//! crates remain: as the way for what has no kernel, and as the reference that each kernel is tested against.
//!
//! - [`RsaPublicOperation`]: 2048, 3072 and 4096 bits with the exponent 65537, and both signature schemes on top.
//! - [`P256Key`]: ECDSA on P-256, with a table of 60 KB for each key and one of 170 KB for all.
//! - [`Ed25519Key`]: with a table of 88 KB for each key and one of 256 KB for all.
//!
//! `bench/kernels` measures them against the crates in V8. What the inner loops look like was decided by it: the
//! compiler's choices between seemingly equal forms differ by half.

#![allow(clippy::inline_always, reason = "measured: a call for each product costs a tenth")]
#![allow(
    clippy::many_single_char_names,
    reason = "formulas have the names that their sources give them"
)]

pub mod ed25519;
mod inverse;
mod limbs;
mod order;
pub mod p256;
pub mod rsa;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod testing;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
mod window;

pub use ed25519::Ed25519Key;
pub use p256::P256Key;
pub use rsa::RsaPublicOperation;
