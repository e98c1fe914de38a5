//! `limits` and `limit_table`, from the wire to the domain.

use std::time::Duration;

use super::error::Report;
use super::names::header_name;
use super::{requirement, sections, wire};
use crate::headers::{ClaimPath, Sanitiser};
use crate::limit::{Limit, Limits, Per, Rate, WAYS};
use crate::service::Access;

/// About four megabytes when all of it is in use.
const DEFAULT_ENTRIES: u64 = 1 << 17;
/// About a quarter of a gigabyte.
const MAX_ENTRIES: u64 = 1 << 23;
/// Each that applies to a request costs it two calls to the host, and a line in the answer.
const MAX_LIMITS: usize = 32;
/// A household's network, or a machine's (RFC 6177).
const DEFAULT_IPV6_BITS: u8 = 64;
const WAYS_TO_COUNT: &str = "\"subject\", \"client_address\", \"everyone\", {\"claim\": …} or {\"header\": …}";

/// What a limit may refer to.
pub(super) struct Scope<'s> {
    pub(super) services: Vec<Named>,
    pub(super) providers: usize,
    pub(super) sanitiser: &'s Sanitiser,
    pub(super) report: &'s Report,
}

/// A service that a limit may be about.
pub(super) struct Named {
    name: String,
    access: Access,
}

impl Named {
    pub(super) fn new(name: &str, service: &wire::Service) -> Self {
        Self {
            name: name.to_owned(),
            access: if service.public {
                Access::Public
            } else {
                Access::Protected
            },
        }
    }
}

