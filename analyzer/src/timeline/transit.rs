//! What is under way on a leg: sent and not acknowledged, or arrived behind a hole. By the last sample, be it of this
//! end's kernel or of packets.

use std::collections::VecDeque;
use std::time::Duration;

use super::facts::{Mark, Sighting};
use super::leg::Leg;
use crate::observation::{Again, Ending, Leg as LegName, PathSample, Side, Sign};
use crate::time::Timestamp;

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
}

impl Leg {
    /// Whether what is under way is being lost: not acknowledged though it was sent again, or missing before what arrived.
    pub fn is_losing(&self) -> bool {
        self.unacknowledged().is_some_and(|waits| waits.timeouts > 0) || self.hole().is_some()
    }

    /// The last sample tells whether something is sent again without an acknowledgement, or waits behind a hole. What was, and is acknowledged
    /// since, and until when it was not.
    pub(super) fn acknowledges(&mut self, mark: Mark) -> Option<(Frozen, Timestamp)> {
        let path = self.path()?.what;
        if self.name == LegName::Only {
            // When it is over its sign says.
            let sides = [(Side::Client, path.client_hole_bytes), (Side::Server, path.server_hole_bytes)];
            self.frozen = sides.into_iter().find_map(|(from, hole)| {
                let waits = self.unacknowledged_seen(from)?;
                (waits.timeouts > 0 || hole.unwrap_or(0) > 0).then(|| self.frozen_seen(mark, &waits, &path))
            });
            return None;
        }
        let waits = self.unacknowledged().filter(|waits| waits.timeouts > 0);
        let goes_on = self.frozen.zip(waits).is_some_and(|(frozen, waits)| frozen.acknowledged == waits.before);
        if goes_on {
            return None;
        }
        let over = self.frozen.take();
        self.frozen = waits.map(|waits| self.frozen_here(mark, &waits, &path));
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
        match self.name {
            LegName::Front | LegName::Back => self.unacknowledged_here(),
            LegName::Only => [Side::Client, Side::Server].into_iter().find_map(|from| self.unacknowledged_seen(from)),
        }
    }

    /// As this end's kernel sees it.
    fn unacknowledged_here(&self) -> Option<Unacknowledged> {
        let from = self.name.relay_side();
        let given_up = self.closes.iter().any(|close| close.what == (None, Ending::TimedOut));
        let path = self.path().map(|path| path.what);
        let number = |pick: fn(&PathSample) -> Option<u64>| path.as_ref().and_then(pick);
        let is_waiting = number(|path| path.unacked).unwrap_or(0) > 0 || given_up;
        let flight = if self.flight.0 == Some(from) { self.flight.1 } else { 0 };
        // The kernel counts the SYN, too (RFC 4898, tcpEStatsAppHCThruOctetsAcked).
        let earlier = self.sent.earlier;
        let before = number(|path| path.bytes_acked).map(|acked| acked.saturating_sub(1).saturating_add(earlier));
        let sent = self.bytes[from as usize];
        let bytes = before.map_or(flight, |before| sent.saturating_sub(before));
        is_waiting.then_some(Unacknowledged {
            from,
            bytes,
            timeouts: number(|path| path.backoff).unwrap_or(0).max(if given_up { 2 } else { 0 }),
            before: before.unwrap_or(sent.saturating_sub(flight)),
            is_passed: number(|path| path.sacked).unwrap_or(0) > 0,
        })
    }

    /// As packets show it.
    fn unacknowledged_seen(&self, from: Side) -> Option<Unacknowledged> {
        let path = self.path().map(|path| path.what)?;
        let (bytes, timeouts) = match from {
            Side::Client => (path.client_unacked_bytes, path.client_backoff),
            Side::Server => (path.server_unacked_bytes, path.server_backoff),
        };
        let fins = self.fins_in_vain(from);
        let bytes = bytes.filter(|bytes| *bytes > 0 || fins > 0)?;
        let before = self.bytes[from as usize].saturating_sub(bytes);
        Some(Unacknowledged { from, bytes, timeouts: timeouts.unwrap_or(0).max(fins), before, is_passed: false })
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

    /// Whose flight has a hole that was not filled while segments behind it arrived, and how many they were.
    pub fn hole(&self) -> Option<(Side, u64)> {
        let path = self.path().map(|path| path.what);
        match self.name {
            LegName::Front | LegName::Back => {
                (self.beyond > 0).then_some((self.name.relay_side().other(), self.beyond))
            }
            LegName::Only => {
                let holes = [
                    (Side::Server, path.as_ref()?.server_hole_bytes),
                    (Side::Client, path.as_ref()?.client_hole_bytes),
                ];
                holes.into_iter().find_map(|(from, bytes)| Some((from, bytes.filter(|bytes| *bytes > 0)?)))
            }
        }
    }
}
