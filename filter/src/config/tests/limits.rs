//! `limits` and `limit_table`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::Config;
use crate::headers::ClaimPath;
use crate::limit::{Limit, Limits, Per, Rate};
use crate::testing::{jwks, test};

fn config(limits: &Value) -> Value {
    json!({
        "providers": {"issuer": {"local_jwks": {"inline_string": jwks(&[("one", 1)])},
            "claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}]}},
        "services": {
            "bank": {"prefix": "/bank/", "cluster": "bank"},
            "open": {"prefix": "/open/", "cluster": "open", "public": true},
        },
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
    let page = include_str!("../../../../docs/rate-limit.md");
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
        (
            with("services", json!(["bank", "open"])),
            "limits.one.services",
            "open, which is public",
        ),
        (with("per", json!({"claim": ""})), "limits.one.per", "one way"),
        (with("match", json!({})), "limits.one.match", "one way"),
        (
            with(
                "match",
                json!({"prefix": "/", "headers": [{"name": "accept"}, {"name": "X_User_Id"}]}),
            ),
            "limits.one.match.headers[1].name",
            "a header that the gate takes from every request",
        ),
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
