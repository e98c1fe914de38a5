//! `token-issuer health`: asks a service on this machine, so that a container image needs no other program to ask with.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use clap::Args;

use super::CommandError;

/// Longer than the service takes to find its database away.
const PATIENCE: Duration = Duration::from_secs(4);

/// Ask a service on this machine whether it is ready. Prints its answer; fails when it is not.
#[derive(Debug, Args)]
pub(super) struct Health {
    /// Address that the service listens on.
    #[arg(long, env = "GATEHOUSE_LISTEN", default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
}

impl Health {
    /// Asks once.
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let address = reachable(self.listen);
        let answer = ask(address).map_err(|source| CommandError::NoAnswer { address, source })?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        if head.starts_with("HTTP/1.1 200 ") {
            Ok(writeln!(io::stdout(), "{body}")?)
        } else {
            Err(CommandError::NotReady(address, body.to_owned()))
        }
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
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_service_on_all_addresses_is_asked_on_this_machine() {
        for (listen, expected) in [
            ("0.0.0.0:8001", "127.0.0.1:8001"),
            ("[::]:8001", "[::1]:8001"),
            ("127.0.0.1:9", "127.0.0.1:9"),
            ("10.1.2.3:9", "10.1.2.3:9"),
        ] {
            assert_eq!(
                reachable(listen.parse().unwrap()),
                expected.parse().unwrap(),
                "{listen}"
            );
        }
    }
}
