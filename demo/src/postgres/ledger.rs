//! The ledger: every change of an account's balance.
//!
//! Entries are written where balances change, in the same statement or transaction, and only read here. The account is locked
//! then, so its entries' ids grow in the order in which they count.

use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoreError;
use crate::domain::account::{Entry, EntryCause};
use crate::domain::id::{AccountId, TransferId};
use crate::domain::money::Balance;
use crate::domain::page::{Page, PageRequest};

#[derive(FromRow)]
struct EntryRow {
    id: i64,
    amount: i64,
    balance_after: i64,
    created_at: OffsetDateTime,
    transfer: Option<Uuid>,
    counterparty: Option<Uuid>,
    reference: Option<String>,
}

impl TryFrom<EntryRow> for Entry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let impossible = |column| StoreError::ImpossibleRow {
            table: "entries",
            column,
            row: row.id.to_string(),
        };
        let cause = match (row.transfer, row.counterparty) {
            (None, None) => EntryCause::Opening,
            (Some(id), Some(counterparty)) => EntryCause::Transfer {
                id: TransferId(id),
                counterparty: AccountId(counterparty),
                reference: row.reference,
            },
            _ => return Err(impossible("transfer")),
        };
        Ok(Self {
            id: row.id,
            cause,
            amount: row.amount,
            balance_after: Balance::try_from(row.balance_after).map_err(|_| impossible("balance_after"))?,
            created_at: row.created_at,
        })
    }
}

/// An account's entries, newest first. Whose account it is, the caller of this function has checked.
pub(crate) async fn list(
    pool: &PgPool,
    account: AccountId,
    page: &PageRequest<i64>,
) -> Result<Page<Entry>, StoreError> {
    let rows: Vec<EntryRow> = sqlx::query_as(
        "SELECT entries.id, entries.amount, entries.balance_after, entries.created_at, entries.transfer,
                CASE WHEN transfers.from_account = entries.account
                     THEN transfers.to_account ELSE transfers.from_account END AS counterparty,
                transfers.reference
         FROM entries LEFT JOIN transfers ON transfers.id = entries.transfer
         WHERE entries.account = $1 AND ($2::bigint IS NULL OR entries.id < $2)
         ORDER BY entries.id DESC LIMIT $3",
    )
    .bind(account.0)
    .bind(page.after)
    .bind(page.rows())
    .fetch_all(pool)
    .await?;
    let entries = rows.into_iter().map(Entry::try_from).collect::<Result<_, _>>()?;
    Ok(Page::cut(entries, page))
}
