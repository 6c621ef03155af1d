//! What is under way on a leg: sent and not acknowledged, or arrived behind a hole. By the last sample, be it of this
//! end's kernel or of packets.
//!
//! What no longer gets through in a running session is told from the last sample before its end: whatever is sent again
//! behind that has no part in it.

use std::collections::VecDeque;
use std::time::Duration;

use super::End;
use super::facts::{Mark, Sighting};
use super::leg::Leg;
use crate::observation::{Again, Ending, Leg as LegName, PathSample, Side, Sign};
use crate::time::Timestamp;

/// So many retransmission timeouts in a row, three seconds at least (RFC 6298), are no bad luck.
const FROZEN: u64 = 4;
/// And what stands still for so long has seen as many.
const STANDS: Duration = Duration::from_secs(3);
/// A smaller hole is chance: one segment of this size fits through every network of IPv4 (RFC 791: 576 with its headers).
const SMALL: u64 = 536;
/// Times of sending that are kept: three seconds of a stream, longer than the first timeout takes.
const SENT_KEPT: usize = 32;
/// What is sent so soon behind something else was sent with it.
const TOGETHER: Duration = Duration::from_millis(100);

/// When a relay's end sent what it sent last: each stretch with the bytes before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sent {
    stretches: VecDeque<(u64, Timestamp)>,
    /// Bytes that went over a connection to the server that was given up for this one.
    earlier: u64,
}

impl Sent {
    /// Something is sent now, behind so many bytes.
    pub fn push(&mut self, at: Timestamp, before: u64) {
        if self.stretches.back().is_some_and(|(_, last)| at.since(*last) < TOGETHER) {
            return;
        }
        if self.stretches.len() == SENT_KEPT {
            self.stretches.pop_front();
        }
        self.stretches.push_back((before, at));
    }

    /// Another connection takes the place of this one.
    pub fn begin_anew(&mut self, before: u64) {
        (self.stretches, self.earlier) = (VecDeque::new(), before);
    }

    /// When the byte behind so many was sent.
    fn when(&self, before: u64) -> Option<Timestamp> {
        let place = self.stretches.partition_point(|(at, _)| *at <= before);
        self.stretches.get(place.saturating_sub(1)).map(|(_, at)| *at)
    }
}

/// What is sent again and again and not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frozen {
    /// Who sent it.
    pub from: Side,
    /// When it was first sent, or when something was last acknowledged, where that was later.
    pub since: Timestamp,
    /// Bytes that had been acknowledged before.
    acknowledged: u64,
    /// Repetitions on this leg before it.
    before: u64,
}

/// What one side sent over a leg, and its peer did not acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unacknowledged {
    /// Who sent it.
    pub from: Side,
    /// Bytes of payload.
    pub bytes: u64,
    /// Retransmission timeouts in a row, all in vain.
    pub timeouts: u64,
    /// Bytes of payload that had been acknowledged before.
    pub before: u64,
    /// Whether segments behind it were acknowledged selectively (RFC 2018): small ones pass.
    pub is_passed: bool,
    /// Whether the peer was heard behind the first of these timeouts: the way back is there.
    pub is_heard: bool,
    /// Payload of the smallest segment that was sent again, or of an average one where only a kernel tells, bytes.
    pub segment: Option<u64>,
    /// For how long the oldest byte waits, where packets show it.
    pub lasted: Option<Duration>,
}

/// A flight with a hole that is not filled while segments behind it have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Whose flight.
    pub from: Side,
    /// On a relay's leg the segments that arrived behind it, 0 where only that there are some is known; in a capture the bytes
    /// that never came.
    pub size: u64,
    /// For how long it stands.
    pub lasted: Duration,
}

/// A receive window that is shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shut {
    /// Whose.
    pub side: Side,
    /// For how long, and the peer's probes meanwhile, where packets show it.
    pub lasted: Option<(Duration, u32)>,
    /// What shows it.
    pub mark: Mark,
}

impl Leg {
    /// Whether what is under way is being lost: not acknowledged though it was sent again, or missing before what arrived.
    pub fn is_losing(&self) -> bool {
        self.unacknowledged().is_some_and(|waits| waits.timeouts > 0) || self.hole().is_some()
    }

