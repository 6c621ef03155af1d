//! What the lab can play. One entry, one scenario; those of one kind stand together.

mod closed;
mod healthy;
mod inside;
mod negotiation;
mod nobody;
pub(in crate::lab) mod parts;
mod sealed;
mod tls;
mod unusual;

pub use parts::{CLIENT, SERVER};

use super::Scenario;

/// Scenarios of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// What they have in common, for people.
    pub title: &'static str,
    /// In order.
    pub scenarios: &'static [Scenario],
}

/// Everything that the lab can play.
#[rustfmt::skip]
pub const GROUPS: &[Group] = &[
    Group { title: "healthy: no rule may fire", scenarios: healthy::SCENARIOS },
    Group { title: "nobody there, or somebody else", scenarios: nobody::SCENARIOS },
    Group { title: "FIN, RST and silence, message after message", scenarios: closed::SCENARIOS },
    Group { title: "what a server says in X.224", scenarios: negotiation::SCENARIOS },
    Group { title: "alerts of the server", scenarios: tls::ALERTS },
    Group { title: "what of the handshake cannot be read", scenarios: tls::UNREADABLE },
    Group { title: "what a client does with the certificate", scenarios: tls::CERTIFICATES },
    Group { title: "answers that are none, and who came for something else", scenarios: unusual::SCENARIOS },
    Group { title: "beyond TLS", scenarios: sealed::SCENARIOS },
    Group { title: "inside of TLS: what the server says there", scenarios: inside::WORDS },
    Group { title: "inside of TLS: FIN, RST and silence, message after message", scenarios: inside::ENDS },
];

/// All of them, group after group.
pub fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    GROUPS.iter().flat_map(|group| group.scenarios)
}
