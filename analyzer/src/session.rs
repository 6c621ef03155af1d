//! Stacks the layers over each flow of one session: observations in, events out.
//!
//! Each leg has its own stack, X.224 first, then TLS or MCS as the confirm says. A relay that passes everything on
//! gives the same events on both legs; one that does not gives different ones, and that is a fact worth seeing.
//!
//! A flow is a tree. On the way through an RD Gateway it is TLS, HTTP in that, and the RDP connection in the tunnel that HTTP
//! carries: the same stack again. The tunnel may have two connections, one for each direction; what they carry meets here.
//!
//! What secrets open of TLS goes to [`Inner`], or to the gateway's [`Outer`]. They must be there before the server answers a
//! ClientHello: of a file all secrets are found first, and live what comes behind a ClientHello is held for them. Then it does
//! not matter where they stood.

mod lead;
mod origins;
mod outer;
mod stops;

use std::sync::Arc;

use crate::event::{Event, GatewayEvent, Protocols, What};
use crate::gateway::{Carried, TunnelId};
use crate::observation::{Absence, Flow, Interception, Lapse, Leg, Observation, Opening, Seen, Side};
use crate::rdp::inner::Inner;
use crate::rdp::mcs::Mcs;
use crate::rdp::x224::{Negotiation, Next};
use crate::secret::Random;
use crate::tls::keys::Keyring;
use crate::tls::{Behind, Tls};
use crate::transcript::{Line, Pen, Place};
use lead::Lead;
use origins::Origins;
use outer::Outer;
use stops::Stops;

/// Tunnels of one recording that are read, on both legs: a client has a few connections.
const MAX_TUNNELS: usize = 256;

/// The layers of one session's connections.
#[derive(Default)]
pub struct Session {
    stacks: Vec<(Flow, Stack)>,
    tunnels: Vec<Tunnel>,
    keys: Arc<Keyring>,
    /// When nobody watched.
    stops: Stops,
    /// Where what is read is written down, too, if somebody wants it.
    pen: Option<Pen>,
    lines: Vec<Line>,
}

/// The RDP connection that one or two connections to a gateway carry, as one leg sees it.
struct Tunnel {
    id: TunnelId,
    leg: Leg,
    stack: Stack,
}

impl Session {
    /// One that opens what these secrets open.
    pub fn with_keys(keys: &Arc<Keyring>) -> Session {
        Session { keys: Arc::clone(keys), ..Session::default() }
    }

    /// The same, and writes down what both sides say: [`Session::take_lines`] is to be called after each observation.
    pub fn transcribing(self) -> Session {
        Session { pen: Some(Pen::default()), ..self }
    }

    /// What was written down.
    pub fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    /// Takes one observation and hands on what the protocol did by it.
    pub fn push(&mut self, observation: &Observation, each: &mut dyn FnMut(Event)) {
        let Observation { at, flow, frame, ref seen } = *observation;
        if let Seen::Secret(log) = seen {
            return self.learn(log);
        }
        let mut happened = Vec::new();
        let stack = self.stack(flow);
        stack.origins.comes(seen, (at, frame));
        stack.push(seen, &mut happened);
        let origins = stack.origins.take();
        self.carry(flow, seen, &mut happened);
        if let Some(pen) = &self.pen {
            self.lines.extend(pen.take(at, flow, frame));
        }
        if let Seen::Lapse(Lapse::Stopped { lasted, .. }) = seen {
            self.stops.push(at, *lasted);
        }
        let at = self.stops.stamp(at);
        for (place, what) in happened.into_iter().enumerate() {
            let (at, frame) = origins.of(place, &what).map_or((at, frame), |(at, frame)| (self.stops.stamp(at), frame));
            each(Event { at, flow, frame, what });
        }
    }

    /// The connections that were begun and that nobody can open with the secrets that are there.
    pub fn sealed(&self) -> impl Iterator<Item = Random> {
        let inside = self.tunnels.iter().map(|tunnel| &tunnel.stack);
        let stacks = self.stacks.iter().map(|(_, stack)| stack).chain(inside);
        stacks.filter_map(Stack::random).filter(|random| !self.keys.is_complete(random))
    }

