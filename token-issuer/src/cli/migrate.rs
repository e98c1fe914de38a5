//! `token-issuer migrate`.

use clap::Args;

use super::{CommandError, answer, settings::DatabaseSettings};

/// Bring the database schema up to date. May be run again, and by several machines at once.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: DatabaseSettings,
}

impl Migrate {
    /// Applies what is missing.
    pub(super) async fn run(self) -> Result<(), CommandError> {
        let database = self.database.database(2)?;
        database.probe().await?;
        let before = database.schema_state().await?;
        database.migrate().await?;
        let after = database.schema_state().await?;
        answer(&serde_json::json!({ "before": before.to_string(), "now": after.to_string() }))
    }
}
