//! Stands inside TLS, where that was asked for: what comes on one leg in its TLS goes out on the other in another. No sockets in
//! here: bytes and ends of one leg come in, and what is to be sent, noted or ended comes out. The relay does that.
//!
//! ```text
//!   Negotiating ── a confirm selects TLS ──> Listening ── a whole ClientHello ──> Reaching ── TLS with the server ──> Between
//!        │ standard security, refused             │ nothing in it we speak            │ that failed
//!        └────────────────────────────────────────┴──> Passing <── Replaying <── (the relay dials again)
//! ```
//!
//! Before an RD Gateway there is no negotiation: it begins with Listening, and what is dialed again is told the ClientHello at
//! once.
//!
//! The negotiation passes untouched. The ClientHello is held until TLS with the server stands, so that only what both ends
//! speak is agreed on; whatever goes wrong until then is undone: a new connection, the same request, the same confirm, and
//! the client's own ClientHello. So what our library cannot do never looks like a fault of the server. Silence is not undone:
//! nothing here has a timer.

mod between;
mod opening;
mod reaching;
mod replay;

use std::path::Path;
use std::sync::Arc;

use analyzer::event::Protocols;
use analyzer::observation::{Interception, Leg, Means, Seen, Side};
use bytes::Bytes;

use crate::authority::Authority;
use crate::named::Named;
use crate::roots;
use crate::tls::{Broken, Credential, End};
use between::Between;
use opening::{Listening, MOST, Negotiating};
use reaching::Reaching;
pub(crate) use replay::Replay;
use replay::Replaying;

/// By what to stand inside TLS.
#[derive(Debug)]
pub enum With {
    /// The server's own certificate and key.
    ServerKey(Credential),
    /// Certificates of an authority of our own.
    Authority(Box<Authority>),
}

/// How to stand inside TLS.
#[derive(Debug)]
pub struct Intercept {
    with: With,
    /// Whom the server's certificate should be for.
    target: String,
    /// This machine's roots, DER.
    roots: Vec<Vec<u8>>,
}

impl Intercept {
    /// With the server's key, or an authority, before this server.
    pub fn new(with: With, target: &str) -> Intercept {
        Intercept { with, target: target.to_owned(), roots: roots::load() }
    }

    /// As it stands in reports.
    pub fn means(&self) -> Means {
        match self.with {
            With::ServerKey(_) => Means::ServerKey,
            With::Authority(_) => Means::Authority,
        }
    }

    /// Why TLS of this protocol is not to be touched, if it is not.
    fn leaves_alone(&self, selected: Protocols) -> Option<String> {
        match self.with {
            With::ServerKey(_) => None,
            With::Authority(_) if selected == Protocols::SSL => None,
            With::Authority(_) => Some(format!(
                "{} was selected, which binds what the client proves to the server's public key: with a certificate of \
                 another key it fails",
                selected.names().join("|")
            )),
        }
    }
}

/// Reads the server's certificate and key.
///
/// # Errors
/// Where a file cannot be read, or they do not belong together; in words.
pub fn read_credential(certificate: &Path, key: &Path) -> Result<Credential, String> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.named()));
    Credential::read(&read(certificate)?, &read(key)?)
        .map_err(|says| format!("{} with {}: {says}", certificate.named(), key.named()))
}

/// What the relay is to do now, in this order: note, send, end.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    /// To be noted before the bytes that caused it.
    pub(crate) notes: Vec<(Leg, Seen)>,
    /// To whom, what.
    pub(crate) sends: Vec<(Side, Bytes)>,
    /// Who is to be sent a FIN.
    pub(crate) ends: Vec<Side>,
}

impl Deeds {
    fn send(&mut self, to: Side, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        if !bytes.is_empty() {
            self.sends.push((to, bytes));
        }
    }

    fn step(&mut self, leg: Leg, step: Interception) {
        self.notes.push((leg, Seen::Interception(step)));
    }

    /// What an end has to say to its peer, and the secrets by which that can be read.
    fn flush(&mut self, end: &mut End, to: Side) {
        let said = end.give();
        if let Some(lines) = end.secrets() {
            self.notes.push((leg_to(to), Seen::Secret(Arc::new(lines))));
        }
        self.send(to, said);
    }
}

/// What comes on one leg, made into what goes out on the other.
#[derive(Debug)]
pub(crate) struct Interceptor {
    how: Arc<Intercept>,
    state: State,
}

#[derive(Debug)]
enum State {
    Negotiating(Box<Negotiating>),
    Listening(Box<Listening>),
    Reaching(Box<Reaching>),
    Between(Box<Between>),
    /// The connection to the server is to be made again.
    Redial(Box<Replay>),
    Replaying(Box<Replaying>),
    /// Everything passes as it comes.
    Passing,
    /// TLS broke, and both sides were told.
    Over,
}

