//! Who fetches, and when the next fetch may begin: one small record per key set, in data that all workers share.
//!
//! A worker takes the lease by replacing the record it read with the one it is handed here, under the host's compare and
//! swap; whoever loses that race has read an old record and asks again later.

use std::time::Duration;

use super::{RefreshPolicy, Why};
use crate::clock::Timestamp;

/// A worker's name, so that only the holder of a lease ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Worker(u64);

impl Worker {
    /// A worker of that number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The shared record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    holder: Worker,
    /// Until when the holder may take; zero when nobody fetches.
    leased_until: Timestamp,
    /// When the last fetch began.
    started: Timestamp,
    /// Before when no other may begin, whatever the reason.
    not_before: Timestamp,
    /// Fetches that failed since one succeeded.
    failures: u32,
}

/// Why a fetch may not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// One is under way.
    Busy,
    /// It is too early; this much later it may.
    TooEarly(Duration),
}

/// How a fetch failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// So that another attempt may succeed soon.
    Transient,
    /// So that somebody has to mend something first.
    Lasting,
}

/// What a lease lasts longer than the fetch that it is for, should its holder die.
const GRACE: Duration = Duration::from_secs(1);
const ENCODED_LEN: usize = 36;

impl Ledger {
    /// Takes the lease for `worker`, if a fetch may begin now.
    pub fn claim(self, worker: Worker, why: Why, policy: &RefreshPolicy, now: Timestamp) -> Result<Self, Denied> {
        if self.is_running(policy, now) {
            return Err(Denied::Busy);
        }
        match self.wait(why, policy, now) {
            Duration::ZERO => Ok(Self {
                holder: worker,
                leased_until: now.plus(policy.timeout + GRACE),
                started: now,
                ..self
            }),
            wait => Err(Denied::TooEarly(wait)),
        }
    }

    /// Ends the lease after a success; `None` if another worker has taken it over meanwhile.
    #[must_use]
    pub fn succeeded(self, worker: Worker) -> Option<Self> {
        (self.holder == worker).then_some(Self {
            leased_until: Timestamp::default(),
            not_before: Timestamp::default(),
            failures: 0,
            ..self
        })
    }

    /// Extends the lease for a further request of the same fetch.
    #[must_use]
    pub fn extended(self, worker: Worker, policy: &RefreshPolicy, now: Timestamp) -> Option<Self> {
        (self.holder == worker).then_some(Self {
            leased_until: now.plus(policy.timeout + GRACE),
            ..self
        })
    }

    /// Ends the lease after a failure. Each one in a row doubles the pause before the next attempt; what will not pass by
    /// itself is not tried again quickly.
    #[must_use]
    pub fn failed(self, worker: Worker, failure: Failure, policy: &RefreshPolicy, now: Timestamp) -> Option<Self> {
        let before = match failure {
            Failure::Transient => self.failures,
            Failure::Lasting => self.failures.max(policy.retries.number),
        };
        (self.holder == worker).then_some(Self {
            leased_until: Timestamp::default(),
            not_before: now.plus(policy.pause(before)),
            failures: before.saturating_add(1),
            ..self
        })
    }

    /// Whether somebody fetches. A lease longer than any that is given dates from before the clock was set back.
    #[must_use]
    pub fn is_running(self, policy: &RefreshPolicy, now: Timestamp) -> bool {
        self.leased_until
            .since(now)
            .is_some_and(|left| left > Duration::ZERO && left <= policy.timeout + GRACE)
    }

    /// Whether the last fetch failed.
    #[must_use]
    pub fn last_failed(self) -> bool {
        self.failures > 0
    }

    /// How long a fetch for this reason has to wait, if none is under way.
    #[must_use]
    pub fn wait(self, why: Why, policy: &RefreshPolicy, now: Timestamp) -> Duration {
        let pause = self
            .not_before
            .since(now)
            .filter(|left| *left <= policy.longest_pause());
        let cooldown = match why {
            Why::UnknownKey => self
                .started
                .plus(policy.unknown_key_cooldown)
                .since(now)
                .filter(|left| *left <= policy.unknown_key_cooldown),
            Why::Cold | Why::Due => None,
        };
        pause.max(cooldown).unwrap_or_default()
    }

