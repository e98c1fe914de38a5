//! The keys that a worker holds for each provider, and how long they are good for.

use std::time::Duration;

use jose::{JwkSet, RsaDelegate};

use super::{Ledger, ProviderId, Why};
use crate::clock::Timestamp;

/// When keys are fetched, and how long they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// How long fetched keys count as fresh.
    pub cache_duration: Duration,
    /// How long they are used when no fetch succeeds, counted from the last one that did.
    pub keep_last_good: Duration,
    /// At most one fetch in this time is started by tokens that name unknown keys.
    pub unknown_key_cooldown: Duration,
    /// How long a fetch may take.
    pub timeout: Duration,
    /// The attempts that follow a failure which may pass, before the ordinary pauses begin.
    pub retries: Retries,
    /// The first of the ordinary pauses after a failure.
    pub first_pause: Duration,
    /// How long a request may wait for keys.
    pub max_wait: Duration,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            cache_duration: Duration::from_mins(10),
            keep_last_good: Duration::from_hours(24),
            unknown_key_cooldown: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
            retries: Retries::default(),
            first_pause: Duration::from_secs(1),
            max_wait: Duration::from_secs(5),
        }
    }
}

/// Attempts that follow quickly: the native filter's `retry_policy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retries {
    /// How many.
    pub number: u32,
    /// The pause before the first of them; each further one is twice as long.
    pub base_interval: Duration,
    /// No pause before one of them is longer.
    pub max_interval: Duration,
}

/// No ordinary pause is longer, but for a first one that is.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl RefreshPolicy {
    /// Keys are fetched anew after four fifths of their time, so that fresh ones are there before it is over.
    fn refresh_after(&self) -> Duration {
        self.cache_duration.min(self.keep_last_good) * 4 / 5
    }

    /// The pause after a failure that follows on that many others.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let doubled = |first: Duration, times: u32| first.saturating_mul(1 << times.min(16));
        match failures.checked_sub(self.retries.number) {
            None => doubled(self.retries.base_interval, failures).min(self.retries.max_interval),
            Some(beyond) => doubled(self.first_pause, beyond).min(LONGEST_PAUSE.max(self.first_pause)),
        }
    }

    /// No pause is longer.
    pub(super) fn longest_pause(&self) -> Duration {
        LONGEST_PAUSE.max(self.first_pause).max(self.retries.max_interval)
    }
}

/// What a worker holds for a provider with a remote key set.
#[derive(Debug)]
enum Held {
    /// Nothing yet.
    Cold,
    /// Keys that were fetched then. They are stale when they are older than the cache duration, and gone when they are
    /// older than the last good ones are kept.
    Fetched { keys: JwkSet, at: Timestamp },
}

/// A remote key set: what is held, and what is known about fetching it.
#[derive(Debug)]
pub struct RemoteKeys {
    policy: RefreshPolicy,
    held: Held,
    ledger: Ledger,
    generation: u64,
}

/// What can be hoped for from fetching keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// A fetch is under way or may begin soon: worth waiting for.
    Soon,
    /// No fetch may begin before that much later.
    NotBefore(Duration),
}

impl RemoteKeys {
    /// A key set of which nothing is known.
    #[must_use]
    pub fn new(policy: RefreshPolicy) -> Self {
        Self {
            policy,
            held: Held::Cold,
            ledger: Ledger::default(),
            generation: 0,
        }
    }

    /// The keys, as long as they may be used.
    #[must_use]
    pub fn usable(&self, now: Timestamp) -> Option<&JwkSet> {
        match &self.held {
            Held::Fetched { keys, at } if age(*at, now) <= self.policy.keep_last_good => Some(keys),
            Held::Fetched { .. } | Held::Cold => None,
        }
    }

    /// Takes over keys: those that were fetched last, whatever their time says. After the clock was set back, the newest
    /// keys seem to be the oldest.
    pub fn install(&mut self, keys: JwkSet, at: Timestamp) {
        self.held = Held::Fetched { keys, at };
        self.generation += 1;
    }

    /// How it is kept fresh.
    #[must_use]
    pub fn policy(&self) -> &RefreshPolicy {
        &self.policy
    }

    /// The shared record, as it was last seen.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// Takes note of the shared record.
    pub fn note(&mut self, ledger: Ledger) {
        if self.ledger != ledger {
            self.ledger = ledger;
            self.generation += 1;
        }
    }

    /// A number that grows when anything changes that a waiting request could pass or fail by.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When the keys that are held were fetched.
    #[must_use]
    pub fn fetched_at(&self) -> Option<Timestamp> {
        match self.held {
            Held::Fetched { at, .. } => Some(at),
            Held::Cold => None,
        }
    }

    /// Why keys should be fetched now, if they should, whatever requests say.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Option<Why> {
        if self.usable(now).is_none() {
            return Some(Why::Cold);
        }
        // Keys from the future: the clock was set back. Only a fetch tells how old they are.
        let fresh = self
            .fetched_at()
            .and_then(|at| now.since(at))
            .is_some_and(|age| age < self.policy.refresh_after());
        (!fresh).then_some(Why::Due)
    }

    /// How long until the next fetch may begin, if one is due and none is under way.
    #[must_use]
    pub fn pause(&self, now: Timestamp) -> Option<Duration> {
        let why = self.due(now)?;
        let idle = !self.ledger.is_running(&self.policy, now);
        idle.then(|| self.ledger.wait(why, &self.policy, now))
    }

    /// Whether a request that needs a fetch should wait for it.
    #[must_use]
    pub fn outlook(&self, why: Why, now: Timestamp) -> Outlook {
        if self.ledger.is_running(&self.policy, now) {
            return Outlook::Soon;
        }
        let wait = self.ledger.wait(why, &self.policy, now);
        let bound = match why {
            Why::UnknownKey => Duration::ZERO,
            Why::Cold | Why::Due => self.policy.max_wait,
        };
        if wait <= bound {
            Outlook::Soon
        } else {
            Outlook::NotBefore(wait)
        }
    }
}

