//! Asking services for their health through the host, and showing what they answered.
//!
//! In the host's shared data stands one record for each target, so that all workers know the same, a VM that crashed begins
//! with what is known, and one worker asks at a time.

use std::time::Duration;

use proxy_wasm::types::{LogLevel, Status};

use super::calls::{self, Moment};
use super::worker::Worker;
use crate::account::statistic_names;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::gate::{Passage, Refusal, StatusView};
use crate::refusal::Reason;
use crate::request::HeaderList;
use crate::status::{Health, ProbeError, Report, State, Target, Watch, read_answer, show};

/// More of an answer than this says nothing more.
const BODY_LEN: usize = 64;

/// A target, and what is shown of it.
pub(super) struct Watched {
    target: Target,
    key: String,
    /// The services that it speaks for.
    services: String,
    gauges: Vec<Gauges>,
    /// When its record is worth a look again.
    look_at: Timestamp,
}

/// The gauges of one service.
struct Gauges {
    prefix: String,
    defined: Option<(Option<u32>, Option<u32>)>,
}

/// A probe that is under way.
pub(super) struct Probe {
    /// The place of its target.
    place: usize,
    began: Moment,
}

/// What is to be watched; nothing unless it is to be shown.
pub(super) fn watched(config: &Config) -> Vec<Watched> {
    let Some(services) = config.services.as_ref().filter(|_| config.probing.is_some()) else {
        return Vec::new();
    };
    let mut services: Vec<_> = services.iter().collect();
    services.sort_by(|one, other| one.name.cmp(&other.name));
    let names = statistic_names(services.iter().map(|service| service.name.as_str()));
    let mut watched: Vec<Watched> = Vec::new();
    for (service, name) in services.into_iter().zip(names) {
        let Some(target) = Target::of(service) else { continue };
        let gauges = Gauges {
            prefix: format!("gatehouse.{}service.{name}.", config.stat_prefix),
            defined: None,
        };
        if let Some(known) = watched.iter_mut().find(|known| known.target == target) {
            known.services = format!("{}, {}", known.services, service.name);
            known.gauges.push(gauges);
            continue;
        }
        watched.push(Watched {
            key: target.key(),
            target,
            services: service.name.clone(),
            gauges: vec![gauges],
            look_at: Timestamp::default(),
        });
    }
    watched
}

impl Worker {
    /// Asks whoever is due and whom no other worker asks.
    pub(super) fn probe(&mut self, now: Timestamp) {
        let Some(plugin) = &mut self.plugin else { return };
        let Some(probing) = plugin.config.probing else { return };
        let mut failed = Vec::new();
        for (place, watched) in plugin.watched.iter_mut().enumerate() {
            let left = watched.look_at.since(now).unwrap_or_default();
            if !left.is_zero() && left <= probing.interval {
                continue;
            }
            let (bytes, number) = calls::shared(&watched.key);
            let Some(bytes) = bytes else {
                // Only what exists can be swapped safely; the next tick finds it, whoever created it.
                let _created = calls::create_shared(&watched.key, &Watch::default().encode());
                continue;
            };
            let watch = Watch::decode(&bytes);
            let Some(claimed) = watch.claim(self.name, &probing, now) else {
                watched.look_at = now.plus(watch.wait(&probing, now));
                continue;
            };
            if calls::swap_shared(&watched.key, &claimed.encode(), number).is_err() {
                // Another worker was faster.
                continue;
            }
            watched.look_at = now.plus(probing.interval);
            let authority = watched.target.authority();
            let headers = vec![
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", authority.as_str()),
                (":path", watched.target.path.as_str()),
                ("user-agent", "gatehouse-probe"),
            ];
            let began = calls::moment();
            match calls::get(&watched.target.cluster, headers, probing.timeout) {
                Ok(call) => {
                    self.probes.insert(call, Probe { place, began });
                }
                Err(Status::BadArgument) => failed.push((Probe { place, began }, ProbeError::UnknownCluster)),
                Err(_) => failed.push((Probe { place, began }, ProbeError::NoHost)),
            }
        }
        for (probe, error) in failed {
            self.note_health(&probe, Err(error));
        }
    }

    /// The answer to a probe has come, or will not.
    pub(super) fn probed(&mut self, call: u32, status: Option<u16>, body_size: usize) {
        let Some(probe) = self.probes.remove(&call) else { return };
        let body = calls::call_body(body_size.min(BODY_LEN));
        self.note_health(&probe, read_answer(status, &body));
    }

    /// Writes down how a probe ended, for all.
    fn note_health(&mut self, probe: &Probe, answer: Result<(), ProbeError>) {
        let Some(plugin) = &mut self.plugin else { return };
        let Some(probing) = plugin.config.probing else { return };
        let Some(watched) = plugin.watched.get_mut(probe.place) else {
            return;
        };
        let ended = calls::moment();
        let latency = Duration::from_micros(ended.microseconds_since(probe.began).unwrap_or_default());
        let (bytes, number) = calls::shared(&watched.key);
        let before = Watch::decode(&bytes.unwrap_or_default());
        let Some(after) = before.answered(self.name, answer, latency, &probing, ended.timestamp()) else {
            return;
        };
        if calls::swap_shared(&watched.key, &after.encode(), number).is_err() {
            // Another worker took over just now, and asks itself.
            return;
        }
        for gauges in &mut watched.gauges {
            gauges.show(&after.health);
        }
        if after.health.state != before.health.state {
            watched.tell(&after.health);
        }
    }

    /// Answers with how the services are.
    pub(super) fn show_status(&mut self, request: &HeaderList, view: &StatusView) {
        let config = self.plugin.as_ref().map(|plugin| &plugin.config);
        let shown = config.and_then(|config| Some((config.services.as_ref()?, config.probing.as_ref()?)));
        let Some((services, probing)) = shown else {
            return self.refuse(request, &Refusal::of(Reason::GateNotReady));
        };
        let known = |target: &Target| {
            let bytes = calls::shared(&target.key()).0;
            Watch::decode(&bytes.unwrap_or_default()).health
        };
        let answer = show(&Report::new(services, probing, known), view.form, request);
        self.suspect(request, None);
        self.passed(Passage::Allowed, view.caller.as_deref(), &view.metadata);
        calls::answer(&answer);
    }
}

impl Watched {
    /// Tells the log that a service has changed.
    fn tell(&self, health: &Health) {
        let (services, target) = (&self.services, &self.target);
        match (health.state, health.last_error) {
            (State::Down, Some((_, error))) => calls::log(LogLevel::Warn, || {
                format!(
                    "{services}: down ({} at the cluster {}: {error})",
                    target.path, target.cluster
                )
            }),
            _ => calls::log(LogLevel::Info, || {
                format!("{services}: up ({} at the cluster {})", target.path, target.cluster)
            }),
        }
    }
}

impl Gauges {
    fn show(&mut self, health: &Health) {
        let prefix = &self.prefix;
        let gauge = |name: &str| calls::gauge(&format!("{prefix}{name}"));
        let (up, latency) = *self
            .defined
            .get_or_insert_with(|| (gauge("up"), gauge("probe_latency_us")));
        if let Some(up) = up {
            calls::record(up, u64::from(health.state == State::Up));
        }
        if let Some(latency) = latency {
            let microseconds = u64::try_from(health.latency.as_micros()).unwrap_or(u64::MAX);
            calls::record(latency, microseconds);
        }
    }
}
