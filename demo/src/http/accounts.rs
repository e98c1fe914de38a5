//! `GET /accounts/` and `GET /accounts/{id}/`: the caller's accounts, nobody else's.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::AppState;
use super::listing::Parameters;
use super::openapi::{PageParameters, ReadRefusals, WrongQuery};
use super::path::PathId;
use super::problem::{PROBLEM, Problem, ProblemDocument};
use crate::domain::account::Account;
use crate::domain::caller::{Caller, Scope};
use crate::domain::id::{AccountId, UserId};
use crate::domain::money::Currency;
use crate::postgres;

/// An account of the caller.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountView {
    #[schema(value_type = Uuid)]
    id: AccountId,
    /// The owner's id, the `sub` of their tokens.
    #[schema(value_type = Uuid)]
    owner: UserId,
    owner_name: String,
    /// ISO 4217.
    currency: String,
    /// In minor units: 1250 is 12.50 EUR.
    balance: i64,
    #[serde(with = "time::serde::rfc3339")]
    opened_at: OffsetDateTime,
}

/// One page of the caller's accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = Accounts)]
pub(super) struct AccountsView {
    accounts: Vec<AccountView>,
    /// The `cursor` of the next page; null at the end.
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

/// The caller's accounts, by currency.
#[utoipa::path(
    get,
    path = "/accounts/",
    operation_id = "listAccounts",
    params(PageParameters),
    responses((status = 200, description = "One page", body = AccountsView), WrongQuery, ReadRefusals),
    security(("bearer" = ["bank.read"])),
)]
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
#[utoipa::path(
    get,
    path = "/accounts/{id}/",
    operation_id = "showAccount",
    params(("id" = Uuid, Path, description = "The account")),
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 404, description = "The caller has no such account", body = ProblemDocument, content_type = PROBLEM),
        ReadRefusals,
    ),
    security(("bearer" = ["bank.read"])),
)]
pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<AccountView>, Problem> {
    caller.require(Scope::BankRead)?;
    let account = postgres::accounts::find(&state.pool, caller.id, AccountId(id)).await?;
    Ok(Json(account.ok_or_else(no_such_account)?.into()))
}
