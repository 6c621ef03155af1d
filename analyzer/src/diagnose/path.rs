//! Rules of the path: what is lost on it, and what it costs.
//!
//! A path is blamed with a number or not at all: segments beyond a hole, bytes that are never acknowledged, or a
//! prediction that comes close to the time that ran out. Everything else is somebody's silence.

use std::time::Duration;

use super::stage::{self, Stage, length};
use super::{Confidence, Finding, Party, Severity, sealed};
use crate::attribution::Balance;
use crate::count::{counted, either};
use crate::observation::{Ending, Leg as LegName, ResetMarks, Side, Sign};
use crate::prediction::Loss;
use crate::timeline::facts::Sighting;
use crate::timeline::leg::Leg;
use crate::timeline::phase::PhaseName;
use crate::timeline::transit::{Hole, Shut, Unacknowledged};
use crate::timeline::{End, Timeline};

/// An active session that was quiet for longer was ended by a timer.
const QUIET: Duration = Duration::from_secs(200);
/// What is sent again for less long may still arrive.
const FROZEN: Duration = Duration::from_secs(1);
/// Timeouts in a row that are no bad luck any more.
const IN_VAIN: u64 = 2;
/// A segment that fits through every tunnel is smaller, bytes,
const LARGE: u64 = 1200;
/// and one that fits through every network of IPv4 is (RFC 791: 576 with its headers).
const SMALL: u64 = 536;
/// Nobody's timer is shorter.
const TIMER: Duration = Duration::from_secs(2);
/// Below this loss costs next to nothing, per thousand segments.
const LOSSY: u32 = 50;
/// So many losses are no chance, and so many of a thousand segments are worth a word.
const LOST: u64 = 10;
const NOTED: u32 = 20;
/// Hops by which equal ways differ.
const ROUTES: u8 = 2;
/// A round trip that costs a connection seconds.
const FAR: Duration = Duration::from_millis(150);
/// Losses that were mended: of a lossy path, not of a dead one.
const MENDED: u32 = 2;

/// An RST that its alleged sender did not send: a box on the way did. Only packets show it.
pub fn forged_reset(timeline: &Timeline) -> Option<Finding> {
    let end = timeline.end.as_ref().filter(|end| end.how == Ending::Reset)?;
    // A box that forgot an idle connection answers the next segment with an RST of its own: that is told by the idle time.
    let is_forgotten = sealed::forgotten(timeline).is_some();
    let is_over =
        stage::ended_early(timeline).is_some() || timeline.is_active() && end.silence < QUIET && !is_forgotten;
    // In the name of a client that has no connection yet a kernel answers beside a scanner.
    if stage::stage(timeline).0 == Stage::Closed && end.from == Some(Side::Client) {
        return None;
    }
    let leg = timeline.leg(end.mark.leg).filter(|_| is_over)?;
    let from = end.from?;
    let reset = leg.signs.iter().find_map(|sign| match &sign.what {
        Sign::Reset { from: by, marks } if *by == from && sign.mark.frame == end.mark.frame => Some(marks),
        _ => None,
    })?;
    let after = leg.signs.iter().find(|sign| matches!(sign.what, Sign::AfterReset { from: by, .. } if by == from));
    // A kernel answers for the scanner beside it; a client that asked goes on.
    if reset.answers_syn_ack && after.is_none() {
        return None;
    }
    let marks = words_of(reset);
    let confidence = match (is_foreign(reset), after) {
        (true, Some(_)) => Confidence::Certain,
        (true, None) | (false, Some(_)) => Confidence::Likely,
        // Its own kernel makes such an RST only for a connection that it does not know: one that it closed, where its FIN may be
        // among what is missing.
        (false, None) if !reset.is_empty() && marks.len() >= 2 && stage::unseen(timeline).is_none() => {
            Confidence::Possible
        }
        (false, None) => return None,
    };
    let says = format!("the RST is not the {from}'s own: {}", listed(&marks, after.is_some()));
    let finding = Finding::at_end(timeline, "PATH-RSTINJ", confidence, says)?.by(Party::Middlebox);
    let finding = finding.with(end.mark, format!("RST in the {from}'s name: {}", listed(&marks, false)));
    let finding = after
        .into_iter()
        .fold(finding, |finding, after| finding.with(after.mark, format!("the {from} goes on after it")));
    Some(finding.or(told_by_stage(timeline), Confidence::Possible))
}

