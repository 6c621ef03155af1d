//! The way through an RD Gateway: its connections, what was said there, and its phases (\[MS-TSGU\] 1.3.2).
//!
//! A tunnel may have two connections, one for each direction. The first one's TCP is the session's; of the second what it has
//! of its own is kept beside it: its legs, its TLS. What is said in the tunnel is the same on either.

use std::time::Duration;

use super::facts::{Mark, Sighting, Tls, is_fatal};
use super::leg::Leg;
use super::phase::{Outcome, PhaseName};
use super::{End, LegName, Sureness, Timeline, first_hand};
use crate::event::{
    Basis, Certificate, Event, GatewayEvent, HttpRequest, HttpResponse, KdcMessage, RpcPdu, Transport, TunnelMessage,
    What,
};
use crate::observation::{Ending, Opening, Side};

/// Exchanges, messages and the like that are kept; further ones are counted.
const KEPT: usize = 64;
/// Status codes that a request for a channel may be answered with and go on.
const SWITCHING_PROTOCOLS: u16 = 101;
const UNAUTHORIZED: u16 = 401;
/// ERROR_GRACEFUL_DISCONNECT, \[MS-TSGU\] 2.2.6: as good as no code.
pub(crate) const GRACEFUL: u32 = 0x4ca;
/// A gateway that tells the user something and ends the tunnel so soon after it has told of that.
const WARNED: Duration = Duration::from_secs(60);

/// The second connection of a tunnel comes so soon behind the first.
const TOGETHER: Duration = Duration::from_secs(2);

/// What is known of the way through a gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gateway {
    /// Its connections, in the order in which they were seen.
    pub connections: Vec<Connection>,
    /// HTTP requests with their answers, in the order of the requests.
    pub exchanges: Vec<Exchange>,
    /// Packets of the tunnel, and which side sent them; keep-alives and data are only counted.
    pub messages: Vec<Sighting<(Side, TunnelMessage)>>,
    /// PDUs of RPC: the first of each kind and side.
    pub rpc: Vec<Sighting<(Side, RpcPdu)>>,
    /// Ends of a WebSocket: side and status code.
    pub closes: Vec<Sighting<(Side, Option<u16>)>>,
    /// What passed a KDC proxy, on this or another connection of the same client.
    pub kdc: Vec<Sighting<(Side, KdcMessage)>>,
    /// Bytes of the RDP connection in the tunnel, of client and server.
    pub carried: [u64; 2],
    /// From this place on the connections are those by which the same client asked a KDC proxy.
    aside: Option<usize>,
    /// Exchanges, messages, PDUs and ends that are not kept.
    pub more: u64,
    /// Turns of sealed records: how often the speaker changed, and bytes of client and server, where nothing is read.
    pub sealed: Sealed,
}

/// What sealed records tell of a tunnel that nobody reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Who spoke last.
    pub speaker: Option<Side>,
    /// How often the server spoke after the client had.
    pub turns: u32,
    /// Bytes of sealed records, of client and server.
    pub bytes: [u64; 2],
}

/// One TCP connection to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// As whoever made the observations counts it.
    number: u32,
    /// What it is for, once a request says so.
    pub transport: Option<Transport>,
    /// TLS, by leg.
    pub tls: Vec<Tls>,
    /// The legs of a further connection; those of the first are the timeline's.
    pub legs: Vec<Leg>,
    /// Messages of TLS cut short by the end: side, message, bytes that came and that it should have.
    pub partial: Vec<Sighting<(Side, &'static str, u32, u32)>>,
    /// Malformed messages: side, layer and what was wrong.
    pub malformed: Vec<Sighting<(Side, &'static str, String)>>,
}

/// An HTTP request with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Place of its connection among [`Gateway::connections`].
    pub connection: usize,
    /// The request.
    pub request: Sighting<HttpRequest>,
    /// The answer to it; 1xx other than 101 are none.
    pub response: Option<Sighting<HttpResponse>>,
}

impl Gateway {
    /// The first connection's TLS on a leg.
    pub fn tls(&self) -> &[Tls] {
        self.connections.first().map_or(&[], |first| &first.tls)
    }

    /// The first sighting on any leg of what `pick` takes from the first connection's TLS.
    pub fn first<T>(&self, pick: impl Fn(&Tls) -> Option<&Sighting<T>>) -> Option<&Sighting<T>> {
        self.tls().iter().filter_map(pick).min_by_key(|sighting| sighting.mark.at)
    }

