//! The relay of a session that is impaired on purpose: what it reads waits in a line before it is written.
//!
//! A leg is read only while its line has room; a line is emptied only while the leg behind it is flushed. So a peer that does
//! not read holds the other one back here, too, behind what a line takes. What waits in a line when its leg goes is
//! discarded and counted, as what waits in the leg.

use analyzer::observation::{Absence, Seen, Side};
use analyzer::time::Timestamp;
use bytes::Bytes;
use tokio::time::{Instant, sleep_until};
use tracing::info;

use super::{RESET_BOUND, Relay, note_fin, takes};
use crate::clock;
use crate::impair::{Impair, Item};
use crate::leg::{Leg, Read};
use crate::tap::{Tap, peer};

/// With each piece of payload, whether the scribe has it.
pub(crate) type Lines = Box<Impair<bool>>;

impl Relay<'_> {
    /// Impaired so, if at all. What waits for the server already gets into its line.
    pub(crate) fn impaired(mut self, lines: Option<Lines>) -> Self {
        self.impair = lines;
        if self.impair.is_some() {
            for (data, kept) in self.back.take_waiting() {
                self.line_up(Side::Client, data, kept);
            }
        }
        self
    }

    /// A FIN that came before there was a line gets into it, behind what came before it.
    pub(super) fn line_up_end(&mut self) {
        if self.impair.is_some() && self.back.take_end() {
            self.line_end(Side::Client);
        }
    }

    /// Carries what there is in one direction, by its line. True if anything moved.
    pub(super) fn carry_impaired(&mut self, from: Side) -> bool {
        self.advance();
        let moved = self.release(from);
        let room = self.room(from);
        let is_inside = self.inside.is_some();
        let (source, sink) = match from {
            Side::Client => (&mut self.front, &self.back),
            Side::Server => (&mut self.back, &self.front),
        };
        if !takes(sink) {
            return moved;
        }
        match source.read(room) {
            Read::Data(data, at) if is_inside => self.change(from, at, data),
            Read::Data(data, at) => {
                let kept = self.tap.arrived(source.name, at, &data);
                self.line_up(from, data, kept);
            }
            Read::Fin => {
                note_fin(source, self.tap);
                if is_inside {
                    self.ended(from);
                } else {
                    self.line_end(from);
                }
            }
            Read::Nothing => return moved,
        }
        true
    }

    /// What this side said is to be passed on, when it is due. What begins by it takes effect first.
    pub(super) fn line_up(&mut self, from: Side, data: Bytes, kept: bool) {
        self.advance();
        if let Some(impair) = &mut self.impair {
            impair.push(from, data, kept, clock::now());
        }
    }

    /// This side has ended, behind what it said.
    pub(super) fn line_end(&mut self, from: Side) {
        if let Some(impair) = &mut self.impair {
            impair.end(from, clock::now());
        }
    }

    /// Notes what takes effect and what is over by now.
    fn advance(&mut self) {
        let Some(impair) = &mut self.impair else { return };
        let phases = if impair.awaits_phase() { self.tap.take_phases() } else { Vec::new() };
        note_changes(impair, clock::now(), &phases, self.tap);
        if !impair.awaits_phase() {
            self.tap.follow(None);
        }
    }

    /// Passes on what is due of this side.
    fn release(&mut self, from: Side) -> bool {
        let Some(impair) = &mut self.impair else { return false };
        let sink = match from {
            Side::Client => &mut self.back,
            Side::Server => &mut self.front,
        };
        let mut moved = sink.flush(self.tap);
        while takes(sink)
            && let Some(item) = impair.take(from, clock::now())
        {
            pass(item, sink, self.tap);
            if self.pace.is_turn(from) {
                sink.sample(self.tap);
            }
            moved = true;
        }
        moved
    }

    /// When something is to be done for the lines, at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        let impair = self.impair.as_ref()?;
        let lines = [(Side::Client, &self.back), (Side::Server, &self.front)].into_iter();
        let lines = lines.filter(|(_, sink)| takes(sink)).filter_map(|(from, _)| impair.due_from(from));
        lines.chain(impair.moment()).min().map(instant)
    }

    /// Notes what was given up on purpose: the session ends otherwise in order.
    pub(super) fn note_lost(&mut self) {
        for (from, leg) in [(Side::Client, self.back.name), (Side::Server, self.front.name)] {
            let len = self.give_up(from);
            if len > 0 {
                self.tap.note(leg, clock::now(), Seen::Missing { from, len, why: Absence::Discarded });
            }
        }
    }

    /// Gives up what this side said and waits; how much that is, bytes.
    pub(super) fn give_up(&mut self, from: Side) -> u64 {
        self.impair.as_mut().map_or(0, |impair| impair.give_up(from))
    }
}

/// The leg of `left`'s peer is gone: what that peer had said is passed on when it is due, and when its end would be. What does not
/// come to that within the bound for the last bytes is given up.
pub(super) async fn drain_line(impair: &mut Lines, left: &mut Leg, tap: &mut Tap) {
    let from = peer(left.name).other();
    impair.end(from, clock::now());
    let mut stuck = Instant::now();
    while !impair.is_empty(from) && left.broken().is_none() {
        note_changes(impair, clock::now(), &[], tap);
        left.flush(tap);
        while takes(left)
            && let Some(item) = impair.take(from, clock::now())
        {
            if let Item::Bytes(..) = item {
                pass(item, left, tap);
            }
            stuck = Instant::now();
        }
        let due = impair.due_from(from).filter(|_| takes(left)).map(instant);
        stuck = due.map_or(stuck, |due| due.max(stuck));
        let bound = stuck + RESET_BOUND;
        if Instant::now() >= bound {
            return;
        }
        let alarm = tokio::select! {
            alarm = left.ready(false) => alarm,
            () = sleep_until(due.unwrap_or(bound)) => false,
        };
        if alarm {
            left.alarm();
        }
    }
}

fn pass(item: Item<bool>, sink: &mut Leg, tap: &mut Tap) {
    match item {
        Item::Bytes(data, kept) => sink.send(data, kept, tap),
        Item::End => {
            sink.end();
            sink.flush(tap);
        }
    }
}

fn note_changes(impair: &mut Lines, now: Timestamp, phases: &[analyzer::timeline::phase::PhaseName], tap: &mut Tap) {
    for (leg, impairment) in impair.advance(now, phases) {
        info!(%leg, step = impairment.step.name(), asked = impairment.asked, "impaired");
        tap.note(leg, now, Seen::Impairment(impairment));
    }
}

fn instant(at: Timestamp) -> Instant {
    Instant::now() + at.since(clock::now())
}
