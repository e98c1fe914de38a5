//! Pages of other origins: their preflights, and what they may read.

use serde_json::{Value, json};

use super::gate_with;
use crate::gate::{AnswerPlan, Decision};
use crate::headers::Edit;
use crate::testing::{Gate, request, test, word};

const APP: &str = "https://app.example.com";

fn gate(changes: Value) -> Gate {
    let mut sections = json!({
        "cors": {"allow_origins": [APP], "allow_credentials": true},
        "services": {
            "bank": {"prefix": "/bank/", "cluster": "bank"},
            "open": {"prefix": "/open/", "cluster": "open", "public": true, "cors": {"allow_origins": ["*"]}},
            "own": {"prefix": "/own/", "cluster": "own", "public": true, "cors": false},
        },
        "endpoints": {"metrics": {"cluster": "admin"}},
    });
    super::merge(&mut sections, changes);
    gate_with(json!({}), sections)
}

fn preflight<'h>(path: &'h str, origin: &'h str) -> [(&'h str, &'h str); 4] {
    [
        (":method", "OPTIONS"),
        (":path", path),
        ("origin", origin),
        ("access-control-request-method", "PUT"),
    ]
}

#[test]
fn a_preflight_is_answered_for_nobody_by_the_policy_of_its_service() {
    let gate = gate(json!({}));
    for (path, origin, expected) in [
        ("/bank/", APP, "answer"),
        ("/bank/", "https://evil.test", "origin_not_allowed"),
        ("/bank/", "null", "origin_not_allowed"),
        ("/open/", "https://evil.test", "answer"),
        // Whether there is such a path is not told, but by the request that follows.
        ("/nowhere/", APP, "answer"),
        // This service answers itself.
        ("/own/", "https://evil.test", "forward"),
        ("/metrics/", APP, "token_missing"),
        ("/bank/../open/", APP, "path_ambiguous"),
    ] {
        assert_eq!(
            word(&gate.decide(&preflight(path, origin))),
            expected,
            "{path} {origin}"
        );
    }
    let Decision::Answer(answer) = gate.decide(&preflight("/bank/", APP)) else {
        panic!("an answer")
    };
    assert_eq!(answer.status, 204);
    assert!(
        answer
            .headers
            .contains(&("access-control-allow-origin", APP.to_owned()))
    );
}

#[test]
fn what_is_no_preflight_is_judged_like_any_request() {
    let gate = gate(json!({}));
    let real = preflight("/bank/", APP);
    assert_eq!(word(&gate.decide(&real[..3])), "token_missing");
    let get = [(":method", "GET"), real[1], real[2], real[3]];
    assert_eq!(word(&gate.decide(&get)), "token_missing");
    assert_eq!(word(&gate.decide(&[real[0], real[1], real[3]])), "token_missing");
}

#[test]
fn bypassing_preflights_is_for_services_that_answer_themselves() {
    let gate = gate(json!({"bypass_cors_preflight": true, "cors": null}));
    assert_eq!(word(&gate.decide(&preflight("/bank/", APP))), "forward");
    assert_eq!(word(&gate.decide(&preflight("/open/", APP))), "answer");
}

/// Name and value of what answers say, a value of nothing for what is taken out; and what they vary by.
fn told(gate: &Gate, headers: &[(&str, &str)]) -> (Vec<(String, String)>, Option<&'static str>) {
    let plan = AnswerPlan::of(&request(headers), &gate.config);
    let vary = plan.as_ref().and_then(AnswerPlan::vary);
    let edits = plan.into_iter().flat_map(|plan| plan.edits(|| request(&[])));
    let told = edits.map(|edit| match edit {
        Edit::Remove(name) => (name, String::new()),
        Edit::Set(name, value) => (name, String::from_utf8(value).unwrap()),
    });
    (told.collect(), vary)
}

#[test]
fn an_answer_names_its_reader_whoever_gives_it() {
    let gate = gate(json!({}));
    let expose = "www-authenticate, retry-after, ratelimit, ratelimit-policy";
    for (path, origin, expected, vary) in [
        ("/bank/", APP, [APP, "true", expose], Some("origin")),
        ("/nowhere/", APP, [APP, "true", expose], Some("origin")),
        ("/bank/", "https://evil.test", ["", "", ""], Some("origin")),
        ("/open/", "https://evil.test", ["*", "", expose], None),
    ] {
        let names = ["allow-origin", "allow-credentials", "expose-headers"];
        let said: Vec<_> = names
            .iter()
            .zip(expected)
            .map(|(name, value)| (format!("access-control-{name}"), value.to_owned()))
            .collect();
        let headers = [(":method", "GET"), (":path", path), ("origin", origin)];
        assert_eq!(told(&gate, &headers), (said, vary), "{path} {origin}");
    }
    for path in ["/own/", "/metrics/"] {
        let headers = [(":method", "GET"), (":path", path), ("origin", APP)];
        assert_eq!(told(&gate, &headers), (Vec::new(), None), "{path}");
    }
    // An answer to a preflight says it itself.
    assert_eq!(told(&gate, &preflight("/bank/", APP)), (Vec::new(), Some("origin")));
}
