//! What a configuration says about fetching keys.

use std::time::Duration;

use serde_json::{Value, json};

use super::{camel, full, parse, with};
use crate::config::{Config, KeyOrigin, Provider, RemoteJwks};
use crate::keys::{Discovery, KeySetSource, MetadataChoice, MetadataKind, RefreshPolicy};
use crate::testing::test;

fn provider<'c>(config: &'c Config, name: &str) -> &'c Provider {
    config.providers.iter().find(|provider| provider.name == name).unwrap()
}

fn fetched<'c>(config: &'c Config, name: &str) -> &'c RemoteJwks {
    match &provider(config, name).keys {
        KeyOrigin::Remote(keys) => keys,
        KeyOrigin::Local(_) => panic!("fetched keys"),
    }
}

fn discovered(config: &Config) -> (&Discovery, &RefreshPolicy) {
    let keys = fetched(config, "found");
    match &keys.source {
        KeySetSource::Discovered(discovery) => (discovery, &keys.policy),
        KeySetSource::At(_) => panic!("discovered keys"),
    }
}

#[test]
fn discovery_arrives_in_either_spelling() {
    for config in [full(), camel(&full())] {
        let config = parse(&config);
        let (discovery, policy) = discovered(&config);
        assert_eq!(
            discovery.document(MetadataKind::OAuth).to_string(),
            "https://found.test/.well-known/oauth-authorization-server at the cluster found"
        );
        assert_eq!(discovery.choice, MetadataChoice::Only(MetadataKind::OAuth));
        assert_eq!(discovery.keys_cluster, "found-keys");
        assert_eq!(discovery.keys_authority.as_deref(), Some("keys.found.test:444"));
        assert_eq!(discovery.document_duration, Duration::from_secs(50));
        assert_eq!(
            (policy.timeout, policy.cache_duration),
            (Duration::from_secs(4), Duration::from_secs(40))
        );
    }
}

#[test]
fn discovery_takes_an_issuer_and_a_cluster() {
    let mut config = full();
    config["discovery"]["found"] = json!({"cluster": "c"});
    let config = parse(&config);
    let (discovery, policy) = discovered(&config);
    assert_eq!(
        (discovery.choice, discovery.keys_cluster.as_str()),
        (MetadataChoice::Either, "c")
    );
    assert_eq!(
        (&discovery.keys_authority, discovery.document_duration),
        (&None, Duration::from_hours(1))
    );
    assert_eq!(
        (policy.timeout, policy.cache_duration),
        (Duration::from_secs(5), Duration::from_mins(10))
    );
}

#[test]
fn retries_have_the_defaults_of_the_native_filter() {
    for (policy, expected) in [
        (Value::Null, (0, 0, 0, 0)),
        (json!({}), (1, 1000, 10_000, 0)),
        (json!({"num_retries": 0}), (0, 1000, 10_000, 0)),
        (
            json!({"numRetries": "3", "retryBackOff": {"baseInterval": "0.1s", "maxInterval": "0.4s"}}),
            (3, 100, 400, 0),
        ),
        (json!({"retry_back_off": {"base_interval": "0.5s"}}), (1, 500, 5000, 0)),
        // What the native filter takes and does not look at is told.
        (
            json!({"retry_on": "5xx", "host_selection_retry_max_attempts": 3}),
            (1, 1000, 10_000, 2),
        ),
    ] {
        let config = parse(&with("/providers/remote/remote_jwks/retry_policy", policy.clone()));
        let retries = &fetched(&config, "remote").policy.retries;
        let found = (
            retries.number,
            retries.base_interval.as_millis(),
            retries.max_interval.as_millis(),
            config
                .warnings
                .iter()
                .filter(|warning| warning.path.contains(".retry_policy"))
                .count(),
        );
        assert_eq!(found, expected, "{policy}");
    }
}