    /// Exchanges by which a channel of a tunnel was asked for.
    pub fn tunnels(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|exchange| exchange.request.what.transport.is_tunnel())
    }

    /// Whether anything of a tunnel or of a KDC proxy was read. What a web proxy is asked stands in clear before it.
    pub fn is_read(&self) -> bool {
        let is_own = |exchange: &&Exchange| self.aside.is_none_or(|aside| exchange.connection < aside);
        self.exchanges.iter().filter(is_own).any(|exchange| exchange.request.what.transport != Transport::Connect)
    }

    /// Whether what was read has to do with Remote Desktop.
    pub fn is_rdp(&self) -> bool {
        self.exchanges.iter().any(|exchange| {
            let transport = exchange.request.what.transport;
            transport.is_tunnel() || matches!(transport, Transport::KdcProxy | Transport::Connect)
        })
    }

    /// Whether it is a KDC proxy's connection and nothing else.
    pub fn is_kdc_only(&self) -> bool {
        self.is_read() && self.exchanges.iter().all(|one| one.request.what.transport == Transport::KdcProxy)
    }

    /// The first message that `pick` takes something from.
    pub fn message<T>(&self, pick: impl Fn(&TunnelMessage) -> Option<T>) -> Option<Sighting<T>> {
        self.messages.iter().find_map(|seen| Some(Sighting { what: pick(&seen.what.1)?, mark: seen.mark }))
    }

    /// Where to: names and port.
    pub fn target(&self) -> Option<(String, u16)> {
        let target = self.message(|message| match message {
            TunnelMessage::ChannelCreate { targets, port, .. } => Some((targets.first()?.clone(), *port)),
            _ => None,
        });
        target.map(|target| target.what)
    }

    /// Whether the gateway says that it is connected to the target.
    pub fn has_channel(&self) -> bool {
        let opened = |message: &TunnelMessage| matches!(message, TunnelMessage::ChannelResponse { error: 0, .. });
        self.messages.iter().any(|seen| opened(&seen.what.1))
    }

    /// The first word of leave: who sent it, with which status.
    fn leave(&self) -> Option<(Side, u32)> {
        self.messages.iter().find_map(|seen| match seen.what {
            (from, TunnelMessage::Close { status }) => Some((from, status)),
            _ => None,
        })
    }

    /// The gateway's word that it ends the tunnel, with its code.
    pub fn closed(&self) -> Option<Sighting<u32>> {
        self.messages.iter().find_map(|seen| match seen.what {
            (Side::Server, TunnelMessage::Close { status }) => Some(Sighting { what: status, mark: seen.mark }),
            _ => None,
        })
    }

    /// The certificates that its connections met, first of each connection.
    pub fn certificates(&self) -> Vec<&Certificate> {
        let first = |one: &'_ Connection| -> Option<usize> {
            one.tls.iter().position(|tls| tls.certificates.as_ref().is_some_and(|chain| !chain.what.is_empty()))
        };
        let found =
            self.connections.iter().filter_map(|one| one.tls.get(first(one)?)?.certificates.as_ref()?.what.first());
        found.collect()
    }

    /// What it told the user shortly before this.
    pub fn warned(&self, end: Mark) -> Option<Mark> {
        let told = self.messages.iter().rev().find(|seen| matches!(seen.what.1, TunnelMessage::ServiceMessage { .. }));
        let mark = told?.mark;
        (mark.at <= end.at && end.at.since(mark.at) < WARNED).then_some(mark)
    }

    /// Whether the gateway ends a session in use, and says so.
    pub(super) fn cuts_off(&self, end: &End) -> bool {
        let closed = self.closed().filter(|closed| closed.mark.at <= end.mark.at);
        let is_told = closed.as_ref().is_some_and(|closed| !matches!(closed.what, 0 | GRACEFUL));
        let by_server = closed.is_some() || end.from == Some(Side::Server) && first_hand(end.mark.leg, Side::Server);
        self.has_channel() && (is_told || by_server && self.warned(end.mark).is_some())
    }

    /// Takes what the same client asked a KDC proxy by a connection of its own.
    pub(crate) fn take_aside(&mut self, aside: &Gateway) {
        let before = self.connections.len();
        self.aside.get_or_insert(before);
        self.connections.extend(aside.connections.iter().cloned());
        let theirs = aside.exchanges.iter().cloned();
        self.exchanges.extend(theirs.map(|one| Exchange { connection: before + one.connection, ..one }));
        self.exchanges.sort_by_key(|one| one.request.mark.at);
        self.kdc.extend(aside.kdc.iter().cloned());
        self.kdc.sort_by_key(|seen| seen.mark.at);
        self.more += aside.more;
    }

    pub(super) fn push(&mut self, event: &Event) {
        let mark = Mark::of(event);
        let place = self.place(event.flow.session);
        match &event.what {
            What::Outer(what) => self.connections[place].outer(mark, what),
            What::Gateway(event) => self.said(place, mark, event),
            _ => {}
        }
        if let What::Outer(what) = &event.what
            && let What::Record { from, len, .. } = **what
            && first_hand(mark.leg, from)
        {
            self.sealed.push(from, len);
        }
    }

    /// A relay makes its connection to the gateway again, as if the one before had not been.
    pub(super) fn redialed(&mut self, leg: LegName, number: u32) {
        let place = self.place(number);
        let connection = &mut self.connections[place];
        connection.tls.retain(|tls| tls.leg != leg);
        connection.partial.retain(|partial| partial.mark.leg != leg);
        connection.malformed.retain(|malformed| malformed.mark.leg != leg);
        connection.legs.iter_mut().filter(|one| one.name == leg).for_each(|one| one.closes.clear());
    }

    /// The place of a connection, which is new where it was not heard of.
    fn place(&mut self, number: u32) -> usize {
        let found = self.connections.iter().position(|one| one.number == number);
        found.unwrap_or_else(|| {
            self.connections.push(Connection::new(number));
            self.connections.len() - 1
        })
    }

    fn said(&mut self, place: usize, mark: Mark, event: &GatewayEvent) {
        match event {
            GatewayEvent::Request(request) if first_hand(mark.leg, Side::Client) => self.request(place, mark, request),
            GatewayEvent::Response(response) if first_hand(mark.leg, Side::Server) => {
                self.response(place, mark, response);
            }
            GatewayEvent::Request(_) | GatewayEvent::Response(_) | GatewayEvent::Half { .. } => {}
            GatewayEvent::Carried { from, len } if first_hand(mark.leg, *from) => self.carried[*from as usize] += len,
            GatewayEvent::Carried { .. } => {}
            GatewayEvent::Tunnel { from, message } if first_hand(mark.leg, *from) => {
                if *message != TunnelMessage::KeepAlive {
                    self.more += keep(&mut self.messages, mark, (*from, message.clone()));
                }
            }
            GatewayEvent::Rpc { from, pdu } if first_hand(mark.leg, *from) => {
                if !self.rpc.iter().any(|known| known.what == (*from, pdu.clone())) {
                    self.more += keep(&mut self.rpc, mark, (*from, pdu.clone()));
                }
            }
            GatewayEvent::WebSocketClose { from, code } if first_hand(mark.leg, *from) => {
                self.more += keep(&mut self.closes, mark, (*from, *code));
            }
            GatewayEvent::Kdc { from, message } if first_hand(mark.leg, *from) => {
                self.more += keep(&mut self.kdc, mark, (*from, message.clone()));
            }
            GatewayEvent::Tunnel { .. }
            | GatewayEvent::Rpc { .. }
            | GatewayEvent::WebSocketClose { .. }
            | GatewayEvent::Kdc { .. } => {}
        }
    }

    fn request(&mut self, place: usize, mark: Mark, request: &HttpRequest) {
        let transport = &mut self.connections[place].transport;
        // A connection may have asked for a KDC proxy, or a web proxy, first.
        if transport.is_none_or(|known| !known.is_tunnel()) {
            *transport = Some(request.transport);
        }
        if self.exchanges.len() < KEPT {
            let request = Sighting { what: request.clone(), mark };
            self.exchanges.push(Exchange { connection: place, request, response: None });
        } else {
            self.more += 1;
        }
    }

    /// Answers come in the order of the requests, RFC 9112 9.3.
    fn response(&mut self, place: usize, mark: Mark, response: &HttpResponse) {
        if (100..200).contains(&response.status) && response.status != SWITCHING_PROTOCOLS {
            return;
        }
        let asked = self.exchanges.iter_mut().find(|one| one.connection == place && one.response.is_none());
        if let Some(asked) = asked {
            asked.response = Some(Sighting { what: response.clone(), mark });
        }
    }
}

