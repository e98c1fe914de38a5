//! Accounts: opening, finding and locking them.

use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::StoreError;
use crate::domain::account::Account;
use crate::domain::id::{AccountId, UserId};
use crate::domain::money::{Balance, Currency};
use crate::domain::page::{Page, PageRequest};

#[derive(FromRow)]
struct AccountRow {
    id: Uuid,
    owner: Uuid,
    owner_name: String,
    currency: String,
    balance: i64,
    opened_at: OffsetDateTime,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let impossible = |column| StoreError::ImpossibleRow {
            table: "accounts",
            column,
            row: row.id.to_string(),
        };
        Ok(Self {
            id: AccountId(row.id),
            owner: UserId(row.owner),
            owner_name: row.owner_name,
            currency: Currency::try_from(row.currency.as_str()).map_err(|_| impossible("currency"))?,
            balance: Balance::try_from(row.balance).map_err(|_| impossible("balance"))?,
            opened_at: row.opened_at,
        })
    }
}

/// Whether an account was opened now or stood there before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// It is new.
    Now(Account),
    /// The owner had one in this currency; it was left alone.
    Before(Account),
}

/// Opens an account with an opening balance, once per owner and currency.
pub(crate) async fn open(
    pool: &PgPool,
    owner: UserId,
    owner_name: &str,
    currency: &Currency,
    balance: Balance,
) -> Result<Opened, StoreError> {
    let mut transaction = pool.begin().await?;
    let opened: Option<AccountRow> = sqlx::query_as(
        "INSERT INTO accounts (id, owner, owner_name, currency, balance) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (owner, currency) DO NOTHING
         RETURNING id, owner, owner_name, currency, balance, opened_at",
    )
    // Random: an account's id is told to others to be paid, and shall not tell when it was opened.
    .bind(Uuid::new_v4())
    .bind(owner.0)
    .bind(owner_name)
    .bind(currency.as_str())
    .bind(balance.minor_units())
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(row) = opened else {
        let row: AccountRow = sqlx::query_as(
            "SELECT id, owner, owner_name, currency, balance, opened_at FROM accounts WHERE owner = $1 AND currency = $2",
        )
        .bind(owner.0)
        .bind(currency.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        return Ok(Opened::Before(row.try_into()?));
    };
    if row.balance > 0 {
        sqlx::query("INSERT INTO entries (account, amount, balance_after) VALUES ($1, $2, $2)")
            .bind(row.id)
            .bind(row.balance)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(Opened::Now(row.try_into()?))
}

/// The owner's accounts, by currency.
pub(crate) async fn list(
    pool: &PgPool,
    owner: UserId,
    page: &PageRequest<Currency>,
) -> Result<Page<Account>, StoreError> {
    let rows: Vec<AccountRow> = sqlx::query_as(
        "SELECT id, owner, owner_name, currency, balance, opened_at FROM accounts
         WHERE owner = $1 AND ($2::text IS NULL OR currency > $2) ORDER BY currency LIMIT $3",
    )
    .bind(owner.0)
    .bind(page.after.as_ref().map(Currency::as_str))
    .bind(page.rows())
    .fetch_all(pool)
    .await?;
    let accounts = rows.into_iter().map(Account::try_from).collect::<Result<_, _>>()?;
    Ok(Page::cut(accounts, page))
}

/// The account, if it is this owner's.
pub(crate) async fn find(pool: &PgPool, owner: UserId, id: AccountId) -> Result<Option<Account>, StoreError> {
    let row: Option<AccountRow> = sqlx::query_as(
        "SELECT id, owner, owner_name, currency, balance, opened_at FROM accounts WHERE id = $1 AND owner = $2",
    )
    .bind(id.0)
    .bind(owner.0)
    .fetch_optional(pool)
    .await?;
    row.map(Account::try_from).transpose()
}

/// The id of the owner's account in a currency.
pub(crate) async fn id_by_currency(
    connection: &mut PgConnection,
    owner: UserId,
    currency: &Currency,
) -> Result<Option<AccountId>, StoreError> {
    let id: Option<Uuid> = sqlx::query_scalar("SELECT id FROM accounts WHERE owner = $1 AND currency = $2")
        .bind(owner.0)
        .bind(currency.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(id.map(AccountId))
}

/// Locks accounts until the transaction ends, always in the order of their ids: no two transfers can wait in a circle.
///
/// `NO KEY UPDATE` keeps others from changing them and still lets them be referred to.
pub(super) async fn lock(connection: &mut PgConnection, ids: [AccountId; 2]) -> Result<Vec<Account>, StoreError> {
    let rows: Vec<AccountRow> = sqlx::query_as(
        "SELECT id, owner, owner_name, currency, balance, opened_at FROM accounts
         WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind(ids.map(|id| id.0).to_vec())
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Account::try_from).collect()
}
