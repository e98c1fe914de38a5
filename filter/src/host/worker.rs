//! What one VM knows between requests, and how a decision is carried out.

use std::collections::BTreeMap;
use std::time::Duration;

use jose::RsaDelegate;
use proxy_wasm::types::{Action, LogLevel};

use super::calls::{self, Moment};
use super::carried::Carried;
use super::counters::Counters;
use super::limits::Limiter;
use super::notes::{note, property_of};
use super::probing::{Probe, Watched, watched};
use super::request_ids::Maker;
use super::signatures::HostVerifier;
use super::suspicion::Lookout;
use crate::access_log::REFUSAL_PROPERTY;
use crate::account::Account;
use crate::clock::Timestamp;
use crate::config::{Config, HostFunction};
use crate::gate::{Decision, Forward, Patience, Refusal, RouteCache, clean_trailers, decide_before, on_arrival};
use crate::headers::Edit;
use crate::keys::{Fetch, Guest, KeyStore, ProviderId, Step, WaitingRoom, Worker as WorkerName};
use crate::limit::Charge;
use crate::refusal::{Detail, Reason, Severity};
use crate::request::{HeaderList, Surroundings};
use crate::requirement::RouteWord;
use crate::token::TokenCache;

/// Between ticks while somebody waits. A tick reads two small values for each key set.
const FAST: Duration = Duration::from_millis(10);
/// Between ticks otherwise.
const SLOW: Duration = Duration::from_secs(1);

/// A request that waits, and for what.
pub(super) struct Waiting {
    request: HeaderList,
    pub(super) fetch: Fetch,
    /// The key set's generation when it was last asked.
    generation: u64,
}

/// One plugin in one VM.
pub(super) struct Worker {
    root_id: u32,
    pub(super) name: WorkerName,
    pub(super) plugin: Option<Plugin>,
    pub(super) room: WaitingRoom<Waiting>,
    /// The calls that are under way: for whose keys, and which step.
    pub(super) calls: BTreeMap<u32, (ProviderId, Step)>,
    /// The probes that are under way.
    pub(super) probes: BTreeMap<u32, Probe>,
    /// What requests left for their answers, by their numbers; nothing for most.
    pub(super) carried: BTreeMap<u32, Carried>,
    period: Duration,
}

/// What comes of a configuration.
pub(super) struct Plugin {
    pub(super) config: Config,
    pub(super) keys: KeyStore,
    tokens: TokenCache,
    pub(super) account: Account,
    pub(super) counters: Counters,
    pub(super) limiter: Option<Limiter>,
    pub(super) ids: Option<Maker>,
    pub(super) lookout: Option<Lookout>,
    pub(super) watched: Vec<Watched>,
}

impl Worker {
    pub(super) fn new(root_id: u32) -> Self {
        Self {
            root_id,
            name: WorkerName::default(),
            plugin: None,
            room: WaitingRoom::new(0),
            calls: BTreeMap::new(),
            probes: BTreeMap::new(),
            carried: BTreeMap::new(),
            period: Duration::ZERO,
        }
    }

    /// Takes a configuration into use. Nothing is fetched yet: this instance may be the one by which the host only tries
    /// the configuration, and which it then throws away.
    pub(super) fn configure(&mut self, config: Config) {
        for warning in &config.warnings {
            calls::log(LogLevel::Warn, || format!("configuration: {warning}"));
        }
        let fields = config.access_log.iter();
        for property in fields.map(|field| field.property()).chain([REFUSAL_PROPERTY]) {
            calls::declare_property(property);
        }
        for key in config.providers.iter().flat_map(|provider| provider.metadata.iter()) {
            calls::declare_property(&property_of(key));
        }
        self.name = WorkerName::new(calls::moment().nanoseconds() ^ u64::from(self.root_id));
        self.room = WaitingRoom::new(config.max_waiting);
        let counters = Counters::define(
            &config.stat_prefix,
            config.providers.iter().map(|provider| provider.name.as_str()),
        );
        let keys = config.key_store().with_delegate(delegate(config.host_function));
        let limiter = Limiter::prepare(&config);
        let ids = Maker::prepare(&config);
        let lookout = Lookout::prepare(&config);
        let tokens = config.token_cache();
        let watched = watched(&config);
        self.plugin = Some(Plugin {
            config,
            keys,
            tokens,
            account: Account::default(),
            counters,
            limiter,
            ids,
            lookout,
            watched,
        });
        self.prepare_shared();
        self.pace(FAST);
    }