/// More turns than the way up to the channel takes in one connection: seven, each further try of a password two.
const TURNS: u32 = 14;
/// Bytes of the gateway: the certificates of the inner TLS and a first picture.
const FROM_SERVER: u64 = 20 << 10;
/// Bytes of the client that tell a session by themselves: its half of an RDP connection sequence, sealed twice.
const FROM_CLIENT: u64 = 4 << 10;
/// The same where turns tell, too.
const FROM_CLIENT_IN_TURNS: u64 = 2 << 10;

impl Sealed {
    /// Whether so much was said that a session must be in it.
    fn is_session(&self) -> bool {
        self.turns >= TURNS && self.is_more_than(FROM_CLIENT_IN_TURNS)
    }

    fn carries(&self) -> bool {
        self.is_more_than(FROM_CLIENT)
    }

    fn is_more_than(&self, of_client: u64) -> bool {
        self.bytes[Side::Client as usize] >= of_client && self.bytes[Side::Server as usize] >= FROM_SERVER
    }

    fn push(&mut self, from: Side, len: u32) {
        self.turns += u32::from((self.speaker, from) == (Some(Side::Client), Side::Server));
        self.speaker = Some(from);
        self.bytes[from as usize] += u64::from(len);
    }
}

impl Connection {
    /// Whether it is one of the two connections of a tunnel.
    pub fn carries_half(&self) -> bool {
        let halves = [Transport::HttpOut, Transport::HttpIn, Transport::RpcOut, Transport::RpcIn];
        self.transport.is_some_and(|transport| halves.contains(&transport))
    }

