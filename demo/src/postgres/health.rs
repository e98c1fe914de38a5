//! Whether the database is there and has the schema that this program needs.

use sqlx::postgres::PgConnection;
use sqlx::{Connection, PgPool};
use std::time::Duration;
use thiserror::Error;

use super::MIGRATIONS;

/// Why a service is not ready. The words name a cause and never an address, a role or a password.
#[derive(Debug, Error)]
pub(crate) enum HealthError {
    /// Nobody answers at the database's address.
    #[error("Postgres can't be reached: {0}")]
    Unreachable(String),
    /// Postgres answers and does not let us in or does not serve.
    #[error("Postgres answers with the error {0}")]
    Refused(String),
    /// Postgres serves, but all of our connections are in use.
    #[error("all connections to Postgres are in use")]
    Busy,
    /// The schema is older than this program.
    #[error("the database's schema is not up to date: run \"demo migrate\"")]
    OldSchema,
}

/// Says whether requests can be served.
pub(crate) async fn check(pool: &PgPool) -> Result<(), HealthError> {
    let applied: Result<Option<i64>, sqlx::Error> =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(pool)
            .await;
    let needed = MIGRATIONS.iter().map(|migration| migration.version).max();
    match applied {
        Ok(version) if version >= needed => Ok(()),
        Ok(_) => Err(HealthError::OldSchema),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => Err(HealthError::OldSchema),
        Err(sqlx::Error::PoolTimedOut) => Err(cause_of_timeout(pool).await),
        Err(error) => Err(describe(&error)),
    }
}

/// The pool only says that no connection came in time. One attempt beside it tells why.
async fn cause_of_timeout(pool: &PgPool) -> HealthError {
    let options = pool.connect_options();
    let attempt = tokio::time::timeout(Duration::from_secs(1), PgConnection::connect_with(&options)).await;
    match attempt {
        Ok(Ok(connection)) => {
            // A connection that can't even be closed is dropped, which closes it as well.
            let _ = connection.close().await;
            HealthError::Busy
        }
        Ok(Err(error)) => describe(&error),
        Err(_) => HealthError::Unreachable("no answer within a second".to_owned()),
    }
}

fn describe(error: &sqlx::Error) -> HealthError {
    match error {
        sqlx::Error::Database(error) => HealthError::Refused(
            error
                .code()
                .map_or_else(|| "unknown".to_owned(), |code| format!("SQLSTATE {code}")),
        ),
        sqlx::Error::Io(error) => HealthError::Unreachable(error.kind().to_string()),
        sqlx::Error::Tls(_) => HealthError::Unreachable("the TLS handshake failed".to_owned()),
        _ => HealthError::Unreachable("the connection broke".to_owned()),
    }
}
