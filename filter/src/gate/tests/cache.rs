//! Tokens that are known: what that saves, and that it changes no decision.

use std::cell::Cell;

use serde_json::{Value, json};

use super::{gate, gate_with, provider};
use crate::clock::Timestamp;
use crate::gate::{Decision, Patience, decide, decide_before};
use crate::request::HeaderList;
use crate::testing::{Gate, ISSUER, NOW, claims, jwks, request, sign, sign_with_header, test, token, word};
use crate::witness::{Fact, Witness};

/// Counts signatures that were verified, and those that had been.
#[derive(Default)]
struct Tally {
    hits: Cell<u32>,
    misses: Cell<u32>,
}

impl Witness for Tally {
    fn sees(&self, fact: Fact<'_>) {
        match fact {
            Fact::Remembered => self.hits.set(self.hits.get() + 1),
            Fact::Signature(_) => self.misses.set(self.misses.get() + 1),
            _ => {}
        }
    }
}

impl Gate {
    fn watch(&self, request: &HeaderList) -> (Decision, Tally) {
        let (tally, tokens) = (Tally::default(), &mut self.tokens.borrow_mut());
        let (config, keys) = (&self.config, &self.keys);
        let decision = decide_before(&tally, request, config, keys, tokens, self.now, Patience::Left);
        (decision, tally)
    }

    /// The decision in a word, and whether it was made by heart.
    fn bearer(&self, path: &str, token: &str) -> (&'static str, &'static str) {
        let bearer = format!("Bearer {token}");
        let (decision, tally) = self.watch(&request(&[(":path", path), ("authorization", &bearer)]));
        let how = match (tally.hits.get(), tally.misses.get()) {
            (0, 0) => "unheard",
            (_, 0) => "hit",
            (0, _) => "miss",
            _ => "mixed",
        };
        (word(&decision), how)
    }
}

fn at(gate: &mut Gate, seconds: u64) {
    gate.now = Timestamp::from_secs(seconds);
}

#[test]
fn a_known_token_gives_the_same_decision_without_a_second_verification() {
    let good = sign(&claims(json!({"groups": ["a", "b"], "name": "José", "azp": "web"})));
    let mapped = json!([
        {"header_name": "x-user-id", "claim_name": "sub"},
        {"header_name": "x-missing", "claim_name": "missing"},
        {"header_name": "x-groups", "claim_name": "groups"},
        {"header_name": "x-name", "claim_name": "name"},
    ]);
    for changes in [
        json!({}),
        json!({"claim_to_headers": mapped.clone()}),
        json!({"claim_to_headers": mapped, "forward_payload_header": "x-payload", "pad_forward_payload_header": true}),
        json!({"forward": true, "clear_route_cache": true}),
        json!({"from_cookies": ["session"]}),
        json!({"from_params": ["jwt"]}),
        json!({"from_headers": [{"name": "x-token", "value_prefix": "T "}]}),
    ] {
        let gate = gate(changes.clone());
        let (bearer, cookie) = (format!("Bearer {good}"), format!("a=b; session={good}"));
        let (target, own) = (format!("/?jwt={good}&a=b"), format!("T {good}"));
        let mut headers = vec![(":path", "/"), ("authorization", bearer.as_str())];
        if !changes["from_cookies"].is_null() {
            headers[1] = ("cookie", &cookie);
        } else if !changes["from_params"].is_null() {
            headers[0].1 = &target;
        } else if !changes["from_headers"].is_null() {
            headers[1] = ("x-token", &own);
        }
        let (first, verified) = gate.watch(&request(&headers));
        assert_eq!(word(&first), "forward", "{changes}");
        assert_eq!((verified.hits.get(), verified.misses.get()), (0, 1), "{changes}");
        for _ in 0..3 {
            let (again, remembered) = gate.watch(&request(&headers));
            assert_eq!(again, first, "{changes}");
            assert_eq!((remembered.hits.get(), remembered.misses.get()), (1, 0), "{changes}");
        }
    }
}

