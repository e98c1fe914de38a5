//! `demo health`: asks a service on this machine, so that a container image needs no other program to ask with.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;
use thiserror::Error;

/// Longer than the services take to find their database away.
const PATIENCE: Duration = Duration::from_secs(12);

/// Whom to ask.
#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// The address that the service listens on.
    #[arg(long, env = "DEMO_LISTEN")]
    listen: SocketAddr,
}

/// Why a service does not count as healthy.
#[derive(Debug, Error)]
pub(super) enum HealthError {
    /// Nobody answers.
    #[error("no answer from {address}: {cause}")]
    NoAnswer {
        /// Who was asked.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// It says that it is not ready.
    #[error("the service on {address} is not ready: {answer}")]
    NotReady {
        /// Who was asked.
        address: SocketAddr,
        /// What it says.
        answer: String,
    },
}

/// Asks once. The service's own words go to standard output.
pub(super) fn run(args: &HealthArgs) -> Result<(), HealthError> {
    let address = reachable(args.listen);
    let no_answer = |cause| HealthError::NoAnswer { address, cause };
    let answer = ask(address).map_err(no_answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        writeln!(io::stdout(), "{body}").map_err(no_answer)
    } else {
        let answer = body.to_owned();
        Err(HealthError::NotReady { address, answer })
    }
}

/// Where a service that listens on all addresses can be asked.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
