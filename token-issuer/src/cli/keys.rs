//! `token-issuer keys`.

use std::io::{self, Write};

use clap::Subcommand;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{CommandError, answer, settings::DatabaseSettings};
use crate::{domain::signing_key::KeyState, environment::SystemEntropy, keyring::kek::KeyEncryptionKey};

/// Look at signing keys, make a key-encryption key.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// List the signing keys, one JSON object a line.
    List(Box<DatabaseSettings>),
    /// Print a new key-encryption key: 32 random bytes in base64url. Keep it where the database's backups are not.
    GenerateKek,
}

impl Keys {
    /// Does what the command says.
    pub(super) async fn run(self) -> Result<(), CommandError> {
        match self {
            Self::List(database) => {
                for key in database.open().await?.signing_keys().await? {
                    let since = match key.state {
                        KeyState::Pending => key.created_at,
                        KeyState::Active { since } | KeyState::Retiring { since } | KeyState::Retired { since } => {
                            since
                        }
                    };
                    answer(&json!({
                        "kid": key.kid.0,
                        "status": key.state.status(),
                        "since": timestamp(since),
                        "created_at": timestamp(key.created_at),
                        "published": key.state.is_published(),
                        "sealed_with": key.sealed.map(|sealed| sealed.sealed_with.0),
                    }))?;
                }
                Ok(())
            }
            Self::GenerateKek => {
                let mut key = KeyEncryptionKey::generate(&SystemEntropy::default())?;
                key.push('\n');
                Ok(io::stdout().write_all(key.as_bytes())?)
            }
        }
    }
}

/// A time as people and programs read it (RFC 3339).
pub(super) fn timestamp(time: OffsetDateTime) -> Option<String> {
    time.format(&Rfc3339).ok()
}
