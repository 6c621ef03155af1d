//! How far the two sides got, message by message, and how that reads in words.

use std::time::Duration;

use super::path;
use crate::count::counted;
use crate::observation::{Ending, Leg, Side};
use crate::prediction::Prediction;
use crate::time::Timestamp;
use crate::timeline::coverage::Unseen;
use crate::timeline::facts::{Mark, Tls};
use crate::timeline::phase::{Outcome, PhaseName};
use crate::timeline::{self, End, Timeline};

/// A client that has something to say says it sooner.
const OWED: Duration = Duration::from_millis(500);
/// When a SYN is sent again, at the earliest.
const SYN_REPEATED: Duration = Duration::from_secs(1);
/// A long round trip.
const ROUND_TRIP: Duration = Duration::from_millis(200);

/// The last message of the connection's opening that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// No TCP connection to the server.
    Closed,
    /// TCP stands, nothing was asked.
    Opened,
    /// The X.224 request was sent.
    Request,
    /// The confirm agreed on TLS.
    Confirm,
    /// The confirm agreed on standard RDP security.
    Plain,
    /// ClientHello.
    ClientHello,
    /// ServerHello, but not the whole of the server's flight.
    ServerHello,
    /// The whole of the server's flight, as far as can be seen.
    ServerFlight,
    /// The TLS handshake is complete.
    Established,
}

/// How far a session got.
pub fn stage(timeline: &Timeline) -> (Stage, Option<Mark>) {
    let facts = &timeline.facts;
    // What the client says behind the server's end the server did not end at.
    let end = timeline.end.filter(by_server).map(|end| (end.mark.at, end.mark.frame));
    let in_time = |mark: &Mark| end.is_none_or(|end| (mark.at, mark.frame) <= end);
    let reached = [
        (Stage::Established, facts.first(|tls| tls.established.as_ref()).map(|seen| seen.mark)),
        (Stage::ServerFlight, server_flight(timeline)),
        (Stage::ServerHello, facts.first(|tls| tls.server_hello.as_ref()).map(|seen| seen.mark)),
        (Stage::ClientHello, facts.first(|tls| tls.hello.as_ref()).map(|seen| seen.mark).filter(in_time)),
        (plain_or_tls(timeline), facts.confirm.as_ref().map(|seen| seen.mark)),
        (Stage::Request, facts.request.as_ref().map(|seen| seen.mark).filter(in_time)),
    ];
    let opened = timeline.server_leg().and_then(|leg| leg.opened);
    if opened.is_none() {
        return (Stage::Closed, None);
    }
    let found = reached.into_iter().find(|(_, mark)| mark.is_some());
    found.unwrap_or((Stage::Opened, opened))
}

/// What keeps the input from showing how a session ended: of one that never became active what was said behind the last
/// message that is here, of one that did the last words. `None` where it holds all of it.
pub fn unseen(timeline: &Timeline) -> Option<Unseen> {
    if timeline.is_active() {
        return timeline.unseen_last_words();
    }
    let facts = &timeline.facts;
    let since = match stage(timeline) {
        // Behind encryption one step is told from the one before it.
        (Stage::Established | Stage::Closed | Stage::Opened, _) => None,
        (_, mark) => mark,
    };
    timeline.unseen_since(since.filter(|_| facts.gateway.is_none()).map_or(Timestamp::at(0), |mark| mark.at))
}

fn plain_or_tls(timeline: &Timeline) -> Stage {
    match timeline.facts.selected() {
        Some(selected) if selected.0 != 0 => Stage::Confirm,
        _ => Stage::Plain,
    }
}

/// TLS 1.2: ServerHelloDone, or a resumed session's ServerHello. TLS 1.3 seals the flight: three kilobytes or one
/// record say nothing for certain, but a client that answers has had it all.
fn server_flight(timeline: &Timeline) -> Option<Mark> {
    let facts = &timeline.facts;
    let done = facts.first_mark(|tls| tls.hello_done);
    let sealed = facts.first(|tls| {
        let alert = tls.sealed_alert.as_ref().filter(|alert| alert.what.0 == Side::Client);
        tls.server_hello.as_ref().filter(|hello| hello.what.version == 0x0304 && alert.is_some())
    });
    let resumed = facts.first(|tls| tls.server_hello.as_ref().filter(|hello| hello.what.resumed));
    done.or(sealed.map(|seen| seen.mark)).or(resumed.map(|seen| seen.mark))
}

/// Whether the session ended without ever becoming active, was not sent elsewhere, and its client had waited for what it asked:
/// of one that did not nobody failed.
pub fn failed(timeline: &Timeline) -> Option<&End> {
    ended_early(timeline).filter(|_| hasty(timeline).is_none())
}

