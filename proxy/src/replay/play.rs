//! Plays a script against a live peer: move by move, each as long after the one before as it was, and by the clock once both
//! sides stand.
//!
//! Where the peer departs it says so and goes on if it can: a message that is missing is passed over with what answered it,
//! one that nobody expects is told.

mod handshake;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use analyzer::observation::{Ending, Side};
use analyzer::secret::Secret;
use analyzer::time::Timestamp;
use analyzer::transcript::Place;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::ears::Ears;
use super::lines::{Lines, as_asked};
use super::script::{Act, Move, Script};
use super::wire::{Wire, reached};
use super::words::{ALERT, SEALED, is_of_handshake};
use crate::impair::Asked;
use crate::tls::{Credential, End};
pub(super) use telling::{name_of, rounded};

/// Bytes before TLS that are kept: a ClientHello is shorter.
const LONGEST: usize = 256 << 10;
/// Departures that are told one by one; the rest is counted.
const TOLD: usize = 16;
/// How far ahead a message is looked for that comes too soon.
const AHEAD: usize = 200;
/// How long a server is waited for that says nothing where it said something: longer than a slow logon takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a peer gets to follow once all is over.
const FAREWELL: Duration = Duration::from_secs(10);

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many times as fast as it was; more than 0.
    Times(f64),
    /// Without any pause.
    AsFastAsPossible,
}

/// Who is told of what happens, as it happens: a line for people.
#[derive(Clone)]
pub struct Tell(pub Arc<dyn Fn(&str) + Send + Sync>);

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Moves that were played, or that the peer made as expected.
    pub played: usize,
    /// All that there were.
    pub moves: usize,
    /// How often the peer departed from the recording.
    pub departures: usize,
    /// How it ended.
    pub ended: String,
    /// Which impairments took effect and when, and which did not; for people.
    pub impaired: Vec<String>,
}

/// How a side is played besides its script.
#[derive(Debug, Clone)]
pub struct Means {
    /// How fast.
    pub pace: Pace,
    /// What a server shows, where it has TLS.
    pub credential: Option<Credential>,
    /// The name by which a client calls its server.
    pub target: String,
    /// How it is impaired on purpose.
    pub impair: Option<Arc<Asked>>,
    /// Which play it is, counted from 1: each has a jitter of its own.
    pub number: u32,
}

/// What comes behind a move.
enum Next {
    On,
    To(usize),
    Over,
}

struct Play<'a> {
    script: &'a Script,
    means: &'a Means,
    tell: &'a Tell,
    wire: Wire,
    ears: Ears,
    tls: Option<End>,
    /// What the peer said since this side last spoke in clear: its TLS begins in it.
    unread: Vec<u8>,
    began: Instant,
    /// When the move before was, in the recording and now.
    last: (Timestamp, Instant),
    /// Where moves began to follow the clock.
    clock: Option<(Timestamp, Instant)>,
    is_mute: bool,
    /// Whether this side has sent its FIN.
    is_done: bool,
    /// Messages that came sooner than their turn.
    done: Vec<bool>,
    played: usize,
    departures: usize,
    ended: Option<String>,
}

/// Plays it on a connection that stands.
pub async fn play(script: &Script, means: &Means, stream: TcpStream, tell: &Tell) -> Played {
    let now = Instant::now();
    let asked = means.impair.as_ref();
    let lines = asked.map(|asked| Lines::new(asked, means.number, script.side, tell.clone()));
    let wire = Wire::new(stream, lines);
    let play = Play {
        script,
        means,
        tell,
        ears: Ears::new(script.side.other(), wire.awaits_phase()),
        wire,
        tls: None,
        unread: Vec::new(),
        began: now,
        last: (script.began, now),
        clock: None,
        is_mute: false,
        is_done: false,
        done: vec![false; script.moves.len()],
        played: 0,
        departures: 0,
        ended: None,
    };
    play.run().await
}

