//! Carries bytes between the two legs of a session, and every kind of end.
//!
//! One task drives both directions. A leg is read only while nothing is pending on the other, so that a peer that does
//! not read holds the other peer back as it would directly. FIN stays FIN, half-close stays half-close, RST stays RST:
//!
//! ```text
//!              FIN read on one leg ── pending bytes written ──> FIN on the other, the reverse direction goes on
//!   exchange ──┤ both FINs exchanged ──> farewell: a late RST is still carried over ──> closed
//!              └ a leg broke ──> its last bytes are read and written, they are sent on the other ──> RST there
//! ```
//!
//! What cannot be delivered is noted as `Missing`, `Discarded`, on the leg that could not take it, just before that leg
//! is closed: bytes read and not written, bytes that came and were not read, and, where the relay itself resets, bytes
//! in the send queue that were never sent, which were noted as written before. There is no idle timer.
//!
//! A session that is impaired on purpose has a line in each direction, in which bytes wait before they are written: `impaired`.

mod impaired;

use std::pin::Pin;
use std::time::Duration;

use analyzer::observation::{self as seen, Ending, Interception, Seen, Side};
use analyzer::time::Timestamp;
use bytes::Bytes;
use tokio::task::coop::consume_budget;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::clock;
use crate::intercept::{Deeds, Interceptor, Replay};
use crate::leg::{CHUNK, Leg, Read};
use crate::tap::Tap;
pub(crate) use impaired::Lines;

/// How long the last bytes before an RST may take to be sent on the other leg. After that they are discarded.
pub const RESET_BOUND: Duration = Duration::from_secs(2);

/// How long a late RST is waited for after both FINs, while they are not acknowledged.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long the last bytes get where the system does not tell when they left.
const BLIND: Duration = Duration::from_millis(100);

/// How often paths are sampled while bytes move.
const BUSY: Duration = Duration::from_secs(1);

/// Turns of a session's beginning after which the path is sampled, too: what is lost of a flight shows only against the
/// sample before it.
const TURNS: u32 = 32;

/// How often paths are sampled while nothing moves.
const IDLE: Duration = Duration::from_secs(30);

/// The two legs of a session, both connected.
#[derive(Debug)]
pub(crate) struct Relay<'a> {
    front: Leg,
    back: Leg,
    tap: &'a mut Tap,
    pace: Pace,
    /// What changes the bytes on their way, where TLS is to end here.
    inside: Option<Interceptor>,
    /// Where bytes wait, where the session is impaired on purpose.
    impair: Option<Lines>,
}

/// The server is to be dialed once more.
#[derive(Debug)]
pub(crate) struct Redial {
    pub(crate) front: Leg,
    pub(crate) replay: Replay,
    pub(crate) lines: Option<Lines>,
}

/// Why the exchange is over.
enum Exit {
    /// Both sides have sent their FIN, and were given the other's.
    Finished,
    /// The leg to this side broke, or is to be reset in its name.
    Broken(Side),
    /// The proxy is to end.
    Stopped,
    /// TLS with the server did not come about; the client knows nothing of it.
    Redial,
}

