//! The lab: peers on loopback with which every way to fail, up to TLS, can be played on real TCP and with real TLS.
//!
//! A [`Scenario`] is data: how a server and a client behave, and what is to be said of it. `serve` starts the server,
//! `connect` plays the client against it, or against a relay that stands in between. Nothing in here knows the relay,
//! the recorder or the analyzer's verdict; the server's log and the client's report are the truth to compare with.

pub mod catalogue;
pub mod certificate;
mod client;
pub mod dns;
pub mod gateway;
mod relay;
mod server;
mod session;
mod socket;
mod specimens;
mod weak;
pub mod wire;
mod words;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;

use analyzer::observation::{Ending, Leg, Side};

pub use catalogue::{CLIENT, GROUPS, Group, SERVER, scenarios};
pub use client::{Begins, ClientReport, ClientScript, End, Leave, Stays};
pub use relay::{Cut, Relay};
pub use server::{Act, Conversation, Deed, Did, Point, Policy, Server, ServerScript, Tell, Told, Word};
pub use session::Session;
pub use socket::{Ended, Tally};

use crate::tls::Keys;

/// One way in which an attempt can go: a connection, or two of the same client.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// In kebab case.
    pub name: &'static str,
    /// One line for people.
    pub says: &'static str,
    /// What the server does.
    pub server: ServerScript,
    /// What the client does.
    pub client: ClientScript,
    /// What it does in its second connection, where it comes again by itself.
    pub again: Option<ClientScript>,
    /// What is to be said of it.
    pub expect: Expect,
    /// Whether that is only to be said by who has the keys of its TLS: it stands in what is said in there.
    pub inside: bool,
}

/// What is to be said of a scenario: labelled from what the peers do, not from what a rule finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// How the attempt ends.
    pub outcome: Outcome,
    /// The last phase begun. More than one where who is faster decides (a FIN may cross the next request).
    pub phases: &'static [&'static str],
    /// On which leg it ends first, with a relay in between.
    pub leg: Leg,
    /// Who sends the first FIN or RST there.
    pub by: Side,
    /// Which of them (or a refusal).
    pub how: Ending,
    /// The cause, from the catalogue of causes. `None` for a normal end, and where the wire shows no more than the end.
    pub cause: Option<&'static str>,
    /// Other causes that look alike: to be named as alternatives, and no mistake where one of them stands first.
    pub or: &'static [&'static str],
    /// Who gives the verdict: whose alert, failure code or close it was; a silent server's, though it is the client
    /// that gives up.
    pub blames: Option<Side>,
    /// How its (last) connection ends for the client, without a relay. (With one the same, but that a refused connection is a reset one.)
    pub end: End,
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It became active and ended normally.
    Connected,
    /// It became active and ended badly.
    Broken,
    /// It never became active.
    Failed,
    /// Nobody asked for RDP: nothing failed.
    Unfinished,
}

impl Outcome {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Connected => "connected",
            Outcome::Broken => "broken",
            Outcome::Failed => "failed",
            Outcome::Unfinished => "unfinished",
        }
    }
}

impl Scenario {
    /// The scenario of that name.
    pub fn named(name: &str) -> Option<&'static Scenario> {
        scenarios().find(|scenario| scenario.name == name)
    }

    /// Starts the server on a loopback port of the system's choice.
    pub async fn serve(&self) -> io::Result<Server> {
        Server::start(self.server).await
    }

    /// Starts the server there, and has it tell what it does.
    pub async fn serve_on(&self, addr: SocketAddr, tell: Option<Tell>) -> io::Result<Server> {
        Server::start_on(self.server, addr, tell, None).await
    }

    /// The same, and has it tell its secrets, too.
    pub async fn serve_with_keys(&self, addr: SocketAddr, tell: Option<Tell>, keys: Keys) -> io::Result<Server> {
        Server::start_on(self.server, addr, tell, Some(keys)).await
    }

    /// How many connections the client makes.
    pub fn connections(&self) -> usize {
        1 + usize::from(self.again.is_some())
    }

    /// Plays the client's second connection, where it has one.
    pub async fn connect_again(&self, server: SocketAddr) -> Option<ClientReport> {
        Some(client::play(self.again?, self.server.session, server).await)
    }

    /// Plays the client against `server`: the server's own address, or that of a relay to it.
    pub async fn connect(&self, server: SocketAddr) -> ClientReport {
        client::play(self.client, self.server.session, server).await
    }
}
