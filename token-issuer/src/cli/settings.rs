//! Settings that several commands share. Each is a flag and an environment variable.

use std::{fmt, num::NonZeroUsize, sync::Arc, thread, time::Duration};

use clap::Args;
use zeroize::Zeroizing;

use super::CommandError;
use crate::{
    domain::lifetime::Lifetime,
    environment::SystemEntropy,
    password_hasher::{HashSettings, PasswordHasher},
    postgres::{Database, DatabaseUrl, schema::SchemaState},
};

/// Where the database is.
#[derive(Debug, Args)]
pub(super) struct DatabaseSettings {
    /// Address of the Postgres database: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Better set in the environment:
    /// other users of the machine can see arguments.
    #[arg(long, env = "GATEHOUSE_DATABASE_URL", hide_env_values = true)]
    database_url: Option<Address>,
}

/// The address as it was given. Not parsed by the argument parser, which would repeat a wrong one with its password.
#[derive(Clone)]
struct Address(Zeroizing<String>);

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Address(hidden)")
    }
}

impl DatabaseSettings {
    /// The database, not connected to yet.
    pub(super) fn database(&self, max_connections: u32) -> Result<Database, CommandError> {
        let address = self.database_url.as_ref().ok_or(CommandError::NoDatabaseUrl)?;
        let url: DatabaseUrl = address.0.parse().map_err(CommandError::DatabaseUrl)?;
        Ok(Database::connect_lazily(&url, max_connections))
    }

    /// A database for a command that does one thing after the other, its schema checked.
    pub(super) async fn open(&self) -> Result<Database, CommandError> {
        let database = self.database(2)?;
        // On a connection of its own, whose error names the cause.
        database.probe().await?;
        match database.schema_state().await? {
            SchemaState::Current | SchemaState::Newer { .. } => Ok(database),
            state => Err(CommandError::Schema(state)),
        }
    }
}

/// What a password hash costs.
#[derive(Debug, Args)]
pub(super) struct PasswordSettings {
    /// Memory of one argon2id hash in KiB.
    #[arg(
        long,
        env = "GATEHOUSE_ARGON2_MEMORY_KIB",
        default_value_t = 19_456,
        value_parser = clap::value_parser!(u32).range(19_456..=1_048_576),
    )]
    argon2_memory_kib: u32,
    /// Passes of one argon2id hash.
    #[arg(
        long,
        env = "GATEHOUSE_ARGON2_ITERATIONS",
        default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(2..=20),
    )]
    argon2_iterations: u32,
    /// Lanes of one argon2id hash.
    #[arg(
        long,
        env = "GATEHOUSE_ARGON2_PARALLELISM",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=16),
    )]
    argon2_parallelism: u32,
    /// Hashes at once; as many as there are processors when left out.
    #[arg(long, env = "GATEHOUSE_HASHES_AT_ONCE")]
    hashes_at_once: Option<NonZeroUsize>,
    /// How long a login may wait for its hash to begin before it is answered with 503.
    #[arg(long, env = "GATEHOUSE_HASH_WAIT", default_value = "5s")]
    hash_wait: Lifetime,
}

impl PasswordSettings {
    /// A hasher with these settings.
    pub(super) fn hasher(&self) -> Result<PasswordHasher, CommandError> {
        let settings = HashSettings {
            memory_kib: self.argon2_memory_kib,
            iterations: self.argon2_iterations,
            parallelism: self.argon2_parallelism,
            at_once: self
                .hashes_at_once
                .or_else(|| thread::available_parallelism().ok())
                .unwrap_or(NonZeroUsize::MIN),
            longest_wait: Duration::max(self.hash_wait.duration(), Duration::from_secs(1)),
        };
        Ok(PasswordHasher::new(settings, Arc::new(SystemEntropy::default()))?)
    }
}
