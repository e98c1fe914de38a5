//! Fetching keys through the host, and sharing them between workers.
//!
//! In the host's shared data stand, for each key set: the ledger (who fetches, and when the next fetch may begin), the keys
//! as they came, the stamp of their fetch, and the address that was discovered for them, if it was. Ledger and stamp alone
//! are read on every tick; the stamp tells whether the keys are worth reading. Shared data outlives a VM that crashed, so a
//! new one begins with the last good keys.

use std::collections::BTreeMap;

use proxy_wasm::types::LogLevel;

use super::calls;
use super::worker::{Plugin, Worker};
use crate::clock::Timestamp;
use crate::config::{KeyOrigin, RemoteJwks};
use crate::keys::{
    DocumentError, Failure, KeySetSource, Known, LastFetch, Ledger, Outcome, ProviderId, RefreshPolicy, Response, Step,
    Why, Worker as WorkerName, read_document,
};

/// The names under which a key set's data is shared. They hold the whole address: plugins that share a VM share the keys
/// of one issuer, and never those of another.
struct Names {
    ledger: String,
    stamp: String,
    keys: String,
    address: String,
}

impl Names {
    fn of(remote: &RemoteJwks) -> Self {
        let address = match &remote.source {
            KeySetSource::At(keys) => format!("{} {}", keys.cluster, keys.uri()),
            KeySetSource::Discovered(discovery) => format!("discovered {}", discovery.identity()),
        };
        let name = |what: &str| format!("gatehouse.{what} {address}");
        Self {
            ledger: name("ledger"),
            stamp: name("stamp"),
            keys: name("keys"),
            address: name("address"),
        }
    }
}

impl Worker {
    /// Makes sure that ledgers exist, since only existing data can be swapped safely, and takes over what others fetched.
    pub(super) fn prepare_shared(&mut self) {
        for id in self.remotes() {
            let Some(names) = self.names(id) else { continue };
            if calls::shared(&names.ledger).0.is_none() {
                let _created = calls::swap_shared(&names.ledger, &Ledger::default().encode(), None);
            }
            self.read_shared(id);
        }
    }

    /// Takes over what other workers wrote; whether that changed anything.
    pub(super) fn read_shared(&mut self, id: ProviderId) -> bool {
        let Some(names) = self.names(id) else { return false };
        let ledger = calls::shared(&names.ledger).0.map(|bytes| Ledger::decode(&bytes));
        let stamp = calls::shared(&names.stamp).0.and_then(|bytes| read_stamp(&bytes));
        let Some(plugin) = &mut self.plugin else { return false };
        let limit = plugin.config.max_document_bytes;
        let Some(remote) = plugin.keys.remote_mut(id) else {
            return false;
        };
        let before = remote.generation();
        remote.note(ledger.unwrap_or_default());
        if stamp.is_some()
            && stamp != remote.fetched_at()
            && let Some((at, document)) = calls::shared(&names.keys).0.as_deref().and_then(split_stamp)
            && let Ok(keys) = read_document(&Response::kept(document), limit)
        {
            remote.install(keys, at);
        }
        remote.generation() != before
    }

    /// Takes over what other workers wrote about any key set; whether that changed anything.
    pub(super) fn read_all_shared(&mut self) -> bool {
        let mut changed = false;
        for id in self.remotes() {
            changed |= self.read_shared(id);
        }
        changed
    }

    /// Time has passed.
    pub(super) fn tick(&mut self) {
        let now = calls::now();
        self.read_all_shared();
        self.wake(now);
        for (id, why) in self.wanted(now) {
            self.fetch(id, why, now);
        }
        self.probe(now);
        self.publish(now);
        self.settle(now);
    }

    /// The answer to a request has come, or will not.
    pub(super) fn answered(&mut self, call: u32, status: Option<u16>, encoding: Option<&[u8]>, body_size: usize) {
        let Some((id, step)) = self.calls.remove(&call) else {
            return self.probed(call, status, body_size);
        };
        let now = calls::now();
        let limit = self.document_limit();
        let body = if body_size <= limit {
            calls::call_body(body_size)
        } else {
            Vec::new()
        };
        let response = Response {
            status,
            encoding,
            body_len: body_size,
            body: &body,
        };
        self.take_in(id, &step, &response, now);
        self.wake(now);
        self.settle(now);
    }

    fn document_limit(&self) -> usize {
        self.plugin
            .as_ref()
            .map_or(0, |plugin| plugin.config.max_document_bytes)
    }

