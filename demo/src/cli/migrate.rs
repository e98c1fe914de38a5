//! `demo migrate`: brings the schema up to date.

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;

use crate::postgres;

pub(super) async fn run(database: PgConnectOptions) -> Result<(), MigrateError> {
    postgres::migrate(database).await?;
    tracing::info!("the schema is up to date");
    Ok(())
}
