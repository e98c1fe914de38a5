//! The section `endpoints` as it is written.

use std::time::Duration;

use super::services::{Authorization, strings};
use crate::config::reader::Fields;

/// `endpoints`
#[derive(Debug)]
pub(in crate::config) struct Endpoints {
    pub(in crate::config) path: String,
    pub(in crate::config) status: Option<StatusEndpoint>,
    pub(in crate::config) metrics: Option<MetricsEndpoint>,
}

impl Endpoints {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            status: fields.object("status", StatusEndpoint::read),
            metrics: fields.object("metrics", MetricsEndpoint::read),
        }
    }
}

/// Who may use an endpoint.
#[derive(Debug)]
pub(in crate::config) struct Callers {
    pub(in crate::config) path: String,
    pub(in crate::config) providers: Option<Vec<String>>,
    pub(in crate::config) authorization: Option<Authorization>,
}

impl Callers {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.path(),
            providers: strings(fields, "providers"),
            authorization: fields.object("authorization", Authorization::read),
        }
    }
}

/// `endpoints.status`
#[derive(Debug)]
pub(in crate::config) struct StatusEndpoint {
    pub(in crate::config) interval: Option<Duration>,
    pub(in crate::config) timeout: Option<Duration>,
    pub(in crate::config) unhealthy_after: Option<u64>,
    pub(in crate::config) healthy_after: Option<u64>,
    pub(in crate::config) callers: Callers,
}

impl StatusEndpoint {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            interval: fields.duration("interval"),
            timeout: fields.duration("timeout"),
            unhealthy_after: fields.integer("unhealthy_after"),
            healthy_after: fields.integer("healthy_after"),
            callers: Callers::read(fields),
        }
    }
}

/// `endpoints.metrics`
#[derive(Debug)]
pub(in crate::config) struct MetricsEndpoint {
    pub(in crate::config) cluster: String,
    pub(in crate::config) timeout: Option<Duration>,
    pub(in crate::config) callers: Callers,
}

impl MetricsEndpoint {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            cluster: fields.string("cluster").unwrap_or_default(),
            timeout: fields.duration("timeout"),
            callers: Callers::read(fields),
        }
    }
}
