//! The third noun: how long each step took, on which leg, and who was being waited for. A fold over events.
//!
//! A relay shows every message twice, once on each leg. A phase edge is where a message was *first* seen: the client's
//! on the front leg, the server's on the back leg.

pub mod coverage;
mod ending;
pub mod facts;
pub mod frames;
pub mod gateway;
pub mod headers;
mod impaired;
mod inferred;
pub mod inner;
mod intercepted;
pub mod ladder;
pub mod lapsed;
pub mod leg;
pub mod outstanding;
pub mod phase;
pub mod said;
mod sealed;
pub mod series;
pub mod transit;
mod unsealed;
pub mod wait;

use std::net::IpAddr;
use std::time::Duration;

use crate::event::{Basis, Event, McsPdu, What};
use crate::observation::{Absence, Ending, Leg as LegName, Opening, Side};
use crate::time::Timestamp;
use facts::{Facts, Mark};
use inferred::{Inference, Overhead};
use ladder::Ladder;
use leg::Leg;
use outstanding::Outstanding;
use phase::{Outcome, Phase, PhaseName, Waited};
use wait::{Spoke, Wait};

pub use inferred::{Inferred, LastWords, Progress, Sureness};

/// The port of Remote Desktop.
pub const RDP_PORT: u16 = 3389;
/// A server that closes after such a silence, and without a word, has a timer.
const QUIET: Duration = Duration::from_secs(3);
/// Boxes on the way forget connections after four minutes of silence at the earliest.
const IDLE: Duration = Duration::from_secs(200);
/// Security Exchange PDU flag of the basic security header, \[MS-RDPBCGR\] 2.2.8.1.1.2.1.
const SEC_EXCHANGE_PKT: u16 = 0x0001;
/// Client Info PDU.
const SEC_INFO_PKT: u16 = 0x0040;
/// Licensing PDU.
const SEC_LICENSE_PKT: u16 = 0x0080;

/// One session, folded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// When the first thing was seen.
    pub began: Option<Timestamp>,
    /// When the last thing was seen.
    pub last: Timestamp,
    /// Name and port that a relay was asked to reach.
    pub target: Option<(String, u16)>,
    /// The name's lookup: when it was answered, addresses, error.
    pub resolution: Option<Resolution>,
    /// The legs, in the order in which they were seen.
    pub legs: Vec<Leg>,
    /// What was learned.
    pub facts: Facts,
    /// The messages, one by one.
    pub ladder: Ladder,
    /// The phases, in the order in which they began.
    pub phases: Vec<Phase>,
    /// How TCP ended, and who began it; `None` while it stands.
    pub end: Option<End>,
    inference: Inference,
    edges: Vec<Edge>,
    /// The phase whose turn it is, and since when.
    next: Option<(PhaseName, Mark, Basis)>,
    /// Where the connection sequence must have been over, told from sizes and turns.
    ripe: Option<Ripe>,
    /// Payload of client and server since then.
    sustained: [u64; 2],
    /// The server's last message of licensing, told from sizes, and what its phase had waited for by then.
    licensed: Option<Ripe>,
    /// An idle gap of the running session, and when it was over.
    pub idle: Option<(Duration, Timestamp)>,
    /// What the client says in the running session and the server does not answer.
    pub unanswered: Option<Unanswered>,
    /// Times for which one side was waited for long, until the session was active, and the one at its end.
    pub waits: Vec<Wait>,
    /// How often an answer came after something had been sent again: loss that was mended.
    pub mended: u32,
    /// The last payload that was first seen: what a gap is measured from.
    spoke: Option<Spoke>,
    /// What the suite adds to a plaintext that was asked for last, by its version and number: a name tells, and there are many
    /// records.
    overhead: ((u16, u16), Option<Overhead>),
    /// The first connection, as whoever made the observations counts it.
    connection: Option<u32>,
    /// Whether whoever read it knows that its endpoint is meant for Remote Desktop, whatever was said there.
    pub is_meant: bool,
}

/// Where the connection sequence must have been over, and what its phase had waited for by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ripe {
    mark: Mark,
    waited: Waited,
}

