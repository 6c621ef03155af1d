//! Stacks the layers over each flow of one session: observations in, events out.
//!
//! Each leg has its own stack, X.224 first, then TLS or MCS as the confirm says. A relay that passes everything on
//! gives the same events on both legs; one that does not gives different ones, and that is a fact worth seeing.

use crate::event::{Event, What};
use crate::observation::{Absence, Leg, Observation, Seen, Side};
use crate::rdp::mcs::Mcs;
use crate::rdp::x224::{Negotiation, Next};
use crate::tls::Tls;

/// The layers of one session's legs.
#[derive(Default)]
pub struct Session {
    stacks: Vec<(Leg, Stack)>,
}

impl Session {
    /// Takes one observation and hands on what the protocol did by it.
    pub fn push(&mut self, observation: &Observation, each: &mut dyn FnMut(Event)) {
        let Observation { at, flow, frame, ref seen } = *observation;
        let mut happened = Vec::new();
        self.stack(flow.leg).push(seen, &mut happened);
        for what in happened {
            each(Event { at, flow, frame, what });
        }
    }

    fn stack(&mut self, leg: Leg) -> &mut Stack {
        let found = self.stacks.iter().position(|(of, _)| *of == leg);
        let place = found.unwrap_or_else(|| {
            self.stacks.push((leg, Stack::default()));
            self.stacks.len() - 1
        });
        &mut self.stacks[place].1
    }
}

/// The layer that reads the payload of one leg now.
enum Layer {
    Negotiation(Box<Negotiation>),
    Tls(Box<Tls>),
    Mcs(Box<Mcs>),
    /// Nothing more can be read of it.
    Opaque,
}

struct Stack {
    layer: Layer,
    closed: bool,
    /// Client, server: whether this direction is stored, and read, on the other leg.
    mirrored: [bool; 2],
}

impl Default for Stack {
    fn default() -> Stack {
        Stack { layer: Layer::Negotiation(Box::new(Negotiation::new())), closed: false, mirrored: [false; 2] }
    }
}

impl Stack {
    fn push(&mut self, seen: &Seen, out: &mut Vec<What>) {
        match seen {
            Seen::Opening(opening) => out.push(What::Opening(opening.clone())),
            Seen::Opened => out.push(What::Opened),
            Seen::Path(sample) => out.push(What::Path(sample.clone())),
            Seen::Sign(sign) => out.push(What::Sign(sign.clone())),
            Seen::Bytes { from, data } => {
                out.push(What::Passed { from: *from, len: data.len() as u64 });
                self.bytes(*from, data, out);
            }
            Seen::Missing { from, len, why } => {
                out.push(What::Missing { from: *from, len: *len, why: *why });
                self.missing(*from, *len, *why, out);
            }
            Seen::Closed { from, how } => {
                self.close(*from, out);
                out.push(What::Closed { from: *from, how: *how });
            }
        }
    }

    fn bytes(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        if self.mirrored[from as usize] {
            return;
        }
        match &mut self.layer {
            Layer::Negotiation(negotiation) => {
                negotiation.push(from, data, out);
                self.advance(out);
            }
            Layer::Tls(tls) => tls.push(from, data, out),
            Layer::Mcs(mcs) => mcs.push(from, data, out),
            Layer::Opaque => {}
        }
    }

    fn missing(&mut self, from: Side, len: u64, why: Absence, out: &mut Vec<What>) {
        // What is mirrored is read on the other leg, once and for all; what was discarded never passed here.
        self.mirrored[from as usize] |= why == Absence::Mirrored;
        if self.mirrored[from as usize] || why == Absence::Discarded {
            return;
        }
        match &mut self.layer {
            Layer::Negotiation(negotiation) => negotiation.missing(from, len, out),
            Layer::Tls(tls) => tls.missing(from, len, out),
            Layer::Mcs(mcs) => mcs.missing(from, len, out),
            Layer::Opaque => {}
        }
    }

    /// Hands over from the negotiation to what was agreed, with the bytes that came behind it.
    fn advance(&mut self, out: &mut Vec<What>) {
        let Layer::Negotiation(negotiation) = &mut self.layer else { return };
        let layer = match negotiation.next() {
            None => return,
            Some(Next::Tls) => Layer::Tls(Box::new(Tls::new())),
            Some(Next::Mcs) => Layer::Mcs(Box::new(Mcs::in_clear())),
            Some(Next::Foreign | Next::Refused) => Layer::Opaque,
        };
        let Layer::Negotiation(negotiation) = std::mem::replace(&mut self.layer, layer) else { return };
        let [client, server] = negotiation.into_rest();
        for (from, rest) in [(Side::Client, client), (Side::Server, server)] {
            if !rest.is_empty() {
                self.bytes(from, &rest, out);
            }
        }
    }

    /// The first end of a leg tells which messages were cut short.
    fn close(&mut self, from: Option<Side>, out: &mut Vec<What>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        match &mut self.layer {
            Layer::Negotiation(negotiation) => {
                if let Some(from) = from {
                    negotiation.closed(from, out);
                }
            }
            Layer::Tls(tls) => {
                for from in [Side::Client, Side::Server] {
                    if let Some((message, have, need)) = tls.partial(from) {
                        out.push(What::Partial { from, message, have, need });
                    }
                }
            }
            Layer::Mcs(_) | Layer::Opaque => {}
        }
    }
}
