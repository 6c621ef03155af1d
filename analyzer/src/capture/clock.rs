//! A clock that was set back while a capture was made: from some packet on, all times are earlier by one offset.
//!
//! By times alone that looks like packets stored behind later ones. TCP tells which it is: what acknowledges or continues
//! a segment was captured after it. Where a time goes back, and packets stored behind that place follow in TCP on packets
//! stored before it that have later times, the clock went back; where they come first in TCP, too, they are only stored late.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::segment::Segment;
use crate::time::Timestamp;

/// Clocks of several queues or processors differ by less: what goes back by less is no step.
const LEAST: Duration = Duration::from_millis(1);
/// Directions of connections that are compared. Beyond that all are forgotten, and comparing begins anew.
const MAX_WAYS: usize = 1 << 14;
/// A clock that is set back more often is none whose steps can be told.
const MAX_STEPS: usize = 32;

/// A place where the clock went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The first packet with the new time.
    pub frame: u64,
    /// By how much at least: how long it took from the packet before is not known.
    pub by: Duration,
}

/// Where the clock of a capture went back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock {
    steps: Arc<[Step]>,
}

impl Clock {
    /// The steps, in the order of the file.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether it never went back.
    pub fn is_steady(&self) -> bool {
        self.steps.is_empty()
    }

    /// The time of a packet, so that times go on where they went back. What has none gets none.
    pub fn time(&self, frame: u64, at: Timestamp) -> Timestamp {
        if self.is_steady() || at == Timestamp::at(0) {
            return at;
        }
        let before = self.steps.iter().take_while(|step| step.frame <= frame);
        before.fold(at, |at, step| at + step.by)
    }
}

/// Finds the steps of a capture's clock.
#[derive(Debug, Default)]
pub struct Watch {
    /// The latest time since the last jump back.
    newest: Timestamp,
    /// Jumps back so far: those that may be steps.
    jumps: u64,
    jump: Option<Jump>,
    steps: Vec<Step>,
    /// Pairs of packets in all of the file that speak for a step, and against one.
    votes: [u64; 2],
    ways: HashMap<(SocketAddr, SocketAddr), Way>,
}

/// A place where a time goes back, and what speaks for a step there, and against it.
#[derive(Debug)]
struct Jump {
    step: Step,
    votes: [u64; 2],
}

/// One direction of a connection.
#[derive(Debug)]
struct Way {
    /// The sequence number behind all that was sent, and the packet that reached it, where that is here.
    end: u32,
    sent: Option<When>,
    /// The furthest acknowledgement, and the first packet with it: a sender never goes back behind it.
    acked: Option<(u32, When)>,
    /// An acknowledgement of what the other side had not sent so far.
    early: Option<(u32, When)>,
}

/// When a packet came, by its time and by the jumps before it.
#[derive(Debug, Clone, Copy)]
struct When {
    at: Timestamp,
    jumps: u64,
}

/// Whether a packet stored behind the last jump is earlier than this one, which is stored before it and behind the jump
/// before that.
fn is_after(stored: Option<When>, now: When) -> bool {
    stored.is_some_and(|stored| stored.jumps + 1 == now.jumps && now.at < stored.at)
}

/// Whether `one` stands at or behind `other`, as sequence numbers go (RFC 9293, 3.4).
fn reaches(one: u32, other: u32) -> bool {
    one.wrapping_sub(other) < 1 << 31
}

impl Watch {
    /// Takes the time of the next packet.
    pub fn push(&mut self, frame: u64, at: Timestamp) {
        if at == Timestamp::at(0) {
            return;
        }
        let by = self.newest.since(at);
        if by < LEAST {
            self.newest = self.newest.max(at);
            return;
        }
        self.decide();
        self.newest = at;
        self.jumps += 1;
        self.jump = Some(Jump { step: Step { frame, by }, votes: [0; 2] });
    }

