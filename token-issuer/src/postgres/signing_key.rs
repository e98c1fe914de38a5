//! Signing keys: their public halves, their sealed private halves, and the lock under which they are made.

use sqlx::{Postgres, Row, Transaction, postgres::PgRow};
use time::OffsetDateTime;

use super::{Database, DatabaseError};
use crate::{
    domain::signing_key::{KeyId, KeyState, KeyTimes},
    keyring::kek::{KekId, SealedKey},
};

/// A key as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredKey {
    /// Identifier.
    pub(crate) kid: KeyId,
    /// Where it stands in its life.
    pub(crate) state: KeyState,
    /// The public key as a JWK document.
    pub(crate) public_jwk: String,
    /// The private key; none once the key is retired.
    pub(crate) sealed: Option<SealedKey>,
    /// When it was made.
    pub(crate) created_at: OffsetDateTime,
}

/// Every change to the set of keys is made under this transaction-level advisory lock; the number is a name.
const KEYS_LOCK: i64 = 0x6761_7465_6b65_7973;

/// The only algorithm that keys are made for so far.
const ALGORITHM: &str = "RS256";

impl Database {
    /// All keys, oldest first.
    pub(crate) async fn signing_keys(&self) -> Result<Vec<StoredKey>, DatabaseError> {
        let rows = self
            .bounded(
                sqlx::query(
                    "SELECT kid, status, public_jwk, sealed_private_key, sealed_with, created_at, activated_at, \
                     retiring_at, retired_at FROM signing_keys ORDER BY created_at, kid",
                )
                .fetch_all(&self.pool),
            )
            .await?;
        rows.iter().map(from_row).collect()
    }

    /// Waits until no other replica changes keys, and lets none begin.
    pub(crate) async fn lock_signing_keys(&self) -> Result<KeysLock<'_>, DatabaseError> {
        let mut transaction = self.begin().await?;
        self.bounded(
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(KEYS_LOCK)
                .execute(&mut *transaction),
        )
        .await?;
        Ok(KeysLock {
            database: self,
            transaction,
        })
    }
}

/// The right to change keys, held by one replica at a time. Dropped without `commit`, it changes nothing.
pub(crate) struct KeysLock<'a> {
    database: &'a Database,
    transaction: Transaction<'static, Postgres>,
}

impl KeysLock<'_> {
    /// Whether some key signs.
    pub(crate) async fn has_active_key(&mut self) -> Result<bool, DatabaseError> {
        let query = sqlx::query_scalar("SELECT EXISTS (SELECT FROM signing_keys WHERE status = 'active')");
        self.database.bounded(query.fetch_one(&mut *self.transaction)).await
    }

    /// Stores a new key.
    pub(crate) async fn insert(&mut self, key: &StoredKey) -> Result<(), DatabaseError> {
        let activated_at = match key.state {
            KeyState::Active { since } => Some(since),
            _ => None,
        };
        let query = sqlx::query(
            "INSERT INTO signing_keys (kid, algorithm, status, public_jwk, sealed_private_key, sealed_with, \
             created_at, activated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&key.kid.0)
        .bind(ALGORITHM)
        .bind(key.state.status())
        .bind(&key.public_jwk)
        .bind(key.sealed.as_ref().map(|sealed| &sealed.bytes))
        .bind(key.sealed.as_ref().map(|sealed| &sealed.sealed_with.0))
        .bind(key.created_at)
        .bind(activated_at);
        self.database.bounded(query.execute(&mut *self.transaction)).await?;
        Ok(())
    }

    /// Makes the changes last and lets the next replica in.
    pub(crate) async fn commit(self) -> Result<(), DatabaseError> {
        self.database.bounded(self.transaction.commit()).await
    }
}

fn from_row(row: &PgRow) -> Result<StoredKey, DatabaseError> {
    let kid: String = row.try_get("kid").map_err(DatabaseError::Query)?;
    let column = |error: sqlx::Error| DatabaseError::Query(error);
    let times = KeyTimes {
        activated: row.try_get("activated_at").map_err(column)?,
        retiring: row.try_get("retiring_at").map_err(column)?,
        retired: row.try_get("retired_at").map_err(column)?,
    };
    let status: String = row.try_get("status").map_err(column)?;
    let state = KeyState::from_stored(&status, times).map_err(|error| DatabaseError::ImpossibleRow {
        table: "signing_keys",
        row: kid.clone(),
        column: "status",
        problem: error.to_string(),
    })?;
    let bytes: Option<Vec<u8>> = row.try_get("sealed_private_key").map_err(column)?;
    let sealed_with: Option<String> = row.try_get("sealed_with").map_err(column)?;
    Ok(StoredKey {
        kid: KeyId(kid),
        state,
        public_jwk: row.try_get("public_jwk").map_err(column)?,
        sealed: bytes.zip(sealed_with).map(|(bytes, id)| SealedKey {
            bytes,
            sealed_with: KekId(id),
        }),
        created_at: row.try_get("created_at").map_err(column)?,
    })
}
