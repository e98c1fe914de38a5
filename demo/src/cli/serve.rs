//! `demo bank` and `demo payment`: serves until it is told to stop, then finishes what it has begun.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use clap::Args;
use sqlx::postgres::PgConnectOptions;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::DatabaseArgs;
use crate::http::{self, AppState, Service};
use crate::postgres::{self, PoolSettings};

/// How long requests that have begun may take after the signal to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How long a request may take. Beyond the database's own limits, so that those speak first.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// How to serve.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Where to listen [default: 127.0.0.1:8002 for the bank, 127.0.0.1:8003 for payment].
    #[arg(long, env = "DEMO_LISTEN")]
    listen: Option<SocketAddr>,
    /// How many connections to Postgres at most.
    #[arg(long, env = "DEMO_MAX_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_connections: u32,
    /// How many seconds a request waits for a connection before it is answered with 503.
    #[arg(long, env = "DEMO_ACQUIRE_TIMEOUT", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=10))]
    acquire_timeout: u64,
}

/// Why a service could not serve.
#[derive(Debug, Error)]
pub(super) enum ServeError {
    /// The address is taken or not ours.
    #[error("can't listen on {address}: {cause}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// The signals of the operating system can't be had.
    #[error("can't wait for signals: {0}")]
    Signals(io::Error),
    /// The server ended.
    #[error("the server ended: {0}")]
    Server(io::Error),
}

/// Serves until SIGTERM or SIGINT.
pub(super) async fn run(service: Service, database: PgConnectOptions, args: &ServeArgs) -> Result<(), ServeError> {
    let settings = PoolSettings {
        max_connections: args.max_connections,
        acquire_timeout: Duration::from_secs(args.acquire_timeout),
    };
    let options = database.application_name(&format!("gatehouse-demo-{}", service.name()));
    let pool = postgres::pool(options, settings);
    let address = args.listen.unwrap_or_else(|| default_address(service));
    let listener = TcpListener::bind(address)
        .await
        .map_err(|cause| ServeError::Listen { address, cause })?;
    let address = listener.local_addr().unwrap_or(address);
    // Small answers go out at once instead of waiting for more to send.
    let listener = listener.tap_io(|stream| {
        if let Err(cause) = stream.set_nodelay(true) {
            tracing::debug!(%cause, "no TCP_NODELAY");
        }
    });

    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    let (stop, stopped) = watch::channel(());
    let router = http::router(AppState {
        service,
        pool: pool.clone(),
        request_timeout: REQUEST_TIMEOUT,
    });
    let mut wait_for_stop = stopped.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is a stop as well.
        let _ = wait_for_stop.changed().await;
    });
    tracing::info!(service = service.name(), %address, "serving");

    let mut server = tokio::spawn(server.into_future());
    let ended = tokio::select! {
        ended = &mut server => Some(ended),
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
    };
    let ended = if ended.is_some() {
        ended
    } else {
        tracing::info!(service = service.name(), "stopping");
        stop.send_replace(());
        tokio::time::timeout(DRAIN, &mut server).await.ok()
    };
    match ended {
        Some(Ok(result)) => result.map_err(ServeError::Server)?,
        Some(Err(crashed)) => return Err(ServeError::Server(io::Error::other(crashed))),
        None => {
            tracing::warn!(
                service = service.name(),
                "some requests did not end in time and are given up"
            );
            server.abort();
        }
    }
    // Bounded: a connection to a Postgres that is away must not keep the process.
    if tokio::time::timeout(Duration::from_secs(2), pool.close())
        .await
        .is_err()
    {
        tracing::warn!(
            service = service.name(),
            "the database connections did not close in time"
        );
    }
    tracing::info!(service = service.name(), "stopped");
    Ok(())
}

fn default_address(service: Service) -> SocketAddr {
    let port = match service {
        Service::Bank => 8002,
        Service::Payment => 8003,
    };
    SocketAddr::from(([127, 0, 0, 1], port))
}