#[test]
fn time_passes_for_known_tokens_too() {
    let mut gate = gate(json!({"clock_skew_seconds": 5, "max_lifetime": "400s"}));
    let token = sign(&claims(json!({"nbf": NOW, "exp": NOW + 300})));
    for (seconds, expected) in [
        (NOW, ("forward", "miss")),
        (NOW + 305, ("forward", "hit")),
        // The clock may be set back: then the token is not valid yet, or lives too long.
        (NOW - 5, ("forward", "hit")),
        (NOW - 6, ("token_not_yet_valid", "unheard")),
        (NOW + 1, ("forward", "hit")),
        (NOW + 306, ("token_expired", "unheard")),
        // What has expired is forgotten.
        (NOW, ("forward", "miss")),
        (NOW, ("forward", "hit")),
    ] {
        at(&mut gate, seconds);
        assert_eq!(gate.bearer("/", &token), expected, "{}", seconds.wrapping_sub(NOW));
        let kept = usize::from(expected.0 != "token_expired");
        assert_eq!(gate.tokens.borrow().len(), kept, "{}", seconds.wrapping_sub(NOW));
    }

    let mut gate = self::gate(json!({"clock_skew_seconds": 60, "max_lifetime": "300s"}));
    let token = sign(&claims(json!({"exp": NOW + 300})));
    assert_eq!(gate.bearer("/", &token), ("forward", "miss"));
    at(&mut gate, NOW - 1);
    assert_eq!(gate.bearer("/", &token), ("lifetime_too_long", "unheard"));
    at(&mut gate, NOW);
    assert_eq!(gate.bearer("/", &token), ("forward", "hit"));
}

#[test]
fn each_route_asks_a_known_token_for_its_own_audience() {
    let with = |audience: &str| json!({"provider_and_audiences": {"provider_name": "main", "audiences": [audience]}});
    let gate = gate_with(
        json!({}),
        json!({"rules": [
            {"match": {"prefix": "/a"}, "requires": with("gatehouse")},
            {"match": {"prefix": "/b"}, "requires": with("another")},
            {"match": {"prefix": "/c"}},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "main"}},
        ]}),
    );
    for (path, expected) in [
        ("/b", ("audience_not_allowed", "unheard")),
        ("/", ("forward", "miss")),
        ("/b", ("audience_not_allowed", "unheard")),
        ("/a", ("forward", "hit")),
        ("/c", ("forward", "unheard")),
        ("/", ("forward", "hit")),
    ] {
        assert_eq!(gate.bearer(path, &token()), expected, "{path}");
    }
}

#[test]
fn a_token_that_two_providers_accept_is_known_to_each_by_itself() {
    let header = |claim: &str| json!([{"header_name": "x-who", "claim_name": claim}]);
    let gate = gate_with(
        json!({"claim_to_headers": header("sub")}),
        json!({
            "providers": {
                "main": provider(json!({"claim_to_headers": header("sub")})),
                "other": provider(json!({"claim_to_headers": header("name"), "forward": true})),
                "strict": provider(json!({"subjects": {"exact": "bob"}})),
                "rekeyed": provider(json!({"local_jwks": {"inline_string": jwks(&[("one", 2)])}})),
            },
            "rules": [
                {"match": {"prefix": "/main"}, "requires": {"provider_name": "main"}},
                {"match": {"prefix": "/other"}, "requires": {"provider_name": "other"}},
                {"match": {"prefix": "/strict"}, "requires": {"provider_name": "strict"}},
                {"match": {"prefix": "/rekeyed"}, "requires": {"provider_name": "rekeyed"}},
                {"match": {"prefix": "/any"}, "requires": {"allow_missing": {}}},
            ],
        }),
    );
    let token = sign(&claims(json!({"name": "Alice"})));
    let bearer = format!("Bearer {token}");
    let who = |path: &str| {
        let upstream = gate.upstream(&[(":path", path), ("authorization", &bearer)]);
        let find = |name: &str| {
            upstream
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        };
        (find("x-who"), find("authorization").is_some())
    };
    for (path, expected) in [
        ("/main", ("forward", "miss")),
        ("/main", ("forward", "hit")),
        ("/other", ("forward", "miss")),
        ("/strict", ("subject_not_allowed", "unheard")),
        ("/rekeyed", ("signature_invalid", "miss")),
        ("/main", ("forward", "hit")),
        ("/other", ("forward", "hit")),
        ("/rekeyed", ("signature_invalid", "miss")),
        ("/any", ("forward", "hit")),
    ] {
        assert_eq!(gate.bearer(path, &token), expected, "{path}");
    }
    for _ in 0..2 {
        assert_eq!(who("/main"), (Some("alice".to_owned()), false));
        assert_eq!(who("/other"), (Some("Alice".to_owned()), true));
        assert_eq!(who("/any"), (Some("alice".to_owned()), false));
    }
    assert_eq!(gate.tokens.borrow().len(), 1);
}

fn remote(sections: Value) -> Gate {
    let uri = json!({"uri": "http://issuer/jwks.json", "cluster": "issuer", "timeout": "2s"});
    let provider = provider(json!({"local_jwks": null, "remote_jwks": {"http_uri": uri, "cache_duration": "300s"}}));
    gate_with(json!({}), {
        let mut all = json!({"providers": {"main": provider}});
        super::merge(&mut all, sections);
        all
    })
}

