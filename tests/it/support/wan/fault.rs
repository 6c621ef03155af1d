//! What a way through a network does to packets: data, for a table of cases.

use std::time::Duration;

use analyzer::observation::Side;

/// Packets of both sides.
pub const BOTH: &[Side] = &[Side::Client, Side::Server];
/// Packets that the client sends.
pub const CLIENT: &[Side] = &[Side::Client];
/// Packets that the server sends.
pub const SERVER: &[Side] = &[Side::Server];

/// A way from one side to the other and back.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// How long a packet takes, each way: half of the round trip.
    pub delay: Duration,
    /// What may come on top, evenly spread.
    pub jitter: Duration,
    /// Whether a packet with little jitter may overtake one with much.
    pub overtaking: bool,
    /// Bytes per second, each way, with a queue of 64 kB before it; `None` for as fast as it goes.
    pub rate: Option<u64>,
    /// By how much the TTL sinks: how many routers there are.
    pub hops: u8,
    /// What else happens, in this order.
    pub faults: &'static [Fault],
    /// Of all that is left to chance.
    pub seed: u64,
}

/// A way that does nothing but take 2.5 ms, over three routers.
pub const PLAIN: Path = Path {
    delay: Duration::from_micros(2500),
    jitter: Duration::ZERO,
    overtaking: false,
    rate: None,
    hops: 3,
    faults: &[],
    seed: 1,
};

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// This share of packets (0 to 1) is lost.
    Loss { of: &'static [Side], from: From, share: f64 },
    /// Of each segment with payload the first so many tries are lost; all that bears none passes. What a session comes to by
    /// that hangs on no chance.
    Tries { of: &'static [Side], from: From, lost: u32 },
    /// This share of packets comes twice.
    Duplicates { of: &'static [Side], share: f64 },
    /// IP packets of more bytes than this do not fit, from some point on. Where it is told, the router answers with ICMP
    /// 3/4, "fragmentation needed", as it should.
    Mtu { of: &'static [Side], from: From, bytes: usize, told: bool },
    /// The router writes a smaller maximum segment size into SYN and SYN-ACK.
    Mss(u16),
    /// All packets vanish from some point on, for so long or to the end.
    Vanish { of: &'static [Side], from: From, lasts: Option<Duration> },
    /// A box sends RST in the other side's name.
    Reset {
        from: From,
        to: &'static [Side],
        /// As it arrives.
        ttl: u8,
        then: Then,
    },
    /// A box forgets a connection on which nothing was said for so long.
    Idle { after: Duration, then: End },
    /// A box answers SYN, and all that is said to it, itself: the server never hears of it.
    SynProxy,
    /// The router answers SYN with ICMP 3 and this code: 1 host unreachable, 13 prohibited.
    Unreachable { code: u8 },
}

/// When a fault begins, on each connection for itself. It concerns the packet with which it begins, too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum From {
    /// With the SYN.
    Start,
    /// With the packet that follows SYN-ACK.
    SynAck,
    /// With the client's first payload.
    Request,
    /// With the client's first TLS record.
    ClientHello,
    /// With the packet that makes the payload of both sides more than so many bytes.
    Bytes(u64),
    /// With the packet that makes the payload of the client more than so many bytes.
    ClientBytes(u64),
    /// So long after the SYN.
    Since(Duration),
}

/// What becomes of a connection that a box has reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing more gets through, and whoever goes on is reset again.
    Killed,
    /// The box only adds its RST: all that the peers say still gets through.
    PeersTalkOn,
}

/// What becomes of packets of a forgotten connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// They vanish.
    Dropped,
    /// Both sides get an RST.
    Reset,
}
