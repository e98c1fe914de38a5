//! Fetching keys through the host, and sharing them between workers.
//!
//! In the host's shared data stand, for each key set: the ledger (who fetches, and when the next fetch may begin), the keys
//! as they came, and the stamp of their fetch. The stamp alone is read on every tick; it tells whether the keys are worth
//! reading. Shared data outlives a VM that crashed, so a new one begins with the last good keys.

use std::collections::BTreeMap;

use proxy_wasm::types::LogLevel;

use super::calls;
use super::counters::count;
use super::worker::{Plugin, Worker};
use crate::clock::Timestamp;
use crate::config::{KeyOrigin, RemoteJwks};
use crate::keys::{DocumentError, Ledger, ProviderId, Response, Why, read_document};

/// The names under which a key set's data is shared. They hold the whole address: plugins that share a VM share the keys
/// of one issuer, and never those of another.
struct Names {
    ledger: String,
    stamp: String,
    keys: String,
}

impl Names {
    fn of(remote: &RemoteJwks) -> Self {
        let address = format!(
            "{} {}://{}{}",
            remote.cluster, remote.scheme, remote.authority, remote.path
        );
        let name = |what: &str| format!("gatehouse.{what} {address}");
        Self {
            ledger: name("ledger"),
            stamp: name("stamp"),
            keys: name("keys"),
        }
    }
}

impl Plugin {
    fn remote_config(&self, id: ProviderId) -> Option<&RemoteJwks> {
        match &self.config.providers.get(id.index())?.keys {
            KeyOrigin::Remote(remote) => Some(remote),
            KeyOrigin::Local(_) => None,
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
        {
            let response = Response {
                status: Some(200),
                body_len: document.len(),
                body: document,
            };
            if let Ok(keys) = read_document(&response, limit) {
                remote.install(keys, at);
            }
        }
        remote.generation() != before
    }

    /// Time has passed.
    pub(super) fn tick(&mut self) {
        let now = calls::now();
        for id in self.remotes() {
            self.read_shared(id);
        }
        self.wake(now);
        for (id, why) in self.wanted(now) {
            self.fetch(id, why, now);
        }
        self.settle(now);
    }

    /// The answer to a fetch has come, or will not.
    pub(super) fn answered(&mut self, call: u32, status: Option<u16>, body_size: usize) {
        let Some(id) = self.calls.remove(&call) else { return };
        let now = calls::now();
        let limit = self
            .plugin
            .as_ref()
            .map_or(0, |plugin| plugin.config.max_document_bytes);
        let body = if body_size <= limit {
            calls::call_body(body_size)
        } else {
            Vec::new()
        };
        let response = Response {
            status,
            body_len: body_size,
            body: &body,
        };
        match read_document(&response, limit) {
            Ok(keys) => self.fetched(id, keys, &body, now),
            Err(error) => self.failed(id, &error, now),
        }
        self.wake(now);
        self.settle(now);
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
        remote.note(leased);
        let timeout = remote.policy().timeout;
        let Some(config) = plugin.remote_config(id) else { return };
        let headers = vec![
            (":method", "GET"),
            (":scheme", config.scheme.as_str()),
            (":authority", config.authority.as_str()),
            (":path", config.path.as_str()),
            ("accept", "application/jwk-set+json, application/json"),
        ];
        match calls::get(&config.cluster, headers, timeout) {
            Ok(call) => {
                self.calls.insert(call, id);
            }
            Err(_) => self.failed(id, &DocumentError::NoAnswer, now),
        }
    }

    fn fetched(&mut self, id: ProviderId, keys: jose::JwkSet, document: &[u8], now: Timestamp) {
        let Some(names) = self.names(id) else { return };
        let Some(plugin) = &mut self.plugin else { return };
        count(plugin.counters.fetch_success);
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
        self.end_lease(id, |ledger, worker, _| ledger.succeeded(worker));
    }

    fn failed(&mut self, id: ProviderId, error: &DocumentError, now: Timestamp) {
        if let Some(plugin) = &self.plugin {
            count(plugin.counters.fetch_failed);
            let name = plugin
                .config
                .providers
                .get(id.index())
                .map(|provider| provider.name.as_str())
                .unwrap_or_default();
            let fallback = if plugin.keys.usable(id, now).is_some() {
                "the last good keys stay"
            } else {
                "there are no keys"
            };
            calls::log(LogLevel::Warn, || {
                format!("provider {name}: fetching keys failed ({error}); {fallback}")
            });
        }
        self.end_lease(id, |ledger, worker, policy| ledger.failed(worker, policy, now));
    }

    fn end_lease(
        &mut self,
        id: ProviderId,
        end: impl FnOnce(Ledger, crate::keys::Worker, &crate::keys::RefreshPolicy) -> Option<Ledger>,
    ) {
        let Some(names) = self.names(id) else { return };
        let (bytes, number) = calls::shared(&names.ledger);
        let ledger = Ledger::decode(&bytes.unwrap_or_default());
        let Some(remote) = self.plugin.as_mut().and_then(|plugin| plugin.keys.remote_mut(id)) else {
            return;
        };
        remote.note(ledger);
        if let Some(ended) = end(ledger, self.name, remote.policy())
            && calls::swap_shared(&names.ledger, &ended.encode(), number).is_ok()
        {
            remote.note(ended);
        }
    }

    fn remotes(&self) -> Vec<ProviderId> {
        self.plugin
            .as_ref()
            .map(|plugin| plugin.keys.remotes().collect())
            .unwrap_or_default()
    }

    fn names(&self, id: ProviderId) -> Option<Names> {
        self.plugin.as_ref()?.remote_config(id).map(Names::of)
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
