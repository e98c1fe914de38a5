//! The statistics that the host shows.
//!
//! A counter is added up here and written once in a tick: most requests change four of them, and every write is a call into
//! the host.

use super::calls;
use crate::account::{Judgement, statistic_names};
use crate::gate::Passage;
use crate::keys::ProviderId;
use crate::refusal::Reason;

/// The statistics of one plugin.
#[derive(Debug)]
pub(super) struct Counters {
    allowed: Counter,
    denied: Counter,
    preflight: Counter,
    refused: Vec<(Reason, Counter)>,
    providers: Vec<ProviderCounters>,
    common: Common,
    /// How long decisions took in which a signature was verified, in microseconds.
    verification: Option<u32>,
    cache_entries: Share,
    cache_bytes: Share,
}

/// What is counted for all providers together, and for each.
#[derive(Debug)]
struct Common {
    cache_hit: Counter,
    cache_miss: Counter,
    fetch_success: Counter,
    fetch_failed: Counter,
}

#[derive(Debug)]
struct ProviderCounters {
    /// What stands before the names.
    prefix: String,
    allowed: Counter,
    denied: Counter,
    common: Common,
    /// Defined when they are needed: few of the many reasons ever are.
    refused: Vec<(Reason, Counter)>,
    keys_age: Option<u32>,
    last_fetch_failed: Option<u32>,
}

impl Counters {
    /// Defines them: the native filter's names, one more for each reason, and some for each provider.
    pub(super) fn define<'n>(stat_prefix: &str, providers: impl Iterator<Item = &'n str>) -> Self {
        let prefix = format!("gatehouse.{stat_prefix}");
        let counter = |name: &str| Counter::define(&format!("{prefix}{name}"));
        let providers = statistic_names(providers)
            .into_iter()
            .map(|name| ProviderCounters::define(format!("{prefix}provider.{name}.")));
        Self {
            allowed: counter("allowed"),
            denied: counter("denied"),
            preflight: counter("cors_preflight_bypassed"),
            refused: Reason::ALL
                .map(|reason| (reason, counter(&format!("refused.{}", reason.code()))))
                .into(),
            providers: providers.collect(),
            common: Common::define(&format!("{prefix}jwt_"), &prefix),
            verification: calls::histogram(&format!("{prefix}verification_us")),
            cache_entries: Share::define(&format!("{prefix}token_cache.entries")),
            cache_bytes: Share::define(&format!("{prefix}token_cache.bytes")),
        }
    }

    /// A request goes on, after these judgements.
    pub(super) fn forwarded(&mut self, passage: Passage, judged: &[(ProviderId, Judgement)]) {
        match passage {
            Passage::Allowed => self.allowed.add(),
            Passage::Preflight => self.preflight.add(),
        }
        self.judged(judged);
        for (provider, judgement) in judged {
            if *judgement != Judgement::Rejected
                && let Some(provider) = self.providers.get_mut(provider.index())
            {
                provider.allowed.add();
            }
        }
    }

    /// A request is refused, by a provider or by nobody in particular, after these judgements.
    pub(super) fn refused(&mut self, reason: Reason, provider: Option<ProviderId>, judged: &[(ProviderId, Judgement)]) {
        self.denied.add();
        if let Some((_, counter)) = self.refused.iter_mut().find(|(known, _)| *known == reason) {
            counter.add();
        }
        self.judged(judged);
        if let Some(provider) = provider.and_then(|provider| self.providers.get_mut(provider.index())) {
            provider.refused(reason);
        }
    }

    fn judged(&mut self, judged: &[(ProviderId, Judgement)]) {
        for (provider, judgement) in judged {
            self.common.judged(*judgement);
            if let Some(provider) = self.providers.get_mut(provider.index()) {
                provider.common.judged(*judgement);
            }
        }
    }

    /// A signature was verified in so many microseconds.
    pub(super) fn verified_within(&self, microseconds: u64) {
        record(self.verification, microseconds);
    }

    /// Keys were fetched.
    pub(super) fn fetched(&mut self, provider: ProviderId) {
        self.common.fetch_success.add();
        if let Some(provider) = self.providers.get_mut(provider.index()) {
            provider.common.fetch_success.add();
        }
    }

    /// Keys could not be fetched.
    pub(super) fn fetch_failed(&mut self, provider: ProviderId) {
        self.common.fetch_failed.add();
        if let Some(provider) = self.providers.get_mut(provider.index()) {
            provider.common.fetch_failed.add();
        }
    }

    /// How old a provider's keys are, if there are any, and whether the last fetch failed.
    pub(super) fn keys(&mut self, provider: ProviderId, age_seconds: Option<u64>, last_failed: bool) {
        let Some(provider) = self.providers.get_mut(provider.index()) else {
            return;
        };
        let prefix = &provider.prefix;
        let gauge = |gauge: &mut Option<u32>, name: &str| {
            *gauge = gauge.or_else(|| calls::gauge(&format!("{prefix}{name}")));
            *gauge
        };
        let failed = gauge(&mut provider.last_fetch_failed, "keys_last_fetch_failed");
        record(failed, u64::from(last_failed));
        if let Some(age) = age_seconds {
            record(gauge(&mut provider.keys_age, "keys_age_seconds"), age);
        }
    }

    /// How much this worker remembers.
    pub(super) fn token_cache(&mut self, entries: usize, bytes: usize) {
        self.cache_entries.set(entries);
        self.cache_bytes.set(bytes);
    }

    /// Writes what was counted since the last time.
    pub(super) fn write(&mut self) {
        let own = [&mut self.allowed, &mut self.denied, &mut self.preflight];
        own.into_iter().for_each(Counter::write);
        self.refused.iter_mut().for_each(|(_, counter)| counter.write());
        self.common.write();
        for provider in &mut self.providers {
            provider.allowed.write();
            provider.denied.write();
            provider.common.write();
            provider.refused.iter_mut().for_each(|(_, counter)| counter.write());
        }
    }
}