/// What one side has said since the other one was last heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// The first of it.
    pub since: Mark,
    /// The last of it.
    pub until: Timestamp,
    /// How often: what comes within a tenth of a second came together.
    pub times: u64,
}

/// A name's lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Where it began.
    pub began: Mark,
    /// When it was answered.
    pub ended: Option<Timestamp>,
    /// The addresses, in the resolver's order.
    pub addresses: Vec<IpAddr>,
    /// What the resolver said went wrong.
    pub error: Option<String>,
}

/// How TCP ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The place.
    pub mark: Mark,
    /// The side of that leg that acted; `None` where nobody did.
    pub from: Option<Side>,
    /// How.
    pub how: Ending,
    /// The last phase that had begun.
    pub phase: PhaseName,
    /// Whether nothing was ever sent: this machine had no way to the server.
    pub local: bool,
    /// Whether it is a FIN that is not in the capture: the place is that of what counts it.
    pub unseen: bool,
    /// Since anything had passed on any leg, or since the session began.
    pub silence: Duration,
    /// What was outstanding then.
    pub outstanding: Option<Outstanding>,
    /// Of a session that is read as if its client had given up: how the watching ended in truth.
    pub stopped: Option<Ending>,
}

impl End {
    /// Whether it was neither side that ended it: the recording ends, or the relay resets both.
    pub fn is_cut_short(&self) -> bool {
        let by_relay = self.from.is_some_and(|side| !first_hand(self.mark.leg, side));
        self.how == Ending::Cut || self.how == Ending::Reset && by_relay
    }
}

/// A phase begins or ends: what a person watching wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Where.
    pub mark: Mark,
    /// Which phase.
    pub phase: PhaseName,
    /// How it stands now.
    pub outcome: Outcome,
    /// How long it took, where it ended.
    pub took: Duration,
    /// Seen or inferred.
    pub basis: Basis,
}

impl Timeline {
    /// Takes one event.
    pub fn push(&mut self, event: &Event) {
        let mark = Mark::of(event);
        self.began = self.began.or(Some(event.at));
        self.last = self.last.max(event.at);
        let asked = self.unanswered_request().filter(|_| self.is_active());
        let is_late = self.is_over() && ending::is_last_word(&event.what);
        let is_misplaced = self.is_misplaced(mark, &event.what);
        if !(is_late || is_misplaced) {
            self.facts.push(event);
        }
        if let Some(asked) = asked.filter(|asked| self.unanswered_request() != Some(*asked)) {
            self.owed_by_side(&asked, mark, true);
        }
        self.ladder.push(event, self.is_active(), self.is_unsealed());
        if self.at_gateway(mark, event) {
            return;
        }
        match &event.what {
            What::Opening(opening) => self.opening(mark, opening),
            What::Opened => self.opened(mark),
            What::Path(sample) => self.path(mark, sample),
            What::Sign(sign) => self.shown(mark, sign),
            What::Interception(step) => self.intercepted(mark, event.flow.session, step),
            What::Passed { from, len } => {
                self.leg_mut(mark.leg).passed(mark, *from, *len);
                self.spoken(mark, *from);
            }
            What::Missing { from, len, why } => {
                self.leg_mut(mark.leg).missing(mark, *from, *len, *why);
                if why.is_loss() && *why != Absence::Discarded {
                    self.inference.lose();
                }
                self.spoken(mark, *from);
            }
            What::Closed { from, how } => self.closed(mark, *from, *how),
            What::ProxyHeader(_) | What::ConnectionRequest(_) => {}
            What::ConnectionConfirm(_) => self.confirmed(mark),
            What::NotRdp { .. } if is_misplaced => {}
            What::NegotiationFailure { .. } | What::X224Refused { .. } | What::NotRdp { .. } => {
                self.end_phase(PhaseName::Negotiation, mark, Outcome::Failed, Basis::Seen);
            }
            What::NotTls { from, .. } if first_hand(mark.leg, *from) => {
                if *from == Side::Client {
                    self.begin_next(mark);
                }
                self.end_phase(PhaseName::Tls, mark, Outcome::Failed, Basis::Seen);
            }
            What::Mcs { from, pdu } => self.mcs(mark, *from, *pdu),
            What::Unsealed => self.unsealed(),
            What::Credssp { from, request } => self.credssp(mark, *from, request),
            What::EarlyAuthorization { result } => self.authorized(mark, *result),
            What::RdsaadResult { code } => self.admitted(mark, *code),
            What::Rdp { from, pdu } => self.rdp(mark, *from, pdu),
            What::Alert { level, description, .. } => {
                if facts::is_fatal(*level, *description) {
                    self.end_phase(PhaseName::Tls, mark, Outcome::Failed, Basis::Seen);
                }
            }
            What::SealedAlert { basis, .. } => {
                self.end_phase(PhaseName::Tls, mark, Outcome::Failed, *basis);
            }
            What::TlsEstablished { basis } => self.secured(mark, *basis),
            What::Record { from, kind, len } => self.sealed(mark, *from, *kind, *len),
            What::ClientHello(_) => {
                self.confirmed_unseen(mark);
                self.begin_next(mark);
            }
            // It goes on, with what cannot be read.
            What::Malformed { from: Side::Client, layer: "tls handshake" | "mcs" | "gcc", .. }
                if first_hand(mark.leg, Side::Client) =>
            {
                self.begin_next(mark);
            }
            What::Outer(_)
            | What::Gateway(_)
            | What::Impairment(_)
            | What::Lapse(_)
            | What::Kdc(_)
            | What::Account(_)
            | What::NotTls { .. }
            | What::HelloRetryRequest
            | What::ServerHello(_)
            | What::EncryptedExtensions { .. }
            | What::Certificates { .. }
            | What::CertificateRequest
            | What::ServerHelloDone
            | What::ClientKeyExchange
            | What::ChangeCipherSpec { .. }
            | What::Decrypted { .. }
            | What::Undecrypted { .. }
            | What::RdstlsResult { .. }
            | What::ClientSettings(_)
            | What::ServerSettings(_)
            | What::Partial { .. }
            | What::Malformed { .. } => {}
        }
    }