/// What the RST would mean if it were its sender's own.
fn told_by_stage(timeline: &Timeline) -> &'static str {
    match stage::stage(timeline).0 {
        _ if timeline.is_active() => "SES-SHUTDOWN",
        Stage::Closed => "TCP-REFUSED",
        Stage::Opened | Stage::Request => "TCP-RST-AFTER",
        Stage::Confirm | Stage::ClientHello | Stage::ServerHello | Stage::ServerFlight => "TLS-NOKEY",
        Stage::Plain | Stage::Established => "MCS-REJECT",
    }
}

/// Marks that the alleged sender's own kernel does not make.
fn is_foreign(marks: &ResetMarks) -> bool {
    // One router more or less is another path; and a second mark says that it is not.
    let hops = marks.ttl.map_or(0, |(seen, usual)| seen.abs_diff(usual));
    let has_other = marks.id.is_some() && !marks.answers;
    hops > ROUTES || hops > 0 && has_other || marks.mirrored || marks.too_soon.is_some()
}

fn words_of(marks: &ResetMarks) -> Vec<String> {
    let ttl = marks.ttl.map(|(seen, usual)| format!("TTL {seen} where its packets have {usual}"));
    let id = marks.id.map(|(seen, last)| format!("IP identification {seen} after {last}"));
    let soon = marks.too_soon.map(|(took, least)| {
        format!("it answers after {} what its sender cannot have before {}", length(took), length(least))
    });
    let flags = [
        (marks.mirrored, "an RST with the same numbers goes the other way at once"),
        (marks.before_syn_ack, "it comes before the SYN-ACK"),
        (marks.no_timestamp, "no timestamp where its segments have one"),
        (marks.no_window, "window 0"),
    ];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, says)| says.to_owned());
    ttl.into_iter().chain(id).chain(soon).chain(flags).collect()
}

fn listed(marks: &[String], goes_on: bool) -> String {
    let on = goes_on.then(|| "its sender goes on after it".to_owned());
    let all: Vec<String> = marks.iter().cloned().chain(on).collect();
    if all.is_empty() { "nothing differs".into() } else { all.join(", ") }
}

/// A side that takes no more: its receive window is shut until the end.
pub fn shut(timeline: &Timeline) -> Option<Finding> {
    let end = frozen(timeline)?;
    let on = |leg: &Leg| if is_standing(timeline) { leg.standing_shut(end) } else { leg.shut(end) };
    let (leg, Shut { side, lasted, mark }) = timeline.legs.iter().find_map(|leg| Some((leg, on(leg)?)))?;
    let how = match lasted {
        Some((lasted, probes)) => format!("for {}, {}", length(lasted), counted(probes, "probe")),
        None => "while bytes wait for it".to_owned(),
    };
    let says = format!("the {side} takes no more: its window is shut {how}");
    let finding = Finding::at_end(timeline, "PATH-WINZERO", Confidence::Likely, says)?;
    let by = if side == Side::Server { Party::Server } else { Party::Client };
    let finding = finding.on(leg.name, end.phase).by(by).with(mark, format!("receive window 0 of the {side}"));
    Some(finding.with_end(timeline))
}

/// Small messages pass and a large flight does not: segments arrived beyond a hole that nothing fills.
pub fn hole(timeline: &Timeline) -> Option<Finding> {
    let end = frozen(timeline)?;
    let is_standing = is_standing(timeline);
    // Of a capture's hole the size is known: a small one is chance.
    let is_large = |leg: &Leg, beyond: u64| leg.name != LegName::Only || beyond > SMALL;
    let until_end = |leg: &Leg| {
        let (from, size) = leg.hole().filter(|(_, beyond)| is_large(leg, *beyond))?;
        Some(Hole { from, size, lasted: end.silence })
    };
    let hole = |leg: &Leg| if is_standing { leg.standing_hole(end) } else { until_end(leg) };
    let (leg, Hole { from, size, lasted }) = timeline.legs.iter().find_map(|leg| Some((leg, hole(leg)?)))?;
    let path = leg.path()?;
    if !is_standing && end.from == Some(from) && end.mark.leg == leg.name && end.how == Ending::Reset {
        return None;
    }
    let behind = match leg.name {
        LegName::Front | LegName::Back if size == 0 => "segments wait behind a hole".to_owned(),
        LegName::Front | LegName::Back => format!("{} behind a hole", counted(size, "segment")),
        LegName::Only => format!("{} that {} sent and never came", counted(size, "byte"), either(size, "was", "were")),
    };
    let says = format!(
        "the {from}'s flight stays incomplete for {}, {behind}: small segments pass, large ones vanish",
        length(lasted)
    );
    let finding = Finding::at_end(timeline, "PATH-PMTU", Confidence::Likely, says)?;
    let finding = finding.on(leg.name, end.phase).by(Party::Middlebox);
    let finding = with_icmp(with_sizes(finding.with(path.mark, behind), leg), leg).with_end(timeline);
    let is_handshake = from == Side::Server && end.phase <= PhaseName::Tls;
    let finding = if is_handshake { finding.or("TLS-HALF", Confidence::Possible) } else { finding };
    let finding = if is_standing { finding.or("PATH-DEAD", Confidence::Possible) } else { finding };
    Some(finding.or("PATH-LOSS", Confidence::Possible))
}

