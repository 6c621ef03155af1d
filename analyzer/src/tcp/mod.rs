//! From packets to streams: TCP connections put together, passively.
//!
//! What comes in are segments in the order of a capture; what goes out are [`crate::observation::Observation`]s, each
//! connection a session of its own with the one leg [`Leg::Only`]. Time and frame are those of the packet that made
//! something available. The room knows nothing of what the payload means: a [`Listener`] says which connections are
//! worth it, and of the others nothing is kept but that they are not.

mod again;
mod flight;
mod flow;
mod greeting;
mod half;
mod key;
mod marks;
mod recent;
mod resets;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;

use crate::capture::packets::{Heard, What};
use crate::capture::segment::{Icmp, Segment};
use crate::observation::{Flow as FlowId, Leg, Observation, Seen};
use crate::time::Timestamp;
use flow::{Flow, Incoming};
use half::{Out, Told};
use key::{Key, Mix};

/// Signs that are told of one connection; the numbers of its path go on.
const MAX_SIGNS: u32 = 4096;
/// Connections that are kept at once; then the longest idle ones make room.
const MAX_FLOWS: usize = 1 << 15;
/// How often idle connections are looked for.
const SWEEP: Duration = Duration::from_secs(10);
/// A connection that is over may still have packets on the way.
const LINGER: Duration = Duration::from_secs(30);
/// No system asks longer for a connection.
const ASKING: Duration = Duration::from_secs(180);
/// A connection that nobody listens to is forgotten after so long.
const FORGET: Duration = Duration::from_secs(60);
/// Packets of one connection that are stored so much too late change nothing of what is told of it.
const LATE: Duration = Duration::from_millis(100);
/// And one that somebody listens to.
const IDLE: Duration = Duration::from_secs(4 * 3600);

/// Whether a connection is worth more than its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Go on.
    Keep,
    /// Nothing more of this connection.
    Drop,
}

/// Whoever wants to know of connections.
pub trait Listener {
    /// What is kept for each of them.
    type State: Default;

    /// Something was seen.
    fn hear(&mut self, state: &mut Self::State, observation: Observation) -> Interest;

    /// A connection is over, or the capture is. Not called for dropped ones.
    fn over(&mut self, state: Self::State);

    /// The same of one whose packets were stored in another order than that of their times, too far apart to be put right: what
    /// was told of it may be wrong.
    fn disordered(&mut self, state: Self::State) {
        drop(state);
    }

    /// Whether these are a client's first words: tells the sides where no SYN does.
    fn is_client(&self, payload: &[u8]) -> bool {
        let _any = payload;
        false
    }

    /// Whether a server listens on this port: tells the sides where neither SYN nor words do.
    fn is_server(&self, port: u16) -> bool {
        let _any = port;
        false
    }
}

/// All connections of a capture.
pub struct Streams<L: Listener> {
    /// Whoever listens.
    pub listener: L,
    flows: HashMap<Key, Entry<L::State>, Mix>,
    sessions: u32,
    arena: BytesMut,
    told: Vec<Told>,
    now: Timestamp,
    swept: Timestamp,
    /// Connections that had to make room while somebody listened.
    pub given_up: u64,
}

enum Entry<S> {
    Kept(Box<Kept<S>>),
    /// Nobody listens.
    Dropped {
        last: Timestamp,
    },
}

struct Kept<S> {
    session: u32,
    flow: Flow,
    last: Timestamp,
    /// Signs that were told.
    signs: u32,
    is_disordered: bool,
    state: S,
}

impl<L: Listener> Streams<L> {
    /// Nothing seen yet.
    pub fn new(listener: L) -> Streams<L> {
        Streams {
            listener,
            flows: HashMap::with_hasher(Mix),
            sessions: 0,
            arena: BytesMut::new(),
            told: Vec::new(),
            now: Timestamp::at(0),
            swept: Timestamp::at(0),
            given_up: 0,
        }
    }

    /// Takes what a packet says.
    pub fn push(&mut self, heard: &Heard<'_>) {
        self.now = heard.at;
        if heard.at.since(self.swept) >= SWEEP || self.flows.len() >= MAX_FLOWS {
            self.sweep();
        }
        match &heard.what {
            What::Segment(segment) => self.segment(heard, segment),
            What::Icmp(icmp) => self.icmp(heard, icmp),
            // Of no connection.
            What::Datagram(_) => {}
        }
    }

    /// The capture is over. Gives the listener back.
    pub fn finish(mut self) -> L {
        let flows = std::mem::replace(&mut self.flows, HashMap::with_hasher(Mix));
        self.end(flows.into_values());
        self.listener
    }

    fn segment(&mut self, heard: &Heard<'_>, segment: &Segment<'_>) {
        let key = Key::new(segment.source, segment.destination);
        let is_syn = segment.syn && !segment.ack;
        match self.flows.get_mut(&key) {
            Some(Entry::Dropped { last }) if !is_syn => *last = heard.at,
            Some(Entry::Kept(kept)) if !(is_syn && kept.flow.is_over_by(segment)) => self.known(key, heard, segment),
            Some(_) => {
                if let Some(over) = self.flows.remove(&key) {
                    self.end(std::iter::once(over));
                }
                self.begin(key, heard, segment);
            }
            None => self.begin(key, heard, segment),
        }
    }

