//! What is known of one target, and who asks it next: one small record, in data that all workers share.
//!
//! A worker takes the right to ask by replacing the record it read with the one it is handed here, under the host's compare
//! and swap. Taking it also says when the next probe may begin: in a process with many workers, one probe is made for each
//! interval.

use std::time::Duration;

use super::ProbeError;
use crate::clock::Timestamp;
use crate::keys::Worker;

/// How services are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probing {
    /// From one probe to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// After how many failures in a row a service that was up counts as down.
    pub unhealthy_after: u32,
    /// After how many good answers in a row a service that was down counts as up.
    pub healthy_after: u32,
}

/// How a service is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// It has not answered yet.
    #[default]
    Unknown,
    /// It is well.
    Up,
    /// It is not.
    Down,
}

/// What is known of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// How it is.
    pub state: State,
    /// Since when it is so, as far as is known.
    pub since: Timestamp,
    /// When it was asked last and the answer came, or was given up.
    pub checked_at: Timestamp,
    /// How long that took.
    pub latency: Duration,
    /// What was wrong when something was wrong the last time, and when that was.
    pub last_error: Option<(Timestamp, ProbeError)>,
    /// How many answers in a row speak against the state.
    against: u32,
}

/// The shared record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watch {
    holder: Worker,
    /// Before when nobody asks again.
    next: Timestamp,
    /// What is known.
    pub health: Health,
}

const ENCODED_LEN: usize = 56;

impl Watch {
    /// How long nobody asks yet; zero where a probe is due. A wait longer than any that is ever written dates from before
    /// the clock was set back.
    #[must_use]
    pub fn wait(self, probing: &Probing, now: Timestamp) -> Duration {
        let left = self.next.since(now);
        left.filter(|left| *left <= probing.interval).unwrap_or_default()
    }

    /// Takes the next probe for `worker`; `None` if it is not due. The interval is never shorter than the timeout, so what
    /// a worker that died has left open is asked again by another.
    #[must_use]
    pub fn claim(self, worker: Worker, probing: &Probing, now: Timestamp) -> Option<Self> {
        self.wait(probing, now).is_zero().then_some(Self {
            holder: worker,
            next: now.plus(probing.interval),
            ..self
        })
    }

    /// Notes how a probe ended; `None` if another worker has taken over meanwhile.
    #[must_use]
    pub fn answered(
        self,
        worker: Worker,
        answer: Result<(), ProbeError>,
        latency: Duration,
        probing: &Probing,
        now: Timestamp,
    ) -> Option<Self> {
        (self.holder == worker).then_some(Self {
            health: self.health.after(answer, latency, probing, now),
            ..self
        })
    }

    /// The record as the host keeps it.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let health = self.health;
        let (error_at, error) = health.last_error.unzip();
        let latency = u64::try_from(health.latency.as_micros()).unwrap_or(u64::MAX);
        let mut bytes = Vec::with_capacity(ENCODED_LEN);
        for number in [
            self.holder.number(),
            self.next.as_millis(),
            health.since.as_millis(),
            health.checked_at.as_millis(),
            latency,
            error_at.unwrap_or_default().as_millis(),
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&health.against.to_le_bytes());
        bytes.extend_from_slice(&error.map_or(0, ProbeError::number).to_le_bytes());
        let state: u16 = match health.state {
            State::Unknown => 0,
            State::Up => 1,
            State::Down => 2,
        };
        bytes.extend_from_slice(&state.to_le_bytes());
        bytes
    }

    /// The record that the host kept. Anything else than a record counts as a fresh one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        Self::read(bytes).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != ENCODED_LEN {
            return None;
        }
        let (numbers, rest) = bytes.split_at_checked(48)?;
        let mut numbers = numbers
            .chunks_exact(8)
            .filter_map(|chunk| chunk.try_into().ok().map(u64::from_le_bytes));
        let (against, rest) = rest.split_at_checked(4)?;
        let (error, state) = rest.split_at_checked(2)?;
        let short = |bytes: &[u8]| bytes.try_into().ok().map(u16::from_le_bytes);
        let holder = Worker::new(numbers.next()?);
        let next = Timestamp::from_millis(numbers.next()?);
        let since = Timestamp::from_millis(numbers.next()?);
        let checked_at = Timestamp::from_millis(numbers.next()?);
        let latency = Duration::from_micros(numbers.next()?);
        let error_at = Timestamp::from_millis(numbers.next()?);
        let health = Health {
            state: match short(state)? {
                0 => State::Unknown,
                1 => State::Up,
                2 => State::Down,
                _ => return None,
            },
            since,
            checked_at,
            latency,
            last_error: ProbeError::from_number(short(error)?).map(|error| (error_at, error)),
            against: u32::from_le_bytes(against.try_into().ok()?),
        };
        Some(Self { holder, next, health })
    }
}