/// Keys from the future are new.
fn age(at: Timestamp, now: Timestamp) -> Duration {
    now.since(at).unwrap_or_default()
}

/// Where a provider's keys come from.
#[derive(Debug)]
pub enum Keys {
    /// From the configuration.
    Local(JwkSet),
    /// From the issuer.
    Remote(RemoteKeys),
}

/// The keys of all providers, in the order of the configuration, and who verifies with them beside ourselves.
#[derive(Debug, Default)]
pub struct KeyStore {
    keys: Vec<Keys>,
    delegate: Option<Box<dyn RsaDelegate>>,
}

impl KeyStore {
    /// A store of these.
    #[must_use]
    pub fn new(keys: Vec<Keys>) -> Self {
        Self { keys, delegate: None }
    }

    /// The same, with somebody who may be asked about signatures.
    #[must_use]
    pub fn with_delegate(self, delegate: Option<Box<dyn RsaDelegate>>) -> Self {
        Self { delegate, ..self }
    }

    /// Who may be asked about signatures.
    #[must_use]
    pub fn delegate(&self) -> Option<&dyn RsaDelegate> {
        self.delegate.as_deref()
    }

    /// A provider's keys, as long as they may be used.
    #[must_use]
    pub fn usable(&self, provider: ProviderId, now: Timestamp) -> Option<&JwkSet> {
        match self.keys.get(provider.index())? {
            Keys::Local(keys) => Some(keys),
            Keys::Remote(remote) => remote.usable(now),
        }
    }

    /// A provider's remote key set, if that is what it has.
    #[must_use]
    pub fn remote(&self, provider: ProviderId) -> Option<&RemoteKeys> {
        match self.keys.get(provider.index())? {
            Keys::Remote(remote) => Some(remote),
            Keys::Local(_) => None,
        }
    }

    /// The same, to be changed.
    pub fn remote_mut(&mut self, provider: ProviderId) -> Option<&mut RemoteKeys> {
        match self.keys.get_mut(provider.index())? {
            Keys::Remote(remote) => Some(remote),
            Keys::Local(_) => None,
        }
    }

    /// The providers with a remote key set.
    pub fn remotes(&self) -> impl Iterator<Item = ProviderId> {
        self.keys
            .iter()
            .enumerate()
            .filter(|(_, keys)| matches!(keys, Keys::Remote(_)))
            .map(|(index, _)| ProviderId(index))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jose::KeySource;

    use super::*;
    use crate::keys::{Failure, Worker};
    use crate::testing::{jwks, test};

    const ME: Worker = Worker::new(1);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000 + millis)
    }

    fn remote(cache_duration: u64, keep_last_good: u64) -> RemoteKeys {
        let mut remote = RemoteKeys::new(RefreshPolicy {
            cache_duration: Duration::from_secs(cache_duration),
            keep_last_good: Duration::from_secs(keep_last_good),
            ..RefreshPolicy::default()
        });
        let keys = JwkSet::parse(jwks(&[("one", 1)]).as_bytes(), KeySource::Remote).unwrap();
        remote.install(keys, at(0));
        remote
    }

    #[test]
    fn keys_are_fetched_anew_before_they_are_old_or_gone() {
        for (cache_duration, keep_last_good, millis, due) in [
            (10, 100, 7_999, None),
            (10, 100, 8_000, Some(Why::Due)),
            (10, 100, 100_000, Some(Why::Due)),
            (10, 100, 100_001, Some(Why::Cold)),
            // Keys that are kept for a shorter time than they are fresh are fetched before that is over.
            (100, 10, 7_999, None),
            (100, 10, 8_000, Some(Why::Due)),
            (100, 10, 10_001, Some(Why::Cold)),
        ] {
            let remote = remote(cache_duration, keep_last_good);
            assert_eq!(
                remote.due(at(millis)),
                due,
                "{cache_duration} {keep_last_good} {millis}"
            );
            assert_eq!(remote.usable(at(millis)).is_some(), due != Some(Why::Cold));
        }
    }

    #[test]
    fn the_next_attempt_is_known_while_one_is_due_and_none_is_under_way() {
        let mut remote = remote(10, 100);
        assert_eq!(remote.pause(at(0)), None, "fresh keys");
        assert_eq!(remote.pause(at(8_000)), Some(Duration::ZERO));
        let policy = remote.policy().clone();
        let leased = remote.ledger().claim(ME, Why::Due, &policy, at(8_000)).unwrap();
        remote.note(leased);
        assert_eq!(remote.pause(at(8_100)), None, "it is under way");
        remote.note(leased.failed(ME, Failure::Lasting, &policy, at(8_200)).unwrap());
        assert_eq!(remote.pause(at(8_600)), Some(Duration::from_millis(600)));
        assert_eq!(remote.pause(at(9_200)), Some(Duration::ZERO));
    }
}