#[test]
fn a_known_token_passes_as_long_as_its_issuer_publishes_the_key() {
    let without_alg = jwks(&[("one", 1)]).replace(r#""alg":"ES256","#, "");
    for (document, expected) in [
        // Published again, alone or beside others, in whatever order.
        (jwks(&[("one", 1)]), ("forward", "hit")),
        (jwks(&[("two", 2), ("one", 1)]), ("forward", "hit")),
        // Another key under the same name; the same key under another name, or for other algorithms; none of them.
        (jwks(&[("one", 2)]), ("signature_invalid", "miss")),
        (jwks(&[("two", 1)]), ("wait", "miss")),
        (jwks(&[("two", 2)]), ("wait", "miss")),
        (without_alg, ("forward", "miss")),
    ] {
        let mut gate = remote(json!({}));
        gate.install(&jwks(&[("one", 1)]));
        assert_eq!(gate.bearer("/", &token()), ("forward", "miss"));
        assert_eq!(gate.bearer("/", &token()), ("forward", "hit"));
        gate.install(&document);
        assert_eq!(gate.bearer("/", &token()), expected, "{document}");
        let kept = usize::from(expected.0 == "forward");
        assert_eq!(gate.tokens.borrow().len(), kept, "{document}");
        // When the key comes back, so does the token, but not from memory.
        gate.install(&jwks(&[("one", 1)]));
        let again = if expected.1 == "hit" { "hit" } else { "miss" };
        assert_eq!(gate.bearer("/", &token()), ("forward", again), "{document}");
    }
}

#[test]
fn no_token_is_known_by_keys_that_are_older_than_the_last_good_ones_may_be() {
    let mut gate = remote(json!({"keys": {"keep_last_good": "600s"}}));
    gate.install(&jwks(&[("one", 1)]));
    let token = sign(&claims(json!({"exp": NOW + 10_000})));
    for (seconds, expected) in [
        (NOW, ("forward", "miss")),
        (NOW + 600, ("forward", "hit")),
        (NOW + 601, ("wait", "miss")),
        (NOW + 600, ("forward", "hit")),
    ] {
        at(&mut gate, seconds);
        assert_eq!(gate.bearer("/", &token), expected, "{}", seconds - NOW);
    }
}

#[test]
fn only_verified_tokens_enter() {
    let gate = gate(json!({}));
    let good = token();
    let (input, _) = good.rsplit_once('.').unwrap();
    let forged = [
        sign_with_header(&json!({"alg": "ES256", "kid": "one"}), &claims(json!({})), 2),
        sign_with_header(&json!({"alg": "ES256", "kid": "two"}), &claims(json!({})), 1),
        format!("{input}.{}", "A".repeat(86)),
        sign(&claims(json!({"aud": "another"}))),
        sign(&claims(json!({"iss": "https://evil.test"}))),
        sign(&claims(json!({"exp": 1}))),
        "short".to_owned(),
        String::new(),
    ];
    for token in forged {
        for _ in 0..2 {
            let (outcome, how) = gate.bearer("/", &token);
            assert!(outcome != "forward" && how != "hit", "{outcome}");
        }
    }
    assert!(gate.tokens.borrow().is_empty());
    assert_eq!(gate.tokens.borrow().bytes(), 0);
}

#[test]
fn a_token_is_known_by_all_of_its_bytes() {
    let gate = gate(json!({}));
    let good = token();
    assert_eq!(gate.bearer("/", &good), ("forward", "miss"));
    for place in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[place] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        let (outcome, how) = gate.bearer("/", &changed);
        assert!(outcome != "forward" && how != "hit", "{place}: {outcome}");
    }
    let shorter = &good[1..];
    assert_ne!(gate.bearer("/", shorter).0, "forward");
    assert_ne!(gate.bearer("/", &format!("x{good}")).0, "forward");
    assert_eq!(gate.bearer("/", &good), ("forward", "hit"));
}

#[test]
fn a_claim_that_no_header_can_carry_is_refused_again() {
    let gate = gate(json!({"claim_to_headers": [{"header_name": "x-name", "claim_name": "name"}]}));
    let token = sign(&claims(json!({"name": "a\nb"})));
    assert_eq!(gate.bearer("/", &token), ("claim_unusable", "miss"));
    assert_eq!(gate.bearer("/", &token), ("claim_unusable", "hit"));
}

