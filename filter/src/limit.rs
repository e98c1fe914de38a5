//! Rate limits: how much of what a caller may do, counted so that all workers of a proxy count together.
//!
//! A limit is a token bucket, kept as the one number that the generic cell rate algorithm needs: the time at which the
//! bucket is full again. One number fits into a compare-and-swap, and a bucket that is full again says the same as one
//! that nobody ever took from, so it may be forgotten. Buckets stand in a table of fixed size ([`Row`] is a line of it), found
//! by a keyed hash ([`Key`]) of the limit and of whom it counts.
//!
//! Pure: which buckets a request is charged to is the gate's to say, and where the table lies is the host's.

mod bucket;
mod hash;
mod row;
mod standing;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

pub use bucket::{Rate, Verdict};
pub use hash::Key;
pub use row::{MAX_ROW_LEN, Row, WAYS};
pub use standing::{Standing, fields};

use crate::address::ClientAddress;
use crate::headers::ClaimPath;
use crate::requirement::Rule;

/// The limits of a configuration, and the size of the table that their buckets stand in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The limits, as they were written.
    pub list: Vec<Limit>,
    /// How many rows the table has.
    pub rows: u32,
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Its name in the configuration.
    pub name: String,
    /// Who has a bucket of their own.
    pub per: Per,
    /// What a bucket holds, and how fast it fills.
    pub rate: Rate,
    /// The services that it is about; all where there are none.
    pub services: Vec<String>,
    /// What a request must look like to be counted; `None` counts all. What such a rule requires is nothing.
    pub matches: Option<Rule>,
}

/// Who has a bucket of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Per {
    /// All callers share one.
    Everyone,
    /// Each client address, as the proxy determined it; an IPv6 network of this many bits counts as one.
    ClientAddress {
        /// From 1 to 128.
        ipv6_bits: u8,
    },
    /// Each value of a header.
    Header(String),
    /// Each subject of each issuer.
    Subject,
    /// Each value of a claim, of each issuer.
    Claim(ClaimPath),
}

impl Per {
    /// Whether it can be told only after a token was verified.
    #[must_use]
    pub const fn needs_caller(&self) -> bool {
        matches!(self, Self::Subject | Self::Claim(_))
    }
}

impl Limit {
    /// A number that is this limit's alone: plugins that share a table share the buckets of limits that are the same in
    /// everything, and of no others.
    #[must_use]
    pub fn identity(&self) -> u64 {
        // Not secret, and only compared within one process, so the standard library's hash is as good as any.
        let mut hasher = DefaultHasher::new();
        format!("{self:?}").hash(&mut hasher);
        hasher.finish()
    }
}

/// A request has to be taken out of a bucket before it may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The place of the limit in the configuration.
    pub limit: usize,
    /// Whose bucket of that limit.
    pub whose: Vec<u8>,
}

impl Limits {
    /// Whether some limit counts by client address.
    #[must_use]
    pub fn ask_for_address(&self) -> bool {
        self.list
            .iter()
            .any(|limit| matches!(limit.per, Per::ClientAddress { .. }))
    }
}

/// What stands for callers who can't be told apart: they share one bucket, so that nobody gets out of a limit by hiding.
const UNKNOWN: &[u8] = b"";

/// Puts a mark before what is known, lest it be taken for what is not.
fn known(value: &[u8]) -> Vec<u8> {
    [&b"="[..], value].concat()
}

/// Whose bucket a client address is charged to.
#[must_use]
pub fn of_address(address: Option<ClientAddress>, ipv6_bits: u8) -> Vec<u8> {
    address.map_or(UNKNOWN.to_vec(), |address| known(&address.network(ipv6_bits)))
}

/// Whose bucket the values of a header are charged to. Each counts with its length: `a, b` is not `a` and `b`.
#[must_use]
pub fn of_header<'v>(values: impl Iterator<Item = &'v [u8]>) -> Vec<u8> {
    let mut whose = UNKNOWN.to_vec();
    for value in values {
        whose.extend_from_slice(&(value.len() as u64).to_le_bytes());
        whose.extend_from_slice(value);
    }
    whose
}

