//! `POST /requests/`, `GET /requests/`, `GET /requests/{id}/`: asking another user to pay.

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
use super::problem::{Fault, PROBLEM, Problem, ProblemDocument};
use super::refusals::{REPLAYED, idempotency_key, key_used_for_another};
use crate::domain::caller::{Caller, Scope};
use crate::domain::id::{AccountId, PaymentRequestId, TransferId, UserId};
use crate::domain::page::Direction;
use crate::domain::payment_request::{AnswerRefusal, PaymentRequest, PaymentRequestOrder, RequestState};
use crate::postgres;
use crate::postgres::payment_requests::{AskError, Asked};

/// What one user asks another to pay.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentRequest)]
pub(super) struct PaymentRequestView {
    #[schema(value_type = Uuid)]
    id: PaymentRequestId,
    /// Seen from the caller: an incoming request asks the caller to pay.
    direction: &'static str,
    /// `pending`, `accepted`, `declined` or `cancelled`.
    status: &'static str,
    #[schema(value_type = Uuid)]
    requester: UserId,
    #[schema(value_type = Uuid)]
    payer: UserId,
    #[schema(value_type = Uuid)]
    to_account: AccountId,
    /// In minor units.
    amount: i64,
    /// ISO 4217.
    currency: String,
    reference: Option<String>,
    /// The transfer that paid it.
    #[schema(value_type = Option<Uuid>)]
    transfer: Option<TransferId>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    settled_at: Option<OffsetDateTime>,
}

/// One page of requests, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentRequests)]
pub(super) struct PaymentRequestsView {
    requests: Vec<PaymentRequestView>,
    /// The `cursor` of the next page; null at the end.
    next_cursor: Option<String>,
}

impl PaymentRequestView {
    pub(super) fn of(request: PaymentRequest, caller: UserId) -> Self {
        let direction = if request.payer == caller {
            Direction::Incoming
        } else {
            Direction::Outgoing
        };
        let (transfer, settled_at) = match request.state {
            RequestState::Pending => (None, None),
            RequestState::Accepted { transfer, at } => (Some(transfer), Some(at)),
            RequestState::Declined { at } | RequestState::Cancelled { at } => (None, Some(at)),
        };
        Self {
            id: request.id,
            direction: direction.as_str(),
            status: request.state.as_str(),
            requester: request.requester,
            payer: request.payer,
            to_account: request.to,
            amount: request.amount.minor_units(),
            currency: request.currency.to_string(),
            reference: request.reference,
            transfer,
            created_at: request.created_at,
            settled_at,
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let (status, code, title, field) = match error {
            AskError::NoSuchAccount => (
                StatusCode::NOT_FOUND,
                "account_not_found",
                "Account not found",
                "to_account",
            ),
            AskError::NotTheAccountsCurrency => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "currency_mismatch",
                "Currency mismatch",
                "currency",
            ),
            AskError::NoSuchPayer => (StatusCode::NOT_FOUND, "payer_not_found", "Payer not found", "payer"),
            AskError::KeyUsedForAnother => return key_used_for_another(),
            AskError::Store(error) => return error.into(),
        };
        Self::new(status, code, title, format!("Nothing was asked: {error}."))
            .with_fault(Fault::member(field, error.to_string()))
    }
}

/// Who shall pay what. A member that is not here is refused.
#[derive(ToSchema)]
#[schema(as = PaymentRequestOrder)]
#[expect(dead_code, reason = "a description; the body is read field by field (body.rs)")]
pub(super) struct PaymentRequestBody {
    /// Another user.
    payer: Uuid,
    /// An account of the caller.
    to_account: Uuid,
    /// In minor units.
    #[schema(minimum = 1)]
    amount: i64,
    /// A check, not a choice: the account's own.
    currency: Option<String>,
    reference: Option<String>,
}

fn order(mut fields: Fields, caller: UserId) -> Result<PaymentRequestOrder, Problem> {
    let payer = fields.required("payer", body::user);
    let to = fields.required("to_account", body::account);
    let amount = fields.required("amount", body::amount);
    let currency = fields.optional("currency", body::currency);
    let reference = fields.optional("reference", body::reference);
    if payer == Some(caller) {
        fields.fault("payer", "must be another user than you");
    }
    let order = payer.zip(to).zip(amount);
    fields.finish(order.map(|((payer, to), amount)| PaymentRequestOrder {
        payer,
        to,
        amount,
        currency,
        reference,
    }))
}

/// There is no such request, or the caller has no part in it. Both read the same.
pub(super) fn no_such_request() -> Problem {
    let detail = format!("Nothing was done: {}.", AnswerRefusal::NoSuchRequest);
    Problem::new(
        StatusCode::NOT_FOUND,
        "request_not_found",
        "Payment request not found",
        detail,
    )
}

/// Asks another user to pay into one of the caller's accounts.
#[utoipa::path(
    post,
    path = "/requests/",
    operation_id = "createPaymentRequest",
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = PaymentRequestBody,
    responses((status = 201, description = "The request", body = PaymentRequestView), WriteRefusals, ReadRefusals),
    security(("bearer" = ["payment.write"])),
)]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    caller.require(Scope::PaymentWrite)?;
    let key = idempotency_key(&headers)?;
    let order = order(fields, caller.id)?;
    Ok(
        match postgres::payment_requests::ask(&state.pool, caller.id, key.as_ref(), &order).await? {
            Asked::Now(request) => {
                (StatusCode::CREATED, Json(PaymentRequestView::of(request, caller.id))).into_response()
            }
            Asked::Before(request) => {
                let view = Json(PaymentRequestView::of(request, caller.id));
                (StatusCode::CREATED, [(REPLAYED, "true")], view).into_response()
            }
        },
    )
}

/// The caller's requests, newest first.
#[utoipa::path(
    get,
    path = "/requests/",
    operation_id = "listPaymentRequests",
    params(PageParameters, DirectionParameter),
    responses((status = 200, description = "One page", body = PaymentRequestsView), WrongQuery, ReadRefusals),
    security(("bearer" = ["payment.read"])),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<PaymentRequestsView>, Problem> {
    caller.require(Scope::PaymentRead)?;
    let direction = parameters.direction();
    let page = parameters.page(PaymentRequestId::parse)?;
    let page = postgres::payment_requests::list(&state.pool, caller.id, direction, &page).await?;
    let next_cursor = page.next_cursor(|request| request.id.to_string());
    let requests = page
        .items
        .into_iter()
        .map(|request| PaymentRequestView::of(request, caller.id))
        .collect();
    Ok(Json(PaymentRequestsView { requests, next_cursor }))
}

/// One of the caller's requests.
#[utoipa::path(
    get,
    path = "/requests/{id}/",
    operation_id = "showPaymentRequest",
    params(("id" = Uuid, Path, description = "The request")),
    responses(
        (status = 200, description = "The request", body = PaymentRequestView),
        (status = 404, description = "The caller has no part in such a request", body = ProblemDocument, content_type = PROBLEM),
        ReadRefusals,
    ),
    security(("bearer" = ["payment.read"])),
)]
pub(super) async fn show(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<PaymentRequestView>, Problem> {
    caller.require(Scope::PaymentRead)?;
    let request = postgres::payment_requests::find(&state.pool, caller.id, PaymentRequestId(id)).await?;
    Ok(Json(PaymentRequestView::of(
        request.ok_or_else(no_such_request)?,
        caller.id,
    )))
}
