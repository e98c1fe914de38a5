//! The section `services`: what arrives of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Config, camel, errors, full, parse, with};
use crate::authorization::ClaimTest;
use crate::keys::ProviderId;
use crate::service::{Access, Choice, Share};
use crate::testing::test;

/// Services with every field that there is.
pub(super) fn every_field() -> Value {
    json!({
        "bank": {
            "prefix": "/bank/",
            "cluster": "bank",
            "upstream": [
                {"claim_name": "plan", "values": {"gold": "fast"}, "otherwise": "continue"},
                {"header": "X-Track", "values": {"canary": "beta"}, "otherwise": "refuse"},
                {"cel": "claims.tester == true", "cluster": "lab"},
                {"percent": 12.25, "cluster": "beta"},
                {"percent": 10, "claim_path": [{"key": "tenant"}, {"key": "id"}], "cluster": "beta"},
            ],
            "timeout": "5s",
            "prefix_rewrite": "/",
            "methods": ["GET", "POST"],
            "max_body_bytes": "65536",
            "retries": {"attempts": 2, "on": ["connect-failure", "5xx", "unavailable"], "per_try_timeout": "1s"},
            "providers": ["remote"],
            "health_path": "/health/",
            "authorization": {
                "scopes": ["bank.read"],
                "any_scope": ["retail", "business"],
                "audiences": ["bank"],
                "cel": "claims.level > 2",
                "claims": [
                    {"claim_name": "tenant.plan", "one_of": ["gold", 7, true]},
                    {"claim_path": [{"key": "a.b"}], "equals": "x"},
                    {"claim_name": "roles", "contains": "teller"},
                    {"claim_name": "email", "matches": ".+@bank\\.example"},
                    {"claim_name": "suspended", "exists": false},
                ],
                "rules": [
                    {"prefixes": ["/bank/vault/"], "methods": ["GET"], "scopes": ["vault"]},
                    {"methods": ["GET", "POST"]},
                ],
            },
        },
        "token": {"prefix": "/token/", "cluster": "issuer", "public": true},
    })
}

#[test]
fn every_field_of_a_service_arrives_in_either_spelling() {
    for config in [full(), camel(&full())] {
        let config = parse(&config);
        let services = config.services.as_ref().unwrap();
        assert_eq!(services.find("/token/").unwrap().access, Access::Public);
        let bank = services.find("/bank/x").unwrap();
        assert_eq!(bank.timeout, Some(Duration::from_secs(5)));
        assert!(bank.methods.as_ref().unwrap().contain(b"HEAD"));
        assert_eq!(bank.max_body_bytes, Some(65536));
        let retries = bank.retries.as_ref().unwrap();
        assert_eq!(
            (retries.attempts, &retries.on[..], &retries.on_grpc[..]),
            (2, &["connect-failure", "5xx"][..], &["unavailable"][..])
        );
        assert_eq!(retries.per_try_timeout, Some(Duration::from_secs(1)));
        let remote = config.providers.iter().position(|provider| provider.name == "remote");
        assert_eq!(bank.providers, [ProviderId::new(remote.unwrap())]);
        assert_eq!(bank.health_path.as_deref(), Some("/health/"));
        let clusters: Vec<&str> = bank.clusters().collect();
        assert_eq!(clusters, ["bank", "fast", "beta", "lab", "beta", "beta"]);
        let shares: Vec<Share> = bank
            .upstream
            .iter()
            .filter_map(|choice| match choice {
                Choice::Share { range, .. } => Some(*range),
                _ => None,
            })
            .collect();
        assert_eq!(shares, [Share { from: 0, to: 1225 }, Share { from: 1225, to: 2225 }]);
        let authorization = &bank.authorization;
        assert!(authorization.conditions.expression.is_some());
        assert_eq!(authorization.conditions.audiences, ["bank"]);
        let tests: Vec<&ClaimTest> = authorization
            .conditions
            .claims
            .iter()
            .map(|condition| &condition.test)
            .collect();
        assert!(matches!(
            tests[..],
            [
                ClaimTest::OneOf(values),
                ClaimTest::OneOf(_),
                ClaimTest::Contains(_),
                ClaimTest::Matches(_),
                ClaimTest::Absent
            ] if values.len() == 3
        ));
        let rules = authorization.rules.as_ref().unwrap();
        assert_eq!(rules[0].prefixes, ["/bank/vault/"]);
        assert_eq!(rules.len(), 2);
    }
}

#[test]
fn the_router_is_told_what_is_safe_unless_the_configuration_says_more() {
    let config = parse(&with("/services/bank/retries", json!({"attempts": 0})));
    let bank = config.services.as_ref().unwrap().find("/bank/").unwrap();
    let retries = bank.retries.as_ref().unwrap();
    assert_eq!(
        (retries.attempts, &retries.on[..]),
        (0, &["connect-failure", "refused-stream"][..])
    );
}

#[test]
fn a_public_service_asks_nothing_of_callers() {
    let mut config = full();
    config["services"]["token"]["authorization"] = json!({"scopes": ["a"]});
    config["services"]["token"]["providers"] = json!(["remote"]);
    config["services"]["token"]["upstream"] = json!([
        {"claim_name": "a", "values": {"a": "b"}},
        {"percent": 10, "cluster": "b"},
        {"header": "x-a", "values": {"a": "b"}},
    ]);
    let errors = errors(&config);
    assert_eq!(errors.len(), 4, "{errors:?}");
    assert!(
        errors.iter().all(|error| error.contains("the service is public")),
        "{errors:?}"
    );
}

#[test]
fn the_configurations_of_the_guides_are_right() {
    for (name, page) in [
        (
            "protect-a-service",
            include_str!("../../../../docs/protect-a-service.md"),
        ),
        ("add-a-service", include_str!("../../../../docs/add-a-service.md")),
        ("canary", include_str!("../../../../docs/canary.md")),
    ] {
        let examples: Vec<&str> = page
            .split("```json\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect();
        assert!(!examples.is_empty(), "{name}");
        for example in examples {
            let config = Config::parse(example.as_bytes()).unwrap_or_else(|errors| panic!("{name}: {errors}"));
            assert!(config.warnings.is_empty(), "{name}");
        }
    }
}
