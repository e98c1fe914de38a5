//! The section `endpoints`, from the wire to the domain: what the gate itself offers to those who run it.
//!
//! To the gate's decisions an endpoint is a service like the others, so that nobody reaches it on another way than a
//! service: a token first, then what the token allows.

use std::sync::Arc;
use std::time::Duration;

use super::authorization::authorization;
use super::error::Report;
use super::headers::Rules;
use super::names::{ProviderNames, cluster};
use super::service::{accepted, same_prefix};
use super::wire;
use crate::authorization::{Authorization, Scopes};
use crate::service::{Access, Backend, METRICS_PATH, Methods, PROMETHEUS_TARGET, Service};

/// The scope that callers need unless the configuration says otherwise.
const SCOPE: &str = "ops.read";
/// An Envoy with many clusters has megabytes to tell.
const METRICS_TIMEOUT: Duration = Duration::from_secs(10);

/// `endpoints`, added to the services
pub(super) fn endpoints(
    wire: wire::Endpoints,
    services: Option<&mut Vec<Service>>,
    providers: ProviderNames<'_>,
    rules: &Rules<'_>,
    report: &Report,
) {
    if wire.metrics.is_none() {
        report.add(&wire.path, "says nothing; write metrics, or leave the section out");
    }
    let Some(services) = services else {
        report.add(
            &wire.path,
            "are found by their paths, which takes the section services; write that too",
        );
        return;
    };
    let metrics = wire.metrics.and_then(|wire| metrics(wire, services, providers, report));
    services.extend(metrics.map(|endpoint| Service {
        header_rules: rules.global(),
        ..endpoint
    }));
}

fn metrics(
    wire: wire::MetricsEndpoint,
    services: &[Service],
    providers: ProviderNames<'_>,
    report: &Report,
) -> Option<Service> {
    let path = wire.callers.path.clone();
    if wire.timeout.is_some_and(|timeout| timeout < Duration::from_millis(1)) {
        report.add(
            format!("{path}.timeout"),
            "is too short; write at least \"0.001s\", or leave it out",
        );
    }
    let field = format!("{path}.cluster");
    let cluster = cluster(wire.cluster, &field, report)?;
    let mut open = services.iter();
    if let Some(service) = open.find(|service| service.clusters().any(|known| known == cluster)) {
        report.add(
            field,
            format!(
                "is a cluster of the service {} too, which would show all of it; name the one of Envoy's admin listener",
                service.name
            ),
        );
    }
    let endpoint = endpoint(METRICS_PATH, wire.callers, services, providers, report);
    Some(Service {
        backend: Backend::Resource(PROMETHEUS_TARGET),
        cluster,
        timeout: Some(wire.timeout.unwrap_or(METRICS_TIMEOUT)),
        ..endpoint
    })
}

/// What all endpoints have in common: they are read, by callers whose token allows it, and take no bodies.
fn endpoint(
    prefix: &str,
    callers: wire::Callers,
    services: &[Service],
    providers: ProviderNames<'_>,
    report: &Report,
) -> Service {
    let path = callers.path;
    if let Some(other) = services.iter().find(|other| same_prefix(&other.prefix, prefix)) {
        report.add(
            &path,
            format!(
                "has the path {prefix}, which is the prefix of the service {} too; change that one",
                other.name
            ),
        );
    }
    if providers.is_empty() {
        report.add(&path, "needs a token, but there is no provider to accept one; add one");
    }
    let authorization = match callers.authorization {
        Some(wire) => authorization(wire, prefix, report),
        None => Authorization {
            scopes: Scopes::new(vec![SCOPE.to_owned()], Vec::new()),
            ..Authorization::default()
        },
    };
    Service {
        name: prefix.to_owned(),
        backend: Backend::Server,
        prefix: prefix.to_owned(),
        cluster: String::new(),
        upstream: Vec::new(),
        timeout: None,
        prefix_rewrite: None,
        access: Access::Protected,
        methods: Some(Methods::new(vec!["GET".to_owned()])),
        max_body_bytes: Some(0),
        retries: None,
        providers: accepted(callers.providers, &format!("{path}.providers"), providers, report),
        authorization,
        health_path: None,
        header_rules: Arc::default(),
    }
}