    fn new(number: u32) -> Connection {
        let (tls, legs, partial, malformed) = Default::default();
        Connection { number, transport: None, tls, legs, partial, malformed }
    }

    fn outer(&mut self, mark: Mark, what: &What) {
        match what {
            What::Partial { from, message, have, need } => {
                keep(&mut self.partial, mark, (*from, *message, *have, *need));
            }
            What::Malformed { from, layer, offset, says } => {
                keep(&mut self.malformed, mark, (*from, *layer, format!("{says} (byte {offset})")));
            }
            what => Tls::of(&mut self.tls, mark.leg).push(mark, what),
        }
    }

    fn leg_mut(&mut self, name: LegName) -> &mut Leg {
        let found = self.legs.iter().position(|leg| leg.name == name);
        let place = found.unwrap_or_else(|| {
            self.legs.push(Leg::new(name));
            self.legs.len() - 1
        });
        &mut self.legs[place]
    }

    /// What the network shows of a further connection.
    fn network(&mut self, mark: Mark, what: &What) {
        match what {
            What::Opening(Opening::Dialing { client, server }) => {
                self.leg_mut(mark.leg).dialing(mark, *client, *server);
            }
            What::Opening(Opening::Joined { client, server }) => self.leg_mut(mark.leg).joined(mark, *client, *server),
            What::Opened => self.leg_mut(mark.leg).opened(mark),
            What::Path(sample) => _ = self.leg_mut(mark.leg).sampled(mark, sample),
            What::Sign(sign) => self.leg_mut(mark.leg).shown(mark, sign),
            What::Passed { from, len } => self.leg_mut(mark.leg).passed(mark, *from, *len),
            What::Missing { from, len, why } => self.leg_mut(mark.leg).missing(mark, *from, *len, *why),
            What::Closed { from, how } => self.leg_mut(mark.leg).closed(mark, *from, *how),
            _ => {}
        }
    }
}

/// Keeps a sighting where there is room; else tells that there is one more.
fn keep<T>(kept: &mut Vec<Sighting<T>>, mark: Mark, what: T) -> u64 {
    let has_room = kept.len() < KEPT;
    if has_room {
        kept.push(Sighting { what, mark });
    }
    u64::from(!has_room)
}

impl Timeline {
    /// Whether the client goes to a gateway, and neither was RDP asked for in a tunnel nor did anybody behind it say a word.
    pub fn is_before_channel(&self) -> bool {
        let Some(gateway) = &self.facts.gateway else { return false };
        let is_asked = self.facts.request.is_some() && self.last_phase() >= PhaseName::Negotiation;
        let has_begun = is_asked || self.facts.confirm.is_some() || self.facts.not_rdp.is_some() || self.is_active();
        !has_begun && (self.last_phase() < PhaseName::Negotiation || gateway.carried[Side::Server as usize] == 0)
    }

