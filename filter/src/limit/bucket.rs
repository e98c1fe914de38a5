//! The arithmetic of one bucket.

use std::time::Duration;

use crate::clock::Timestamp;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// What a bucket holds, and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds in which one request's worth flows in; rounded up, so that a limit is never exceeded.
    interval: u64,
    /// How many requests a full bucket holds.
    burst: u64,
}

/// What came of a request at a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken out.
    Passed {
        /// How many could follow at once.
        remaining: u64,
        /// When the bucket is full again.
        full_in: Duration,
    },
    /// There was not enough for it, and nothing was taken out.
    Exceeded {
        /// When there will be enough.
        wait: Duration,
    },
}

impl Rate {
    /// No bucket takes longer to fill: what is counted must be over some day.
    pub const LONGEST: Duration = Duration::from_hours(24 * 31);

    /// `requests` in `every`, and up to `burst` of them at once; `None` where there are none of them, where more than one
    /// would flow in every nanosecond, or where the bucket would take longer than [`Self::LONGEST`] to fill.
    #[must_use]
    pub fn new(requests: u64, every: Duration, burst: u64) -> Option<Self> {
        let every = u64::try_from(every.as_nanos()).ok()?;
        if requests == 0 || burst == 0 || every < requests {
            return None;
        }
        let interval = every.div_ceil(requests);
        let capacity = interval.checked_mul(burst)?;
        (Duration::from_nanos(capacity) <= Self::LONGEST).then_some(Self { interval, burst })
    }

    /// How many requests a full bucket holds.
    #[must_use]
    pub const fn burst(self) -> u64 {
        self.burst
    }

    /// How long an empty bucket takes to fill.
    #[must_use]
    pub const fn fills_in(self) -> Duration {
        Duration::from_nanos(self.capacity())
    }

    const fn capacity(self) -> u64 {
        self.interval.saturating_mul(self.burst)
    }

    /// Takes one request out of a bucket that is full at `full_at` (nanoseconds since the epoch), and says when it is full
    /// afterwards.
    ///
    /// A time further ahead than an empty bucket needs comes from a clock that was set back, or from a limit that was
    /// wider: such a bucket counts as empty, and is filling from now on.
    pub(super) fn take(self, full_at: u64, now: Timestamp) -> (u64, Verdict) {
        let now = nanos(now);
        let full_at = full_at.clamp(now, now.saturating_add(self.capacity()));
        let taken = full_at.saturating_add(self.interval);
        let missing = taken - now;
        if let Some(left) = self.capacity().checked_sub(missing) {
            let verdict = Verdict::Passed {
                remaining: left / self.interval,
                full_in: Duration::from_nanos(missing),
            };
            (taken, verdict)
        } else {
            let wait = Duration::from_nanos(missing - self.capacity());
            (full_at, Verdict::Exceeded { wait })
        }
    }
}

/// The table's unit of time: finer than the clock's, since several requests may flow in within a millisecond.
pub(super) const fn nanos(at: Timestamp) -> u64 {
    at.as_millis().saturating_mul(NANOS_PER_MILLI)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    const NOW: u64 = 1_700_000_000_000;

    fn rate(requests: u64, seconds: u64, burst: u64) -> Rate {
        Rate::new(requests, Duration::from_secs(seconds), burst).unwrap()
    }

    /// How many of so many requests pass, all at that many milliseconds after the beginning.
    fn passing(rate: Rate, full_at: &mut u64, after: u64, requests: u64) -> u64 {
        let passed = (0..requests).filter(|_| {
            let (then, verdict) = rate.take(*full_at, Timestamp::from_millis(NOW + after));
            *full_at = then;
            matches!(verdict, Verdict::Passed { .. })
        });
        passed.count() as u64
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_what_flows_in() {
        let rate = rate(60, 60, 5);
        let mut bucket = 0;
        for (after, requests, passed) in [
            (0, 10, 5),
            (0, 10, 0),
            (999, 10, 0),
            (1000, 10, 1),
            (1001, 10, 0),
            (4000, 2, 2),
            (4000, 5, 1),
            (100_000, 10, 5),
        ] {
            assert_eq!(passing(rate, &mut bucket, after, requests), passed, "{after}");
        }
    }

    #[test]
    fn no_while_lets_more_through_than_the_burst_and_what_flows_in() {
        for (requests, seconds, burst) in [(1, 1, 1), (3, 7, 2), (1000, 1, 50), (7, 3600, 7), (100_000, 1, 10)] {
            let rate = rate(requests, seconds, burst);
            let mut bucket = 0;
            let mut passed = 0;
            for after in (0..20_000).step_by(7) {
                passed += passing(rate, &mut bucket, after, 100);
                let most = burst + after * requests / (seconds * 1000);
                assert!(
                    passed <= most,
                    "{rate:?} let {passed} through in {after} ms, not {most}"
                );
            }
            let least = 19_999 * requests / (seconds * 1000);
            // The pauses of 7 ms lose what flows into a full bucket.
            assert!(
                passed + 1 >= least.min(burst * 20_000 / 7),
                "{rate:?} let {passed} through"
            );
        }
    }

    #[test]
    fn a_refusal_says_when_one_more_passes_and_takes_nothing_out() {
        let rate = rate(2, 60, 2);
        let mut bucket = 0;
        assert_eq!(passing(rate, &mut bucket, 0, 2), 2);
        let (then, verdict) = rate.take(bucket, Timestamp::from_millis(NOW + 10_000));
        let wait = Duration::from_secs(20);
        assert_eq!((then, verdict), (bucket, Verdict::Exceeded { wait }));
        assert_eq!(passing(rate, &mut bucket, 29_999, 1), 0);
        assert_eq!(passing(rate, &mut bucket, 30_000, 1), 1);
    }

    #[test]
    fn what_is_left_and_when_it_is_full_again_is_told() {
        let rate = rate(60, 60, 3);
        let mut bucket = 0;
        for (remaining, seconds) in [(2, 1), (1, 2), (0, 3)] {
            let (then, verdict) = rate.take(bucket, Timestamp::from_millis(NOW));
            let full_in = Duration::from_secs(seconds);
            assert_eq!(verdict, Verdict::Passed { remaining, full_in });
            bucket = then;
        }
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out_for_longer_than_an_empty_bucket_would() {
        let rate = rate(60, 60, 5);
        let mut bucket = nanos(Timestamp::from_millis(NOW + 3_600_000));
        assert_eq!(passing(rate, &mut bucket, 0, 1), 0);
        assert_eq!(passing(rate, &mut bucket, 1000, 2), 1);
        assert_eq!(passing(rate, &mut bucket, 6000, 9), 5);
    }

    #[test]
    fn rates_that_make_no_sense_are_none() {
        let of = |requests, every, burst| Rate::new(requests, every, burst).is_some();
        let second = Duration::from_secs(1);
        for (requests, every, burst, expected) in [
            (1, second, 1, true),
            (0, second, 1, false),
            (1, second, 0, false),
            (1, Duration::ZERO, 1, false),
            (2, Duration::from_nanos(1), 1, false),
            (1_000_000, second, 1_000_000, true),
            (1, Duration::from_hours(24 * 31), 1, true),
            (1, Duration::from_hours(24 * 31), 2, false),
            (u64::MAX, second, 1, false),
            (1, Duration::MAX, 1, false),
            (1, second, u64::MAX, false),
        ] {
            assert_eq!(
                of(requests, every, burst),
                expected,
                "{requests} in {every:?}, {burst} at once"
            );
        }
    }
}