impl Interceptor {
    /// Before the first byte.
    pub(crate) fn new(how: &Arc<Intercept>) -> Interceptor {
        Interceptor { how: how.clone(), state: State::Negotiating(Box::default()) }
    }

    /// Before the first byte to an RD Gateway.
    pub(crate) fn at_gateway(how: &Arc<Intercept>) -> Interceptor {
        Interceptor { how: how.clone(), state: State::Listening(Box::new(Listening::at_gateway())) }
    }

    /// After dialing again, and what is to be noted where everything passes from there on.
    pub(crate) fn replaying(how: &Arc<Intercept>, replay: Replay) -> Result<Interceptor, Seen> {
        let replaying = Replaying::new(replay).map_err(|why| Seen::Interception(Interception::Passed { why }))?;
        Ok(Interceptor { how: how.clone(), state: State::Replaying(Box::new(replaying)) })
    }

    /// What was asked for, to be noted first.
    pub(crate) fn asked(how: &Intercept) -> Seen {
        Seen::Interception(Interception::Asked(how.means()))
    }

    /// What the client sent while its server was dialed; it is on its way to the server already.
    pub(crate) fn sent_early(&mut self, data: &Bytes) {
        let mut passed_already = Deeds::default();
        self.push(Side::Client, data.clone(), &mut passed_already);
    }

    /// Bytes of one side.
    pub(crate) fn push(&mut self, from: Side, data: Bytes, deeds: &mut Deeds) {
        let state = std::mem::replace(&mut self.state, State::Over);
        self.state = match state {
            State::Negotiating(negotiating) => negotiating.push(&self.how, from, data, deeds),
            State::Listening(listening) => listening.push(&self.how, from, data, deeds),
            State::Reaching(reaching) => reaching.push(&self.how, from, &data, deeds),
            State::Between(between) => between.push(from, &data, deeds),
            State::Replaying(replaying) => replaying.push(from, data, deeds),
            State::Passing => {
                deeds.send(from.other(), data);
                State::Passing
            }
            State::Redial(replay) => replay.push(from, &data),
            State::Over => {
                let (leg, len) = (leg_to(from.other()), data.len() as u64);
                deeds.notes.push((leg, discarded(from, len)));
                State::Over
            }
        };
    }

    /// One side has sent its FIN, or its leg broke. The other's FIN comes behind what is held.
    pub(crate) fn ended(&mut self, from: Side, deeds: &mut Deeds) {
        let state = std::mem::replace(&mut self.state, State::Over);
        self.state = match (state, from) {
            (State::Reaching(reaching), Side::Server) => reaching.redial("the server ends the connection".into()),
            (State::Listening(listening), Side::Client) => listening.ended(deeds),
            (State::Replaying(replaying), from) => replaying.ended(from, deeds),
            // The next connection to the server will hear of it.
            (State::Redial(replay), _) => State::Redial(replay),
            (
                state @ (State::Negotiating(_)
                | State::Listening(_)
                | State::Reaching(_)
                | State::Between(_)
                | State::Passing
                | State::Over),
                from,
            ) => {
                deeds.ends.push(from.other());
                state
            }
        };
    }

    /// How much may be read of this side now, bytes: what is held is bounded, and who sends more has to wait.
    pub(crate) fn room(&self, from: Side) -> usize {
        match (&self.state, from) {
            (State::Reaching(reaching), Side::Client) => MOST.saturating_sub(reaching.held()),
            (State::Replaying(replaying), Side::Client) => MOST.saturating_sub(replaying.held()),
            (State::Redial(replay), Side::Client) => MOST.saturating_sub(replay.hello.len()),
            (State::Between(between), Side::Server) => MOST.saturating_sub(between.held()),
            (State::Reaching(_) | State::Replaying(_) | State::Redial(_), Side::Server)
            | (State::Between(_), Side::Client)
            | (State::Negotiating(_) | State::Listening(_) | State::Passing | State::Over, _) => usize::MAX,
        }
    }

    /// Whether nothing is to be changed any more.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.state, State::Passing)
    }

    /// Whether the connection to the server is to be made again.
    pub(crate) fn wants_redial(&self) -> bool {
        matches!(self.state, State::Redial(_))
    }

    /// What is needed for that.
    pub(crate) fn into_replay(self) -> Option<Replay> {
        match self.state {
            State::Redial(replay) => Some(*replay),
            State::Negotiating(_)
            | State::Listening(_)
            | State::Reaching(_)
            | State::Between(_)
            | State::Replaying(_)
            | State::Passing
            | State::Over => None,
        }
    }
}

/// The leg on which a side is talked to.
fn leg_to(side: Side) -> Leg {
    match side {
        Side::Client => Leg::Front,
        Side::Server => Leg::Back,
    }
}

fn discarded(from: Side, len: u64) -> Seen {
    Seen::Missing { from, len, why: analyzer::observation::Absence::Discarded }
}

/// Why TLS cannot be taken apart here, as it is told.
fn told(broken: Broken) -> String {
    broken.says
}