/// Whether the session ended without ever becoming active, and was not sent elsewhere. One that was stopped has not failed,
/// unless something was refused before.
pub fn ended_early(timeline: &Timeline) -> Option<&End> {
    let end = timeline.end.as_ref().filter(|end| !is_stopped(timeline, end))?;
    let is_sent = timeline.facts.inner.is_redirected() || timeline.may_be_redirected();
    let goes_on = timeline.is_active() || is_sent;
    (!goes_on).then_some(end)
}

/// The end that the server made of a connection in which the client owed the next word: its request, or its ClientHello.
pub fn client_owed(timeline: &Timeline) -> Option<&End> {
    let (stage, mark) = stage(timeline);
    let is_owed = match stage {
        Stage::Opened | Stage::Confirm => timeline.facts.not_rdp.is_none(),
        Stage::Plain => timeline.facts.mcs.iter().all(|seen| seen.what.0 == Side::Server),
        Stage::Closed
        | Stage::Request
        | Stage::ClientHello
        | Stage::ServerHello
        | Stage::ServerFlight
        | Stage::Established => false,
    };
    let patience = OWED.max(round_trip(timeline) * 3);
    let said = timeline.facts.ultimatum().is_some();
    // An alert to which no ClientHello came is how some servers say that they waited in vain.
    let since = mark.filter(|_| stage == Stage::Confirm);
    let waited = |end: &End| since.map_or(end.silence, |since| end.mark.at.since(since.at));
    ended_early(timeline).filter(|end| is_owed && !said && by_server(end) && waited(end) >= patience)
}

/// Whether neither side ended it, nor this program because of what it met or was asked to do: the recording ends, or the
/// proxy is stopped.
fn is_stopped(timeline: &Timeline, end: &End) -> bool {
    let is_refused = || timeline.phases.iter().any(|phase| phase.outcome == Outcome::Failed);
    let is_own = || timeline.facts.ended_inside().is_some() || timeline.ended_on_purpose().is_some();
    (end.how == Ending::Cut || end.is_cut_short()) && !is_refused() && !is_own()
}

/// Whether it was the far side that ended it: the server on its leg, or its silence towards this end's kernel.
pub fn by_server(end: &End) -> bool {
    end.from == Some(Side::Server) && end.mark.leg != Leg::Front
}

/// Whether the client ended it.
pub fn by_client(end: &End) -> bool {
    end.from == Some(Side::Client) && end.mark.leg != Leg::Back
}

/// How long a client waited that left before anybody could have answered it: of a SYN before its first repetition, of
/// a request or ClientHello before a long round trip was over, of any later message before one round trip was. `None` where it
/// waited longer, or where it is not its own end.
pub fn hasty(timeline: &Timeline) -> Option<Duration> {
    let end = ended_early(timeline).filter(|end| by_client(end))?;
    let (asked, enough) = match stage(timeline) {
        (Stage::Closed, _) => (timeline.server_leg()?.dials.first()?.began.at, SYN_REPEATED),
        (Stage::Request | Stage::ClientHello, Some(mark)) => (mark.at, ROUND_TRIP.max(round_trip(timeline) * 3 / 2)),
        (Stage::Opened | Stage::Request | Stage::ClientHello, _) => return None,
        (Stage::Confirm | Stage::Plain | Stage::ServerHello | Stage::ServerFlight | Stage::Established, _) => {
            (asked_last(timeline)?, round_trip(timeline))
        }
    };
    let waited = end.mark.at.since(asked);
    // Before there is a connection an RST with other marks than the SYN is how a kernel answers beside a scanner.
    let is_forged = || stage(timeline).0 != Stage::Closed && path::forged_reset(timeline).is_some();
    let is_hasty = waited < enough && !was_answered(timeline) && !is_told(timeline) && !is_forged();
    // A timer that runs out on a slow or lossy path runs out at any time.
    (is_hasty && path::slow(timeline).is_none() && path::lossy(timeline).is_none()).then_some(waited)
}

/// Whether the server has said something to what the client asked last, or either side why it ends.
fn was_answered(timeline: &Timeline) -> bool {
    let is_open = stage(timeline).0 != Stage::Closed;
    let is_told = timeline.facts.fatal_alert().is_some() || super::is_said(timeline);
    is_told || is_open && !client_waits(timeline)
}

