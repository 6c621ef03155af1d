//! Every known cause of a failing connection: what it is called, what the wire shows of it, what tells it apart, what to
//! look at next, how to mend it, and what no capture can show. One catalogue for rules, reports and people.
//!
//! Flat data, a file for each layer. What is said of a cause is said here and nowhere else. Of each it is written down
//! how it can be known at all ([`Visibility`]): most codes in dialogs stand for causes that no capture without keys can
//! show, and a report that claims otherwise is wrong.

mod credssp;
mod gateway;
mod groups;
mod licensing;
mod near;
mod negotiation;
mod path;
mod reachability;
mod redirection;
mod relay;
mod resolution;
mod session;
mod settings;
mod start;
mod tls;
mod udp;

pub use groups::{GROUPS, Group, alike, groups};
pub use near::near;

/// One cause.
#[derive(Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its id.
    pub id: &'static str,
    /// Where it acts.
    pub layer: Layer,
    /// One line.
    pub name: &'static str,
    /// How it can be known at all.
    pub visibility: Visibility,
    /// What the wire shows: which packets, messages or path samples.
    pub evidence: &'static str,
    /// What tells it apart from others that look like it.
    pub sign: &'static str,
    /// What looks like it: ids.
    pub looks_like: &'static [&'static str],
    /// The most that a rule may claim without keys; of what no rule names: as an alternative.
    pub confidence: Confidence,
    /// What makes it visible, the quickest first.
    pub tools: &'static [Tool],
    /// The next check: a command or a place to look, on the machine named.
    pub check: &'static str,
    /// The fix.
    pub fix: &'static str,
    /// What no capture can show.
    pub cannot_tell: &'static [&'static str],
    /// Where the protocol says what should have happened.
    pub spec: &'static str,
    /// What mstsc shows: reason code, with the extended code behind a slash where it is known. What others show stands
    /// in [`crate::codes`]: [`crate::codes::of_cause`] finds it.
    pub mstsc: &'static [&'static str],
}

/// Where a cause acts, in the order of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Before the first packet to the server.
    Resolution,
    /// The TCP handshake, and what answers there.
    Reachability,
    /// What the network does to segments.
    Path,
    /// X.224.
    Negotiation,
    /// The TLS handshake and certificates.
    Tls,
    /// CredSSP.
    Credssp,
    /// MCS and GCC.
    Settings,
    /// Licensing.
    Licensing,
    /// From Client Info to the first picture.
    Start,
    /// The broker, and the second connection.
    Redirection,
    /// The RD Gateway.
    Gateway,
    /// A running session.
    Session,
    /// The UDP side transport.
    Udp,
    /// Relays, this program included.
    Relay,
}

impl Layer {
    /// All of them, in order.
    pub const ALL: [Layer; 14] = [
        Layer::Resolution,
        Layer::Reachability,
        Layer::Path,
        Layer::Negotiation,
        Layer::Tls,
        Layer::Credssp,
        Layer::Settings,
        Layer::Licensing,
        Layer::Start,
        Layer::Redirection,
        Layer::Gateway,
        Layer::Session,
        Layer::Udp,
        Layer::Relay,
    ];

    /// As it stands in tables.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Resolution => "name resolution",
            Layer::Reachability => "TCP reachability",
            Layer::Path => "path quality",
            Layer::Negotiation => "X.224 negotiation",
            Layer::Tls => "TLS",
            Layer::Credssp => "CredSSP/NLA",
            Layer::Settings => "MCS/GCC",
            Layer::Licensing => "licensing",
            Layer::Start => "capabilities/session start",
            Layer::Redirection => "redirection/broker",
            Layer::Gateway => "RD Gateway",
            Layer::Session => "running session",
            Layer::Udp => "UDP side transport",
            Layer::Relay => "relays and probes",
        }
    }

    /// Its causes.
    pub fn causes(self) -> &'static [Cause] {
        match self {
            Layer::Resolution => resolution::CAUSES,
            Layer::Reachability => reachability::CAUSES,
            Layer::Path => path::CAUSES,
            Layer::Negotiation => negotiation::CAUSES,
            Layer::Tls => tls::CAUSES,
            Layer::Credssp => credssp::CAUSES,
            Layer::Settings => settings::CAUSES,
            Layer::Licensing => licensing::CAUSES,
            Layer::Start => start::CAUSES,
            Layer::Redirection => redirection::CAUSES,
            Layer::Gateway => gateway::CAUSES,
            Layer::Session => session::CAUSES,
            Layer::Udp => udp::CAUSES,
            Layer::Relay => relay::CAUSES,
        }
    }
}

