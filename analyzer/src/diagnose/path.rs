//! Rules of the path: what is lost on it, and what it costs.
//!
//! A path is blamed with a number or not at all: segments beyond a hole, bytes that are never acknowledged, or a
//! prediction that comes close to the time that ran out. Everything else is somebody's silence.

use std::time::Duration;

use super::stage::{self, length};
use super::{Confidence, Finding, Party};
use crate::attribution::Balance;
use crate::observation::{Ending, Leg as LegName, Side};
use crate::timeline::leg::Leg;
use crate::timeline::phase::PhaseName;
use crate::timeline::transit::Unacknowledged;
use crate::timeline::{End, Timeline};

/// What is sent again for less long may still arrive.
const FROZEN: Duration = Duration::from_secs(1);
/// Timeouts in a row that are no bad luck any more.
const IN_VAIN: u64 = 2;
/// A segment that fits through every tunnel is smaller, bytes.
const LARGE: u64 = 1200;
/// Nobody's timer is shorter.
const TIMER: Duration = Duration::from_secs(2);
/// Below this loss costs next to nothing, per thousand segments.
const LOSSY: u32 = 100;

/// Small messages pass and a large flight does not: segments arrived beyond a hole that nothing fills.
pub fn hole(timeline: &Timeline) -> Option<Finding> {
    let end = frozen(timeline)?;
    let (leg, (from, beyond)) = timeline.legs.iter().find_map(|leg| Some((leg, leg.hole()?)))?;
    let path = leg.path.as_ref()?;
    if end.from == Some(from) && end.mark.leg == leg.name && end.how == Ending::Reset {
        return None;
    }
    let behind = match leg.name {
        LegName::Front | LegName::Back => format!("{beyond} segments behind a hole"),
        LegName::Only => format!("{beyond} bytes that were sent and never came"),
    };
    let says = format!(
        "the {from}'s flight stays incomplete for {}, {behind}: small segments pass, large ones vanish",
        length(end.silence)
    );
    let finding = Finding::at_end(timeline, "PATH-PMTU", Confidence::Likely, says)?;
    let finding = finding.on(leg.name, end.phase).by(Party::Middlebox);
    let finding = with_sizes(finding.with(path.mark, behind), leg).with_end(timeline);
    Some(finding.or("TLS-HALF", Confidence::Possible).or("PATH-LOSS", Confidence::Possible))
}

/// What was sent is never acknowledged.
pub fn stuck(timeline: &Timeline) -> Option<Finding> {
    let end = frozen(timeline)?;
    let in_vain = |waits: &Unacknowledged| waits.timeouts >= IN_VAIN && waits.bytes > 0;
    let (leg, waits) =
        timeline.legs.iter().find_map(|leg| Some((leg, leg.unacknowledged().filter(in_vain)?)))?;
    let (id, confidence, other) = lost_how(leg, &waits, end);
    let what = format!("{} bytes of the {} are never acknowledged, for {}", waits.bytes, waits.from, length(end.silence));
    let says = match id {
        "PATH-ASYM" => format!("{what}, nor was anything before"),
        "PATH-PMTU" => format!("{what}; smaller ones before were"),
        _ => format!("{what}: the path, or the far end, is dead"),
    };
    let by = if id == "PATH-PMTU" { Party::Middlebox } else { Party::Nobody };
    let finding = Finding::at_end(timeline, id, confidence, says)?.on(leg.name, end.phase).by(by);
    Some(with_sizes(with_path(finding, leg), leg).with_end(timeline).or(other, Confidence::Possible))
}

/// How what is not acknowledged was lost: nothing ever arrived, or only what is large, or nothing any more.
fn lost_how(leg: &Leg, waits: &Unacknowledged, end: &End) -> (&'static str, Confidence, &'static str) {
    let is_large = waits.bytes >= LARGE;
    let far = waits.from.other();
    let was_heard = waits.is_passed || end.mark.leg == leg.name && end.from == Some(far);
    // A client has less patience than a hole: one that is not heard any more is gone.
    let is_patient = far == Side::Server;
    if waits.before == 0 && waits.from == Side::Client {
        ("PATH-ASYM", Confidence::Likely, "X224-NOCC")
    } else if is_large && was_heard {
        ("PATH-PMTU", Confidence::Likely, "PATH-DEAD")
    } else if is_large && is_patient && waits.before < LARGE {
        ("PATH-PMTU", Confidence::Possible, "PATH-DEAD")
    } else {
        ("PATH-DEAD", Confidence::Likely, "PATH-PMTU")
    }
}

/// A client that left although nobody kept it waiting for longer than the path took: its timer ran out on latency or on
/// loss.
pub fn slow(timeline: &Timeline) -> Option<Finding> {
    let end = stage::failed(timeline).filter(|end| stage::by_client(end))?;
    let balance = Balance::of(timeline)?;
    let overdue = balance.predicted.rtt * 3 / 2 + balance.predicted.rto.min(balance.retransmission);
    let travelled = balance.travelled + end.silence.min(balance.predicted.rtt);
    let path = travelled + balance.retransmission;
    let is_slow = balance.took >= TIMER && path * 10 >= balance.took * 7;
    if !is_slow || end.silence > overdue || timeline.facts.request.is_none() {
        return None;
    }
    let is_lossy = balance.retransmission > travelled && balance.predicted.loss_permille >= LOSSY;
    let id = if is_lossy { "PATH-LOSS" } else { "PATH-LAT" };
    let says = format!(
        "the client's timer runs out after {}, and {} of that is the path's: {}",
        length(balance.took),
        length(path),
        stage::prediction(&balance.predicted)
    );
    let leg = timeline.legs.iter().max_by_key(|leg| leg.rtt()).map_or(end.mark.leg, |leg| leg.name);
    let finding = Finding::at_end(timeline, id, Confidence::Likely, says)?.on(leg, end.phase).by(Party::Client);
    let path = timeline.leg(leg)?;
    let finding = with_path(finding, path).with_end(timeline);
    Some(finding.or(if is_lossy { "PATH-LAT" } else { "PATH-LOSS" }, Confidence::Possible))
}

/// The end of a session that stood still for a while, and that no server ended in so many words.
fn frozen(timeline: &Timeline) -> Option<&End> {
    let end = timeline.end.as_ref().filter(|end| end.silence >= FROZEN)?;
    let is_over = stage::failed(timeline).is_some() || timeline.is_active() && timeline.ended_badly();
    let said = timeline.facts.failure.is_some() || timeline.facts.fatal_alert().is_some();
    (is_over && !said && end.phase > PhaseName::Tcp).then_some(end)
}

fn with_path(finding: Finding, leg: &Leg) -> Finding {
    let Some(path) = &leg.path else { return finding };
    let rtt = leg.rtt().map_or("unknown".into(), length);
    let says = format!(
        "{} leg: RTT {rtt}, {} segments sent again, {} timeouts in a row",
        leg.name,
        leg.retransmits(),
        path.what.backoff.unwrap_or(0)
    );
    finding.with(path.mark, says)
}

/// The largest segments that each end may send: equal to those of an Ethernet, over a tunnel, nobody clamps them.
fn with_sizes(finding: Finding, leg: &Leg) -> Finding {
    let Some(path) = &leg.path else { return finding };
    match (path.what.snd_mss, path.what.adv_mss) {
        (Some(sends), Some(takes)) => {
            finding.with(path.mark, format!("MSS of the {} leg: sends {sends}, takes {takes}", leg.name))
        }
        (_, _) => finding,
    }
}
