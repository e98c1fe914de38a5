//! `demo seed`: opens an account, so that a demo user has money to move.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use thiserror::Error;

use super::DatabaseArgs;
use crate::domain::id::UserId;
use crate::domain::money::{Balance, Currency};
use crate::postgres::accounts::{self, Opened};
use crate::postgres::{self, PoolSettings, StoreError};

/// Whose account, and what it holds at first.
#[derive(Debug, Args)]
pub(super) struct SeedArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// The owner's user id, a UUID: the token's `sub`.
    #[arg(long, value_parser = parse_user)]
    owner: UserId,
    /// The owner's name.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: String,
    /// What the account holds at first, in minor units (100000 is 1000.00 EUR). An account that is there is left alone.
    #[arg(long, value_parser = parse_balance)]
    balance: Balance,
    /// The account's currency.
    #[arg(long, default_value = "EUR")]
    currency: Currency,
}

/// Why no account was opened.
#[derive(Debug, Error)]
pub(super) enum SeedError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The result could not be written.
    #[error("the result could not be written: {0}")]
    Output(#[from] io::Error),
}

fn parse_user(text: &str) -> Result<UserId, &'static str> {
    UserId::parse(text).ok_or("must be a UUID, such as 0190163d-8694-739b-aea5-966c26f8ad91")
}

fn parse_balance(text: &str) -> Result<Balance, String> {
    let minor_units: i64 = text
        .parse()
        .map_err(|_| "must be a whole number of minor units".to_owned())?;
    Balance::try_from(minor_units).map_err(|error| error.to_string())
}

/// Opens the account and prints it as one line of JSON, with `created` telling whether it is new.
pub(super) async fn run(database: PgConnectOptions, args: &SeedArgs) -> Result<(), SeedError> {
    let settings = PoolSettings {
        max_connections: 1,
        acquire_timeout: Duration::from_secs(10),
    };
    let pool = postgres::pool(database, settings);
    let opened = accounts::open(&pool, args.owner, &args.name, &args.currency, args.balance).await;
    pool.close().await;
    let (account, created) = match opened? {
        Opened::Now(account) => (account, true),
        Opened::Before(account) => (account, false),
    };
    let line = json!({
        "id": account.id,
        "owner": account.owner,
        "owner_name": account.owner_name,
        "currency": account.currency.as_str(),
        "balance": account.balance.minor_units(),
        "created": created,
    });
    writeln!(io::stdout(), "{line}")?;
    Ok(())
}
