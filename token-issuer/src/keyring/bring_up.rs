//! From a database to keys in memory: checks the schema, makes the first key where there is none, opens the active one.
//! Run at the start and again and again afterwards, so that every replica follows the others.

use std::time::Duration;

use thiserror::Error;
use tokio::task;

use super::{KeySet, KeySetError, Keyring, kek::KeyEncryptionKey, kek::SealError, signer::Signer, signer::SignerError};
use crate::{
    domain::signing_key::KeyState,
    environment::Clock,
    postgres::{Database, DatabaseError, schema::SchemaState, signing_key::StoredKey},
};

/// What to do with a schema that is older than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OldSchema {
    /// Say so and stop.
    Refuse,
    /// Bring it up to date.
    Migrate,
}

/// What stands between a database and a working issuer.
#[derive(Debug, Error)]
pub(crate) enum BringUpError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The schema is older.
    #[error("{0}; run `token-issuer migrate`, or start with --migrate")]
    OldSchema(SchemaState),
    /// The stored keys.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// The first key was not made.
    #[error(transparent)]
    Generate(#[from] SignerError),
    /// The first key was not sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The thread that made the key died.
    #[error("the thread that makes a signing key ended early")]
    Thread,
}

impl BringUpError {
    /// Whether trying again can help without anybody's doing.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_unavailable())
    }
}

/// What it takes to load keys.
#[derive(Debug)]
pub(crate) struct BringUp<C> {
    /// Where keys are stored.
    pub(crate) database: Database,
    /// What opens them.
    pub(crate) kek: KeyEncryptionKey,
    /// Where they go.
    pub(crate) keyring: Keyring,
    /// Tells when a key was made.
    pub(crate) clock: C,
    /// What to do with an old schema.
    pub(crate) old_schema: OldSchema,
}

impl<C: Clock> BringUp<C> {
    /// Loads the keys once, making the first one if there is none.
    pub(crate) async fn run(&self) -> Result<(), BringUpError> {
        self.check_schema().await?;
        let mut stored = self.database.signing_keys().await?;
        if !stored.iter().any(|key| matches!(key.state, KeyState::Active { .. })) {
            self.make_first_key().await?;
            stored = self.database.signing_keys().await?;
        }
        let keys = KeySet::open(&stored, &self.kek)?;
        if self
            .keyring
            .current()
            .is_none_or(|current| current.entity_tag != keys.entity_tag)
        {
            tracing::info!(kid = %keys.signer.kid(), published = keys.verification.keys().len(), "keys loaded");
        }
        self.keyring.replace(keys);
        Ok(())
    }

    /// Loads the keys every `interval`, and sooner while there are none. Ends with the first error that stays: nobody
    /// gets a token from an issuer that can't tell what it signs with.
    pub(crate) async fn keep_up(&self, interval: Duration) -> BringUpError {
        let mut pause = Duration::from_millis(250);
        loop {
            let loaded = self.keyring.current().is_some();
            tokio::time::sleep(if loaded { interval } else { pause }).await;
            match self.run().await {
                Ok(()) => pause = Duration::from_millis(250),
                Err(error) if error.is_passing() => {
                    tracing::warn!(%error, "keys could not be loaded, trying again");
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                // With keys in memory, somebody else's mistake in the database must not stop what works.
                Err(error) if loaded => tracing::error!(%error, "keys could not be loaded, keeping the last good ones"),
                Err(error) => return error,
            }
        }
    }

    async fn check_schema(&self) -> Result<(), BringUpError> {
        match self.database.schema_state().await? {
            SchemaState::Current => Ok(()),
            state @ SchemaState::Newer { .. } => {
                tracing::warn!(%state, "an older program on a newer schema");
                Ok(())
            }
            state => match self.old_schema {
                OldSchema::Refuse => Err(BringUpError::OldSchema(state)),
                OldSchema::Migrate => Ok(self.database.migrate().await?),
            },
        }
    }

    /// Makes the first key while holding the lock that all replicas share; whoever comes second finds it made.
    async fn make_first_key(&self) -> Result<(), BringUpError> {
        let mut lock = self.database.lock_signing_keys().await?;
        if lock.has_active_key().await? {
            return Ok(());
        }
        let generated = task::spawn_blocking(Signer::generate)
            .await
            .map_err(|_| BringUpError::Thread)??;
        let now = self.clock.now();
        let key = StoredKey {
            sealed: Some(self.kek.seal(&generated.kid, &generated.private_key)?),
            public_jwk: generated.public_jwk,
            kid: generated.kid,
            // Nobody can hold an older set that lacks it, so it need not be published before it signs.
            state: KeyState::Active { since: now },
            created_at: now,
        };
        lock.insert(&key).await?;
        lock.commit().await?;
        tracing::info!(kid = %key.kid, "first signing key made");
        Ok(())
    }
}
