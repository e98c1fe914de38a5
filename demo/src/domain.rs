//! What the bank and the payment service know about money, without a database, a network or a clock.
//!
//! It stands apart so that every rule about who may move how much is a function of its arguments.

pub(crate) mod account;
pub(crate) mod caller;
pub(crate) mod id;
pub(crate) mod idempotency;
pub(crate) mod money;
pub(crate) mod page;
pub(crate) mod payment_request;
pub(crate) mod reference;
pub(crate) mod transfer;
