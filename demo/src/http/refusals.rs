//! How the refusals of the domain read on the wire. One table, because transfers and accepted requests share it.

use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::problem::{Fault, Problem};
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::transfer::TransferRefusal;
use crate::postgres::transfers::MoveError;

/// The header that names one intended change.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header that marks an answer which was given before.
pub(super) const REPLAYED: &str = "idempotent-replayed";

impl From<TransferRefusal> for Problem {
    fn from(refusal: TransferRefusal) -> Self {
        use TransferRefusal as Because;
        let (status, code, title, field) = match refusal {
            Because::NoSuchSource => (
                StatusCode::NOT_FOUND,
                "account_not_found",
                "Account not found",
                Some("from_account"),
            ),
            Because::NoSuchDestination => (
                StatusCode::NOT_FOUND,
                "recipient_not_found",
                "Recipient not found",
                Some("to_account"),
            ),
            Because::SameAccount => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "same_account",
                "Same account",
                Some("to_account"),
            ),
            Because::NotTheSourcesCurrency => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "currency_mismatch",
                "Currency mismatch",
                Some("currency"),
            ),
            Because::DifferentCurrencies => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "currency_mismatch",
                "Currency mismatch",
                Some("to_account"),
            ),
            Because::InsufficientFunds => (StatusCode::CONFLICT, "insufficient_funds", "Insufficient funds", None),
            Because::DestinationFull => (StatusCode::CONFLICT, "recipient_full", "Recipient full", None),
        };
        let problem = Self::new(status, code, title, format!("Nothing was moved: {refusal}."));
        match field {
            Some(field) => problem.with_fault(Fault::member(field, refusal.to_string())),
            None => problem,
        }
    }
}

impl From<MoveError> for Problem {
    fn from(error: MoveError) -> Self {
        match error {
            MoveError::Refused(refusal) => refusal.into(),
            MoveError::Store(error) => error.into(),
        }
    }
}

/// The key was used for something else.
pub(super) fn key_used_for_another() -> Problem {
    let detail = "This Idempotency-Key was used for another request before. A new change needs a new key.";
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "Idempotency key reused",
        detail,
    )
    .with_fault(Fault::header(IDEMPOTENCY_KEY, "belongs to another request"))
}

/// The key, if one was sent. One that is malformed or sent twice is refused.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let values: Vec<&[u8]> = headers
        .get_all(IDEMPOTENCY_KEY)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let fault = match values.as_slice() {
        [] => return Ok(None),
        [value] => match IdempotencyKey::try_from(*value) {
            Ok(key) => return Ok(Some(key)),
            Err(error) => error.to_string(),
        },
        _ => "stands there more than once".to_owned(),
    };
    let detail = "The Idempotency-Key is malformed; nothing was done.";
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_invalid",
        "Invalid idempotency key",
        detail,
    )
    .with_fault(Fault::header(IDEMPOTENCY_KEY, fault)))
}

/// The key, which has to be there.
pub(super) fn required_idempotency_key(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    idempotency_key(headers)?.ok_or_else(|| {
        let detail = "Money moves only under an Idempotency-Key, so that sending this again never moves it twice. \
                      Send the header with a fresh UUID.";
        Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency_key_missing",
            "Idempotency key missing",
            detail,
        )
        .with_fault(Fault::header(IDEMPOTENCY_KEY, "is required"))
    })
}
