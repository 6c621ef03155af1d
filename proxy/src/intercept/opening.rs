//! Up to the client's whole ClientHello: the negotiation, where there is one, passes, and the analyzer tells what it comes to.

use analyzer::event::{ClientHello, ConnectionConfirm, Event, What};
use analyzer::observation::{Flow, Interception, Leg, Observation, Opening, Seen, Side};
use analyzer::session::Session;
use bytes::Bytes;

use super::reaching::Reaching;
use super::replay::{Negotiated, Replay};
use super::{Deeds, Intercept, State};
use crate::clock;

/// More than this of one side is no negotiation and no ClientHello, bytes.
pub(super) const MOST: usize = 64 << 10;

/// The analyzer, reading along.
#[derive(Default)]
pub(super) struct Reader(Session);

/// Everything passes, and is remembered: it may have to be said again.
#[derive(Debug, Default)]
pub(super) struct Negotiating {
    reader: Reader,
    request: Vec<u8>,
    confirm: Vec<u8>,
}

/// TLS was agreed on. The client's first words are held.
#[derive(Debug)]
pub(super) struct Listening {
    reader: Reader,
    replay: Replay,
}

impl Negotiating {
    pub(super) fn push(mut self: Box<Self>, how: &Intercept, from: Side, data: Bytes, deeds: &mut Deeds) -> State {
        match from {
            Side::Client => self.request.extend_from_slice(&data),
            Side::Server => self.confirm.extend_from_slice(&data),
        }
        let events = self.reader.read(from, &data);
        deeds.send(from.other(), data);
        match confirm(&events) {
            Some(agreed) if agreed.selected.unwrap_or_default().0 == 0 => {
                pass("standard RDP security was selected: there is no TLS", deeds)
            }
            Some(agreed) => match how.leaves_alone(agreed.selected.unwrap_or_default()) {
                Some(why) => pass(&why, deeds),
                None if hello(&events).is_some() => pass("the client did not wait for the server's answer", deeds),
                None => State::Listening(Box::new(self.listening(agreed))),
            },
            None if events.iter().any(is_end) || self.request.len().max(self.confirm.len()) > MOST => {
                pass("no TLS was agreed on", deeds)
            }
            None => State::Negotiating(self),
        }
    }

    fn listening(self, agreed: ConnectionConfirm) -> Listening {
        let Negotiating { reader, request, .. } = self;
        let negotiated = Some(Negotiated { request, agreed });
        Listening { reader, replay: Replay { negotiated, hello: Vec::new(), why: String::new() } }
    }
}

impl Listening {
    /// Before the first byte to a gateway.
    pub(super) fn at_gateway() -> Listening {
        let replay = Replay { negotiated: None, hello: Vec::new(), why: String::new() };
        Listening { reader: Reader::at_gateway(), replay }
    }

    pub(super) fn push(mut self: Box<Self>, how: &Intercept, from: Side, data: Bytes, deeds: &mut Deeds) -> State {
        let events = self.reader.read(from, &data);
        if from == Side::Server {
            deeds.send(Side::Client, data);
            return State::Listening(self);
        }
        self.replay.hello.extend_from_slice(&data);
        let broken = events.iter().map(bare).any(|what| {
            matches!(what, What::Malformed { .. } | What::Alert { .. } | What::NotRdp { .. } | What::Gateway(_))
        });
        match hello(&events) {
            Some(hello) => self.reach(how, hello, deeds),
            None if broken || self.replay.hello.len() > MOST => {
                deeds.send(Side::Server, self.replay.hello);
                pass("the client's first message is no ClientHello that can be read", deeds)
            }
            None => State::Listening(self),
        }
    }

    /// The client ends: nothing more comes of its ClientHello.
    pub(super) fn ended(self, deeds: &mut Deeds) -> State {
        deeds.send(Side::Server, self.replay.hello);
        deeds.ends.push(Side::Server);
        pass("the client ends before its ClientHello is whole", deeds)
    }

    fn reach(self, how: &Intercept, hello: &ClientHello, deeds: &mut Deeds) -> State {
        let replay = self.replay;
        match Reaching::begin(how, hello, replay, deeds) {
            Ok(reaching) => State::Reaching(Box::new(reaching)),
            Err((replay, why)) => {
                deeds.send(Side::Server, replay.hello);
                pass(&why, deeds)
            }
        }
    }
}

impl Reader {
    /// One that knows that TLS begins with the first byte.
    fn at_gateway() -> Reader {
        let mut reader = Reader::default();
        reader.see(Seen::Opening(Opening::Gateway));
        reader
    }

    /// Reads along on the client's leg.
    pub(super) fn read(&mut self, from: Side, data: &Bytes) -> Vec<What> {
        self.see(Seen::Bytes { from, data: data.clone() })
    }

    fn see(&mut self, seen: Seen) -> Vec<What> {
        let flow = Flow { session: 0, leg: Leg::Front };
        let mut events = Vec::new();
        let observation = Observation { at: clock::now(), flow, frame: 0, seen };
        self.0.push(&observation, &mut |event: Event| events.push(event.what));
        events
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

/// What the server has agreed to.
pub(super) fn confirm(events: &[What]) -> Option<ConnectionConfirm> {
    events.iter().find_map(|what| match what {
        What::ConnectionConfirm(confirm) => Some(*confirm),
        _ => None,
    })
}

fn hello(events: &[What]) -> Option<&ClientHello> {
    events.iter().map(bare).find_map(|what| match what {
        What::ClientHello(hello) => Some(&**hello),
        _ => None,
    })
}

/// Without the mark that it is of the TLS around a tunnel.
fn bare(what: &What) -> &What {
    match what {
        What::Outer(inner) => inner,
        _ => what,
    }
}

/// Whether no TLS will come of it.
pub(super) fn is_end(what: &What) -> bool {
    matches!(
        what,
        What::NegotiationFailure { .. } | What::X224Refused { .. } | What::NotRdp { .. } | What::Malformed { .. }
    )
}

fn pass(why: &str, deeds: &mut Deeds) -> State {
    deeds.step(Leg::Front, Interception::Passed { why: why.to_owned() });
    State::Passing
}
