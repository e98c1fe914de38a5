//! `limits` and `limit_table`, from the wire to the domain.

use std::time::Duration;

use super::error::Report;
use super::names::header_name;
use super::{requirement, sections, wire};
use crate::headers::{ClaimPath, Sanitiser};
use crate::limit::{Limit, Limits, Per, Rate, WAYS};

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
    pub(super) services: &'s [String],
    pub(super) providers: usize,
    pub(super) sanitiser: &'s Sanitiser,
    pub(super) report: &'s Report,
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
        for service in wire.services.iter().flatten() {
            if !self.services.contains(service) {
                self.report.add(
                    field("services"),
                    format!(
                        "names {service:?}, which is no service; there are: {}",
                        self.services.join(", ")
                    ),
                );
            }
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
        let per = self.per(wire.per, &field("per"));
        Some(Limit {
            name,
            per: per?,
            rate: rate?,
            services: wire.services.unwrap_or_default(),
            matches,
        })
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
                let claim_path = Some(claim_path).filter(|names| !names.is_empty());
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::testing::{jwks, test};

    fn config(limits: &Value) -> Value {
        json!({
            "providers": {"issuer": {"local_jwks": {"inline_string": jwks(&[("one", 1)])},
                "claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}]}},
            "services": {"bank": {"prefix": "/bank/", "cluster": "bank"}},
            "limits": limits,
        })
    }

    fn read(limits: &Value) -> Limits {
        match Config::parse(config(limits).to_string().as_bytes()) {
            Ok(config) => config.limits,
            Err(errors) => panic!("{errors}"),
        }
    }

    #[test]
    fn a_limit_is_one_line_and_its_burst_is_all_of_it() {
        let limits = read(&json!({"callers": {"per": "subject", "requests": 100, "every": "60s"}}));
        let expected = Limit {
            name: "callers".to_owned(),
            per: Per::Subject,
            rate: Rate::new(100, Duration::from_mins(1), 100).unwrap(),
            services: Vec::new(),
            matches: None,
        };
        assert_eq!((limits.list, limits.rows), (vec![expected], 16_384));
    }

    #[test]
    fn whom_a_limit_counts_is_said_in_one_way() {
        let per = |per: Value| {
            let limits = read(&json!({"one": {"per": per, "requests": "5", "every": "1s", "burst": 2}}));
            limits.list.into_iter().next().unwrap().per
        };
        let address = |bits| Per::ClientAddress { ipv6_bits: bits };
        for (written, expected) in [
            (json!("client_address"), address(64)),
            (json!({"client_address": {}}), address(64)),
            (json!({"client_address": {"ipv6_bits": 56}}), address(56)),
            (json!({"clientAddress": {"ipv6Bits": 128}}), address(128)),
            (json!("everyone"), Per::Everyone),
            (json!({"header": "X-Api-Key"}), Per::Header("x-api-key".to_owned())),
            (json!({"claim": "org.id"}), Per::Claim(ClaimPath::dotted("org.id"))),
            (
                json!({"claim_path": [{"key": "https://org.example/id"}]}),
                Per::Claim(ClaimPath::new(vec!["https://org.example/id".to_owned()])),
            ),
        ] {
            assert_eq!(per(written.clone()), expected, "{written}");
        }
    }

    #[test]
    fn without_limits_there_is_no_table() {
        let mut config = config(&Value::Null);
        assert_eq!(
            Config::parse(config.to_string().as_bytes()).unwrap().limits,
            Limits::default()
        );
        config["limit_table"] = json!({"max_entries": 100});
        assert_eq!(
            Config::parse(config.to_string().as_bytes()).unwrap().limits,
            Limits::default()
        );
        config["limits"] = json!({"one": {"per": "everyone", "requests": 1, "every": "1s"}});
        assert_eq!(Config::parse(config.to_string().as_bytes()).unwrap().limits.rows, 13);
    }

    #[test]
    fn the_guide_s_example_is_right() {
        let page = include_str!("../../../docs/rate-limit.md");
        let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
        let config = Config::parse(example.unwrap().as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(config.limits.list.len(), 4);
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_path() {
        let good = json!({"per": "subject", "requests": 1, "every": "1s"});
        let with = |name: &str, value: Value| {
            let mut limit = good.clone();
            limit[name] = value;
            json!({"one": limit})
        };
        for (limits, path, problem) in [
            (json!({}), "limits", "is empty"),
            (json!({"a b": good}), "limits[\"a b\"]", "letters, digits"),
            (json!({"one": {}}), "limits.one.per", "is missing"),
            (json!({"one": {}}), "limits.one.requests", "is missing"),
            (json!({"one": {}}), "limits.one.every", "is missing"),
            (with("per", json!("user")), "limits.one.per", "one way"),
            (with("per", json!({})), "limits.one.per", "one way"),
            (
                with("per", json!({"claim": "a", "header": "b"})),
                "limits.one.per",
                "one way",
            ),
            (with("per", json!(5)), "limits.one.per", "a string or an object"),
            (
                with("per", json!({"header": "a b"})),
                "limits.one.per.header",
                "no header name",
            ),
            (
                with("per", json!({"header": "X_User_Id"})),
                "limits.one.per.header",
                "only the gate sets",
            ),
            (
                with("per", json!({"client_address": {"ipv6_bits": 0}})),
                "limits.one.per.client_address.ipv6_bits",
                "1 to 128",
            ),
            (with("requests", json!(0)), "limits.one.requests", "nothing through"),
            (with("requests", json!(-1)), "limits.one.requests", "not negative"),
            (with("burst", json!(0)), "limits.one.burst", "nothing through"),
            (with("every", json!("0s")), "limits.one.every", "too short"),
            (with("every", json!(60)), "limits.one.every", "a duration"),
            (with("every", json!("86400000s")), "limits.one", "31 days"),
            (with("services", json!([])), "limits.one.services", "is empty"),
            (
                with("services", json!(["bnak"])),
                "limits.one.services",
                "there are: bank",
            ),
            (with("match", json!({})), "limits.one.match", "one way"),
            (with("rate", json!(1)), "limits.one.rate", "no field"),
        ] {
            let errors = Config::parse(config(&limits).to_string().as_bytes()).unwrap_err();
            assert!(
                errors
                    .iter()
                    .any(|error| error.path == path && error.problem.contains(problem)),
                "{limits}: {errors}"
            );
        }
        let callers = json!({"limits": {"one": good}});
        let errors = Config::parse(callers.to_string().as_bytes()).unwrap_err();
        assert!(
            errors.to_string().contains("limits.one.per: counts callers"),
            "{errors}"
        );
    }
}
