//! What a token issuer knows, without a database, a network or a clock: users, passwords, scopes, keys' life cycle,
//! refresh families and the claims of the tokens. Time and randomness always come in as arguments, so every rule here
//! is a table test.

pub(crate) mod claims;
pub(crate) mod lifetime;
pub(crate) mod password;
pub(crate) mod refresh_family;
pub(crate) mod scope;
pub(crate) mod signing_key;
pub(crate) mod token_id;
pub(crate) mod user;
pub(crate) mod username;