impl Health {
    /// What is known after one more answer. The first one settles the matter: nothing is known that speaks against it.
    fn after(self, answer: Result<(), ProbeError>, latency: Duration, probing: &Probing, now: Timestamp) -> Self {
        let (seen, needed) = match answer {
            Ok(()) => (State::Up, probing.healthy_after),
            Err(_) => (State::Down, probing.unhealthy_after),
        };
        let against = if seen == self.state {
            0
        } else {
            self.against.saturating_add(1)
        };
        let turns = seen != self.state && (self.state == State::Unknown || against >= needed);
        Self {
            state: if turns { seen } else { self.state },
            since: if turns { now } else { self.since },
            checked_at: now,
            latency,
            last_error: answer.err().map(|error| (now, error)).or(self.last_error),
            against: if turns { 0 } else { against },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    const ONE: Worker = Worker::new(1);
    const TWO: Worker = Worker::new(2);
    const LATENCY: Duration = Duration::from_micros(1500);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    fn probing() -> Probing {
        Probing {
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            unhealthy_after: 2,
            healthy_after: 3,
        }
    }

    #[test]
    fn one_worker_asks_once_in_an_interval() {
        let fresh = Watch::default();
        let claimed = fresh.claim(ONE, &probing(), at(0)).unwrap();
        for (seconds, due) in [(0, false), (9, false), (10, true)] {
            assert_eq!(claimed.claim(TWO, &probing(), at(seconds)).is_some(), due, "{seconds}");
        }
        let answered = claimed.answered(ONE, Ok(()), LATENCY, &probing(), at(1)).unwrap();
        assert_eq!(answered.claim(TWO, &probing(), at(9)), None);
        assert_eq!(answered.wait(&probing(), at(4)), Duration::from_secs(6));
    }

    #[test]
    fn a_worker_that_was_given_up_says_nothing_any_more() {
        let claimed = Watch::default().claim(ONE, &probing(), at(0)).unwrap();
        let taken_over = claimed.claim(TWO, &probing(), at(10)).unwrap();
        assert_eq!(taken_over.answered(ONE, Ok(()), LATENCY, &probing(), at(11)), None);
        assert!(taken_over.answered(TWO, Ok(()), LATENCY, &probing(), at(11)).is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_blocks_nothing() {
        let claimed = Watch::default().claim(ONE, &probing(), at(100_000)).unwrap();
        assert!(claimed.claim(TWO, &probing(), at(0)).is_some());
    }

    #[test]
    fn a_state_turns_after_as_many_answers_as_were_asked_for() {
        const GOOD: Result<(), ProbeError> = Ok(());
        const BAD: Result<(), ProbeError> = Err(ProbeError::NoConnection);
        use State::{Down, Up};
        for (answers, expected) in [
            (&[GOOD][..], &[(Up, 0)][..]),
            (&[BAD], &[(Down, 0)]),
            (&[GOOD, BAD, BAD, BAD], &[(Up, 0), (Up, 0), (Down, 2), (Down, 2)]),
            (&[GOOD, BAD, GOOD, BAD], &[(Up, 0), (Up, 0), (Up, 0), (Up, 0)]),
            (&[BAD, GOOD, GOOD, GOOD], &[(Down, 0), (Down, 0), (Down, 0), (Up, 3)]),
            (
                &[BAD, GOOD, GOOD, BAD, GOOD],
                &[(Down, 0), (Down, 0), (Down, 0), (Down, 0), (Down, 0)],
            ),
        ] {
            let mut health = Health::default();
            let mut seen = Vec::new();
            for (second, answer) in (0..).zip(answers) {
                health = health.after(*answer, LATENCY, &probing(), at(second));
                assert_eq!(health.checked_at, at(second));
                seen.push((health.state, health.since.as_secs() - at(0).as_secs()));
            }
            assert_eq!(seen, expected, "{answers:?}");
        }
    }

    #[test]
    fn the_last_error_stays_when_all_is_well_again() {
        let down = Health::default().after(Err(ProbeError::Status(500)), LATENCY, &probing(), at(3));
        let better = down.after(Ok(()), LATENCY, &probing(), at(13));
        assert_eq!(better.last_error, Some((at(3), ProbeError::Status(500))));
        let worse = better.after(Err(ProbeError::Timeout), LATENCY, &probing(), at(23));
        assert_eq!(worse.last_error, Some((at(23), ProbeError::Timeout)));
    }

    #[test]
    fn the_record_survives_the_host_and_rubbish_counts_as_a_fresh_one() {
        let mut watch = Watch::default();
        for (second, answer) in [
            (0, Ok(())),
            (10, Err(ProbeError::Status(503))),
            (20, Err(ProbeError::Timeout)),
        ] {
            watch = watch.claim(TWO, &probing(), at(second)).unwrap();
            watch = watch
                .answered(TWO, answer, LATENCY, &probing(), at(second + 1))
                .unwrap();
            assert_eq!(watch.encode().len(), ENCODED_LEN);
            assert_eq!(Watch::decode(&watch.encode()), watch);
        }
        for rubbish in [&b""[..], b"x", &[0xff; 55], &[0xff; 56], &[0xff; 57]] {
            assert_eq!(Watch::decode(rubbish), Watch::default());
        }
    }
}
