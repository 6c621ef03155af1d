//! The PROXY protocol before a session: which headers were seen, and what a relay had to do with them.

use std::net::SocketAddr;

use super::facts::{Mark, Sighting};
use crate::observation::{Leg, Opening};
use crate::proxy_protocol::Header;

/// Headers that are kept: there are a few on each leg at most.
const KEPT: usize = 16;

/// What is known of headers of the PROXY protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Those before the client's first byte, on each leg in their order.
    pub seen: Vec<Sighting<Header>>,
    /// A relay takes the client's address from the header (`--accept-proxy`), which this address sends.
    pub named_by: Option<Sighting<SocketAddr>>,
    /// A relay sends a header of its own to the server (`--send-proxy`).
    pub sent: Option<Mark>,
}

impl Headers {
    pub(super) fn push(&mut self, mark: Mark, header: &Header) {
        // A relay that dials again for its interception says it again.
        let known = self.seen.iter().any(|seen| seen.mark.leg == mark.leg && seen.what == *header);
        if !known && self.seen.len() < KEPT {
            self.seen.push(Sighting { what: *header, mark });
        }
    }

    pub(super) fn opening(&mut self, mark: Mark, opening: &Opening) {
        match opening {
            Opening::Named { by } => _ = self.named_by.get_or_insert(Sighting { what: *by, mark }),
            Opening::Naming => _ = self.sent.get_or_insert(mark),
            Opening::Target { .. }
            | Opening::Gateway
            | Opening::Resolving
            | Opening::Resolved { .. }
            | Opening::Dialing { .. }
            | Opening::Joined { .. } => {}
        }
    }

    /// Those of a leg, in their order.
    pub fn on(&self, leg: Leg) -> impl Iterator<Item = &Sighting<Header>> {
        self.seen.iter().filter(move |seen| seen.mark.leg == leg)
    }

    /// The first that the server was given.
    pub fn to_server(&self) -> Option<&Sighting<Header>> {
        self.seen.iter().find(|seen| matches!(seen.mark.leg, Leg::Back | Leg::Only))
    }
}
