//! Gatehouse's filter: a proxy-wasm plugin that verifies tokens, sanitises headers, decides who may pass and chooses the
//! upstream cluster. Everything but `host` is pure and runs anywhere; [`gate::decide`] is the place to begin reading.

pub mod access_log;
pub mod account;
pub mod address;
pub mod authorization;
pub mod cel;
pub mod clock;
pub mod config;
pub mod cors;
pub mod gate;
pub mod headers;
pub mod keys;
pub mod limit;
pub mod matching;
pub mod metadata;
pub mod refusal;
pub mod request;
pub mod requirement;
pub mod service;
pub mod status;
pub mod suspicion;
pub mod token;
pub mod witness;

// The host's functions exist in a proxy only; the tests in wasm32 run without one.
#[cfg(not(all(test, target_arch = "wasm32")))]
mod host;

#[cfg(test)]
mod testing;