impl Scope<'_> {
    /// The limits, and the table of their buckets.
    pub(super) fn limits(&self, wire: Option<Vec<(String, wire::Limit)>>, table: Option<wire::LimitTable>) -> Limits {
        let entries = table.map_or(DEFAULT_ENTRIES, |table| {
            let path = format!("{}.max_entries", table.path);
            sections::within(table.max_entries, DEFAULT_ENTRIES, MAX_ENTRIES, &path, self.report)
        });
        let Some(wire) = wire else { return Limits::default() };
        if wire.is_empty() {
            self.report
                .add("limits", "is empty; describe a limit, or leave the section out");
        }
        if wire.len() > MAX_LIMITS {
            self.report
                .add("limits", format!("has more than {MAX_LIMITS} entries; merge some"));
        }
        Limits {
            list: wire
                .into_iter()
                .filter_map(|(name, limit)| self.limit(name, limit))
                .collect(),
            rows: u32::try_from(entries.div_ceil(WAYS as u64)).unwrap_or(u32::MAX),
        }
    }

    fn limit(&self, name: String, wire: wire::Limit) -> Option<Limit> {
        let path = wire.path.clone();
        let field = |name: &str| format!("{path}.{name}");
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        {
            self.report.add(
                &path,
                "may only have letters, digits, dashes and underscores in its name, which answers and counters carry",
            );
        }
        if wire.services.as_ref().is_some_and(Vec::is_empty) {
            self.report
                .add(field("services"), "is empty; name services, or leave it out for all");
        }
        let rate = self.rate(&wire);
        let matches = match wire.r#match {
            Some(matcher) => Some(requirement::match_alone(matcher, self.report)?),
            None => None,
        };
        if let Some(rule) = &matches {
            requirement::check_headers(rule, &path, self.sanitiser, self.report);
        }
        let per = self.per(wire.per, &field("per"));
        for service in wire.services.iter().flatten() {
            self.service(service, per.as_ref(), &field("services"));
        }
        Some(Limit {
            name,
            per: per?,
            rate: rate?,
            services: wire.services.unwrap_or_default(),
            matches,
        })
    }

    /// A service by its name. One that asks nobody who they are has nobody to count.
    fn service(&self, name: &str, per: Option<&Per>, path: &str) {
        let Some(service) = self.services.iter().find(|service| service.name == name) else {
            let known: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
            let known = known.join(", ");
            self.report
                .add(path, format!("names {name:?}, which is no service; there are: {known}"));
            return;
        };
        if service.access == Access::Public && per.is_some_and(Per::needs_caller) {
            let problem = format!(
                "names {name}, which is public and asks nobody who they are, so the limit would count nobody there; count by \
                 \"client_address\", or take it out"
            );
            self.report.add(path, problem);
        }
    }

    fn rate(&self, wire: &wire::Limit) -> Option<Rate> {
        let field = |name: &str| format!("{}.{name}", wire.path);
        if wire.requests.is_none() {
            self.report
                .add(field("requests"), "is missing; say how many requests there may be");
        }
        if wire.every.is_none() {
            self.report
                .add(field("every"), "is missing; say in which time, such as \"60s\"");
        }
        let (requests, every) = (wire.requests?, wire.every?);
        let burst = wire.burst.unwrap_or(requests);
        for (name, number) in [("requests", requests), ("burst", burst)] {
            if number == 0 {
                self.report.add(
                    field(name),
                    "lets nothing through; write at least 1, or forbid it by a rule",
                );
            }
        }
        if every < Duration::from_millis(1) {
            self.report
                .add(field("every"), "is too short; write at least \"0.001s\"");
        }
        let rate = Rate::new(requests, every, burst);
        if rate.is_none() && requests > 0 && burst > 0 && !every.is_zero() {
            self.report.add(
                &wire.path,
                "is out of range: at most one request a nanosecond, and an empty bucket (burst × every ÷ requests) must \
                 fill within 31 days",
            );
        }
        rate
    }

    fn per(&self, wire: Option<wire::Per>, path: &str) -> Option<Per> {
        let address = |bits: u8| Per::ClientAddress { ipv6_bits: bits };
        let per = match wire {
            None => {
                self.report.add(path, format!("is missing; write {WAYS_TO_COUNT}"));
                return None;
            }
            Some(wire::Per::Word(word)) => match word.as_str() {
                "subject" => Some(Per::Subject),
                "client_address" => Some(address(DEFAULT_IPV6_BITS)),
                "everyone" => Some(Per::Everyone),
                _ => None,
            },
            Some(wire::Per::Of {
                client_address,
                header,
                claim,
                claim_path,
            }) => {
                let claim = claim.filter(|name| !name.is_empty());
                let claim_path =
                    Some(claim_path).filter(|names| !names.is_empty() && !names.iter().any(String::is_empty));
                let claims = [
                    claim.map(|name| ClaimPath::dotted(&name)),
                    claim_path.map(ClaimPath::new),
                ];
                let mut ways: Vec<Option<Per>> = claims.into_iter().flatten().map(Per::Claim).map(Some).collect();
                ways.extend(client_address.map(|network| self.bits(&network).map(address)));
                ways.extend(header.map(|name| self.header(&name, path)));
                let one = ways.pop();
                if one.is_some() && ways.is_empty() {
                    one.flatten().map(Some)?
                } else {
                    None
                }
            }
        };
        if per.is_none() {
            self.report.add(
                path,
                format!("must say whom to count in one way; write {WAYS_TO_COUNT}"),
            );
        }
        if per.as_ref().is_some_and(Per::needs_caller) && self.providers == 0 {
            self.report.add(
                path,
                "counts callers, but there is no provider to tell them by; count by \"client_address\"",
            );
        }
        per
    }

    fn bits(&self, network: &wire::Network) -> Option<u8> {
        let bits = network.ipv6_bits.unwrap_or(DEFAULT_IPV6_BITS.into());
        let found = u8::try_from(bits).ok().filter(|bits| (1..=128).contains(bits));
        if found.is_none() {
            let path = format!("{}.ipv6_bits", network.path);
            self.report.add(path, "is out of range; write a number from 1 to 128");
        }
        found
    }

    fn header(&self, name: &str, path: &str) -> Option<Per> {
        let path = format!("{path}.header");
        let name = header_name(name, &path, self.report)?;
        if self.sanitiser.trusts(name.as_bytes()) {
            self.report.add(
                path,
                format!("is {name}, which only the gate sets; count by the claim that it carries"),
            );
            return None;
        }
        Some(Per::Header(name))
    }
}
