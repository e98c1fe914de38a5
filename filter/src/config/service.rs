//! The section `services`, from the wire to the domain.

use std::time::Duration;

use super::authorization::authorization;
use super::error::Report;
use super::headers::Rules;
use super::names::{ProviderNames, cluster, methods, path_text};
use super::upstream::{Callers, choices};
use super::wire;
use crate::headers::Sanitiser;
use crate::keys::ProviderId;
use crate::service::{
    Access, Backend, HEALTH_PATH, RETRY_ON, RETRY_ON_BY_DEFAULT, RETRY_ON_GRPC, Retries, Service, covers_segments,
};

/// More tries than these make load, not luck.
const MAX_ATTEMPTS: u64 = 10;

/// `services`
pub(super) fn services(
    wire: Vec<(String, wire::Service)>,
    providers: ProviderNames<'_>,
    sanitiser: &Sanitiser,
    rules: &Rules<'_>,
    report: &Report,
) -> Vec<Service> {
    if wire.is_empty() {
        report.add("services", "is empty; describe a service, or leave the section out");
    }
    let mut services: Vec<Service> = Vec::with_capacity(wire.len());
    for (name, wire) in wire {
        let path = wire.path.clone();
        let Some(service) = service(name, wire, providers, sanitiser, rules, report) else {
            continue;
        };
        if let Some(other) = services
            .iter()
            .find(|other| same_prefix(&other.prefix, &service.prefix))
        {
            report.add(
                format!("{path}.prefix"),
                format!("is the prefix of the service {} too", other.name),
            );
        }
        if service.access == Access::Protected && providers.is_empty() {
            report.add(
                &path,
                "is protected, but there is no provider to accept tokens; add one, or write public: true",
            );
        }
        services.push(service);
    }
    services
}

fn service(
    name: String,
    wire: wire::Service,
    providers: ProviderNames<'_>,
    sanitiser: &Sanitiser,
    rules: &Rules<'_>,
    report: &Report,
) -> Option<Service> {
    let path = wire.path;
    let field = |name: &str| format!("{path}.{name}");
    if wire
        .timeout
        .is_some_and(|timeout| !timeout.is_zero() && timeout < Duration::from_millis(1))
    {
        report.add(
            field("timeout"),
            "is too short; write at least \"0.001s\", \"0s\" for no limit, or leave it to Envoy's route",
        );
    }
    let prefix = path_text(wire.prefix, &field("prefix"), report);
    if prefix
        .as_ref()
        .is_some_and(|prefix| prefix != "/" && covers_segments(HEALTH_PATH, prefix))
    {
        report.add(
            field("prefix"),
            format!("is {HEALTH_PATH}, which the gate answers itself; choose another"),
        );
    }
    let rewrite = match wire.prefix_rewrite {
        Some(rewrite) => Some(path_text(rewrite, &field("prefix_rewrite"), report)?),
        None => None,
    };
    let health_path = wire
        .health_path
        .and_then(|text| path_text(text, &field("health_path"), report));
    let cluster = cluster(wire.cluster, &field("cluster"), report);
    for (field_name, text) in [
        ("prefix", &prefix),
        ("prefix_rewrite", &rewrite),
        ("health_path", &health_path),
    ] {
        if text
            .as_ref()
            .is_some_and(|text| text.contains("//") || text.contains('%'))
        {
            report.add(
                field(field_name),
                "has // or %, which no path that reaches a service has",
            );
        }
    }
    if wire.public {
        for (field_name, is_there) in [
            ("providers", wire.providers.is_some()),
            ("authorization", wire.authorization.is_some()),
        ] {
            if is_there {
                report.add(
                    field(field_name),
                    "asks something of callers, but the service is public and has none; take one of the two out",
                );
            }
        }
    }
    let callers = if wire.public { Callers::Unknown } else { Callers::Known };
    let upstream = wire
        .upstream
        .map(|wire| choices(wire, &field("upstream"), callers, sanitiser, report));
    let header_rules = rules.service(wire.headers, wire.cors);
    let prefix = prefix?;
    Some(Service {
        name,
        backend: Backend::Server,
        authorization: wire
            .authorization
            .map(|wire| authorization(wire, &prefix, report))
            .unwrap_or_default(),
        prefix,
        cluster: cluster?,
        upstream: upstream.unwrap_or_default(),
        timeout: wire.timeout,
        prefix_rewrite: rewrite,
        access: if wire.public { Access::Public } else { Access::Protected },
        methods: wire.methods.map(|names| methods(names, &field("methods"), report)),
        max_body_bytes: wire.max_body_bytes,
        retries: wire.retries.map(|wire| retries(wire, report)),
        providers: accepted(wire.providers, &field("providers"), providers, report),
        health_path,
        header_rules,
    })
}

pub(super) fn same_prefix(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// `providers` of a service
pub(super) fn accepted(
    wire: Option<Vec<String>>,
    path: &str,
    providers: ProviderNames<'_>,
    report: &Report,
) -> Vec<ProviderId> {
    let Some(names) = wire else { return Vec::new() };
    if names.is_empty() {
        report.add(path, "is empty; name providers, or leave it out to accept all of them");
    }
    let names = names.iter().enumerate();
    names
        .filter_map(|(index, name)| providers.find(name, &format!("{path}[{index}]"), report))
        .collect()
}

fn retries(wire: wire::Retries, report: &Report) -> Retries {
    let path = wire.path;
    let attempts = wire.attempts.unwrap_or(u64::MAX);
    if attempts > MAX_ATTEMPTS {
        report.add(
            format!("{path}.attempts"),
            format!("is missing or too large; write a number from 0 to {MAX_ATTEMPTS}"),
        );
    }
    if wire
        .per_try_timeout
        .is_some_and(|timeout| timeout < Duration::from_millis(1))
    {
        report.add(
            format!("{path}.per_try_timeout"),
            "is too short; write at least \"0.001s\"",
        );
    }
    let (mut on, mut on_grpc) = (Vec::new(), Vec::new());
    match wire.on {
        None => on.extend(RETRY_ON_BY_DEFAULT),
        Some(names) => {
            if names.is_empty() {
                report.add(format!("{path}.on"), "is empty; say after what, or leave it out");
            }
            for (index, name) in names.iter().enumerate() {
                let known = |table: &[&'static str]| table.iter().copied().find(|known| known == name);
                match (known(&RETRY_ON), known(&RETRY_ON_GRPC)) {
                    (Some(event), _) => on.push(event),
                    (None, Some(status)) => on_grpc.push(status),
                    (None, None) => report.add(
                        format!("{path}.on[{index}]"),
                        format!(
                            "is nothing that Envoy retries after; write some of: {}, {}",
                            RETRY_ON.join(", "),
                            RETRY_ON_GRPC.join(", ")
                        ),
                    ),
                }
            }
        }
    }
    Retries {
        attempts,
        on,
        on_grpc,
        per_try_timeout: wire.per_try_timeout,
    }
}
