//! The section `endpoints`: what arrives of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{camel, errors, full, parse, with};
use crate::authorization::Scopes;
use crate::service::{Access, Backend};
use crate::testing::test;

/// Endpoints with every field that there is.
pub(super) fn every_field() -> Value {
    json!({
        "metrics": {
            "cluster": "admin",
            "timeout": "3s",
            "providers": ["remote"],
            "authorization": {"scopes": ["metrics"]},
        },
    })
}

fn scopes(words: &[&str]) -> Scopes {
    Scopes::new(words.iter().map(|word| (*word).to_owned()).collect(), Vec::new())
}

#[test]
fn every_field_of_an_endpoint_arrives_in_either_spelling() {
    for config in [full(), camel(&full())] {
        let config = parse(&config);
        let services = config.services.as_ref().unwrap();
        let metrics = services.find("/metrics/").unwrap();
        assert_eq!(metrics.backend, Backend::Resource("/stats/prometheus"));
        assert_eq!((metrics.cluster.as_str(), metrics.access), ("admin", Access::Protected));
        assert_eq!(metrics.timeout, Some(Duration::from_secs(3)));
        assert_eq!(metrics.authorization.scopes, scopes(&["metrics"]));
        assert_eq!(metrics.providers.len(), 1);
    }
}

#[test]
fn an_endpoint_asks_for_the_scope_of_operators_unless_it_says_otherwise() {
    let config = parse(&with("/endpoints/metrics", json!({"cluster": "admin"})));
    let metrics = config.services.as_ref().unwrap().find("/metrics").unwrap();
    assert_eq!(metrics.authorization.scopes, scopes(&["ops.read"]));
    assert_eq!(metrics.timeout, Some(Duration::from_secs(10)));
    assert!(metrics.providers.is_empty() && metrics.retries.is_none());
}

#[test]
fn an_endpoint_needs_somebody_who_vouches_for_its_callers() {
    let config = json!({
        "services": {"web": {"prefix": "/", "cluster": "web", "public": true}},
        "endpoints": {"metrics": {"cluster": "admin"}},
    });
    let errors = errors(&config);
    assert!(
        matches!(&errors[..], [error] if error.starts_with("endpoints.metrics: needs a token")),
        "{errors:?}"
    );
}
