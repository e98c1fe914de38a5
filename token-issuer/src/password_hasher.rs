//! Argon2id (RFC 9106) with a bounded number of hashes at once: each takes megabytes and milliseconds by design, so a
//! burst of logins must wait, and be turned away when the wait grows long, instead of exhausting the machine.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier, Version,
    password_hash::{self, phc},
};
use thiserror::Error;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
    time::timeout,
};

use crate::{
    domain::password::{Password, PasswordHash},
    environment::{Entropy, EntropyError, random},
};

/// What hashing costs and how much of it may happen at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashSettings {
    /// Memory of one hash in KiB.
    pub(crate) memory_kib: u32,
    /// Passes over the memory.
    pub(crate) iterations: u32,
    /// Lanes.
    pub(crate) parallelism: u32,
    /// Hashes at once.
    pub(crate) at_once: NonZeroUsize,
    /// How long a login may wait for its turn.
    pub(crate) longest_wait: Duration,
}

/// What a password is against a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not the one, or there was no hash to compare with.
    Wrong,
    /// The one.
    Right,
    /// The one, and the hash was made with other parameters than today's.
    RightWithOldHash,
}

/// Why there is no verdict or no hash.
#[derive(Debug, Error)]
pub(crate) enum HashError {
    /// Too many logins are waiting already.
    #[error("no turn for hashing within {} ms", .0.as_millis())]
    Busy(Duration),
    /// The parameters are out of argon2's range.
    #[error("these argon2 parameters make no hash: {0}")]
    Parameters(argon2::Error),
    /// A stored hash is no argon2 hash.
    #[error("a stored password hash is not readable: {0}")]
    Stored(String),
    /// The library failed.
    #[error("hashing failed: {0}")]
    Library(password_hash::Error),
    /// No salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The thread that hashed died.
    #[error("the thread that hashes ended early")]
    Thread,
}

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PasswordHasher {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    settings: HashSettings,
    entropy: Arc<dyn Entropy>,
    /// Compared with when there is no such user, so that the answer takes as long as any other.
    decoy: PasswordHash,
}

impl PasswordHasher {
    /// Prepares hashing with the given parameters.
    pub(crate) fn new(settings: HashSettings, entropy: Arc<dyn Entropy>) -> Result<Self, HashError> {
        let params = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, None)
            .map_err(HashError::Parameters)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = Password::new(random::<16>(&*entropy)?.iter().map(|byte| char::from(*byte)).collect());
        let decoy = hash(&argon2, &nobody, &random(&*entropy)?)?;
        Ok(Self {
            argon2,
            turns: Arc::new(Semaphore::new(settings.at_once.get())),
            settings,
            entropy,
            decoy,
        })
    }

    /// Hashes that could begin at once.
    pub(crate) fn free_turns(&self) -> usize {
        self.turns.available_permits()
    }

    /// Hashes that may happen at once.
    pub(crate) const fn turns(&self) -> usize {
        self.settings.at_once.get()
    }

    /// Judges a password. Without a stored hash the verdict is `Wrong`, after the same work.
    pub(crate) async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verdict, HashError> {
        let turn = self.turn().await?;
        let this = self.clone();
        task::spawn_blocking(move || {
            // The turn is given back when the work is done, not when the caller hangs up.
            let _turn = turn;
            let against = stored.as_ref().unwrap_or(&this.decoy);
            let parsed = phc::PasswordHash::new(against.expose()).map_err(|e| HashError::Stored(e.to_string()))?;
            match this.argon2.verify_password(password.expose().as_bytes(), &parsed) {
                Ok(()) if stored.is_none() => Ok(Verdict::Wrong),
                Ok(()) if this.is_current(&parsed) => Ok(Verdict::Right),
                Ok(()) => Ok(Verdict::RightWithOldHash),
                Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
                Err(error) => Err(HashError::Library(error)),
            }
        })
        .await
        .map_err(|_| HashError::Thread)?
    }

    /// Hashes a password with today's parameters.
    pub(crate) async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        let turn = self.turn().await?;
        let salt = random(&*self.entropy)?;
        let argon2 = self.argon2.clone();
        task::spawn_blocking(move || {
            let _turn = turn;
            hash(&argon2, &password, &salt)
        })
        .await
        .map_err(|_| HashError::Thread)?
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, HashError> {
        let wait = self.settings.longest_wait;
        match timeout(wait, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(HashError::Busy(wait)),
        }
    }

    fn is_current(&self, parsed: &phc::PasswordHash) -> bool {
        let params = self.argon2.params();
        parsed.algorithm.as_str() == "argon2id"
            && parsed.version == Some(Version::V0x13.into())
            && Params::try_from(parsed).is_ok_and(|stored| {
                (stored.m_cost(), stored.t_cost(), stored.p_cost())
                    == (params.m_cost(), params.t_cost(), params.p_cost())
            })
    }
}

fn hash(argon2: &Argon2<'_>, password: &Password, salt: &[u8; 16]) -> Result<PasswordHash, HashError> {
    let hash: phc::PasswordHash = argon2
        .hash_password_with_salt(password.expose().as_bytes(), salt)
        .map_err(HashError::Library)?;
    Ok(PasswordHash::new(hash.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::environment::SystemEntropy;

    fn hasher(iterations: u32) -> PasswordHasher {
        let settings = HashSettings {
            memory_kib: 19_456,
            iterations,
            parallelism: 1,
            at_once: NonZeroUsize::MIN,
            longest_wait: Duration::from_millis(20),
        };
        PasswordHasher::new(settings, Arc::new(SystemEntropy::default())).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_right_whole_and_in_its_case_only() {
        let hasher = hasher(2);
        let stored = hasher.hash(password("correct horse")).await.unwrap();
        assert!(stored.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        for (text, verdict) in [
            ("correct horse", Verdict::Right),
            ("correct hors", Verdict::Wrong),
            ("correct horse ", Verdict::Wrong),
            ("Correct horse", Verdict::Wrong),
            ("", Verdict::Wrong),
        ] {
            assert_eq!(
                hasher.verify(password(text), Some(stored.clone())).await.unwrap(),
                verdict,
                "{text:?}"
            );
        }
    }

    #[tokio::test]
    async fn without_a_stored_hash_every_password_is_wrong() {
        assert_eq!(
            hasher(2).verify(password("anything"), None).await.unwrap(),
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn a_hash_with_other_parameters_is_right_but_old() {
        let stored = hasher(2).hash(password("correct horse")).await.unwrap();
        let verdict = hasher(3).verify(password("correct horse"), Some(stored)).await.unwrap();
        assert_eq!(verdict, Verdict::RightWithOldHash);
    }

    #[tokio::test]
    async fn the_same_password_never_gives_the_same_hash() {
        let hasher = hasher(2);
        assert_ne!(
            hasher.hash(password("same")).await.unwrap(),
            hasher.hash(password("same")).await.unwrap()
        );
    }

    #[tokio::test]
    async fn whoever_waits_too_long_for_a_turn_is_told_so() {
        let hasher = hasher(2);
        let _only_turn = hasher.turn().await.unwrap();
        assert!(matches!(
            hasher.verify(password("x"), None).await,
            Err(HashError::Busy(_))
        ));
        assert_eq!(hasher.free_turns(), 0);
    }

    #[tokio::test]
    async fn a_stored_text_that_is_no_hash_is_an_error_and_no_verdict() {
        let stored = PasswordHash::new("plain".into());
        assert!(matches!(
            hasher(2).verify(password("plain"), Some(stored)).await,
            Err(HashError::Stored(_))
        ));
    }
}
