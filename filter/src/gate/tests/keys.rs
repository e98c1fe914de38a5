//! Keys that have to be fetched first, and keys that have changed.

use std::time::Duration;

use serde_json::{Value, json};

use super::merge;
use crate::clock::Timestamp;
use crate::gate::{Decision, Patience};
use crate::keys::{Fetch, ProviderId, Why, Worker};
use crate::testing::{Gate, ISSUER, NOW, claims, jwks, request, sign_with_header, test, token, word};

const ME: Worker = Worker::new(1);
const MAIN: ProviderId = ProviderId::new(0);

fn gate(sections: Value) -> Gate {
    let mut config = json!({
        "providers": {"main": {
            "issuer": ISSUER,
            "remote_jwks": {
                "http_uri": {"uri": "http://issuer:8001/jwks.json", "cluster": "issuer", "timeout": "2s"},
                "cache_duration": "300s",
            },
        }},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "main"}}],
    });
    merge(&mut config, sections);
    Gate::new(&config.to_string())
}

fn with_key(key_id: &str, seed: u8) -> String {
    sign_with_header(
        &json!({"alg": "ES256", "kid": key_id}),
        &claims(json!({"exp": NOW + 1_000_000})),
        seed,
    )
}

fn impatient(gate: &Gate, token: &str) -> Decision {
    let request = request(&[(":path", "/"), ("authorization", &format!("Bearer {token}"))]);
    gate.decide_patiently(&request, Patience::Exhausted)
}

/// A fetch begins and ends so.
fn fetch(gate: &mut Gate, why: Why, document: Option<&str>) {
    let now = gate.now;
    let remote = gate.keys.remote_mut(MAIN).unwrap();
    let leased = remote.ledger().claim(ME, why, remote.policy(), now).unwrap();
    let ended = if document.is_some() {
        leased.succeeded(ME)
    } else {
        leased.failed(ME, crate::keys::Failure::Transient, remote.policy(), now)
    };
    remote.note(ended.unwrap());
    if let Some(document) = document {
        gate.install(document);
    }
}

fn later(gate: &mut Gate, seconds: u64) {
    gate.now = gate.now.plus(Duration::from_secs(seconds));
}

#[test]
fn without_keys_a_request_waits_and_is_then_told_to_come_again() {
    let mut gate = gate(json!({}));
    let token = token();
    let headers = [(":path", "/"), ("authorization", &format!("Bearer {token}"))];
    assert_eq!(
        gate.decide(&headers),
        Decision::Wait(Fetch {
            provider: MAIN,
            why: Why::Cold
        })
    );
    let Decision::Refuse(refusal) = impatient(&gate, &token) else {
        panic!("not refused")
    };
    assert_eq!(refusal.reason.entry().status, 503);
    assert!(refusal.retry_after.is_some());
    assert_eq!(
        gate.get("/", "rubbish"),
        "token_malformed",
        "what needs no keys is judged without"
    );

    gate.install(&jwks(&[("one", 1)]));
    assert_eq!(gate.get("/", &token), "forward");
}

#[test]
fn while_fetches_fail_nobody_waits_in_vain() {
    let mut gate = gate(json!({}));
    for _ in 0..6 {
        fetch(&mut gate, Why::Cold, None);
        later(&mut gate, 31);
    }
    fetch(&mut gate, Why::Cold, None);
    let Decision::Refuse(refusal) = impatient(&gate, &token()) else {
        panic!("not refused")
    };
    assert_eq!(gate.get("/", &token()), "keys_unavailable");
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(10)));
    later(&mut gate, 6);
    assert_eq!(gate.get("/", &token()), "wait", "the next attempt is near");
}

#[test]
fn the_last_good_keys_hold_for_their_time_and_no_longer() {
    let mut gate = gate(json!({"keys": {"keep_last_good": "3600s"}}));
    gate.install(&jwks(&[("one", 1)]));
    let token = with_key("one", 1);
    for (seconds, due) in [
        (0, None),
        (239, None),
        (1, Some(Why::Due)),
        (3000, Some(Why::Due)),
        (360, Some(Why::Due)),
    ] {
        later(&mut gate, seconds);
        assert_eq!(gate.get("/", &token), "forward", "{seconds}");
        assert_eq!(gate.keys.remote(MAIN).unwrap().due(gate.now), due, "{seconds}");
        if due.is_some() {
            fetch(&mut gate, Why::Due, None);
        }
        later(&mut gate, 0);
        let now = gate.now;
        let remote = gate.keys.remote_mut(MAIN).unwrap();
        let over = remote.ledger().wait(Why::Due, remote.policy(), now);
        assert!(over <= Duration::from_secs(10));
    }
    later(&mut gate, 1);
    assert_eq!(gate.keys.remote(MAIN).unwrap().due(gate.now), Some(Why::Cold));
    assert_ne!(gate.get("/", &token), "forward");
}

#[test]
fn an_unknown_key_is_looked_for_once_in_a_while() {
    let mut gate = gate(json!({"keys": {"unknown_key_cooldown": "10s"}}));
    fetch(&mut gate, Why::Cold, Some(&jwks(&[("one", 1)])));
    later(&mut gate, 10);
    let rotated = with_key("two", 2);
    assert_eq!(gate.get("/", &rotated), "wait");
    assert_eq!(
        word(&impatient(&gate, &rotated)),
        "keys_unavailable",
        "no room to wait is not the token's fault"
    );

    fetch(&mut gate, Why::UnknownKey, Some(&jwks(&[("one", 1), ("two", 2)])));
    assert_eq!(gate.get("/", &rotated), "forward");
    assert_eq!(gate.get("/", &with_key("one", 1)), "forward");

    for number in 0..1000 {
        assert_eq!(gate.get("/", &with_key(&format!("unknown-{number}"), 3)), "key_unknown");
    }
    later(&mut gate, 10);
    assert_eq!(gate.get("/", &with_key("unknown", 3)), "wait");
}

#[test]
fn while_the_issuer_is_out_of_reach_an_unknown_key_is_not_the_token_s_fault() {
    let mut gate = gate(json!({}));
    fetch(&mut gate, Why::Cold, Some(&jwks(&[("one", 1)])));
    later(&mut gate, 10);
    fetch(&mut gate, Why::UnknownKey, None);
    assert_eq!(gate.get("/", &with_key("two", 2)), "keys_unavailable");
    assert_eq!(gate.get("/", &with_key("one", 1)), "forward");
}

#[test]
fn a_local_key_set_is_never_fetched() {
    let gate = super::gate(json!({}));
    assert_eq!(gate.get("/", &with_key("two", 1)), "key_unknown");
    assert_eq!(gate.keys.remotes().count(), 0);
}

#[test]
fn after_the_clock_was_set_back_the_keys_hold_and_are_fetched_anew() {
    let mut gate = gate(json!({}));
    gate.install(&jwks(&[("one", 1)]));
    gate.now = Timestamp::from_secs(NOW - 100);
    assert_eq!(gate.get("/", &with_key("one", 1)), "forward");
    assert_eq!(gate.keys.remote(MAIN).unwrap().due(gate.now), Some(Why::Due));
    fetch(&mut gate, Why::Due, Some(&jwks(&[("two", 2)])));
    assert_eq!(gate.get("/", &with_key("two", 2)), "forward");
    assert_eq!(gate.keys.remote(MAIN).unwrap().due(gate.now), None);
}
