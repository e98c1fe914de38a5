//! The section `endpoints`: what arrives of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{camel, errors, full, parse, with};
use crate::authorization::Scopes;
use crate::service::{Access, Backend};
use crate::status::Probing;
use crate::testing::{jwks, test};

/// Endpoints with every field that there is.
pub(super) fn every_field() -> Value {
    json!({
        "status": {
            "interval": "20s",
            "timeout": "3s",
            "unhealthy_after": 2,
            "healthy_after": "3",
            "providers": ["remote"],
            "authorization": {"any_scope": ["ops.read", "status"]},
        },
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
        let status = services.find("/services/status/").unwrap();
        assert_eq!((status.backend, status.access), (Backend::Status, Access::Protected));
        assert_eq!(status.providers.len(), 1);
        let any = vec!["ops.read".to_owned(), "status".to_owned()];
        assert_eq!(status.authorization.scopes, Scopes::new(Vec::new(), vec![any]));
        let probing = Probing {
            interval: Duration::from_secs(20),
            timeout: Duration::from_secs(3),
            unhealthy_after: 2,
            healthy_after: 3,
        };
        assert_eq!(config.probing, Some(probing));
    }
}

#[test]
fn an_endpoint_asks_for_the_scope_of_operators_unless_it_says_otherwise() {
    let config = parse(&with(
        "/endpoints",
        json!({"metrics": {"cluster": "admin"}, "status": {}}),
    ));
    let services = config.services.as_ref().unwrap();
    for path in ["/metrics", "/services/status"] {
        let endpoint = services.find(path).unwrap();
        assert_eq!(endpoint.authorization.scopes, scopes(&["ops.read"]), "{path}");
    }
    let probing = config.probing.unwrap();
    assert_eq!((probing.interval.as_secs(), probing.timeout.as_secs()), (10, 2));
    assert_eq!((probing.unhealthy_after, probing.healthy_after), (1, 1));
    let metrics = services.find("/metrics").unwrap();
    assert_eq!(metrics.timeout, Some(Duration::from_secs(10)));
    assert!(metrics.providers.is_empty() && metrics.retries.is_none());
}

#[test]
fn nobody_is_asked_unless_it_is_to_be_shown() {
    let config = parse(&with("/endpoints/status", Value::Null));
    assert_eq!(config.probing, None);
    assert!(config.services.as_ref().unwrap().find("/services/status/").is_none());
}

#[test]
fn a_quick_interval_brings_a_quick_timeout_along() {
    let config = parse(&with("/endpoints/status", json!({"interval": "1s"})));
    assert_eq!(config.probing.unwrap().timeout, Duration::from_secs(1));
}

#[test]
fn asking_nobody_is_worth_a_warning() {
    let config = json!({
        "providers": {"local": {"local_jwks": {"inline_string": jwks(&[("one", 1)])}}},
        "services": {"web": {"prefix": "/", "cluster": "web"}},
        "endpoints": {"status": {}},
    });
    let warnings = parse(&config).warnings;
    assert!(
        matches!(&warnings[..], [warning] if warning.to_string().starts_with("endpoints.status: asks nobody")),
        "{warnings:?}"
    );
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
