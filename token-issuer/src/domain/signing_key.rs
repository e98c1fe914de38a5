//! The life of a signing key: `pending` (published, does not sign yet) → `active` (signs) → `retiring` (published until
//! the last token signed with it has expired) → `retired` (gone).

use std::fmt;

use thiserror::Error;
use time::OffsetDateTime;

/// A key's identifier: its RFC 7638 thumbprint, the `kid` of what it signs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(pub(crate) String);

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// Published so that gateways know it before it signs.
    Pending,
    /// The one that signs.
    Active {
        /// Since when.
        since: OffsetDateTime,
    },
    /// Signs no more, verifies still.
    Retiring {
        /// Since when.
        since: OffsetDateTime,
    },
    /// Neither signs nor verifies.
    Retired {
        /// Since when.
        since: OffsetDateTime,
    },
}

/// A row that the life cycle does not know.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum KeyStateError {
    /// A word that is none of the four.
    #[error("the status {0:?} is unknown")]
    Unknown(String),
    /// A state without the time at which it began.
    #[error("a key that is {0} needs the time since when")]
    TimeMissing(&'static str),
}

/// The times at which a key entered its states, as they are stored.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyTimes {
    /// Entered `active`.
    pub(crate) activated: Option<OffsetDateTime>,
    /// Entered `retiring`.
    pub(crate) retiring: Option<OffsetDateTime>,
    /// Entered `retired`.
    pub(crate) retired: Option<OffsetDateTime>,
}

impl KeyState {
    /// Reads the state from a stored status and its times.
    pub(crate) fn from_stored(status: &str, times: KeyTimes) -> Result<Self, KeyStateError> {
        let since = |time: Option<OffsetDateTime>, name| time.ok_or(KeyStateError::TimeMissing(name));
        match status {
            "pending" => Ok(Self::Pending),
            "active" => since(times.activated, "active").map(|since| Self::Active { since }),
            "retiring" => since(times.retiring, "retiring").map(|since| Self::Retiring { since }),
            "retired" => since(times.retired, "retired").map(|since| Self::Retired { since }),
            other => Err(KeyStateError::Unknown(other.to_owned())),
        }
    }

    /// The stored word.
    pub(crate) const fn status(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active { .. } => "active",
            Self::Retiring { .. } => "retiring",
            Self::Retired { .. } => "retired",
        }
    }

    /// Whether the key stands in the published set, and so verifies.
    pub(crate) const fn is_published(self) -> bool {
        !matches!(self, Self::Retired { .. })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(second).unwrap()
    }

    #[test]
    fn a_stored_row_becomes_a_state() {
        let times = KeyTimes {
            activated: Some(at(1)),
            retiring: Some(at(2)),
            retired: Some(at(3)),
        };
        for (status, state, published) in [
            ("pending", KeyState::Pending, true),
            ("active", KeyState::Active { since: at(1) }, true),
            ("retiring", KeyState::Retiring { since: at(2) }, true),
            ("retired", KeyState::Retired { since: at(3) }, false),
        ] {
            let read = KeyState::from_stored(status, times).unwrap();
            assert_eq!(read, state);
            assert_eq!(read.status(), status);
            assert_eq!(read.is_published(), published, "{status}");
        }
    }

    #[test]
    fn an_impossible_row_is_an_error() {
        let none = KeyTimes::default();
        for status in ["active", "retiring", "retired"] {
            assert_eq!(
                KeyState::from_stored(status, none).map_err(|error| error.to_string()),
                Err(format!("a key that is {status} needs the time since when"))
            );
        }
        assert_eq!(
            KeyState::from_stored("Active", none),
            Err(KeyStateError::Unknown("Active".into()))
        );
    }
}