impl Play<'_> {
    async fn run(mut self) -> Played {
        let mut place = 0;
        let mut is_reset = false;
        while let Some(one) = self.script.moves.get(place) {
            if let Act::End(Ending::Reset) = one.act {
                self.until_end(place, one).await;
                self.end(place, Ending::Reset);
                self.played += 1;
                is_reset = true;
                break;
            }
            let next = self.step(place, one).await;
            if self.wire.cut().is_some() {
                break;
            }
            match next {
                Next::On => {
                    self.played += 1;
                    place += 1;
                }
                Next::To(next) => place = next,
                Next::Over => break,
            }
        }
        self.close(is_reset).await
    }

    async fn step(&mut self, place: usize, one: &Move) -> Next {
        match &one.act {
            Act::Say(..) if self.is_mute => Next::On,
            Act::Say(at, bytes) => {
                // Who has left as recorded may still be spoken to: a FIN ends one direction.
                if !self.until(one).await && !self.has_left(place) {
                    return self.gone(place);
                }
                self.check_selection(place, one);
                self.say(*at, bytes).await;
                Next::On
            }
            Act::Expect(name) => self.listen_for(place, one, name).await,
            Act::Begin(terms) => self.begin(place, one, terms).await,
            Act::Shake { pause, is_done } => self.shake(place, one, *pause, *is_done).await,
            Act::Clock => {
                self.start_clock(one);
                Next::On
            }
            Act::Mute(why) => {
                self.tell(&format!(
                    "{}: what the {} says from here on cannot be said again: {why}",
                    self.at(one),
                    self.script.side
                ));
                self.start_clock(one);
                self.is_mute = true;
                Next::On
            }
            Act::Parting => self.parting(one).await,
            Act::Left(how) => self.left(place, one, *how).await,
            Act::Goodbye => {
                self.until(one).await;
                let goodbye = self.tls.as_mut().map(|tls| {
                    tls.close();
                    tls.give()
                });
                self.send(&goodbye.unwrap_or_default()).await;
                Next::On
            }
            Act::Alert(alert) => {
                self.until(one).await;
                let last = self.tls.take().map(|tls| tls.fail(*alert));
                self.send(&last.unwrap_or_default()).await;
                Next::On
            }
            Act::End(how) => {
                self.until_end(place, one).await;
                self.wire.finish(Ending::Fin).await;
                self.is_done = true;
                self.end(place, *how);
                Next::On
            }
        }
    }

    /// Everything that is sent comes by here.
    async fn send(&mut self, bytes: &[u8]) {
        if self.clock.is_none() {
            self.ears.push(self.script.side, bytes);
        }
        self.begin_phases();
        self.wire.send(bytes).await;
    }

    /// What waits for a phase learns that it has begun.
    fn begin_phases(&mut self) {
        let begun = self.ears.take_phases();
        self.wire.begin(begun);
    }

    async fn say(&mut self, place: Place, bytes: &[u8]) {
        match (place, &mut self.tls) {
            (Place::Clear, _) => {
                self.unread.clear();
                self.send(bytes).await;
            }
            (Place::Tls, Some(tls)) => {
                // It breaks only where the peer was told so by an alert.
                let _ = tls.say(bytes);
                let sealed = tls.give();
                self.send(&sealed).await;
            }
            // Where TLS did not come about there is nobody to say it to.
            (Place::Tls, None) => {}
        }
    }

    /// Takes what the peer says next. False where it has ended.
    async fn listen(&mut self) -> bool {
        let Some(data) = self.wire.receive().await else { return false };
        self.hear(&data);
        true
    }

    fn hear(&mut self, data: &[u8]) {
        if self.clock.is_none() {
            self.ears.push(self.script.side.other(), data);
        }
        self.begin_phases();
        match &mut self.tls {
            Some(tls) => {
                let mut plain = Vec::new();
                // What breaks here the peer has been told, or shows by its end.
                let _ = tls.take(data, &mut plain);
                // A password may be in it.
                let plain = Secret::new(plain);
                if !plain.is_empty() && self.clock.is_none() {
                    self.ears.hear(SEALED);
                }
            }
            None if self.unread.len() < LONGEST => self.unread.extend_from_slice(data),
            None => {}
        }
    }

    /// Waits for a message.
    async fn listen_for(&mut self, place: usize, one: &Move, name: &'static str) -> Next {
        if self.done[place] {
            return Next::On;
        }
        loop {
            let Some(found) = self.ears.next() else {
                if self.is_heard_within().await {
                    continue;
                }
                if self.wire.ended.is_some() {
                    return self.gone(place);
                }
                if self.wire.holds() {
                    self.ended = Some(format!("silence: expected {name}, which --impair holds back"));
                    return Next::Over;
                }
                self.depart(one, &format!("expected {name}, found nothing for {} s", PATIENCE.as_secs()));
                return Next::Over;
            };
            if found == name {
                self.last = (one.at, Instant::now());
                return Next::On;
            }
            match self.find(place, found) {
                Some((later, true)) => self.done[later] = true,
                Some((later, false)) => {
                    let says =
                        format!("expected {name}, found {found}, which comes later: what is between is passed over");
                    self.depart(one, &says);
                    self.last = (self.script.moves[later].at, Instant::now());
                    return Next::To(later + 1);
                }
                // What stands inside TLS is heard twice: by its name, and as what a recording without secrets shows.
                None if found == SEALED || name == SEALED => {}
                // The peer takes what it is recorded to have refused: there is nothing to go on with.
                None if name == ALERT => {
                    self.depart(one, &format!("expected {name}, found {found}"));
                    return self.after_departure(place);
                }
                None => self.depart(one, &format!("expected {name}, found {found}")),
            }
        }
    }

    /// A server is waited for for a while, a client for as long as it takes: a person may be looking at a certificate.
    async fn is_heard_within(&mut self) -> bool {
        match self.script.side {
            Side::Server => self.listen().await,
            Side::Client => timeout(PATIENCE, self.listen()).await.unwrap_or(false),
        }
    }

    /// Where this message is expected later, and whether nothing is to be said before that.
    fn find(&self, place: usize, name: &str) -> Option<(usize, bool)> {
        let mut is_in_turn = true;
        for (later, one) in self.script.moves.iter().enumerate().skip(place).take(AHEAD) {
            match &one.act {
                Act::Expect(expected) if *expected == name && !self.done[later] => return Some((later, is_in_turn)),
                Act::Expect(_) => {}
                Act::Say(..) => is_in_turn = false,
                Act::Begin(_)
                | Act::Shake { .. }
                | Act::Clock
                | Act::Mute(_)
                | Act::Parting
                | Act::Left(_)
                | Act::Goodbye
                | Act::Alert(_)
                | Act::End(_) => {
                    return None;
                }
            }
        }
        None
    }

    /// Waits until the peer takes leave. A person does so when a person likes to.
    async fn parting(&mut self, one: &Move) -> Next {
        if self.is_mute {
            self.until(one).await;
            return Next::On;
        }
        while self.wire.ended.is_none() && !self.has_parted() {
            if !self.is_heard_within().await {
                break;
            }
        }
        self.last = (one.at, Instant::now());
        Next::On
    }

    /// Whether the peer has said close_notify, or what cannot be read.
    fn has_parted(&mut self) -> bool {
        self.tls.as_mut().is_none_or(|tls| tls.is_closed().unwrap_or(true))
    }

    /// Waits for the peer's end.
    async fn left(&mut self, place: usize, one: &Move, how: Ending) -> Next {
        while self.wire.ended.is_none() {
            if self.is_mute {
                // Who hears nothing does not leave by itself: the time of its end is all that is known.
                if self.until(one).await {
                    return Next::On;
                }
                break;
            }
            if let Some(found) = self.ears.next().filter(|name| self.is_of_interest(name)) {
                self.depart(
                    one,
                    &format!("expected the end of the {} ({}), found {found}", self.script.side.other(), name_of(how)),
                );
                return Next::To(place + 1);
            }
            if !self.is_heard_within().await && self.wire.ended.is_none() {
                let says =
                    format!("expected the end of the {} ({}), found none", self.script.side.other(), name_of(how));
                // It may have ended, and that be held back on purpose.
                if !self.wire.holds() {
                    self.depart(one, &says);
                }
                return Next::To(place + 1);
            }
        }
        self.last = (one.at, Instant::now());
        self.ended.get_or_insert_with(|| {
            format!("{} of the {}", name_of(self.wire.ended.unwrap_or(how)), self.script.side.other())
        });
        Next::On
    }

    /// Whether a message tells that the peer goes on where its end is expected.
    fn is_of_interest(&self, name: &'static str) -> bool {
        let is_known = !self.script.is_sealed || is_of_handshake(name);
        !self.is_done && self.clock.is_none() && is_known && ![ALERT, SEALED].contains(&name)
    }

    /// Whether the recorded peer has left before this move.
    fn has_left(&self, place: usize) -> bool {
        self.script.moves[..place].iter().any(|one| matches!(one.act, Act::Left(_)))
    }

    /// Waits until it is this end's turn. One that followed at once follows at once: who is first decides what is seen.
    async fn until_end(&mut self, place: usize, one: &Move) {
        let before = place.checked_sub(1).map(|before| &self.script.moves[before]);
        let is_own = before.is_some_and(|before| matches!(before.act, Act::Say(..) | Act::Goodbye | Act::Alert(_)));
        if !(is_own && before.is_some_and(|before| one.at.since(before.at) < AT_ONCE)) {
            self.until(one).await;
        }
    }

    /// The peer has ended before this move.
    fn gone(&mut self, place: usize) -> Next {
        let peer = self.script.side.other();
        let how = name_of(self.wire.ended.unwrap_or(Ending::Fin));
        let leaves = self.script.moves.iter().enumerate().skip(place).find(|(_, one)| matches!(one.act, Act::Left(_)));
        if self.wire.is_stuck() {
            self.ended = Some(format!("{how} of the {peer}, while --impair held back what was said"));
            return Next::Over;
        }
        self.ended.get_or_insert_with(|| format!("{how} of the {peer}"));
        match leaves {
            // A person leaves when a person likes to.
            Some((later, _)) if self.clock.is_some() => Next::To(later + 1),
            // What it would have said after that changes nothing.
            _ if self.is_done => self.after_departure(place),
            _ => {
                let one = &self.script.moves[place];
                let says =
                    format!("expected {}, found the end of the {peer} ({how}){}", self.wants(one), self.hint(one));
                self.depart(one, &says);
                self.after_departure(place)
            }
        }
    }

    /// What the side does once its peer has left, if it left at all.
    fn after_departure(&self, place: usize) -> Next {
        let leaves = self.script.moves.iter().enumerate().skip(place).find(|(_, one)| matches!(one.act, Act::Left(_)));
        leaves.map_or(Next::Over, |(later, _)| Next::To(later + 1))
    }

    /// Waits until it is this move's turn. False where the peer has ended by then.
    async fn until(&mut self, one: &Move) -> bool {
        let due = match self.clock {
            Some((at, now)) => now + self.paced(one.at.since(at)),
            None => self.last.1 + self.paced(one.at.since(self.last.0)),
        };
        if self.clock.is_some() {
            while self.wire.ended.is_none() {
                tokio::select! {
                    biased;
                    () = reached(due) => break,
                    data = self.wire.receive() => if let Some(data) = data { self.hear(&data) },
                }
            }
        } else {
            self.wire.until(due).await;
        }
        self.last = (one.at, Instant::now());
        self.clock.is_none() || self.wire.ended.is_none()
    }

    fn start_clock(&mut self, one: &Move) {
        self.clock.get_or_insert((one.at, Instant::now()));
    }

    fn paced(&self, gap: Duration) -> Duration {
        match self.means.pace {
            // What a recording can hold fits, whatever it is divided by: it is bounded, so that no clock runs over.
            Pace::Times(times) => Duration::try_from_secs_f64(gap.as_secs_f64() / times).unwrap_or(YEAR).min(YEAR),
            Pace::AsFastAsPossible => Duration::ZERO,
        }
    }

    async fn close(mut self, is_reset: bool) -> Played {
        let has_end = self.script.moves.iter().any(|one| matches!(one.act, Act::End(_) | Act::Left(_)));
        let is_silent = !has_end && self.departures == 0 && self.script.side == Side::Server;
        // A server of a recording in which nobody ends is silent for as long as its client stays.
        while is_silent && self.wire.receive().await.is_some() {}
        self.wire.finish(if is_reset { Ending::Reset } else { Ending::Fin }).await;
        self.settle().await;
        let cut = self.wire.cut().map(|cut| (cut.0, as_asked(cut)));
        let ended = match (&cut, self.ended.take()) {
            (Some((_, says)), _) => says.clone(),
            (None, Some(ended)) => ended,
            (None, None) => "silence: the recording ends here".to_owned(),
        };
        let (moves, impaired) = (self.script.moves.len(), self.wire.notes());
        let played = Played { played: self.played, moves, departures: self.departures, ended, impaired };
        if cut.map_or(is_reset, |(how, _)| how == Ending::Reset) {
            // The peer may have been faster.
            let _ = self.wire.reset();
            return played;
        }
        // Who does not follow is left.
        let _ = timeout(FAREWELL, self.wire.drain()).await;
        played
    }

    /// Waits for what is held back on purpose. A server waits as long as its client does.
    async fn settle(&mut self) {
        match self.script.side {
            Side::Server => self.wire.settle().await,
            // What it does not take by then it is not waited for.
            Side::Client => drop(timeout(PATIENCE, self.wire.settle()).await),
        }
    }
}

/// An end that comes so soon behind a side's last word was not waited for.
const AT_ONCE: Duration = Duration::from_millis(1);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

impl std::fmt::Debug for Tell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tell")
    }
}
