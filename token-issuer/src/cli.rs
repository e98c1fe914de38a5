//! The command line: what each command needs from settings, and how it is put together from the other rooms.

mod health;
mod keys;
mod migrate;
mod serve;
mod settings;
mod users;

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use thiserror::Error;

use crate::{
    domain::{password::PolicyError, scope::ScopeError, username::UsernameError},
    environment::EntropyError,
    keyring::{bring_up::BringUpError, kek::KekFileError},
    logging::{self, LoggingError},
    password_hasher::HashError,
    postgres::{DatabaseError, DatabaseUrlError},
};

/// Authenticates people, issues tokens, keeps and publishes the keys they are signed with.
#[derive(Debug, Parser)]
#[command(name = "token-issuer", version, about)]
struct Arguments {
    /// What to log: a level, or targets with levels.
    #[arg(long, env = "GATEHOUSE_LOG", default_value = "info,sqlx=warn", global = true)]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the endpoints.
    Serve(Box<serve::Serve>),
    /// Ask a service on this machine whether it is ready; for container health checks.
    Health(health::Health),
    /// Bring the database schema up to date.
    Migrate(migrate::Migrate),
    /// Look at signing keys, make a key-encryption key.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Create, list, disable and enable users, set passwords.
    #[command(subcommand)]
    Users(users::Users),
}

/// Why a command failed. Each message says what to do about it.
#[derive(Debug, Error)]
enum CommandError {
    #[error(transparent)]
    Logging(#[from] LoggingError),
    #[error("no database is named: set GATEHOUSE_DATABASE_URL to postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    NoDatabaseUrl,
    #[error(
        "no key-encryption key is named: set GATEHOUSE_KEY_ENCRYPTION_KEY_FILE to a file that holds one; make one with `token-issuer keys generate-kek > FILE`"
    )]
    NoKekFile,
    #[error("GATEHOUSE_DATABASE_URL is no address of a database: {0}")]
    DatabaseUrl(DatabaseUrlError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Kek(#[from] KekFileError),
    #[error(transparent)]
    BringUp(#[from] BringUpError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error(transparent)]
    Username(#[from] UsernameError),
    #[error(transparent)]
    Scope(#[from] ScopeError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("{0}; run `token-issuer migrate` first")]
    Schema(crate::postgres::schema::SchemaState),
    #[error("cannot listen on {address}: {source}; set GATEHOUSE_LISTEN")]
    Listen { address: String, source: io::Error },
    #[error("the server ended: {0}")]
    Serve(#[source] io::Error),
    #[error("the media directory {0} is no directory; set GATEHOUSE_MEDIA_DIR or leave it out")]
    MediaDir(String),
    #[error("the service at {address} gives no answer: {source}")]
    NoAnswer { address: SocketAddr, source: io::Error },
    #[error("the service at {0} is not ready: {1}")]
    NotReady(SocketAddr, String),
    #[error("no user is called {0}")]
    NoSuchUser(String),
    #[error("a user called {0} exists already")]
    NameTaken(String),
    #[error("no password came in: {0}")]
    NoPassword(&'static str),
    #[error("cannot read or write: {0}")]
    Terminal(#[from] io::Error),
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When not even standard error can be written to, the exit code has to do.
            let _ = writeln!(io::stderr(), "token-issuer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), CommandError> {
    logging::begin(&arguments.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(serve) => serve.run().await,
            Command::Health(health) => health.run(),
            Command::Migrate(migrate) => migrate.run().await,
            Command::Keys(keys) => keys.run().await,
            Command::Users(users) => users.run().await,
        }
    })
}

/// Writes a line of JSON to standard output: what a command answers, for people and scripts alike.
fn answer(value: &serde_json::Value) -> Result<(), CommandError> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    Ok(io::stdout().write_all(line.as_bytes())?)
}