    /// The last sample tells whether something is sent again without an acknowledgement, or waits behind a hole. What was, and is acknowledged
    /// since, and until when it was not.
    pub(super) fn acknowledges(&mut self, mark: Mark, path: &PathSample) -> Option<(Frozen, Timestamp)> {
        if self.name == LegName::Only {
            // When it is over its sign says.
            let sides = [(Side::Client, path.client_hole_bytes), (Side::Server, path.server_hole_bytes)];
            self.frozen = sides.into_iter().filter(|_| !self.is_told).find_map(|(from, hole)| {
                let waits = self.unacknowledged_seen(path, from, self.fins_in_vain(from))?;
                (waits.timeouts > 0 || hole.unwrap_or(0) > 0).then(|| self.frozen_seen(mark, &waits, path))
            });
            return None;
        }
        let waits = self.unacknowledged_in(Some(path), |from| self.fins_in_vain(from));
        let waits = waits.filter(|waits| waits.timeouts > 0);
        let goes_on = self.frozen.zip(waits).is_some_and(|(frozen, waits)| frozen.acknowledged == waits.before);
        if goes_on {
            return None;
        }
        let over = self.frozen.take();
        self.frozen = waits.map(|waits| self.frozen_here(mark, &waits, path));
        let acknowledged = mark.at.before(Duration::from_millis(path.last_ack_ms.unwrap_or(0)));
        over.map(|over| (over, acknowledged.max(over.since)))
    }

    fn frozen_here(&self, mark: Mark, waits: &Unacknowledged, path: &PathSample) -> Frozen {
        let heard = path.last_ack_ms.map(|since| mark.at.before(Duration::from_millis(since)));
        let since = self.sent.when(waits.before).or(heard).unwrap_or(mark.at).min(mark.at);
        let before = self.retransmits().saturating_sub(waits.timeouts);
        Frozen { from: waits.from, since, acknowledged: waits.before, before }
    }

    fn frozen_seen(&self, mark: Mark, waits: &Unacknowledged, path: &PathSample) -> Frozen {
        let lasted = match waits.from {
            Side::Client => path.client_unacked_us,
            Side::Server => path.server_unacked_us,
        };
        let since = mark.at.before(Duration::from_micros(lasted.unwrap_or(0)));
        let before = self.retransmits().saturating_sub(waits.timeouts);
        Frozen { from: waits.from, since, acknowledged: waits.before, before }
    }

    /// How often something was sent again meanwhile.
    pub(super) fn again_since(&self, frozen: &Frozen) -> u64 {
        self.retransmits().saturating_sub(frozen.before)
    }

    /// The only side whose packets are in a capture, where it was made on a way of one direction.
    pub fn only_direction(&self) -> Option<Side> {
        let [client, server] = [Side::Client, Side::Server].map(|side| self.is_captured(side));
        match (self.name, client, server) {
            (LegName::Only, true, false) => Some(Side::Client),
            (LegName::Only, false, true) => Some(Side::Server),
            (LegName::Only | LegName::Front | LegName::Back, _, _) => None,
        }
    }

    /// Whether what this side sends is in the recording: a relay hears both, a capture may have been made where only one
    /// direction passes. Who was heard has a TTL.
    pub(super) fn is_captured(&self, from: Side) -> bool {
        let ttl = |path: PathSample| match from {
            Side::Client => path.client_ttl,
            Side::Server => path.server_ttl,
        };
        self.name != LegName::Only || self.path().is_some_and(|path| ttl(path.what).is_some())
    }

    /// What waits to be acknowledged on this leg, of a relay's leg what the relay sent.
    pub fn unacknowledged(&self) -> Option<Unacknowledged> {
        self.unacknowledged_in(self.path().map(|path| path.what).as_ref(), |from| self.fins_in_vain(from))
    }

    /// Whose flight has a hole that was not filled while segments behind it arrived, and how many they were.
    pub fn hole(&self) -> Option<(Side, u64)> {
        self.hole_in(self.path().map(|path| path.what).as_ref())
    }

    /// A window that is shut until the end.
    pub fn shut(&self, end: &End) -> Option<Shut> {
        let behind = |mark: &Mark| mark.at.since(end.mark.at);
        let seen = self.signs.iter().rev().find_map(|sign| match sign.what {
            Sign::ZeroWindow { from, lasted, probes, still_shut: true } => {
                let lasted = lasted.saturating_sub(behind(&sign.mark));
                Some(Shut { side: from, lasted: Some((lasted, probes)), mark: sign.mark })
            }
            _ => None,
        });
        let here = || {
            let path = self.path()?;
            let is_shut = path.what.snd_wnd == Some(0) && path.what.notsent_bytes.unwrap_or(0) > 0;
            let side = self.name.relay_side().other();
            is_shut.then_some(Shut { side, lasted: None, mark: path.mark })
        };
        seen.or_else(here)
    }

