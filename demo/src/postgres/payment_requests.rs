//! Payment requests: asked, answered, paid at most once.

use sqlx::{FromRow, PgConnection, PgPool};
use thiserror::Error;
use time::OffsetDateTime;
use uuid::Uuid;

use super::idempotency::{self, Claim};
use super::transfers::{MoveError, move_money};
use super::{StoreError, accounts};
use crate::domain::id::{AccountId, PaymentRequestId, TransferId, UserId};
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::money::{Amount, Currency};
use crate::domain::page::{Direction, Page, PageRequest};
use crate::domain::payment_request::{Answer, AnswerRefusal, PaymentRequest, PaymentRequestOrder, RequestState, Step};
use crate::domain::reference::Reference;
use crate::domain::transfer::TransferOrder;

/// Why a request could not be asked.
#[derive(Debug, Error)]
pub(crate) enum AskError {
    /// The account is not there or somebody else's: the caller can't tell which.
    #[error("you have no account with this id")]
    NoSuchAccount,
    /// The account is held in another currency than the caller named.
    #[error("your account is held in another currency than the one you named")]
    NotTheAccountsCurrency,
    /// Nobody with this id has an account in the currency.
    #[error("there is no user with this id who has an account in this currency")]
    NoSuchPayer,
    /// The idempotency key stands for another order.
    #[error("this key was used for another request before")]
    KeyUsedForAnother,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for AskError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why an answer was not taken.
#[derive(Debug, Error)]
pub(crate) enum AnswerError {
    /// The request's rules say no.
    #[error(transparent)]
    Refused(#[from] AnswerRefusal),
    /// The money did not move.
    #[error(transparent)]
    NotPaid(#[from] MoveError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for AnswerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Whether a request was asked now or when the same order came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It was asked now.
    Now(PaymentRequest),
    /// It was asked before, and looked like this then.
    Before(PaymentRequest),
}

#[derive(FromRow)]
struct RequestRow {
    id: Uuid,
    requester: Uuid,
    payer: Uuid,
    to_account: Uuid,
    amount: i64,
    currency: String,
    reference: Option<String>,
    status: String,
    created_at: OffsetDateTime,
    settled_at: Option<OffsetDateTime>,
    transfer: Option<Uuid>,
}

impl TryFrom<RequestRow> for PaymentRequest {
    type Error = StoreError;

    fn try_from(row: RequestRow) -> Result<Self, StoreError> {
        let impossible = |column| StoreError::ImpossibleRow {
            table: "payment_requests",
            column,
            row: row.id.to_string(),
        };
        let state = match (row.status.as_str(), row.settled_at, row.transfer) {
            ("pending", None, None) => RequestState::Pending,
            ("accepted", Some(at), Some(transfer)) => RequestState::Accepted {
                transfer: TransferId(transfer),
                at,
            },
            ("declined", Some(at), None) => RequestState::Declined { at },
            ("cancelled", Some(at), None) => RequestState::Cancelled { at },
            _ => return Err(impossible("status")),
        };
        Ok(Self {
            id: PaymentRequestId(row.id),
            requester: UserId(row.requester),
            payer: UserId(row.payer),
            to: AccountId(row.to_account),
            amount: Amount::try_from(row.amount).map_err(|_| impossible("amount"))?,
            currency: Currency::try_from(row.currency.as_str()).map_err(|_| impossible("currency"))?,
            reference: row.reference,
            created_at: row.created_at,
            state,
        })
    }
}

/// Asks another user to pay, once per key where there is one.
pub(crate) async fn ask(
    pool: &PgPool,
    caller: UserId,
    key: Option<&IdempotencyKey>,
    order: &PaymentRequestOrder,
) -> Result<Asked, AskError> {
    let id = PaymentRequestId(Uuid::now_v7());
    let mut transaction = pool.begin().await?;
    if let Some(key) = key {
        match idempotency::claim(&mut transaction, caller, key, &order.fingerprint(), id.0).await? {
            Claim::First => {}
            Claim::Repeated(earlier) => {
                let request = by_id(&mut transaction, caller, PaymentRequestId(earlier)).await?;
                let request = request.ok_or_else(|| StoreError::ImpossibleRow {
                    table: "idempotency_keys",
                    column: "resource",
                    row: earlier.to_string(),
                })?;
                return Ok(Asked::Before(request.into_created()));
            }
            Claim::UsedForAnother => return Err(AskError::KeyUsedForAnother),
        }
    }
    let currency: Option<String> = sqlx::query_scalar("SELECT currency FROM accounts WHERE id = $1 AND owner = $2")
        .bind(order.to.0)
        .bind(caller.0)
        .fetch_optional(&mut *transaction)
        .await?;
    let currency = currency.ok_or(AskError::NoSuchAccount)?;
    let currency = Currency::try_from(currency.as_str()).map_err(|_| StoreError::ImpossibleRow {
        table: "accounts",
        column: "currency",
        row: order.to.to_string(),
    })?;
    if order.currency.as_ref().is_some_and(|wanted| *wanted != currency) {
        return Err(AskError::NotTheAccountsCurrency);
    }
    accounts::id_by_currency(&mut transaction, order.payer, &currency)
        .await?
        .ok_or(AskError::NoSuchPayer)?;
    sqlx::query(
        "INSERT INTO payment_requests (id, requester, payer, to_account, amount, currency, reference)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id.0)
    .bind(caller.0)
    .bind(order.payer.0)
    .bind(order.to.0)
    .bind(order.amount.minor_units())
    .bind(currency.as_str())
    .bind(order.reference.as_ref().map(Reference::as_str))
    .execute(&mut *transaction)
    .await?;
    let asked = by_id(&mut transaction, caller, id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    transaction.commit().await?;
    Ok(Asked::Now(asked))
}

/// Takes an answer: pays, declines or cancels. The same answer again finds it done; the row's lock makes answers that come at
/// once wait for each other.
pub(crate) async fn answer(
    pool: &PgPool,
    caller: UserId,
    id: PaymentRequestId,
    answer: Answer,
    from_account: Option<AccountId>,
) -> Result<PaymentRequest, AnswerError> {
    let mut transaction = pool.begin().await?;
    // A statement of its own: reading the row together with its transfer would, after a wait, join the new row with the
    // old absence of the transfer. A stranger's request is not even locked.
    let locked: Option<Uuid> = sqlx::query_scalar(
        "SELECT id FROM payment_requests WHERE id = $1 AND (payer = $2 OR requester = $2) FOR NO KEY UPDATE",
    )
    .bind(id.0)
    .bind(caller.0)
    .fetch_optional(&mut *transaction)
    .await?;
    locked.ok_or(AnswerRefusal::NoSuchRequest)?;
    let request = by_id(&mut transaction, caller, id)
        .await?
        .ok_or(AnswerRefusal::NoSuchRequest)?;
    match request.answer(caller, answer)? {
        Step::TakenBefore => return Ok(request),
        Step::Take => {}
    }
    let status = match answer {
        Answer::Accept => {
            pay(&mut transaction, caller, &request, from_account).await?;
            "accepted"
        }
        Answer::Decline => "declined",
        Answer::Cancel => "cancelled",
    };
    sqlx::query("UPDATE payment_requests SET status = $2, settled_at = now() WHERE id = $1")
        .bind(id.0)
        .bind(status)
        .execute(&mut *transaction)
        .await?;
    let answered = by_id(&mut transaction, caller, id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    transaction.commit().await?;
    Ok(answered)
}

async fn pay(
    connection: &mut PgConnection,
    caller: UserId,
    request: &PaymentRequest,
    from_account: Option<AccountId>,
) -> Result<(), AnswerError> {
    let from = match from_account {
        Some(account) => account,
        None => accounts::id_by_currency(&mut *connection, caller, &request.currency)
            .await?
            .ok_or(AnswerRefusal::NoAccountInCurrency)?,
    };
    let order = TransferOrder {
        from,
        to: request.to,
        amount: request.amount,
        currency: Some(request.currency.clone()),
        // The transfer shows the words that were asked with. They were checked then.
        reference: request
            .reference
            .as_deref()
            .and_then(|text| Reference::try_from(text).ok()),
    };
    let id = TransferId(Uuid::now_v7());
    move_money(connection, id, caller, &order, Some(request.id)).await?;
    Ok(())
}

async fn by_id(
    connection: &mut PgConnection,
    user: UserId,
    id: PaymentRequestId,
) -> Result<Option<PaymentRequest>, StoreError> {
    let row: Option<RequestRow> = sqlx::query_as(
        "SELECT asked.id, asked.requester, asked.payer, asked.to_account, asked.amount, asked.currency, asked.reference,
                asked.status, asked.created_at, asked.settled_at, transfers.id AS transfer
         FROM payment_requests AS asked LEFT JOIN transfers ON transfers.payment_request = asked.id
         WHERE asked.id = $1 AND (asked.payer = $2 OR asked.requester = $2)",
    )
    .bind(id.0)
    .bind(user.0)
    .fetch_optional(connection)
    .await?;
    row.map(PaymentRequest::try_from).transpose()
}

/// The request, if this user asked it or is asked by it.
pub(crate) async fn find(
    pool: &PgPool,
    user: UserId,
    id: PaymentRequestId,
) -> Result<Option<PaymentRequest>, StoreError> {
    let mut connection = pool.acquire().await?;
    by_id(&mut connection, user, id).await
}

/// The user's requests, newest first: incoming ones ask them to pay, outgoing ones they have asked.
pub(crate) async fn list(
    pool: &PgPool,
    user: UserId,
    direction: Option<Direction>,
    page: &PageRequest<PaymentRequestId>,
) -> Result<Page<PaymentRequest>, StoreError> {
    let rows: Vec<RequestRow> = sqlx::query_as(
        "SELECT asked.id, asked.requester, asked.payer, asked.to_account, asked.amount, asked.currency, asked.reference,
                asked.status, asked.created_at, asked.settled_at, transfers.id AS transfer
         FROM (
             (SELECT * FROM payment_requests
              WHERE payer = $1 AND $4 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3)
             UNION
             (SELECT * FROM payment_requests
              WHERE requester = $1 AND $5 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3)
         ) AS asked LEFT JOIN transfers ON transfers.payment_request = asked.id
         ORDER BY asked.id DESC LIMIT $3",
    )
    .bind(user.0)
    .bind(page.after.map(|id| id.0))
    .bind(page.rows())
    .bind(direction != Some(Direction::Outgoing))
    .bind(direction != Some(Direction::Incoming))
    .fetch_all(pool)
    .await?;
    let requests = rows
        .into_iter()
        .map(PaymentRequest::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Page::cut(requests, page))
}