    /// Takes the segment in it, if there is one.
    pub fn segment(&mut self, at: Timestamp, segment: &Segment<'_>) {
        let now = When { at, jumps: self.jumps };
        let (this, that) = ((segment.source, segment.destination), (segment.destination, segment.source));
        if self.ways.len() >= MAX_WAYS && !self.ways.contains_key(&this) {
            self.ways.clear();
        }
        let mut votes = [0; 2];
        let mut early = None;
        if let Some(other) = self.ways.get(&that).filter(|_| segment.ack) {
            let acknowledges_all = reaches(segment.acknowledgement, other.end);
            votes[0] += u64::from(acknowledges_all && is_after(other.sent, now));
            let is_early = acknowledges_all && segment.acknowledgement != other.end;
            early = is_early.then_some((segment.acknowledgement, now));
        } else if segment.ack {
            early = Some((segment.acknowledgement, now));
        }
        let len = segment.payload_len.wrapping_add(u32::from(segment.syn) + u32::from(segment.fin));
        let end = segment.sequence.wrapping_add(len);
        if len > 0
            && let Some(other) = self.ways.get_mut(&that)
        {
            let answers = |wanted: u32| reaches(end, wanted) && !reaches(segment.sequence, wanted);
            let answered = other.early.take_if(|(wanted, _)| answers(*wanted));
            votes[1] += u64::from(is_after(answered.map(|(_, when)| when), now));
        }
        let way = self.ways.entry(this).or_insert(Way { end, sent: None, acked: None, early });
        way.early = early.or(way.early);
        let number = segment.acknowledgement;
        match way.acked.filter(|_| !segment.syn) {
            _ if !segment.ack => {}
            Some((acked, _)) if acked == number => {}
            Some((acked, when)) if reaches(acked, number) => votes[1] += u64::from(is_after(Some(when), now)),
            before => {
                votes[0] += u64::from(is_after(before.map(|(_, when)| when), now));
                way.acked = Some((number, now));
            }
        }
        if segment.syn || len > 0 && reaches(end, way.end) && end != way.end {
            votes[0] += u64::from(!segment.syn && is_after(way.sent, now));
            (way.end, way.sent) = (end, Some(now));
        } else if len > 0 && end == way.end {
            way.sent = way.sent.or(Some(now));
        }
        if let Some(jump) = &mut self.jump {
            jump.votes = [jump.votes[0] + votes[0], jump.votes[1] + votes[1]];
        }
    }

    /// The steps, where the file is over.
    pub fn finish(mut self) -> Clock {
        self.decide();
        let [steps, stored_late] = self.votes;
        // In a file that is stored in another order throughout, single pairs prove nothing.
        let is_clock = steps > stored_late && self.steps.len() <= MAX_STEPS;
        Clock { steps: if is_clock { self.steps.into() } else { Arc::default() } }
    }

