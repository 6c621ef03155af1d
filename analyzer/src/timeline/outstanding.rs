//! What is outstanding: who owes what, and since when.
//!
//! Until a session is active somebody always owes the next message. In an active session silence is idleness: there only
//! what TCP sends again and again without an acknowledgement (RFC 6298), and a request that the protocol wants answered, is
//! outstanding. A record of the client that nothing follows is not: a mouse that moves over a still picture has no answer.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::facts::Mark;
use super::leg::Leg;
use super::phase::{Outcome, PhaseName};
use super::said::Said;
use super::wait::Spoke;
use super::{LegName, Timeline};
use crate::count::counted;
use crate::observation::{Ending, Side};
use crate::time::Timestamp;

/// A shorter silence tells nothing of who owed something: people and machines take their time.
pub const LONG: Duration = Duration::from_secs(2);

/// What somebody owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outstanding {
    /// What, and so who.
    pub what: Awaited,
    /// In which phase: the one that is open, or that would begin.
    pub phase: PhaseName,
    /// The leg on which it would be seen first.
    pub leg: LegName,
    /// Since when.
    pub since: Timestamp,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The resolver's answer.
    Resolution,
    /// The answer to a SYN.
    Handshake(SocketAddr),
    /// A message.
    Message {
        /// Who owes it.
        from: Side,
        /// Whether it is an RD Gateway that is on the server's side.
        at_gateway: bool,
        /// Which.
        which: Which,
    },
    /// The acknowledgement of what this side had sent, and of a relay's leg what the relay sent for it.
    Acknowledgement {
        /// Who sent it.
        of: Side,
        /// How often something was sent again meanwhile.
        again: u64,
    },
}

/// Which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// One that has a name.
    Named(&'static str),
    /// The answer to one that has a name.
    AnswerTo(&'static str),
    /// What follows one that has a name.
    Behind(&'static str),
    /// The rest of one that was begun.
    RestOf(&'static str),
    /// The answer to one that cannot be read.
    Answer,
    /// The next one: what it is cannot be told.
    Next,
}

impl Outstanding {
    /// Who owes it, where it is one of the two sides and not the way between them.
    pub fn debtor(&self) -> Option<Side> {
        match self.what {
            Awaited::Message { from, .. } => Some(from),
            Awaited::Resolution | Awaited::Handshake(_) | Awaited::Acknowledgement { .. } => None,
        }
    }

    /// For how long it has been owed.
    pub fn lasted(&self, now: Timestamp) -> Duration {
        now.since(self.since)
    }
}

/// "the server's X.224 confirm", "the TCP handshake with 192.0.2.1:3389".
impl fmt::Display for Outstanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            Awaited::Resolution => f.write_str("the resolver"),
            Awaited::Handshake(server) => write!(f, "the TCP handshake with {server}"),
            Awaited::Message { from, at_gateway, which } => {
                let who = if at_gateway && from == Side::Server { "gateway" } else { from.name() };
                match which {
                    Which::Named(name) => write!(f, "the {who}'s {name}"),
                    Which::AnswerTo(name) => write!(f, "the {who}'s answer to {name}"),
                    Which::Behind(name) => write!(f, "the {who}'s next message behind {name}"),
                    Which::RestOf(name) => write!(f, "the rest of the {who}'s {name}"),
                    Which::Answer => write!(f, "the {who}'s answer"),
                    Which::Next => write!(f, "the {who}'s next message"),
                }
            }
            Awaited::Acknowledgement { of, again } => {
                write!(
                    f,
                    "the acknowledgement of what was sent to the {}, {} again",
                    of.other(),
                    counted(again, "time")
                )
            }
        }
    }
}

impl Timeline {
    /// What is outstanding now; nothing once the session has ended, and in an active session mostly nothing.
    pub fn outstanding(&self) -> Option<Outstanding> {
        if self.end.is_some() { None } else { self.owed() }
    }

    /// What was outstanding when the session was not ended by its sides: the proxy was stopped, or the recording ends.
    pub fn left_outstanding(&self) -> Option<Outstanding> {
        self.end.filter(|end| end.is_cut_short()).and_then(|end| end.outstanding)
    }

