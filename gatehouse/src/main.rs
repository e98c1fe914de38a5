//! The command `gatehouse`: what the plugin would make of a configuration, and of a request.
//!
//! It stands apart from the plugin because it talks to people: it reads files, YAML and whole Envoy configurations, and
//! prints. What it says comes from the plugin's own code, `Config::parse` and `gate::decide_before`, never from a second
//! understanding of the rules.
#![forbid(unsafe_code)]

mod check;
mod cli;
mod document;
mod explain;
mod paint;
mod plugin;
mod redact;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
