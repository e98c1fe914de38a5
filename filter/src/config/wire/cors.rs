//! The sections `cors` as they are written.

use std::time::Duration;

use crate::config::reader::Fields;

/// `cors`, of all requests or of one service
#[derive(Debug)]
pub(in crate::config) enum CorsSection {
    /// `false`: the service answers itself.
    Off,
    /// `true`, which says too little.
    On(String),
    /// A policy.
    Policy(Cors),
}

impl CorsSection {
    pub(in crate::config::wire) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let path = fields.path_of("cors");
        fields.switch_or_object(
            "cors",
            |on| if on { Self::On(path) } else { Self::Off },
            |fields| Self::Policy(Cors::read(fields)),
        )
    }
}

/// A policy.
#[derive(Debug)]
pub(in crate::config) struct Cors {
    pub(in crate::config) path: String,
    pub(in crate::config) allow_origins: Vec<String>,
    pub(in crate::config) allow_methods: Option<Vec<String>>,
    pub(in crate::config) allow_headers: Option<Vec<String>>,
    pub(in crate::config) expose_headers: Option<Vec<String>>,
    pub(in crate::config) allow_credentials: bool,
    pub(in crate::config) max_age: Option<Duration>,
    pub(in crate::config) allow_private_network: bool,
}

impl Cors {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut list = |name| fields.has(name).then(|| fields.strings(name));
        let [allow_methods, allow_headers, expose_headers] =
            ["allow_methods", "allow_headers", "expose_headers"].map(&mut list);
        Self {
            path: fields.path(),
            allow_origins: fields.strings("allow_origins"),
            allow_methods,
            allow_headers,
            expose_headers,
            allow_credentials: fields.flag("allow_credentials").unwrap_or_default(),
            max_age: fields.duration("max_age"),
            allow_private_network: fields.flag("allow_private_network").unwrap_or_default(),
        }
    }
}