/// What was sent is never acknowledged.
pub fn stuck(timeline: &Timeline) -> Option<Finding> {
    let end = frozen(timeline)?;
    let is_standing = is_standing(timeline);
    let in_vain = |waits: &Unacknowledged| waits.timeouts >= IN_VAIN;
    let waits = |leg: &Leg| if is_standing { leg.given_up() } else { leg.unacknowledged().filter(in_vain) };
    let (leg, waits) = timeline.legs.iter().find_map(|leg| Some((leg, waits(leg)?)))?;
    let (id, confidence, other) = lost_how(leg, &waits, end, is_standing);
    let silence = length(waits.lasted.filter(|_| is_standing).unwrap_or(end.silence));
    let what = match waits.bytes {
        bytes if is_standing => format!(
            "{} of the {} {} not acknowledged for {silence}, {} in a row",
            counted(bytes, "byte"),
            waits.from,
            either(bytes, "is", "are"),
            counted(waits.timeouts, "timeout")
        ),
        0 => format!("the FIN of the {} is never acknowledged, after {silence} of silence", waits.from),
        bytes => {
            let are = either(bytes, "is", "are");
            format!("{} of the {} {are} never acknowledged, for {silence}", counted(bytes, "byte"), waits.from)
        }
    };
    let says = match id {
        "PATH-ASYM" if waits.before == 0 => format!("{what}, nor was anything before"),
        "PATH-ASYM" => format!("{what}, though the {} is still heard", waits.from.other()),
        "PATH-PMTU" => format!("{what}; smaller ones before were"),
        _ => format!("{what}: the path, or the far end, is dead"),
    };
    let by = if id == "PATH-PMTU" { Party::Middlebox } else { Party::Nobody };
    let finding = Finding::at_end(timeline, id, confidence, says)?.on(leg.name, end.phase).by(by);
    let finding = with_icmp(with_sizes(with_path(finding, leg), leg), leg);
    let finding = finding.with_end(timeline).or(other, Confidence::Possible);
    Some(if is_standing && id == "PATH-DEAD" { finding.or("PATH-ASYM", Confidence::Possible) } else { finding })
}

/// Nothing is under way, and the keep-alives of one side are not answered any more.
pub fn probed_in_vain(timeline: &Timeline) -> Option<Finding> {
    let end = frozen(timeline).filter(|_| is_standing(timeline))?;
    let (leg, probed) = timeline.legs.iter().find_map(|leg| Some((leg, leg.probed_in_vain()?)))?;
    let Sighting { what: (from, probes), mark } = probed;
    let says =
        format!("{probes} keep-alives of the {from} in a row are not answered: the path, or the far end, is dead");
    let finding = Finding::at_end(timeline, "PATH-DEAD", Confidence::Likely, says)?;
    let finding = finding.on(leg.name, end.phase).by(Party::Nobody);
    let finding = finding.with(mark, format!("nothing of the {} since {probes} keep-alives", from.other()));
    let finding = with_path(finding, leg).with_end(timeline).or("PATH-ASYM", Confidence::Possible);
    // A box that forgot the connection and throws away what comes looks the same.
    Some(if end.silence >= QUIET { finding.or("PATH-PROXYIDLE", Confidence::Possible) } else { finding })
}

