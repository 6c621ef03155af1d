//! Whose time it was, for people: what the path should have cost, and every stall with its arithmetic.

use std::time::Duration;

use super::{length, para};
use crate::attribution::{Balance, Owner, Stall, stalls};
use crate::count::{counted, either};
use crate::diagnose::stage::prediction;
use crate::observation::Sign;
use crate::timeline::Timeline;
use crate::timeline::leg::Leg;

/// A connection that was set up in less time needs no arithmetic.
const QUICK: Duration = Duration::from_secs(1);

/// The prediction, where there is something to explain, and every stall.
pub(super) fn path(text: &mut String, timeline: &Timeline) {
    if timeline.is_untimed() {
        return;
    }
    if let Some(says) = arithmetic(timeline) {
        text.push('\n');
        para(text, "  path:        ", &says);
    }
    for leg in &timeline.legs {
        if let Some(says) = wire(leg) {
            para(text, "  wire:        ", &says);
        }
    }
    for stall in stalls(timeline) {
        para(text, "  stall:       ", &self::stall(&stall, timeline));
    }
}

/// What the path should have cost, where there is something to explain.
pub(in crate::report) fn arithmetic(timeline: &Timeline) -> Option<String> {
    let balance = Balance::of(timeline)?;
    (balance.took >= QUICK || !stalls(timeline).is_empty()).then(|| self::balance(&balance))
}

/// "41 retransmitted (27 for nothing), 119 overtaken, icmp 3/4 of 10.0.0.9 (MTU 1400)": what only packets show.
pub(in crate::report) fn wire(leg: &Leg) -> Option<String> {
    let told = leg.signs_seen.iter().filter(|(name, _)| !matches!(**name, "icmp" | "sent_for_nothing" | "reset"));
    let mut says: Vec<String> = told.map(|(name, count)| format!("{count} {}", name.replace('_', " "))).collect();
    if let Some(count) = leg.signs_seen.get("sent_for_nothing") {
        says.push(format!("{count} of the repetitions for nothing"));
    }
    says.extend(leg.signs.iter().filter_map(|sign| match &sign.what {
        Sign::Icmp { by, kind, code, mtu, .. } => {
            let mtu = mtu.map(|mtu| format!(" (MTU {mtu})")).unwrap_or_default();
            Some(format!("ICMP type {kind} code {code} of {by}{mtu}"))
        }
        _ => None,
    }));
    says.dedup();
    (!says.is_empty()).then(|| says.join(", "))
}

/// "11 round trips at 180 ms RTT should take 2.0 s; it took 31 s, 2.1 s of that the path's: not the network"
fn balance(balance: &Balance) -> String {
    let path = balance.path();
    let verdict = if path * 2 >= balance.took { "mostly the network" } else { "not the network" };
    let held = match balance.held {
        held if held.is_zero() => String::new(),
        held => format!("; {} was held here on purpose (--impair)", length(held)),
    };
    format!(
        "{}; it took {}, {} of that on the way: {verdict}{held}",
        prediction(&balance.predicted),
        length(balance.took),
        length(path)
    )
}

/// "9.8 s in tls at +1.2 s: the server's. One round trip 31 ms; what it was sent it had acknowledged"
pub(in crate::report) fn stall(stall: &Stall, timeline: &Timeline) -> String {
    let at = length(stall.since.after(timeline.began.unwrap_or_default()));
    let owner = stall.owner.name();
    let open = if stall.was_answered { "" } else { ", until the end" };
    format!("{} in {} from +{at}{open}: {owner}. {}", length(stall.lasted), stall.phase, why(stall))
}

fn why(stall: &Stall) -> String {
    let trip = if stall.round_trip.is_zero() {
        String::new()
    } else {
        format!("One round trip takes {}", length(stall.round_trip))
    };
    let again = match stall.again {
        0 => String::new(),
        again => format!(
            ", {} sent again {} {}",
            counted(again, "segment"),
            either(again, "costs", "cost"),
            length(stall.retransmission)
        ),
    };
    let held = match stall.held {
        held if held.is_zero() => String::new(),
        held => format!("; {} of it what was said was held here on purpose (--impair)", length(held)),
    };
    let stopped = match stall.unwatched {
        stopped if stopped.is_zero() => String::new(),
        stopped => format!("; besides, the proxy itself was stopped for {}: that is nobody's", length(stopped)),
    };
    let rest = match stall.owner {
        Owner::Impairment => String::new(),
        Owner::NameResolution => "The resolver was waited for".to_owned(),
        Owner::Network(_) if !stall.was_acknowledged => "; what was sent is not acknowledged".to_owned(),
        Owner::Network(_) if !stall.was_answered => "; segments before what arrived are missing".to_owned(),
        Owner::Network(_) => String::new(),
        Owner::Client | Owner::Server => {
            format!("; what was sent was acknowledged, {} remain", length(stall.remainder()))
        }
    };
    format!("{trip}{again}{held}{rest}{stopped}").trim_start_matches([';', ',', ' ']).to_owned()
}