    /// The record as the host keeps it.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENCODED_LEN);
        for number in [
            self.holder.0,
            self.leased_until.as_millis(),
            self.started.as_millis(),
            self.not_before.as_millis(),
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.failures.to_le_bytes());
        bytes
    }

    /// The record that the host kept. Anything else than a record counts as a fresh one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (numbers, failures) = bytes.split_at_checked(ENCODED_LEN - 4)?;
        let mut numbers = numbers
            .chunks_exact(8)
            .filter_map(|chunk| chunk.try_into().ok().map(u64::from_le_bytes));
        Some(Self {
            holder: Worker(numbers.next()?),
            leased_until: Timestamp::from_millis(numbers.next()?),
            started: Timestamp::from_millis(numbers.next()?),
            not_before: Timestamp::from_millis(numbers.next()?),
            failures: u32::from_le_bytes(failures.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::keys::Retries;
    use crate::testing::test;

    const ONE: Worker = Worker::new(1);
    const TWO: Worker = Worker::new(2);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    fn policy() -> RefreshPolicy {
        RefreshPolicy {
            timeout: Duration::from_secs(2),
            ..RefreshPolicy::default()
        }
    }

    fn fresh() -> Ledger {
        Ledger::default()
    }

    #[test]
    fn one_worker_fetches_at_a_time() {
        let leased = fresh().claim(ONE, Why::Cold, &policy(), at(0)).unwrap();
        for why in [Why::Cold, Why::Due, Why::UnknownKey] {
            assert_eq!(leased.claim(TWO, why, &policy(), at(1)), Err(Denied::Busy));
        }
        assert_eq!(leased.succeeded(TWO), None);
        assert_eq!(leased.failed(TWO, Failure::Transient, &policy(), at(1)), None);
        assert!(
            leased
                .succeeded(ONE)
                .unwrap()
                .claim(TWO, Why::Due, &policy(), at(1))
                .is_ok()
        );
    }

    #[test]
    fn a_lease_ends_by_itself_when_its_holder_died() {
        let leased = fresh().claim(ONE, Why::Cold, &policy(), at(0)).unwrap();
        let taken_over = leased.claim(TWO, Why::Cold, &policy(), at(3)).unwrap();
        assert_eq!(taken_over.succeeded(ONE), None);
    }

    #[test]
    fn unknown_keys_start_one_fetch_per_cool_down() {
        let policy = RefreshPolicy {
            unknown_key_cooldown: Duration::from_secs(5),
            ..policy()
        };
        let mut ledger = fresh();
        let mut fetches = 0;
        for tenth in 0..10_000_u64 {
            let now = Timestamp::from_millis(1_000_000_000 + tenth);
            if let Ok(leased) = ledger.claim(ONE, Why::UnknownKey, &policy, now) {
                fetches += 1;
                ledger = leased.succeeded(ONE).unwrap();
            }
        }
        assert_eq!(fetches, 2, "ten seconds hold two cool-downs of five");
        assert!(
            ledger
                .claim(ONE, Why::Due, &policy, Timestamp::from_millis(1_000_000_001))
                .is_ok()
        );
    }

    #[test]
    fn failures_in_a_row_make_the_pauses_longer_up_to_a_bound() {
        let mut ledger = fresh();
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            ledger = ledger
                .claim(ONE, Why::Cold, &policy(), now)
                .unwrap()
                .failed(ONE, Failure::Transient, &policy(), now)
                .unwrap();
            let Err(Denied::TooEarly(pause)) = ledger.claim(TWO, Why::Cold, &policy(), now) else {
                panic!("a fetch began at once after a failure")
            };
            pauses.push(pause.as_secs());
            now = now.plus(pause);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10, 10]);
        let recovered = ledger
            .claim(ONE, Why::Cold, &policy(), now)
            .unwrap()
            .succeeded(ONE)
            .unwrap();
        assert!(!recovered.last_failed());
        assert!(recovered.claim(TWO, Why::Due, &policy(), now).is_ok());
    }

    #[test]
    fn retries_come_quickly_and_only_for_what_may_pass() {
        let policy = RefreshPolicy {
            retries: Retries {
                number: 4,
                base_interval: Duration::from_millis(100),
                max_interval: Duration::from_millis(300),
            },
            ..policy()
        };
        for (failures, expected) in [
            // Four retries, then the ordinary pauses.
            (
                &[Failure::Transient; 7][..],
                &[100, 200, 300, 300, 1000, 2000, 4000][..],
            ),
            (&[Failure::Lasting; 3], &[1000, 2000, 4000]),
            // What does not pass ends the retries, whatever follows.
            (
                &[Failure::Transient, Failure::Lasting, Failure::Transient],
                &[100, 1000, 2000],
            ),
        ] {
            let (mut ledger, mut now, mut pauses) = (fresh(), at(0), Vec::new());
            for failure in failures {
                let leased = ledger.claim(ONE, Why::Due, &policy, now).unwrap();
                ledger = leased.failed(ONE, *failure, &policy, now).unwrap();
                let pause = ledger.wait(Why::Due, &policy, now);
                pauses.push(pause.as_millis());
                now = now.plus(pause);
            }
            assert_eq!(pauses, expected, "{failures:?}");
        }
    }

    #[test]
    fn a_lease_is_extended_by_its_holder_alone() {
        let leased = fresh().claim(ONE, Why::Cold, &policy(), at(0)).unwrap();
        assert_eq!(leased.extended(TWO, &policy(), at(2)), None);
        let extended = leased.extended(ONE, &policy(), at(2)).unwrap();
        assert!(!leased.is_running(&policy(), at(4)) && extended.is_running(&policy(), at(4)));
        assert_eq!(extended.claim(TWO, Why::Cold, &policy(), at(4)), Err(Denied::Busy));
        assert!(extended.claim(TWO, Why::Cold, &policy(), at(5)).is_ok());
    }

    #[test]
    fn a_clock_that_was_set_back_blocks_nothing() {
        let leased = fresh().claim(ONE, Why::Cold, &policy(), at(100_000)).unwrap();
        assert!(leased.claim(TWO, Why::Cold, &policy(), at(0)).is_ok());
        let failed = leased.failed(ONE, Failure::Transient, &policy(), at(100_000)).unwrap();
        assert!(failed.claim(TWO, Why::UnknownKey, &policy(), at(0)).is_ok());
    }

    #[test]
    fn the_record_survives_the_host_and_rubbish_counts_as_a_fresh_one() {
        let leased = fresh().claim(TWO, Why::Cold, &policy(), at(7)).unwrap();
        assert_eq!(Ledger::decode(&leased.encode()), leased);
        let failed = leased.failed(TWO, Failure::Lasting, &policy(), at(8)).unwrap();
        assert_eq!(Ledger::decode(&failed.encode()), failed);
        for rubbish in [&b""[..], b"x", &[0xff; 35], &[0xff; 37]] {
            assert_eq!(Ledger::decode(rubbish), fresh());
        }
    }
}