    /// Whether nothing more of one side gets through when the session ends, for seconds by then.
    pub(super) fn is_frozen(&self, end: &End) -> bool {
        self.given_up().is_some()
            || self.standing_hole(end).is_some()
            || self.standing_shut(end).is_some()
            || self.probed_in_vain().is_some()
    }

    /// Who asked again and again whether its peer is still there, how often, and was not answered until the session ended.
    pub fn probed_in_vain(&self) -> Option<Sighting<(Side, u64)>> {
        let Sighting { what: path, mark } = self.standing()?;
        let sides =
            [(Side::Client, path.client_unanswered_keepalives), (Side::Server, path.server_unanswered_keepalives)];
        let in_vain = |(from, probes): (Side, Option<u64>)| Some((from, probes.filter(|probes| *probes >= FROZEN)?));
        sides.into_iter().find_map(in_vain).map(|what| Sighting { what, mark })
    }

    /// What was sent again and again, and was not acknowledged when the session ended.
    pub fn given_up(&self) -> Option<Unacknowledged> {
        let standing = self.standing().map(|path| path.what);
        // A FIN that is sent again is sent again behind the end.
        let waits = self.unacknowledged_in(standing.as_ref(), |_| 0).filter(|waits| waits.timeouts >= FROZEN)?;
        // This end's kernel is asked once a second, and much may happen within one: right behind the end it tells.
        let acknowledged = |path: Option<PathSample>| path.and_then(|path| path.bytes_acked);
        let went_on = acknowledged(self.path().map(|path| path.what)) > acknowledged(standing);
        (self.name == LegName::Only || !went_on).then_some(waits)
    }

    /// A hole that stood for seconds when the session ended.
    pub fn standing_hole(&self, end: &End) -> Option<Hole> {
        let path = self.standing()?;
        let (from, size) = self.hole_in(Some(&path.what))?;
        let lasted = match self.name {
            LegName::Front | LegName::Back => self.stands_since(from, &path, end)?,
            // A small one is chance.
            LegName::Only if size <= SMALL => return None,
            LegName::Only => match from {
                Side::Client => micros(path.what.client_missed_us),
                Side::Server => micros(path.what.server_missed_us),
            },
        };
        (lasted >= STANDS).then_some(Hole { from, size, lasted })
    }

    /// A window that was shut for seconds when the session ended.
    pub fn standing_shut(&self, end: &End) -> Option<Shut> {
        let probed = || self.standing().is_some_and(|path| path.what.backoff.unwrap_or(0) >= FROZEN);
        self.shut(end).filter(|shut| shut.lasted.map_or_else(probed, |(lasted, _)| lasted >= STANDS))
    }

    /// For how long nothing of this side could be read when the session ended; `None` where something could since the sample.
    fn stands_since(&self, from: Side, path: &Sighting<PathSample>, end: &End) -> Option<Duration> {
        let spoke = self.spoke[from as usize].map_or(Timestamp::at(0), |spoke| spoke.at);
        (spoke <= path.mark.at).then(|| end.mark.at.since(spoke))
    }

    fn unacknowledged_in(&self, path: Option<&PathSample>, fins: impl Fn(Side) -> u64) -> Option<Unacknowledged> {
        match self.name {
            LegName::Front | LegName::Back => self.unacknowledged_here(path),
            // Of two sides the one counts that sends again; else the client.
            LegName::Only => [Side::Server, Side::Client]
                .into_iter()
                .filter_map(|from| self.unacknowledged_seen(path?, from, fins(from)))
                .max_by_key(|waits| waits.timeouts),
        }
    }

