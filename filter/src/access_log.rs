//! What access logs can show of a request, beyond what every proxy knows of it.
//!
//! Each piece is a property of the request, and writing one is a call into the host: so only what was asked for is
//! written, besides the reason of a refusal, which no request that goes on has.

use crate::token::Caller;

/// The property that holds a refusal's code.
pub const REFUSAL_PROPERTY: &str = "gatehouse.refusal";

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogField {
    /// `sub`
    Subject,
    /// `iss`
    Issuer,
    /// `azp`, else `client_id`
    Client,
    /// `kid`
    KeyId,
}

impl LogField {
    /// All that there is.
    pub const ALL: [Self; 4] = [Self::Subject, Self::Issuer, Self::Client, Self::KeyId];

    /// Its name in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Issuer => "issuer",
            Self::Client => "client",
            Self::KeyId => "key_id",
        }
    }

    /// The property that holds it.
    #[must_use]
    pub const fn property(self) -> &'static str {
        match self {
            Self::Subject => "gatehouse.subject",
            Self::Issuer => "gatehouse.issuer",
            Self::Client => "gatehouse.client",
            Self::KeyId => "gatehouse.key_id",
        }
    }

    /// What is to be shown of a caller.
    #[must_use]
    pub fn of(self, caller: &Caller) -> Option<&str> {
        match self {
            Self::Subject => &caller.subject,
            Self::Issuer => &caller.issuer,
            Self::Client => &caller.client,
            Self::KeyId => &caller.key_id,
        }
        .as_deref()
    }
}
