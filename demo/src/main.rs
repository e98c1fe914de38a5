//! The bank and the payment service of the demo mesh, in one binary.
//!
//! They stand behind the gate and know their callers only from the headers that it sets. What they are for: to have
//! something behind the gate that is worth guarding, small, and right with money.
#![forbid(unsafe_code)]

mod cli;
mod domain;
mod http;
mod postgres;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
