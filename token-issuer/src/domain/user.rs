//! A person with an account.

use std::fmt;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{password::PasswordHash, scope::Scope, username::Username};

/// A user's identifier: the `sub` of their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UserId(pub(crate) Uuid);

impl UserId {
    /// A new identifier (a version 4 UUID) of random bytes.
    pub(crate) fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a token says of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Identifier.
    pub(crate) id: UserId,
    /// Name.
    pub(crate) username: Username,
    /// Rights.
    pub(crate) scope: Scope,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountState {
    /// May log in and refresh.
    Active,
    /// May do neither.
    Disabled {
        /// Since when.
        since: OffsetDateTime,
    },
}

/// A user as the database knows them.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// What goes into tokens.
    pub(crate) identity: Identity,
    /// The hash of the password.
    pub(crate) password_hash: PasswordHash,
    /// When the password was last chosen.
    pub(crate) password_changed_at: OffsetDateTime,
    /// Whether the account may be used.
    pub(crate) state: AccountState,
    /// When the account was made.
    pub(crate) created_at: OffsetDateTime,
}
