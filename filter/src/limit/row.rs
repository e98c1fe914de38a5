//! A line of the table: a few buckets that share one value of the shared data.
//!
//! A bucket stands in the row that its hash names, and under its whole hash, so two callers share a bucket only where 64
//! bits agree: one pair in 10^19. Where more callers than a row has room for are in debt at the same time, the
//! bucket that is nearest to being full makes room. So what the table's size costs is always that a caller may do more than
//! the limit says, never less; and who has taken most out is forgotten last.

use super::bucket::{Rate, Verdict, nanos};
use crate::clock::Timestamp;

/// How many buckets a row has room for.
pub const WAYS: usize = 8;
/// A bucket's hash, and the time at which it is full, in little endian.
const BUCKET_LEN: usize = 16;
/// The length of a row that is full up.
pub const MAX_ROW_LEN: usize = WAYS * BUCKET_LEN;

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(Vec<Bucket>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bucket {
    hash: u64,
    full_at: u64,
}

impl Row {
    /// The row that stands in these bytes. What is no row counts as an empty one: it was not the gate that wrote it.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Self {
        let (numbers, rest) = bytes.as_chunks::<8>();
        let (pairs, odd) = numbers.as_chunks::<2>();
        if !rest.is_empty() || !odd.is_empty() || pairs.len() > WAYS {
            return Self::default();
        }
        let buckets = pairs.iter().map(|[hash, full_at]| Bucket {
            hash: u64::from_le_bytes(*hash),
            full_at: u64::from_le_bytes(*full_at),
        });
        Self(buckets.collect())
    }

    /// The row as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let numbers = self.0.iter().flat_map(|bucket| [bucket.hash, bucket.full_at]);
        numbers.flat_map(u64::to_le_bytes).collect()
    }

    /// Takes a request out of a bucket. The row is worth writing back only if it is another afterwards.
    pub fn charge(&mut self, hash: u64, rate: Rate, now: Timestamp) -> Verdict {
        // A full bucket is as good as none.
        let moment = nanos(now);
        self.0.retain(|bucket| bucket.full_at > moment);
        if let Some(bucket) = self.0.iter_mut().find(|bucket| bucket.hash == hash) {
            let (full_at, verdict) = rate.take(bucket.full_at, now);
            bucket.full_at = full_at;
            return verdict;
        }
        let (full_at, verdict) = rate.take(moment, now);
        if self.0.len() >= WAYS
            && let Some((fullest, _)) = self.0.iter().enumerate().min_by_key(|(_, bucket)| bucket.full_at)
        {
            self.0.swap_remove(fullest);
        }
        self.0.push(Bucket { hash, full_at });
        verdict
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::testing::test;

    const NOW: u64 = 1_700_000_000_000;

    fn rate(burst: u64) -> Rate {
        Rate::new(60, Duration::from_mins(1), burst).unwrap()
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(NOW + millis)
    }

    fn passes(row: &mut Row, hash: u64, burst: u64, after: u64) -> bool {
        matches!(row.charge(hash, rate(burst), at(after)), Verdict::Passed { .. })
    }

    #[test]
    fn buckets_of_one_row_are_apart() {
        let mut row = Row::default();
        for hash in 0..8 {
            for expected in [true, true, false] {
                assert_eq!(passes(&mut row, hash, 2, 0), expected, "{hash}");
            }
        }
        assert_eq!(row.encode().len(), MAX_ROW_LEN);
    }

    #[test]
    fn a_row_survives_its_bytes_and_what_is_no_row_is_empty() {
        let mut row = Row::default();
        for hash in [0, 1, u64::MAX] {
            passes(&mut row, hash, 2, 0);
        }
        assert_eq!(Row::decode(&row.encode()), row);
        let long = vec![1; MAX_ROW_LEN + 16];
        for bytes in [&b""[..], b"x", &[7; 15], &[7; 24], &long] {
            assert_eq!(Row::decode(bytes), Row::default(), "{bytes:?}");
        }
    }

    #[test]
    fn buckets_that_are_full_again_leave_the_row() {
        let mut row = Row::default();
        for hash in 0..8 {
            passes(&mut row, hash, 2, 0);
        }
        passes(&mut row, 8, 2, 5000);
        assert_eq!(row.encode().len(), 16);
    }

    #[test]
    fn a_refused_request_leaves_the_row_as_it_was() {
        let mut row = Row::default();
        passes(&mut row, 1, 1, 0);
        let before = row.clone();
        assert!(!passes(&mut row, 1, 1, 500));
        assert_eq!(row, before);
    }

    #[test]
    fn where_there_is_no_room_the_bucket_nearest_to_being_full_goes_and_the_worst_debtor_stays() {
        let mut row = Row::default();
        for (hash, requests) in (0..8).zip([5, 4, 4, 1, 3, 3, 2, 2]) {
            for _ in 0..requests {
                assert!(passes(&mut row, hash, 5, 0));
            }
        }
        // Strangers come in by the thousand: they drive out each other, not the one who has used the limit up.
        for stranger in 100..10_000 {
            assert!(passes(&mut row, stranger, 5, 0));
        }
        assert!(!passes(&mut row, 0, 5, 0));
        assert_eq!(row.encode().len(), MAX_ROW_LEN);
        // The one with the smallest debt was forgotten: it may do more than the limit says.
        let five = (0..5).filter(|_| passes(&mut row, 3, 5, 0)).count();
        assert_eq!(five, 5);
    }

    #[test]
    fn a_caller_is_never_allowed_less_than_its_limit_whoever_shares_its_row() {
        let mut row = Row::default();
        let mut passed = 0;
        for round in 0..1000_u64 {
            for stranger in 0..20 {
                passes(&mut row, 1000 + (round * 7 + stranger) % 50, 3, round);
            }
            passed += u64::from(passes(&mut row, 1, 3, round));
        }
        // Alone, it would have had its burst of 3 and nothing more within this second.
        assert!(passed >= 3, "{passed}");
    }
}
