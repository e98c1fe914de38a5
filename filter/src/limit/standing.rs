//! How a caller stands with its limits, in the fields of draft-ietf-httpapi-ratelimit-headers-11.
//!
//! A token bucket is told as the draft's quota `q` in a window `w`: what it holds, and how long it takes to fill.

use std::fmt::Write;
use std::time::Duration;

use super::{Limit, Verdict};

/// What came of a request at one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The place of the limit in the configuration.
    pub limit: usize,
    /// What came of it.
    pub verdict: Verdict,
}

/// The fields `RateLimit-Policy` and `RateLimit` of an answer to a request that was charged so. `r` is how many requests
/// could follow at once; `t` the seconds until there is another, where there is none, and until the bucket is full again
/// otherwise.
#[must_use]
pub fn fields(limits: &[Limit], standings: &[Standing]) -> [(&'static str, String); 2] {
    let (mut policies, mut states) = (String::new(), String::new());
    for standing in standings {
        let Some(limit) = limits.get(standing.limit) else {
            continue;
        };
        let separator = if policies.is_empty() { "" } else { ", " };
        let (remaining, time) = match standing.verdict {
            Verdict::Passed { remaining, full_in } => (remaining, full_in),
            Verdict::Exceeded { wait } => (0, wait),
        };
        let (burst, window) = (limit.rate.burst(), whole_seconds(limit.rate.fills_in()));
        let (name, time) = (&limit.name, whole_seconds(time));
        // Writing to a string never fails. Names have no character that a structured string would escape.
        let _written = write!(policies, "{separator}\"{name}\";q={burst};w={window}");
        let _written = write!(states, "{separator}\"{name}\";r={remaining};t={time}");
    }
    [("ratelimit-policy", policies), ("ratelimit", states)]
}

/// Rounded up: nobody shall come too early.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::limit::{Per, Rate};
    use crate::testing::test;

    fn limit(name: &str, requests: u64, every: Duration, burst: u64) -> Limit {
        Limit {
            name: name.to_owned(),
            per: Per::Subject,
            rate: Rate::new(requests, every, burst).unwrap(),
            services: Vec::new(),
            matches: None,
        }
    }

    #[test]
    fn every_limit_that_was_charged_is_told_with_its_policy() {
        let limits = [
            limit("logins", 10, Duration::from_mins(1), 5),
            limit("unasked", 1, Duration::from_secs(1), 1),
            limit("per-second", 1000, Duration::from_secs(1), 50),
        ];
        let passed = Standing {
            limit: 0,
            verdict: Verdict::Passed {
                remaining: 3,
                full_in: Duration::from_millis(11_001),
            },
        };
        let exceeded = Standing {
            limit: 2,
            verdict: Verdict::Exceeded {
                wait: Duration::from_micros(1),
            },
        };
        assert_eq!(
            fields(&limits, &[passed, exceeded]),
            [
                (
                    "ratelimit-policy",
                    "\"logins\";q=5;w=30, \"per-second\";q=50;w=1".to_owned()
                ),
                ("ratelimit", "\"logins\";r=3;t=12, \"per-second\";r=0;t=1".to_owned()),
            ]
        );
    }
}