    /// A connection that was not seen before.
    fn begin(&mut self, key: Key, heard: &Heard<'_>, segment: &Segment<'_>) {
        if segment.rst || !segment.syn && segment.payload_len == 0 {
            return;
        }
        let (client, server) = self.ends(segment);
        self.sessions = self.sessions.wrapping_add(1);
        let (session, flow) = (self.sessions, Flow::new(client, server));
        let kept = Kept { session, flow, last: heard.at, signs: 0, is_disordered: false, state: L::State::default() };
        self.flows.insert(key, Entry::Kept(Box::new(kept)));
        self.known(key, heard, segment);
    }

    /// Client and server of a connection by its first segment here.
    fn ends(&self, segment: &Segment<'_>) -> (SocketAddr, SocketAddr) {
        let (source, destination) = (segment.source, segment.destination);
        let from_client = match (segment.syn, segment.ack) {
            (true, false) => true,
            (true, true) => false,
            (false, _) if self.listener.is_client(segment.payload) => true,
            (false, _) => match [source, destination].map(|end| self.listener.is_server(end.port())) {
                [from, to] if from != to => to,
                _ => source.port() >= destination.port(),
            },
        };
        if from_client { (source, destination) } else { (destination, source) }
    }

    fn known(&mut self, key: Key, heard: &Heard<'_>, segment: &Segment<'_>) {
        let Some(entry) = self.flows.get_mut(&key) else { return };
        let Entry::Kept(kept) = entry else { return };
        let Heard { at, frame, interface, .. } = *heard;
        let from = kept.flow.side(segment.source);
        let incoming = Incoming { at, frame, interface, from, segment: *segment };
        let mut out = Out { arena: &mut self.arena, told: &mut self.told };
        kept.is_disordered |= kept.last.since(at) > LATE;
        kept.last = at;
        if !segment.syn {
            kept.flow.join_if_new(&incoming, &mut out);
        }
        kept.flow.push(&incoming, &mut out);
        if tell(&mut self.listener, kept, &mut self.told) == Interest::Drop {
            *entry = Entry::Dropped { last: at };
        }
    }

    fn icmp(&mut self, heard: &Heard<'_>, icmp: &Icmp) {
        let key = Key::new(icmp.source, icmp.destination);
        let Some(Entry::Kept(kept)) = self.flows.get_mut(&key) else { return };
        let mut out = Out { arena: &mut self.arena, told: &mut self.told };
        kept.flow.icmp(heard.at, heard.frame, icmp, &mut out);
        tell(&mut self.listener, kept, &mut self.told);
    }

    /// Ends what is over or idle; where there is no room, the longest idle half as well.
    fn sweep(&mut self) {
        self.swept = self.now;
        let now = self.now;
        let is_full = self.flows.len() >= MAX_FLOWS;
        let old: Vec<_> = self.flows.extract_if(|_, entry| entry.is_old(now)).map(|(_, entry)| entry).collect();
        self.end(old.into_iter());
        if is_full && self.flows.len() > MAX_FLOWS / 2 {
            let mut times: Vec<Timestamp> = self.flows.values().map(Entry::last).collect();
            let middle = times.len() / 2;
            let limit = *times.select_nth_unstable(middle).1;
            let idle: Vec<_> =
                self.flows.extract_if(|_, entry| entry.last() <= limit).map(|(_, entry)| entry).collect();
            self.given_up += idle.iter().filter(|entry| matches!(entry, Entry::Kept(_))).count() as u64;
            self.end(idle.into_iter());
        }
    }

    fn end(&mut self, over: impl Iterator<Item = Entry<L::State>>) {
        let kept = over.filter_map(|entry| match entry {
            Entry::Kept(kept) => Some(kept),
            Entry::Dropped { .. } => None,
        });
        let mut kept: Vec<_> = kept.collect();
        kept.sort_by_key(|kept| kept.session);
        for mut kept in kept {
            let mut out = Out { arena: &mut self.arena, told: &mut self.told };
            kept.flow.finish(self.now, &mut out);
            match tell(&mut self.listener, &mut kept, &mut self.told) {
                Interest::Keep if kept.is_disordered => self.listener.disordered(kept.state),
                Interest::Keep => self.listener.over(kept.state),
                Interest::Drop => {}
            }
        }
    }
}

impl<S> Entry<S> {
    fn last(&self) -> Timestamp {
        match self {
            Entry::Kept(kept) => kept.last,
            Entry::Dropped { last } => *last,
        }
    }

    fn is_old(&self, now: Timestamp) -> bool {
        let patience = match self {
            Entry::Kept(kept) if kept.flow.is_over() => LINGER,
            Entry::Kept(kept) if !kept.flow.is_open() => ASKING,
            Entry::Kept(_) => IDLE,
            Entry::Dropped { .. } => FORGET,
        };
        now.since(self.last()) >= patience
    }
}

/// Hands on what happened, until nobody listens any more.
fn tell<L: Listener>(listener: &mut L, kept: &mut Kept<L::State>, told: &mut Vec<Told>) -> Interest {
    let flow = FlowId { session: kept.session, leg: Leg::Only };
    let mut interest = Interest::Keep;
    for (at, frame, seen) in told.drain(..) {
        let is_sign = matches!(seen, Seen::Sign(_));
        kept.signs += u32::from(is_sign && kept.signs < MAX_SIGNS);
        if interest == Interest::Keep && !(is_sign && kept.signs == MAX_SIGNS) {
            interest = listener.hear(&mut kept.state, Observation { at, flow, frame, seen });
        }
    }
    interest
}
