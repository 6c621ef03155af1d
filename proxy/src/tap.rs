//! The bounded tap between the relay and the scribe, the one thread that records and watches.
//!
//! Notes flow one way; the relay never waits for the scribe. What bounds the memory is a count of payload bytes that
//! are on their way. Where it is full, payload is given up, but only bulk: once the scribe has called the session active
//! ([`Begin::bulk`]) or [`HANDSHAKE`] bytes of one direction have passed. A length and a time are never given up.
//!
//! Each byte is noted twice, on the leg where it was read and on the leg where it was written, and counted once: the
//! note of the read carries the count, see [`Budget::release`].

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use analyzer::observation::{Absence, Flow, Lapse, Leg, Observation, PathSample, Seen, Side};
use analyzer::time::Timestamp;
use analyzer::timeline::phase::PhaseName;
use bytes::Bytes;
use tokio::net::TcpStream;

use crate::clock;
use crate::cycle::Link;
use crate::gate::Refusal;
use crate::impair::Phases;
use crate::pulse::Pulse;
use crate::tcp_info;

/// Payload of one direction that is kept whatever happens: no handshake is longer.
pub const HANDSHAKE: u64 = 1 << 20;

/// What a note costs besides its payload, bytes, roughly: many small reads are not free, either.
const NOTE: u64 = 256;

/// Payload on its way to the scribe, bytes, by which it is not just late but out of breath.
const FAR: u64 = 8 << 20;

/// What the scribe is told.
#[derive(Debug)]
pub enum Note {
    /// A client was accepted: a session begins.
    Begin(Box<Begin>),
    /// Something was seen on one of its legs. The recorder numbers it: here `frame` is 0.
    Seen(Observation),
    /// Nothing more will come of this session.
    End {
        /// Which.
        session: u32,
    },
    /// This process did not run for a while, or the wall clock was set. Comes before anything that was seen afterwards.
    Lapsed {
        /// When that was noticed.
        at: Timestamp,
        /// What.
        lapse: Lapse,
    },
    /// A client was turned away.
    Refused {
        /// Who.
        client: IpAddr,
        /// Why.
        why: Refusal,
    },
}

/// A session begins.
#[derive(Debug)]
pub struct Begin {
    /// Its number, from 1.
    pub session: u32,
    /// When the client was accepted.
    pub at: Timestamp,
    /// By how many nanoseconds the wall clock was ahead of the clock of this process then.
    pub ahead: i64,
    /// The client's end of the front leg.
    pub client: SocketAddr,
    /// The relay's end of the front leg.
    pub listener: SocketAddr,
    /// Samples the path of either leg, from any thread.
    pub sampler: Sampler,
    /// To be set by the scribe once the session is active: from then on payload may be given up.
    pub bulk: Arc<AtomicBool>,
    /// Payload bytes of this session on their way to the scribe.
    pub waiting: Arc<AtomicU64>,
}

/// How much may be on its way to the scribe.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Payload bytes of all sessions.
    pub total: u64,
    /// Payload bytes of one session.
    pub session: u64,
    /// Notes, beyond which missing lengths that follow each other are told as one.
    pub notes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { total: 256 << 20, session: 128 << 20, notes: 100_000 }
    }
}

/// A tap: the end that the relay feeds and the end that the scribe reads.
pub fn tap(limits: Limits) -> (Feed, Intake) {
    let (sender, receiver) = mpsc::channel();
    let counts = Counts { limits, bytes: AtomicU64::new(0), notes: AtomicU64::new(0), dropped: AtomicU64::new(0) };
    let budget = Budget(Arc::new(counts));
    let pulse: Arc<Pulse> = Arc::default();
    let feed = Feed { notes: sender, budget: budget.clone(), pulse: pulse.clone() };
    (feed, Intake { notes: receiver, budget, pulse, last: Instant::now() })
}

/// The relay's end of the tap. Each session takes a [`Tap`] from it.
#[derive(Debug, Clone)]
pub struct Feed {
    notes: Sender<Note>,
    budget: Budget,
    pulse: Arc<Pulse>,
}

impl Feed {
    /// Tells of a client that was turned away.
    pub(crate) fn refused(&self, client: IpAddr, why: Refusal) {
        self.notice(clock::now());
        // Where the scribe is gone nobody is told.
        let _ = self.send(Note::Refused { client, why });
    }

    /// Reads the clocks, and tells what befell this process since they were last read.
    pub(crate) fn beat(&self) {
        self.pulse.beat(|at, lapse| {
            let _ = self.send(Note::Lapsed { at, lapse });
        });
    }

