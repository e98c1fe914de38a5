//! Users.

use sqlx::{Row, postgres::PgRow};
use time::OffsetDateTime;

use super::{Database, DatabaseError};
use crate::domain::{
    password::PasswordHash,
    user::{AccountState, Identity, User, UserId},
    username::Username,
};

/// Why all sessions of a user end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndReason {
    Disabled,
    PasswordChanged,
}

impl EndReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "user_disabled",
            Self::PasswordChanged => "password_changed",
        }
    }
}

/// Whether a name was there to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Done.
    Made,
    /// No such user.
    NoSuchUser,
}

impl Database {
    /// The user of a name.
    pub(crate) async fn user_by_name(&self, username: &Username) -> Result<Option<User>, DatabaseError> {
        let query = sqlx::query(
            "SELECT id, username, password_hash, password_changed_at, scope, created_at, disabled_at \
             FROM users WHERE username = $1",
        )
        .bind(username.as_str());
        self.bounded(query.fetch_optional(&self.pool))
            .await?
            .as_ref()
            .map(user_from_row)
            .transpose()
    }

    /// All users in the order of their names.
    pub(crate) async fn users(&self) -> Result<Vec<User>, DatabaseError> {
        let query = sqlx::query(
            "SELECT id, username, password_hash, password_changed_at, scope, created_at, disabled_at \
             FROM users ORDER BY username",
        );
        self.bounded(query.fetch_all(&self.pool))
            .await?
            .iter()
            .map(user_from_row)
            .collect()
    }

    /// Stores a new user, unless somebody has the name.
    pub(crate) async fn insert_user(&self, user: &User) -> Result<Insertion, DatabaseError> {
        let query = sqlx::query(
            "INSERT INTO users (id, username, password_hash, password_changed_at, scope, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (username) DO NOTHING",
        )
        .bind(user.identity.id.0)
        .bind(user.identity.username.as_str())
        .bind(user.password_hash.expose())
        .bind(user.password_changed_at)
        .bind(user.identity.scope.to_string())
        .bind(user.created_at);
        let done = self.bounded(query.execute(&self.pool)).await?;
        Ok(if done.rows_affected() == 1 {
            Insertion::Inserted
        } else {
            Insertion::NameTaken
        })
    }

    /// Puts a hash with new parameters in the place of the one that was just verified. Does nothing when the password
    /// was changed meanwhile.
    pub(crate) async fn replace_password_hash(
        &self,
        user: UserId,
        verified: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), DatabaseError> {
        let query = sqlx::query("UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
            .bind(user.0)
            .bind(verified.expose())
            .bind(new.expose());
        self.bounded(query.execute(&self.pool)).await?;
        Ok(())
    }

    /// Gives a user a new password and ends all of their sessions.
    pub(crate) async fn set_password(
        &self,
        username: &Username,
        hash: &PasswordHash,
        now: OffsetDateTime,
    ) -> Result<Change, DatabaseError> {
        let query = sqlx::query_scalar(
            "UPDATE users SET password_hash = $2, password_changed_at = $3 WHERE username = $1 RETURNING id",
        )
        .bind(username.as_str())
        .bind(hash.expose())
        .bind(now);
        let mut transaction = self.begin().await?;
        let Some(id) = self.bounded(query.fetch_optional(&mut *transaction)).await? else {
            return Ok(Change::NoSuchUser);
        };
        self.end_families(&mut transaction, UserId(id), EndReason::PasswordChanged.as_str(), now)
            .await?;
        self.bounded(transaction.commit()).await?;
        Ok(Change::Made)
    }

    /// Shuts an account and ends all of its sessions.
    pub(crate) async fn disable_user(&self, username: &Username, now: OffsetDateTime) -> Result<Change, DatabaseError> {
        let query = sqlx::query_scalar(
            "UPDATE users SET disabled_at = coalesce(disabled_at, $2) WHERE username = $1 RETURNING id",
        )
        .bind(username.as_str())
        .bind(now);
        let mut transaction = self.begin().await?;
        let Some(id) = self.bounded(query.fetch_optional(&mut *transaction)).await? else {
            return Ok(Change::NoSuchUser);
        };
        self.end_families(&mut transaction, UserId(id), EndReason::Disabled.as_str(), now)
            .await?;
        self.bounded(transaction.commit()).await?;
        Ok(Change::Made)
    }

    /// Opens an account again. Sessions that were ended stay ended.
    pub(crate) async fn enable_user(&self, username: &Username) -> Result<Change, DatabaseError> {
        let query = sqlx::query("UPDATE users SET disabled_at = NULL WHERE username = $1").bind(username.as_str());
        let done = self.bounded(query.execute(&self.pool)).await?;
        Ok(if done.rows_affected() == 1 {
            Change::Made
        } else {
            Change::NoSuchUser
        })
    }
}

/// Whether a new row is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insertion {
    /// It is.
    Inserted,
    /// Somebody else has the name.
    NameTaken,
}

/// Reads what a token says of a user from a row with `id`, `username` and `scope`.
pub(super) fn identity_from_row(row: &PgRow) -> Result<Identity, DatabaseError> {
    let id = UserId(row.try_get("id").map_err(DatabaseError::Query)?);
    let impossible = |column, problem| DatabaseError::ImpossibleRow {
        table: "users",
        row: id.to_string(),
        column,
        problem,
    };
    let username: String = row.try_get("username").map_err(DatabaseError::Query)?;
    let scope: String = row.try_get("scope").map_err(DatabaseError::Query)?;
    Ok(Identity {
        id,
        username: Username::parse(&username).map_err(|error| impossible("username", error.to_string()))?,
        scope: scope
            .parse()
            .map_err(|error: crate::domain::scope::ScopeError| impossible("scope", error.to_string()))?,
    })
}

fn user_from_row(row: &PgRow) -> Result<User, DatabaseError> {
    let disabled_at: Option<OffsetDateTime> = row.try_get("disabled_at").map_err(DatabaseError::Query)?;
    Ok(User {
        identity: identity_from_row(row)?,
        password_hash: PasswordHash::new(row.try_get("password_hash").map_err(DatabaseError::Query)?),
        password_changed_at: row.try_get("password_changed_at").map_err(DatabaseError::Query)?,
        state: disabled_at.map_or(AccountState::Active, |since| AccountState::Disabled { since }),
        created_at: row.try_get("created_at").map_err(DatabaseError::Query)?,
    })
}
