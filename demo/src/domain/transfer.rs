//! When money may move from one account to another.

use thiserror::Error;
use time::OffsetDateTime;

use super::account::Account;
use super::id::{AccountId, PaymentRequestId, TransferId, UserId};
use super::money::{Amount, Balance, Currency};
use super::reference::Reference;

/// What a caller wants moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransferOrder {
    /// The caller's account.
    pub(crate) from: AccountId,
    /// Anybody's account, another one.
    pub(crate) to: AccountId,
    /// How much.
    pub(crate) amount: Amount,
    /// In which currency, where the caller wants to be sure.
    pub(crate) currency: Option<Currency>,
    /// Words for the receiver.
    pub(crate) reference: Option<Reference>,
}

impl TransferOrder {
    /// The order as one line of text, the same for the same order however its JSON was laid out. A repeated idempotency
    /// key is compared by it.
    pub(crate) fn fingerprint(&self) -> String {
        let currency = self.currency.as_ref().map(Currency::as_str);
        let reference = self.reference.as_ref().map(Reference::as_str);
        let amount = self.amount.minor_units();
        serde_json::json!(["transfer", self.from, self.to, amount, currency, reference]).to_string()
    }
}

/// A transfer that has happened. It never changes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// Its identifier; later transfers have greater ones.
    pub(crate) id: TransferId,
    /// Who paid.
    pub(crate) payer: UserId,
    /// Who was paid.
    pub(crate) payee: UserId,
    /// From which account.
    pub(crate) from: AccountId,
    /// To which account.
    pub(crate) to: AccountId,
    /// How much.
    pub(crate) amount: Amount,
    /// In which currency.
    pub(crate) currency: Currency,
    /// What the payer wrote.
    pub(crate) reference: Option<String>,
    /// The payment request that it paid.
    pub(crate) payment_request: Option<PaymentRequestId>,
    /// When.
    pub(crate) created_at: OffsetDateTime,
}

/// Why money does not move.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub(crate) enum TransferRefusal {
    /// There is no such account, or it is somebody else's: the caller can't tell which.
    #[error("you have no account with this id")]
    NoSuchSource,
    /// There is no account to pay to.
    #[error("there is no account with this id")]
    NoSuchDestination,
    /// The two accounts are one.
    #[error("money can't be moved to the account that it comes from")]
    SameAccount,
    /// The order names another currency than the paying account holds.
    #[error("the paying account is held in another currency than the one you named")]
    NotTheSourcesCurrency,
    /// The two accounts are held in different currencies.
    #[error("the two accounts are held in different currencies, and nothing is exchanged here")]
    DifferentCurrencies,
    /// There is not enough money.
    #[error("the paying account does not hold enough")]
    InsufficientFunds,
    /// The receiving account would exceed the largest balance.
    #[error("the receiving account can't take this much")]
    DestinationFull,
}

/// What both accounts hold after a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settlement {
    /// The paying account's balance.
    pub(crate) source: Balance,
    /// The receiving account's balance.
    pub(crate) destination: Balance,
}