    /// As this end's kernel sees it.
    fn unacknowledged_here(&self, path: Option<&PathSample>) -> Option<Unacknowledged> {
        let from = self.name.relay_side();
        let given_up = self.closes.iter().any(|close| close.what == (None, Ending::TimedOut));
        let number = |pick: fn(&PathSample) -> Option<u64>| path.and_then(pick);
        let segments = number(|path| path.unacked).unwrap_or(0);
        let flight = if self.flight.0 == Some(from) { self.flight.1 } else { 0 };
        // The kernel counts the SYN, too (RFC 4898, tcpEStatsAppHCThruOctetsAcked).
        let earlier = self.sent.earlier;
        let before = number(|path| path.bytes_acked).map(|acked| acked.saturating_sub(1).saturating_add(earlier));
        let sent = self.bytes[from as usize];
        let bytes = before.map_or(flight, |before| sent.saturating_sub(before));
        let under_way = bytes.saturating_sub(number(|path| path.notsent_bytes).unwrap_or(0));
        (segments > 0 || given_up).then_some(Unacknowledged {
            from,
            bytes,
            timeouts: number(|path| path.backoff).unwrap_or(0).max(if given_up { 2 } else { 0 }),
            before: before.unwrap_or(sent.saturating_sub(flight)),
            is_passed: number(|path| path.sacked).unwrap_or(0) > 0,
            is_heard: path.is_some_and(is_heard),
            segment: under_way.checked_div(segments).filter(|segment| *segment > 0),
            lasted: None,
        })
    }

    /// As packets show it.
    fn unacknowledged_seen(&self, path: &PathSample, from: Side, fins: u64) -> Option<Unacknowledged> {
        let (bytes, timeouts, waits, segment, heard, sacked) = match from {
            Side::Client => (
                path.client_unacked_bytes,
                path.client_backoff,
                path.client_unacked_us,
                path.client_stuck_segment,
                path.client_heard_in_vain,
                path.client_sacked,
            ),
            Side::Server => (
                path.server_unacked_bytes,
                path.server_backoff,
                path.server_unacked_us,
                path.server_stuck_segment,
                path.server_heard_in_vain,
                path.server_sacked,
            ),
        };
        let bytes = bytes.filter(|bytes| *bytes > 0 || fins > 0)?;
        let before = self.bytes[from as usize].saturating_sub(bytes);
        let is = |number: Option<u64>| number.unwrap_or(0) > 0;
        Some(Unacknowledged {
            from,
            bytes,
            timeouts: timeouts.unwrap_or(0).max(fins),
            before,
            is_passed: is(sacked),
            is_heard: is(heard),
            segment: segment.filter(|segment| *segment > 0),
            lasted: waits.filter(|waits| *waits > 0).map(Duration::from_micros),
        })
    }

    /// How often a FIN was sent again, while its peer said nothing more.
    fn fins_in_vain(&self, from: Side) -> u64 {
        let heard = self.spoke[from.other() as usize].map(|spoke| spoke.at);
        let is_fin = |sign: &Sighting<Sign>| match sign.what {
            Sign::Retransmitted { from: by, len: 0, why: Again::Timeout { .. }, .. } => {
                by == from && heard.is_none_or(|heard| heard < sign.mark.at)
            }
            _ => false,
        };
        let closed = self.closes.iter().any(|close| close.what.0 == Some(from.other()));
        if closed { 0 } else { self.signs.iter().filter(|sign| is_fin(sign)).count() as u64 }
    }

    fn hole_in(&self, path: Option<&PathSample>) -> Option<(Side, u64)> {
        match self.name {
            LegName::Front | LegName::Back => {
                let is_held = path.is_some_and(|path| path.held_bytes.unwrap_or(0) > 0);
                (self.beyond > 0 || is_held).then_some((self.name.relay_side().other(), self.beyond))
            }
            LegName::Only => {
                let holes = [(Side::Server, path?.server_hole_bytes), (Side::Client, path?.client_hole_bytes)];
                holes.into_iter().find_map(|(from, bytes)| Some((from, bytes.filter(|bytes| *bytes > 0)?)))
            }
        }
    }
}

/// Whether an acknowledgement came behind the first timeout. Each is twice the one before: the first came all but twice the
/// first timeout of the present one ago.
fn is_heard(path: &PathSample) -> bool {
    let (Some(rto), Some(backoff), Some(heard)) = (path.rto_us, path.backoff, path.last_ack_ms) else { return false };
    let first = rto >> backoff.min(16);
    backoff >= 2 && heard.saturating_mul(1000) < rto.saturating_sub(2 * first)
}

fn micros(micros: Option<u64>) -> Duration {
    Duration::from_micros(micros.unwrap_or(0))
}
