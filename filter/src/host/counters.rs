//! The counters in the host's statistics.

use super::calls;
use crate::refusal::Reason;

/// The counters of one plugin, by the host's numbers.
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) allowed: Option<u32>,
    pub(super) preflight: Option<u32>,
    pub(super) fetch_success: Option<u32>,
    pub(super) fetch_failed: Option<u32>,
    denied: Option<u32>,
    refused: Vec<(Reason, Option<u32>)>,
}

impl Counters {
    /// Defines them. The native filter's names, and one more for each reason.
    pub(super) fn define(stat_prefix: &str) -> Self {
        let counter = |name: &str| calls::counter(&format!("gatehouse.{stat_prefix}{name}"));
        Self {
            allowed: counter("allowed"),
            preflight: counter("cors_preflight_bypassed"),
            fetch_success: counter("jwks_fetch_success"),
            fetch_failed: counter("jwks_fetch_failed"),
            denied: counter("denied"),
            refused: Reason::ALL
                .map(|reason| (reason, counter(&format!("refused.{}", reason.code()))))
                .to_vec(),
        }
    }

    pub(super) fn refused(&self, reason: Reason) {
        count(self.denied);
        let counter = self.refused.iter().find(|(known, _)| *known == reason);
        count(counter.and_then(|(_, counter)| *counter));
    }
}

pub(super) fn count(counter: Option<u32>) {
    if let Some(counter) = counter {
        calls::count(counter);
    }
}
