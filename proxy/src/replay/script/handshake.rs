//! From a recorded TLS handshake to the part of the played side in another: what our own TLS says in its place, and what is said
//! as it was.

use std::time::Duration;

use analyzer::analysis::Step;
use analyzer::event::{ServerHello, What};
use analyzer::observation::Side;
use analyzer::secret::Secret;
use analyzer::transcript::Place;

use super::{Act, Builder, Stage, TLS_1_3, fatal_alert};
use crate::tls::{Refusal, has_suite};

/// A handshake as it goes on.
#[derive(Debug, Default)]
pub(super) struct Shaking {
    /// What the played side sent, as it stood on the wire: each the index of its move, and how long it came after
    /// what was seen before.
    pub(super) chunks: Vec<(usize, Duration)>,
    /// How many of them are its first flight, once that is known to be complete.
    pub(super) flight: Option<usize>,
    /// It closed in the middle of a message.
    pub(super) is_partial: bool,
    pub(super) len: usize,
}

impl Builder {
    /// What the side sends while the handshake goes on. What becomes of it is settled when it is known how that ends.
    pub(super) fn chunk(&mut self, step: &Step, data: &[u8], gap: Duration) {
        let place = self.script.moves.len();
        self.act(step, Act::Say(Place::Clear, Secret::new(data.to_vec())));
        if let Stage::Handshake(shaking) = &mut self.stage {
            shaking.chunks.push((place, gap));
            shaking.len += data.len();
        }
    }

    /// A client that answers a server of TLS 1.3 with a sealed alert refuses its certificate; why may be sealed, too.
    pub(super) fn refuse(&mut self, step: &Step) {
        let own = self.script.side;
        let is_sealed = |what: &What| matches!(what, What::SealedAlert { from, .. } if *from == own);
        if own == Side::Server || !step.events.iter().any(|event| is_sealed(&event.what)) {
            return;
        }
        let alert = fatal_alert(step, own);
        let refusal = alert.and_then(Refusal::of).unwrap_or(Refusal::CertificateUnknown);
        if alert != Some(refusal.alert()) {
            let recorded = alert.map_or("is sealed".to_owned(), |alert| format!("is {alert}"));
            let says = format!("the alert of the client {recorded}: it refuses with {} here", refusal.alert());
            self.script.notices.push(says);
        }
        self.script.terms.get_or_insert_default().refuses = Some(refusal);
    }

    /// The handshake is over.
    pub(super) fn settle_at(&mut self, step: &Step) {
        let pause = self.settle(true);
        self.act(step, Act::Shake { pause, is_done: true });
    }

    /// Puts this program's own TLS in the place of what the side sent, where it has a part in the handshake. Gives how
    /// long it took for its last answer.
    pub(super) fn settle(&mut self, is_done: bool) -> Duration {
        let next = if is_done { Stage::Inside } else { Stage::Clear };
        let Stage::Handshake(shaking) = std::mem::replace(&mut self.stage, next) else { return Duration::ZERO };
        let Some((first, _)) = shaking.chunks.first().copied() else { return Duration::ZERO };
        let mut terms = self.script.terms.clone().unwrap_or_default();
        if is_done {
            self.script.moves.truncate(first + 1);
            self.script.moves[first].act = Act::Begin(Box::new(terms));
            let last = shaking.chunks.last().filter(|_| shaking.chunks.len() > 1);
            return last.map_or(Duration::ZERO, |(_, gap)| *gap);
        }
        let flight = match self.script.side {
            Side::Client => 1,
            Side::Server => match shaking.server_flight(terms.server.as_ref()) {
                // A part of it, or an alert in its place: as it was.
                Flight::AsItWas => return Duration::ZERO,
                Flight::Cut(chunks) => {
                    terms.cut = Some(shaking.len);
                    chunks
                }
                Flight::Whole(chunks) => chunks,
            },
        };
        self.script.moves[first].act = Act::Begin(Box::new(terms));
        self.settle_rest(&shaking, flight);
        Duration::ZERO
    }

    /// What a side sent behind its first flight, in a handshake that came to no end: an alert as it was, and a client's
    /// answer by our own TLS.
    pub(super) fn settle_rest(&mut self, shaking: &Shaking, flight: usize) {
        for (n, (place, gap)) in shaking.chunks.iter().enumerate().skip(1).rev() {
            let is_alert = matches!(&self.script.moves[*place].act, Act::Say(_, bytes) if bytes.len() == ALERT);
            if n >= flight && is_alert {
                continue;
            }
            if n >= flight && self.script.side == Side::Client {
                self.script.moves[*place].act = Act::Shake { pause: *gap, is_done: false };
            } else {
                self.script.moves.remove(*place);
            }
        }
    }

    /// What of TLS is played otherwise than it was.
    pub(super) fn note_terms(&mut self) {
        let Some(terms) = &self.script.terms else { return };
        let notices = &mut self.script.notices;
        if let Some(server) = &terms.server {
            if !matches!(server.version, 0x0303 | TLS_1_3) {
                let says = "TLS 1.0 or 1.1 was recorded, which this program's TLS does not have: 1.2 is played";
                notices.push(says.to_owned());
            }
            if !has_suite(server.cipher) {
                let suite = server.cipher;
                notices
                    .push(format!("this program's TLS does not have the cipher suite {suite:#06x}: another is played"));
            }
            if server.resumed {
                notices.push("TLS was resumed; a full handshake is played".to_owned());
            }
        }
        let is_sealed = !self.is_unsealed && self.script.moves.iter().any(|one| matches!(one.act, Act::Shake { .. }));
        self.script.is_sealed = is_sealed;
        if is_sealed {
            let says = "no secret opens its TLS: behind the handshake only times and the end are played";
            notices.push(says.to_owned());
        }
    }
}

/// An alert in clear with its record's header (RFC 5246 6.2.1, 7.2).
const ALERT: usize = 7;

/// What became of a server's first flight.
enum Flight {
    AsItWas,
    /// So many chunks, the last of which ends in the middle.
    Cut(usize),
    /// So many chunks.
    Whole(usize),
}

impl Shaking {
    /// Up to TLS 1.2 all of it is in clear, and a part of it can be said again; in TLS 1.3 it is sealed for one client.
    fn server_flight(&self, hello: Option<&ServerHello>) -> Flight {
        match (hello, self.flight) {
            (None, _) => Flight::AsItWas,
            (Some(hello), None) if hello.version < TLS_1_3 => Flight::AsItWas,
            (Some(_), None) if self.is_partial => Flight::Cut(self.chunks.len()),
            (Some(_), None) => Flight::Whole(self.chunks.len()),
            // The chunk that ends it is counted after it is known.
            (Some(_), Some(chunks)) => Flight::Whole(chunks.max(1)),
        }
    }
}
