//! The address of a client, as the proxy determined it.
//!
//! How many proxies stand in front, and which of them are believed, is the proxy's own setting (`use_remote_address`,
//! `xff_num_trusted_hops`); no header is read here, so there is none to forge.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// An IP address. An IPv4 address that came as an IPv6 one (RFC 4291, section 2.5.5.2) is the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Reads Envoy's attribute `source.address`: an address and a port. `None` for what is no IP address, such as the path
    /// of a Unix socket.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let address = text.parse::<SocketAddr>().map(|address| address.ip());
        let address = address.or_else(|_| text.parse::<IpAddr>()).ok()?;
        Some(Self(address.to_canonical()))
    }

    /// The bytes of the network that counts as one client: an IPv4 address as it is, of an IPv6 one the first bits (a
    /// household or a machine commonly has 64, and could take any address in it).
    #[must_use]
    pub fn network(self, ipv6_bits: u8) -> Vec<u8> {
        match self.0 {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => {
                let host_bits = 128_u32.saturating_sub(ipv6_bits.into());
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or_default();
                (address.to_bits() & mask).to_be_bytes().to_vec()
            }
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn addresses_are_read_with_and_without_a_port() {
        for (text, expected) in [
            (&b"192.0.2.1:443"[..], Some("192.0.2.1")),
            (b"192.0.2.1", Some("192.0.2.1")),
            (b"[2001:db8::1]:443", Some("2001:db8::1")),
            (b"2001:db8::1", Some("2001:db8::1")),
            (b"[::ffff:192.0.2.1]:443", Some("192.0.2.1")),
            (b"/run/envoy.sock", None),
            (b"envoy://internal", None),
            (b"", None),
            (b"192.0.2.1:443:1", None),
            (b"192.0.2.256", None),
            (b"\xff\xfe", None),
        ] {
            let address = ClientAddress::parse(text).map(|address| address.to_string());
            assert_eq!(address.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn an_ipv6_network_is_as_wide_as_was_said() {
        let network = |text: &str, bits| ClientAddress::parse(text.as_bytes()).map(|address| address.network(bits));
        for (one, other, bits, same) in [
            ("2001:db8::1", "2001:db8::ffff:2", 64, true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", 64, false),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", 56, true),
            ("2001:db8::1", "2001:db8::2", 128, false),
            ("2001:db8::1", "2001:db8::1", 128, true),
            ("2001:db8::1", "a001:db8::1", 1, false),
            ("192.0.2.1", "192.0.2.2", 1, false),
        ] {
            assert_eq!(
                network(one, bits) == network(other, bits),
                same,
                "{one} {other} /{bits}"
            );
        }
    }
}
