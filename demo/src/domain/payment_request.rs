//! A request from one user to another to pay, and who may answer it how.

use thiserror::Error;
use time::OffsetDateTime;

use super::id::{AccountId, PaymentRequestId, TransferId, UserId};
use super::money::{Amount, Currency};
use super::reference::Reference;

/// What a user asks another user to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentRequestOrder {
    /// Who shall pay.
    pub(crate) payer: UserId,
    /// The caller's account that the money is to come to.
    pub(crate) to: AccountId,
    /// How much.
    pub(crate) amount: Amount,
    /// In which currency, where the caller wants to be sure.
    pub(crate) currency: Option<Currency>,
    /// Words for the payer.
    pub(crate) reference: Option<Reference>,
}

impl PaymentRequestOrder {
    /// The order as one line of text; see [`super::transfer::TransferOrder::fingerprint`].
    pub(crate) fn fingerprint(&self) -> String {
        let currency = self.currency.as_ref().map(Currency::as_str);
        let reference = self.reference.as_ref().map(Reference::as_str);
        let amount = self.amount.minor_units();
        serde_json::json!(["request", self.payer, self.to, amount, currency, reference]).to_string()
    }
}

/// A payment request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentRequest {
    /// Its identifier; later requests have greater ones.
    pub(crate) id: PaymentRequestId,
    /// Who asks.
    pub(crate) requester: UserId,
    /// Who is asked.
    pub(crate) payer: UserId,
    /// The account that the money is to come to.
    pub(crate) to: AccountId,
    /// How much.
    pub(crate) amount: Amount,
    /// In which currency.
    pub(crate) currency: Currency,
    /// What the requester wrote.
    pub(crate) reference: Option<String>,
    /// When it was asked.
    pub(crate) created_at: OffsetDateTime,
    /// What became of it.
    pub(crate) state: RequestState,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestState {
    /// Nobody has answered yet.
    Pending,
    /// The payer has paid.
    Accepted {
        /// With this transfer.
        transfer: TransferId,
        /// When.
        at: OffsetDateTime,
    },
    /// The payer does not want to pay.
    Declined {
        /// When.
        at: OffsetDateTime,
    },
    /// The requester does not want the money any more.
    Cancelled {
        /// When.
        at: OffsetDateTime,
    },
}

impl RequestState {
    /// The word on the wire and in the database.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted { .. } => "accepted",
            Self::Declined { .. } => "declined",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

/// What a user does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Pay. The payer's.
    Accept,
    /// Not pay. The payer's.
    Decline,
    /// Take it back. The requester's.
    Cancel,
}

/// What follows from an answer that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The first answer: do it now.
    Take,
    /// The same answer was given before: it is done, nothing is to do.
    TakenBefore,
}

/// Why an answer is refused.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub(crate) enum AnswerRefusal {
    /// There is no such request, or the caller has no part in it: they can't tell which.
    #[error("you have no payment request with this id")]
    NoSuchRequest,
    /// Only the payer may do this.
    #[error("only the user who is asked to pay may accept or decline")]
    NotThePayer,
    /// Only the requester may do this.
    #[error("only the user who asked may cancel")]
    NotTheRequester,
    /// It has been answered in another way.
    #[error("the payment request is {0} already")]
    Settled(&'static str),
    /// The payer has no account in the request's currency.
    #[error("you have no account in the currency of this payment request")]
    NoAccountInCurrency,
}

impl PaymentRequest {
    /// Whether `caller` may give this answer now.
    pub(crate) fn answer(&self, caller: UserId, answer: Answer) -> Result<Step, AnswerRefusal> {
        if caller != self.payer && caller != self.requester {
            return Err(AnswerRefusal::NoSuchRequest);
        }
        match answer {
            Answer::Accept | Answer::Decline if caller != self.payer => return Err(AnswerRefusal::NotThePayer),
            Answer::Cancel if caller != self.requester => return Err(AnswerRefusal::NotTheRequester),
            _ => {}
        }
        match (self.state, answer) {
            (RequestState::Pending, _) => Ok(Step::Take),
            (RequestState::Accepted { .. }, Answer::Accept)
            | (RequestState::Declined { .. }, Answer::Decline)
            | (RequestState::Cancelled { .. }, Answer::Cancel) => Ok(Step::TakenBefore),
            (settled, _) => Err(AnswerRefusal::Settled(settled.as_str())),
        }
    }

    /// The request as it was when it was asked: what a repeated creation answers, whatever has happened since.
    pub(crate) fn into_created(self) -> Self {
        Self {
            state: RequestState::Pending,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use uuid::Uuid;

    use super::*;

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    #[test]
    fn only_the_payer_accepts_or_declines_and_only_the_requester_cancels() {
        use Answer::{Accept, Cancel, Decline};
        use AnswerRefusal as No;
        let (bob, alice, mallory) = (user(1), user(2), user(3));
        let at = OffsetDateTime::UNIX_EPOCH;
        let pending = RequestState::Pending;
        let accepted = RequestState::Accepted {
            transfer: TransferId(Uuid::from_u128(9)),
            at,
        };
        let declined = RequestState::Declined { at };
        let cancelled = RequestState::Cancelled { at };
        for (state, caller, answer, expected) in [
            (pending, alice, Accept, Ok(Step::Take)),
            (pending, alice, Decline, Ok(Step::Take)),
            (pending, alice, Cancel, Err(No::NotTheRequester)),
            (pending, bob, Accept, Err(No::NotThePayer)),
            (pending, bob, Decline, Err(No::NotThePayer)),
            (pending, bob, Cancel, Ok(Step::Take)),
            (pending, mallory, Accept, Err(No::NoSuchRequest)),
            (pending, mallory, Decline, Err(No::NoSuchRequest)),
            (pending, mallory, Cancel, Err(No::NoSuchRequest)),
            (accepted, alice, Accept, Ok(Step::TakenBefore)),
            (accepted, alice, Decline, Err(No::Settled("accepted"))),
            (accepted, bob, Cancel, Err(No::Settled("accepted"))),
            (accepted, bob, Accept, Err(No::NotThePayer)),
            (accepted, mallory, Accept, Err(No::NoSuchRequest)),
            (declined, alice, Decline, Ok(Step::TakenBefore)),
            (declined, alice, Accept, Err(No::Settled("declined"))),
            (declined, bob, Cancel, Err(No::Settled("declined"))),
            (cancelled, bob, Cancel, Ok(Step::TakenBefore)),
            (cancelled, alice, Accept, Err(No::Settled("cancelled"))),
            (cancelled, alice, Decline, Err(No::Settled("cancelled"))),
        ] {
            let request = PaymentRequest {
                id: PaymentRequestId(Uuid::from_u128(7)),
                requester: bob,
                payer: alice,
                to: AccountId(Uuid::from_u128(20)),
                amount: Amount::try_from(5).unwrap(),
                currency: Currency::try_from("EUR").unwrap(),
                reference: None,
                created_at: at,
                state,
            };
            assert_eq!(
                request.answer(caller, answer),
                expected,
                "{state:?} {answer:?} by {caller}"
            );
            assert_eq!(request.into_created().state, RequestState::Pending);
        }
    }
}
