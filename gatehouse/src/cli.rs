//! What is typed, and the status that comes of it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::check::{self, Checked, Severity};
use crate::explain::{self, Explained};
use crate::paint::Paint;
use crate::redact::Redactor;

/// Checks configurations of the Gatehouse filter, and explains what it decides about a request.
#[derive(Debug, Parser)]
#[command(name = "gatehouse", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
    Explain(Box<Explain>),
}

/// Tells everything that is wrong with configurations of the filter
///
/// Reads the plugin's own configuration (JSON or YAML), a whole Envoy configuration, or a manifest with the plugin in it
/// (Istio's `WasmPlugin` and `EnvoyFilter`, Envoy Gateway's `EnvoyExtensionPolicy`). A native `jwt_authn` filter is checked
/// as Gatehouse would take it.
///
/// Exit status: 0 nothing is wrong (there may be warnings), 1 something is, 2 a file can't be read.
#[derive(Debug, Args)]
struct Check {
    /// The files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Tells step by step what the filter decides about a request, and why
///
/// Nothing is sent anywhere: the filter's own code decides here. No signature is ever printed.
///
/// Exit status: 0 the request is forwarded, 1 it is refused, 2 something given can't be used, 3 it can't be told without
/// keys.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The configuration; any file that `check` reads
    #[arg(long, value_name = "FILE")]
    pub(crate) config: String,
    /// Which plugin, where the file has several
    #[arg(long, value_name = "NAME")]
    pub(crate) plugin: Option<String>,
    /// The request as HTTP/1.1 text: request line, headers, an empty line; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["path", "method"])]
    pub(crate) request: Option<String>,
    /// A token for `Authorization: Bearer`: itself, `@FILE`, or `-` for standard input
    #[arg(long, value_name = "TOKEN", required_unless_present_any = ["request", "path"])]
    pub(crate) token: Option<String>,
    /// The request's path and query
    #[arg(long, default_value = "/")]
    pub(crate) path: String,
    /// The request's method
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,
    /// A further header, `name: value`; may be given more than once
    #[arg(long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// The requirement that the route's metadata names, with `per_route`
    #[arg(long, value_name = "NAME", conflicts_with = "route_disabled")]
    pub(crate) route_requirement: Option<String>,
    /// The route's metadata says `disabled`, with `per_route`
    #[arg(long)]
    pub(crate) route_disabled: bool,
    /// What an earlier filter left in the filter state, with `filter_state_rules`
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter_state: Option<String>,
    /// The key set of a provider with `remote_jwks`, from a file; the name may be left out where there is one provider
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    pub(crate) jwks: Vec<String>,
    /// When the request comes: RFC 3339, or seconds since 1970; now, if it is left out
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// Leave out what the token says
    #[arg(long)]
    pub(crate) hide_claims: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

pub(crate) fn run() -> ExitCode {
    let said = match Cli::try_parse() {
        Ok(cli) => match cli.command {
            Command::Check(arguments) => Ok(check(&arguments)),
            Command::Explain(arguments) => explain(&arguments),
        },
        // What was asked for (`--help`) is no error.
        Err(error) if !error.use_stderr() => Ok((error.to_string(), 0)),
        Err(error) => Err(error.to_string()),
    };
    let (text, status) = said.unwrap_or_else(|complaint| {
        // A complaint may repeat what was typed, and that may be a token.
        let typed: Vec<_> = std::env::args_os()
            .map(std::ffi::OsString::into_encoded_bytes)
            .collect();
        let redactor = Redactor::of_texts(typed.iter().map(Vec::as_slice));
        let complaint = redactor.clean(&complaint);
        let _ = writeln!(std::io::stderr(), "{}", complaint.trim_end());
        (String::new(), 2)
    });
    // Whoever closed the pipe has seen enough; the status is still told.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(status)
}

fn check(arguments: &Check) -> (String, u8) {
    let checked: Vec<Checked> = arguments.files.iter().map(|file| check_file(file)).collect();
    let status = if checked.iter().any(|file| file.unreadable.is_some()) {
        2
    } else {
        u8::from(checked.iter().any(|file| file.count(Severity::Error) > 0))
    };
    let text = match arguments.format {
        Format::Text => check::as_text(&checked, Paint::for_stdout()),
        Format::Json => check::as_json(&checked),
    };
    (text, status)
}

fn check_file(file: &str) -> Checked {
    let name = if file == "-" { "standard input" } else { file };
    match read_text(file) {
        Ok(text) => check::check(name.to_owned(), &text),
        Err(problem) => Checked::unreadable(name.to_owned(), problem),
    }
}

fn explain(arguments: &Explain) -> Result<(String, u8), String> {
    let explained = explain::explain(arguments).map_err(|error| format!("error: {error}"))?;
    let text = match arguments.format {
        Format::Text => explained.as_text(Paint::for_stdout()),
        Format::Json => explained.as_json(),
    };
    Ok((text, status_of(&explained)))
}

fn status_of(explained: &Explained) -> u8 {
    match explained.outcome() {
        explain::Outcome::Passes => 0,
        explain::Outcome::Refused => 1,
        explain::Outcome::Waits => 3,
    }
}

/// A file's bytes; `-` is standard input.
pub(crate) fn read_bytes(file: &str) -> Result<Vec<u8>, String> {
    if file == "-" {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(|error| error.to_string());
    }
    std::fs::read(Path::new(file)).map_err(|error| error.to_string())
}

/// A file's text, without a byte order mark.
pub(crate) fn read_text(file: &str) -> Result<String, String> {
    let text = String::from_utf8(read_bytes(file)?).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
