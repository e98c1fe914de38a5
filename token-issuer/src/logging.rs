//! Structured logs: one JSON object a line, to standard error, so that standard output stays for what a command answers.

use std::io;

use thiserror::Error;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// Why logging could not begin.
#[derive(Debug, Error)]
pub(crate) enum LoggingError {
    /// The filter is none.
    #[error("GATEHOUSE_LOG is no log filter: {0}; write a level such as info, or targets such as warn,sqlx=info")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody else has begun it.
    #[error("logging was begun twice")]
    Twice,
}

/// Begins logging what the filter lets through.
pub(crate) fn begin(filter: &str) -> Result<(), LoggingError> {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(EnvFilter::try_new(filter)?)
        .with(lines)
        .try_init()
        .map_err(|_| LoggingError::Twice)?;
    // A mistake of ours is a log line like any other; its place tells enough, and its words might hold a value.
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(place = panic.location().map(ToString::to_string), "panicked");
    }));
    Ok(())
}
