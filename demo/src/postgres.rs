//! Everything that is kept: the only room that knows SQL.
//!
//! All statements are fixed text with bound parameters. Money moves under row locks that are taken in the order of the
//! accounts' ids, so that two opposite transfers wait for each other instead of blocking each other.

pub(crate) mod accounts;
mod error;
mod health;
pub(crate) mod idempotency;
pub(crate) mod ledger;
pub(crate) mod payment_requests;
pub(crate) mod transfers;

use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

pub(crate) use error::StoreError;
pub(crate) use health::{HealthError, check};

/// The schema, in steps that are only ever added to.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How the services use Postgres.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolSettings {
    /// How many connections at most.
    pub(crate) max_connections: u32,
    /// How long a request waits for one before it is told that the database is busy or away.
    pub(crate) acquire_timeout: Duration,
}

/// Makes the pool without connecting: the service starts, and says so, also while Postgres is away.
pub(crate) fn pool(options: PgConnectOptions, settings: PoolSettings) -> PgPool {
    // A forgotten lock or a stuck query ends by itself and gives its connection back.
    let options = options.options([
        ("lock_timeout", "4s"),
        ("statement_timeout", "8s"),
        ("idle_in_transaction_session_timeout", "15s"),
    ]);
    PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .connect_lazy_with(options)
}

/// Brings the schema up to date. Several at once wait for each other (an advisory lock).
pub(crate) async fn migrate(options: PgConnectOptions) -> Result<(), MigrateError> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await?;
    let result = MIGRATIONS.run(&pool).await;
    pool.close().await;
    result
}
