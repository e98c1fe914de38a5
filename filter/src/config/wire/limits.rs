//! `limits` and `limit_table` as they are written.

use std::time::Duration;

use super::Match;
use crate::config::reader::Fields;

/// One entry of `limits`.
#[derive(Debug)]
pub(in crate::config) struct Limit {
    pub(in crate::config) path: String,
    pub(in crate::config) per: Option<Per>,
    pub(in crate::config) requests: Option<u64>,
    pub(in crate::config) every: Option<Duration>,
    pub(in crate::config) burst: Option<u64>,
    pub(in crate::config) services: Option<Vec<String>>,
    pub(in crate::config) r#match: Option<Match>,
}

/// `per`: a word, or an object that says which.
#[derive(Debug)]
pub(in crate::config) enum Per {
    Word(String),
    Of {
        client_address: Option<Network>,
        header: Option<String>,
        claim: Option<String>,
        claim_path: Vec<String>,
    },
}

/// `per.client_address`
#[derive(Debug)]
pub(in crate::config) struct Network {
    pub(in crate::config) path: String,
    pub(in crate::config) ipv6_bits: Option<u64>,
}

impl Network {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            ipv6_bits: fields.integer("ipv6_bits"),
        }
    }
}

impl Per {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self::Of {
            client_address: fields.object("client_address", Network::read),
            header: fields.string("header"),
            claim: fields.string("claim"),
            claim_path: fields.list("claim_path", |fields| fields.string("key").unwrap_or_default()),
        }
    }
}

impl Limit {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            per: fields.word_or_object("per", |word| Per::Word(word.to_owned()), Per::read),
            requests: fields.integer("requests"),
            every: fields.duration("every"),
            burst: fields.integer("burst"),
            services: fields.has("services").then(|| fields.strings("services")),
            r#match: fields.object("match", Match::read),
        }
    }
}

/// `limit_table`
#[derive(Debug)]
pub(in crate::config) struct LimitTable {
    pub(in crate::config) path: String,
    pub(in crate::config) max_entries: Option<u64>,
}

impl LimitTable {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            max_entries: fields.integer("max_entries"),
        }
    }
}
