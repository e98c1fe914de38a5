//! What a caller's idempotency key was used for.

use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;
use crate::domain::id::UserId;
use crate::domain::idempotency::IdempotencyKey;

/// What a key means now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is used for the first time, and belongs to this transaction if it commits.
    First,
    /// The same was done with it before; here is what came of it.
    Repeated(Uuid),
    /// It was used for something else.
    UsedForAnother,
}

/// Takes a key for `resource`, which the same transaction goes on to make.
///
/// A key that another transaction has just taken makes this one wait until that one is over: if it committed, the work is
/// done; if it rolled back, the key is free again. So twenty copies of one request do the work once, and a request that was
/// refused does not use up its key.
pub(super) async fn claim(
    connection: &mut PgConnection,
    caller: UserId,
    key: &IdempotencyKey,
    request: &str,
    resource: Uuid,
) -> Result<Claim, StoreError> {
    let taken = sqlx::query(
        "INSERT INTO idempotency_keys (caller, key, request, resource) VALUES ($1, $2, $3, $4)
         ON CONFLICT (caller, key) DO NOTHING",
    )
    .bind(caller.0)
    .bind(key.as_str())
    .bind(request)
    .bind(resource)
    .execute(&mut *connection)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(Claim::First);
    }
    // A second statement sees what was committed while the first one waited.
    let (earlier_request, earlier_resource): (String, Uuid) =
        sqlx::query_as("SELECT request, resource FROM idempotency_keys WHERE caller = $1 AND key = $2")
            .bind(caller.0)
            .bind(key.as_str())
            .fetch_one(connection)
            .await?;
    Ok(if earlier_request == request {
        Claim::Repeated(earlier_resource)
    } else {
        Claim::UsedForAnother
    })
}
