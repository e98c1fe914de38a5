//! `GET /accounts/{id}/transactions/`: every change of an account's balance, newest first.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;

use super::AppState;
use super::accounts::no_such_account;
use super::listing::Parameters;
use super::path::PathId;
use super::problem::Problem;
use crate::domain::account::{Entry, EntryCause};
use crate::domain::caller::{Caller, Scope};
use crate::domain::id::{AccountId, TransferId};
use crate::postgres;

#[derive(Serialize)]
pub(super) struct TransactionView {
    id: i64,
    /// `opening` or `transfer`.
    kind: &'static str,
    /// Signed: what went out is negative.
    amount: i64,
    balance_after: i64,
    transfer: Option<TransferId>,
    counterparty_account: Option<AccountId>,
    reference: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

#[derive(Serialize)]
pub(super) struct TransactionsView {
    transactions: Vec<TransactionView>,
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

/// The entries of one of the caller's accounts.
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