    /// Goes on from an answer as the course of a fetch has it.
    fn take_in(&mut self, id: ProviderId, step: &Step, response: &Response<'_>, now: Timestamp) {
        let limit = self.document_limit();
        let Some(config) = self.remote_config(id) else { return };
        let earlier = self.known(id, now).map(|known| known.keys);
        match config.source.outcome(step, response, limit, earlier) {
            Outcome::Keys(keys) => self.fetched(id, keys, response.body, now),
            Outcome::Address(keys) => {
                let known = Known { keys, at: now };
                if let Some(names) = self.names(id) {
                    let _shared = calls::swap_shared(&names.address, &KeySetSource::encode(&known), None);
                }
                self.go_on(id, Step::Keys(known.keys), now);
            }
            Outcome::Other(step) => self.go_on(id, step, now),
            Outcome::Earlier(keys, error) => {
                self.report(
                    id,
                    step,
                    &error,
                    "the keys are fetched from the address that was found before",
                );
                self.go_on(id, Step::Keys(keys), now);
            }
            Outcome::Failed(error) => self.failed(id, step, &error, now),
        }
    }

    /// Asks for one thing more, if the lease is still held.
    fn go_on(&mut self, id: ProviderId, step: Step, now: Timestamp) {
        if self.change_lease(id, |ledger, worker, policy| ledger.extended(worker, policy, now)) {
            self.ask(id, step, now);
        }
    }

    /// What metadata said last about where the keys are.
    fn known(&self, id: ProviderId, now: Timestamp) -> Option<Known> {
        let config = self.remote_config(id)?;
        if let KeySetSource::At(_) = config.source {
            return None;
        }
        let shared = calls::shared(&Names::of(config).address).0?;
        config.source.decode(&shared, config.policy.keep_last_good, now)
    }

    /// Which key sets should be fetched now, and why. What is due needs no request to ask for it.
    fn wanted(&self, now: Timestamp) -> BTreeMap<ProviderId, Why> {
        let mut wanted: BTreeMap<ProviderId, Why> = self
            .room
            .guests()
            .map(|guest| (guest.fetch.provider, guest.fetch.why))
            .collect();
        let Some(plugin) = &self.plugin else { return wanted };
        for id in self.remotes() {
            wanted.extend(
                plugin
                    .keys
                    .remote(id)
                    .and_then(|remote| remote.due(now))
                    .map(|why| (id, why)),
            );
        }
        wanted
    }

    /// Begins a fetch, unless another worker is at it or it is too early.
    fn fetch(&mut self, id: ProviderId, why: Why, now: Timestamp) {
        let Some(names) = self.names(id) else { return };
        let (bytes, number) = calls::shared(&names.ledger);
        let ledger = Ledger::decode(&bytes.unwrap_or_default());
        let Some(plugin) = &mut self.plugin else { return };
        let Some(remote) = plugin.keys.remote_mut(id) else {
            return;
        };
        remote.note(ledger);
        let Ok(leased) = ledger.claim(self.name, why, remote.policy(), now) else {
            return;
        };
        if calls::swap_shared(&names.ledger, &leased.encode(), number).is_err() {
            // Another worker was faster; the next tick reads what it wrote.
            return;
        }
        let last = if ledger.last_failed() {
            LastFetch::Failed
        } else {
            LastFetch::Succeeded
        };
        remote.note(leased);
        let known = self.known(id, now);
        let Some(config) = self.remote_config(id) else { return };
        let step = config.source.first_step(why, last, known.as_ref(), now);
        self.ask(id, step, now);
    }

    fn ask(&mut self, id: ProviderId, step: Step, now: Timestamp) {
        let Some(config) = self.remote_config(id) else { return };
        let endpoint = step.endpoint();
        let headers = vec![
            (":method", "GET"),
            (":scheme", endpoint.scheme.as_str()),
            (":authority", endpoint.authority.as_str()),
            (":path", endpoint.path.as_str()),
            ("accept", "application/jwk-set+json, application/json"),
            ("accept-encoding", "identity"),
        ];
        match calls::get(&endpoint.cluster, headers, config.policy.timeout) {
            Ok(call) => {
                self.calls.insert(call, (id, step));
            }
            Err(_) => self.failed(id, &step, &DocumentError::NoAnswer, now),
        }
    }

