//! What honest callers don't do: noticed, counted, and written down without letting an attacker fill the log.
//!
//! A request that was refused, or that carried a name which only the gate may set, is looked at once more; any other costs
//! nothing here. What is remembered is of fixed size, in each worker by itself. A line never holds what a caller chose: no
//! token, no header's value, no spelling of a name.

mod line;
mod sampler;

use std::time::Duration;

pub use line::Line;
use sampler::Sampler;

use crate::address::ClientAddress;
use crate::clock::Timestamp;
use crate::headers::FoldedName;
use crate::limit::{Key, Rate, Row, Verdict};
use crate::refusal::Reason;

/// Rows of addresses that were refused; with eight in each, 40 KiB when all are in use.
const ROWS: u64 = 256;
/// The time in which suspicious things are counted.
pub const MINUTE: Duration = Duration::from_mins(1);

/// What a request is suspected of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A client sent a name that only the gate may set.
    ForgedHeader,
    /// A token's algorithm is none, unknown, or not one of its issuer's keys.
    AlgorithmConfusion,
    /// A token names a key that there is, and its signature is not that key's.
    ForgedSignature,
    /// Many tokens name keys that there are not.
    KeyProbing,
    /// Many requests of one address are refused.
    RefusalBurst,
}

impl Kind {
    /// All that there are.
    pub const ALL: [Self; 5] = [
        Self::ForgedHeader,
        Self::AlgorithmConfusion,
        Self::ForgedSignature,
        Self::KeyProbing,
        Self::RefusalBurst,
    ];

    /// The name in the configuration, in counters and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForgedHeader => "forged_header",
            Self::AlgorithmConfusion => "algorithm_confusion",
            Self::ForgedSignature => "forged_signature",
            Self::KeyProbing => "key_probing",
            Self::RefusalBurst => "refusal_burst",
        }
    }
}

/// What is watched for, and how much of it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watchfulness {
    /// What is watched for; nothing where it is empty.
    pub kinds: Vec<Kind>,
    /// So many lines of a kind are written in a minute, by each worker.
    pub lines_per_minute: u64,
    /// More refusals of one address in a minute, seen by one worker, are a burst.
    pub refusals: Rate,
    /// More unknown keys in a minute, seen by one worker, are a probe.
    pub unknown_keys: Rate,
    /// Names that are trusted, but no forgery when a client sends them.
    pub ignored_headers: Vec<FoldedName>,
}

impl Watchfulness {
    /// Watches for these, with as much patience as a mistake or a rotation of keys needs.
    #[must_use]
    pub fn for_kinds(kinds: Vec<Kind>) -> Option<Self> {
        Some(Self {
            kinds,
            lines_per_minute: 10,
            refusals: Rate::new(60, MINUTE, 60)?,
            unknown_keys: Rate::new(20, MINUTE, 20)?,
            ignored_headers: Vec::new(),
        })
    }
}

/// What is known of a request that is looked at once more.
#[derive(Debug, Clone, Copy)]
pub struct Look<'l> {
    /// The first of the names that its client may not set, as the configuration has it.
    pub forged: Option<&'l str>,
    /// Why it was refused.
    pub refused: Option<Reason>,
    /// Whose it is.
    pub address: Option<ClientAddress>,
}

/// Something was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub kind: Kind,
    /// Whether it is among those that are written down.
    pub written: bool,
}

/// The memory of one worker.
#[derive(Debug)]
pub struct Watch {
    config: Watchfulness,
    key: Key,
    addresses: Vec<Row>,
    unknown_keys: Row,
    samplers: Vec<(Kind, Sampler)>,
}

impl Watch {
    /// A watch that has seen nothing. The key keeps strangers from choosing addresses that drive each other out.
    #[must_use]
    pub fn new(config: Watchfulness, key: Key) -> Self {
        let rows = (0..ROWS).map(|_| Row::default());
        let samplers = config.kinds.iter().map(|kind| (*kind, Sampler::default()));
        Self {
            addresses: rows.collect(),
            unknown_keys: Row::default(),
            samplers: samplers.collect(),
            config,
            key,
        }
    }

    /// Looks at a request, and says what is noticed.
    pub fn look(&mut self, look: Look<'_>, now: Timestamp) -> Vec<Notice> {
        let mut kinds = Vec::new();
        if look.forged.is_some() {
            kinds.push(Kind::ForgedHeader);
        }
        if let Some(reason) = look.refused {
            match reason {
                Reason::AlgorithmUnsupported | Reason::KeyUnsuitable => kinds.push(Kind::AlgorithmConfusion),
                Reason::SignatureInvalid => kinds.push(Kind::ForgedSignature),
                Reason::KeyUnknown if self.is_probing(now) => kinds.push(Kind::KeyProbing),
                _ => {}
            }
            if is_the_caller_s(reason) && self.is_bursting(look.address, now) {
                kinds.push(Kind::RefusalBurst);
            }
        }
        let lines = self.config.lines_per_minute;
        let notices = kinds.into_iter().filter_map(|kind| {
            let (_, sampler) = self.samplers.iter_mut().find(|(known, _)| *known == kind)?;
            let written = sampler.admits(lines, now);
            Some(Notice { kind, written })
        });
        notices.collect()
    }

    /// How much of what was left out is to be told now: once a minute for each kind.
    pub fn left_out(&mut self, now: Timestamp) -> Vec<(Kind, u64)> {
        let samplers = self.samplers.iter_mut();
        samplers
            .filter_map(|(kind, sampler)| Some((*kind, sampler.left_out(now)?)))
            .collect()
    }

