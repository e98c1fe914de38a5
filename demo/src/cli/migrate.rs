//! `demo migrate`: brings the schema up to date.

use sqlx::migrate::MigrateError;

use super::DatabaseArgs;
use crate::postgres;

pub(super) async fn run(args: DatabaseArgs) -> Result<(), MigrateError> {
    postgres::migrate(args.database_url).await?;
    tracing::info!("the schema is up to date");
    Ok(())
}