/// Whose bucket a claim of an issuer's is charged to. What two issuers say is never the same, whatever it is.
#[must_use]
pub fn of_claim(issuer: Option<&str>, value: Option<&jose::json::Value>) -> Vec<u8> {
    let json = |part| serde_json::to_vec(part).unwrap_or_default();
    let value = value.filter(|value| **value != jose::json::Value::Null);
    [
        json(&issuer.map(str::to_owned)),
        value.map_or(UNKNOWN.to_vec(), |value| {
            known(&serde_json::to_vec(value).unwrap_or_default())
        }),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use jose::json::Value;

    use super::*;
    use crate::testing::test;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn different_callers_are_never_charged_to_one_bucket() {
        let issuer = Some("https://issuer.test");
        let address = |text: &[u8]| ClientAddress::parse(text);
        let everyone = [
            of_claim(issuer, Some(&text("a"))),
            of_claim(issuer, Some(&text("b"))),
            of_claim(issuer, Some(&text(""))),
            of_claim(Some("https://other.test"), Some(&text("a"))),
            of_claim(None, Some(&text("a"))),
            of_claim(Some(""), Some(&text("a"))),
            of_claim(issuer, Some(&text("1"))),
            of_claim(issuer, Some(&Value::Number(jose::json::Number::Unsigned(1)))),
            of_claim(issuer, Some(&Value::Bool(true))),
            of_claim(issuer, Some(&Value::Array(vec![text("a"), text("b")]))),
            of_claim(issuer, None),
            of_address(address(b"192.0.2.1:1"), 64),
            of_address(address(b"192.0.2.2:1"), 64),
            of_address(address(b"[2001:db8::1]:1"), 64),
            of_address(address(b"[2001:db8:0:1::1]:1"), 64),
            of_address(None, 64),
            of_header([&b"a"[..], b"b"].into_iter()),
            of_header([&b"ab"[..]].into_iter()),
            of_header([&b"a, b"[..]].into_iter()),
            of_header([&b""[..]].into_iter()),
        ];
        for (place, one) in everyone.iter().enumerate() {
            assert!(!everyone.iter().skip(place + 1).any(|other| one == other), "{place}");
        }
    }

    #[test]
    fn what_can_not_be_told_apart_shares_a_bucket() {
        assert_eq!(of_claim(None, None), of_claim(None, Some(&Value::Null)));
        assert_eq!(of_header(std::iter::empty()), UNKNOWN);
        let address = |text: &[u8]| of_address(ClientAddress::parse(text), 64);
        assert_eq!(address(b"192.0.2.1:1"), address(b"192.0.2.1:65535"));
        assert_eq!(address(b"192.0.2.1:1"), address(b"[::ffff:192.0.2.1]:1"));
        assert_eq!(address(b"[2001:db8::1]:1"), address(b"[2001:db8::ffff:1]:2"));
    }

    #[test]
    fn limits_that_differ_in_anything_have_no_bucket_in_common() {
        let limit = |name: &str, per: Per, requests: u64, services: &[&str]| Limit {
            name: name.to_owned(),
            per,
            rate: Rate::new(requests, Duration::from_mins(1), 10).unwrap(),
            services: services.iter().map(|name| (*name).to_owned()).collect(),
            matches: None,
        };
        let one = limit("one", Per::Subject, 10, &[]);
        assert_eq!(one.identity(), one.clone().identity());
        for other in [
            limit("two", Per::Subject, 10, &[]),
            limit("one", Per::Everyone, 10, &[]),
            limit("one", Per::Subject, 11, &[]),
            limit("one", Per::Subject, 10, &["bank"]),
        ] {
            assert_ne!(one.identity(), other.identity(), "{other:?}");
        }
    }
}