    /// The same session as if the client had given up there: the server's silence, or the network's, means what it would
    /// mean then. `None` where nobody but the client owed anything for long, or where what was owed may not have been seen.
    pub(crate) fn given_up(&self) -> Option<Timeline> {
        let (end, owed) = (self.end?, self.left_outstanding()?);
        let is_told = owed.debtor() != Some(Side::Client) && owed.lasted(end.mark.at) >= LONG && self.is_heard(&owed);
        if !is_told || self.is_active() {
            return None;
        }
        let leg = self.client_leg().map_or(end.mark.leg, |leg| leg.name);
        let end = super::End {
            mark: Mark { leg, ..end.mark },
            from: Some(Side::Client),
            how: Ending::Fin,
            stopped: Some(end.how),
            ..end
        };
        Some(Timeline { end: Some(end), ..self.clone() })
    }

    /// Whether what is owed would have been seen: nothing that its debtor said is missing, and in a capture its direction is
    /// there at all. Whoever asks whether silence was silence asks here.
    fn is_heard(&self, owed: &Outstanding) -> bool {
        let Awaited::Message { from, .. } = owed.what else { return true };
        let Some(leg) = self.first_hand_leg(from).and_then(|leg| self.leg(leg)) else { return false };
        leg.missing[from as usize] == 0 && leg.is_captured(from)
    }

    /// What is owed, whether or not the session has ended.
    pub(super) fn owed(&self) -> Option<Outstanding> {
        if self.is_active() {
            return self.unacknowledged().or_else(|| self.unanswered_request());
        }
        self.on_the_way().or_else(|| self.unacknowledged()).or_else(|| self.next_message())
    }

    /// What the resolver, or the SYN, waits for.
    fn on_the_way(&self) -> Option<Outstanding> {
        if let Some(resolution) = self.resolution.as_ref().filter(|resolution| resolution.ended.is_none()) {
            let (leg, since) = (resolution.began.leg, resolution.began.at);
            return Some(self.outstands(Awaited::Resolution, leg, since));
        }
        let leg = self.server_leg().filter(|leg| leg.opened.is_none())?;
        let dial = leg.dials.last().filter(|dial| dial.result.is_none())?;
        Some(self.outstands(Awaited::Handshake(dial.server), leg.name, dial.began.at))
    }

    fn outstands(&self, what: Awaited, leg: LegName, since: Timestamp) -> Outstanding {
        let phase = self.next.map_or_else(|| self.last_phase(), |(next, ..)| next);
        Outstanding { what, phase, leg, since }
    }

    fn unacknowledged(&self) -> Option<Outstanding> {
        let frozen = |leg: &Leg| {
            let frozen = leg.frozen?;
            let what = Awaited::Acknowledgement { of: frozen.from, again: leg.again_since(&frozen) };
            Some(self.outstands(what, leg.name, frozen.since))
        };
        self.legs.iter().filter_map(frozen).min_by_key(|owed| owed.since)
    }

    /// What plaintext shows to be asked and not answered in an active session: Shutdown Request, \[MS-RDPBCGR\] 2.2.2.1, and RTT
    /// Measure Request, 2.2.14.1.1. Of a side whose payload is not all there nothing is said.
    pub(super) fn unanswered_request(&self) -> Option<Outstanding> {
        let inner = &self.facts.inner;
        inner.unsealed?;
        let shutdown = inner.shutdown_requested.filter(|_| inner.shutdown_denied.is_none() && !inner.is_announced());
        let asked = shutdown.map(|mark| (mark, Side::Server, "Shutdown Request"));
        let (mark, from, name) =
            asked.or(inner.auto_detect.asked().map(|mark| (mark, Side::Client, "RTT Measure Request")))?;
        let owed = self.message(from, Which::AnswerTo(name), mark.at);
        self.is_heard(&owed).then_some(owed)
    }

    /// Who speaks next in the connection sequence, and what.
    fn next_message(&self) -> Option<Outstanding> {
        let spoke = self.spoke?;
        if self.facts.not_rdp.is_some() {
            return None;
        }
        let (from, which) = if self.is_before_channel() { self.gateway_turn(&spoke) } else { self.turn(&spoke) };
        Some(self.message(from, which, spoke.at))
    }

    fn message(&self, from: Side, which: Which, since: Timestamp) -> Outstanding {
        let leg = self.first_hand_leg(from).unwrap_or(LegName::Only);
        let at_gateway = self.is_before_channel();
        self.outstands(Awaited::Message { from, at_gateway, which }, leg, since)
    }

