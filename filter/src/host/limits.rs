//! Limits, charged in the host's shared data, so that all workers of a process count together.
//!
//! A row of the table is one value. A charge reads it and swaps it, once more where another worker was faster; one that is
//! refused changes nothing, so a storm of refused requests only reads. Rows are created when they are first needed and
//! never removed, since the host can't: their number is what bounds the table. The key of their hash lies there too, drawn
//! by the worker that came first.

use super::calls;
use super::counters::Counter;
use super::worker::Worker;
use crate::address::ClientAddress;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::gate::Refusal;
use crate::limit::{Charge, Key, Row, Standing, Verdict};
use crate::refusal::Reason;

/// So often a charge is tried. Each failure means that another worker charged the same row in the same microsecond.
const TRIES: usize = 64;
/// Readings of the clock that the key is drawn from; how long each takes is not to be foretold.
const READINGS: usize = 256;

const KEY: &str = "gatehouse.limits.key";

/// What a worker needs in order to charge.
pub(super) struct Limiter {
    key: Key,
    identities: Vec<u64>,
    refused: Vec<Counter>,
    contended: Counter,
}

impl Limiter {
    /// `None` where there are no limits: then nothing is shared, and nothing is asked on a request's way.
    pub(super) fn prepare(config: &Config) -> Option<Self> {
        let limits = &config.limits.list;
        if limits.is_empty() {
            return None;
        }
        let counter = |name: String| Counter::define(&format!("gatehouse.{}{name}", config.stat_prefix));
        Some(Self {
            key: shared_key(),
            identities: limits.iter().map(crate::limit::Limit::identity).collect(),
            refused: limits
                .iter()
                .map(|limit| counter(format!("limits.{}.refused", limit.name)))
                .collect(),
            contended: counter("limits.contended".to_owned()),
        })
    }

    /// Shows the host what was counted since the last time.
    pub(super) fn write(&mut self) {
        self.refused.iter_mut().for_each(Counter::write);
        self.contended.write();
    }
}

impl Worker {
    /// The address of the client whose request is the effective context, if somebody wants to know.
    pub(super) fn client_address(&self) -> Option<ClientAddress> {
        let plugin = self.plugin.as_ref()?;
        if !plugin.config.limits.ask_for_address() {
            return None;
        }
        ClientAddress::parse(&calls::source_address()?)
    }

    /// Charges a request, and remembers for its answer how it stands. The first limit that is exceeded ends the matter:
    /// those after it are not charged.
    pub(super) fn charge(&mut self, id: u32, charges: &[Charge], now: Timestamp) -> Result<(), Refusal> {
        for charge in charges {
            let Some(verdict) = self.charge_one(charge, now) else {
                continue;
            };
            let standing = Standing {
                limit: charge.limit,
                verdict,
            };
            self.carried.entry(id).or_default().standings.push(standing);
            if let Verdict::Exceeded { wait } = verdict {
                let limiter = self.plugin.as_mut().and_then(|plugin| plugin.limiter.as_mut());
                if let Some(counter) = limiter.and_then(|limiter| limiter.refused.get_mut(charge.limit)) {
                    counter.add();
                }
                return Err(Refusal {
                    retry_after: Some(wait),
                    ..Refusal::of(Reason::RateLimited)
                });
            }
        }
        Ok(())
    }

    fn charge_one(&mut self, charge: &Charge, now: Timestamp) -> Option<Verdict> {
        let plugin = self.plugin.as_mut()?;
        let limiter = plugin.limiter.as_mut()?;
        let rate = plugin.config.limits.list.get(charge.limit)?.rate;
        let identity = limiter.identities.get(charge.limit)?.to_le_bytes();
        let hash = limiter.key.hash(&[&identity, &charge.whose]);
        let row_name = format!(
            "gatehouse.limits.{}",
            hash % u64::from(plugin.config.limits.rows.max(1))
        );
        for _ in 0..TRIES {
            let (bytes, number) = calls::shared(&row_name);
            let mut row = Row::decode(bytes.as_deref().unwrap_or_default());
            let verdict = row.charge(hash, rate, now);
            let after = row.encode();
            if bytes.as_ref() == Some(&after) {
                return Some(verdict);
            }
            let written = match number {
                Some(_) => calls::swap_shared(&row_name, &after, number),
                None => calls::create_shared(&row_name, &after),
            };
            if written.is_ok() {
                return Some(verdict);
            }
        }
        // Nobody but a storm on one row gets here, and a limit that a storm blows away is none.
        limiter.contended.add();
        Some(Verdict::Exceeded {
            wait: std::time::Duration::from_secs(1),
        })
    }
}

/// The key that all workers share: whoever creates it first has drawn it for all.
pub(super) fn shared_key() -> Key {
    let known = || calls::shared(KEY).0.and_then(|bytes| Key::from_bytes(&bytes));
    if let Some(key) = known() {
        return key;
    }
    let readings = (0..READINGS).flat_map(|_| calls::moment().nanoseconds().to_le_bytes());
    let drawn = Key::gathered(&readings.collect::<Vec<u8>>());
    let _first = calls::create_shared(KEY, &drawn);
    known().unwrap_or_default()
}
