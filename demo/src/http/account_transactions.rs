//! `GET /accounts/{id}/transactions/`: every change of an account's balance, newest first.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::AppState;
use super::accounts::no_such_account;
use super::listing::Parameters;
use super::openapi::{PageParameters, ReadRefusals, WrongQuery};
use super::path::PathId;
use super::problem::{PROBLEM, Problem, ProblemDocument};
use crate::domain::account::{Entry, EntryCause};
use crate::domain::caller::{Caller, Scope};
use crate::domain::id::{AccountId, TransferId};
use crate::postgres;

/// A change of an account's balance.
#[derive(Serialize, ToSchema)]
#[schema(as = Transaction)]
pub(super) struct TransactionView {
    id: i64,
    /// `opening` or `transfer`.
    kind: &'static str,
    /// Signed: what went out is negative.
    amount: i64,
    balance_after: i64,
    #[schema(value_type = Option<Uuid>)]
    transfer: Option<TransferId>,
    #[schema(value_type = Option<Uuid>)]
    counterparty_account: Option<AccountId>,
    reference: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// One page of changes, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Transactions)]
pub(super) struct TransactionsView {
    transactions: Vec<TransactionView>,
    /// The `cursor` of the next page; null at the end.
    next_cursor: Option<String>,
}

impl From<Entry> for TransactionView {
    fn from(entry: Entry) -> Self {
        let (kind, transfer, counterparty_account, reference) = match entry.cause {
            EntryCause::Opening => ("opening", None, None, None),
            EntryCause::Transfer {
                id,
                counterparty,
                reference,
            } => ("transfer", Some(id), Some(counterparty), reference),
        };
        Self {
            id: entry.id,
            kind,
            amount: entry.amount,
            balance_after: entry.balance_after.minor_units(),
            transfer,
            counterparty_account,
            reference,
            created_at: entry.created_at,
        }
    }
}

/// What changed the balance of one of the caller's accounts, newest first.
#[utoipa::path(
    get,
    path = "/accounts/{id}/transactions/",
    operation_id = "listTransactions",
    params(("id" = Uuid, Path, description = "The account"), PageParameters),
    responses(
        (status = 200, description = "One page", body = TransactionsView),
        (status = 404, description = "The caller has no such account", body = ProblemDocument, content_type = PROBLEM),
        WrongQuery,
        ReadRefusals,
    ),
    security(("bearer" = ["bank.read"])),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId,
    parameters: Parameters,
) -> Result<Json<TransactionsView>, Problem> {
    caller.require(Scope::BankRead)?;
    let page = parameters.page(|cursor| cursor.parse::<i64>().ok())?;
    let account = postgres::accounts::find(&state.pool, caller.id, AccountId(id))
        .await?
        .ok_or_else(no_such_account)?;
    let page = postgres::ledger::list(&state.pool, account.id, &page).await?;
    let next_cursor = page.next_cursor(|entry| entry.id.to_string());
    let transactions = page.items.into_iter().map(TransactionView::from).collect();
    Ok(Json(TransactionsView {
        transactions,
        next_cursor,
    }))
}
