//! Whole decisions. What a single room decides is tested there; here stand the order of the steps, and that the reasons
//! of the rooms below become the right refusals.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)]

mod admission;
mod cache;
mod claims;
mod contested;
mod cors;
mod endpoints;
mod extraction;
mod header_rules;
mod headers;
mod keys;
mod limits;
mod order;
mod requirements;
mod routing;
mod selection;
mod structure;
mod transport;
mod upstream;
mod witness;

use serde_json::{Value, json};

use crate::testing::{Gate, ISSUER, jwks};

/// A provider with the key `one`, and changes to it.
fn provider(changes: Value) -> Value {
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": ["gatehouse"],
        "local_jwks": {"inline_string": jwks(&[("one", 1)])},
    });
    merge(&mut provider, changes);
    provider
}

/// A gate with that provider, which everything requires.
fn gate(changes: Value) -> Gate {
    gate_with(changes, json!({}))
}

/// The same, with further sections.
fn gate_with(provider_changes: Value, sections: Value) -> Gate {
    let mut config = json!({
        "providers": {"main": provider(provider_changes)},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "main"}}],
    });
    merge(&mut config, sections);
    Gate::new(&config.to_string())
}

fn merge(target: &mut Value, changes: Value) {
    let (Value::Object(target), Value::Object(changes)) = (target, changes) else {
        return;
    };
    for (name, value) in changes {
        if value.is_null() {
            target.remove(&name);
        } else {
            target.insert(name, value);
        }
    }
}