    /// Takes what concerns the connections to a gateway alone: true where nothing else is to be made of it.
    pub(super) fn at_gateway(&mut self, mark: Mark, event: &Event) -> bool {
        let number = event.flow.session;
        let first = *self.connection.get_or_insert(number);
        match &event.what {
            What::Outer(what) if number == first => self.outer_tls(mark, what),
            What::Gateway(event) => self.in_gateway(mark, event),
            _ if number == first => return false,
            what => return self.further(mark, number, what),
        }
        true
    }

    /// Something of a further connection: what the network shows of it is its own.
    fn further(&mut self, mark: Mark, number: u32, what: &What) -> bool {
        let Some(gateway) = &mut self.facts.gateway else { return false };
        let place = gateway.place(number);
        match what {
            What::Opening(_) | What::Opened | What::Path(_) | What::Sign(_) => {
                gateway.connections[place].network(mark, what);
            }
            What::Passed { from, .. } | What::Missing { from, .. } => {
                gateway.connections[place].network(mark, what);
                self.spoken(mark, *from);
            }
            What::Closed { from, how } => {
                gateway.connections[place].network(mark, what);
                self.closed_in(mark, *from, *how);
            }
            What::Outer(_) => {}
            // Of the RDP connection in the tunnel: which of its halves it came by does not matter.
            _ => return false,
        }
        true
    }

    /// The tunnel, or one of its connections, ends: the first end of any is the session's.
    fn closed_in(&mut self, mark: Mark, from: Option<Side>, how: Ending) {
        let relay_acts = from.is_some_and(|side| !first_hand(mark.leg, side));
        if self.end.is_none() && !relay_acts {
            self.ended(mark, from, how);
        }
    }

    fn outer_tls(&mut self, mark: Mark, what: &What) {
        match what {
            What::TlsEstablished { basis } if self.is_gateway_secured() => self.gateway_secured(mark, *basis),
            What::Alert { level, description, .. } if is_fatal(*level, *description) => {
                self.end_phase(PhaseName::GatewayTls, mark, Outcome::Failed, Basis::Seen);
            }
            What::SealedAlert { basis, .. } => {
                self.end_phase(PhaseName::GatewayTls, mark, Outcome::Failed, *basis);
            }
            What::NotTls { from, .. } if first_hand(mark.leg, *from) => {
                self.end_phase(PhaseName::GatewayTls, mark, Outcome::Failed, Basis::Seen);
            }
            What::Record { from: Side::Server, .. } if first_hand(mark.leg, Side::Server) && !self.opens(mark.leg) => {
                self.unread(mark);
            }
            _ => {}
        }
    }

    /// Whether all records of TLS with the gateway were opened so far on this leg: then the next will be. A ticket that comes
    /// before the first request is no answer to it.
    fn opens(&self, leg: LegName) -> bool {
        let tls = self.facts.gateway.as_ref().map_or(&[][..], |gateway| gateway.tls());
        let decrypted = tls.iter().find(|tls| tls.leg == leg).and_then(|tls| tls.decrypted.as_ref());
        decrypted.is_some_and(|decrypted| decrypted.sealed.is_empty())
    }

    fn gateway_secured(&mut self, mark: Mark, basis: Basis) {
        if self.end_phase(PhaseName::GatewayTls, mark, Outcome::Done, basis) {
            self.next = Some((PhaseName::GatewayHttp, mark, Basis::Seen));
        }
    }

    /// The gateway answers in TLS that nobody opens: of what stands there only turns and bytes can be told.
    fn unread(&mut self, mark: Mark) {
        let Some(gateway) = self.facts.gateway.as_ref().filter(|gateway| !gateway.is_read()) else { return };
        let is_session = gateway.sealed.is_session();
        if let Some((PhaseName::GatewayHttp, ..)) = self.next {
            self.begin_next(mark);
            self.phases.iter_mut().rev().take(1).for_each(|phase| phase.basis = Basis::Inferred);
        }
        if is_session && self.last_phase() == PhaseName::GatewayHttp {
            self.carry(mark);
        }
    }

    /// So much passed that there must be a session in the tunnel.
    fn carry(&mut self, mark: Mark) {
        self.step_as(PhaseName::Active, mark, Basis::Inferred);
        self.phases.iter_mut().rev().take(1).for_each(|phase| phase.sureness = Some(Sureness::Possible));
    }