impl<'a> Relay<'a> {
    pub(crate) fn new(front: Leg, back: Leg, tap: &'a mut Tap) -> Relay<'a> {
        Relay { front, back, tap, pace: Pace::new(), inside: None, impair: None }
    }

    /// One that stands inside TLS.
    pub(crate) fn inside(front: Leg, back: Leg, tap: &'a mut Tap, inside: Interceptor) -> Relay<'a> {
        Relay { inside: Some(inside), ..Relay::new(front, back, tap) }
    }

    /// The same, after the client has said this, which was noted then. With each, whether the scribe has it.
    pub(crate) fn after(mut self, early: Vec<(Bytes, bool)>) -> Relay<'a> {
        for (data, kept) in early {
            match self.becomes(Side::Client, &data) {
                Some(deeds) => self.act(Side::Client, deeds, kept),
                None => self.send(Side::Server, data, kept),
            }
        }
        self
    }

    /// Carries bytes until the session ends, or until `stop`; or until the server is to be dialed once more.
    pub(crate) async fn run(mut self, stop: Pin<&mut (dyn Future<Output = ()> + Send)>) -> Option<Redial> {
        self.line_up_end();
        match self.exchange(stop).await {
            Exit::Finished => {
                self.note_lost();
                self.farewell().await;
            }
            Exit::Broken(side) => self.part(side).await,
            Exit::Stopped => self.abandon(),
            Exit::Redial => return self.take_back(),
        }
        None
    }

    async fn exchange(&mut self, mut stop: Pin<&mut (dyn Future<Output = ()> + Send)>) -> Exit {
        let mut is_late = false;
        loop {
            let moved = self.carry(Side::Client) | self.carry(Side::Server);
            if self.is_redial_due() {
                return Exit::Redial;
            }
            if let Some(exit) = self.exit() {
                return exit;
            }
            if moved {
                self.pace.moved();
                self.tap.give_way();
                consume_budget().await; // Other sessions of this thread have a right to move, too.
                continue;
            }
            // What came while this process was stopped is read first, since it stands before the sample in time: a timer is
            // told first.
            if self.pace.is_due() && self.has_unread() && !std::mem::replace(&mut is_late, true) {
                yield_now().await;
                continue;
            }
            if self.pace.is_due() {
                is_late = false;
                let under_way = self.front.sample(self.tap) | self.back.sample(self.tap);
                self.pace.sampled(under_way);
            }
            let wanted = [Side::Client, Side::Server].map(|from| self.room(from) > 0);
            let due = self.due();
            tokio::select! {
                biased;
                () = &mut stop => return Exit::Stopped,
                () = wait(&mut self.front, &mut self.back, wanted, self.pace.timer.as_mut()) => {}
                () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {}
            }
        }
    }

    /// Whether anything has come that was not read yet.
    fn has_unread(&self) -> bool {
        self.front.unread() + self.back.unread() > 0
    }

    /// Carries what there is in one direction. True if anything moved.
    fn carry(&mut self, from: Side) -> bool {
        if self.impair.is_some() {
            return self.carry_impaired(from);
        }
        let (source, sink) = match from {
            Side::Client => (&mut self.front, &mut self.back),
            Side::Server => (&mut self.back, &mut self.front),
        };
        let flushed = sink.flush(self.tap);
        if !sink.is_flushed() || sink.broken().is_some() {
            return flushed;
        }
        match source.read(self.inside.as_ref().map_or(CHUNK, |inside| inside.room(from))) {
            Read::Data(data, at) => {
                if self.inside.is_some() {
                    self.change(from, at, data);
                    return true;
                }
                // Written before it is noted: noting is not to delay it.
                let written = sink.write(&data);
                let kept = self.tap.arrived(source.name, at, &data);
                let n = written.map_or(0, |(at, n)| {
                    self.tap.left(sink.name, at, data.slice(..n), kept);
                    n
                });
                if self.pace.is_turn(from) {
                    sink.sample(self.tap);
                }
                if n < data.len() {
                    sink.pend(data.slice(n..), kept);
                }
                true
            }
            Read::Fin => {
                note_fin(source, self.tap);
                match self.inside {
                    Some(_) => self.ended(from),
                    None => sink.end(),
                }
                true
            }
            Read::Nothing => flushed,
        }
    }

    /// Sends what becomes of these bytes inside TLS. They are noted behind the secrets by which they can be read.
    fn change(&mut self, from: Side, at: Timestamp, data: Bytes) {
        let Some(mut deeds) = self.becomes(from, &data) else { return };
        for (leg, seen) in std::mem::take(&mut deeds.notes) {
            self.tap.note(leg, at, seen);
        }
        let source = self.leg(from).name;
        let kept = self.tap.arrived(source, at, &data);
        self.act(from, deeds, kept);
    }

    /// What becomes of bytes of this side inside TLS; nothing where they just pass.
    fn becomes(&mut self, from: Side, data: &Bytes) -> Option<Deeds> {
        let inside = self.inside.as_mut()?;
        let mut deeds = Deeds::default();
        inside.push(from, data.clone(), &mut deeds);
        Some(deeds)
    }

    /// Passes on that one side has ended, behind what is held inside TLS.
    fn ended(&mut self, from: Side) {
        let Some(inside) = &mut self.inside else { return };
        let mut deeds = Deeds::default();
        inside.ended(from, &mut deeds);
        self.act(from, deeds, true);
    }

    /// Notes, sends and ends what one side has caused. `kept` is whether the scribe has its payload.
    fn act(&mut self, from: Side, deeds: Deeds, kept: bool) {
        if self.inside.as_ref().is_some_and(Interceptor::is_passing) {
            self.inside = None;
        }
        for (leg, seen) in deeds.notes {
            self.tap.note(leg, clock::now(), seen);
        }
        for (to, data) in deeds.sends {
            self.send(to, data, kept);
            if self.impair.is_none() && to != from && self.pace.is_turn(from) {
                let (leg, tap) = self.leg_and_tap(to);
                leg.sample(tap);
            }
        }
        for side in deeds.ends {
            match self.impair {
                Some(_) => self.line_end(side.other()),
                None => self.leg(side).end(),
            }
        }
    }

    /// Sends this to that side, or puts it into the line before it.
    fn send(&mut self, to: Side, data: Bytes, kept: bool) {
        if self.impair.is_some() {
            return self.line_up(to.other(), data, kept);
        }
        let (leg, tap) = self.leg_and_tap(to);
        leg.send(data, kept, tap);
    }

    fn leg_and_tap(&mut self, side: Side) -> (&mut Leg, &mut Tap) {
        match side {
            Side::Client => (&mut self.front, self.tap),
            Side::Server => (&mut self.back, self.tap),
        }
    }

    /// How much is read at once of this side, bytes.
    fn room(&self, from: Side) -> usize {
        let room = self.inside.as_ref().map_or(CHUNK, |inside| inside.room(from));
        self.impair.as_ref().map_or(room, |impair| room.min(impair.room(from)))
    }

    fn leg(&mut self, side: Side) -> &mut Leg {
        match side {
            Side::Client => &mut self.front,
            Side::Server => &mut self.back,
        }
    }

    /// Whether TLS with the server has failed while the client waits for its answer.
    fn is_redial_due(&mut self) -> bool {
        let Some(inside) = &mut self.inside else { return false };
        if self.back.broken().is_some() && self.back.is_read_out() {
            inside.ended(Side::Server, &mut Deeds::default());
        }
        inside.wants_redial() && self.front.broken().is_none()
    }

    /// Ends the leg to the server, as if it had not been.
    fn take_back(mut self) -> Option<Redial> {
        let waits = self.give_up(Side::Client);
        match self.back.broken() {
            Some(_) => self.back.bury(waits, self.tap),
            None => self.back.reset(waits, self.tap),
        }
        let replay = self.inside?.into_replay()?;
        let why = replay.why.clone();
        self.tap.note(seen::Leg::Back, clock::now(), Seen::Interception(Interception::Redialed { why }));
        Some(Redial { front: self.front, replay, lines: self.impair })
    }

    fn exit(&self) -> Option<Exit> {
        if let Some(by) = self.impair.as_ref().and_then(|impair| impair.reset()) {
            return Some(Exit::Broken(by));
        }
        let first = match (self.front.broken(), self.back.broken()) {
            (None, None) => return (self.front.is_over() && self.back.is_over()).then_some(Exit::Finished),
            (Some(front), Some(back)) if front.since <= back.since => return Some(Exit::Broken(Side::Client)),
            (Some(_), Some(_)) => return Some(Exit::Broken(Side::Server)),
            (Some(front), None) => (Side::Client, &self.front, front),
            (None, Some(back)) => (Side::Server, &self.back, back),
        };
        let (side, leg, broken) = first;
        (leg.is_read_out() || broken.since.elapsed() >= RESET_BOUND).then_some(Exit::Broken(side))
    }

    /// Both FINs are exchanged on both legs: a late RST is still carried over, while anything is under way.
    async fn farewell(mut self) {
        let deadline = Instant::now() + FAREWELL;
        let mut nap = Nap::new();
        while Instant::now() < deadline && !(is_sent(&self.front) && is_sent(&self.back)) {
            wait(&mut self.front, &mut self.back, [true; 2], nap.next(deadline).as_mut()).await;
            if let Some(Exit::Broken(side)) = self.exit() {
                return self.part(side).await;
            }
        }
        self.front.sample(self.tap);
        self.back.sample(self.tap);
    }

    /// The leg to `side` broke, or is to be reset: the other is given what came before, and then reset.
    async fn part(mut self, side: Side) {
        let waits = self.give_up(side.other());
        let (gone, mut left) = match side {
            Side::Client => (self.front, self.back),
            Side::Server => (self.back, self.front),
        };
        let mut since = gone.broken().map_or_else(Instant::now, |broken| broken.since.into());
        let mut unread = gone.unread();
        match gone.broken() {
            Some(_) => gone.bury(left.unread() + waits, self.tap),
            None => gone.reset(left.unread() + waits, self.tap),
        }
        if let Some(impair) = &mut self.impair {
            impaired::drain_line(impair, &mut left, self.tap).await;
            unread += impair.give_up(side);
            since = Instant::now();
        }
        drain(&mut left, since + RESET_BOUND, self.tap).await;
        match left.broken() {
            Some(_) => left.bury(unread, self.tap),
            None => left.reset(unread, self.tap),
        }
    }

    /// The proxy ends before the session does.
    fn abandon(mut self) {
        let from_client = self.front.unread() + self.give_up(Side::Client);
        let from_server = self.back.unread() + self.give_up(Side::Server);
        self.front.reset(from_server, self.tap);
        self.back.reset(from_client, self.tap);
    }
}

/// Notes the FIN of a leg's peer.
pub(crate) fn note_fin(leg: &Leg, tap: &mut Tap) {
    tap.note(leg.name, clock::now(), Seen::Closed { from: Some(leg.peer()), how: Ending::Fin });
}

/// Waits until either leg can move, or until the timer is out. A leg is read only while the other can take it, and while
/// its side is wanted to go on.
async fn wait(front: &mut Leg, back: &mut Leg, wanted: [bool; 2], mut timer: Pin<&mut Sleep>) {
    let read_front = takes(back) && wanted[Side::Client as usize];
    let read_back = takes(front) && wanted[Side::Server as usize];
    // The last bytes before an RST have a bound of their own.
    let bound = front.broken().or(back.broken()).map(|broken| Instant::from(broken.since) + RESET_BOUND);
    let (front_alarm, back_alarm) = tokio::select! {
        biased;
        alarm = front.ready(read_front) => (alarm, false),
        alarm = back.ready(read_back) => (false, alarm),
        () = async { sleep_until(bound.unwrap_or_else(Instant::now)).await }, if bound.is_some() => (false, false),
        () = &mut timer => (false, false),
    };
    if front_alarm {
        front.alarm();
    }
    if back_alarm {
        back.alarm();
    }
}

/// The leg can be given more.
fn takes(leg: &Leg) -> bool {
    leg.is_flushed() && leg.broken().is_none()
}

/// Waits until everything was sent, or the leg breaks, too, or the deadline has passed.
///
/// Sent, not acknowledged: a peer may hold back its acknowledgement for 40 ms and more, and directly the RST would
/// follow the bytes at once, too.
async fn drain(leg: &mut Leg, mut deadline: Instant, tap: &mut Tap) {
    if leg.unsent().is_none() {
        deadline = deadline.min(Instant::now() + BLIND);
    }
    let mut nap = Nap::new();
    loop {
        leg.flush(tap);
        let done = leg.is_flushed() && leg.unsent() == Some(0);
        if done || leg.broken().is_some() || Instant::now() >= deadline {
            return;
        }
        let alarm = tokio::select! {
            alarm = leg.ready(false) => alarm,
            () = nap.next(deadline) => false,
        };
        if alarm {
            leg.alarm();
        }
    }
}

/// Nothing is in the send queue, as far as the system tells.
fn is_sent(leg: &Leg) -> bool {
    leg.unacknowledged().unwrap_or(0) == 0
}

/// Short sleeps that grow longer. The first are rounded up to what the runtime's timer can do (1 ms).
struct Nap(Duration);

impl Nap {
    fn new() -> Nap {
        Nap(Duration::from_micros(200))
    }

