//! Refresh families: begun by a login, moved on by one statement for each refresh.

use sqlx::{Postgres, Row, Transaction};
use time::OffsetDateTime;

use super::{Database, DatabaseError, user::identity_from_row};
use crate::domain::{
    refresh_family::{NewFamily, PresentedToken, Refusal, Rotation},
    token_id::TokenId,
    user::UserId,
};

/// Whether a login may begin a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// It did.
    Begun,
    /// The account was disabled or its password changed since the password was verified.
    AccountChanged,
}

impl Database {
    /// Begins a family, if the account is still as it was when the password was read. Waits for a change of the
    /// account that is under way, so that none slips through between.
    pub(crate) async fn begin_family(
        &self,
        family: &NewFamily,
        password_changed_at: OffsetDateTime,
    ) -> Result<Beginning, DatabaseError> {
        let query = sqlx::query(
            "INSERT INTO refresh_families (id, user_id, current_token_hash, created_at, last_used_at, expires_at) \
             SELECT $1, id, $3, $4, $4, $5 FROM users \
             WHERE id = $2 AND disabled_at IS NULL AND password_changed_at = $6 FOR SHARE",
        )
        .bind(family.id.0)
        .bind(family.user.0)
        .bind(family.token.hash().to_vec())
        .bind(family.created_at)
        .bind(family.expires_at)
        .bind(password_changed_at);
        let done = self.bounded(query.execute(&self.pool)).await?;
        Ok(if done.rows_affected() == 1 {
            Beginning::Begun
        } else {
            Beginning::AccountChanged
        })
    }

    /// Uses a refresh token: puts its successor in its place or, if it was used before, ends the family.
    ///
    /// One statement does both. Of several uses at once, the first takes the row's lock; the others wait, read the row
    /// as the first has left it, and so are uses of a spent token.
    pub(crate) async fn rotate(
        &self,
        presented: &PresentedToken,
        successor: &TokenId,
        now: OffsetDateTime,
    ) -> Result<Rotation, DatabaseError> {
        let query = sqlx::query(
            "UPDATE refresh_families AS family SET \
                 current_token_hash = CASE WHEN current_token_hash = $3 THEN $4 ELSE current_token_hash END, \
                 rotations = rotations + CASE WHEN current_token_hash = $3 THEN 1 ELSE 0 END, \
                 ended_at = CASE WHEN current_token_hash = $3 THEN NULL ELSE $5::timestamptz END, \
                 ended_reason = CASE WHEN current_token_hash = $3 THEN NULL ELSE 'reuse' END, \
                 last_used_at = $5 \
             FROM users \
             WHERE family.id = $1 AND family.user_id = $2 AND users.id = family.user_id \
                 AND family.ended_at IS NULL AND family.expires_at > $5 AND users.disabled_at IS NULL \
             RETURNING family.ended_at IS NULL AS rotated, family.expires_at, users.id, users.username, users.scope",
        )
        .bind(presented.family.0)
        .bind(presented.user.0)
        .bind(presented.id.hash().to_vec())
        .bind(successor.hash().to_vec())
        .bind(now);
        let Some(row) = self.bounded(query.fetch_optional(&self.pool)).await? else {
            return self.why_not(presented, now).await.map(Rotation::Refused);
        };
        if row.try_get("rotated").map_err(DatabaseError::Query)? {
            Ok(Rotation::Rotated {
                identity: identity_from_row(&row)?,
                family_expires_at: row.try_get("expires_at").map_err(DatabaseError::Query)?,
            })
        } else {
            tracing::warn!(
                family = %presented.family,
                user = %presented.user,
                "a spent refresh token was used again: its family was ended"
            );
            Ok(Rotation::Refused(Refusal::Spent))
        }
    }

    /// Why a family could not be moved on. Only words depend on it, so it need not be atomic.
    async fn why_not(&self, presented: &PresentedToken, now: OffsetDateTime) -> Result<Refusal, DatabaseError> {
        let query = sqlx::query(
            "SELECT users.disabled_at IS NOT NULL AS disabled, family.ended_at IS NOT NULL AS ended, \
                 family.expires_at <= $3 AS expired \
             FROM refresh_families AS family JOIN users ON users.id = family.user_id \
             WHERE family.id = $1 AND family.user_id = $2",
        )
        .bind(presented.family.0)
        .bind(presented.user.0)
        .bind(now);
        let Some(row) = self.bounded(query.fetch_optional(&self.pool)).await? else {
            // The row is gone: with its user, or cleaned away after its end.
            return Ok(Refusal::Spent);
        };
        let holds = |name: &str| row.try_get::<bool, _>(name).map_err(DatabaseError::Query);
        Ok(if holds("disabled")? {
            Refusal::AccountInactive
        } else if holds("ended")? {
            Refusal::Spent
        } else if holds("expired")? {
            Refusal::Expired
        } else {
            Refusal::Invalid
        })
    }

    /// Ends all families of a user, as part of a change of the account.
    pub(super) async fn end_families(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        user: UserId,
        reason: &'static str,
        now: OffsetDateTime,
    ) -> Result<(), DatabaseError> {
        let query = sqlx::query(
            "UPDATE refresh_families SET ended_at = $2, ended_reason = $3 WHERE user_id = $1 AND ended_at IS NULL",
        )
        .bind(user.0)
        .bind(now)
        .bind(reason);
        self.bounded(query.execute(&mut **transaction)).await?;
        Ok(())
    }
}
