//! Money in whole minor units (cents). No floating point anywhere, every sum checked.

use std::fmt;

use thiserror::Error;

/// The largest amount and the largest balance: 2^53 − 1.
///
/// It would fit `i64` beyond that, but many JSON readers keep numbers as doubles and would silently round (RFC 8259,
/// section 6).
pub(crate) const MAX_MINOR_UNITS: i64 = 9_007_199_254_740_991;

/// How much is to be moved: at least one minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(i64);

/// Why a number is not an amount. The words complete "amount …".
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum AmountError {
    /// Zero or less.
    #[error("must be greater than 0: it is what is to be moved, in minor units (100 is 1.00 EUR)")]
    NotPositive,
    /// Beyond [`MAX_MINOR_UNITS`].
    #[error("must be at most {MAX_MINOR_UNITS} minor units")]
    TooLarge,
}

impl Amount {
    /// The number in minor units.
    pub(crate) fn minor_units(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Amount {
    type Error = AmountError;

    fn try_from(minor_units: i64) -> Result<Self, AmountError> {
        match minor_units {
            ..=0 => Err(AmountError::NotPositive),
            1..=MAX_MINOR_UNITS => Ok(Self(minor_units)),
            _ => Err(AmountError::TooLarge),
        }
    }
}

/// What an account holds: never less than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Balance(i64);

/// Why a number is not a balance.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a balance is between 0 and {MAX_MINOR_UNITS} minor units")]
pub(crate) struct BalanceError;

impl Balance {
    /// The number in minor units.
    pub(crate) fn minor_units(self) -> i64 {
        self.0
    }

    /// What is left after `amount` went out, or nothing where it does not suffice.
    pub(crate) fn minus(self, amount: Amount) -> Option<Self> {
        self.0.checked_sub(amount.0).and_then(|left| Self::try_from(left).ok())
    }

    /// What is there after `amount` came in, or nothing where it would exceed the largest balance.
    pub(crate) fn plus(self, amount: Amount) -> Option<Self> {
        self.0.checked_add(amount.0).and_then(|sum| Self::try_from(sum).ok())
    }
}

impl TryFrom<i64> for Balance {
    type Error = BalanceError;

    fn try_from(minor_units: i64) -> Result<Self, BalanceError> {
        if (0..=MAX_MINOR_UNITS).contains(&minor_units) {
            Ok(Self(minor_units))
        } else {
            Err(BalanceError)
        }
    }
}

/// A currency by its three letters (ISO 4217).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Currency(String);

/// Why a text is not a currency.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("must be three capital letters (ISO 4217), such as \"EUR\"")]
pub(crate) struct CurrencyError;

impl Currency {
    /// The three letters.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<&str> for Currency {
    type Error = CurrencyError;

    fn try_from(text: &str) -> Result<Self, CurrencyError> {
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CurrencyError)
        }
    }
}

impl std::str::FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        Self::try_from(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_amount_is_positive_and_exact_in_every_json_reader() {
        for (minor_units, expected) in [
            (i64::MIN, Err(AmountError::NotPositive)),
            (-1, Err(AmountError::NotPositive)),
            (0, Err(AmountError::NotPositive)),
            (1, Ok(Amount(1))),
            (MAX_MINOR_UNITS, Ok(Amount(MAX_MINOR_UNITS))),
            (MAX_MINOR_UNITS + 1, Err(AmountError::TooLarge)),
            (i64::MAX, Err(AmountError::TooLarge)),
        ] {
            assert_eq!(Amount::try_from(minor_units), expected, "{minor_units}");
        }
    }

    #[test]
    fn a_balance_never_leaves_its_range() {
        let balance = |units| Balance::try_from(units).unwrap();
        let amount = |units| Amount::try_from(units).unwrap();
        for (held, moved, left, sum) in [
            (0, 1, None, Some(1)),
            (1, 1, Some(0), Some(2)),
            (99, 100, None, Some(199)),
            (100, 100, Some(0), Some(200)),
            (MAX_MINOR_UNITS, 1, Some(MAX_MINOR_UNITS - 1), None),
            (MAX_MINOR_UNITS - 1, 1, Some(MAX_MINOR_UNITS - 2), Some(MAX_MINOR_UNITS)),
            (0, MAX_MINOR_UNITS, None, Some(MAX_MINOR_UNITS)),
        ] {
            assert_eq!(
                balance(held).minus(amount(moved)),
                left.map(balance),
                "{held} - {moved}"
            );
            assert_eq!(balance(held).plus(amount(moved)), sum.map(balance), "{held} + {moved}");
        }
        for wrong in [-1, i64::MIN, MAX_MINOR_UNITS + 1, i64::MAX] {
            assert_eq!(Balance::try_from(wrong), Err(BalanceError), "{wrong}");
        }
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        for (text, accepted) in [
            ("EUR", true),
            ("USD", true),
            ("eur", false),
            ("EU", false),
            ("EURO", false),
            ("E R", false),
            ("ÄU", false),
        ] {
            assert_eq!(Currency::try_from(text).is_ok(), accepted, "{text}");
        }
    }
}