/// How what is not acknowledged was lost: nothing ever arrived, or only what is large, or nothing any more.
fn lost_how(
    leg: &Leg,
    waits: &Unacknowledged,
    end: &End,
    is_standing: bool,
) -> (&'static str, Confidence, &'static str) {
    let far = waits.from.other();
    let closed = |close: &Sighting<(Option<Side>, Ending)>| close.what.0 == Some(far) && close.mark.at >= end.mark.at;
    let was_heard = waits.is_passed || waits.is_heard || leg.closes.iter().any(closed);
    let is_large = match waits.segment.filter(|_| is_standing) {
        Some(segment) => segment > SMALL,
        None => waits.bytes >= LARGE || was_heard && waits.bytes > SMALL,
    };
    // A client has less patience than a hole: one that is not heard any more is gone.
    let is_patient = far == Side::Server;
    // The far end is heard, and does not hear: one direction is dead.
    let is_one_way = waits.before == 0 && waits.from == Side::Client || was_heard && !is_large;
    // Where nothing is heard any more the three look alike, and the catalogue says so.
    let sure = if was_heard { Confidence::Likely } else { Confidence::Possible };
    // A session that ran was heard before.
    let dead = if is_standing { Confidence::Likely } else { sure };
    if is_one_way {
        ("PATH-ASYM", sure, "PATH-DEAD")
    } else if is_large && (was_heard || is_patient && waits.before < LARGE) {
        ("PATH-PMTU", sure, "PATH-DEAD")
    } else {
        ("PATH-DEAD", dead, "PATH-PMTU")
    }
}

/// Segments were lost, and sent again, and nothing failed of that.
pub fn lost(timeline: &Timeline) -> Option<Finding> {
    let is_well = timeline.is_active() && !timeline.ended_badly();
    let most = timeline.legs.iter().map(|leg| (leg, Loss::of(leg))).max_by_key(|(_, loss)| loss.permille);
    let (leg, Loss { segments, permille }) = most.filter(|_| is_well)?;
    let is_counted = leg.path().is_some_and(|path| path.what.segments_sent.is_some());
    if !is_counted || segments < LOST || permille < NOTED || is_for_nothing(leg, segments) {
        return None;
    }
    let says = format!(
        "{} {} lost and sent again, {} %: nothing failed of it",
        counted(segments, "segment"),
        either(segments, "was", "were"),
        permille / 10
    );
    let finding = Finding::at_end(timeline, "PATH-LOSS", Confidence::Possible, says)?.severity(Severity::Note);
    Some(with_path(finding.on(leg.name, timeline.last_phase()).by(Party::Nobody), leg))
}

/// Whether what was sent again may not have been lost: the peer had some of it (D-SACK), or it was too big and the network said
/// so.
fn is_for_nothing(leg: &Leg, segments: u64) -> bool {
    let told = |sign: &Sighting<Sign>| matches!(sign.what, Sign::Icmp { mtu: Some(_), .. });
    let twice = leg.signs_seen.get("sent_for_nothing").copied().unwrap_or(0);
    twice * 4 > segments || leg.signs.iter().any(told)
}

/// Segments were lost all the time, until somebody's timer ran out on that.
pub fn lossy(timeline: &Timeline) -> Option<Finding> {
    let end = stage::ended_early(timeline).filter(|end| end.phase > PhaseName::Tcp)?;
    // A server that answers at once with its end has refused something.
    if was_told(timeline) || stage::by_server(end) && end.silence < FROZEN {
        return None;
    }
    let balance = Balance::of(timeline)?;
    let leg = timeline.legs.iter().max_by_key(|leg| leg.retransmits())?;
    // What never comes through may be lost for another reason; what came through at last was lost by chance.
    let is_lossy = balance.predicted.loss_permille >= LOSSY && timeline.mended >= MENDED;
    if !is_lossy || balance.took < TIMER || balance.retransmission * 4 < balance.took {
        return None;
    }
    let says = format!(
        "given up after {}: segments are lost all the time, sending them again took {} of it; {}",
        length(balance.took),
        length(balance.retransmission),
        stage::prediction(&balance.predicted)
    );
    let finding = Finding::at_end(timeline, "PATH-LOSS", Confidence::Likely, says)?;
    let finding = with_path(finding.on(leg.name, end.phase).by(Party::Client), leg).with_end(timeline);
    let is_far = balance.predicted.rtt >= FAR;
    Some(if is_far { finding.or("PATH-LAT", Confidence::Possible) } else { finding })
}

/// A client that left although nobody kept it waiting for longer than the path took: its timer ran out on latency.
pub fn slow(timeline: &Timeline) -> Option<Finding> {
    let end = stage::ended_early(timeline).filter(|end| stage::by_client(end) && end.stopped.is_none())?;
    // A timer runs out on who waits. Who answers with its leaving has been told something it does not like.
    if !stage::client_waits(timeline) || was_told(timeline) {
        return None;
    }
    let balance = Balance::of(timeline)?;
    let overdue = balance.predicted.rtt * 3 / 2 + balance.predicted.rto.min(balance.retransmission);
    let travelled = balance.travelled + end.silence.min(balance.predicted.rtt);
    let path = travelled + balance.retransmission;
    let is_slow = balance.took >= TIMER && path * 10 >= balance.took * 7;
    if !is_slow || end.silence > overdue || timeline.facts.request.is_none() {
        return None;
    }
    let says = format!(
        "the client's timer runs out after {}, and {} of that is the path's: {}",
        length(balance.took),
        length(path),
        stage::prediction(&balance.predicted)
    );
    let leg = timeline.legs.iter().max_by_key(|leg| leg.rtt()).map_or(end.mark.leg, |leg| leg.name);
    let finding = Finding::at_end(timeline, "PATH-LAT", Confidence::Likely, says)?;
    let finding = with_path(finding.on(leg, end.phase).by(Party::Client), timeline.leg(leg)?).with_end(timeline);
    Some(finding.or("PATH-LOSS", Confidence::Possible))
}