    /// The input is over: a session whose TCP still stands was cut.
    pub fn finish(&mut self) {
        if self.end.is_none() && self.began.is_some() {
            let mark = Mark { at: self.last, frame: self.last_frame(), leg: self.last_leg() };
            if self.is_active() {
                self.charge_outstanding(mark);
            }
            self.legs.iter_mut().for_each(Leg::stands);
            self.end = Some(self.ended_by(mark, None, Ending::Cut));
        }
        for phase in self.phases.iter_mut().filter(|phase| phase.outcome == Outcome::Open) {
            phase.ended = self.last;
        }
    }

    /// The phase edges since the last call.
    pub fn take_edges(&mut self) -> Vec<Edge> {
        std::mem::take(&mut self.edges)
    }

    /// The first connection that it is made of, as whoever made the observations counts it.
    pub fn connection(&self) -> Option<u32> {
        self.connection
    }

    /// A leg by its name.
    pub fn leg(&self, name: LegName) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.name == name)
    }

    /// The leg on which the client is seen first-hand.
    pub fn client_leg(&self) -> Option<&Leg> {
        self.leg(LegName::Front).or_else(|| self.leg(LegName::Only))
    }

    /// The leg on which the server is seen first-hand.
    pub fn server_leg(&self) -> Option<&Leg> {
        self.leg(LegName::Back).or_else(|| self.leg(LegName::Only))
    }

    /// Whether a relay saw it, with two legs.
    pub fn is_relayed(&self) -> bool {
        self.leg(LegName::Front).is_some()
    }

    /// A phase by its name; of `tcp`, the server's leg.
    pub fn phase(&self, name: PhaseName) -> Option<&Phase> {
        self.phases.iter().rev().find(|phase| phase.name == name)
    }

    /// Whether somebody came to an endpoint of Remote Desktop and did not say anything.
    pub fn is_knock(&self) -> bool {
        self.meant_leg().is_some_and(|leg| leg.bytes[0] == 0)
    }

    /// The connection in a capture, where it is with an endpoint of Remote Desktop.
    fn meant_leg(&self) -> Option<&Leg> {
        let is_port = |leg: &Leg| leg.server.is_some_and(|server| server.port() == RDP_PORT);
        self.leg(LegName::Only).filter(|leg| self.is_meant || is_port(leg))
    }

    /// Whether somebody came to an endpoint of Remote Desktop with a Connection Request that cannot be read.
    pub fn is_malformed_request(&self) -> bool {
        // One of which a part is not here is no malformed one.
        let is_whole = self.meant_leg().is_some_and(|leg| leg.missing[Side::Client as usize] == 0);
        let malformed = self.facts.malformed.iter().map(|seen| (seen.what.0, seen.what.1));
        let partial = self.facts.partial.iter().map(|seen| (seen.what.0, "x224"));
        is_whole && malformed.chain(partial).any(|of| matches!(of, (Side::Client, "tpkt" | "x224")))
    }

    /// The last phase that began.
    pub fn last_phase(&self) -> PhaseName {
        self.phases.last().map_or(PhaseName::Tcp, |phase| phase.name)
    }

    /// Whether nobody knows when anything was: its packets have no times. Nothing then lasted, and nothing was at once.
    pub fn is_untimed(&self) -> bool {
        self.began == Some(Timestamp::at(0))
    }

    /// Whether the session became active.
    pub fn is_active(&self) -> bool {
        self.phase(PhaseName::Active).is_some()
    }

    /// How far the connection sequence got behind encryption.
    pub fn sealed_progress(&self) -> Progress {
        self.inference.turns().progress(self.facts.selected().unwrap_or_default())
    }

    /// What sizes and order tell beside the phases; never *seen*.
    pub fn inferred(&self) -> Inferred {
        self.inference.told()
    }

    /// Whether there is something behind TLS that is inferred, not read.
    pub fn is_inferred(&self) -> bool {
        !self.is_unsealed() && self.inference.has_begun()
    }

    /// Whether sealed records stopped to fit the connection sequence: the last phase is the last that could be told.
    pub fn is_unsure(&self) -> bool {
        self.inference.is_lost() && !self.is_unsealed() && !self.is_active()
    }

    /// What this side said last, by the lengths of its last sealed records.
    pub fn last_words(&self, side: Side) -> LastWords {
        self.inference.last_words(side)
    }

    /// Whether the client leaves in order right behind a long message of the server that comes where a redirection does: no
    /// more can be told of it without plaintext.
    pub fn may_be_redirected(&self) -> bool {
        use PhaseName::{AutoDetection, Capabilities, Licensing, Multitransport, SecureSettings};
        let phase =
            matches!(self.last_phase(), SecureSettings | AutoDetection | Licensing | Multitransport | Capabilities);
        let leaves = self.end.is_some_and(|end| end.from == Some(Side::Client) && end.silence < QUIET);
        let is_polite = self.end.is_some_and(|end| end.how == Ending::Fin) || self.last_words(Side::Client).alert;
        self.is_inferred() && phase && leaves && is_polite && self.last_words(Side::Server).long
    }

    fn leg_mut(&mut self, name: LegName) -> &mut Leg {
        let found = self.legs.iter().position(|leg| leg.name == name);
        let place = found.unwrap_or_else(|| {
            self.legs.push(Leg::new(name));
            self.legs.len() - 1
        });
        &mut self.legs[place]
    }

    fn opening(&mut self, mark: Mark, opening: &Opening) {
        match opening {
            Opening::Target { name, port } => {
                self.leg_mut(mark.leg);
                self.target = Some((name.clone(), *port));
            }
            Opening::Gateway | Opening::Named { .. } | Opening::Naming => {}
            Opening::Resolving => {
                self.resolution = Some(Resolution { began: mark, ended: None, addresses: Vec::new(), error: None });
                self.begin_phase(PhaseName::NameResolution, mark, Basis::Seen);
            }
            Opening::Resolved { addresses, error } => self.resolved(mark, addresses, error.as_deref()),
            Opening::Dialing { client, server } => {
                self.leg_mut(mark.leg).dialing(mark, *client, *server);
                self.dialing(mark);
            }
            Opening::Joined { client, server } => {
                self.leg_mut(mark.leg).joined(mark, *client, *server);
                self.opened(mark);
            }
        }
    }

    fn resolved(&mut self, mark: Mark, addresses: &[IpAddr], error: Option<&str>) {
        let began = self.resolution.as_ref().map_or(mark, |resolution| resolution.began);
        let (addresses, error) = (addresses.to_vec(), error.map(str::to_owned));
        let outcome = if addresses.is_empty() { Outcome::Failed } else { Outcome::Done };
        self.resolution = Some(Resolution { began, ended: Some(mark.at), addresses, error });
        self.end_phase(PhaseName::NameResolution, mark, outcome, Basis::Seen);
    }

    /// A next attempt reopens the leg's phase: an address that did not answer was not the end.
    fn dialing(&mut self, mark: Mark) {
        if self.facts.is_redialed() {
            return;
        }
        let known = |phase: &&mut Phase| phase.name == PhaseName::Tcp && phase.leg == mark.leg;
        match self.phases.iter_mut().find(known) {
            Some(phase) => {
                phase.outcome = Outcome::Open;
                let edge = edge_of(phase, mark);
                self.edges.push(edge);
            }
            None => self.begin_phase(PhaseName::Tcp, mark, Basis::Seen),
        }
        if self.end.is_some_and(|end| end.mark.leg == mark.leg && end.phase == PhaseName::Tcp) {
            self.end = None;
        }
    }

    fn opened(&mut self, mark: Mark) {
        self.leg_mut(mark.leg).opened(mark);
        if self.facts.is_redialed() {
            return;
        }
        self.end_tcp(mark, Outcome::Done);
        let stands = |name| self.leg(name).is_some_and(|leg| leg.opened.is_some());
        if stands(LegName::Only) || stands(LegName::Front) && stands(LegName::Back) {
            // A client that has spoken to the relay already now waits for the server.
            let speaker = if self.spoke.is_some() { Side::Client } else { Side::Server };
            self.spoke = Some(self.spoke_now(speaker, mark.at));
            let is_direct = self.facts.gateway.is_none();
            let first = if is_direct { PhaseName::Negotiation } else { PhaseName::GatewayTls };
            self.begin_phase(first, mark, Basis::Seen);
        }
    }

    fn end_tcp(&mut self, mark: Mark, outcome: Outcome) {
        let open = |phase: &&mut Phase| {
            phase.name == PhaseName::Tcp && phase.leg == mark.leg && phase.outcome == Outcome::Open
        };
        let Some(phase) = self.phases.iter_mut().find(open) else { return };
        (phase.ended, phase.outcome) = (mark.at, outcome);
        phase.waited.retransmission = phase.waited.retransmission.min(phase.duration());
        phase.waited.network = phase.duration() - phase.waited.retransmission;
        let edge = edge_of(phase, mark);
        self.edges.push(edge);
    }

    fn confirmed(&mut self, mark: Mark) {
        if !self.end_phase(PhaseName::Negotiation, mark, Outcome::Done, Basis::Seen) {
            return;
        }
        let tls = self.facts.selected().is_some_and(|selected| selected.0 != 0);
        self.next = Some((if tls { PhaseName::Tls } else { PhaseName::BasicSettings }, mark, Basis::Seen));
    }

    /// A phase whose turn it is begins when the client speaks, and then counts from the end of the one before it:
    /// what the client did not begin, it did not fail in.
    fn begin_next(&mut self, now: Mark) {
        let Some((name, since, basis)) = self.next.take() else { return };
        self.begin_phase(name, since, basis);
        let rtt = self.client_leg().and_then(Leg::rtt).unwrap_or_default();
        let gap = now.at.since(since.at);
        let held = self.held(Side::Server, since.at, now.at);
        if let Some(phase) = self.phases.last_mut() {
            phase.waited.impairment = held;
            phase.waited.network = (gap - held).min(rtt);
            phase.waited.client = gap - held - phase.waited.network;
        }
    }

    /// Standard RDP security: the MCS headers are in clear, and the security headers' flags even where what follows
    /// them is encrypted.
    fn mcs(&mut self, mark: Mark, from: Side, pdu: McsPdu) {
        if !first_hand(mark.leg, from) || self.is_active() {
            return;
        }
        match pdu {
            McsPdu::ConnectInitial => {
                self.begin_next(mark);
                if self.is_unsealed() {
                    self.step(PhaseName::BasicSettings, mark);
                }
            }
            McsPdu::ConnectResponse { result } => {
                let outcome = if result == 0 { Outcome::Done } else { Outcome::Failed };
                self.end_phase(PhaseName::BasicSettings, mark, outcome, Basis::Seen);
            }
            McsPdu::ErectDomainRequest | McsPdu::AttachUserRequest => self.step(PhaseName::ChannelConnection, mark),
            McsPdu::AttachUserConfirm | McsPdu::ChannelJoinRequest | McsPdu::ChannelJoinConfirm { .. } => {}
            McsPdu::SendData { security_flags } if self.phase(PhaseName::Licensing).is_none() => {
                self.secure_data(mark, from, security_flags);
            }
            McsPdu::SendData { .. } | McsPdu::FastPath => self.licensed(mark, from),
            McsPdu::DisconnectProviderUltimatum { .. } => {
                self.end_phase(self.last_phase(), mark, Outcome::Failed, Basis::Seen);
            }
        }
    }

    fn secure_data(&mut self, mark: Mark, from: Side, flags: u16) {
        match (from, flags) {
            (Side::Client, flags) if flags & SEC_EXCHANGE_PKT != 0 => self.step(PhaseName::SecurityCommencement, mark),
            (Side::Client, flags) if flags & SEC_INFO_PKT != 0 => self.step(PhaseName::SecureSettings, mark),
            (Side::Server, flags) if flags & SEC_LICENSE_PKT != 0 => self.step(PhaseName::Licensing, mark),
            (Side::Client | Side::Server, _) => {}
        }
    }

    /// After the licence come capabilities and finalization: one turn, and the session is active.
    fn licensed(&mut self, mark: Mark, from: Side) {
        self.inference.turn(from);
        match (from, self.last_phase()) {
            (Side::Server, PhaseName::Licensing) => self.step(PhaseName::Capabilities, mark),
            (Side::Client, PhaseName::Capabilities) => self.step(PhaseName::Finalization, mark),
            (Side::Server, PhaseName::Finalization) => self.activate(self.ripe_at(mark)),
            (Side::Client | Side::Server, _) => {}
        }
    }

    /// Ends the phase that is open and begins the next.
    fn step(&mut self, next: PhaseName, mark: Mark) {
        self.step_as(next, mark, Basis::Seen);
    }

    fn step_as(&mut self, next: PhaseName, mark: Mark, basis: Basis) {
        // Phases only go forward: a peer that repeats itself begins none.
        if next <= self.last_phase() {
            return;
        }
        self.end_phase(self.last_phase(), mark, Outcome::Done, basis);
        self.begin_phase(next, mark, basis);
    }

    fn begin_phase(&mut self, name: PhaseName, mark: Mark, basis: Basis) {
        let (leg, at, outcome, waited) = (mark.leg, mark.at, Outcome::Open, Waited::default());
        let phase = Phase { name, leg, began: at, ended: at, outcome, basis, sureness: None, waited, turns: 0 };
        self.edges.push(edge_of(&phase, mark));
        self.phases.push(phase);
    }

    /// Ends the last phase if it is `name` and open. False where it is not.
    fn end_phase(&mut self, name: PhaseName, mark: Mark, outcome: Outcome, basis: Basis) -> bool {
        let Some(phase) = self.phases.last_mut().filter(|p| p.name == name && p.outcome == Outcome::Open) else {
            return false;
        };
        (phase.ended, phase.outcome, phase.leg) = (mark.at, outcome, mark.leg);
        phase.basis = phase.basis.max(basis);
        if name == PhaseName::NameResolution {
            phase.waited.network = phase.duration();
        }
        phase.sureness = (phase.basis == Basis::Inferred).then_some(self.inference.sureness());
        let edge = edge_of(phase, mark);
        self.edges.push(edge);
        true
    }

    fn closed(&mut self, mark: Mark, from: Option<Side>, how: Ending) {
        self.leg_mut(mark.leg).closed(mark, from, how);
        let dialing = self.leg(mark.leg).is_some_and(|leg| leg.opened.is_none());
        let relay_acts = from.is_some_and(|side| !first_hand(mark.leg, side));
        if dialing && !relay_acts {
            self.end_tcp(mark, Outcome::Failed);
        }
        match self.end {
            None => self.ended(mark, from, how),
            // A relay tells of an RST when what came before it is delivered: it may have come before a FIN of the other.
            Some(end) if mark.at < end.mark.at && how == Ending::Reset => {
                self.end = Some(End { phase: end.phase, ..self.ended_by(mark, from, how) });
            }
            Some(_) => {}
        }
    }

    fn ended(&mut self, mark: Mark, from: Option<Side>, how: Ending) {
        let by_client = from == Some(Side::Client) && first_hand(mark.leg, Side::Client);
        // Where the track is kept it knows better than turns how far the session got.
        if let (true, Some(ripe)) = (by_client, self.ripe.filter(|_| !self.inference.is_kept())) {
            self.activate(ripe);
        }
        self.charge_silence(mark);
        self.legs.iter_mut().for_each(Leg::stands);
        self.end = Some(self.ended_by(mark, from, how));
        let relay_acts = from.is_some_and(|side| !first_hand(mark.leg, side));
        let last = self.last_phase();
        if relay_acts {
            return;
        }
        // The client gives up while the server is still being dialed.
        if let Some(leg) = self.legs.iter().find(|leg| leg.opened.is_none()).map(|leg| leg.name) {
            self.end_tcp(Mark { leg, ..mark }, Outcome::Failed);
        }
        let good = self.is_active() && !self.ended_badly();
        let began = self.phases.last().map(|phase| phase.began).unwrap_or_default();
        if !self.is_active() && self.unseen_since(began).is_some() {
            // It may have gone on where nobody saw it.
            return;
        }
        let is_new = self.end_phase(last, mark, if good { Outcome::Done } else { Outcome::Failed }, Basis::Seen);
        if is_new && last == PhaseName::GatewayHttp && self.is_unread() {
            // It may be half of a tunnel that fared well: that is known when all connections are over.
            self.edges.pop();
        }
    }

    fn ended_by(&self, mark: Mark, from: Option<Side>, how: Ending) -> End {
        let spoke = self.legs.iter().flat_map(|leg| leg.spoke).flatten().map(|spoke| spoke.at).max();
        // Of a tunnel with two connections one side may speak on the other.
        let spoke = spoke.max(self.spoke.filter(|_| self.facts.gateway.is_some()).map(|spoke| spoke.at));
        let since = spoke.or(self.phases.last().map(|phase| phase.began)).or(self.began).unwrap_or(mark.at);
        let local = self.leg(mark.leg).is_some_and(Leg::is_local);
        let (phase, silence) = (self.last_phase(), mark.at.since(since));
        let unseen = how == Ending::Fin && self.leg(mark.leg).is_some_and(|leg| leg.is_fin_unseen(mark, from));
        End { mark, from, how, phase, local, unseen, silence, outstanding: self.owed(), stopped: None }
    }

    fn last_frame(&self) -> u64 {
        self.legs.iter().flat_map(|leg| leg.spoke).flatten().map(|mark| mark.frame).max().unwrap_or(0)
    }

    fn last_leg(&self) -> LegName {
        self.legs.last().map_or(LegName::Only, |leg| leg.name)
    }
}

fn edge_of(phase: &Phase, mark: Mark) -> Edge {
    Edge { mark, phase: phase.name, outcome: phase.outcome, took: phase.duration(), basis: phase.basis }
}

/// Whether what `from` sends is seen on this leg before the relay passes it on.
fn first_hand(leg: LegName, from: Side) -> bool {
    match leg {
        LegName::Front => from == Side::Client,
        LegName::Back => from == Side::Server,
        LegName::Only => true,
    }
}
