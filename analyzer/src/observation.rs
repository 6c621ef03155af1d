//! The first noun: what was seen on one flow, and when.
//!
//! Observations come from a socket (live) or from packets in a file (offline). Nothing further down the line can tell
//! which: that is the law the tests keep. A layer may read observations and nothing else of the network.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::secret::Secret;
use crate::time::Timestamp;

mod impairment;
mod interception;
mod sign;

pub use impairment::{Deed, Impairment, Step};
pub use interception::{Interception, Means};
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

/// Declares [`PathSample`]: one optional number per line, so that the recording's codec and the table of names
/// cannot drift apart.
macro_rules! path_sample {
    ($($(#[$doc:meta])* $field:ident)*) => {
        /// The state of one connection as the kernel of one end saw it at one moment: Linux `TCP_INFO`, Windows
        /// `SIO_TCP_INFO`. A number is `None` where the system does not tell it.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct PathSample { $($(#[$doc])* pub $field: Option<u64>,)* }

        impl PathSample {
            /// Every number that is there, by name, in the order of the declaration.
            pub fn numbers(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($field), self.$field)),*].into_iter().filter_map(|(name, n)| Some((name, n?)))
            }

            /// Sets a number by its name. False where there is no such name.
            pub fn set(&mut self, name: &str, number: u64) -> bool {
                match name {
                    $(stringify!($field) => self.$field = Some(number),)*
                    _ => return false,
                }
                true
            }
        }
    };
}

path_sample! {
    /// TCP state as Linux numbers it (1 ESTABLISHED, 2 SYN_SENT, 8 CLOSE_WAIT, …).
    state
    /// Congestion avoidance state as Linux numbers it (0 Open, 1 Disorder, 2 CWR, 3 Recovery, 4 Loss).
    ca_state
    /// Smoothed round-trip time, microseconds (RFC 6298).
    rtt_us
    /// Its variance, microseconds.
    rtt_var_us
    /// The least round-trip time seen, microseconds.
    min_rtt_us
    /// Retransmission timeout now, microseconds.
    rto_us
    /// Retransmission timeouts in a row without an answer.
    backoff
    /// Segments retransmitted since the start.
    retransmits
    /// Segments thought lost now.
    lost
    /// Segments selectively acknowledged now.
    sacked
    /// Reordering distance, segments.
    reordering
    /// Segments received out of order since the start.
    out_of_order
    /// Duplicates that the peer reported (D-SACK, RFC 2883) since the start.
    dsack
    /// Segments sent and not acknowledged now.
    unacked
    /// Bytes waiting to be sent for the first time.
    notsent_bytes
    /// Bytes acknowledged by the peer since the start.
    bytes_acked
    /// Bytes received in order since the start.
    bytes_received
    /// Bytes retransmitted since the start.
    bytes_retransmitted
    /// Segments sent since the start.
    segments_sent
    /// Segments received since the start.
    segments_received
    /// Largest segment this end sends, bytes.
    snd_mss
    /// Largest segment this end received, bytes.
    rcv_mss
    /// Largest segment this end told the peer to send, bytes.
    adv_mss
    /// Path MTU as known to this end, bytes (RFC 1191).
    pmtu
    /// Congestion window, segments.
    snd_cwnd
    /// The peer's receive window, bytes.
    snd_wnd
    /// Milliseconds since data last came.
    last_received_ms
    /// Milliseconds since an acknowledgement last came.
    last_ack_ms
    /// Microseconds spent waiting for the peer's receive window.
    window_limited_us
    /// Segments in which the client said that it can take no more: receive window 0 (packet captures).
    client_zero_windows
    /// The same of the server.
    server_zero_windows
    /// Data segments that the client sent again (this and all that follow: packet captures).
    client_retransmits
    /// The same of the server.
    server_retransmits
    /// Of these: because the retransmission timer ran out.
    client_timeouts
    /// The same of the server.
    server_timeouts
    /// Because acknowledgements told of the loss.
    client_fast_retransmits
    /// The same of the server.
    server_fast_retransmits
    /// To bring out an acknowledgement of the last segment (RFC 8985, 7).
    client_tail_probes
    /// The same of the server.
    server_tail_probes
    /// For nothing: the peer had it.
    client_spurious
    /// The same of the server.
    server_spurious
    /// Retransmission timeouts of the client in a row, without an answer until now.
    client_backoff
    /// The same of the server.
    server_backoff
    /// SYNs that were sent again.
    syn_again
    /// SYN-ACKs that were sent again.
    syn_ack_again
    /// Segments of the client that came behind later ones.
    client_overtaken
    /// The same of the server.
    server_overtaken
    /// Packets of the client that the network delivered twice.
    client_duplicated
    /// The same of the server.
    server_duplicated
    /// Keep-alive probes of the client.
    client_keepalives
    /// The same of the server.
    server_keepalives
    /// Microseconds for which the client could take no more: receive window 0.
    client_zero_window_us
    /// The same of the server.
    server_zero_window_us
    /// Bytes of the client that the server acknowledged and the capture does not have.
    client_capture_lost_bytes
    /// The same of the server.
    server_capture_lost_bytes
    /// Bytes that the client sent and the server has not acknowledged now.
    client_unacked_bytes
    /// The same of the server.
    server_unacked_bytes
    /// Microseconds for which the client's oldest byte waits now, since it was sent or since the last acknowledgement.
    client_unacked_us
    /// The same of the server.
    server_unacked_us
    /// Microseconds for which the client has said nothing now, after it had acknowledged all that the server sent.
    client_silent_us
    /// The same of the server.
    server_silent_us
    /// Payload of the largest segment of the client that the server acknowledged, bytes.
    client_largest_through
    /// The same of the server.
    server_largest_through
    /// Payload of the smallest segment of the client that was sent twice or more and is not acknowledged now, bytes.
    client_stuck_segment
    /// The same of the server.
    server_stuck_segment
    /// Bytes that the client must have sent before its last segment and that never came to the capture.
    client_hole_bytes
    /// The same of the server.
    server_hole_bytes
    /// Largest segment that the client told the server to send (MSS option), bytes.
    client_mss
    /// The same of the server.
    server_mss
    /// TTL, or hop limit, of the client's packets at the capture.
    client_ttl
    /// The same of the server.
    server_ttl
    /// Smoothed round trip from the capture to the client and back, microseconds.
    client_rtt_us
    /// The same to the server.
    server_rtt_us
    /// The least of these round trips to the client, microseconds.
    client_min_rtt_us
    /// The same to the server.
    server_min_rtt_us
    /// Packets of the client that came with the mark of a congested router.
    client_ecn_marked
    /// The same of the server.
    server_ecn_marked
    /// The longest time in which no packet of the connection came, microseconds.
    longest_gap_us
}

impl PathSample {
    /// The smoothed round-trip time.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt_us.map(Duration::from_micros)
    }
}
