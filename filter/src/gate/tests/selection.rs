//! What chooses a requirement: the route, the rules, what an earlier filter left.

use serde_json::{Value, json};

use super::{gate_with, provider};
use crate::gate::Decision;
use crate::request::{HeaderList, Surroundings};
use crate::requirement::RouteWord;
use crate::testing::{Gate, test, token, word};

/// Rules for `/ruled`, a requirement by name, and two by filter state.
fn sections() -> Value {
    json!({
        "rules": [
            {"match": {"prefix": "/ruled"}, "requires": {"provider_name": "main"}},
            {"match": {"prefix": "/free"}},
        ],
        "requirement_map": {"strict": {"provider_name": "main"}, "loose": {"allow_missing": {}}},
        "filter_state_rules": {
            "name": "tenant",
            "requires": {"closed": {"provider_name": "main"}, "open": {"allow_missing": {}}},
        },
        "per_route": {},
    })
}

fn ask(gate: &Gate, path: &str, bearer: Option<&str>, surroundings: Surroundings) -> Decision {
    let mut headers = vec![(":path".to_owned(), path.as_bytes().to_vec())];
    headers.extend(bearer.map(|token| ("authorization".to_owned(), format!("Bearer {token}").into_bytes())));
    gate.decide_about(&HeaderList::new(headers).within(surroundings))
}

fn left(text: &str) -> Surroundings {
    Surroundings {
        state: Some(text.as_bytes().to_vec()),
        ..Surroundings::default()
    }
}

fn route(route: RouteWord) -> Surroundings {
    Surroundings {
        route,
        ..Surroundings::default()
    }
}

fn named(name: &str) -> Surroundings {
    route(RouteWord::Requires(name.as_bytes().to_vec()))
}

#[test]
fn filter_state_chooses_only_where_no_rule_matches() {
    let gate = gate_with(json!({}), sections());
    for (path, surroundings, expected) in [
        ("/", Surroundings::default(), "forward"),
        ("/", left("closed"), "token_missing"),
        ("/", left("open"), "forward"),
        ("/", left("Closed"), "forward"),
        ("/", left("closed "), "forward"),
        ("/", left(""), "forward"),
        ("/free", left("closed"), "forward"),
        ("/ruled", left("open"), "token_missing"),
    ] {
        let decision = ask(&gate, path, None, surroundings.clone());
        assert_eq!(word(&decision), expected, "{path} {surroundings:?}");
    }
    assert_eq!(word(&ask(&gate, "/", Some(&token()), left("closed"))), "forward");
}

#[test]
fn a_route_counts_instead_of_the_rules() {
    let gate = gate_with(json!({}), sections());
    for (path, surroundings, expected) in [
        ("/ruled", route(RouteWord::Silent), "token_missing"),
        ("/ruled", route(RouteWord::Disabled), "forward"),
        ("/ruled", named("loose"), "forward"),
        ("/free", named("strict"), "token_missing"),
        ("/free", named("Strict"), "requirement_unknown"),
        ("/free", named("closed"), "requirement_unknown"),
        ("/free", route(RouteWord::Unreadable), "requirement_unknown"),
    ] {
        let decision = ask(&gate, path, None, surroundings.clone());
        assert_eq!(word(&decision), expected, "{path} {surroundings:?}");
    }
    assert_eq!(word(&ask(&gate, "/free", Some(&token()), named("strict"))), "forward");
    assert_eq!(
        word(&ask(&gate, "/free", Some(&token()), named("other"))),
        "requirement_unknown"
    );
}

#[test]
fn no_client_chooses_the_route_that_speaks_by_a_header_that_the_gate_takes_out() {
    let claims = json!({"claim_to_headers": [{"header_name": "x-tier", "claim_name": "tier"}]});
    let headers = json!({"profile": "edge", "request": {"remove": ["x-debug*"]}});
    let asked = |per_route: Value, name: &str, word: RouteWord| {
        let mut sections = sections();
        sections["per_route"] = per_route;
        sections["headers"] = headers.clone();
        let gate = gate_with(claims.clone(), sections);
        let sent = [(":path", "/ruled"), (name, "gold")];
        let sent = sent.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        self::word(&gate.decide_about(&HeaderList::new(sent.to_vec()).within(route(word))))
    };
    for name in ["x-tier", "X_Tier", "x-gatehouse-cluster", "x-real-ip", "x-debug-1"] {
        for said in [
            RouteWord::Disabled,
            RouteWord::Silent,
            RouteWord::Requires(b"loose".to_vec()),
        ] {
            assert_eq!(
                asked(json!({}), name, said.clone()),
                "route_ambiguous",
                "{name} {said:?}"
            );
        }
        let taken_out = asked(json!({"forged_headers": "take_out"}), name, RouteWord::Disabled);
        assert_eq!(taken_out, "forward", "{name}");
    }
    assert_eq!(asked(json!({}), "accept", RouteWord::Disabled), "forward");
}

#[test]
fn without_the_section_no_route_is_heard() {
    let gate = gate_with(json!({}), {
        let mut sections = sections();
        sections["per_route"] = Value::Null;
        sections
    });
    assert_eq!(
        word(&ask(&gate, "/ruled", None, route(RouteWord::Disabled))),
        "token_missing"
    );
}

#[test]
fn no_route_opens_a_protected_service() {
    let mut sections = sections();
    sections["services"] = json!({"bank": {"prefix": "/ruled", "cluster": "bank"}});
    let gate = gate_with(json!({}), sections);
    for surroundings in [route(RouteWord::Disabled), named("loose")] {
        assert_eq!(word(&ask(&gate, "/ruled", None, surroundings.clone())), "token_missing");
        assert_eq!(word(&ask(&gate, "/ruled", Some(&token()), surroundings)), "forward");
    }
}

#[test]
fn a_requirement_by_filter_state_must_name_a_provider_that_there_is() {
    let config = json!({
        "providers": {"main": provider(json!({}))},
        "filter_state_rules": {"name": "tenant", "requires": {"closed": {"provider_name": "nobody"}}},
    });
    let errors = crate::config::Config::parse(config.to_string().as_bytes()).unwrap_err();
    assert!(
        errors
            .to_string()
            .starts_with("filter_state_rules.requires.closed.provider_name: ")
    );
}
