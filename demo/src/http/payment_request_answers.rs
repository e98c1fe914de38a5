//! `POST /requests/{id}/accept/`, `…/decline/`, `…/cancel/`: what becomes of a payment request.
//!
//! They need no idempotency key: a request can be settled once only, and the same answer again finds it settled.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppState;
use super::body::{self, OptionalFields};
use super::openapi::{AnswerRefusals, ReadRefusals, WriteRefusals};
use super::path::PathId;
use super::payment_requests::{PaymentRequestView, no_such_request};
use super::problem::Problem;
use crate::domain::caller::{Caller, Scope};
use crate::domain::id::{AccountId, PaymentRequestId};
use crate::domain::payment_request::{Answer, AnswerRefusal};
use crate::postgres;
use crate::postgres::payment_requests::AnswerError;

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        let refusal = match error {
            AnswerError::Refused(refusal) => refusal,
            AnswerError::NotPaid(error) => return error.into(),
            AnswerError::Store(error) => return error.into(),
        };
        let (status, code, title) = match refusal {
            AnswerRefusal::NoSuchRequest => return no_such_request(),
            AnswerRefusal::NotThePayer => (StatusCode::FORBIDDEN, "not_the_payer", "Not the payer"),
            AnswerRefusal::NotTheRequester => (StatusCode::FORBIDDEN, "not_the_requester", "Not the requester"),
            AnswerRefusal::Settled(_) => (StatusCode::CONFLICT, "request_settled", "Payment request settled"),
            AnswerRefusal::NoAccountInCurrency => (
                StatusCode::CONFLICT,
                "no_account_in_currency",
                "No account in this currency",
            ),
        };
        Self::new(status, code, title, format!("Nothing was done: {refusal}."))
    }
}

/// From where an accepted request is paid.
#[derive(ToSchema)]
#[schema(as = Acceptance)]
#[expect(dead_code, reason = "a description; the body is read field by field (body.rs)")]
pub(super) struct AcceptanceBody {
    /// An account of the caller; the one in the request's currency unless it is said.
    from_account: Option<Uuid>,
}

/// Pays. `from_account` is optional: a user has one account per currency.
#[utoipa::path(
    post,
    path = "/requests/{id}/accept/",
    operation_id = "acceptPaymentRequest",
    params(("id" = Uuid, Path, description = "The request")),
    request_body = Option<AcceptanceBody>,
    responses((status = 200, description = "It is paid", body = PaymentRequestView), ReadRefusals, WriteRefusals, AnswerRefusals),
    security(("bearer" = ["payment.write"])),
)]
pub(super) async fn accept(
    state: State<AppState>,
    caller: Caller,
    id: PathId,
    OptionalFields(mut fields): OptionalFields,
) -> Result<Json<PaymentRequestView>, Problem> {
    let from_account = fields.optional("from_account", body::account);
    fields.finish(Some(()))?;
    settle(state, caller, id, Answer::Accept, from_account).await
}

/// Refuses to pay.
#[utoipa::path(
    post,
    path = "/requests/{id}/decline/",
    operation_id = "declinePaymentRequest",
    params(("id" = Uuid, Path, description = "The request")),
    responses((status = 200, description = "It is declined", body = PaymentRequestView), ReadRefusals, AnswerRefusals),
    security(("bearer" = ["payment.write"])),
)]
pub(super) async fn decline(
    state: State<AppState>,
    caller: Caller,
    id: PathId,
) -> Result<Json<PaymentRequestView>, Problem> {
    settle(state, caller, id, Answer::Decline, None).await
}

/// Takes the request back.
#[utoipa::path(
    post,
    path = "/requests/{id}/cancel/",
    operation_id = "cancelPaymentRequest",
    params(("id" = Uuid, Path, description = "The request")),
    responses((status = 200, description = "It is taken back", body = PaymentRequestView), ReadRefusals, AnswerRefusals),
    security(("bearer" = ["payment.write"])),
)]
pub(super) async fn cancel(
    state: State<AppState>,
    caller: Caller,
    id: PathId,
) -> Result<Json<PaymentRequestView>, Problem> {
    settle(state, caller, id, Answer::Cancel, None).await
}

async fn settle(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId,
    answer: Answer,
    from_account: Option<AccountId>,
) -> Result<Json<PaymentRequestView>, Problem> {
    caller.require(Scope::PaymentWrite)?;
    let id = PaymentRequestId(id);
    let request = postgres::payment_requests::answer(&state.pool, caller.id, id, answer, from_account).await?;
    Ok(Json(PaymentRequestView::of(request, caller.id)))
}
