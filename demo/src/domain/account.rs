//! An account at the bank and the entries of its ledger.

use time::OffsetDateTime;

use super::id::{AccountId, TransferId, UserId};
use super::money::{Balance, Currency};

/// An account: one owner, one currency, what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its identifier.
    pub(crate) id: AccountId,
    /// The only user who sees it and pays from it.
    pub(crate) owner: UserId,
    /// The owner's name when the account was opened.
    pub(crate) owner_name: String,
    /// What it is held in.
    pub(crate) currency: Currency,
    /// What it holds.
    pub(crate) balance: Balance,
    /// When it was opened.
    pub(crate) opened_at: OffsetDateTime,
}

/// One change of a balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Grows with every entry of the account.
    pub(crate) id: i64,
    /// What happened.
    pub(crate) cause: EntryCause,
    /// Signed minor units: negative went out.
    pub(crate) amount: i64,
    /// What the account held afterwards.
    pub(crate) balance_after: Balance,
    /// When.
    pub(crate) created_at: OffsetDateTime,
}

/// Why a balance changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryCause {
    /// The account was opened with it.
    Opening,
    /// A transfer.
    Transfer {
        /// Which one.
        id: TransferId,
        /// The account on the other side.
        counterparty: AccountId,
        /// What the payer wrote.
        reference: Option<String>,
    },
}
