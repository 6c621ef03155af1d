//! From what was seen of a session to what one side of it did: a list of moves. Pure; the steps come from
//! `analyzer::reading::read_along`.
//!
//! Of a relay's recording the leg of the side that is played tells all: of a server the back leg, on which the relay was
//! the client.
//!
//! Until both sides stand (Font Map, \[MS-RDPBCGR\] 2.2.1.22) a move follows what the peer said before it; from there on it
//! follows the clock.

mod handshake;

use std::time::Duration;

use analyzer::analysis::Step;
use analyzer::event::{
    Certificate, ClientHello, ConnectionConfirm, Finalization, McsPdu, Protocols, RdpPdu, ServerHello, What,
};
use analyzer::observation::{Ending, Interception, Leg, Opening, Seen, Side};
use analyzer::secret::Secret;
use analyzer::time::Timestamp;
use analyzer::transcript::{Place, Said};

use super::words::{self, SEALED};
use crate::lab::wire::connection_confirm;
use crate::tls::Refusal;
use handshake::Shaking;

/// Bytes that a script holds at most: what a side said behind them is not played.
const MOST: usize = 256 << 20;
/// The content is encrypted, \[MS-RDPBCGR\] 2.2.8.1.1.2.1.
const SEC_ENCRYPT: u16 = 0x0008;
/// ContentType of application data (RFC 8446 5.1).
const DATA: u8 = 23;
const TLS_1_3: u16 = 0x0304;
/// AlertDescription (RFC 8446 6.1).
const CLOSE_NOTIFY: u8 = 0;