    /// The same without those in tunnels: what a relay can know the secrets of that stands inside TLS.
    pub fn sealed_outside(&self) -> impl Iterator<Item = Random> {
        let stacks = self.stacks.iter().map(|(_, stack)| stack);
        stacks.filter_map(Stack::random).filter(|random| !self.keys.is_complete(random))
    }

    /// Forgets a connection that nobody asks for any more.
    pub fn forget(&mut self, session: u32) {
        self.stacks.retain(|(flow, _)| flow.session != session);
    }

    /// Takes the lines of a key log.
    fn learn(&mut self, log: &[u8]) {
        if Arc::make_mut(&mut self.keys).read(log) > 0 {
            let inside = self.tunnels.iter_mut().map(|tunnel| &mut tunnel.stack);
            for stack in self.stacks.iter_mut().map(|(_, stack)| stack).chain(inside) {
                stack.learn(&self.keys);
            }
        }
    }

    fn stack(&mut self, flow: Flow) -> &mut Stack {
        let found = self.stacks.iter().position(|(of, _)| *of == flow);
        let place = found.unwrap_or_else(|| {
            self.stacks.push((flow, Stack::new(&self.keys, self.pen.clone())));
            self.stacks.len() - 1
        });
        &mut self.stacks[place].1
    }

    /// Hands what a connection to a gateway carries to the stack inside.
    fn carry(&mut self, flow: Flow, seen: &Seen, out: &mut Vec<What>) {
        let stack = self.stack(flow);
        let Layer::Outer(outer) = &mut stack.layer else { return };
        let carried = outer.take_carried();
        // A client that names no tunnel has one of its own.
        let id =
            outer.tunnel().or_else(|| (!carried.is_empty()).then(|| TunnelId(format!("connection {}", flow.session))));
        let Some(id) = id else { return };
        let is_new = !std::mem::replace(&mut stack.in_tunnel, true);
        let Some(place) = self.tunnel(id, flow.leg) else { return };
        if is_new {
            // Legs see the same tunnels: the number is that of the name alone.
            let tunnel = self.number(place);
            out.push(What::Gateway(GatewayEvent::Half { tunnel }));
        }
        let inside = &mut self.tunnels[place].stack;
        for piece in carried {
            match piece {
                Carried::Bytes { from, data } => inside.bytes(from, &data, out),
                Carried::Missing { from, len } => inside.missing(from, len, Absence::Lost, out),
            }
        }
        if let Seen::Closed { from, .. } = seen {
            inside.close(*from, out);
        }
    }

    /// The place of a tunnel on a leg; `None` where there are too many.
    fn tunnel(&mut self, id: TunnelId, leg: Leg) -> Option<usize> {
        let found = self.tunnels.iter().position(|tunnel| tunnel.leg == leg && tunnel.id == id);
        if found.is_none() && self.tunnels.len() < MAX_TUNNELS {
            self.tunnels.push(Tunnel { id, leg, stack: Stack::new(&self.keys, self.pen.clone()) });
            return Some(self.tunnels.len() - 1);
        }
        found
    }

    fn number(&self, place: usize) -> u32 {
        let first = self.tunnels.iter().position(|tunnel| tunnel.id == self.tunnels[place].id);
        first.unwrap_or(place) as u32
    }
}

/// The layer that reads the payload of one leg now.
enum Layer {
    Negotiation(Box<Negotiation>),
    Tls(Box<Tls>),
    Mcs(Box<Mcs>),
    /// A connection to a gateway.
    Outer(Box<Outer>),
    /// Nothing more can be read of it.
    Opaque,
}

struct Stack {
    /// What the client sends before the layer's own first byte.
    lead: Lead,
    layer: Layer,
    origins: Origins,
    closed: bool,
    /// Client, server: whether this direction is stored, and read, on the other leg.
    mirrored: [bool; 2],
    keys: Arc<Keyring>,
    /// What the confirm selects.
    selected: Protocols,
    /// Whether it was told which tunnel it is of.
    in_tunnel: bool,
    pen: Option<Pen>,
}

