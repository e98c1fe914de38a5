//! The schema's version: migrations are part of the program and applied by `token-issuer migrate`.

use std::fmt;

use sqlx::{migrate::Migrator, postgres::PgPoolOptions};

use super::{Database, DatabaseError};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How the schema stands to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaState {
    /// As this program wants it.
    Current,
    /// No migration was ever applied.
    Missing,
    /// Some migrations are not applied.
    Older {
        /// How many.
        missing: usize,
    },
    /// A newer program has been here. That one has to keep its schema usable by its predecessor.
    Newer {
        /// The newest version there.
        version: i64,
    },
}

impl fmt::Display for SchemaState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => formatter.write_str("the database schema is current"),
            Self::Missing => formatter.write_str("the database has no schema yet"),
            Self::Older { missing } => write!(
                formatter,
                "the database schema is old: {missing} migrations are missing"
            ),
            Self::Newer { version } => write!(formatter, "the database schema is newer than this program: {version}"),
        }
    }
}

impl Database {
    /// How the schema stands to this program.
    pub(crate) async fn schema_state(&self) -> Result<SchemaState, DatabaseError> {
        let applied: Vec<i64> = self
            .bounded(async {
                let exists: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
                    .fetch_one(&self.pool)
                    .await?;
                if !exists {
                    return Ok(Vec::new());
                }
                sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
                    .fetch_all(&self.pool)
                    .await
            })
            .await?;
        let missing = MIGRATIONS
            .iter()
            .filter(|migration| !applied.contains(&migration.version))
            .count();
        let newest = applied.last().copied().unwrap_or_default();
        Ok(if applied.is_empty() {
            SchemaState::Missing
        } else if missing > 0 {
            SchemaState::Older { missing }
        } else if MIGRATIONS.version_exists(newest) {
            SchemaState::Current
        } else {
            SchemaState::Newer { version: newest }
        })
    }

    /// Applies what is missing. Several replicas may do so at once: the migrator takes a lock.
    pub(crate) async fn migrate(&self) -> Result<(), DatabaseError> {
        // Not `bounded`, and on connections without time limits: a migration of a large table may take its time.
        let options = self
            .url
            .0
            .clone()
            .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
        let unhurried = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let outcome = MIGRATIONS.run(&unhurried).await;
        unhurried.close().await;
        outcome.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(source) => self.explain(source),
            other => DatabaseError::Migrate(other),
        })
    }
}