    fn fetched(&mut self, id: ProviderId, keys: jose::JwkSet, document: &[u8], now: Timestamp) {
        let Some(names) = self.names(id) else { return };
        let Some(plugin) = &mut self.plugin else { return };
        plugin.counters.fetched(id);
        let Some(remote) = plugin.keys.remote_mut(id) else {
            return;
        };
        // Everyday refreshes are not worth a line.
        let level = if remote.usable(now).is_none() || remote.ledger().last_failed() {
            LogLevel::Info
        } else {
            LogLevel::Debug
        };
        let (held, skipped) = (keys.keys().len(), keys.skipped().len());
        remote.install(keys, now);
        let stamp = now.as_millis().to_le_bytes();
        let _shared = calls::swap_shared(&names.keys, &[&stamp[..], document].concat(), None);
        let _shared = calls::swap_shared(&names.stamp, &stamp, None);
        let name = &plugin
            .config
            .providers
            .get(id.index())
            .map(|provider| provider.name.as_str())
            .unwrap_or_default();
        calls::log(level, || {
            format!("provider {name}: fetched {held} keys, left out {skipped} that can't be used")
        });
        self.change_lease(id, |ledger, worker, _| ledger.succeeded(worker));
    }

    fn failed(&mut self, id: ProviderId, step: &Step, error: &DocumentError, now: Timestamp) {
        let usable = |plugin: &Plugin| plugin.keys.usable(id, now).is_some();
        let fallback = if self.plugin.as_ref().is_some_and(usable) {
            "the last good keys stay"
        } else {
            "there are no keys"
        };
        self.report(id, step, error, fallback);
        let failure = if error.is_transient() {
            Failure::Transient
        } else {
            Failure::Lasting
        };
        self.change_lease(id, |ledger, worker, policy| ledger.failed(worker, failure, policy, now));
    }

    /// Counts and tells an answer that was no good.
    fn report(&mut self, id: ProviderId, step: &Step, error: &DocumentError, fallback: &str) {
        let Some(plugin) = &mut self.plugin else { return };
        plugin.counters.fetch_failed(id);
        let name = plugin
            .config
            .providers
            .get(id.index())
            .map(|provider| provider.name.as_str())
            .unwrap_or_default();
        calls::log(LogLevel::Warn, || {
            let endpoint = step.endpoint();
            match step {
                Step::Keys(_) => format!("provider {name}: fetching keys failed ({endpoint}: {error}); {fallback}"),
                Step::Metadata(..) => {
                    format!("provider {name}: fetching the issuer's metadata failed ({endpoint}: {error}); {fallback}")
                }
            }
        });
    }

    /// Writes a lease that this worker holds anew; whether it held it still.
    fn change_lease(
        &mut self,
        id: ProviderId,
        change: impl FnOnce(Ledger, WorkerName, &RefreshPolicy) -> Option<Ledger>,
    ) -> bool {
        let Some(names) = self.names(id) else { return false };
        let (bytes, number) = calls::shared(&names.ledger);
        let ledger = Ledger::decode(&bytes.unwrap_or_default());
        let Some(remote) = self.plugin.as_mut().and_then(|plugin| plugin.keys.remote_mut(id)) else {
            return false;
        };
        remote.note(ledger);
        let Some(changed) = change(ledger, self.name, remote.policy()) else {
            return false;
        };
        let written = calls::swap_shared(&names.ledger, &changed.encode(), number).is_ok();
        if written {
            remote.note(changed);
        }
        written
    }

    fn remotes(&self) -> Vec<ProviderId> {
        self.plugin
            .as_ref()
            .map(|plugin| plugin.keys.remotes().collect())
            .unwrap_or_default()
    }

    fn remote_config(&self, id: ProviderId) -> Option<&RemoteJwks> {
        match &self.plugin.as_ref()?.config.providers.get(id.index())?.keys {
            KeyOrigin::Remote(remote) => Some(remote),
            KeyOrigin::Local(_) => None,
        }
    }

    fn names(&self, id: ProviderId) -> Option<Names> {
        self.remote_config(id).map(Names::of)
    }
}

fn read_stamp(bytes: &[u8]) -> Option<Timestamp> {
    bytes
        .try_into()
        .ok()
        .map(u64::from_le_bytes)
        .map(Timestamp::from_millis)
}

fn split_stamp(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (stamp, document) = bytes.split_at_checked(8)?;
    Some((read_stamp(stamp)?, document))
}
