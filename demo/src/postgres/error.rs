//! What can go wrong at the database, seen from the services.

use thiserror::Error;

/// Why a statement did not do what it should.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// Postgres is away, starting, full or too slow. Trying again later may help.
    #[error("the database can't serve this now: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Anything else: a mistake of ours.
    #[error("the database refused: {0}")]
    Failed(#[source] sqlx::Error),
    /// A row that the program never writes.
    #[error("impossible row in {table}, column {column}: {row}")]
    ImpossibleRow {
        /// In which table.
        table: &'static str,
        /// Which column does not fit.
        column: &'static str,
        /// The row's key.
        row: String,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) {
            Self::Unavailable(error)
        } else {
            Self::Failed(error)
        }
    }
}

/// Whether the same statement may succeed later.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

/// The `SQLSTATE` codes (appendix A of the manual of Postgres) that tell of a server, a connection or a wait, not of the statement.
fn is_transient_code(code: &str) -> bool {
    // 08 connection, 28 login, 3D000 no such database, 40001 and 40P01 serialisation and deadlock, 53 out of resources,
    // 55P03 lock timeout, 57 operator intervention (shutdown, start-up, statement timeout).
    ["08", "28", "53", "57"].iter().any(|class| code.starts_with(class))
        || ["3D000", "40001", "40P01", "55P03", "25P03"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_that_may_pass_ask_for_another_try() {
        for (code, transient) in [
            ("57P01", true),
            ("57P03", true),
            ("57014", true),
            ("53300", true),
            ("08006", true),
            ("40P01", true),
            ("40001", true),
            ("55P03", true),
            ("28P01", true),
            ("3D000", true),
            ("23505", false),
            ("23514", false),
            ("42P01", false),
            ("22003", false),
            ("", false),
        ] {
            assert_eq!(is_transient_code(code), transient, "{code}");
        }
        assert!(matches!(
            StoreError::from(sqlx::Error::PoolTimedOut),
            StoreError::Unavailable(_)
        ));
        assert!(matches!(
            StoreError::from(sqlx::Error::RowNotFound),
            StoreError::Failed(_)
        ));
    }
}
