//! Which of many events are written down: the first of each minute. The rest is told as a number.

use std::time::Duration;

use crate::clock::Timestamp;

const WINDOW: Duration = Duration::from_mins(1);

/// The events of one kind.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    since: Option<Timestamp>,
    written: u64,
    left_out: u64,
}

impl Sampler {
    /// Whether an event is among the first of its minute.
    pub(super) fn admits(&mut self, most: u64, now: Timestamp) -> bool {
        if self.is_over(now) {
            self.since = Some(now);
            self.written = 0;
        }
        let admitted = self.written < most;
        if admitted {
            self.written += 1;
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
        admitted
    }

    /// How many were left out; none before the minute is over, nor where nothing was.
    pub(super) fn left_out(&mut self, now: Timestamp) -> Option<u64> {
        if self.left_out == 0 || !self.is_over(now) {
            return None;
        }
        Some(std::mem::take(&mut self.left_out))
    }

    /// Also where the clock was set back: better a minute too short than one without an end.
    fn is_over(&self, now: Timestamp) -> bool {
        self.since
            .is_none_or(|since| now.since(since).is_none_or(|passed| passed >= WINDOW))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn the_first_of_each_minute_are_written_and_the_others_told_once_it_is_over() {
        let mut sampler = Sampler::default();
        let at = |seconds: u64| Timestamp::from_secs(1_700_000_000 + seconds);
        for (after, admitted, told) in [
            (0, true, None),
            (0, true, None),
            (1, false, None),
            (59, false, None),
            (60, true, Some(2)),
            (61, true, None),
            (62, false, None),
            (200, true, Some(1)),
            (100, true, None),
        ] {
            assert_eq!(sampler.admits(2, at(after)), admitted, "{after}");
            let due = if after == 60 || after == 200 {
                std::mem::take(&mut sampler.left_out)
            } else {
                0
            };
            assert_eq!(Some(due).filter(|due| *due > 0), told, "{after}");
        }
        assert_eq!(sampler.left_out(at(400)), None);
        assert!(sampler.admits(1, at(400)) && !sampler.admits(1, at(401)));
        assert_eq!(sampler.left_out(at(402)), None);
        assert_eq!(sampler.left_out(at(460)), Some(1));
        assert_eq!(sampler.left_out(at(600)), None);
    }
}
