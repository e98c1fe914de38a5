//! What is suspicious, told to the host: its statistics count all of it, its log gets a part.

use proxy_wasm::types::LogLevel;

use super::calls;
use super::counters::Counter;
use super::limits::shared_key;
use super::worker::Worker;
use crate::address::ClientAddress;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::refusal::Reason;
use crate::request::HeaderList;
use crate::suspicion::{Kind, Line, Look, Watch};

/// A watch and its statistics.
pub(super) struct Lookout {
    watch: Watch,
    counters: Vec<(Kind, Counter)>,
}

impl Lookout {
    /// `None` where nothing is watched for: then no request is looked at once more.
    pub(super) fn prepare(config: &Config) -> Option<Self> {
        let watchfulness = config.watchfulness.clone()?;
        let counter = |kind: &Kind| {
            let name = format!("gatehouse.{}suspicious.{}", config.stat_prefix, kind.name());
            (*kind, Counter::define(&name))
        };
        Some(Self {
            counters: watchfulness.kinds.iter().map(counter).collect(),
            watch: Watch::new(watchfulness, shared_key()),
        })
    }

    /// Shows the host what was counted, and tells of what was left out of the log.
    pub(super) fn write(&mut self, now: Timestamp) {
        self.counters.iter_mut().for_each(|(_, counter)| counter.write());
        for (kind, number) in self.watch.left_out(now) {
            calls::log(LogLevel::Warn, || Line::about_those_left_out(kind, number).text());
        }
    }
}

impl Worker {
    /// Looks once more at a request that is the effective context, if there is a reason to: it was refused, or its client
    /// sent a name that only the gate may set.
    pub(super) fn suspect(&mut self, request: &HeaderList, refused: Option<Reason>) {
        let Some(plugin) = &mut self.plugin else { return };
        let Some(lookout) = &mut plugin.lookout else { return };
        let forged = plugin.account.forged();
        let forged = forged
            .iter()
            .map(String::as_str)
            .find(|name| !lookout.watch.ignores(name));
        if forged.is_none() && refused.is_none() {
            return;
        }
        let look = Look {
            forged,
            refused,
            address: calls::source_address().as_deref().and_then(ClientAddress::parse),
        };
        for notice in lookout.watch.look(look, calls::now()) {
            if let Some((_, counter)) = lookout.counters.iter_mut().find(|(kind, _)| *kind == notice.kind) {
                counter.add();
            }
            if notice.written {
                calls::log(LogLevel::Warn, || Line::of(notice.kind, look, request).text());
            }
        }
    }
}
