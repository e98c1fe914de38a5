//! `POST /transfers/`, `GET /transfers/`, `GET /transfers/{id}/`: money from one account to another.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppState;
use super::body::{self, Fields};
use super::listing::Parameters;
use super::openapi::{DirectionParameter, PageParameters, ReadRefusals, WriteRefusals, WrongQuery};
use super::path::PathId;
use super::problem::{PROBLEM, Problem, ProblemDocument};
use super::refusals::{REPLAYED, key_used_for_another, required_idempotency_key};
use crate::domain::caller::{Caller, Scope};
use crate::domain::id::{AccountId, PaymentRequestId, TransferId, UserId};
use crate::domain::page::Direction;
use crate::domain::transfer::{Transfer, TransferOrder};
use crate::postgres;
use crate::postgres::transfers::{Executed, TransferError};

/// Money that went from one account to another.
#[derive(Serialize, ToSchema)]
#[schema(as = Transfer)]
pub(super) struct TransferView {
    #[schema(value_type = Uuid)]
    id: TransferId,
    /// Seen from the caller: `incoming` or `outgoing`.
    direction: &'static str,
    #[schema(value_type = Uuid)]
    payer: UserId,
    #[schema(value_type = Uuid)]
    payee: UserId,
    #[schema(value_type = Uuid)]
    from_account: AccountId,
    #[schema(value_type = Uuid)]
    to_account: AccountId,
    /// In minor units.
    amount: i64,
    /// ISO 4217.
    currency: String,
    reference: Option<String>,
    /// The request that it paid.
    #[schema(value_type = Option<Uuid>)]
    payment_request: Option<PaymentRequestId>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// One page of transfers, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Transfers)]
pub(super) struct TransfersView {
    transfers: Vec<TransferView>,
    /// The `cursor` of the next page; null at the end.
    next_cursor: Option<String>,
}

impl TransferView {
    fn of(transfer: Transfer, caller: UserId) -> Self {
        let direction = if transfer.payer == caller {
            Direction::Outgoing
        } else {
            Direction::Incoming
        };
        Self {
            id: transfer.id,
            direction: direction.as_str(),
            payer: transfer.payer,
            payee: transfer.payee,
            from_account: transfer.from,
            to_account: transfer.to,
            amount: transfer.amount.minor_units(),
            currency: transfer.currency.to_string(),
            reference: transfer.reference,
            payment_request: transfer.payment_request,
            created_at: transfer.created_at,
        }
    }
}

impl From<TransferError> for Problem {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::NotMoved(error) => error.into(),
            TransferError::KeyUsedForAnother => key_used_for_another(),
            TransferError::Store(error) => error.into(),
        }
    }
}

/// What shall be moved. A member that is not here is refused.
#[derive(ToSchema)]
#[schema(as = TransferOrder)]
#[expect(dead_code, reason = "a description; the body is read field by field (body.rs)")]
pub(super) struct TransferBody {
    /// An account of the caller.
    from_account: Uuid,
    to_account: Uuid,
    /// In minor units.
    #[schema(minimum = 1)]
    amount: i64,
    /// A check, not a choice: the account's own.
    currency: Option<String>,
    reference: Option<String>,
}

fn order(mut fields: Fields) -> Result<TransferOrder, Problem> {
    let from = fields.required("from_account", body::account);
    let to = fields.required("to_account", body::account);
    let amount = fields.required("amount", body::amount);
    let currency = fields.optional("currency", body::currency);
    let reference = fields.optional("reference", body::reference);
    if from.is_some() && from == to {
        fields.fault("to_account", "must be another account than from_account");
    }
    let order = from.zip(to).zip(amount);
    fields.finish(order.map(|((from, to), amount)| TransferOrder {
        from,
        to,
        amount,
        currency,
        reference,
    }))
}

/// Moves money, once per key: the same order under the same key gets the first answer again.
#[utoipa::path(
    post,
    path = "/transfers/",
    operation_id = "createTransfer",
    params(("idempotency-key" = String, Header, description = "1 to 255 visible ASCII characters, such as a fresh UUID")),
    request_body = TransferBody,
    responses((status = 201, description = "The transfer", body = TransferView), WriteRefusals, ReadRefusals),
    security(("bearer" = ["payment.write"])),
)]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    caller.require(Scope::PaymentWrite)?;
    let key = required_idempotency_key(&headers)?;
    let order = order(fields)?;
    Ok(
        match postgres::transfers::execute(&state.pool, caller.id, &key, &order).await? {
            Executed::Now(transfer) => {
                tracing::info!(transfer = %transfer.id, "money moved");
                (StatusCode::CREATED, Json(TransferView::of(transfer, caller.id))).into_response()
            }
            Executed::Before(transfer) => (
                StatusCode::CREATED,
                [(REPLAYED, "true")],
                Json(TransferView::of(transfer, caller.id)),
            )
                .into_response(),
        },
    )
}

/// The caller's transfers, newest first.
#[utoipa::path(
    get,
    path = "/transfers/",
    operation_id = "listTransfers",
    params(PageParameters, DirectionParameter),
    responses((status = 200, description = "One page", body = TransfersView), WrongQuery, ReadRefusals),
    security(("bearer" = ["payment.read"])),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<TransfersView>, Problem> {
    caller.require(Scope::PaymentRead)?;
    let direction = parameters.direction();
    let page = parameters.page(TransferId::parse)?;
    let page = postgres::transfers::list(&state.pool, caller.id, direction, &page).await?;
    let next_cursor = page.next_cursor(|transfer| transfer.id.to_string());
    let transfers = page
        .items
        .into_iter()
        .map(|transfer| TransferView::of(transfer, caller.id))
        .collect();
    Ok(Json(TransfersView { transfers, next_cursor }))
}

/// One of the caller's transfers.
#[utoipa::path(
    get,
    path = "/transfers/{id}/",
    operation_id = "showTransfer",
    params(("id" = Uuid, Path, description = "The transfer")),
    responses(
        (status = 200, description = "The transfer", body = TransferView),
        (status = 404, description = "The caller has no such transfer", body = ProblemDocument, content_type = PROBLEM),
        ReadRefusals,
    ),
    security(("bearer" = ["payment.read"])),
)]
pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<TransferView>, Problem> {
    caller.require(Scope::PaymentRead)?;
    let transfer = postgres::transfers::find(&state.pool, caller.id, TransferId(id))
        .await?
        .ok_or_else(|| {
            let detail = "You have no transfer with this id.";
            Problem::new(
                StatusCode::NOT_FOUND,
                "transfer_not_found",
                "Transfer not found",
                detail,
            )
        })?;
    Ok(Json(TransferView::of(transfer, caller.id)))
}
