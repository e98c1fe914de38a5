//! `token-issuer serve`.

use std::{
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::timeout,
};

use super::{
    CommandError,
    settings::{DatabaseSettings, PasswordSettings},
};
use crate::{
    domain::{
        claims::Parties,
        lifetime::{Lifetime, Lifetimes},
    },
    environment::{SystemClock, SystemEntropy},
    http::{self, App},
    keyring::{
        Keyring,
        bring_up::{BringUp, OldSchema},
        kek::KeyEncryptionKey,
    },
    metrics::Metrics,
};

/// How often a replica looks whether another one changed the keys.
const KEYS_INTERVAL: Duration = Duration::from_secs(30);

/// Serve the endpoints.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    passwords: PasswordSettings,
    /// Address to listen on.
    #[arg(long, env = "GATEHOUSE_LISTEN", default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
    /// The `iss` of the tokens: the address under which clients know the gate.
    #[arg(long, env = "GATEHOUSE_ISSUER", default_value = "http://localhost:8080")]
    issuer: String,
    /// The `aud` of access tokens.
    #[arg(long, env = "GATEHOUSE_AUDIENCE", default_value = "gatehouse")]
    audience: String,
    /// File with the key-encryption key, under which signing keys are stored.
    #[arg(long, env = "GATEHOUSE_KEY_ENCRYPTION_KEY_FILE")]
    key_encryption_key_file: Option<PathBuf>,
    /// How long an access token lives.
    #[arg(long, env = "GATEHOUSE_ACCESS_TOKEN_LIFETIME", default_value = "5m")]
    access_token_lifetime: Lifetime,
    /// How long a refresh token may lie unused.
    #[arg(long, env = "GATEHOUSE_REFRESH_TOKEN_LIFETIME", default_value = "1d")]
    refresh_token_lifetime: Lifetime,
    /// How long after a login its refresh tokens end, however often they were rotated.
    #[arg(long, env = "GATEHOUSE_REFRESH_FAMILY_LIFETIME", default_value = "30d")]
    refresh_family_lifetime: Lifetime,
    /// Directory that /media/ serves; nothing when left out.
    #[arg(long, env = "GATEHOUSE_MEDIA_DIR")]
    media_dir: Option<String>,
    /// Most connections to the database.
    #[arg(long, env = "GATEHOUSE_DATABASE_CONNECTIONS", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    database_connections: u32,
    /// How long requests in flight may take to end when the service is told to stop.
    #[arg(long, env = "GATEHOUSE_SHUTDOWN_TIMEOUT", default_value = "10s")]
    shutdown_timeout: Lifetime,
    /// Bring the database schema up to date first.
    #[arg(long)]
    migrate: bool,
}

impl Serve {
    /// Serves until it is told to stop.
    pub(super) async fn run(self) -> Result<(), CommandError> {
        // First of all: a signal that comes while the keys are loaded counts too.
        let told_to_stop = stop_signal()?;
        let kek_file = self.key_encryption_key_file.as_deref().ok_or(CommandError::NoKekFile)?;
        let kek = KeyEncryptionKey::from_file(kek_file)?;
        // An empty variable is one that is not set: Compose files can't leave one out.
        let media_dir = self.media_dir.filter(|directory| !directory.is_empty());
        if let Some(directory) = media_dir.as_ref().filter(|directory| !Path::new(directory).is_dir()) {
            return Err(CommandError::MediaDir(directory.clone()));
        }
        let database = self.database.database(self.database_connections)?;
        let keyring = Keyring::empty();
        let bring_up = BringUp {
            database: database.clone(),
            kek,
            keyring: keyring.clone(),
            clock: SystemClock,
            old_schema: if self.migrate {
                OldSchema::Migrate
            } else {
                OldSchema::Refuse
            },
        };
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|source| CommandError::Listen {
                address: self.listen.to_string(),
                source,
            })?;

        // A database that is away is no reason not to start: the service says so when asked, and works once it is back.
        match bring_up.run().await {
            Ok(()) => {}
            Err(error) if error.is_passing() => tracing::warn!(%error, "starting without a database"),
            Err(error) => return Err(error.into()),
        }
        let app = App {
            database: database.clone(),
            keyring: keyring.clone(),
            hasher: self.passwords.hasher()?,
            metrics: Metrics::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::default()),
            parties: Parties {
                issuer: self.issuer,
                audience: self.audience,
            },
            lifetimes: Lifetimes {
                access: self.access_token_lifetime,
                refresh: self.refresh_token_lifetime,
                refresh_family: self.refresh_family_lifetime,
            },
            media_dir: media_dir.map(PathBuf::from),
        };
        tracing::info!(
            listen = %listener.local_addr()?,
            issuer = app.parties.issuer,
            audience = app.parties.audience,
            kid = keyring.current().map(|keys| keys.signer.kid().to_string()),
            "serving"
        );
        let outcome = tokio::select! {
            outcome = serve(listener, app, told_to_stop, self.shutdown_timeout.duration()) => outcome,
            error = bring_up.keep_up(KEYS_INTERVAL) => Err(error.into()),
        };
        // Not waited for without bound: a connection that hangs must not keep the process alive.
        let _ = timeout(Duration::from_secs(2), database.close()).await;
        outcome
    }
}

/// Serves until `told_to_stop`, then lets requests in flight end for at most `grace`.
async fn serve(
    listener: TcpListener,
    app: App,
    told_to_stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> Result<(), CommandError> {
    let (stopping, mut stopped) = watch::channel(());
    let server = axum::serve(listener, http::router(app)).with_graceful_shutdown(async move {
        told_to_stop.await;
        tracing::info!("stopping: no new connections, requests in flight may end");
        drop(stopping);
    });
    tokio::select! {
        outcome = async { server.await } => outcome.map_err(CommandError::Serve)?,
        () = async {
            // Ends with an error when the sender is dropped, which is the signal.
            let _ = stopped.changed().await;
            tokio::time::sleep(grace).await;
        } => tracing::warn!(seconds = grace.as_secs(), "some requests did not end in time"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// Resolves with the first SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, CommandError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