/// Decides about a transfer. Both accounts are locked by the caller of this function, or the answer means nothing.
///
/// Ownership comes first: nothing about an account is told to anybody but its owner.
pub(crate) fn settle(
    caller: UserId,
    source: Option<&Account>,
    destination: Option<&Account>,
    amount: Amount,
    currency: Option<&Currency>,
) -> Result<Settlement, TransferRefusal> {
    let source = source
        .filter(|account| account.owner == caller)
        .ok_or(TransferRefusal::NoSuchSource)?;
    let destination = destination.ok_or(TransferRefusal::NoSuchDestination)?;
    if source.id == destination.id {
        return Err(TransferRefusal::SameAccount);
    }
    if currency.is_some_and(|wanted| *wanted != source.currency) {
        return Err(TransferRefusal::NotTheSourcesCurrency);
    }
    if source.currency != destination.currency {
        return Err(TransferRefusal::DifferentCurrencies);
    }
    Ok(Settlement {
        source: source.balance.minus(amount).ok_or(TransferRefusal::InsufficientFunds)?,
        destination: destination
            .balance
            .plus(amount)
            .ok_or(TransferRefusal::DestinationFull)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use uuid::Uuid;

    use super::super::money::MAX_MINOR_UNITS;
    use super::*;

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn account(number: u128, owner: UserId, currency: &str, balance: i64) -> Account {
        Account {
            id: AccountId(Uuid::from_u128(number)),
            owner,
            owner_name: "somebody".to_owned(),
            currency: Currency::try_from(currency).unwrap(),
            balance: Balance::try_from(balance).unwrap(),
            opened_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn money_moves_only_from_ones_own_account_and_only_what_is_there() {
        use TransferRefusal as No;
        let (alice, bob) = (user(1), user(2));
        let rich = account(10, alice, "EUR", 100);
        let poor = account(11, alice, "EUR", 0);
        let bobs = account(20, bob, "EUR", 50);
        let dollars = account(21, bob, "USD", 0);
        let full = account(22, bob, "EUR", MAX_MINOR_UNITS);
        for (case, source, destination, amount, currency, expected) in [
            ("enough", Some(&rich), Some(&bobs), 30, None, Ok((70, 80))),
            ("all of it", Some(&rich), Some(&bobs), 100, Some("EUR"), Ok((0, 150))),
            (
                "one too many",
                Some(&rich),
                Some(&bobs),
                101,
                None,
                Err(No::InsufficientFunds),
            ),
            (
                "nothing there",
                Some(&poor),
                Some(&bobs),
                1,
                None,
                Err(No::InsufficientFunds),
            ),
            ("an unknown source", None, Some(&bobs), 1, None, Err(No::NoSuchSource)),
            (
                "another's source",
                Some(&bobs),
                Some(&rich),
                1,
                None,
                Err(No::NoSuchSource),
            ),
            (
                "another's source in another currency",
                Some(&dollars),
                Some(&rich),
                1,
                Some("EUR"),
                Err(No::NoSuchSource),
            ),
            (
                "another's source to nowhere",
                Some(&bobs),
                None,
                1,
                None,
                Err(No::NoSuchSource),
            ),
            ("to nowhere", Some(&rich), None, 1, None, Err(No::NoSuchDestination)),
            ("to itself", Some(&rich), Some(&rich), 1, None, Err(No::SameAccount)),
            (
                "to dollars",
                Some(&rich),
                Some(&dollars),
                1,
                None,
                Err(No::DifferentCurrencies),
            ),
            (
                "dollars from euros",
                Some(&rich),
                Some(&bobs),
                1,
                Some("USD"),
                Err(No::NotTheSourcesCurrency),
            ),
            (
                "to a full account",
                Some(&rich),
                Some(&full),
                1,
                None,
                Err(No::DestinationFull),
            ),
        ] {
            let currency = currency.map(|text| Currency::try_from(text).unwrap());
            let amount = Amount::try_from(amount).unwrap();
            let settled = settle(alice, source, destination, amount, currency.as_ref());
            let settled = settled.map(|after| (after.source.minor_units(), after.destination.minor_units()));
            assert_eq!(settled, expected, "{case}");
        }
    }

    #[test]
    fn orders_that_differ_anywhere_have_different_fingerprints() {
        let order = TransferOrder {
            from: AccountId(Uuid::from_u128(1)),
            to: AccountId(Uuid::from_u128(2)),
            amount: Amount::try_from(5).unwrap(),
            currency: None,
            reference: None,
        };
        let variants = [
            order.clone(),
            TransferOrder {
                from: order.to,
                to: order.from,
                ..order.clone()
            },
            TransferOrder {
                amount: Amount::try_from(6).unwrap(),
                ..order.clone()
            },
            TransferOrder {
                currency: Some(Currency::try_from("EUR").unwrap()),
                ..order.clone()
            },
            TransferOrder {
                reference: Some(Reference::try_from("EUR").unwrap()),
                ..order.clone()
            },
        ];
        let mut prints: Vec<String> = variants.iter().map(TransferOrder::fingerprint).collect();
        assert_eq!(prints[0], order.fingerprint());
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), variants.len());
    }
}