/// When the client said last what wants an answer, behind the server's first, where no word of the server came after it: whoever
/// leaves on such a word reacts to it.
fn asked_last(timeline: &Timeline) -> Option<Timestamp> {
    if timeline.facts.gateway.is_some() {
        return None;
    }
    let client = timeline.client_leg()?;
    let tls = timeline.facts.tls.iter().find(|tls| tls.leg == client.name);
    match stage(timeline).0 {
        Stage::Closed | Stage::Opened | Stage::Request | Stage::Confirm | Stage::ClientHello => None,
        Stage::Plain => client.spoke[Side::Client as usize].map(|spoke| spoke.at),
        // Of what a client says then, its key exchange alone wants an answer; and an alert behind it is a verdict.
        Stage::ServerHello | Stage::ServerFlight => {
            tls.filter(|tls| !is_refused(tls))?.key_exchange.map(|mark| mark.at)
        }
        // Behind its own Finished the client has the word: what it looks at then is the certificate.
        Stage::Established if timeline.last_phase() <= PhaseName::Tls => None,
        Stage::Established => {
            let records = tls?.first_records.iter().filter(|record| record.from == Side::Client && !record.is_alert());
            records.map(|record| record.at).max()
        }
    }
}

/// Whether the client has sent an alert, in clear or sealed.
fn is_refused(tls: &Tls) -> bool {
    let sealed = tls.sealed_alert.as_ref().is_some_and(|alert| alert.what.0 == Side::Client);
    sealed || tls.alerts.iter().any(|alert| alert.what.0 == Side::Client)
}

/// Whether the server had said, before the end, that there will be no answer: what the client leaves at is that.
fn is_told(timeline: &Timeline) -> bool {
    let facts = &timeline.facts;
    let alert = facts.fatal_alert().filter(|alert| alert.what.0 == Side::Server).map(|alert| alert.mark);
    let not_tls = facts.not_tls().filter(|seen| seen.what.0 == Side::Server).map(|seen| seen.mark);
    let ultimatum = facts.ultimatum().map(|seen| seen.mark);
    // What the client went on after it has taken.
    let spoke = timeline.client_leg().and_then(|leg| leg.spoke[Side::Client as usize]);
    let is_last = |mark: &Mark| spoke.is_none_or(|spoke| (spoke.at, spoke.frame) <= (mark.at, mark.frame));
    let malformed = facts.malformed.iter().find(|seen| seen.what.0 == Side::Server).map(|seen| seen.mark);
    let malformed = malformed.filter(is_last);
    [alert, not_tls, ultimatum, malformed].into_iter().flatten().any(|mark| in_time(timeline, mark))
}

/// Whether this was said before the session's end: what is said behind it is an answer to the end.
pub fn in_time(timeline: &Timeline, mark: Mark) -> bool {
    timeline.end.is_none_or(|end| by_server(&end) || (mark.at, mark.frame) <= (end.mark.at, end.mark.frame))
}

/// The server's Disconnect Provider Ultimatum that is not sealed, where it said that before the session's end.
pub fn goodbye(timeline: &Timeline) -> Option<Mark> {
    timeline.facts.ultimatum().map(|seen| seen.mark).filter(|mark| in_time(timeline, *mark))
}

/// One round trip from end to end, as measured.
fn round_trip(timeline: &Timeline) -> Duration {
    timeline.legs.iter().filter_map(|leg| leg.rtt()).sum()
}

/// Whether the client acted first: it closed, or it sent a sealed alert before anybody closed.
pub fn client_acted(timeline: &Timeline, end: &End) -> bool {
    let alert = timeline.facts.first(|tls| tls.sealed_alert.as_ref());
    let alerted = alert.is_some_and(|alert| alert.what.0 == Side::Client && alert.mark.at <= end.mark.at);
    by_client(end) || alerted
}

/// Whether this end's kernel gave up waiting for acknowledgements.
pub fn by_timeout(end: &End) -> bool {
    end.how == Ending::TimedOut
}

/// "11 round trips at 180 ms RTT and 2 % loss should take 2.1 s"
pub fn prediction(predicted: &Prediction) -> String {
    let Prediction { round_trips, rtt, loss_permille, .. } = *predicted;
    let loss = match loss_permille {
        0 => String::new(),
        1..10 => " and less than 1 % loss".into(),
        _ => format!(" and {} % loss", loss_permille / 10),
    };
    let trips = counted(round_trips, "round trip");
    format!("{trips} at {} RTT{loss} should take {}", length(rtt), length(predicted.time()))
}

/// Who gives up at the end: "the client gives up", or of a session that was only read so "the proxy is stopped".
pub fn gives_up(end: &End) -> &'static str {
    match end.stopped {
        Some(Ending::Cut) => "the recording ends",
        Some(_) => "the proxy is stopped",
        None if by_client(end) => "the client gives up",
        None => "the attempt is given up",
    }
}

