//! RD Gateways and their clients, \[MS-TSGU\], on loopback: every way to fail between a client and the server behind.
//!
//! A [`GatewayScenario`] is data, as a `Scenario` is: what gateway, server and client do, and what is to be said of it. The
//! gateway speaks WebSocket and the two channels of HTTP, refuses RPC, and lets real clients through to a real server.

mod asking;
mod carrier;
pub mod catalogue;
mod client;
mod http;
mod log;
mod ntlm;
mod packet;
mod passage;
mod script;
mod server;
mod serving;
mod sums;
mod tunnel;
mod words;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

pub use catalogue::{GROUPS, Group, scenarios};
pub use client::GatewayReport;
pub use log::{Conversation, Deed, Did, Tell, Told};
pub use ntlm::Account;
pub use script::{ACCOUNT, Answer, GatewayAct, GatewayClient, GatewayScenario, GatewayScript, Scheme, Step, Way};
pub use server::Gateway;

use super::server::Server;
use crate::tls::Keys;

/// Who is told what, while a gateway is played.
#[derive(Debug, Clone, Default)]
pub struct Listeners {
    /// What the gateway does.
    pub tell: Option<Tell>,
    /// The secrets of the outer TLS.
    pub outer: Option<Keys>,
    /// The secrets of the TLS in the tunnel, where the server is the lab's.
    pub inner: Option<Keys>,
}

impl GatewayScenario {
    /// The scenario of that name.
    pub fn named(name: &str) -> Option<&'static GatewayScenario> {
        scenarios().find(|scenario| scenario.name == name)
    }

    /// Starts the gateway, and the server behind it, on loopback ports of the system's choice.
    pub async fn serve(&self) -> io::Result<Gateway> {
        self.serve_on((Ipv4Addr::LOCALHOST, 0).into(), None, Listeners::default()).await
    }

    /// Starts the gateway there, before this target or else before the scenario's own server.
    pub async fn serve_on(
        &self,
        addr: SocketAddr,
        target: Option<SocketAddr>,
        listeners: Listeners,
    ) -> io::Result<Gateway> {
        let Listeners { tell, outer, inner } = listeners;
        let server = match target {
            Some(_) => None,
            None => Some(Server::start_on(self.server, (Ipv4Addr::LOCALHOST, 0).into(), None, inner).await?),
        };
        let behind = server.as_ref().map(|server| server.addr).or(target).unwrap_or(addr);
        let mut gateway = Gateway::start(self.gateway, behind, addr, tell, outer).await?;
        gateway.server = server;
        Ok(gateway)
    }

    /// Plays the client against `gateway`: the gateway's own address, or that of a relay to it.
    pub async fn connect(&self, gateway: SocketAddr) -> GatewayReport {
        client::play(self.client, self.server.session, gateway).await
    }
}
