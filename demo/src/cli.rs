//! The command line: what to run, and with which settings. Every setting can come from the environment.

mod migrate;
mod seed;
mod serve;

use std::io;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sqlx::postgres::PgConnectOptions;
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
    database_url: PgConnectOptions,
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
            Command::Bank(args) => serve::run(Service::Bank, args).await.map_err(Into::into),
            Command::Payment(args) => serve::run(Service::Payment, args).await.map_err(Into::into),
            Command::Migrate(args) => migrate::run(args).await.map_err(Into::into),
            Command::Seed(args) => seed::run(args).await.map_err(Into::into),
        }
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