    fn next(&mut self, deadline: Instant) -> Pin<Box<Sleep>> {
        let length = self.0;
        self.0 = (length * 2).min(Duration::from_millis(5));
        Box::pin(sleep_until(deadline.min(Instant::now() + length)))
    }
}

/// When to sample the paths: each second while bytes move or are under way, else every 30 seconds.
#[derive(Debug)]
struct Pace {
    timer: Pin<Box<Sleep>>,
    busy: bool,
    moved: bool,
    /// Who spoke last, and how often the speaker changed.
    speaker: Option<Side>,
    turns: u32,
}

impl Pace {
    fn new() -> Pace {
        Pace { timer: Box::pin(sleep(BUSY)), busy: true, moved: false, speaker: None, turns: 0 }
    }

    /// Whether one of the first turns begins, now that this side speaks.
    fn is_turn(&mut self, from: Side) -> bool {
        let is_turn = self.turns < TURNS && self.speaker != Some(from);
        if is_turn {
            (self.speaker, self.turns) = (Some(from), self.turns + 1);
        }
        is_turn
    }

    fn moved(&mut self) {
        self.moved = true;
        if !self.busy {
            self.busy = true;
            self.timer.as_mut().reset(Instant::now() + BUSY);
        }
    }

    fn is_due(&self) -> bool {
        self.timer.is_elapsed()
    }

    fn sampled(&mut self, under_way: bool) {
        self.busy = self.moved || under_way;
        self.moved = false;
        self.timer.as_mut().reset(Instant::now() + if self.busy { BUSY } else { IDLE });
    }
}
