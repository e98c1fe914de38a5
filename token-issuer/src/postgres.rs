//! The database. SQL stands in this room only: one file for each aggregate, bound parameters throughout. Rows become
//! domain types at once; a row that the domain can't hold is an error that names table, row and column.

pub(crate) mod refresh_family;
pub(crate) mod schema;
pub(crate) mod signing_key;
pub(crate) mod user;

use std::{fmt, future::Future, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use thiserror::Error;
use tokio::time::timeout;

/// How long a request may wait for a connection. Short: a gate with no database says so, it does not queue.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one piece of work on the database may take, the wait for a connection included.
const WORK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a look at the database's health may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where the database is. Never shows the password.
#[derive(Clone)]
pub(crate) struct DatabaseUrl(PgConnectOptions);

/// A text that is no address of a Postgres database. The text itself stays unsaid: it holds a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
pub(crate) struct DatabaseUrlError;

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(DatabaseUrlError);
        }
        PgConnectOptions::from_str(text).map(Self).map_err(|_| DatabaseUrlError)
    }
}

impl DatabaseUrl {
    /// Host, port and database, to tell people where something was tried.
    fn endpoint(&self) -> String {
        let database = self.0.get_database().unwrap_or_default();
        match self.0.get_socket() {
            Some(socket) => format!("{}/{database}", socket.display()),
            None => format!("{}:{}/{database}", self.0.get_host(), self.0.get_port()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({})", self.endpoint())
    }
}

/// Why the database gave no answer or not a good one.
#[derive(Debug, Error)]
pub(crate) enum DatabaseError {
    /// It can't be reached, or is not taking work.
    #[error("cannot reach Postgres at {endpoint}: {reason}; GATEHOUSE_DATABASE_URL says where it is")]
    Unavailable {
        /// Where it was looked for.
        endpoint: String,
        /// What came instead of an answer.
        reason: String,
    },
    /// It answered that something is wrong with what was asked.
    #[error("Postgres refused: {0}")]
    Query(#[source] sqlx::Error),
    /// The migrations failed.
    #[error("the migration failed: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A row holds what it can't hold.
    #[error("table {table}, row {row}, column {column}: {problem}")]
    ImpossibleRow {
        /// Table.
        table: &'static str,
        /// Primary key.
        row: String,
        /// Column.
        column: &'static str,
        /// What is wrong there.
        problem: String,
    },
}

impl DatabaseError {
    /// Whether the database is away, rather than wrong.
    pub(crate) const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// How busy the pool is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolUse {
    /// Open connections.
    pub(crate) open: u32,
    /// Of these, unused ones.
    pub(crate) idle: usize,
}

/// A pool of connections. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pool: PgPool,
    url: DatabaseUrl,
}

impl Database {
    /// A database that is connected to when it is first needed, and again whenever it was away.
    pub(crate) fn connect_lazily(url: &DatabaseUrl, max_connections: u32) -> Self {
        let options = url
            .0
            .clone()
            .application_name("gatehouse-token-issuer")
            .options([("statement_timeout", "5000"), ("lock_timeout", "5000")])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.clone());
        Self {
            pool,
            url: DatabaseUrl(options),
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// How busy the pool is.
    pub(crate) fn pool_use(&self) -> PoolUse {
        PoolUse {
            open: self.pool.size(),
            idle: self.pool.num_idle(),
        }
    }

    /// Looks whether the database answers, on a connection of its own: a busy pool is no ill database, and only a
    /// fresh connection tells what is wrong.
    pub(crate) async fn probe(&self) -> Result<(), DatabaseError> {
        let look = async {
            let mut connection = self.url.0.connect().await?;
            sqlx::query("SELECT 1").execute(&mut connection).await?;
            connection.close().await
        };
        match timeout(PROBE_TIMEOUT, look).await {
            Ok(outcome) => outcome.map_err(|error| self.explain(error)),
            Err(_) => Err(self.unavailable(format!("no answer within {} s", PROBE_TIMEOUT.as_secs()))),
        }
    }

    /// Does a piece of work within its time, and says of a failure what it means.
    async fn bounded<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>> + Send) -> Result<T, DatabaseError> {
        match timeout(WORK_TIMEOUT, work).await {
            Ok(outcome) => outcome.map_err(|error| self.explain(error)),
            Err(_) => Err(self.unavailable(format!("no answer within {} s", WORK_TIMEOUT.as_secs()))),
        }
    }

    async fn begin(&self) -> Result<Transaction<'static, Postgres>, DatabaseError> {
        self.bounded(self.pool.begin()).await
    }

    fn unavailable(&self, reason: String) -> DatabaseError {
        DatabaseError::Unavailable {
            endpoint: self.url.endpoint(),
            reason,
        }
    }

    fn explain(&self, error: sqlx::Error) -> DatabaseError {
        match &error {
            sqlx::Error::PoolTimedOut => {
                self.unavailable(format!("no connection within {} s", ACQUIRE_TIMEOUT.as_secs()))
            }
            sqlx::Error::Io(source) => self.unavailable(source.to_string()),
            sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::BeginFailed => self.unavailable(error.to_string()),
            sqlx::Error::Database(answer) if answer.code().is_some_and(|code| is_passing(&code)) => {
                self.unavailable(answer.message().to_owned())
            }
            _ => DatabaseError::Query(error),
        }
    }
}

/// SQLSTATE classes that say "not now" or "not here" rather than "not so": connection exceptions, wrong credentials or
/// database, insufficient resources, a server that shuts down or starts, a query that took too long, a read-only replica.
fn is_passing(code: &str) -> bool {
    ["08", "28", "53", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || matches!(code, "3D000" | "25006" | "55P03" | "40001" | "40P01")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_never_shows_its_password() {
        let url: DatabaseUrl = "postgres://issuer:hunter22@db.example:5433/gatehouse".parse().unwrap();
        let shown = format!("{url:?}");
        assert_eq!(shown, "DatabaseUrl(db.example:5433/gatehouse)");
    }

    #[test]
    fn other_addresses_are_refused_without_being_repeated() {
        for text in ["", "mysql://u:hunter22@h/d", "postgres://h:notaport/d", "db.example"] {
            let error = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!error.contains("hunter22"), "{error}");
        }
    }

    #[test]
    fn only_states_that_pass_count_as_away() {
        for (code, passing) in [
            ("57P01", true),
            ("57P03", true),
            ("53300", true),
            ("08006", true),
            ("28P01", true),
            ("3D000", true),
            ("25006", true),
            ("42P01", false),
            ("23505", false),
            ("42501", false),
        ] {
            assert_eq!(is_passing(code), passing, "{code}");
        }
    }
}
