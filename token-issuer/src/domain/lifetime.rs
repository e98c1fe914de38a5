//! How long tokens live: durations as people write them in settings (`5m`, `1d`, `1h30m`), and the two bounds of a
//! refresh token.

use std::{fmt, str::FromStr, time::Duration};

use thiserror::Error;

/// A duration from the settings: more than nothing and at most ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lifetime(Duration);

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum LifetimeError {
    /// Not a sequence of numbers with units.
    #[error("write it as a number with a unit, such as 90s, 5m, 12h or 1d")]
    Form,
    /// Zero seconds.
    #[error("it must be longer than nothing")]
    Zero,
    /// Beyond ten years.
    #[error("it must not be longer than ten years (3650d)")]
    TooLong,
}

const LONGEST_SECONDS: u64 = 3650 * 24 * 60 * 60;

impl Lifetime {
    /// As a duration of the standard library.
    pub(crate) const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut total: u64 = 0;
        let mut digits = String::new();
        for character in text.chars() {
            if character.is_ascii_digit() {
                digits.push(character);
                continue;
            }
            let unit = match character {
                's' => 1,
                'm' => 60,
                'h' => 60 * 60,
                'd' => 24 * 60 * 60,
                _ => return Err(LifetimeError::Form),
            };
            if digits.is_empty() {
                return Err(LifetimeError::Form);
            }
            let count: u64 = digits.parse().map_err(|_| LifetimeError::TooLong)?;
            digits.clear();
            total = count
                .checked_mul(unit)
                .and_then(|seconds| total.checked_add(seconds))
                .ok_or(LifetimeError::TooLong)?;
        }
        if text.is_empty() || !digits.is_empty() {
            return Err(LifetimeError::Form);
        }
        match total {
            0 => Err(LifetimeError::Zero),
            LONGEST_SECONDS.. if total > LONGEST_SECONDS => Err(LifetimeError::TooLong),
            _ => Ok(Self(Duration::from_secs(total))),
        }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}s", self.0.as_secs())
    }
}

/// The lifetimes of what a login gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// An access token.
    pub(crate) access: Lifetime,
    /// One refresh token: the family dies when nobody refreshes for this long.
    pub(crate) refresh: Lifetime,
    /// All refresh tokens that descend from one login, however often they are rotated.
    pub(crate) refresh_family: Lifetime,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("1s", 1),
            ("90s", 90),
            ("5m", 300),
            ("12h", 43_200),
            ("1d", 86_400),
            ("1h30m", 5_400),
            ("3650d", 315_360_000),
        ] {
            assert_eq!(
                text.parse::<Lifetime>().unwrap().duration().as_secs(),
                seconds,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for (text, error) in [
            ("", LifetimeError::Form),
            ("5", LifetimeError::Form),
            ("m", LifetimeError::Form),
            ("5 m", LifetimeError::Form),
            ("5w", LifetimeError::Form),
            ("-5m", LifetimeError::Form),
            ("1.5h", LifetimeError::Form),
            ("5m3", LifetimeError::Form),
            ("0s", LifetimeError::Zero),
            ("0h0m", LifetimeError::Zero),
            ("3651d", LifetimeError::TooLong),
            ("18446744073709551615d", LifetimeError::TooLong),
            ("99999999999999999999s", LifetimeError::TooLong),
        ] {
            assert_eq!(text.parse::<Lifetime>(), Err(error), "{text}");
        }
    }
}
