//! The first noun: what was seen on one flow, and when.
//!
//! Observations come from a socket (live) or from packets in a file (offline). Nothing further down the line can tell
//! which: that is the law the tests keep. A layer may read observations and nothing else of the network.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use crate::secret::Secret;
use crate::time::Timestamp;

mod impairment;
mod interception;
mod lapse;
mod path;
mod sign;

pub use impairment::{Deed, Impairment, Step};
pub use interception::{Interception, Means};
pub use lapse::Lapse;
pub(crate) use path::PackedSample;
pub use path::PathSample;
pub use sign::{Again, Field, ResetMarks, Sequence, Sign, SynProxyMarks};

/// What was seen on one flow, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// When it was seen, at the place where it was seen.
    pub at: Timestamp,
    /// On which flow.
    pub flow: Flow,
    /// The number of the packet that holds it in the recording (from 1), or, where no packet can hold it (a path
    /// sample, say), of the last packet before it. 0 where there is no recording or no packet yet.
    pub frame: u64,
    /// What was seen.
    pub seen: Seen,
}

/// One TCP conversation as one place sees it: a leg of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Which session, counted by whoever made the observations.
    pub session: u32,
    /// Which leg of it.
    pub leg: Leg,
}

/// Where on the way between client and server a flow was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// Client to relay.
    Front,
    /// Relay to server (or gateway).
    Back,
    /// The one leg of a packet capture.
    Only,
}

/// The side of a flow that speaks or acts. On a relay's front leg the relay plays the server, on its back leg the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that connects.
    Client,
    /// The one that is connected to.
    Server,
}

/// What can be seen on a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A step on the way to a connection.
    Opening(Opening),
    /// The connection stands: the TCP handshake is done.
    Opened,
    /// Payload, in order.
    Bytes {
        /// Who sent it.
        from: Side,
        /// The bytes; never empty.
        data: Bytes,
    },
    /// Payload whose length is known but whose content is not, in order.
    Missing {
        /// Who sent it.
        from: Side,
        /// How many bytes.
        len: u64,
        /// Why they are not here.
        why: Absence,
    },
    /// A sample of the path's state, as the kernel of this end saw it.
    Path(Box<PathSample>),
    /// A thing that only packets show.
    Sign(Sign),
    /// What a relay did that can stand inside TLS.
    Interception(Interception),
    /// What this program does to the session on purpose.
    Impairment(Impairment),
    /// The program that watches was stopped, or its clock was set.
    Lapse(Lapse),
    /// Lines of a key log (NSS Key Log Format, RFC 9850) that open this session. When they come says nothing.
    Secret(Arc<Secret>),
    /// One side, or nobody, ended something.
    Closed {
        /// Who acted; `None` where nobody did: a timer ran out, a name did not resolve, the recording stops.
        from: Option<Side>,
        /// How.
        how: Ending,
    },
}

/// A step on the way to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// The name (or address) and port that the relay was asked to reach. Certificates are judged against this name.
    Target {
        /// As the user wrote it.
        name: String,
        /// TCP port.
        port: u16,
    },
    /// What is connected to is an RD Gateway (or a web proxy on the way to one): HTTP in TLS, and RDP in that.
    Gateway,
    /// The name is being looked up.
    Resolving,
    /// The resolver answered: these addresses, in this order.
    Resolved {
        /// Empty where there was none.
        addresses: Vec<IpAddr>,
        /// What the resolver said went wrong.
        error: Option<String>,
    },
    /// A connection is being asked for: a SYN, seen or about to be sent. A second one on the same flow is a next attempt.
    Dialing {
        /// The connecting end.
        client: SocketAddr,
        /// The end that is connected to.
        server: SocketAddr,
    },
    /// The client's end is the one that a header of the PROXY protocol names, which a relay expects (`--accept-proxy`) and takes
    /// off. Comes before the header's bytes.
    Named {
        /// Who sent it: the connecting end of the connection itself.
        by: SocketAddr,
    },
    /// What comes next of the client on this leg is a header of the PROXY protocol that a relay sends of its own (`--send-proxy`).
    Naming,
    /// The connection stands, and nobody saw how it came about: the capture begins in the middle of it.
    Joined {
        /// The connecting end, as far as can be told.
        client: SocketAddr,
        /// The end that is connected to.
        server: SocketAddr,
    },
}

/// Why payload is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Absence {
    /// The same bytes are stored on the session's other leg.
    Mirrored,
    /// The recorder could not keep up and gave them up.
    Dropped,
    /// The capture kept only the beginning of each packet.
    Snapped,
    /// The capture has a hole.
    Lost,
    /// Accepted by the relay, but its peer could not be given them any more.
    Discarded,
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// FIN: this side has nothing more to send (RFC 9293, 3.6).
    Fin,
    /// RST on a connection that stood (RFC 9293, 3.5.2).
    Reset,
    /// RST in answer to a SYN.
    Refused,
    /// ICMP unreachable, or no route.
    Unreachable,
    /// Nobody answered until a timer ran out.
    TimedOut,
    /// The name has no address.
    Unresolved,
    /// The recording ends while the connection stands.
    Cut,
}

impl Side {
    /// The peer.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }

    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Side::Client => "client",
            Side::Server => "server",
        }
    }
}

impl Leg {
    /// The side that a relay plays on this leg: what it sends there it has read on the other.
    pub fn relay_side(self) -> Side {
        match self {
            Leg::Front | Leg::Only => Side::Server,
            Leg::Back => Side::Client,
        }
    }

    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Leg::Front => "front",
            Leg::Back => "back",
            Leg::Only => "only",
        }
    }
}

impl Absence {
    /// All of them.
    pub const ALL: [Absence; 5] =
        [Absence::Mirrored, Absence::Dropped, Absence::Snapped, Absence::Lost, Absence::Discarded];

    /// As it stands in recordings.
    pub fn name(self) -> &'static str {
        match self {
            Absence::Mirrored => "mirrored",
            Absence::Dropped => "dropped",
            Absence::Snapped => "snapped",
            Absence::Lost => "lost",
            Absence::Discarded => "discarded",
        }
    }

    /// Whether evidence was lost: the bytes are nowhere in the recording.
    pub fn is_loss(self) -> bool {
        match self {
            Absence::Mirrored => false,
            Absence::Dropped | Absence::Snapped | Absence::Lost | Absence::Discarded => true,
        }
    }
}

impl Ending {
    /// All of them.
    pub const ALL: [Ending; 7] = [
        Ending::Fin,
        Ending::Reset,
        Ending::Refused,
        Ending::Unreachable,
        Ending::TimedOut,
        Ending::Unresolved,
        Ending::Cut,
    ];

    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Fin => "fin",
            Ending::Reset => "reset",
            Ending::Refused => "refused",
            Ending::Unreachable => "unreachable",
            Ending::TimedOut => "timeout",
            Ending::Unresolved => "unresolved",
            Ending::Cut => "cut",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
