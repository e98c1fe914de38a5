//! What a request owes to limits, and when.

use serde_json::{Value, json};

use super::provider;
use crate::address::ClientAddress;
use crate::gate::on_arrival;
use crate::limit::Charge;
use crate::testing::{Gate, claims, jwks, request, sign, test};

/// A gate with a protected service `bank` and a public one `open`, and one limit of each kind.
fn gate(changes: &Value) -> Gate {
    let mut config = json!({
        "providers": {"issuer": provider(json!({"local_jwks": {"inline_string": jwks(&[("one", 1)])}}))},
        "services": {
            "bank": {"prefix": "/bank/", "cluster": "bank"},
            "open": {"prefix": "/open/", "cluster": "open", "public": true},
        },
        "limits": {
            "address": {"per": "client_address", "requests": 1, "every": "1s"},
            "everyone": {"per": "everyone", "requests": 1, "every": "1s"},
            "header": {"per": {"header": "x-api-key"}, "requests": 1, "every": "1s"},
            "subject": {"per": "subject", "requests": 1, "every": "1s"},
            "tenant": {"per": {"claim": "tenant"}, "requests": 1, "every": "1s"},
        },
    });
    super::merge(&mut config, changes.clone());
    Gate::new(&config.to_string())
}

fn names(gate: &Gate, charges: &[Charge]) -> String {
    let names = charges
        .iter()
        .map(|charge| gate.config.limits.list[charge.limit].name.as_str());
    names.collect::<Vec<_>>().join(" ")
}

fn arriving(gate: &Gate, headers: &[(&str, &str)], address: &str) -> Vec<Charge> {
    on_arrival(
        &request(headers),
        &gate.config,
        ClientAddress::parse(address.as_bytes()),
    )
}

fn bearer(changes: Value) -> String {
    format!("Bearer {}", sign(&claims(changes)))
}

fn forwarded(gate: &Gate, path: &str, changes: Value) -> Vec<Charge> {
    let bearer = bearer(changes);
    gate.forward(&[(":method", "GET"), (":path", path), ("authorization", &bearer)])
        .charges
}

#[test]
fn what_needs_no_token_is_owed_on_arrival_and_the_rest_when_the_caller_is_known() {
    let gate = gate(&json!({}));
    for (path, on_arrival) in [
        ("/bank/", "address everyone header"),
        ("/open/x", "address everyone header"),
        ("/nowhere/", "address everyone header"),
        ("/bank/../x", "address everyone header"),
        ("/health/", ""),
        ("/health", ""),
    ] {
        let headers = [(":method", "GET"), (":path", path)];
        assert_eq!(
            names(&gate, &arriving(&gate, &headers, "192.0.2.1:1")),
            on_arrival,
            "{path}"
        );
    }
    let post = [(":method", "POST"), (":path", "/health/")];
    assert_eq!(
        names(&gate, &arriving(&gate, &post, "192.0.2.1:1")),
        "address everyone header"
    );
    assert_eq!(names(&gate, &forwarded(&gate, "/bank/", json!({}))), "subject tenant");
    assert_eq!(names(&gate, &forwarded(&gate, "/open/", json!({}))), "");
}

#[test]
fn a_limit_counts_what_it_is_about() {
    let limit = |changes: Value| {
        let mut limits = json!({"address": changes, "everyone": null, "header": null, "tenant": null});
        limits["subject"] = limits["address"].clone();
        for name in ["everyone", "header", "tenant"] {
            limits[name] = json!({"per": "everyone", "requests": 1, "every": "1s", "match": {"path": "/never"}});
        }
        limits["address"]["per"] = json!("client_address");
        limits["subject"]["per"] = json!("subject");
        if let Some(services) = limits["subject"]["services"].as_array_mut() {
            services.retain(|service| service != "open");
        }
        gate(&json!({"limits": limits}))
    };
    let rate = |name: &str, value: Value| limit(json!({"requests": 1, "every": "1s", name: value}));
    let post = json!({"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]});
    for (gate, path, counted) in [
        (rate("services", json!(["bank"])), "/bank/", true),
        (rate("services", json!(["bank"])), "/open/", false),
        (rate("services", json!(["bank"])), "/nowhere", false),
        (rate("services", json!(["open", "bank"])), "/open/", true),
        (rate("match", json!({"prefix": "/bank/a"})), "/bank/ab?x=1", true),
        (rate("match", json!({"prefix": "/bank/a"})), "/bank/%61b", true),
        (rate("match", json!({"prefix": "/bank/a"})), "/bank/b?/bank/a", false),
        (rate("match", post), "/bank/", false),
    ] {
        let headers = [(":method", "GET"), (":path", path)];
        let on_arrival = names(&gate, &arriving(&gate, &headers, "192.0.2.1:1"));
        assert_eq!(on_arrival, if counted { "address" } else { "" }, "{path}");
        if path.starts_with("/bank") {
            let later = names(&gate, &forwarded(&gate, path, json!({})));
            assert_eq!(later, if counted { "subject" } else { "" }, "{path}");
        }
    }
}

#[test]
fn whose_bucket_it_is_depends_on_what_is_counted_and_on_nothing_else() {
    let gate = gate(&json!({}));
    let whose = |charges: &[Charge], name: &str| {
        let place = gate.config.limits.list.iter().position(|limit| limit.name == name);
        let charge = charges.iter().find(|charge| Some(charge.limit) == place);
        charge.map(|charge| charge.whose.clone())
    };
    let arrive = |key: &str, address: &str| arriving(&gate, &[(":path", "/bank/"), ("x-api-key", key)], address);
    let one = arrive("a", "192.0.2.1:1");
    for (name, key, address, same) in [
        ("address", "b", "192.0.2.1:2", true),
        ("address", "a", "192.0.2.2:1", false),
        ("header", "a", "192.0.2.2:1", true),
        ("header", "b", "192.0.2.1:1", false),
        ("everyone", "b", "192.0.2.2:1", true),
    ] {
        let other = arrive(key, address);
        assert_eq!(whose(&one, name) == whose(&other, name), same, "{name} {key} {address}");
    }
    let caller = |changes: Value| forwarded(&gate, "/bank/", changes);
    let one = caller(json!({"sub": "alice", "tenant": "a", "jti": "1"}));
    for (name, changes, same) in [
        ("subject", json!({"sub": "alice", "tenant": "b", "jti": "2"}), true),
        ("subject", json!({"sub": "bob", "tenant": "a"}), false),
        ("subject", json!({"sub": null, "tenant": "a"}), false),
        ("tenant", json!({"sub": "bob", "tenant": "a"}), true),
        ("tenant", json!({"sub": "alice", "tenant": ["a"]}), false),
        ("tenant", json!({"sub": "alice"}), false),
    ] {
        let other = caller(changes.clone());
        assert_eq!(whose(&one, name) == whose(&other, name), same, "{name} {changes}");
    }
}
