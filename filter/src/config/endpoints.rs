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
use super::sections::within;
use super::service::{accepted, same_prefix};
use super::wire;
use crate::authorization::{Authorization, Scopes};
use crate::service::{Access, Backend, METRICS_PATH, Methods, PROMETHEUS_TARGET, STATUS_PATH, Service};
use crate::status::Probing;

/// The scope that callers need unless the configuration says otherwise.
const SCOPE: &str = "ops.read";
/// An Envoy with many clusters has megabytes to tell.
const METRICS_TIMEOUT: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(10);
/// Workers look once in a second what is to be done.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
const MAX_INTERVAL: Duration = Duration::from_hours(1);
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// What was seen last counts.
const ANSWERS: u64 = 1;
const MAX_ANSWERS: u64 = 100;

/// `endpoints`, added to the services; and how these are asked for their health, if they are
pub(super) fn endpoints(
    wire: wire::Endpoints,
    services: Option<&mut Vec<Service>>,
    providers: ProviderNames<'_>,
    rules: &Rules<'_>,
    report: &Report,
) -> Option<Probing> {
    if wire.metrics.is_none() && wire.status.is_none() {
        report.add(
            &wire.path,
            "says nothing; write status or metrics, or leave the section out",
        );
    }
    let Some(services) = services else {
        report.add(
            &wire.path,
            "are found by their paths, which takes the section services; write that too",
        );
        return None;
    };
    let metrics = wire.metrics.and_then(|wire| metrics(wire, services, providers, report));
    let status = wire.status.map(|wire| status(wire, services, providers, report));
    let (probing, status) = status.unzip();
    services.extend(metrics.into_iter().chain(status).map(|endpoint| Service {
        header_rules: rules.endpoint(),
        ..endpoint
    }));
    probing
}

fn status(
    wire: wire::StatusEndpoint,
    services: &[Service],
    providers: ProviderNames<'_>,
    report: &Report,
) -> (Probing, Service) {
    let path = wire.callers.path.clone();
    let field = |name: &str| format!("{path}.{name}");
    let interval = wire.interval.unwrap_or(INTERVAL);
    if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&interval) {
        report.add(field("interval"), "is out of range; write from \"1s\" to \"3600s\"");
    }
    let timeout = wire.timeout.unwrap_or(PROBE_TIMEOUT.min(interval));
    if timeout < Duration::from_millis(1) || timeout > interval {
        report.add(
            field("timeout"),
            "is out of range; write at least \"0.001s\", and no more than the interval",
        );
    }
    if services.iter().all(|service| service.health_path.is_none()) {
        report.warn(&path, "asks nobody, since no service has a health_path");
    }
    let answers = |value: Option<u64>, name: &str| {
        let number = within(value, ANSWERS, MAX_ANSWERS, &field(name), report);
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    let probing = Probing {
        interval,
        timeout,
        unhealthy_after: answers(wire.unhealthy_after, "unhealthy_after"),
        healthy_after: answers(wire.healthy_after, "healthy_after"),
    };
    let endpoint = endpoint(STATUS_PATH, wire.callers, services, providers, report);
    let status = Service {
        backend: Backend::Status,
        ..endpoint
    };
    (probing, status)
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
