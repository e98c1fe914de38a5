//! Verification kernels: the arithmetic of the signature algorithms that tokens have in practice, made for wasm, where
//! the widest multiplication is 32 × 32 → 64 bits and every request pays for one verification. They only verify, so all
//! they see is public and they may take as long as the data makes them take.
//!
//! They stand apart from [`crate::signature`] because they know nothing of tokens or keys' formats. The general crates
//! remain: as the way for what has no kernel, and as the reference that each kernel is tested against.

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