/// What stands behind TLS, written down on its way.
struct Copied {
    inner: Inner,
    pen: Pen,
}

impl Behind for Copied {
    fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        self.pen.bytes(from, Place::Tls, data);
        self.inner.push(from, data, out);
    }

    fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        self.pen.missing(from, Place::Tls, len);
        self.inner.missing(from, len, out);
    }
}

impl Behind for Inner {
    fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        Inner::push(self, from, data, out);
    }

    fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        Inner::missing(self, from, len, out);
    }
}

impl Stack {
    fn new(keys: &Arc<Keyring>, pen: Option<Pen>) -> Stack {
        let layer = Layer::Negotiation(Box::new(Negotiation::new()));
        let selected = Protocols::default();
        Stack {
            lead: Lead::default(),
            layer,
            origins: Origins::default(),
            closed: false,
            mirrored: [false; 2],
            keys: Arc::clone(keys),
            selected,
            in_tunnel: false,
            pen,
        }
    }

    /// What reads the plaintext of TLS.
    fn behind(selected: Protocols, names: bool, pen: Option<&Pen>) -> Box<dyn Behind> {
        let inner = Inner::new(selected).naming(names);
        match pen {
            Some(pen) => Box::new(Copied { inner, pen: pen.clone() }),
            None => Box::new(inner),
        }
    }

    /// The Random of its ClientHello, once there is one.
    fn random(&self) -> Option<Random> {
        match &self.layer {
            Layer::Tls(tls) => tls.random(),
            Layer::Outer(outer) => outer.random(),
            Layer::Negotiation(_) | Layer::Mcs(_) | Layer::Opaque => None,
        }
    }

    fn learn(&mut self, keys: &Arc<Keyring>) {
        self.keys = Arc::clone(keys);
        match &mut self.layer {
            Layer::Tls(tls) => {
                tls.learn(keys, || Self::behind(self.selected, keys.shows_names(), self.pen.as_ref()));
            }
            Layer::Outer(outer) => outer.learn(keys),
            Layer::Negotiation(_) | Layer::Mcs(_) | Layer::Opaque => {}
        }
    }