/// When a plugin ends, so does its part in what all workers have together.
impl Drop for Counters {
    fn drop(&mut self) {
        self.write();
        self.token_cache(0, 0);
    }
}

impl Common {
    fn define(cache_prefix: &str, prefix: &str) -> Self {
        Self {
            cache_hit: Counter::define(&format!("{cache_prefix}cache_hit")),
            cache_miss: Counter::define(&format!("{cache_prefix}cache_miss")),
            fetch_success: Counter::define(&format!("{prefix}jwks_fetch_success")),
            fetch_failed: Counter::define(&format!("{prefix}jwks_fetch_failed")),
        }
    }

    fn judged(&mut self, judgement: Judgement) {
        match judgement {
            Judgement::Remembered => self.cache_hit.add(),
            Judgement::Verified | Judgement::Rejected => self.cache_miss.add(),
        }
    }

    fn write(&mut self) {
        self.cache_hit.write();
        self.cache_miss.write();
        self.fetch_success.write();
        self.fetch_failed.write();
    }
}

impl ProviderCounters {
    fn define(prefix: String) -> Self {
        Self {
            allowed: Counter::define(&format!("{prefix}allowed")),
            denied: Counter::define(&format!("{prefix}denied")),
            common: Common::define(&prefix, &prefix),
            prefix,
            refused: Vec::new(),
            keys_age: None,
            last_fetch_failed: None,
        }
    }

    fn refused(&mut self, reason: Reason) {
        self.denied.add();
        if let Some((_, counter)) = self.refused.iter_mut().find(|(known, _)| *known == reason) {
            counter.add();
            return;
        }
        let mut counter = Counter::define(&format!("{}refused.{}", self.prefix, reason.code()));
        counter.add();
        self.refused.push((reason, counter));
    }
}

/// A counter, and what is to be added to it.
#[derive(Debug)]
pub(super) struct Counter {
    host: Option<u32>,
    pending: i64,
}

impl Counter {
    pub(super) fn define(name: &str) -> Self {
        Self {
            host: calls::counter(name),
            pending: 0,
        }
    }

    pub(super) fn add(&mut self) {
        self.pending = self.pending.saturating_add(1);
    }

    pub(super) fn write(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending > 0
            && let Some(counter) = self.host
        {
            calls::increase(counter, pending);
        }
    }
}

/// A worker's share in a gauge that all workers fill together.
#[derive(Debug)]
struct Share {
    host: Option<u32>,
    held: i64,
}

impl Share {
    fn define(name: &str) -> Self {
        Self {
            host: calls::gauge(name),
            held: 0,
        }
    }

    fn set(&mut self, value: usize) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        let change = value.saturating_sub(std::mem::replace(&mut self.held, value));
        if change != 0
            && let Some(gauge) = self.host
        {
            calls::increase(gauge, change);
        }
    }
}

fn record(metric: Option<u32>, value: u64) {
    if let Some(metric) = metric {
        calls::record(metric, value);
    }
}
