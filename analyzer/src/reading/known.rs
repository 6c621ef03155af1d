//! What is known of a capture before it is read: secrets, and which of its endpoints are meant for Remote Desktop.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::capture::clock::Clock;
use crate::capture::order::Order;
use crate::timeline::RDP_PORT;
use crate::tls::keys::Keyring;

/// The port of HTTPS, and so of RD Gateways (RFC 9110, 4.2.2).
const GATEWAY_PORT: u16 = 443;

/// What is known before a capture is read.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Secrets that open TLS.
    pub keys: Arc<Keyring>,
    /// Endpoints that are meant for Remote Desktop.
    pub meant: Arc<Meant>,
    /// In which order the packets of a capture are taken.
    pub order: Order,
    /// Where their clock went back.
    pub clock: Clock,
}

impl From<&Arc<Keyring>> for Known {
    fn from(keys: &Arc<Keyring>) -> Known {
        Known { keys: Arc::clone(keys), ..Known::default() }
    }
}

impl From<&Known> for Known {
    fn from(known: &Known) -> Known {
        known.clone()
    }
}

/// Endpoints that are meant for Remote Desktop, whatever is said there. Of a recording of this program's nothing depends on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meant {
    /// Ports that stand for RDP as 3389 does: whoever connects there wants it.
    pub ports: Vec<u16>,
    /// Ports of RD Gateways: TLS there is taken for a tunnel, also where nobody can open it.
    pub gateway_ports: Vec<u16>,
    /// The same by address. Where there are ports, too, a gateway has one of these addresses and one of those ports.
    pub gateway_addresses: Vec<IpAddr>,
}

impl Meant {
    /// Whether whoever connects to this port wants RDP.
    pub(super) fn is_rdp(&self, port: u16) -> bool {
        port == RDP_PORT || self.ports.contains(&port)
    }

    /// Whether TLS with this server is taken for the way through a gateway.
    pub(super) fn is_gateway(&self, server: SocketAddr) -> bool {
        let is_named = !self.gateway_ports.is_empty() || !self.gateway_addresses.is_empty();
        let at_port = self.gateway_ports.is_empty() || self.gateway_ports.contains(&server.port());
        let at_address = self.gateway_addresses.is_empty() || self.gateway_addresses.contains(&server.ip());
        is_named && at_port && at_address && !self.is_rdp(server.port())
    }

    /// Whether whoever connects to this server wants a gateway, also where nothing is said.
    pub(super) fn is_gateway_asked(&self, server: SocketAddr) -> bool {
        let at_port = self.gateway_ports.contains(&server.port()) || server.port() == GATEWAY_PORT;
        at_port && self.is_gateway(server)
    }

    /// Whether the addresses of the gateway are known: then they are of one gateway.
    pub(super) fn has_addresses(&self) -> bool {
        !self.gateway_addresses.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_narrows_what_a_gateway_is() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an endpoint");
        let by_port = Meant { gateway_ports: vec![8443], ..Meant::default() };
        assert!(by_port.is_gateway(at("10.0.0.1:8443")) && !by_port.is_gateway(at("10.0.0.1:443")));
        let by_address = Meant { gateway_addresses: vec![at("10.0.0.1:0").ip()], ..Meant::default() };
        assert!(by_address.is_gateway(at("10.0.0.1:8443")) && !by_address.is_gateway(at("10.0.0.2:443")));
        assert!(!by_address.is_gateway(at("10.0.0.1:3389")), "RDP's own port is no gateway's");
        assert!(by_address.is_gateway_asked(at("10.0.0.1:443")) && !by_address.is_gateway_asked(at("10.0.0.1:22")));
        let both = Meant { gateway_ports: vec![8443], ..by_address };
        assert!(both.is_gateway(at("10.0.0.1:8443")) && !both.is_gateway(at("10.0.0.1:443")));
        assert!(!Meant::default().is_gateway(at("10.0.0.1:443")));
    }
}
