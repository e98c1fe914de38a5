//! Passwords: what they may be (OWASP ASVS 5.0, V6.2) and types that never show them.

use std::{collections::HashSet, fmt, sync::LazyLock};

use thiserror::Error;
use zeroize::Zeroizing;

use super::username::Username;

/// A password as somebody typed it, neither trimmed nor cut. Wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password over.
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The password itself, for hashing.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(hidden)")
    }
}

/// A password hash in PHC form, as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash over.
    pub(crate) fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(hidden)")
    }
}

/// A password that may be chosen: it passed the policy.
#[derive(Debug)]
pub(crate) struct ChosenPassword(Password);

/// Why a password may not be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum PolicyError {
    /// Fewer than eight characters.
    #[error("a password needs at least {SHORTEST} characters")]
    TooShort,
    /// More than 128 characters; refused, never cut.
    #[error("a password must not be longer than {LONGEST} characters")]
    TooLong,
    /// Nothing but white space, or control characters that no login form could send.
    #[error("a password must not be blank or contain control characters")]
    Characters,
    /// On the list of passwords that attackers try first.
    #[error("this is one of the most common passwords; choose another one")]
    Common,
    /// The same as the username.
    #[error("a password must differ from the username")]
    SameAsUsername,
}

const SHORTEST: usize = 8;
const LONGEST: usize = 128;

/// The passwords that everybody tries first, in lower case; those with fewer than eight characters need no entry.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("password/common.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

impl ChosenPassword {
    /// Checks a new password against the policy.
    pub(crate) fn check(password: Password, username: &Username) -> Result<Self, PolicyError> {
        let text = password.expose();
        let length = text.chars().count();
        if length < SHORTEST {
            return Err(PolicyError::TooShort);
        }
        if length > LONGEST {
            return Err(PolicyError::TooLong);
        }
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(PolicyError::Characters);
        }
        let folded = Zeroizing::new(text.to_lowercase());
        if *folded == username.as_str().to_lowercase() {
            return Err(PolicyError::SameAsUsername);
        }
        if COMMON.contains(folded.as_str()) {
            return Err(PolicyError::Common);
        }
        Ok(Self(password))
    }

    /// The password that was checked.
    pub(crate) const fn password(&self) -> &Password {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str) -> Result<(), PolicyError> {
        let username = Username::parse("maria.lopez").unwrap();
        ChosenPassword::check(Password::new(text.to_owned()), &username).map(|_| ())
    }

    #[test]
    fn passwords_of_8_to_128_characters_are_allowed_whatever_they_consist_of() {
        for text in [
            "alice-demo-password",
            "bob-demo-password",
            "aB3$ x!z",
            " spaces at the ends ",
            "пароль-на-восемь",
            "🦀🦀🦀🦀🦀🦀🦀🦀",
        ] {
            assert_eq!(check(text), Ok(()), "{text:?}");
        }
        assert_eq!(check(&"ä".repeat(128)), Ok(()));
    }

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        for (text, error) in [
            ("", PolicyError::TooShort),
            ("7 chars", PolicyError::TooShort),
            ("🦀🦀🦀🦀🦀🦀🦀", PolicyError::TooShort),
            ("          ", PolicyError::Characters),
            ("with a \u{0} byte", PolicyError::Characters),
            ("two\nlines", PolicyError::Characters),
            ("password", PolicyError::Common),
            ("PassWord1", PolicyError::Common),
            ("12345678", PolicyError::Common),
            ("qwertyuiop", PolicyError::Common),
            ("maria.lopez", PolicyError::SameAsUsername),
            ("MARIA.LOPEZ", PolicyError::SameAsUsername),
        ] {
            assert_eq!(check(text), Err(error), "{text:?}");
        }
        assert_eq!(check(&"a".repeat(129)), Err(PolicyError::TooLong));
    }

    #[test]
    fn every_entry_of_the_list_could_match() {
        assert!(COMMON.len() > 150);
        for entry in COMMON.iter() {
            assert!(
                entry.chars().count() >= SHORTEST,
                "{entry} is too short to need an entry"
            );
            assert_eq!(entry.to_lowercase(), **entry, "{entry} is not in lower case");
        }
    }

    #[test]
    fn debug_output_hides_passwords_and_hashes() {
        let password = Password::new("open-sesame".into());
        let hash = PasswordHash::new("$argon2id$secret".into());
        let shown = format!("{password:?} {hash:?}");
        assert!(!shown.contains("sesame") && !shown.contains("argon2id"));
    }
}
