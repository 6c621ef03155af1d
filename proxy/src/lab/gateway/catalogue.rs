//! What the lab can play of gateways. One entry, one scenario; those of one kind stand together.

mod cut;
mod healthy;
mod parts;
mod policy;
mod web;

pub use parts::{CLIENT, GATEWAY};

use super::script::GatewayScenario;

/// Scenarios of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// What they have in common, for people.
    pub title: &'static str,
    /// In order.
    pub scenarios: &'static [GatewayScenario],
}

/// Everything of gateways that the lab can play.
#[rustfmt::skip]
pub const GROUPS: &[Group] = &[
    Group { title: "gateway: healthy, no rule may fire", scenarios: healthy::SCENARIOS },
    Group { title: "gateway: reaching it, its certificate", scenarios: web::CERTIFICATES },
    Group { title: "gateway: who is let in", scenarios: web::CREDENTIALS },
    Group { title: "gateway: what it, or a box before it, answers", scenarios: web::ANSWERS },
    Group { title: "gateway: behind a web proxy", scenarios: web::PROXIES },
    Group { title: "gateway: what the tunnel refuses", scenarios: policy::REFUSALS },
    Group { title: "gateway: what ends a session", scenarios: policy::LIMITS },
    Group { title: "gateway: FIN, RST and silence, step after step", scenarios: cut::SCENARIOS },
];

/// All of them, group after group.
pub fn scenarios() -> impl Iterator<Item = &'static GatewayScenario> {
    GROUPS.iter().flat_map(|group| group.scenarios)
}