    /// A request has come.
    pub(super) fn arrived(&mut self, id: u32, request: HeaderList) -> Action {
        let request = &self.identified(request).within(self.surroundings());
        let began = calls::moment();
        let now = began.timestamp();
        self.plan_answer(id, request);
        let owed = self.owed_on_arrival(request);
        if let Err(refusal) = self.charge(id, &owed, now) {
            if let Some(plugin) = &mut self.plugin {
                plugin.account.clear();
            }
            return self.carry_out(id, request, Decision::Refuse(refusal), now);
        }
        let mut decision = self.decide(request, began, Patience::Left);
        if self.news_for(&decision) {
            decision = self.decide(request, began, Patience::Left);
        }
        if let Decision::Wait(fetch) = decision {
            let deadline = began.timestamp().plus(
                self.plugin
                    .as_ref()
                    .map(|plugin| plugin.config.max_wait)
                    .unwrap_or_default(),
            );
            let generation = self.generation(fetch);
            let guest = Guest {
                request: Waiting {
                    request: request.clone(),
                    fetch,
                    generation,
                },
                deadline,
                memory: request.memory(),
            };
            if self.room.admit(id, guest).is_ok() {
                self.pace(FAST);
                return Action::Pause;
            }
            decision = self.decide(request, began, Patience::Exhausted);
        }
        self.carry_out(id, request, decision, now)
    }

    /// Whether other workers have fetched what could change a decision. Between two ticks they may have, and no good token
    /// is to be refused for that.
    fn news_for(&mut self, decision: &Decision) -> bool {
        match decision {
            Decision::Wait(fetch) => self.read_shared(fetch.provider),
            Decision::Refuse(Refusal {
                reason: Reason::KeyUnknown | Reason::KeysUnavailable,
                ..
            }) => self.read_all_shared(),
            Decision::Refuse(_) | Decision::Forward(_) | Decision::Answer(_) | Decision::Status(_) => false,
        }
    }

    /// What the host knows of the effective context, as far as the configuration asks.
    fn surroundings(&self) -> Surroundings {
        let config = self.plugin.as_ref().map(|plugin| &plugin.config);
        let state = config.and_then(|config| config.state_rules.as_ref());
        let route = config.and_then(|config| config.route_rules.as_ref());
        Surroundings {
            state: state.and_then(|rules| calls::filter_state(&rules.object)),
            route: route.map_or(RouteWord::Silent, |rules| calls::route_word(&rules.namespace)),
        }
    }

    /// A request has ended, whichever way.
    pub(super) fn gone(&mut self, id: u32) {
        self.room.leave(id);
        self.carried.remove(&id);
    }

    /// What is to be taken out of a request's trailers.
    pub(super) fn sanitised(&self, trailers: &HeaderList) -> Vec<Edit> {
        let plugin = self.plugin.as_ref();
        plugin.map_or_else(Vec::new, |plugin| clean_trailers(trailers, &plugin.config))
    }

    /// Decides again about every request for which something has changed, and about those that have waited long enough.
    pub(super) fn wake(&mut self, now: Timestamp) {
        for id in self.room.ids() {
            let Some(mut guest) = self.room.leave(id) else { continue };
            let patience = if now >= guest.deadline {
                Patience::Exhausted
            } else {
                Patience::Left
            };
            let unchanged = self.generation(guest.request.fetch) == guest.request.generation;
            if patience == Patience::Left && unchanged {
                let _kept = self.room.admit(id, guest);
                continue;
            }
            let decision = self.decide(&guest.request.request, calls::moment(), patience);
            if let Decision::Wait(fetch) = decision {
                guest.request.fetch = fetch;
                guest.request.generation = self.generation(fetch);
                let _kept = self.room.admit(id, guest);
            } else if calls::act_for(id) {
                if self.carry_out(id, &guest.request.request, decision, now) == Action::Continue {
                    calls::resume();
                }
                calls::act_for(self.root_id);
            }
        }
    }

    /// Sets the pace of ticks, if it is another.
    pub(super) fn pace(&mut self, period: Duration) {
        if self.period != period {
            self.period = period;
            calls::tick_every(period);
        }
    }

