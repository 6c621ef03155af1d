//! The box in the middle: takes packets of one side, does what its faults ask for, gives the rest to the other side
//! when their time has come.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use analyzer::observation::Side;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tun_rs::SyncDevice;

use super::fault::{End, Fault, Path, Then};
use super::flow::Flow;
use super::journal::{Act, Journal};
use super::packet::{self, ACK, FIN, Forged, RST, SYN, Segment};
use super::{BOTH, ROUTER_ADDRESS};
use crate::support::judge::Random;

/// What waits before a slow link, in bytes.
const QUEUE: u64 = 64_000;
/// So many packets are taken from one side before the other gets its turn.
const TURN: usize = 64;
/// The TTL of what the router says in its own name.
const ROUTER_TTL: u8 = 64;

/// A packet on its way: when it is due, then in order of arrival; to whom.
type Due = (Reverse<(Instant, u64)>, bool, Vec<u8>);

/// Both addresses and ports, the client's first.
type Ends = [(Ipv4Addr, u16); 2];

/// The box.
pub struct Forwarder {
    path: Path,
    journal: Journal,
    /// What becomes of the packets of each side, those without payload and those with some: a sequence for each, so that it
    /// does not hang on how they follow each other, or on how often a kernel acknowledges, which no seed decides.
    luck: [[Random; 2]; 2],
    /// How long the packets of each side take.
    haste: [Random; 2],
    flows: HashMap<Ends, Flow>,
    waiting: BinaryHeap<Due>,
    arrivals: u64,
    /// When the slow link has sent what it has, by sender.
    free: [Instant; 2],
    /// The latest time for which a packet of each side is due.
    last: [Instant; 2],
}

impl Forwarder {
    /// One that has not seen a packet yet.
    pub fn new(path: Path, journal: Journal) -> Forwarder {
        let now = Instant::now();
        Forwarder {
            path,
            journal,
            luck: [0, 2].map(|first| sequences(path.seed, first)),
            haste: sequences(path.seed, 4),
            flows: HashMap::new(),
            waiting: BinaryHeap::new(),
            arrivals: 0,
            free: [now; 2],
            last: [now; 2],
        }
    }