    fn push(&mut self, seen: &Seen, out: &mut Vec<What>) {
        match seen {
            Seen::Opening(opening) => {
                if *opening == Opening::Gateway {
                    self.layer = Layer::Outer(Box::new(Outer::new(&self.keys)));
                }
                out.push(What::Opening(opening.clone()));
            }
            Seen::Opened => out.push(What::Opened),
            Seen::Path(sample) => out.push(What::Path(sample.clone())),
            Seen::Sign(sign) => out.push(What::Sign(sign.clone())),
            Seen::Interception(step) => {
                // What follows is a connection of its own.
                if let Interception::Redialed { .. } = step {
                    *self = self.anew();
                }
                out.push(What::Interception(step.clone()));
            }
            Seen::Impairment(impairment) => out.push(What::Impairment(impairment.clone())),
            Seen::Lapse(lapse) => out.push(What::Lapse(*lapse)),
            // It is not of one leg alone: the session takes it.
            Seen::Secret(_) => {}
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
        if from == Side::Server || self.lead.is_over() {
            return self.read(from, data, out);
        }
        let rest = self.lead.push(data, out);
        if !rest.is_empty() {
            self.read(from, &rest, out);
        }
    }

    /// Hands bytes of the connection's own protocol to the layer that reads it now.
    fn read(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        match &mut self.layer {
            Layer::Negotiation(negotiation) => {
                let before = out.len();
                self.origins.held(from, data.len());
                negotiation.push(from, data, out);
                if let (Some(pen), Some(pdu)) = (&self.pen, negotiation.take_pdu(from)) {
                    pen.bytes(from, Place::Clear, &pdu);
                }
                self.selected = selected(&out[before..]).unwrap_or(self.selected);
                self.advance(out);
            }
            Layer::Tls(tls) => tls.push(from, data, out),
            Layer::Mcs(mcs) => {
                if let Some(pen) = &self.pen {
                    pen.bytes(from, Place::Clear, data);
                }
                mcs.push(from, data, out);
            }
            Layer::Outer(outer) => outer.push(from, data, out),
            Layer::Opaque => {}
        }
    }

    fn missing(&mut self, from: Side, len: u64, why: Absence, out: &mut Vec<What>) {
        // What is mirrored is read on the other leg, once and for all; what was discarded never passed here.
        self.mirrored[from as usize] |= why == Absence::Mirrored;
        if self.mirrored[from as usize] || why == Absence::Discarded {
            return;
        }
        let len = if from == Side::Client { self.lead.missing(len) } else { len };
        if let (Some(pen), Layer::Negotiation(_) | Layer::Mcs(_)) = (&self.pen, &self.layer) {
            pen.missing(from, Place::Clear, len);
        }
        let before = out.len();
        match &mut self.layer {
            Layer::Negotiation(negotiation) => {
                negotiation.missing(from);
                self.advance(out);
            }
            Layer::Tls(tls) => tls.missing(from, len, out),
            Layer::Mcs(mcs) => mcs.missing(from, len, out),
            Layer::Outer(outer) => outer.missing(from, len, out),
            Layer::Opaque => {}
        }
        // A layer says that it lost its place. That is what is missing here, which is told, and nothing that a peer has said.
        let mut place = 0..;
        let len = out.len();
        out.retain(|what| place.next() < Some(before) || !is_malformed(what));
        if out.len() < len {
            self.origins.forget();
        }
    }

    /// Hands over from the negotiation to what was agreed, with the bytes that came behind it.
    fn advance(&mut self, out: &mut Vec<What>) {
        let Layer::Negotiation(negotiation) = &mut self.layer else { return };
        let layer = match negotiation.next() {
            None => return,
            Some(Next::Tls) => {
                let behind = Self::behind(self.selected, self.keys.shows_names(), self.pen.as_ref());
                Layer::Tls(Box::new(Tls::with_keys(&self.keys, behind)))
            }
            Some(Next::Mcs) => Layer::Mcs(Box::new(Mcs::in_clear().naming(self.keys.shows_names()))),
            Some(Next::Foreign | Next::Refused) => Layer::Opaque,
        };
        let Layer::Negotiation(negotiation) = std::mem::replace(&mut self.layer, layer) else { return };
        let [client, server] = negotiation.into_rest();
        for (from, rest) in [(Side::Client, client), (Side::Server, server)] {
            if rest.is_empty() || self.mirrored[from as usize] {
                continue;
            }
            // Each piece is read as what it is, where and when it came.
            let mut rest = &rest[..];
            for (len, origin) in self.origins.release(from, rest.len()) {
                let (piece, behind) = rest.split_at(len.min(rest.len()));
                let before = out.len();
                self.read(from, piece, out);
                self.origins.made(before..out.len(), origin);
                rest = behind;
            }
        }
    }

    /// The first end of a leg tells which messages were cut short.
    fn close(&mut self, from: Option<Side>, out: &mut Vec<What>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let begun = self.lead.closed(from);
        if !begun.is_empty() {
            self.read(Side::Client, &begun, out);
        }
        match &mut self.layer {
            Layer::Negotiation(negotiation) => negotiation.closed(out),
            Layer::Tls(tls) => tls.close(out),
            Layer::Outer(outer) => outer.close(out),
            Layer::Mcs(_) | Layer::Opaque => {}
        }
    }

    /// The same for a connection that takes this one's place.
    fn anew(&self) -> Stack {
        let mut stack = Stack::new(&self.keys, self.pen.clone());
        if let Layer::Outer(_) = self.layer {
            stack.layer = Layer::Outer(Box::new(Outer::new(&self.keys)));
        }
        stack
    }
}

fn is_malformed(what: &What) -> bool {
    match what {
        What::Outer(inside) => is_malformed(inside),
        what => matches!(what, What::Malformed { .. }),
    }
}

/// What a confirm among these selects.
fn selected(happened: &[What]) -> Option<Protocols> {
    happened.iter().find_map(|what| match what {
        What::ConnectionConfirm(confirm) => confirm.selected,
        _ => None,
    })
}