/// "server reset the connection 3 ms after the last byte"
pub fn end_in_words(end: &End) -> String {
    let after = format!("{} after the last byte", length(end.silence));
    if end.stopped.is_some() {
        return format!("{} {after}", gives_up(end).trim_start_matches("the "));
    }
    match (end.how, end.from) {
        (Ending::Fin, Some(side)) if end.unseen => {
            format!("{side} closes (its FIN is not in the capture, but counted here)")
        }
        (Ending::Fin, Some(side)) => format!("{side} closes (FIN) {after}"),
        (Ending::Reset, Some(side)) => format!("{side} resets (RST) {after}"),
        (Ending::Refused, _) => "the SYN is answered with RST".into(),
        (Ending::Unreachable, _) => "the network reports the server unreachable".into(),
        (Ending::TimedOut, _) => format!("no answer for {}", length(end.silence)),
        (Ending::Unresolved, _) => "the name has no address".into(),
        (Ending::Cut, _) => "the recording ends".into(),
        (Ending::Fin | Ending::Reset, None) => "the connection ends".into(),
    }
}

/// A length of time in words: microseconds below one millisecond, then milliseconds, then seconds.
pub fn length(length: Duration) -> String {
    let micros = length.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.1} ms", length.as_secs_f64() * 1e3),
        10_000..999_500 => format!("{:.0} ms", length.as_secs_f64() * 1e3),
        999_500..100_000_000 => format!("{:.1} s", length.as_secs_f64()),
        _ => format!("{:.0} s", length.as_secs_f64()),
    }
}

/// What a sentence says without its lengths of time, of packets that have no times: all of those are zero.
pub fn without_times(says: &str) -> String {
    const LENGTHS: [(&str, &str); 12] = [
        (", after 0 µs of silence", ""),
        (" after 0 µs of silence", ""),
        (" after 0 µs of waiting for ", ", waiting for "),
        (", after 0 µs", ""),
        (" after 0 µs", ""),
        (", for 0 µs", ""),
        (" for 0 µs", ""),
        (" in 0 µs", ""),
        (", 0 µs after ", ", after "),
        (" 0 µs after ", " after "),
        ("RTT 0 µs", "RTT unknown"),
        ("0 µs", "an unknown time"),
    ];
    LENGTHS.iter().fold(says.to_owned(), |says, (length, without)| says.replace(length, without))
}

/// Whether it is the client that waits: it said something, other than an alert, since it had the server's last word. Each
/// is looked at where it is first seen; what the server said within one round trip to the client before the end, the
/// client did not have.
pub fn client_waits(timeline: &Timeline) -> bool {
    let (client, server) = (timeline.client_leg(), timeline.server_leg());
    let Some(end) = timeline.end.map(|end| end.mark.at) else { return false };
    let to_client = client.and_then(to_client).unwrap_or_default();
    let in_time =
        |from: Side, at: &Timestamp| *at + if from == Side::Server { to_client } else { Duration::ZERO } <= end;
    let records = |leg: Option<&timeline::leg::Leg>, from: Side| {
        let tls = leg.and_then(|leg| timeline.facts.tls.iter().find(|tls| tls.leg == leg.name));
        let records = tls.into_iter().flat_map(|tls| &tls.first_records);
        let said = records.filter(|record| record.from == from && !record.is_alert()).map(|record| record.at);
        said.filter(|at| in_time(from, at)).max()
    };
    if let Some(said) = records(client, Side::Client).filter(|_| stage(timeline).0 == Stage::Established) {
        return records(server, Side::Server).is_none_or(|answered| said > answered);
    }
    let spoke = |leg: Option<&timeline::leg::Leg>, side: Side| {
        leg?.spoke[side as usize].map(|mark| mark.at).filter(|at| in_time(side, at))
    };
    spoke(client, Side::Client) >= spoke(server, Side::Server)
}

/// A round trip from where the client is seen to the client.
fn to_client(leg: &timeline::leg::Leg) -> Option<Duration> {
    match leg.name {
        Leg::Front => leg.rtt(),
        Leg::Only => leg.path()?.what.client_min_rtt_us.map(Duration::from_micros),
        Leg::Back => None,
    }
}

/// The leg on which the client is.
pub fn client_leg(timeline: &Timeline) -> Leg {
    timeline.client_leg().map_or(Leg::Only, |leg| leg.name)
}

/// The leg to blame for silence: where the silent server is.
pub fn server_leg(timeline: &Timeline) -> Leg {
    timeline.server_leg().map_or(Leg::Only, |leg| leg.name)
}