/// With these words a cause says what is unknown only as long as TLS is not opened.
pub const SEALED: &str = "sealed in TLS";

/// How a cause can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// A rule of `diagnose` names it from what the wire shows without keys.
    Rule,
    /// No single session shows it: only several, side by side.
    Set,
    /// A rule names it where secrets open TLS: it stands in bytes that are sealed.
    Plaintext {
        /// The message that carries it.
        message: &'static str,
    },
    /// The wire does not show it, with or without keys.
    Hidden {
        /// What it cannot be told from there: ids.
        among: &'static [&'static str],
        /// What tells it from them: the event, the command, the place.
        settles: &'static str,
    },
    /// It stands in packets of a layer that is not read yet; which one.
    Unread(&'static str),
}

const UDP: Visibility = Visibility::Unread("the datagrams of the side transport");

impl Visibility {
    /// As it stands in tables.
    pub fn name(self) -> &'static str {
        match self {
            Visibility::Rule => "rule",
            Visibility::Set => "set",
            Visibility::Plaintext { .. } => "plaintext",
            Visibility::Hidden { .. } => "hidden",
            Visibility::Unread(_) => "unread",
        }
    }

    /// What that means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Visibility::Rule => "a rule names it from what the wire shows without keys",
            Visibility::Set => "no single session shows it: only several, side by side",
            Visibility::Plaintext { .. } => {
                "a rule names it where secrets open TLS (--keylog): it stands in bytes that are sealed"
            }
            Visibility::Hidden { .. } => "the wire does not show it: an event, a command or a log does",
            Visibility::Unread(_) => "it stands in packets of a layer that is not read yet",
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It stands in the bytes.
    Certain,
    /// The evidence fits this better than anything else.
    Likely,
    /// The evidence fits this and other causes.
    Possible,
}

impl Confidence {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Certain => "certain",
            Confidence::Likely => "likely",
            Confidence::Possible => "possible",
        }
    }
}

/// What collects evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// An active check without credentials.
    Probe,
    /// The recording relay.
    Proxy,
    /// A packet capture, which alone shows TTL, IP-ID, ICMP, duplicates.
    Packets,
    /// The server's or client's own log: the wire does not show it.
    Events,
}

impl Tool {
    /// As it stands in tables.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Probe => "probe",
            Tool::Proxy => "proxy",
            Tool::Packets => "packets",
            Tool::Events => "event log",
        }
    }

    /// What a person types.
    pub fn command(self) -> &'static str {
        match self {
            Tool::Probe => "rdpscope probe SERVER",
            Tool::Proxy => "rdpscope proxy --to SERVER, connect through it, let it fail",
            Tool::Packets => {
                "pktmon start --capture --pkt-size 0 and pktmon etl2pcap, or tcpdump -s 0 -w FILE port 3389; then \
                 rdpscope analyze FILE"
            }
            Tool::Events => "the event log of the machine named: the wire does not show it",
        }
    }
}

/// All of them, by layer.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    Layer::ALL.into_iter().flat_map(Layer::causes)
}

/// The cause with this id, in any case.
pub fn cause(id: &str) -> Option<&'static Cause> {
    all().find(|cause| cause.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests;