    fn turn(&self, spoke: &Spoke) -> (Side, Which) {
        let facts = &self.facts;
        if let Some(partial) = facts.partial.last() {
            return (partial.what.0, Which::RestOf(partial.what.1));
        }
        match (&facts.request, &facts.confirm) {
            (_, _) if facts.failure.is_some() => (Side::Client, Which::Next),
            (None, None) => (Side::Client, Which::Named("X.224 connection request")),
            (_, None) => (Side::Server, Which::Named("X.224 confirm")),
            (_, Some(_)) if facts.selected().is_some_and(|selected| selected.0 == 0) => self.turn_in_clear(spoke),
            (_, Some(_)) if facts.first(|tls| tls.established.as_ref()).is_none() => self.handshake_turn(spoke),
            (_, Some(_)) => self.sealed_turn(),
        }
    }

    fn handshake_turn(&self, spoke: &Spoke) -> (Side, Which) {
        let facts = &self.facts;
        let Some(hello) = facts.first(|tls| tls.server_hello.as_ref()) else {
            return match facts.first(|tls| tls.hello.as_ref()) {
                None => (Side::Client, Which::Named("ClientHello")),
                Some(_) => (Side::Server, Which::Named("ServerHello")),
            };
        };
        let is_13 = hello.what.version == 0x0304;
        let (done, exchanged) =
            (facts.first_mark(|tls| tls.hello_done), facts.first_mark(|tls| tls.key_exchange).is_some());
        match (is_13, exchanged, done) {
            // What TLS 1.3 seals may be the whole flight.
            (true, _, _) if facts.tls.iter().all(|tls| tls.records[Side::Server as usize] == 0) => {
                (Side::Server, Which::RestOf("TLS flight"))
            }
            (true, _, _) => (Side::Client, Which::Named("Finished")),
            (false, true, _) => (Side::Server, Which::Named("Finished")),
            (false, false, Some(_)) => (Side::Client, Which::Named("ClientKeyExchange")),
            (false, false, None) if hello.what.resumed && spoke.from == Side::Server => {
                (Side::Client, Which::Named("Finished"))
            }
            (false, false, None) => (Side::Server, Which::RestOf("TLS flight")),
        }
    }

    /// Behind TLS: by the last message where it is read, else by who spoke last.
    fn sealed_turn(&self) -> (Side, Which) {
        match &self.facts.inner.said {
            Some(said) if self.is_unsealed() => self.behind(said.what),
            _ if self.sealed_progress().waits => (Side::Server, Which::Answer),
            _ => (Side::Client, Which::Next),
        }
    }

    fn turn_in_clear(&self, spoke: &Spoke) -> (Side, Which) {
        match &self.facts.inner.said {
            Some(said) if said.mark.at >= spoke.at => self.behind(said.what),
            _ if spoke.from == Side::Client => (Side::Server, Which::Answer),
            _ => (Side::Client, Which::Next),
        }
    }

    fn behind(&self, said: Said) -> (Side, Which) {
        let next = self.whose_turn(said);
        (next, if next == said.from { Which::Behind(said.name) } else { Which::AnswerTo(said.name) })
    }

    /// Whose turn it is behind a message. Who has authenticated goes on, whatever was said last.
    pub(crate) fn whose_turn(&self, said: Said) -> Side {
        let credssp = self.phase(PhaseName::Credssp);
        let is_over = credssp.is_some_and(|phase| phase.outcome == Outcome::Done);
        if is_over && self.last_phase() == PhaseName::Credssp { Side::Client } else { said.next }
    }

    /// On the way through a gateway: TLS, then HTTP and the tunnel in it, in which requests are answered.
    fn gateway_turn(&self, spoke: &Spoke) -> (Side, Which) {
        let gateway = self.facts.gateway.as_deref();
        let is_asked = gateway.is_some_and(|gateway| gateway.first(|tls| tls.hello.as_ref()).is_some());
        let is_answered = gateway.is_some_and(|gateway| gateway.first(|tls| tls.server_hello.as_ref()).is_some());
        match (spoke.from, is_asked, is_answered) {
            (_, false, _) => (Side::Client, Which::Named("ClientHello")),
            (_, true, false) => (Side::Server, Which::Named("ServerHello")),
            (Side::Client, true, true) => (Side::Server, Which::Answer),
            (Side::Server, true, true) => (Side::Client, Which::Next),
        }
    }
}