    /// Carries packets until the other end of `stopped` is closed or written to. It sleeps while there is nothing to do.
    pub fn run(mut self, tuns: &[SyncDevice; 2], stopped: &UnixStream) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let timeout = self.deliver(tuns).and_then(|wait| Timespec::try_from(wait).ok());
            let mut ready = [PollFd::new(&tuns[0], PollFlags::IN), PollFd::new(&tuns[1], PollFlags::IN)]
                .into_iter()
                .chain([PollFd::new(stopped, PollFlags::IN)])
                .collect::<Vec<_>>();
            match poll(&mut ready, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if !ready[2].revents().is_empty() {
                return Ok(());
            }
            for from in BOTH {
                self.take_turn(*from, &tuns[*from as usize], &mut buffer)?;
            }
        }
    }

    fn take_turn(&mut self, from: Side, tun: &SyncDevice, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..TURN {
            match rustix::io::read(tun, &mut *buffer) {
                Ok(len) => self.take(from, buffer[..len].to_vec(), Instant::now()),
                Err(Errno::AGAIN) => break,
                // Not up yet.
                Err(Errno::IO) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Delivers what is due and says how long until the next.
    fn deliver(&mut self, tuns: &[SyncDevice; 2]) -> Option<Duration> {
        loop {
            let now = Instant::now();
            let Reverse((due, _)) = self.waiting.peek()?.0;
            if due > now {
                return Some(due - now);
            }
            let (_, to_server, packet) = self.waiting.pop()?;
            // A full queue of the receiving kernel drops it, as any network may.
            let _dropped = rustix::io::write(&tuns[usize::from(to_server)], &packet);
        }
    }

    /// A packet comes from one side.
    fn take(&mut self, from: Side, mut packet: Vec<u8>, now: Instant) {
        let Some(segment) = Segment::read(&packet) else {
            if packet[0] >> 4 == 4 {
                self.pass_through_faults(from, None, packet, now);
            }
            return;
        };
        let ends = match from {
            Side::Client => [segment.source, segment.destination],
            Side::Server => [segment.destination, segment.source],
        };
        let faults = self.path.faults;
        let opens = segment.has(SYN) && !segment.has(ACK);
        if opens && self.flows.get(&ends).is_none_or(|flow| flow.killed || flow.forgotten) {
            self.flows.insert(ends, Flow::new(now, faults.len()));
        }
        let flow = self.flows.entry(ends).or_insert_with(|| Flow::new(now, faults.len()));
        flow.note(faults, from, &segment, &packet, now);
        if let Some(mss) = faults.iter().find_map(|fault| if let Fault::Mss(mss) = fault { Some(*mss) } else { None })
            && packet::clamp(&mut packet, mss)
        {
            self.journal.note(from, Act::Clamped, packet.len());
        }
        self.pass_through_faults(from, Some((ends, segment)), packet, now);
    }

    fn pass_through_faults(&mut self, from: Side, tcp: Option<(Ends, Segment)>, packet: Vec<u8>, now: Instant) {
        for (index, fault) in self.path.faults.iter().enumerate() {
            let begun = tcp.and_then(|(ends, _)| self.flows.get(&ends)?.since[index]);
            if self.swallows(fault, begun, from, tcp, &packet, now) {
                return;
            }
        }
        if let Some((ends, segment)) = tcp {
            self.flows.get_mut(&ends).into_iter().for_each(|flow| flow.heard = now);
            for (_, act) in [(FIN, Act::Fin), (RST, Act::Rst)].into_iter().filter(|(flag, _)| segment.has(*flag)) {
                self.journal.note(from, act, packet.len());
            }
        }
        self.send(from, packet, now);
    }

    /// Whether a fault keeps this packet from its receiver. `begun` is since when it is there on this connection.
    fn swallows(
        &mut self,
        fault: &Fault,
        begun: Option<Instant>,
        from: Side,
        tcp: Option<(Ends, Segment)>,
        packet: &[u8],
        now: Instant,
    ) -> bool {
        let act = match fault {
            Fault::Loss { of, share, .. }
                if of.contains(&from) && (begun.is_some() || tcp.is_none()) && self.strikes(from, tcp, *share) =>
            {
                Act::Lost
            }
            Fault::Tries { of, lost, .. } if of.contains(&from) && begun.is_some() => {
                let Some((ends, segment)) = tcp.filter(|(_, segment)| segment.payload.1 > 0) else { return false };
                if self.flows.get(&ends).is_none_or(|flow| flow.tries(from, &segment) > *lost) {
                    return false;
                }
                Act::Lost
            }
            Fault::Mtu { of, bytes, told, .. }
                if of.contains(&from) && (begun.is_some() || tcp.is_none()) && packet.len() > *bytes =>
            {
                if *told {
                    self.due(from, packet::unreachable(packet, 4, *bytes as u16, ROUTER_ADDRESS), now);
                }
                if *told { Act::ToldTooLong } else { Act::TooLong }
            }
            Fault::Vanish { of, lasts, .. }
                if of.contains(&from)
                    && begun.is_some_and(|begun| lasts.is_none_or(|lasts| now.duration_since(begun) < lasts)) =>
            {
                Act::Vanished
            }
            Fault::Unreachable { code } if tcp.is_some_and(|(_, segment)| segment.has(SYN)) => {
                self.due(from, packet::unreachable(packet, *code, 0, ROUTER_ADDRESS), now);
                Act::Unreachable
            }
            Fault::SynProxy if from == Side::Client => {
                tcp.iter().for_each(|(_, segment)| self.answer(segment, now));
                Act::Answered
            }
            Fault::Duplicates { of, share } if of.contains(&from) && self.strikes(from, tcp, *share) => {
                self.journal.note(from, Act::Duplicated, packet.len());
                self.send(from, packet.to_vec(), now);
                return false;
            }
            Fault::Reset { to, ttl, then, .. } => {
                let Some((ends, segment)) = tcp.filter(|_| begun.is_some()) else { return false };
                return self.reset(ends, from, &segment, (to, *ttl, *then), now);
            }
            Fault::Idle { after, then } => {
                let Some((ends, segment)) = tcp else { return false };
                return self.idle(ends, from, &segment, (*after, *then), now);
            }
            Fault::Loss { .. }
            | Fault::Tries { .. }
            | Fault::Mtu { .. }
            | Fault::Mss(_)
            | Fault::Vanish { .. }
            | Fault::Unreachable { .. }
            | Fault::SynProxy
            | Fault::Duplicates { .. } => return false,
        };
        self.journal.note(from, act, packet.len());
        true
    }

    /// The box speaks up, once or, if it has killed the connection, whenever somebody goes on with it.
    fn reset(&mut self, ends: Ends, from: Side, segment: &Segment, how: (&[Side], u8, Then), now: Instant) -> bool {
        let (to, ttl, then) = how;
        let Some(flow) = self.flows.get_mut(&ends) else { return false };
        let first = !std::mem::replace(&mut flow.killed, true);
        let kills = then == Then::Killed;
        // What the other side has said is still on its way, and comes before the RST.
        let expected = flow.next(other(from)).filter(|_| first).unwrap_or(segment.ack);
        let segment = &Segment { ack: expected, ..*segment };
        if first {
            for side in to {
                self.send_reset(*side, from, segment, ttl, kills, now);
            }
        } else if kills && !segment.has(RST) && to.contains(&from) {
            self.send_reset(from, from, segment, ttl, kills, now);
        }
        kills
    }

    /// An RST in the other side's name, with the very number that its receiver waits for (RFC 5961 3.2).
    fn send_reset(&mut self, to: Side, from: Side, segment: &Segment, ttl: u8, kills: bool, now: Instant) {
        let forged = if to == from {
            // To the sender, as if its segment had not been liked.
            Forged {
                source: segment.destination,
                destination: segment.source,
                seq: segment.ack,
                ack: segment.next(),
                flags: RST | ACK,
                window: 0,
                ttl,
            }
        } else {
            let seq = if kills { segment.seq } else { segment.next() };
            let (source, destination) = (segment.source, segment.destination);
            Forged { source, destination, seq, ack: segment.ack, flags: RST | ACK, window: 0, ttl }
        };
        let act = if to == Side::Client { Act::ResetToClient } else { Act::ResetToServer };
        self.journal.note(from, act, 40);
        // In order: it fits behind what came before it, and behind the packet that set it off where that one passes.
        let passes = if to == from || kills { now } else { now + self.path.delay + self.path.jitter };
        let at = passes.max(self.last[other(to) as usize]);
        self.due(to, forged.packet(), at);
    }

    fn idle(&mut self, ends: Ends, from: Side, segment: &Segment, how: (Duration, End), now: Instant) -> bool {
        let (after, then) = how;
        let Some(flow) = self.flows.get_mut(&ends) else { return false };
        flow.forgotten |= now.duration_since(flow.heard) > after;
        if !flow.forgotten {
            return false;
        }
        self.journal.note(from, Act::Forgotten, segment.payload.1);
        match then {
            End::Dropped => true,
            End::Reset => self.reset(ends, from, segment, (BOTH, ROUTER_TTL, Then::Killed), now),
        }
    }

    /// Answers in the server's name: SYN with SYN-ACK, all else with ACK, FIN with FIN.
    fn answer(&mut self, segment: &Segment, now: Instant) {
        const ISN: u32 = 0x1000_0000;
        let says = segment.has(SYN) || segment.payload.1 > 0 || segment.has(FIN);
        if segment.has(RST) || !says {
            return;
        }
        let seq = if segment.has(SYN) { ISN } else { segment.ack };
        let flags = segment.flags & (SYN | FIN) | ACK;
        let (source, destination) = (segment.destination, segment.source);
        let forged = Forged { source, destination, seq, ack: segment.next(), flags, window: 8192, ttl: ROUTER_TTL };
        self.due(Side::Client, forged.packet(), now + self.path.delay);
    }

    /// Gives a packet its time: what the link, the way and chance take.
    fn send(&mut self, from: Side, mut packet: Vec<u8>, now: Instant) {
        let side = from as usize;
        let mut due = now;
        if let Some(rate) = self.path.rate {
            let waits = self.free[side].saturating_duration_since(now).as_secs_f64() * rate as f64;
            if waits as u64 + packet.len() as u64 > QUEUE {
                return self.journal.note(from, Act::Overflowed, packet.len());
            }
            due = self.free[side].max(now) + Duration::from_secs_f64(packet.len() as f64 / rate as f64);
            self.free[side] = due;
        }
        due += self.path.delay + self.path.jitter.mul_f64(share(&mut self.haste[side]));
        if due < self.last[side] {
            match self.path.overtaking {
                true => self.journal.note(from, Act::Overtaken, packet.len()),
                false => due = self.last[side],
            }
        }
        self.last[side] = due.max(self.last[side]);
        if self.path.hops == 0 || packet::hop(&mut packet, self.path.hops) {
            self.due(other(from), packet, due);
        }
    }

    fn due(&mut self, to: Side, packet: Vec<u8>, at: Instant) {
        self.arrivals += 1;
        self.waiting.push((Reverse((at, self.arrivals)), to == Side::Server, packet));
    }

    /// Whether this share of a side's packets has the next one in it.
    fn strikes(&mut self, from: Side, tcp: Option<(Ends, Segment)>, of: f64) -> bool {
        let says = tcp.is_none_or(|(_, segment)| segment.payload.1 > 0);
        share(&mut self.luck[from as usize][usize::from(says)]) < of
    }
}

/// A sequence for each side, of those that this seed has.
fn sequences(seed: u64, first: u64) -> [Random; 2] {
    [first, first + 1].map(|number| Random::seeded(seed << 3 | number))
}

/// From 0 to 1.
fn share(random: &mut Random) -> f64 {
    random.below(1 << 30) as f64 / f64::from(1 << 30)
}

fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}