    /// Ticks quickly while somebody waits or the first keys are on their way, and in time for the next attempt.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let Some(plugin) = &self.plugin else { return };
        let remotes = || plugin.keys.remotes().filter_map(|id| plugin.keys.remote(id));
        let cold =
            remotes().any(|remote| remote.usable(now).is_none() && remote.ledger().is_running(remote.policy(), now));
        let pause = remotes().filter_map(|remote| remote.pause(now)).min().unwrap_or(SLOW);
        let period = if cold || !self.room.is_empty() {
            FAST
        } else {
            pause.clamp(FAST, SLOW)
        };
        self.pace(period);
    }

    fn generation(&self, fetch: Fetch) -> u64 {
        let remote = self
            .plugin
            .as_ref()
            .and_then(|plugin| plugin.keys.remote(fetch.provider));
        remote.map_or(0, crate::keys::RemoteKeys::generation)
    }

    /// Decides about a request that is looked at since then.
    fn decide(&mut self, request: &HeaderList, began: Moment, patience: Patience) -> Decision {
        let Some(plugin) = &mut self.plugin else {
            return Decision::Refuse(Refusal::of(Reason::GateNotReady));
        };
        plugin.account.clear();
        let decision = decide_before(
            &plugin.account,
            request,
            &plugin.config,
            &plugin.keys,
            &mut plugin.tokens,
            began.timestamp(),
            patience,
        );
        if plugin.account.has_verified()
            && let Some(microseconds) = calls::moment().microseconds_since(began)
        {
            plugin.counters.verified_within(microseconds);
        }
        decision
    }

    /// Shows the host what was counted, and how things are.
    pub(super) fn publish(&mut self, now: Timestamp) {
        let Some(plugin) = &mut self.plugin else { return };
        plugin.counters.write();
        if let Some(limiter) = &mut plugin.limiter {
            limiter.write();
        }
        if let Some(lookout) = &mut plugin.lookout {
            lookout.write(now);
        }
        plugin.counters.token_cache(plugin.tokens.len(), plugin.tokens.bytes());
        for id in plugin.keys.remotes() {
            let Some(remote) = plugin.keys.remote(id) else { continue };
            let age = remote
                .fetched_at()
                .map(|at| now.since(at).unwrap_or_default().as_secs());
            plugin.counters.keys(id, age, remote.ledger().last_failed());
        }
    }

    fn owed_on_arrival(&self, request: &HeaderList) -> Vec<Charge> {
        let Some(plugin) = &self.plugin else { return Vec::new() };
        on_arrival(request, &plugin.config, self.client_address())
    }

    /// Carries out a decision for the effective context: `Continue` lets the request go on, `Pause` means that it was
    /// answered.
    fn carry_out(&mut self, id: u32, request: &HeaderList, decision: Decision, now: Timestamp) -> Action {
        match decision {
            Decision::Forward(forward) => match self.charge(id, &forward.charges, now) {
                Ok(()) => {
                    self.suspect(request, None);
                    self.forward(forward);
                    return Action::Continue;
                }
                Err(refusal) => self.refuse(request, &refusal),
            },
            Decision::Refuse(refusal) => self.refuse(request, &refusal),
            Decision::Answer(answer) => calls::answer(&answer),
            Decision::Status(view) => match self.charge(id, &view.charges, now) {
                Ok(()) => self.show_status(request, &view),
                Err(refusal) => self.refuse(request, &refusal),
            },
            // Waiting is for the callers of this function; a request that gets here has nothing left to wait for.
            Decision::Wait(_) => self.refuse(request, &Refusal::without_keys(SLOW)),
        }
        Action::Pause
    }

    fn forward(&mut self, forward: Forward) {
        calls::edit_headers(forward.edits);
        if forward.route == RouteCache::Clear {
            calls::clear_route_cache();
        }
        self.passed(forward.passage, forward.caller.as_deref(), &forward.metadata);
    }

    pub(super) fn refuse(&mut self, request: &HeaderList, refusal: &Refusal) {
        let entry = refusal.reason.entry();
        let level = match entry.severity {
            Severity::Debug => LogLevel::Debug,
            Severity::Info => LogLevel::Info,
            Severity::Warn => LogLevel::Warn,
        };
        calls::log(level, || {
            format!("refused with {} {}: {}", entry.status, entry.code, entry.detail)
        });
        calls::set_property(REFUSAL_PROPERTY, entry.code);
        note(&refusal.metadata);
        self.suspect(request, Some(refusal.reason));
        let mut detail = Detail::Shown;
        if let Some(plugin) = &mut self.plugin {
            let provider = plugin.account.refused_by(refusal.reason);
            plugin
                .counters
                .refused(refusal.reason, provider, plugin.account.judged());
            detail = plugin.config.refusal_detail;
        }
        calls::answer(&refusal.answer(request, detail));
    }
}

/// The host's function for verifying signatures, if it may be used and proves to work.
fn delegate(wanted: HostFunction) -> Option<Box<dyn RsaDelegate>> {
    let found = match wanted {
        HostFunction::WhereItWorks => HostVerifier::detect(),
        HostFunction::Unused => None,
    };
    calls::log(LogLevel::Info, || {
        let who = if found.is_some() {
            "the host"
        } else {
            "the plugin itself"
        };
        format!("RS256, RS384 and RS512 signatures are verified by {who}")
    });
    Some(Box::new(found?))
}
