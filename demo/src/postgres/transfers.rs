//! Transfers: the one place where money moves.

use sqlx::{FromRow, PgConnection, PgPool};
use thiserror::Error;
use time::OffsetDateTime;
use uuid::Uuid;

use super::idempotency::{self, Claim};
use super::{StoreError, accounts};
use crate::domain::id::{AccountId, PaymentRequestId, TransferId, UserId};
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::money::{Amount, Currency};
use crate::domain::page::{Direction, Page, PageRequest};
use crate::domain::reference::Reference;
use crate::domain::transfer::{Transfer, TransferOrder, TransferRefusal, settle};

/// Why an order was not carried out.
#[derive(Debug, Error)]
pub(crate) enum TransferError {
    /// The money did not move.
    #[error(transparent)]
    NotMoved(#[from] MoveError),
    /// The idempotency key stands for another order.
    #[error("this key was used for another request before")]
    KeyUsedForAnother,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for TransferError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why money did not move.
#[derive(Debug, Error)]
pub(crate) enum MoveError {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] TransferRefusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for MoveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Whether money moved now or when the same order came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Executed {
    /// It moved now.
    Now(Transfer),
    /// It moved before.
    Before(Transfer),
}

#[derive(FromRow)]
struct TransferRow {
    id: Uuid,
    payer: Uuid,
    payee: Uuid,
    from_account: Uuid,
    to_account: Uuid,
    amount: i64,
    currency: String,
    reference: Option<String>,
    payment_request: Option<Uuid>,
    created_at: OffsetDateTime,
}

impl TryFrom<TransferRow> for Transfer {
    type Error = StoreError;

    fn try_from(row: TransferRow) -> Result<Self, StoreError> {
        let impossible = |column| StoreError::ImpossibleRow {
            table: "transfers",
            column,
            row: row.id.to_string(),
        };
        Ok(Self {
            id: TransferId(row.id),
            payer: UserId(row.payer),
            payee: UserId(row.payee),
            from: AccountId(row.from_account),
            to: AccountId(row.to_account),
            amount: Amount::try_from(row.amount).map_err(|_| impossible("amount"))?,
            currency: Currency::try_from(row.currency.as_str()).map_err(|_| impossible("currency"))?,
            reference: row.reference,
            payment_request: row.payment_request.map(PaymentRequestId),
            created_at: row.created_at,
        })
    }
}

/// Carries out an order, once per key.
pub(crate) async fn execute(
    pool: &PgPool,
    caller: UserId,
    key: &IdempotencyKey,
    order: &TransferOrder,
) -> Result<Executed, TransferError> {
    let id = TransferId(Uuid::now_v7());
    let mut transaction = pool.begin().await?;
    match idempotency::claim(&mut transaction, caller, key, &order.fingerprint(), id.0).await? {
        Claim::First => {
            let transfer = move_money(&mut transaction, id, caller, order, None).await?;
            transaction.commit().await?;
            Ok(Executed::Now(transfer))
        }
        Claim::Repeated(earlier) => Ok(Executed::Before(by_id(&mut transaction, TransferId(earlier)).await?)),
        Claim::UsedForAnother => Err(TransferError::KeyUsedForAnother),
    }
}

/// Moves money inside a transaction of the caller's: both balances, both entries and the transfer, or nothing.
pub(super) async fn move_money(
    connection: &mut PgConnection,
    id: TransferId,
    caller: UserId,
    order: &TransferOrder,
    payment_request: Option<PaymentRequestId>,
) -> Result<Transfer, MoveError> {
    let locked = accounts::lock(&mut *connection, [order.from, order.to]).await?;
    let source = locked.iter().find(|account| account.id == order.from);
    let destination = locked.iter().find(|account| account.id == order.to);
    let settlement = settle(caller, source, destination, order.amount, order.currency.as_ref())?;
    // `settle` has refused where one of them is missing.
    let source = source.ok_or(TransferRefusal::NoSuchSource)?;
    let destination = destination.ok_or(TransferRefusal::NoSuchDestination)?;

    // One statement, because the accounts stay locked while it runs: everybody else who uses them waits.
    let row: TransferRow = sqlx::query_as(
        "WITH balances AS (
             UPDATE accounts SET balance = CASE id WHEN $4::uuid THEN $10::bigint ELSE $11::bigint END
             WHERE id IN ($4, $5)
         ), made AS (
             INSERT INTO transfers
                 (id, payer, payee, from_account, to_account, amount, currency, reference, payment_request)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             RETURNING id, payer, payee, from_account, to_account, amount, currency, reference, payment_request, created_at
         ), sides AS (
             INSERT INTO entries (account, transfer, amount, balance_after)
             SELECT side.account, made.id, side.amount, side.balance_after
             FROM made, (VALUES ($4::uuid, -$6::bigint, $10::bigint), ($5::uuid, $6::bigint, $11::bigint))
                 AS side (account, amount, balance_after)
         )
         SELECT id, payer, payee, from_account, to_account, amount, currency, reference, payment_request, created_at
         FROM made",
    )
    .bind(id.0)
    .bind(caller.0)
    .bind(destination.owner.0)
    .bind(source.id.0)
    .bind(destination.id.0)
    .bind(order.amount.minor_units())
    .bind(source.currency.as_str())
    .bind(order.reference.as_ref().map(Reference::as_str))
    .bind(payment_request.map(|request| request.0))
    .bind(settlement.source.minor_units())
    .bind(settlement.destination.minor_units())
    .fetch_one(connection)
    .await?;
    Ok(row.try_into()?)
}

async fn by_id(connection: &mut PgConnection, id: TransferId) -> Result<Transfer, StoreError> {
    let row: TransferRow = sqlx::query_as(
        "SELECT id, payer, payee, from_account, to_account, amount, currency, reference, payment_request, created_at
         FROM transfers WHERE id = $1",
    )
    .bind(id.0)
    .fetch_one(connection)
    .await?;
    row.try_into()
}

/// The transfer, if this user paid it or was paid by it.
pub(crate) async fn find(pool: &PgPool, user: UserId, id: TransferId) -> Result<Option<Transfer>, StoreError> {
    let row: Option<TransferRow> = sqlx::query_as(
        "SELECT id, payer, payee, from_account, to_account, amount, currency, reference, payment_request, created_at
         FROM transfers WHERE id = $1 AND (payer = $2 OR payee = $2)",
    )
    .bind(id.0)
    .bind(user.0)
    .fetch_optional(pool)
    .await?;
    row.map(Transfer::try_from).transpose()
}

/// The user's transfers, newest first. Each side is read from its own index and cut before the two are joined.
pub(crate) async fn list(
    pool: &PgPool,
    user: UserId,
    direction: Option<Direction>,
    page: &PageRequest<TransferId>,
) -> Result<Page<Transfer>, StoreError> {
    let rows: Vec<TransferRow> = sqlx::query_as(
        "(SELECT id, payer, payee, from_account, to_account, amount, currency, reference, payment_request, created_at
          FROM transfers WHERE payer = $1 AND $4 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3)
         UNION
         (SELECT id, payer, payee, from_account, to_account, amount, currency, reference, payment_request, created_at
          FROM transfers WHERE payee = $1 AND $5 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3)
         ORDER BY id DESC LIMIT $3",
    )
    .bind(user.0)
    .bind(page.after.map(|id| id.0))
    .bind(page.rows())
    .bind(direction != Some(Direction::Incoming))
    .bind(direction != Some(Direction::Outgoing))
    .fetch_all(pool)
    .await?;
    let transfers = rows.into_iter().map(Transfer::try_from).collect::<Result<_, _>>()?;
    Ok(Page::cut(transfers, page))
}