    /// Nobody beats any more.
    pub(crate) fn rest(&self) {
        self.pulse.rest();
    }

    /// Tells of a stop, where there was one by then, before what is told next.
    fn notice(&self, now: Timestamp) {
        if self.pulse.is_late(now) {
            self.beat();
        }
    }

    fn send(&self, note: Note) -> Result<(), mpsc::SendError<Note>> {
        self.budget.0.notes.fetch_add(1, Ordering::Relaxed);
        // What cannot be told is no more on its way.
        self.notes.send(note).inspect_err(|_| _ = self.budget.0.notes.fetch_sub(1, Ordering::Relaxed))
    }
}

/// The scribe's end of the tap.
#[derive(Debug)]
pub struct Intake {
    notes: Receiver<Note>,
    budget: Budget,
    pulse: Arc<Pulse>,
    /// When a note last came.
    last: Instant,
}

impl Intake {
    /// How long the scribe naps where there is nothing to do: a live line comes that much later.
    const NAP: Duration = Duration::from_millis(2);

    /// How long after the last note it goes on napping.
    const AWAKE: Duration = Duration::from_millis(100);

    /// Moves all notes that are there to `into`, waiting up to `patience` for the first. False once nothing can come
    /// any more.
    ///
    /// It naps for as long as notes keep coming, rather than wait for each: a thread that waits has to be woken by the
    /// one that sends, a system call between the two writes of a busy relay.
    pub fn gather(&mut self, into: &mut Vec<Note>, patience: Duration) -> bool {
        let begun = Instant::now();
        let before = into.len();
        while self.take(into) {
            let waited = begun.elapsed();
            if into.len() > before || waited >= patience {
                return true;
            }
            if self.last.elapsed() < Self::AWAKE {
                thread::sleep(Self::NAP.min(patience - waited));
                continue;
            }
            match self.notes.recv_timeout(patience - waited) {
                Ok(note) => self.receive(note, into),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        into.len() > before
    }

    /// Adds what befell this process by now, where nobody else has noticed it yet.
    pub fn notice(&self, into: &mut Vec<Note>) {
        if self.pulse.is_late(clock::now()) {
            self.pulse.beat(|at, lapse| into.push(Note::Lapsed { at, lapse }));
        }
    }

    /// Takes what is there; false where the other end is gone.
    fn take(&mut self, into: &mut Vec<Note>) -> bool {
        loop {
            match self.notes.try_recv() {
                Ok(note) => self.receive(note, into),
                Err(mpsc::TryRecvError::Empty) => return true,
                Err(mpsc::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn receive(&mut self, note: Note, into: &mut Vec<Note>) {
        self.last = Instant::now();
        self.budget.0.notes.fetch_sub(1, Ordering::Relaxed);
        into.push(note);
    }

    /// The count of what is on its way.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }
}

/// The count of what is on its way to the scribe, for all sessions.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    limits: Limits,
    bytes: AtomicU64,
    notes: AtomicU64,
    dropped: AtomicU64,
}

impl Budget {
    /// The scribe has dealt with this observation: its payload counts no more, neither here nor in its session's
    /// [`Begin::waiting`]. To be called for every observation; one that carries no count changes nothing.
    pub fn release(&self, waiting: &AtomicU64, observation: &Observation) {
        let Seen::Bytes { from, data } = &observation.seen else { return };
        if *from == peer(observation.flow.leg) {
            let cost = data.len() as u64 + NOTE;
            self.0.bytes.fetch_sub(cost, Ordering::Relaxed);
            waiting.fetch_sub(cost, Ordering::Relaxed);
        }
    }

    /// Payload bytes on their way.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Payload bytes given up since the start, each counted once.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Lets the scribe have this processor, where it is far behind and one is all that it lacks. It is not waited for: on a
    /// machine with another processor to spare, or where the disk is slow, this does nothing.
    pub(crate) fn give_way(&self) {
        if self.bytes() > FAR {
            thread::yield_now();
        }
    }

    fn crowded(&self) -> bool {
        self.0.notes.load(Ordering::Relaxed) > self.0.limits.notes
    }
}

/// Samples the path of a session's legs, from any thread. It keeps no connection open.
#[derive(Debug, Clone, Default)]
pub struct Sampler {
    legs: Arc<[Mutex<Weak<TcpStream>>; 2]>,
}

impl Sampler {
    /// The state of the path of `leg` now; `None` where it is not open or the system does not tell.
    pub fn sample(&self, leg: Leg) -> Option<PathSample> {
        let stream = self.leg(leg).upgrade()?;
        tcp_info::sample(&stream)
    }

    /// From now on `leg` is this connection.
    pub(crate) fn watch(&self, leg: Leg, stream: &Arc<TcpStream>) {
        *self.leg(leg) = Arc::downgrade(stream);
    }

    fn leg(&self, leg: Leg) -> MutexGuard<'_, Weak<TcpStream>> {
        self.legs[slot(leg)].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session's place at the tap. Dropping it tells the scribe that the session ended.
#[derive(Debug)]
pub struct Tap {
    session: u32,
    feed: Feed,
    bulk: Arc<AtomicBool>,
    waiting: Arc<AtomicU64>,
    sampler: Sampler,
    /// Where somebody waits for a phase to begin.
    phases: Option<Box<Phases>>,
    /// What is to know that the server has said something.
    link: Option<Arc<Link>>,
    /// Bytes read on each leg so far.
    passed: [u64; 2],
    /// Missing bytes of each leg that were not told yet.
    held: [Option<Held>; 2],
    /// When the last thing that was told of each leg happened.
    last: [Timestamp; 2],
    dropped: u64,
}

/// A missing length that waits for the next, because the scribe has notes enough.
#[derive(Debug, Clone, Copy)]
struct Held {
    at: Timestamp,
    from: Side,
    len: u64,
}

impl Tap {
    /// Tells the scribe that a session begins.
    pub(crate) fn begin(feed: &Feed, session: u32, at: Timestamp, client: SocketAddr, listener: SocketAddr) -> Tap {
        let mut tap = Tap {
            session,
            feed: feed.clone(),
            bulk: Arc::default(),
            waiting: Arc::default(),
            sampler: Sampler::default(),
            phases: None,
            link: None,
            passed: [0; 2],
            held: [None; 2],
            last: [Timestamp::default(); 2],
            dropped: 0,
        };
        let (sampler, bulk, waiting) = (tap.sampler.clone(), tap.bulk.clone(), tap.waiting.clone());
        let ahead = clock::ahead();
        tap.feed.notice(at);
        tap.send(Note::Begin(Box::new(Begin { session, at, ahead, client, listener, sampler, bulk, waiting })));
        tap
    }

    /// From now on its phases are followed by this, or by nobody.
    pub(crate) fn follow(&mut self, phases: Option<Box<Phases>>) {
        self.phases = phases;
    }

    /// The first thing that the server says is told this.
    pub(crate) fn link(&mut self, link: Arc<Link>) {
        self.link = Some(link);
    }

    /// The phases that have begun since the last call.
    pub(crate) fn take_phases(&mut self) -> Vec<PhaseName> {
        let Some(phases) = &mut self.phases else { return Vec::new() };
        let begun = phases.take();
        if phases.is_over() {
            self.phases = None;
        }
        begun
    }

    /// The session's number.
    pub(crate) fn session(&self) -> u32 {
        self.session
    }

    /// Samples this session's legs.
    pub(crate) fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// Bytes that were read on `leg` so far.
    pub(crate) fn passed(&self, leg: Leg) -> u64 {
        self.passed[slot(leg)]
    }

    /// Lets the scribe go on, where it cannot for want of a processor.
    pub(crate) fn give_way(&self) {
        self.feed.budget.give_way();
    }

    /// Payload bytes of this session given up, each counted once.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Notes anything but payload.
    pub(crate) fn note(&mut self, leg: Leg, at: Timestamp, seen: Seen) {
        self.tell_all_held();
        self.tell(leg, at, seen);
    }

    /// Notes payload read on `leg`. False where it had to be given up: then its write is to be noted as such, too.
    pub(crate) fn arrived(&mut self, leg: Leg, at: Timestamp, data: &Bytes) -> bool {
        let len = data.len() as u64;
        self.passed[slot(leg)] += len;
        if leg == Leg::Back
            && let Some(link) = self.link.take()
        {
            link.answered();
        }
        let kept = !(self.is_over(len + NOTE) && self.is_bulk(leg));
        if kept {
            self.feed.budget.0.bytes.fetch_add(len + NOTE, Ordering::Relaxed);
            self.waiting.fetch_add(len + NOTE, Ordering::Relaxed);
        } else {
            self.dropped += len;
            self.feed.budget.0.dropped.fetch_add(len, Ordering::Relaxed);
        }
        self.payload(leg, at, peer(leg), data.clone(), kept);
        kept
    }

    /// Notes payload that was written on `leg`. `kept` is what [`Tap::arrived`] said of it.
    pub(crate) fn left(&mut self, leg: Leg, at: Timestamp, data: Bytes, kept: bool) {
        self.payload(leg, at, peer(leg).other(), data, kept);
    }

    fn payload(&mut self, leg: Leg, at: Timestamp, from: Side, data: Bytes, kept: bool) {
        if kept {
            self.note(leg, at, Seen::Bytes { from, data });
        } else {
            self.hold(leg, Held { at, from, len: data.len() as u64 });
        }
    }

    fn is_over(&self, len: u64) -> bool {
        let limits = self.feed.budget.0.limits;
        self.feed.budget.bytes() + len > limits.total || self.waiting.load(Ordering::Relaxed) + len > limits.session
    }

    fn is_bulk(&self, leg: Leg) -> bool {
        self.bulk.load(Ordering::Relaxed) || self.passed[slot(leg)] > HANDSHAKE
    }

    /// Tells of missing bytes, at once where the scribe keeps up with notes.
    fn hold(&mut self, leg: Leg, next: Held) {
        match &mut self.held[slot(leg)] {
            Some(held) if held.from == next.from => *held = Held { len: held.len + next.len, ..next },
            Some(_) => {
                self.tell_held(leg);
                self.held[slot(leg)] = Some(next);
            }
            none => *none = Some(next),
        }
        if !self.feed.budget.crowded() {
            self.tell_held(leg);
        }
    }

    /// Tells of the missing bytes of both legs, in the order in which they were missed: what comes next on either may be the
    /// answer to them.
    fn tell_all_held(&mut self) {
        let at = |leg: Leg| self.held[slot(leg)].map(|held| held.at);
        // Of one moment: what was read was there before it was written.
        let back_first = match (at(Leg::Front), at(Leg::Back)) {
            (Some(front), Some(back)) => back < front || back == front && self.reads(Leg::Back),
            (Some(_), None) | (None, Some(_)) | (None, None) => false,
        };
        let order = if back_first { [Leg::Back, Leg::Front] } else { [Leg::Front, Leg::Back] };
        order.into_iter().for_each(|leg| self.tell_held(leg));
    }

    /// Whether the bytes that are missing on this leg were read there, not written.
    fn reads(&self, leg: Leg) -> bool {
        self.held[slot(leg)].is_some_and(|held| held.from == peer(leg))
    }

    fn tell_held(&mut self, leg: Leg) {
        if let Some(Held { at, from, len }) = self.held[slot(leg)].take() {
            self.tell(leg, at, Seen::Missing { from, len, why: Absence::Dropped });
        }
    }

    fn tell(&mut self, leg: Leg, at: Timestamp, seen: Seen) {
        let flow = Flow { session: self.session, leg };
        // Payload may have come before what was told already: time never goes back on a leg.
        let last = &mut self.last[slot(leg)];
        *last = at.max(*last);
        let at = *last;
        self.feed.notice(at);
        let observation = Observation { at, flow, frame: 0, seen };
        if let Some(phases) = &mut self.phases {
            phases.push(&observation);
        }
        self.send(Note::Seen(observation));
    }

    fn send(&mut self, note: Note) {
        // Without a scribe the relay goes on: what it cannot tell is dropped here.
        if let Err(mpsc::SendError(Note::Seen(observation))) = self.feed.send(note) {
            self.feed.budget.release(&self.waiting, &observation);
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.tell_all_held();
        self.send(Note::End { session: self.session });
    }
}

/// The side that the relay talks to on this leg.
pub(crate) fn peer(leg: Leg) -> Side {
    match leg {
        Leg::Front => Side::Client,
        Leg::Back | Leg::Only => Side::Server,
    }
}

fn slot(leg: Leg) -> usize {
    match leg {
        Leg::Front => 0,
        Leg::Back | Leg::Only => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: Bytes = Bytes::from_static(&[7; 100]);

    fn open(limits: Limits) -> (Tap, Intake) {
        let (feed, intake) = tap(limits);
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        (Tap::begin(&feed, 1, Timestamp::at(0), nowhere, nowhere), intake)
    }

    /// Reads a chunk on the back leg and writes it on the front leg.
    fn carry(tap: &mut Tap, at: u64) {
        let kept = tap.arrived(Leg::Back, Timestamp::at(at), &CHUNK);
        tap.left(Leg::Front, Timestamp::at(at), CHUNK, kept);
    }

    fn lengths(notes: &[Note]) -> Vec<(Leg, u64, bool)> {
        let payload = |note: &Note| match note {
            Note::Seen(Observation { flow, seen: Seen::Bytes { data, .. }, .. }) => {
                Some((flow.leg, data.len() as u64, true))
            }
            Note::Seen(Observation { flow, seen: Seen::Missing { len, .. }, .. }) => Some((flow.leg, *len, false)),
            _ => None,
        };
        notes.iter().filter_map(payload).collect()
    }

    fn gather(intake: &mut Intake) -> Vec<Note> {
        let mut notes = Vec::new();
        intake.gather(&mut notes, Duration::ZERO);
        notes
    }

    #[test]
    fn the_handshake_is_kept_even_over_budget() {
        let (mut tap, mut intake) = open(Limits { total: 0, session: 0, notes: 10 });
        carry(&mut tap, 1);
        assert_eq!(lengths(&gather(&mut intake)), [(Leg::Back, 100, true), (Leg::Front, 100, true)]);
        assert_eq!(tap.dropped(), 0);
    }

    #[test]
    fn bulk_over_budget_becomes_missing_on_both_legs() {
        let (mut tap, mut intake) = open(Limits { session: 2 * (100 + NOTE), ..Limits::default() });
        tap.bulk.store(true, Ordering::Relaxed);
        (0..4).for_each(|at| carry(&mut tap, at));
        let expected = [true, true, false, false].map(|kept| [(Leg::Back, 100, kept), (Leg::Front, 100, kept)]);
        let notes = gather(&mut intake);
        assert_eq!(lengths(&notes), expected.concat());
        assert_eq!((tap.dropped(), intake.budget().dropped()), (200, 200));
        assert_eq!(intake.budget().bytes(), 2 * (100 + NOTE));
        for note in &notes {
            if let Note::Seen(observation) = note {
                intake.budget().release(&tap.waiting, observation);
            }
        }
        assert_eq!((intake.budget().bytes(), tap.waiting.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn missing_bytes_are_told_as_one_where_the_scribe_has_notes_enough() {
        let (mut tap, mut intake) = open(Limits { total: 0, session: 0, notes: 0 });
        tap.bulk.store(true, Ordering::Relaxed);
        (0..5).for_each(|at| carry(&mut tap, at));
        tap.note(Leg::Front, Timestamp::at(9), Seen::Opened);
        drop(tap);
        // They were read on the back leg before they were written on the front leg.
        assert_eq!(lengths(&gather(&mut intake)), [(Leg::Back, 500, false), (Leg::Front, 500, false)]);
    }

    #[test]
    fn what_is_kept_comes_behind_what_was_given_up_before_it_on_either_leg() {
        let (mut tap, mut intake) = open(Limits { total: 0, session: 0, notes: 0 });
        tap.passed = [0, HANDSHAKE];
        carry(&mut tap, 1);
        carry(&mut tap, 2);
        // The client's own beginning, which is kept.
        let kept = tap.arrived(Leg::Front, Timestamp::at(3), &CHUNK);
        tap.left(Leg::Back, Timestamp::at(3), CHUNK, kept);
        carry(&mut tap, 4);
        drop(tap);
        let expected = [
            (Leg::Back, 200, false),
            (Leg::Front, 200, false),
            (Leg::Front, 100, true),
            (Leg::Back, 100, true),
            (Leg::Back, 100, false),
            (Leg::Front, 100, false),
        ];
        assert_eq!(lengths(&gather(&mut intake)), expected);
    }

    #[test]
    fn the_beginning_of_each_direction_is_kept_whatever_the_other_carries() {
        let (mut tap, mut intake) = open(Limits { total: 0, session: 0, notes: 0 });
        tap.passed = [0, 50 * HANDSHAKE];
        for at in 0..HANDSHAKE / CHUNK.len() as u64 {
            assert!(tap.arrived(Leg::Front, Timestamp::at(at), &CHUNK), "{at}");
            assert!(!tap.arrived(Leg::Back, Timestamp::at(at), &CHUNK), "{at}");
        }
        assert!(!tap.arrived(Leg::Front, Timestamp::at(HANDSHAKE), &CHUNK), "no handshake is longer");
        let notes = gather(&mut intake);
        let kept = lengths(&notes).iter().filter(|(_, _, kept)| *kept).map(|(_, len, _)| len).sum::<u64>();
        assert_eq!(kept, HANDSHAKE / 100 * 100);
    }

    #[test]
    fn without_a_scribe_nothing_stays_on_its_way() {
        let (mut tap, intake) = open(Limits::default());
        let budget = intake.budget().clone();
        drop(intake);
        carry(&mut tap, 1);
        assert_eq!(budget.bytes(), 0);
    }
}
