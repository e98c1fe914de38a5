//! `GET /accounts/` and `GET /accounts/{id}/`: the caller's accounts, nobody else's.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use time::OffsetDateTime;

use super::AppState;
use super::listing::Parameters;
use super::path::PathId;
use super::problem::Problem;
use crate::domain::account::Account;
use crate::domain::caller::{Caller, Scope};
use crate::domain::id::{AccountId, UserId};
use crate::domain::money::Currency;
use crate::postgres;

#[derive(Serialize)]
pub(super) struct AccountView {
    id: AccountId,
    owner: UserId,
    owner_name: String,
    currency: String,
    balance: i64,
    #[serde(with = "time::serde::rfc3339")]
    opened_at: OffsetDateTime,
}

#[derive(Serialize)]
pub(super) struct AccountsView {
    accounts: Vec<AccountView>,
    next_cursor: Option<String>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            owner: account.owner,
            owner_name: account.owner_name,
            currency: account.currency.to_string(),
            balance: account.balance.minor_units(),
            opened_at: account.opened_at,
        }
    }
}

/// There is no such account, or it is somebody else's. Both read the same.
pub(super) fn no_such_account() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "account_not_found",
        "Account not found",
        "You have no account with this id.",
    )
}

/// The caller's accounts.
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Json<AccountsView>, Problem> {
    caller.require(Scope::BankRead)?;
    let page = parameters.page(|cursor| Currency::try_from(cursor).ok())?;
    let page = postgres::accounts::list(&state.pool, caller.id, &page).await?;
    let next_cursor = page.next_cursor(|account| account.currency.to_string());
    let accounts = page.items.into_iter().map(AccountView::from).collect();
    Ok(Json(AccountsView { accounts, next_cursor }))
}

/// One of the caller's accounts.
pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<AccountView>, Problem> {
    caller.require(Scope::BankRead)?;
    let account = postgres::accounts::find(&state.pool, caller.id, AccountId(id)).await?;
    Ok(Json(account.ok_or_else(no_such_account)?.into()))
}
