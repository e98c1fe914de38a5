//! The command line: what to run, and with which settings. Every setting can come from the environment.

mod migrate;
mod seed;
mod serve;

use std::fmt;
use std::io;
use std::process::ExitCode;
use std::str::FromStr as _;

use clap::{Args, Parser, Subcommand};
use sqlx::postgres::PgConnectOptions;
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use crate::http::Service;

/// The bank and payment services of the Gatehouse demo.
#[derive(Debug, Parser)]
#[command(name = "demo", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What to log, such as "info" or "info,sqlx=debug". One JSON object a line, to standard error.
    #[arg(long, env = "DEMO_LOG", default_value = "info", global = true)]
    log: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve accounts and balances. Callers are believed whatever the x-user-* headers say: let only the gate reach it.
    Bank(serve::ServeArgs),
    /// Serve transfers and payment requests. Callers are believed whatever the x-user-* headers say: let only the gate
    /// reach it.
    Payment(serve::ServeArgs),
    /// Bring the database's schema up to date.
    Migrate(DatabaseArgs),
    /// Open an account with an opening balance, once per owner and currency.
    Seed(seed::SeedArgs),
}

/// Where the database is.
#[derive(Debug, Args)]
struct DatabaseArgs {
    /// Postgres, such as `postgres://demo:password@127.0.0.1:15432/gatehouse_demo`.
    #[arg(long, env = "DEMO_DATABASE_URL", hide_env_values = true)]
    database_url: DatabaseUrl,
}

/// A URL with a password in it: never shown. clap would repeat a value that its own parser refuses, so it is read later.
#[derive(Clone)]
struct DatabaseUrl(String);

/// The URL of the database can't be read.
#[derive(Debug, Error)]
#[error(
    "DEMO_DATABASE_URL (--database-url) is not a Postgres URL such as postgres://demo:password@127.0.0.1:15432/gatehouse_demo"
)]
struct DatabaseUrlError;

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(hidden)")
    }
}

impl DatabaseArgs {
    fn options(&self) -> Result<PgConnectOptions, DatabaseUrlError> {
        let url = &self.database_url.0;
        // sqlx reads any URL; one of another database would only fail later, and less clearly.
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(DatabaseUrlError);
        }
        PgConnectOptions::from_str(url).map_err(|_| DatabaseUrlError)
    }
}

/// Reads the command line, does it, and says with the exit code whether it went well.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let filter = match EnvFilter::builder().parse(&cli.log) {
        Ok(filter) => filter,
        Err(error) => {
            return clap_error(&format!("DEMO_LOG (--log) is not a filter such as \"info\": {error}"));
        }
    };
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();

    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let result: Result<(), Box<dyn std::error::Error>> = runtime.block_on(async {
        match cli.command {
            Command::Bank(args) => serve::run(Service::Bank, args.database.options()?, &args).await?,
            Command::Payment(args) => serve::run(Service::Payment, args.database.options()?, &args).await?,
            Command::Migrate(args) => migrate::run(args.options()?).await?,
            Command::Seed(args) => seed::run(args.database.options()?, &args).await?,
        }
        Ok(())
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

fn clap_error(message: &str) -> ExitCode {
    use clap::CommandFactory as _;
    Cli::command()
        .error(clap::error::ErrorKind::ValueValidation, message)
        .exit()
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!(cause = %error, "failed");
    ExitCode::FAILURE
}
