//! Tokens of a request: where they are looked for, how they are judged, how they are taken out again.

mod cache;
mod cookie;
mod place;
mod profile;
mod query;
mod verify;

pub use cache::{Accepted, CacheLimits, Caller, TokenCache};
pub use cookie::without_cookies;
pub use place::{Found, Place, Prefix, Repeated, Spent, default_places, find};
pub use profile::TokenProfile;
pub use query::{raw_parameter, without_parameters};
pub use verify::{Check, Expiration, Failure, TokenRules, verify_signature};
