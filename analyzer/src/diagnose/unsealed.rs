//! What the rules share that need plaintext: codes as they are written, and how a session ended whose messages are seen:
//! what was said last, whose turn it was, and what that side did instead.

use super::sealed::STALLED;
use super::stage::{self, length};
use super::{Confidence, Finding, Party, Severity};
use crate::codes::{Code, Table};
use crate::observation::Side;
use crate::timeline::facts::{Mark, Sighting};
use crate::timeline::phase::PhaseName;
use crate::timeline::said::Said;
use crate::timeline::{End, Timeline};

/// How a session ended that was never active, where plaintext shows how far it got.
pub struct Broken<'a> {
    timeline: &'a Timeline,
    end: &'a End,
    /// The last message.
    pub said: Sighting<Said>,
    /// In which phase.
    pub phase: PhaseName,
    /// What was done instead of the next one.
    pub way: Way,
}

/// What was done instead of the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Whose turn it was closed: it does not want what was said.
    Refused(Side),
    /// Whose turn it was said nothing, until the other one gave up.
    Silent(Side),
    /// Who had just spoken closed, and did not wait.
    Left(Side),
    /// Nobody closed: what was sent is not acknowledged any more.
    Lost,
}

/// Causes: the first one, how sure, and what else it could be.
pub type Verdict = (&'static str, Confidence, &'static [&'static str]);

impl<'a> Broken<'a> {
    /// `None` where it went on, where somebody said why it did not, or where nothing was read.
    pub fn of(timeline: &'a Timeline) -> Option<Broken<'a>> {
        let end = stage::failed(timeline)?;
        let inner = &timeline.facts.inner;
        inner.unsealed?;
        let said = inner.said?;
        let next = timeline.whose_turn(said.what);
        // From the message on: who gives up says close_notify first.
        let patient = end.stopped.is_some() || end.mark.at.since(said.mark.at) >= STALLED;
        let way = match end.from {
            _ if stage::by_timeout(end) => Way::Lost,
            _ if Party::of(end) == Party::Proxy => return None,
            Some(side) if side == next => Way::Refused(side),
            Some(_) if patient => Way::Silent(next),
            Some(side) => Way::Left(side),
            None => return None,
        };
        Some(Broken { timeline, end, said, phase: timeline.last_phase(), way })
    }

    /// The same, if it ended in one of these phases.
    pub fn within(timeline: &'a Timeline, phases: &[PhaseName]) -> Option<Broken<'a>> {
        Broken::of(timeline).filter(|broken| phases.contains(&broken.phase))
    }

    /// The finding.
    pub fn judged(&self, (id, sure, others): Verdict) -> Option<Finding> {
        let Broken { timeline, end, said, phase, way } = self;
        // A client that leaves was not refused by anybody: it did not wait, or had seen what it came for.
        let has_left = match way {
            Way::Left(Side::Client) => id != "PRX-PROBE",
            Way::Refused(Side::Client) => *phase == PhaseName::ChannelConnection,
            Way::Left(Side::Server) | Way::Refused(Side::Server) | Way::Silent(_) | Way::Lost => false,
        };
        let (id, sure, others): Verdict =
            if has_left { ("PRX-PROBE", Confidence::Possible, &[]) } else { (id, sure, others) };
        let last = said.what.name;
        let place = format!("in {phase}, behind the {}'s {last},", said.what.from);
        let says = match way {
            Way::Refused(side) => format!("{place} the {side} does not go on: {}", stage::end_in_words(end)),
            Way::Silent(side) => {
                let silence = length(end.mark.at.since(said.mark.at));
                format!("{place} the {side}, whose turn it is, says nothing for {silence}")
            }
            Way::Left(side) => format!("{place} the {side} leaves out of turn: {}", stage::end_in_words(end)),
            Way::Lost => format!("{place} {}", stage::end_in_words(end)),
        };
        let by = match way {
            Way::Refused(side) | Way::Silent(side) | Way::Left(side) => party(*side),
            Way::Lost => Party::Nobody,
        };
        let leg = match way {
            Way::Silent(Side::Server) => stage::server_leg(timeline),
            Way::Silent(Side::Client) => stage::client_leg(timeline),
            Way::Refused(_) | Way::Left(_) | Way::Lost => end.mark.leg,
        };
        let finding = Finding::at_end(timeline, id, sure, says)?.by(by).on(leg, *phase);
        let is_note = id == "PRX-PROBE";
        let finding = if is_note { finding.severity(Severity::Note) } else { finding };
        let finding = finding.with(said.mark, format!("{last} of the {}, the last message", said.what.from));
        let finding = with_last_words(finding, timeline).with_end(timeline);
        Some(others.iter().fold(finding, |finding, id| finding.or(id, Confidence::Possible)))
    }
}

/// The layers behind TLS, or in its place.
const LAYERS: [&str; 4] = ["credssp", "mcs", "gcc", "rdp"];

/// A message behind TLS, or of MCS in clear, that cannot be read, and the session gets no further.
pub fn unreadable(timeline: &Timeline) -> Option<Finding> {
    stage::failed(timeline)?;
    let all = timeline.facts.malformed_in(&LAYERS);
    let last = all.rev().find(|seen| stage::in_time(timeline, seen.mark));
    let Sighting { what: (side, layer, trouble), mark } = last?;
    // What either side said behind it shows that it went on.
    let is_taken = timeline.facts.inner.said.as_ref().is_some_and(|said| said.mark.at > mark.at);
    if is_taken || !timeline.is_whole_before(*side, *mark) {
        return None;
    }
    let (phase, settings) = (timeline.last_phase(), timeline.last_phase().max(PhaseName::BasicSettings));
    let (id, what, sure, phase, other) = match *layer {
        "credssp" => ("NLA-BADMSG", "message of CredSSP", Confidence::Likely, PhaseName::Credssp, "TLS-INSPECT"),
        "rdp" => ("MCS-BADMSG", "message", Confidence::Possible, phase, "CAP-BAD"),
        "gcc" => ("MCS-BADMSG", "settings", Confidence::Possible, settings, "MCS-REJECT"),
        _ => ("MCS-BADMSG", "message of MCS", Confidence::Likely, settings, "MCS-REJECT"),
    };
    let says = format!("the {side}'s {what} cannot be read ({trouble})");
    let finding = at(timeline, id, sure, *mark, phase, says)?;
    let finding = with_last_words(finding.by(party(*side)).with(*mark, trouble.clone()), timeline);
    Some(finding.with_end(timeline).or(other, Confidence::Possible).or("SES-CRYPT", Confidence::Possible))
}

/// An alert that was opened, and an ultimatum: they say that it is over, not why.
fn with_last_words(finding: Finding, timeline: &Timeline) -> Finding {
    let alerts = timeline.facts.tls.iter().flat_map(|tls| &tls.alerts);
    let alert = alerts.filter(|seen| seen.what.2 != 0).max_by_key(|seen| seen.mark.at);
    let finding = match alert {
        Some(Sighting { what: (from, _, description), mark }) => {
            finding.with(*mark, format!("TLS alert {description} of the {from}, behind the handshake"))
        }
        None => finding,
    };
    match &timeline.facts.inner.ultimatum {
        Some(Sighting { what: (from, reason), mark }) => {
            let reason = coded(&["mcs-reason"], (*reason).into()).map_or("", |code| code.name);
            finding.with(*mark, format!("MCS Disconnect Provider Ultimatum of the {from}: {reason}"))
        }
        None => finding,
    }
}

/// A finding in a phase that may not be the one of the end.
pub fn at(
    timeline: &Timeline,
    id: &'static str,
    sure: Confidence,
    mark: Mark,
    phase: PhaseName,
    says: String,
) -> Option<Finding> {
    Some(Finding::at_end(timeline, id, sure, says)?.on(mark.leg, phase))
}

/// Who gave a verdict that stands in a message.
pub fn party(from: Side) -> Party {
    match from {
        Side::Client => Party::Client,
        Side::Server => Party::Server,
    }
}

/// A number in the first of these tables that has it.
pub fn coded(tables: &[&str], number: u32) -> Option<&'static Code> {
    tables.iter().filter_map(|key| Table::keyed(key)).find_map(|table| table.code(number))
}

/// "0xC000006D STATUS_LOGON_FAILURE".
pub fn written(number: u32, code: Option<&Code>) -> String {
    let name = code.map(|code| code.name).unwrap_or_default();
    format!("0x{number:08X} {name}").trim_end().to_owned()
}