#[test]
fn the_cache_is_as_large_as_it_was_configured() {
    let numbered = |number: usize| sign(&claims(json!({"jti": number.to_string()})));
    let tokens: Vec<String> = (0..6).map(numbered).collect();
    for (changes, sections, entries) in [
        (json!({}), json!({}), 6),
        (json!({}), json!({"token_cache": {"max_entries": 4}}), 4),
        (json!({}), json!({"token_cache": {"max_entries": 0}}), 0),
        (json!({}), json!({"token_cache": {"max_bytes": 100}}), 0),
        (json!({"jwt_cache_config": {}}), json!({}), 6),
        // A size that the native filter's users have asked for is granted, and no smaller one forced on them.
        (json!({"jwt_cache_config": {"jwt_cache_size": 1}}), json!({}), 6),
        (json!({"jwt_cache_config": {"jwt_max_token_size": 100}}), json!({}), 0),
        (
            json!({"jwt_cache_config": {"jwt_cache_size": 20_000}}),
            json!({"token_cache": {"max_entries": 2}}),
            2,
        ),
    ] {
        let gate = gate_with(changes.clone(), sections.clone());
        for token in &tokens {
            assert_eq!(gate.bearer("/", token), ("forward", "miss"));
        }
        assert_eq!(gate.tokens.borrow().len(), entries, "{changes} {sections}");
        let hits = tokens.iter().rev().filter(|token| gate.bearer("/", token).1 == "hit");
        assert!(hits.count() >= entries, "{changes} {sections}");
        assert!(gate.tokens.borrow().bytes() <= gate.config.token_cache.max_bytes);
    }
    // What a token takes is counted, not only how long it is.
    let gate = self::gate(json!({"claim_to_headers": [{"header_name": "x-a", "claim_name": "a"}]}));
    let token = sign(&claims(json!({"a": "x".repeat(1000)})));
    assert_eq!(gate.bearer("/", &token), ("forward", "miss"));
    let bytes = gate.tokens.borrow().bytes();
    assert!(bytes > token.len() + 2000, "{bytes}");
}

#[test]
fn whatever_happens_a_gate_with_a_memory_decides_as_one_without() {
    let with = |audience: &str| json!({"provider_and_audiences": {"provider_name": "main", "audiences": [audience]}});
    let mut gate = remote(json!({
        "token_cache": {"max_entries": 5},
        "keys": {"keep_last_good": "500s"},
        "rules": [
            {"match": {"prefix": "/a"}, "requires": with("gatehouse")},
            {"match": {"prefix": "/b"}, "requires": with("another")},
            {"match": {"prefix": "/c"}, "requires": {"allow_missing_or_failed": {}}},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "main"}},
        ],
    }));
    let tokens: Vec<String> = [
        json!({}),
        json!({"jti": "2"}),
        json!({"jti": "3", "exp": NOW + 100}),
        json!({"jti": "4", "nbf": NOW + 200}),
        json!({"jti": "5", "aud": ["another", "gatehouse"]}),
        json!({"jti": "6", "aud": "another"}),
        json!({"jti": "7", "iss": format!("{ISSUER}/")}),
        json!({"jti": "8", "exp": null}),
    ]
    .into_iter()
    .flat_map(|changes| [("one", 1), ("two", 2), ("one", 2)].map(|(kid, seed)| (changes.clone(), kid, seed)))
    .map(|(changes, kid, seed)| sign_with_header(&json!({"alg": "ES256", "kid": kid}), &claims(changes), seed))
    .collect();
    let documents = [
        jwks(&[("one", 1)]),
        jwks(&[("one", 1), ("two", 2)]),
        jwks(&[("two", 2)]),
        jwks(&[("one", 2)]),
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut hits = 0;
    let rounds = if cfg!(target_arch = "wasm32") { 300 } else { 3000 };
    for round in 0..rounds {
        match next(20) {
            0 => gate.install(&documents[next(documents.len())]),
            1 => at(&mut gate, NOW - 100 + u64::try_from(next(700)).unwrap()),
            _ => {}
        }
        let bearer = format!("Bearer {}", tokens[next(tokens.len())]);
        let path = ["/a", "/b", "/c", "/d"][next(4)];
        let request = request(&[(":path", path), ("authorization", &bearer)]);
        let without = &mut gate.config.token_cache();
        let (config, keys) = (&gate.config, &gate.keys);
        let expected = decide(&request, config, keys, without, gate.now, Patience::Left);
        let (decision, tally) = gate.watch(&request);
        assert_eq!(decision, expected, "{round} {path}");
        hits += tally.hits.get();
    }
    assert!(hits > rounds / 60, "{hits}");
}
