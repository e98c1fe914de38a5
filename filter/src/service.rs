//! From the path to the service behind the gate: which one, at which cluster, under which path, on which terms.

mod catalogue;
mod path;
mod terms;
mod upstream;

pub use catalogue::{Access, Backend, Catalogue, Service, covers_segments};
pub(crate) use path::percent_encoded;
pub use path::{CleanPath, DangerousPath};
pub use terms::{
    BodyError, Methods, RETRY_ON, RETRY_ON_BY_DEFAULT, RETRY_ON_GRPC, Retries, check_body, instruct_router,
};
pub use upstream::{Choice, Otherwise, Selector, Share, UpstreamError, WHOLE};

/// The header that a route's `cluster_header` reads.
pub const CLUSTER_HEADER: &str = "x-gatehouse-cluster";

/// Where the gate itself says that it stands.
pub const HEALTH_PATH: &str = "/health/";

/// Where the gate shows the proxy's statistics and its own, if it is asked to.
pub const METRICS_PATH: &str = "/metrics/";

/// Where the gate shows how the services are, if it is asked to.
pub const STATUS_PATH: &str = "/services/status/";

/// The one resource of Envoy's admin interface that is shown there.
pub const PROMETHEUS_TARGET: &str = "/stats/prometheus";
