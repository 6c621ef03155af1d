//! What is said of a play: where the peer departs, and how it ended.

use std::time::Duration;

use analyzer::event::Protocols;
use analyzer::observation::{Ending, Side};

use super::{Play, TOLD};
use crate::replay::script::{Act, Move};

impl Play<'_> {
    pub(super) fn wants(&self, one: &Move) -> String {
        match one.act {
            Act::Expect(name) => name.to_owned(),
            Act::Begin(_) | Act::Shake { .. } => "the TLS handshake to go on".to_owned(),
            Act::Say(..) | Act::Goodbye | Act::Alert(_) | Act::Clock | Act::Mute(_) => {
                format!("it to hear the {}", self.script.side)
            }
            Act::Parting => format!("the goodbye of the {}", self.script.side.other()),
            Act::Left(how) | Act::End(how) => format!("{} of the {}", name_of(how), self.script.side),
        }
    }

    /// Why no recording can go on here.
    pub(super) fn hint(&self, one: &Move) -> &'static str {
        match self.script.proof {
            Some(proof) if one.frame >= proof => {
                "; in CredSSP a server proves that it knows the password and has the key of its TLS, which no recording \
                 can: --without-nla leaves it out"
            }
            Some(_) | None => "",
        }
    }

    /// How this side ended, and what it did last before that.
    pub(super) fn end(&mut self, place: usize, how: Ending) {
        let side = self.script.side;
        let before = place.checked_sub(1).map(|before| &self.script.moves[before]);
        let since = |one: &Move| self.script.moves[place].at.since(one.at);
        let says = match before {
            Some(one) => format!("{} of the {side} {:?} after {}", name_of(how), rounded(since(one)), self.was(one)),
            None => format!(
                "{} of the {side} {:?} after the connection stood",
                name_of(how),
                rounded(self.script.moves[place].at.since(self.script.began))
            ),
        };
        self.ended.get_or_insert(says);
    }

    pub(super) fn was(&self, one: &Move) -> String {
        match one.act {
            Act::Expect(name) => name.to_owned(),
            Act::Begin(_) | Act::Shake { .. } => "its part in the TLS handshake".to_owned(),
            Act::Say(..) | Act::Mute(_) => "its last word".to_owned(),
            Act::Clock => "the connection sequence".to_owned(),
            Act::Parting => format!("the goodbye of the {}", self.script.side.other()),
            Act::Goodbye => "its close_notify".to_owned(),
            Act::Alert(alert) => format!("its TLS alert {alert}"),
            Act::Left(how) => format!("{} of the {}", name_of(how), self.script.side.other()),
            Act::End(how) => format!("its {}", name_of(how)),
        }
    }

    /// What a server selects its client must have asked for: one that did not will leave, if the recorded one did ask.
    pub(super) fn check_selection(&mut self, place: usize, one: &Move) {
        let Some((_, selected)) = self.script.selects.filter(|(confirm, _)| *confirm == place) else { return };
        let asked = self.ears.asked;
        let is_recorded = !self.script.asked.contains(selected);
        if self.script.side == Side::Server && !asked.contains(selected) && !is_recorded {
            let names = |protocols: Protocols| Some(protocols.names().join(", ")).filter(|names| !names.is_empty());
            let (asked, selected) = (names(asked), names(selected));
            let says = format!(
                "the client asks for {}, and the server selects {}",
                asked.as_deref().unwrap_or("standard RDP security"),
                selected.as_deref().unwrap_or("standard RDP security")
            );
            self.depart(one, &says);
        }
    }

    /// The peer departs; it does not where it was ended on purpose.
    pub(super) fn depart(&mut self, one: &Move, says: &str) {
        if self.wire.cut().is_some() {
            return;
        }
        self.departures += 1;
        match self.departures {
            ..=TOLD => self.tell(&format!("DEPARTS at {}: {says}", self.at(one))),
            n if n == TOLD + 1 => self.tell("DEPARTS again and again: counted from here on"),
            _ => {}
        }
    }

    pub(super) fn at(&self, one: &Move) -> String {
        let (then, now) = (one.at.since(self.script.began), self.began.elapsed());
        format!("frame {} (recorded at +{:?}, now +{:?})", one.frame, rounded(then), rounded(now))
    }

    pub(super) fn tell(&self, says: &str) {
        (self.tell.0)(says);
    }
}

pub(in crate::replay) fn name_of(how: Ending) -> &'static str {
    match how {
        Ending::Fin => "FIN",
        Ending::Reset => "RST",
        Ending::Refused => "refusal",
        Ending::Unreachable => "no route",
        Ending::TimedOut => "timeout",
        Ending::Unresolved => "no address",
        Ending::Cut => "the recording's end",
    }
}

/// To three digits or so: nobody reads nanoseconds.
pub(in crate::replay) fn rounded(length: Duration) -> Duration {
    match length.as_micros() {
        0..10_000 => Duration::from_micros(length.as_micros() as u64),
        _ => Duration::from_millis(length.as_millis() as u64),
    }
}
