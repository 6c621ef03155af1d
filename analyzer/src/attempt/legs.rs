//! Two legs of one session in captures of packets: a relay that passes bytes on says on its connection to the server
//! what its client said to it. They are one session seen twice, not two.

use std::collections::HashMap;
use std::time::Duration;

use super::{Diagnosed, Witness};
use crate::diagnose::Outcome;
use crate::event::ConnectionRequest;
use crate::observation::Leg;
use crate::time::Timestamp;
use crate::timeline::Timeline;

/// A relay passes a request on within this. One that waits longer has resolved a name, or tried another address.
const ONWARD: Duration = Duration::from_secs(5);
/// Without a ClientHello whose random number tells, a relay must be faster than a client that comes again.
const QUICK: Duration = Duration::from_millis(100);
/// Earlier sessions with the same first words that a further one is held against.
const ALIKE: usize = 16;

/// What is the same on both legs, byte by byte, as far as a relay does not stand inside TLS.
#[derive(PartialEq, Eq, Hash)]
struct FirstWords {
    cookie: Option<String>,
    routing_token: Option<String>,
    requested: Option<u32>,
    flags: u8,
    correlation_id: Option<String>,
    random: Option<[u8; 32]>,
}

impl FirstWords {
    /// `None` where the client did not ask for anything.
    fn of(timeline: &Timeline) -> Option<FirstWords> {
        let ConnectionRequest { cookie, routing_token, requested, flags, correlation_id } =
            timeline.facts.request.as_ref()?.what.clone();
        let random = timeline.facts.first(|tls| tls.hello.as_ref()).map(|hello| hello.what.random);
        let requested = requested.map(|protocols| protocols.0);
        Some(FirstWords { cookie, routing_token, requested, flags, correlation_id, random })
    }

    /// Whether no other session says just this by chance.
    fn is_unique(&self) -> bool {
        self.random.is_some_and(|random| random != [0; 32]) || self.correlation_id.is_some()
    }
}

/// Makes one of the legs of each session: the client's stays, the onward one becomes a witness beside it. Each session
/// is held against a bounded number of those that said the same: the cost is linear in the sessions.
pub(super) fn join(mut sessions: Vec<Diagnosed>) -> Vec<Diagnosed> {
    sessions.sort_by_key(Diagnosed::began);
    let mut known: HashMap<FirstWords, Vec<usize>> = HashMap::new();
    let mut joined: Vec<Diagnosed> = Vec::new();
    for session in sessions {
        let words = FirstWords::of(&session.timeline).filter(|_| is_of_packets(&session));
        let Some(words) = words else {
            joined.push(session);
            continue;
        };
        let is_unique = words.is_unique();
        let alike = known.entry(words).or_default();
        let near = alike.iter().rev().take(ALIKE).copied();
        match near.into_iter().find(|place| goes_on(&joined[*place].timeline, &session.timeline, is_unique)) {
            Some(place) => joined[place].takes_onward(session),
            None => {
                alike.push(joined.len());
                joined.push(session);
            }
        }
    }
    joined
}

/// A gateway's tunnel and a relay's recording have their legs already.
fn is_of_packets(session: &Diagnosed) -> bool {
    !session.timeline.is_relayed() && session.timeline.facts.gateway.is_none()
}

/// Whether `onward` is what a relay made of `near`: another connection, opened while the first stood, and the request
/// came there after it had come here.
fn goes_on(near: &Timeline, onward: &Timeline, is_unique: bool) -> bool {
    let ends = |timeline: &Timeline| timeline.leg(Leg::Only).map(|leg| (leg.client, leg.server));
    let (Some((client, relay)), Some((from, server))) = (ends(near), ends(onward)) else { return false };
    let asked = |timeline: &Timeline| timeline.facts.request.as_ref().map(|request| request.mark.at);
    let (Some(first), Some(then)) = (asked(near), asked(onward)) else { return false };
    let stood = onward.began.unwrap_or_default() <= near.last;
    let at_relay = relay.zip(from).is_some_and(|(relay, from)| relay.ip() == from.ip());
    let in_time = |limit: Duration| first <= then && then.since(first) <= limit;
    let is_onward = if is_unique { in_time(ONWARD) } else { at_relay && in_time(QUICK) };
    stood && is_onward && client != from && relay != server
}

impl Diagnosed {
    /// Takes the onward leg of the same session. What went wrong there alone went wrong.
    fn takes_onward(&mut self, onward: Diagnosed) {
        let is_bad = |outcome| matches!(outcome, Outcome::Failed | Outcome::Broken);
        if is_bad(onward.outcome) && !is_bad(self.outcome) {
            self.outcome = onward.outcome;
            self.findings = onward.findings.clone();
        }
        self.witnesses.extend(onward.witnesses.iter().cloned());
        self.witnessed(Leg::Back, onward);
    }
}

impl Witness {
    /// When its leg ended.
    pub fn ended(&self) -> Option<Timestamp> {
        self.timeline.end.map(|end| end.mark.at)
    }
}