/// The end of a session that stood still: on its way to being active, where nobody refused it in so many words; or running,
/// or seen until it still did so, where that was no box that forgets idle connections.
fn frozen(timeline: &Timeline) -> Option<&End> {
    if is_standing(timeline) {
        let is_frozen = timeline.is_frozen() && super::sealed::forgotten(timeline).is_none();
        return timeline.end.as_ref().filter(|_| is_frozen);
    }
    let end = stage::failed(timeline).filter(|end| end.silence >= FROZEN && end.phase > PhaseName::Tcp)?;
    (!was_told(timeline)).then_some(end)
}

/// Whether it ran, or the input ends while it stood: then only what did not get through for seconds counts.
fn is_standing(timeline: &Timeline) -> bool {
    timeline.is_active() || timeline.end.is_some_and(|end| end.how == Ending::Cut)
}

/// Whether somebody said why: a failure code, an alert.
fn was_told(timeline: &Timeline) -> bool {
    let facts = &timeline.facts;
    // Behind the handshake a sealed alert is mostly a goodbye.
    let alert = facts.first(|tls| tls.sealed_alert.as_ref()).filter(|_| timeline.last_phase() <= PhaseName::Tls);
    facts.failure.is_some() || facts.fatal_alert().is_some() || alert.is_some()
}

/// With what is not acknowledged any more.
pub fn unheard(finding: Finding, timeline: &Timeline) -> Finding {
    let found = timeline.legs.iter().find_map(|leg| Some((leg, leg.unacknowledged()?)));
    let Some((leg, waits)) = found else { return finding };
    let phase = finding.phase;
    let finding = with_path(finding.on(leg.name, phase), leg);
    let mark = leg.path().map(|path| path.mark);
    let (bytes, are) = (counted(waits.bytes, "byte"), either(waits.bytes, "is", "are"));
    let says = format!("{bytes} of the {} {are} not acknowledged any more", waits.from);
    mark.into_iter().fold(finding, |finding, mark| finding.with(mark, says.clone()))
}

fn with_path(finding: Finding, leg: &Leg) -> Finding {
    let Some(path) = leg.path() else { return finding };
    let rtt = leg.rtt().map_or("unknown".into(), length);
    let place = if leg.name == LegName::Only { String::new() } else { format!("{} leg: ", leg.name) };
    let (again, backoff) = (leg.retransmits(), leg.unacknowledged().map_or(0, |waits| waits.timeouts));
    let says =
        format!("{place}RTT {rtt}, {} sent again, {} in a row", counted(again, "segment"), counted(backoff, "timeout"));
    finding.with(path.mark, says)
}

/// With the box that said that a packet is too big, if one did: then the sender does not listen to it.
fn with_icmp(finding: Finding, leg: &Leg) -> Finding {
    let told = leg.signs.iter().find_map(|sign| match &sign.what {
        Sign::Icmp { by, mtu: Some(mtu), .. } => {
            Some((sign.mark, format!("{by} says that packets above {mtu} bytes are too big")))
        }
        _ => None,
    });
    told.into_iter().fold(finding, |finding, (mark, says)| finding.with(mark, says))
}

/// The largest segments that each end may send: equal to those of an Ethernet, over a tunnel, nobody clamps them.
fn with_sizes(finding: Finding, leg: &Leg) -> Finding {
    let Some(path) = leg.path() else { return finding };
    let here = path.what.snd_mss.zip(path.what.adv_mss).filter(|_| leg.name != LegName::Only);
    let seen = path.what.client_mss.zip(path.what.server_mss);
    let says = match (here, seen) {
        (Some((sends, takes)), _) => format!("MSS of the {} leg: sends {sends}, takes {takes}", leg.name),
        (None, Some((client, server))) => format!("MSS: the client takes {client}, the server {server}"),
        (None, None) => return finding,
    };
    finding.with(path.mark, says)
}