    /// Whether `other`, which nobody reads either, may be the second half of this tunnel: both came through TLS, and it began
    /// right behind.
    pub(crate) fn is_half_of(&self, other: &Timeline) -> bool {
        let is_single = |timeline: &Timeline| {
            let gateway = timeline.facts.gateway.as_ref();
            timeline.is_unread()
                && gateway.is_some_and(|one| {
                    one.connections.len() == 1 && one.first(|tls| tls.established.as_ref()).is_some()
                })
        };
        let (began, then) = (self.began.unwrap_or_default(), other.began.unwrap_or_default());
        is_single(self) && is_single(other) && !self.is_active() && then <= self.last && then.since(began) <= TOGETHER
    }

    /// Takes a further connection of the same client that nobody reads either: the two are the halves of a tunnel, perhaps.
    pub(crate) fn take_companion(&mut self, other: Timeline) {
        let mark = Mark { at: self.last, frame: 0, leg: self.last_leg() };
        let is_open = self.last_phase() == PhaseName::GatewayHttp;
        let (Some(own), Some(theirs)) = (&mut self.facts.gateway, other.facts.gateway) else { return };
        for side in [0, 1] {
            own.sealed.bytes[side] += theirs.sealed.bytes[side];
        }
        own.sealed.turns += theirs.sealed.turns;
        // Whichever ended first ended the tunnel.
        if let Some(end) = other.end.filter(|end| self.end.is_none_or(|own| end.mark.at < own.mark.at)) {
            self.end = Some(End { phase: self.end.map_or(end.phase, |own| own.phase), ..end });
        }
        own.connections
            .extend(theirs.connections.into_iter().map(|one| Connection { legs: other.legs.clone(), ..one }));
        if own.sealed.carries() && is_open {
            // Each half by itself seemed to come to nothing.
            self.phases.iter_mut().rev().take(1).for_each(|phase| phase.outcome = Outcome::Done);
            self.carry(mark);
            self.end_phase(PhaseName::Active, mark, Outcome::Done, Basis::Inferred);
        }
    }

    /// The connection to the gateway as if it were the session's own: its TLS can be judged as any.
    pub fn outer(&self) -> Timeline {
        let mut outer = self.clone();
        let first = outer.facts.gateway.take().and_then(|gateway| gateway.connections.into_iter().next());
        if let Some(first) = first {
            (outer.facts.tls, outer.facts.partial) = (first.tls, first.partial);
            outer.facts.malformed = first.malformed;
        }
        outer
    }

    /// Whether nothing was read of what stands in TLS with a gateway.
    pub fn is_unread(&self) -> bool {
        self.facts.gateway.as_ref().is_some_and(|gateway| !gateway.is_read())
    }

    /// Whether TLS with the gateway is agreed on wherever it has to be.
    fn is_gateway_secured(&self) -> bool {
        let tls = self.facts.gateway.as_ref().map_or(&[][..], |gateway| gateway.tls());
        let done = |leg| tls.iter().any(|tls| tls.leg == leg && tls.established.is_some());
        !self.facts.is_intercepted() || done(LegName::Front) && done(LegName::Back)
    }

    fn in_gateway(&mut self, mark: Mark, event: &GatewayEvent) {
        match event {
            GatewayEvent::Request(request) if first_hand(mark.leg, Side::Client) => self.asked(mark, request),
            GatewayEvent::Response(response) if first_hand(mark.leg, Side::Server) => self.answered(mark, response),
            GatewayEvent::Tunnel { from, message } if first_hand(mark.leg, *from) => self.tunnel(mark, *from, message),
            GatewayEvent::WebSocketClose { from, .. } if first_hand(mark.leg, *from) => {
                self.closed_in(mark, Some(*from), Ending::Fin);
            }
            GatewayEvent::Request(_)
            | GatewayEvent::Response(_)
            | GatewayEvent::Tunnel { .. }
            | GatewayEvent::WebSocketClose { .. }
            | GatewayEvent::Rpc { .. }
            | GatewayEvent::Carried { .. }
            | GatewayEvent::Kdc { .. }
            | GatewayEvent::Half { .. } => {}
        }
    }

