//! From the path to the service behind the gate: which one, at which cluster, under which path, for how long.

mod catalogue;
mod path;

pub use catalogue::{Access, Catalogue, Service, covers_segments};
pub(crate) use path::percent_encoded;
pub use path::{CleanPath, DangerousPath};

/// The header that a route's `cluster_header` reads.
pub const CLUSTER_HEADER: &str = "x-gatehouse-cluster";

/// The header by which Envoy's router takes a request's timeout.
pub const TIMEOUT_HEADER: &str = "x-envoy-upstream-rq-timeout-ms";

/// Where the gate itself says that it stands.
pub const HEALTH_PATH: &str = "/health/";