/// What one side of a recorded session did.
#[derive(Debug)]
pub struct Script {
    /// Whose.
    pub side: Side,
    /// When the connection stood.
    pub(super) began: Timestamp,
    /// In order.
    pub(super) moves: Vec<Move>,
    /// What of it cannot be played as it was, for people.
    pub notices: Vec<String>,
    /// Where the server proves in CredSSP that it knows the password: bound to the key of its TLS, so that no other proves it.
    pub(super) proof: Option<u64>,
    /// What TLS agreed on, where there was TLS.
    terms: Option<Terms>,
    /// Whether no secret opens its TLS.
    pub(super) is_sealed: bool,
    /// What the client asked for.
    pub(super) asked: Protocols,
    /// The move that is the server's confirm, and what it selects.
    pub(super) selects: Option<(usize, Protocols)>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Move {
    /// When it was, in the recording.
    pub(super) at: Timestamp,
    /// In which packet of the recording.
    pub(super) frame: u64,
    pub(super) act: Act,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Act {
    /// Says this, in clear or inside TLS.
    Say(Place, Secret),
    /// Waits for this message.
    Expect(&'static str),
    /// Begins TLS: a client's ClientHello, a server's flight.
    Begin(Box<Terms>),
    /// Goes on with the handshake to its end, or, where it came to none, by one flight; what it says then comes so much
    /// later than what it answers.
    Shake { pause: Duration, is_done: bool },
    /// From here on moves follow the clock.
    Clock,
    /// From here on nothing can be said: only times and ends are left.
    Mute(&'static str),
    /// The peer says goodbye, TLS close_notify: what follows answers that.
    Parting,
    /// The peer ends.
    Left(Ending),
    /// Says TLS close_notify.
    Goodbye,
    /// Says this fatal alert inside TLS, and nothing behind it.
    Alert(u8),
    /// Ends.
    End(Ending),
}

/// What TLS was, as far as the recording shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    pub(super) client: ClientHello,
    pub(super) server: Option<ServerHello>,
    /// The server's.
    pub(super) certificate: Option<Certificate>,
    /// The protocol agreed on by ALPN.
    pub(super) alpn: Option<String>,
    /// A client's, where it refused the certificate inside TLS 1.3.
    pub(super) refuses: Option<Refusal>,
    /// A flight that ends after so many bytes.
    pub(super) cut: Option<usize>,
}

/// Makes a script from the steps of one session.
#[derive(Debug)]
pub struct Builder {
    script: Script,
    stage: Stage,
    /// When the last thing was seen on the leg.
    last: Timestamp,
    len: usize,
    is_open: bool,
    is_gateway: bool,
    is_joined: bool,
    is_clocked: bool,
    is_mute: bool,
    /// Whether secrets open its TLS.
    is_unsealed: bool,
    is_reset: bool,
}

/// How far the session is.
#[derive(Debug)]
enum Stage {
    /// Negotiation, or RDP without TLS.
    Clear,
    /// The TLS handshake.
    Handshake(Shaking),
    /// Inside TLS.
    Inside,
}

impl Builder {
    /// For the script of this side.
    pub fn new(side: Side) -> Builder {
        let began = Timestamp::default();
        let script = Script {
            side,
            began,
            moves: Vec::new(),
            notices: Vec::new(),
            proof: None,
            terms: None,
            is_sealed: false,
            asked: Protocols::default(),
            selects: None,
        };
        Builder {
            script,
            stage: Stage::Clear,
            last: began,
            len: 0,
            is_open: false,
            is_gateway: false,
            is_joined: false,
            is_clocked: false,
            is_mute: false,
            is_unsealed: false,
            is_reset: false,
        }
    }

    /// Takes a step of the session.
    pub fn push(&mut self, step: &Step) {
        let observation = &step.observation;
        self.is_gateway |= observation.seen == Seen::Opening(Opening::Gateway)
            || step.events.iter().any(|event| matches!(event.what, What::Gateway(_) | What::Outer(_)));
        let is_own = match observation.flow.leg {
            Leg::Front => self.script.side == Side::Client,
            Leg::Back => self.script.side == Side::Server,
            Leg::Only => true,
        };
        if !is_own || self.is_reset {
            return;
        }
        match &observation.seen {
            Seen::Opening(Opening::Joined { .. }) => self.is_joined = true,
            Seen::Opened => self.open(observation.at),
            // What follows is a connection of its own.
            Seen::Interception(Interception::Redialed { .. }) => *self = Builder::new(self.script.side),
            Seen::Bytes { from, data } if *from == self.script.side => self.own(step, data),
            Seen::Bytes { .. } => self.events(step),
            // Nobody knows what to wait for; what is mirrored passed while the session was active.
            Seen::Missing { from, .. } if *from != self.script.side => self.clock(step),
            Seen::Missing { .. } => self.mute(step, "the recording does not have it"),
            Seen::Closed { from, how } => {
                self.events(step);
                self.closed(step, *from, *how);
            }
            Seen::Opening(_)
            | Seen::Path(_)
            | Seen::Sign(_)
            | Seen::Secret(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_)
            | Seen::Interception(_) => return,
        }
        self.last = observation.at;
    }

    /// The session is over.
    ///
    /// # Errors
    /// Where nothing of this side is in it; in words.
    pub fn finish(mut self) -> Result<Script, String> {
        let side = self.script.side;
        if self.is_gateway {
            return Err(
                "this is a connection to an RD Gateway, whose tunnel cannot be played: expected a session that \
                        goes to its server directly, such as one recorded behind the gateway"
                    .to_owned(),
            );
        }
        if self.is_joined {
            return Err("the capture begins in the middle of the connection: expected its beginning".to_owned());
        }
        if !self.is_open {
            return Err(format!("nobody got through to the server: there is nothing of the {side} to play"));
        }
        self.settle(false);
        self.note_terms();
        Ok(self.script)
    }

    fn open(&mut self, at: Timestamp) {
        self.is_open = true;
        self.script.began = at;
    }

    fn act(&mut self, step: &Step, act: Act) {
        let (at, frame) = (step.observation.at, step.observation.frame);
        self.script.moves.push(Move { at, frame, act });
    }

    fn say(&mut self, step: &Step, place: Place, bytes: &[u8]) {
        if self.is_mute {
            return;
        }
        self.len += bytes.len();
        if self.len > MOST {
            return self.mute(step, "the recording is longer than what is held of it");
        }
        self.act(step, Act::Say(place, Secret::new(bytes.to_vec())));
    }

    fn mute(&mut self, step: &Step, why: &'static str) {
        if !self.is_mute {
            (self.is_mute, self.is_clocked) = (true, true);
            self.act(step, Act::Mute(why));
        }
    }

    fn clock(&mut self, step: &Step) {
        if !self.is_clocked {
            self.is_clocked = true;
            self.act(step, Act::Clock);
        }
    }

    /// Bytes of the side that is played.
    fn own(&mut self, step: &Step, data: &[u8]) {
        let begins = step.events.iter().any(|event| matches!(event.what, What::ClientHello(_)));
        let gap = step.observation.at.since(self.last);
        match &self.stage {
            Stage::Clear if begins => {
                self.stage = Stage::Handshake(Shaking::default());
                self.chunk(step, data, gap);
            }
            Stage::Clear if self.is_sealed(step) => {
                self.mute(step, "it is sealed by standard RDP security, with keys that nobody has")
            }
            Stage::Clear => self.say(step, Place::Clear, data),
            Stage::Handshake(_) => {
                self.chunk(step, data, gap);
                self.refuse(step);
            }
            Stage::Inside => {}
        }
        self.events(step);
        if let Stage::Inside = self.stage {
            self.inside(step);
        }
    }

    /// Whether what the side says here is sealed without TLS. A client's Security Exchange is sealed for one server's key.
    fn is_sealed(&self, step: &Step) -> bool {
        let own = self.script.side;
        step.events.iter().any(|event| match &event.what {
            What::Mcs { from, pdu: McsPdu::SendData { security_flags } } => {
                *from == own && security_flags & SEC_ENCRYPT != 0
            }
            What::Rdp { from, pdu: RdpPdu::SecurityExchange } => *from == own,
            _ => false,
        })
    }

    /// What the side says inside TLS.
    fn inside(&mut self, step: &Step) {
        let own = self.script.side;
        for line in step.lines.iter().filter(|line| line.from == own && line.place == Place::Tls) {
            match &line.said {
                Said::Bytes(bytes) => self.say(step, Place::Tls, bytes),
                Said::Missing(_) => self.mute(step, "no secret opens it"),
            }
        }
        let has = |wanted: &dyn Fn(&What) -> bool| step.events.iter().any(|event| wanted(&event.what));
        let is_data = has(&|what| matches!(what, What::Record { from, kind: DATA, .. } if *from == own));
        let is_opened = has(&|what| matches!(what, What::Decrypted { from, .. } if *from == own));
        let is_of_tls = has(&|what| matches!(what, What::TlsEstablished { .. } | What::SealedAlert { .. }));
        if is_data && !is_opened && !is_of_tls && !self.is_ticket() {
            self.mute(step, "it is sealed, and no secret opens it");
        }
        if has(&|what| matches!(what, What::SealedAlert { from, .. } if *from == own)) {
            // Of one that stays sealed all is known but its number: few say any but close_notify in there.
            let fatal = fatal_alert(step, own);
            self.act(step, fatal.map_or(Act::Goodbye, Act::Alert));
        }
    }

    /// What a server of TLS 1.3 seals before its client has said anything: nobody speaks first in there but TLS itself, with
    /// its tickets (RFC 8446 4.6.1).
    fn is_ticket(&self) -> bool {
        let is_first = matches!(self.script.moves.last(), Some(Move { act: Act::Shake { .. }, .. }));
        self.script.side == Side::Server && is_first
    }

    fn events(&mut self, step: &Step) {
        let own = self.script.side;
        for event in &step.events {
            self.learn(step, &event.what);
            if let Some((from, name)) = words::message(&event.what)
                && from != own
                && self.is_awaited(name)
            {
                self.act(step, Act::Expect(name));
            }
            match &event.what {
                What::ClientHello(_) if own == Side::Server && matches!(self.stage, Stage::Clear) => {
                    self.stage = Stage::Handshake(Shaking::default());
                }
                What::TlsEstablished { .. } => {
                    self.settle_at(step);
                    continue;
                }
                What::Record { from, kind: DATA, .. } if *from != own => self.sealed(step),
                What::Alert { from, description: CLOSE_NOTIFY, .. } if *from != own => self.parting(step),
                What::Rdp { pdu: RdpPdu::Finalization(Finalization::FontMap), .. } => self.clock(step),
                _ => {}
            }
        }
    }

    /// Inside of TLS an alert is said by who leaves: its end is waited for. An alert that is opened is told twice.
    fn is_awaited(&self, name: &str) -> bool {
        let is_told = matches!(self.script.moves.last(), Some(Move { act: Act::Expect(last), .. }) if *last == name);
        let is_alert = name == words::ALERT;
        !self.is_clocked && !(is_alert && (is_told || matches!(self.stage, Stage::Inside)))
    }

    /// The peer takes leave of a session that was active, and this side has not done so before.
    fn parting(&mut self, step: &Step) {
        let is_over =
            |one: &Move| matches!(one.act, Act::Parting | Act::Left(_) | Act::Goodbye | Act::Alert(_) | Act::End(_));
        if self.is_clocked && !self.script.moves.iter().any(is_over) {
            self.act(step, Act::Parting);
        }
    }

    /// The peer says something that no secret opens.
    fn sealed(&mut self, step: &Step) {
        // An alert is known by its length, or opened.
        let is_known = |what: &What| matches!(what, What::Decrypted { .. } | What::SealedAlert { .. });
        let is_opened = step.events.iter().any(|event| is_known(&event.what));
        let is_told = matches!(self.script.moves.last(), Some(Move { act: Act::Expect(SEALED), .. }));
        if matches!(self.stage, Stage::Inside) && !is_opened && !is_told && !self.is_clocked {
            self.act(step, Act::Expect(SEALED));
        }
    }

    /// Keeps what tells how to play.
    fn learn(&mut self, step: &Step, what: &What) {
        let own = self.script.side;
        match what {
            What::ClientHello(hello) => self.script.terms.get_or_insert_default().client = (**hello).clone(),
            What::ServerHello(hello) => {
                let terms = self.script.terms.get_or_insert_default();
                terms.alpn = hello.alpn.clone().or(terms.alpn.take());
                terms.server = Some((**hello).clone());
            }
            What::ConnectionRequest(request) => self.script.asked = request.requested.unwrap_or_default(),
            What::ConnectionConfirm(ConnectionConfirm { selected: Some(selected), .. }) => {
                self.script.selects = self.script.moves.len().checked_sub(1).map(|place| (place, *selected));
            }
            What::EncryptedExtensions { alpn } => self.script.terms.get_or_insert_default().alpn = alpn.clone(),
            What::Certificates { from: Side::Server, chain } => {
                self.script.terms.get_or_insert_default().certificate = chain.first().cloned();
            }
            What::ServerHelloDone => {
                if let Stage::Handshake(shaking) = &mut self.stage {
                    shaking.flight = Some(shaking.chunks.len());
                }
            }
            What::Partial { from, .. } if *from == own => {
                if let Stage::Handshake(shaking) = &mut self.stage {
                    shaking.is_partial = true;
                }
            }
            What::CertificateRequest => {
                let says = "the server asks for a client certificate, which is not asked for again";
                self.script.notices.push(says.to_owned());
            }
            What::Unsealed => self.is_unsealed = true,
            What::Credssp { from: Side::Server, request } if request.has_pub_key_auth => {
                self.script.proof.get_or_insert(step.observation.frame);
            }
            _ => {}
        }
    }

    fn closed(&mut self, step: &Step, from: Option<Side>, how: Ending) {
        let Some(from) = from else { return };
        if from == self.script.side {
            self.is_reset = how == Ending::Reset;
            self.act(step, Act::End(how));
        } else if !self.script.moves.iter().any(|one| matches!(one.act, Act::Left(_))) {
            self.act(step, Act::Left(how));
        }
    }
}

/// The fatal alert that this side says in a step, where it can be read. In TLS 1.3 close_notify may be of any level
/// (RFC 8446 6).
fn fatal_alert(step: &Step, side: Side) -> Option<u8> {
    step.events.iter().find_map(|event| match event.what {
        What::Alert { from, level: 2, description, .. } if from == side && description != CLOSE_NOTIFY => {
            Some(description)
        }
        _ => None,
    })
}

impl Script {
    /// The server selects plain TLS where it had selected CredSSP, which is left out: what it proves in there, that it knows
    /// the password and has the key of its TLS, no recording can prove.
    ///
    /// # Errors
    /// Where there is no CredSSP, or it was never over; in words.
    pub fn without_credssp(mut self) -> Result<Script, String> {
        let selects = self.selects.filter(|(_, selected)| selected.intersects(Protocols::CREDSSP));
        let (confirm, _) = selects
            .filter(|_| self.side == Side::Server)
            .ok_or("expected the server of a session with NLA, found one without")?;
        let place = |wanted: &dyn Fn(&Act) -> bool| self.moves.iter().position(|one| wanted(&one.act));
        let stands = place(&|act| matches!(act, Act::Shake { is_done: true, .. }));
        let goes_on = place(&|act| matches!(act, Act::Expect(words::CONNECT_INITIAL)));
        let (Some(stands), Some(goes_on)) = (stands, goes_on.filter(|place| Some(*place) > stands)) else {
            return Err("expected a session that got past NLA, and the secrets that show it".to_owned());
        };
        self.moves.drain(stands + 1..goes_on);
        let selects_tls = connection_confirm(Some(Protocols::SSL.0));
        let says = self.moves.get_mut(confirm).ok_or("expected the confirm before TLS, found it behind")?;
        says.act = Act::Say(Place::Clear, Secret::new(selects_tls));
        self.selects = Some((confirm, Protocols::SSL));
        self.proof = None;
        self.notices.push("NLA is left out: plain TLS is selected in its place".to_owned());
        Ok(self)
    }

    /// The certificate that the server showed, where the recording tells.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.terms.as_ref()?.certificate.as_ref()
    }

    /// Whether a client refuses the certificate, so that our own TLS does.
    pub(super) fn refuses(&self) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.refuses.is_some())
    }

    /// Whether a server shows a certificate at all.
    pub fn has_tls(&self) -> bool {
        self.moves.iter().any(|one| matches!(one.act, Act::Begin(_)))
    }

    /// The name that the client asked for in TLS.
    pub fn server_name(&self) -> Option<&str> {
        self.terms.as_ref()?.client.sni.as_deref()
    }

    /// Whether the peer speaks first.
    pub fn is_awaiting(&self) -> bool {
        self.moves.first().is_some_and(|one| matches!(one.act, Act::Expect(_)))
    }

    /// How many moves it has.
    pub fn moves(&self) -> usize {
        self.moves.len()
    }
}

#[cfg(test)]
mod tests;
