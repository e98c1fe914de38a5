//! What the issuer counts, in Prometheus' text format. Names begin with `gatehouse_issuer_`.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Which requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    /// The route's pattern, never the path that a client sent.
    pub(crate) endpoint: String,
    /// The method, `OTHER` for unusual ones.
    pub(crate) method: &'static str,
    /// The status code.
    pub(crate) status: u16,
}

/// Which routes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct EndpointLabels {
    /// The route's pattern.
    pub(crate) endpoint: String,
}

/// How a login or a refresh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Tokens were given.
    Succeeded,
    /// Wrong credentials, or a token that gives nothing.
    Refused,
    /// A spent refresh token: somebody else may hold it.
    Reused,
    /// No turn for hashing.
    Busy,
    /// No database or no key.
    Unavailable,
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Succeeded => "succeeded",
            Self::Refused => "refused",
            Self::Reused => "reused",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        })
    }
}

/// How a login or a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabels {
    /// The outcome.
    pub(crate) outcome: Outcome,
}

/// Which kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TokenKind {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

impl EncodeLabelValue for TokenKind {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        })
    }
}

/// Which kind of token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct TokenLabels {
    /// The kind.
    pub(crate) kind: TokenKind,
}

/// What is only known when somebody asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readings {
    /// Open database connections.
    pub(crate) connections_open: i64,
    /// Unused ones of these.
    pub(crate) connections_idle: i64,
    /// Password hashes that happen now.
    pub(crate) hashes_running: i64,
    /// Age of the active key in seconds; none without a key.
    pub(crate) key_age: Option<i64>,
}

/// All counters.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<EndpointLabels, Histogram>,
    logins: Family<OutcomeLabels, Counter>,
    refreshes: Family<OutcomeLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    hashes_running: Gauge,
    hashes_waiting: Gauge,
    connections_open: Gauge,
    connections_idle: Gauge,
    key_age: Gauge,
}

impl Metrics {
    /// Registers everything, at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("gatehouse_issuer");
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| {
                Histogram::new([
                    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
                ])
            }),
            logins: Family::default(),
            refreshes: Family::default(),
            tokens: Family::default(),
            hashes_running: Gauge::default(),
            hashes_waiting: Gauge::default(),
            connections_open: Gauge::default(),
            connections_idle: Gauge::default(),
            key_age: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "http_requests",
            "Requests by route, method and status",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time to an answer",
            metrics.durations.clone(),
        );
        registry.register("logins", "Logins by outcome", metrics.logins.clone());
        registry.register(
            "refreshes",
            "Uses of refresh tokens by outcome",
            metrics.refreshes.clone(),
        );
        registry.register("tokens_issued", "Tokens by kind", metrics.tokens.clone());
        registry.register(
            "password_hashes_running",
            "Password hashes that happen now",
            metrics.hashes_running.clone(),
        );
        registry.register(
            "logins_hashing",
            "Logins that hash or wait to",
            metrics.hashes_waiting.clone(),
        );
        registry.register(
            "database_connections_open",
            "Open connections",
            metrics.connections_open.clone(),
        );
        registry.register(
            "database_connections_idle",
            "Unused connections",
            metrics.connections_idle.clone(),
        );
        registry.register(
            "signing_key_age_seconds",
            "Age of the active key, -1 without one",
            metrics.key_age.clone(),
        );
        // There from the start, so that a rate over them is right from the first one on.
        for outcome in [
            Outcome::Succeeded,
            Outcome::Refused,
            Outcome::Busy,
            Outcome::Unavailable,
        ] {
            drop(metrics.logins.get_or_create(&OutcomeLabels { outcome }));
        }
        for outcome in [
            Outcome::Succeeded,
            Outcome::Refused,
            Outcome::Reused,
            Outcome::Unavailable,
        ] {
            drop(metrics.refreshes.get_or_create(&OutcomeLabels { outcome }));
        }
        for kind in [TokenKind::Access, TokenKind::Refresh] {
            drop(metrics.tokens.get_or_create(&TokenLabels { kind }));
        }
        Self { registry, ..metrics }
    }

    /// Counts an answered request.
    pub(crate) fn request(&self, labels: &RequestLabels, took: Duration) {
        let endpoint = EndpointLabels {
            endpoint: labels.endpoint.clone(),
        };
        self.requests.get_or_create(labels).inc();
        self.durations.get_or_create(&endpoint).observe(took.as_secs_f64());
    }

    /// Counts a login.
    pub(crate) fn login(&self, outcome: Outcome) {
        self.logins.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts the use of a refresh token.
    pub(crate) fn refresh(&self, outcome: Outcome) {
        self.refreshes.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts an access and a refresh token.
    pub(crate) fn pair_issued(&self) {
        for kind in [TokenKind::Access, TokenKind::Refresh] {
            self.tokens.get_or_create(&TokenLabels { kind }).inc();
        }
    }

    /// Counts a login that hashes or waits to, until the guard is dropped.
    pub(crate) fn hashing(&self) -> Hashing {
        self.hashes_waiting.inc();
        Hashing(self.hashes_waiting.clone())
    }

    /// Everything as text.
    pub(crate) fn render(&self, readings: Readings) -> Result<String, fmt::Error> {
        self.connections_open.set(readings.connections_open);
        self.connections_idle.set(readings.connections_idle);
        self.hashes_running.set(readings.hashes_running);
        self.key_age.set(readings.key_age.unwrap_or(-1));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}

/// A login that hashes or waits to.
#[derive(Debug)]
pub(crate) struct Hashing(Gauge);

impl Drop for Hashing {
    fn drop(&mut self) {
        self.0.dec();
    }
}