    /// Whether a name that only the gate may set is no forgery here.
    #[must_use]
    pub fn ignores(&self, name: &str) -> bool {
        self.config
            .ignored_headers
            .iter()
            .any(|ignored| ignored.matches(name.as_bytes()))
    }

    fn is_probing(&mut self, now: Timestamp) -> bool {
        let verdict = self.unknown_keys.charge(0, self.config.unknown_keys, now);
        matches!(verdict, Verdict::Exceeded { .. })
    }

    fn is_bursting(&mut self, address: Option<ClientAddress>, now: Timestamp) -> bool {
        let hash = self.key.hash(&[&crate::limit::of_address(address, 64)]);
        let row = usize::try_from(hash % ROWS)
            .ok()
            .and_then(|row| self.addresses.get_mut(row));
        row.is_some_and(|row| matches!(row.charge(hash, self.config.refusals, now), Verdict::Exceeded { .. }))
    }
}

/// Whether a refusal is the caller's doing, and not the issuer's or ours.
const fn is_the_caller_s(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::KeysUnavailable | Reason::GateNotReady | Reason::RequirementUnknown
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::test;

    const START: u64 = 1_700_000_000_000;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(START + seconds * 1000)
    }

    fn watch(kinds: &[Kind]) -> Watch {
        Watch::new(Watchfulness::for_kinds(kinds.to_vec()).unwrap(), Key::default())
    }

    fn refused(reason: Reason, address: &str) -> Look<'static> {
        Look {
            forged: None,
            refused: Some(reason),
            address: ClientAddress::parse(address.as_bytes()),
        }
    }

    fn kinds(notices: &[Notice]) -> String {
        let names: Vec<_> = notices.iter().map(|notice| notice.kind.name()).collect();
        names.join(" ")
    }

    #[test]
    fn what_a_refusal_or_a_header_is_suspected_of() {
        let mut watch = watch(&Kind::ALL);
        for (forged, reason, expected) in [
            (Some("x-user-id"), None, "forged_header"),
            (None, Some(Reason::AlgorithmUnsupported), "algorithm_confusion"),
            (None, Some(Reason::KeyUnsuitable), "algorithm_confusion"),
            (None, Some(Reason::SignatureInvalid), "forged_signature"),
            (
                Some("x-user-id"),
                Some(Reason::SignatureInvalid),
                "forged_header forged_signature",
            ),
            (None, Some(Reason::Expired), ""),
            (None, Some(Reason::TokenMissing), ""),
            (None, Some(Reason::KeyUnknown), ""),
            (None, None, ""),
        ] {
            let look = Look {
                forged,
                refused: reason,
                address: None,
            };
            assert_eq!(kinds(&watch.look(look, at(0))), expected, "{look:?}");
        }
    }

    #[test]
    fn what_is_not_watched_for_is_not_noticed() {
        let mut watch = watch(&[Kind::ForgedHeader]);
        for _ in 0..100 {
            assert_eq!(watch.look(refused(Reason::SignatureInvalid, "192.0.2.1"), at(0)), []);
        }
    }

    #[test]
    fn a_burst_is_more_refusals_of_one_address_than_mistakes_make() {
        let mut watch = watch(&[Kind::RefusalBurst]);
        let mut noticed = |address: &str, reason, after| !watch.look(refused(reason, address), at(after)).is_empty();
        for _ in 0..60 {
            assert!(!noticed("192.0.2.1", Reason::Expired, 0));
        }
        assert!(noticed("192.0.2.1", Reason::TokenMissing, 0));
        assert!(!noticed("192.0.2.2", Reason::Expired, 0));
        // What is our fault is nobody's burst.
        assert!(!noticed("192.0.2.1", Reason::KeysUnavailable, 0));
        assert!(!noticed("192.0.2.1", Reason::Expired, 60));
    }

    #[test]
    fn unknown_keys_are_a_probe_when_there_are_more_than_a_rotation_makes() {
        let mut watch = watch(&[Kind::KeyProbing]);
        let mut noticed = |after: u64| {
            !watch
                .look(refused(Reason::KeyUnknown, "192.0.2.1"), at(after))
                .is_empty()
        };
        for _ in 0..20 {
            assert!(!noticed(0));
        }
        assert!(noticed(0));
        assert!(!noticed(60));
    }

    #[test]
    fn a_flood_is_counted_whole_and_written_in_part() {
        let mut watch = watch(&Kind::ALL);
        let look = Look {
            forged: Some("x-user-id"),
            refused: None,
            address: None,
        };
        let (mut noticed, mut written, mut left_out) = (0_u64, 0_u64, 0_u64);
        for round in 0..3000_u64 {
            for notice in watch.look(look, at(round / 10)) {
                noticed += 1;
                written += u64::from(notice.written);
            }
            left_out += watch
                .left_out(at(round / 10))
                .iter()
                .map(|(_, number)| number)
                .sum::<u64>();
        }
        left_out += watch.left_out(at(1000)).iter().map(|(_, number)| number).sum::<u64>();
        assert_eq!((noticed, written, left_out), (3000, 50, 2950));
    }

    #[test]
    fn its_memory_does_not_grow_with_the_number_of_addresses() {
        let mut watch = watch(&Kind::ALL);
        for number in 0..100_000_u32 {
            let address = std::net::Ipv4Addr::from_bits(number).to_string();
            watch.look(refused(Reason::Expired, &address), at(0));
        }
        let most = crate::limit::MAX_ROW_LEN;
        assert!(watch.addresses.iter().all(|row| row.encode().len() <= most));
        assert_eq!(watch.addresses.len(), 256);
    }
}
