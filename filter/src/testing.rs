//! What the tests of several rooms share. The same tests run natively and in wasm32, so `test` here is whichever of the
//! two harnesses is at work.
#![allow(clippy::unwrap_used, clippy::panic)]

mod tokens;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use core::prelude::v1::test;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;

pub(crate) use tokens::{ISSUER, NOW, claims, jwks, segments, sign, sign_with_header, token};

use std::cell::RefCell;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::gate::{Decision, Forward, Patience, decide};
use crate::headers::Edit;
use crate::keys::{KeyStore, ProviderId};
use crate::request::HeaderList;
use crate::token::TokenCache;

/// A request with these headers and no others.
pub(crate) fn request(headers: &[(&str, &str)]) -> HeaderList {
    HeaderList::new(
        headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
    )
}

/// A gate with its keys and what it remembers, at a time.
pub(crate) struct Gate {
    pub(crate) config: Config,
    pub(crate) keys: KeyStore,
    pub(crate) tokens: RefCell<TokenCache>,
    pub(crate) now: Timestamp,
}

impl Gate {
    pub(crate) fn new(config: &str) -> Self {
        let config = Config::parse(config.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"));
        let keys = config.key_store();
        let tokens = RefCell::new(config.token_cache());
        Self {
            config,
            keys,
            tokens,
            now: Timestamp::from_secs(NOW),
        }
    }

    pub(crate) fn decide(&self, headers: &[(&str, &str)]) -> Decision {
        self.decide_about(&request(headers))
    }

    pub(crate) fn decide_about(&self, request: &HeaderList) -> Decision {
        self.decide_patiently(request, Patience::Left)
    }

    pub(crate) fn decide_patiently(&self, request: &HeaderList, patience: Patience) -> Decision {
        let tokens = &mut self.tokens.borrow_mut();
        decide(request, &self.config, &self.keys, tokens, self.now, patience)
    }

    /// A GET of a path with a bearer token, in one word.
    pub(crate) fn get(&self, path: &str, token: &str) -> &'static str {
        word(&self.decide(&[
            (":method", "GET"),
            (":path", path),
            ("authorization", &format!("Bearer {token}")),
        ]))
    }

    pub(crate) fn forward(&self, headers: &[(&str, &str)]) -> Forward {
        match self.decide(headers) {
            Decision::Forward(forward) => forward,
            other => panic!("{headers:?} came to {other:?}"),
        }
    }

    /// The headers as the upstream gets them.
    pub(crate) fn upstream(&self, headers: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut upstream: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        for edit in self.forward(headers).edits {
            let (Edit::Remove(name) | Edit::Set(name, _)) = &edit;
            upstream.retain(|(known, _)| known != name);
            if let Edit::Set(name, value) = edit {
                upstream.push((name, String::from_utf8(value).unwrap()));
            }
        }
        upstream.sort();
        upstream
    }

    pub(crate) fn install(&mut self, document: &str) {
        let keys = jose::JwkSet::parse(document.as_bytes(), jose::KeySource::Remote).unwrap();
        let now = self.now;
        self.keys.remote_mut(ProviderId::new(0)).unwrap().install(keys, now);
    }
}

/// A decision in one word: `forward`, `answer`, `status`, `wait`, or the refusal's code.
pub(crate) fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Forward(_) => "forward",
        Decision::Answer(_) => "answer",
        Decision::Status(_) => "status",
        Decision::Wait(_) => "wait",
        Decision::Refuse(refusal) => refusal.reason.code(),
    }
}