    /// The last jump is a step, or none.
    fn decide(&mut self) {
        let Some(Jump { step, votes }) = self.jump.take() else { return };
        self.votes = [self.votes[0] + votes[0], self.votes[1] + votes[1]];
        if votes[0] > votes[1] && self.steps.len() <= MAX_STEPS {
            self.steps.push(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Which side sends, its sequence number, what it acknowledges, payload, milliseconds.
    type Sent = (bool, u32, u32, u32, u64);

    /// Question and answer, three times, with an acknowledgement each, and a byte each for the FINs.
    const TALK: [Sent; 12] = [
        (true, 100, 500, 10, 1000),
        (false, 500, 110, 20, 1010),
        (true, 110, 520, 0, 1020),
        (true, 110, 520, 10, 1030),
        (false, 520, 120, 20, 1040),
        (true, 120, 540, 0, 1050),
        (true, 120, 540, 10, 1060),
        (false, 540, 130, 20, 1070),
        (true, 130, 560, 0, 1080),
        (true, 130, 560, 1, 1090),
        (false, 560, 131, 1, 1100),
        (true, 131, 561, 0, 1110),
    ];

    fn clock(sent: &[Sent]) -> Clock {
        let ends: [SocketAddr; 2] = ["10.0.0.1:50000", "10.0.0.2:3389"].map(|end| end.parse().expect("an end"));
        let mut watch = Watch::default();
        for ((of_client, sequence, acknowledgement, payload_len, ms), frame) in sent.iter().zip(1..) {
            let [source, destination] = if *of_client { ends } else { [ends[1], ends[0]] };
            let at = Timestamp::at(ms * MS);
            watch.push(frame, at);
            let (sequence, acknowledgement, payload_len) = (*sequence, *acknowledgement, *payload_len);
            let (syn, ack, fin, rst, ece, cwr, ecn_marked) = (false, true, false, false, false, false, false);
            let (options, payload, window, id, ttl) = (&[][..], &[][..], 1000, 0, 64);
            let segment = Segment {
                source,
                destination,
                sequence,
                acknowledgement,
                syn,
                ack,
                fin,
                rst,
                window,
                ece,
                cwr,
                options,
                id,
                ttl,
                ecn_marked,
                payload,
                payload_len,
            };
            watch.segment(at, &segment);
        }
        watch.finish()
    }

    #[test]
    fn a_clock_that_is_set_back_is_told_wherever_that_is() {
        for place in 1..TALK.len() {
            for back in [5, 30, 900] {
                let mut sent = TALK;
                sent[place..].iter_mut().for_each(|sent| sent.4 -= back);
                let by = sent[place - 1].4 - sent[place].4.min(sent[place - 1].4);
                let expected = Step { frame: place as u64 + 1, by: Duration::from_millis(by) };
                let found = clock(&sent);
                let is_seen = by > 0;
                assert_eq!(found.steps(), &[expected][..usize::from(is_seen)], "{place}, {back}: {sent:?}");
                let time = |frame| found.time(frame, Timestamp::at(MS)).0 / MS;
                assert_eq!((time(place as u64), time(place as u64 + 1)), (1, 1 + by));
            }
        }
        let mut twice = TALK;
        twice[3..].iter_mut().for_each(|sent| sent.4 -= 400);
        twice[6..].iter_mut().for_each(|sent| sent.4 -= 400);
        assert_eq!(clock(&twice).steps().iter().map(|step| step.frame).collect::<Vec<_>>(), [4, 7]);
    }

    /// The data of a window are lost behind the step, and sent again and again.
    #[test]
    fn what_is_sent_again_speaks_against_nothing() {
        let mut sent = TALK[..9].to_vec();
        sent.extend((0..4).map(|place| (true, 130 + place * 10, 560, 10, 1081 + u64::from(place))));
        sent.push((false, 560, 130, 20, 100));
        sent.extend((0..6).map(|again| (true, 130, 580, 10, 300 << again)));
        assert_eq!(clock(&sent).steps(), [Step { frame: 14, by: Duration::from_millis(984) }]);
    }

    #[test]
    fn what_is_stored_in_another_order_is_no_clock() {
        assert!(clock(&TALK).is_steady());
        let mut backwards = TALK;
        backwards.reverse();
        assert!(clock(&backwards).is_steady());
        for (first, second) in [(true, false), (false, true)] {
            let side = |of_client| TALK.into_iter().filter(move |sent| sent.0 == of_client);
            let behind: Vec<Sent> = side(first).chain(side(second)).collect();
            assert!(clock(&behind).is_steady(), "{behind:?}");
        }
        for width in 2..TALK.len() {
            let turned: Vec<Sent> = TALK.chunks(width).flat_map(|part| part.iter().rev().copied()).collect();
            assert!(clock(&turned).is_steady(), "{width}");
            let queues: Vec<Sent> = TALK
                .chunks(width)
                .flat_map(|part| {
                    let side = |of_client| part.iter().filter(move |sent| sent.0 == of_client).copied();
                    side(false).chain(side(true)).collect::<Vec<_>>()
                })
                .collect();
            assert!(clock(&queues).is_steady(), "{width}");
        }
    }
}
