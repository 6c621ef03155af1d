//! Two legs of one session in captures of packets: a relay that passes bytes on says on its connection to the server
//! what its client said to it. They are one session seen twice, not two.

use std::collections::HashMap;
use std::time::Duration;

use super::{Diagnosed, Witness};
use crate::diagnose::Outcome;
use crate::diagnose::stage::unseen;
use crate::event::ConnectionRequest;
use crate::observation::Leg;
use crate::time::Timestamp;
use crate::timeline::Timeline;
use crate::timeline::leg::Leg as TimelineLeg;

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
}

impl FirstWords {
    /// `None` where the client did not ask for anything.
    fn of(timeline: &Timeline) -> Option<FirstWords> {
        let ConnectionRequest { cookie, routing_token, requested, flags, correlation_id } =
            timeline.facts.request.as_ref()?.what.clone();
        let requested = requested.map(|protocols| protocols.0);
        Some(FirstWords { cookie, routing_token, requested, flags, correlation_id })
    }
}

/// The random number of the ClientHello, where one is here.
fn random(timeline: &Timeline) -> Option<[u8; 32]> {
    timeline.facts.first(|tls| tls.hello.as_ref()).map(|hello| hello.what.random)
}

/// Whether no two sessions say just this by chance; `None` where they are told apart by it.
fn is_unique(one: &Timeline, other: &Timeline) -> Option<bool> {
    let named = one.facts.request.as_ref().is_some_and(|request| request.what.correlation_id.is_some());
    match (random(one), random(other)) {
        (Some(one), Some(other)) if one != other => None,
        (Some(one), Some(_)) => Some(named || one != [0; 32]),
        _ => Some(named),
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
        let alike = known.entry(words).or_default();
        let near: Vec<usize> = alike.iter().rev().take(ALIKE).copied().collect();
        let onward = near.iter().find(|place| goes_on(&joined[**place].timeline, &session.timeline));
        // The client's leg may begin later in the capture than it began.
        let client = || near.iter().find(|place| goes_on(&session.timeline, &joined[**place].timeline));
        match (onward, onward.is_none().then(client).flatten()) {
            (Some(place), _) => joined[*place].takes_onward(session),
            (None, Some(place)) => {
                let onward = std::mem::replace(&mut joined[*place], session);
                joined[*place].takes_onward(onward);
            }
            (None, None) => {
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
fn goes_on(near: &Timeline, onward: &Timeline) -> bool {
    let Some(is_unique) = is_unique(near, onward) else { return false };
    let ends = |timeline: &Timeline| timeline.leg(Leg::Only).map(|leg| (leg.client, leg.server));
    let (Some((client, relay)), Some((from, server))) = (ends(near), ends(onward)) else { return false };
    let asked = |timeline: &Timeline| timeline.facts.request.as_ref().map(|request| request.mark.at);
    let (Some(first), Some(then)) = (asked(near), asked(onward)) else { return false };
    let stood = onward.began.unwrap_or_default() <= near.last;
    let at_relay = relay.zip(from).is_some_and(|(relay, from)| relay.ip() == from.ip());
    let in_time = |limit: Duration| first <= then && then.since(first) <= limit;
    // Without times only what nobody says by chance tells.
    let is_quick = !near.is_untimed() && !onward.is_untimed() && in_time(QUICK);
    let is_onward = if is_unique { in_time(ONWARD) } else { at_relay && is_quick };
    let is_relayed = is_onward && client != from && relay != server;
    stood && (is_relayed || is_rewritten(near, onward) && in_time(ONWARD))
}

/// Whether `onward` is the same connection behind a box that rewrites an address or a port: opened at once, with as many bytes
/// either way, and with the same ports, or the same random number in the ClientHello.
fn is_rewritten(near: &Timeline, onward: &Timeline) -> bool {
    if near.is_untimed() || onward.is_untimed() {
        return false;
    }
    let (Some(near_leg), Some(onward_leg)) = (near.leg(Leg::Only), onward.leg(Leg::Only)) else { return false };
    let ends = |leg: &TimelineLeg| leg.client.zip(leg.server);
    let (Some((client, server)), Some((from, to))) = (ends(near_leg), ends(onward_leg)) else { return false };
    let began = |timeline: &Timeline| timeline.began.unwrap_or_default();
    let (first, then) = (began(near), began(onward));
    let at_once = first <= then && then.since(first) <= QUICK;
    let same_ports = client.port() == from.port() && server.port() == to.port();
    let same_hello = random(near).is_some_and(|hello| hello != [0; 32] && random(onward) == Some(hello));
    let same_bytes = near_leg.bytes == onward_leg.bytes;
    at_once && (client, server) != (from, to) && same_bytes && (same_ports || same_hello)
}

impl Diagnosed {
    /// Takes the onward leg of the same session. What went wrong there alone went wrong; and where it alone holds what became
    /// of the session, it is the session, and this one is seen beside it: a recording that was written as pcap has on the
    /// client's leg the headers alone of what the relay passed on.
    fn takes_onward(&mut self, mut onward: Diagnosed) {
        let is_told = |session: &Diagnosed| session.outcome != Outcome::Unfinished;
        if !is_told(self) && unseen(&self.timeline).is_some() && is_told(&onward) {
            std::mem::swap(self, &mut onward);
            self.witnesses.extend(onward.witnesses.iter().cloned());
            return self.witnessed(Leg::Front, onward);
        }
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
