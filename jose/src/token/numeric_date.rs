//! `NumericDate` (RFC 7519 section 2): seconds since 1970-01-01T00:00:00Z.

use crate::json::Number;

/// A point in time, in whole seconds since 1970.
///
/// RFC 7519 allows fractions. They are accepted and rounded to the second in the direction that shortens the token's
/// life: `exp` down, `nbf` up. So a clock that counts whole seconds never finds a token valid that an exact clock would
/// not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumericDate(u64);

/// Where dates end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// 2^63 seconds, which no signed integer of 64 bits holds: for dates that are reckoned with.
    Signed,
    /// 2^64 seconds: for dates that are only dates.
    Unsigned,
}

impl Limit {
    const fn as_f64(self) -> f64 {
        match self {
            Self::Signed => 9_223_372_036_854_775_808.0,
            Self::Unsigned => 18_446_744_073_709_551_616.0,
        }
    }
}

/// What becomes of a fraction of a second.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rounding {
    Down,
    Up,
}

impl NumericDate {
    /// The date that lies so many seconds after the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The date that a number stands for, unless it lies before the epoch or at the limit or beyond it. Readers who know
    /// numbers as doubles only, Envoy's own filter for one, take the last numbers before the limit for the limit itself,
    /// so these are refused with it.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked first"
    )]
    pub(super) fn rounded(number: Number, rounding: Rounding, limit: Limit) -> Option<Self> {
        let limit = limit.as_f64();
        match number {
            Number::Unsigned(seconds) => (number.as_f64() < limit).then_some(Self(seconds)),
            Number::Negative(_) => None,
            Number::Float(seconds) => {
                let rounded = match rounding {
                    Rounding::Down => seconds.floor(),
                    Rounding::Up => seconds.ceil(),
                };
                (seconds >= 0.0 && rounded < limit).then_some(Self(rounded as u64))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn fractions_shorten_a_life_and_what_is_out_of_range_is_no_date() {
        const LAST: u64 = (1 << 63) - 513;
        let table: [(Number, Option<u64>, Option<u64>); 18] = [
            (Number::Unsigned(0), Some(0), Some(0)),
            (Number::Unsigned(LAST), Some(LAST), Some(LAST)),
            (Number::Unsigned(LAST + 1), None, None),
            (Number::Unsigned(1 << 63), None, None),
            (Number::Unsigned(u64::MAX), None, None),
            (Number::Negative(-1), None, None),
            (Number::Negative(i64::MIN), None, None),
            (Number::Float(0.0), Some(0), Some(0)),
            (Number::Float(-0.0), Some(0), Some(0)),
            (Number::Float(-0.1), None, None),
            (Number::Float(-1e300), None, None),
            (Number::Float(0.1), Some(0), Some(1)),
            (Number::Float(1_700_000_000.0), Some(1_700_000_000), Some(1_700_000_000)),
            (Number::Float(1_700_000_000.5), Some(1_700_000_000), Some(1_700_000_001)),
            (
                Number::Float(1_700_000_000.999_999),
                Some(1_700_000_000),
                Some(1_700_000_001),
            ),
            (
                Number::Float(9_223_372_036_854_774_784.0),
                Some(9_223_372_036_854_774_784),
                Some(9_223_372_036_854_774_784),
            ),
            (Number::Float(9_223_372_036_854_775_808.0), None, None),
            (Number::Float(f64::MAX), None, None),
        ];
        for (number, down, up) in table {
            assert_eq!(
                NumericDate::rounded(number, Rounding::Down, Limit::Signed).map(NumericDate::seconds),
                down,
                "{number:?}"
            );
            assert_eq!(
                NumericDate::rounded(number, Rounding::Up, Limit::Signed).map(NumericDate::seconds),
                up,
                "{number:?}"
            );
        }
    }

    #[test]
    fn a_date_that_is_only_a_date_may_be_twice_as_far_away() {
        for (number, expected) in [
            (Number::Unsigned(1 << 63), Some(1 << 63)),
            (Number::Float(1e19), Some(10_000_000_000_000_000_000)),
            (Number::Unsigned(u64::MAX - 1024), Some(u64::MAX - 1024)),
            (Number::Unsigned(u64::MAX - 1023), None),
            (Number::Float(18_446_744_073_709_551_616.0), None),
        ] {
            let date = NumericDate::rounded(number, Rounding::Down, Limit::Unsigned);
            assert_eq!(date.map(NumericDate::seconds), expected, "{number:?}");
        }
    }
}
