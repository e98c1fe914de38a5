//! The token issuer: authenticates people, issues tokens, keeps and publishes the keys they are signed with.
//!
//! `domain` holds the rules and knows nothing else; `postgres` alone knows SQL, `http` alone knows axum, `keyring` holds
//! the keys in memory, `cli` puts it all together.

mod cli;
mod domain;
mod environment;
mod http;
mod keyring;
mod logging;
mod metrics;
mod password_hasher;
mod postgres;
#[cfg(test)]
mod test_support;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