    fn asked(&mut self, mark: Mark, request: &HttpRequest) {
        if request.transport == Transport::Connect {
            return;
        }
        // TLS stands, also where that could not be seen; and HTTP may come without it.
        self.end_phase(PhaseName::GatewayTls, mark, Outcome::Done, Basis::Inferred);
        match self.next {
            Some((PhaseName::GatewayHttp, ..)) => self.begin_next(mark),
            _ if self.last_phase() < PhaseName::GatewayHttp => {
                self.begin_phase(PhaseName::GatewayHttp, mark, Basis::Seen)
            }
            _ => {}
        }
    }

    /// The first answer ends the request's phase. What comes behind a demand to authenticate is of that.
    fn answered(&mut self, mark: Mark, response: &HttpResponse) {
        let accepts = response.status == SWITCHING_PROTOCOLS || response.status / 100 == 2;
        if accepts && response.transport.is_tunnel() {
            // A connection that takes another's place in the tunnel: that one's end was not the tunnel's.
            self.end = None;
        }
        let phase = self.last_phase();
        match response.transport {
            Transport::Connect if accepts => {}
            Transport::Connect => _ = self.end_phase(PhaseName::GatewayTls, mark, Outcome::Failed, Basis::Seen),
            Transport::KdcProxy | Transport::Other => {}
            Transport::HttpIn | Transport::RpcIn if accepts => {}
            _ if response.status == UNAUTHORIZED => self.step(PhaseName::GatewayAuth, mark),
            _ if accepts => {
                if phase < PhaseName::GatewayTunnel {
                    self.step(PhaseName::GatewayTunnel, mark);
                }
            }
            _ => _ = self.end_phase(phase, mark, Outcome::Failed, Basis::Seen),
        }
    }

    fn tunnel(&mut self, mark: Mark, from: Side, message: &TunnelMessage) {
        match message {
            TunnelMessage::HandshakeResponse { error, .. } | TunnelMessage::ExtendedAuth { error, .. }
                if *error != 0 =>
            {
                self.end_phase(PhaseName::GatewayTunnel, mark, Outcome::Failed, Basis::Seen);
            }
            TunnelMessage::TunnelResponse { status, .. } => {
                self.granted(mark, PhaseName::GatewayTunnel, *status, PhaseName::GatewayAuthorization);
            }
            TunnelMessage::TunnelAuthorizeResponse { error, .. } => {
                self.granted(mark, PhaseName::GatewayAuthorization, *error, PhaseName::GatewayChannel);
            }
            TunnelMessage::ChannelResponse { error, .. } => {
                self.granted(mark, PhaseName::GatewayChannel, *error, PhaseName::Negotiation);
            }
            // A gateway that never created or authorized is not one that was left out: what it skips, it has granted.
            TunnelMessage::ChannelCreate { .. } => self.step(PhaseName::GatewayChannel, mark),
            TunnelMessage::Close { .. } => self.closed_in(mark, Some(from), Ending::Fin),
            TunnelMessage::HandshakeRequest { .. }
            | TunnelMessage::HandshakeResponse { .. }
            | TunnelMessage::ExtendedAuth { .. }
            | TunnelMessage::TunnelCreate { .. }
            | TunnelMessage::TunnelAuthorize { .. }
            | TunnelMessage::ServiceMessage { .. }
            | TunnelMessage::Reauthenticate
            | TunnelMessage::KeepAlive
            | TunnelMessage::CloseResponse { .. }
            | TunnelMessage::Unknown { .. } => {}
        }
    }

    /// The gateway grants a step, or does not.
    fn granted(&mut self, mark: Mark, phase: PhaseName, result: u32, next: PhaseName) {
        if result == 0 {
            self.step(next, mark);
        } else {
            self.end_phase(phase, mark, Outcome::Failed, Basis::Seen);
        }
    }

    /// Whether the gateway ended a tunnel in use: it closes it with a status that is no farewell, or is gone without a word,
    /// neither of its own nor of the server behind it.
    pub(super) fn is_cut_by_gateway(&self) -> bool {
        let Some(gateway) = self.facts.gateway.as_ref().filter(|gateway| gateway.has_channel()) else { return false };
        match gateway.leave() {
            // What the server behind it has announced is no cut.
            Some((Side::Server, status)) => status != 0 && status != GRACEFUL && !self.is_announced(),
            Some((Side::Client, _)) => false,
            None => {
                let left = self.end.is_some_and(|end| end.from == Some(Side::Server) && end.mark.leg != LegName::Front);
                left && !self.is_announced() && !self.is_goodbye_said()
            }
        }
    }
}
