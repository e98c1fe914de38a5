//! The services as their callers see them: real routers, a real Postgres, a database of its own for each test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod accounts;
mod double_spending;
mod identity;
mod input;
mod listings;
mod outage;
mod payment_requests;
mod support;
mod transfers;
