//! What people and scripts read: strings in memory, made from attempts.

pub mod causes;
mod columns;
pub mod explain;
pub mod histogram;
pub mod html;
pub mod json;
mod ladder;
pub mod player;
pub mod text;
pub mod verdict;

use crate::diagnose::stage::length;
use crate::observation::{Interception, Lapse, Leg, Means};
use crate::time::Timestamp;
use crate::timeline::Timeline;

/// Times that the proxy itself was stopped that are told one by one.
const LAPSES: usize = 8;
/// What is said instead of a time, and of all of them, of packets that have none.
pub const NO_TIMES: &str = "no times in this capture";

/// When something was, from the session's beginning on: "+1.2 ms"; `None` of packets that have no times.
fn since(timeline: &Timeline, at: Timestamp) -> Option<String> {
    let began = timeline.began.filter(|_| !timeline.is_untimed());
    (!timeline.is_untimed()).then(|| format!("+{}", length(at.after(began.unwrap_or_default()))))
}

/// How a relay changed this session by standing in it. Nothing for a packet capture.
pub fn altered_by_proxy(timeline: &Timeline) -> Vec<String> {
    let (Some(front), Some(back)) = (timeline.leg(Leg::Front), timeline.leg(Leg::Back)) else { return Vec::new() };
    let mut altered = vec![
        "it answers the client's SYN itself: a server that cannot be reached looks like one that hangs up".to_owned(),
        "TCP ends here twice: keep-alives, window, MSS and retransmissions of one leg do not reach the other"
            .to_owned(),
        "it carries no UDP: the session stays on TCP".to_owned(),
    ];
    if let (Some(listener), Some(server)) = (front.server, back.server) {
        altered.push(format!("the client connects to {listener} instead of {server}"));
    }
    if let Some((name, _)) = &timeline.target
        && front.server.is_some_and(|listener| listener.ip().is_loopback())
        && name.parse::<std::net::IpAddr>().is_err()
    {
        altered.push(format!(
            "unless the client still uses the name {name} (hosts entry), Kerberos, Credential Guard and name checks \
             differ from a direct connection"
        ));
    }
    altered.extend(headers(timeline));
    altered.extend(intercepted(timeline));
    altered.extend(impaired(timeline));
    altered.extend(lapsed(timeline));
    altered
}

/// What it did with headers of the PROXY protocol. Those that pass untouched changed nothing.
fn headers(timeline: &Timeline) -> Vec<String> {
    let headers = &timeline.facts.headers;
    let taken = headers.named_by.as_ref().map(|by| match headers.on(Leg::Front).find_map(|seen| seen.what.ends()) {
        Some((client, _)) => format!(
            "it took the PROXY header off that {} sends (--accept-proxy), and calls the client {client}, as that says",
            by.what
        ),
        None => format!(
            "it took the PROXY header off that {} sends (--accept-proxy), which names no client: that is who connects",
            by.what
        ),
    });
    let sent = headers.sent.map(|_| {
        let says =
            headers.on(Leg::Back).next().map_or("which was not sent any more".into(), |seen| seen.what.to_string());
        format!("it sent the server a PROXY header of its own (--send-proxy): {says}")
    });
    taken.into_iter().chain(sent).collect()
}

/// What a relay was asked to do to it.
fn impaired(timeline: &Timeline) -> impl Iterator<Item = String> {
    let began = timeline.began.unwrap_or_default();
    timeline.facts.impairments().map(move |(seen, over)| {
        let (asked, deed, leg) = (&seen.what.asked, seen.what.deed, seen.mark.leg);
        let since = length(seen.mark.at.after(began));
        let until = over.map(|over| format!(" until +{}", length(over.after(began)))).unwrap_or_default();
        let seed = seen.what.seed.map(|seed| format!(", its jitter made of the seed {seed}")).unwrap_or_default();
        format!("it impaired the session on purpose (--impair '{asked}'): {deed} on the {leg} leg from +{since}{until}{seed}")
    })
}

/// When it was itself stopped, or its clock set.
fn lapsed(timeline: &Timeline) -> impl Iterator<Item = String> {
    let began = timeline.began.unwrap_or_default();
    let lapses = &timeline.facts.lapses;
    let more = lapses.count.saturating_sub(LAPSES as u64);
    let told = lapses.first.iter().take(LAPSES).map(move |seen| {
        let at = length(seen.mark.at.after(began));
        let means = match seen.what {
            Lapse::Stopped { .. } => {
                "it passed nothing on meanwhile, and that time is charged to nobody: it is no part of any length here"
            }
            Lapse::Stepped { forward: true, .. } => {
                "times here go on by the clock as it was (a virtual machine that was paused looks like this, too)"
            }
            Lapse::Stepped { forward: false, .. } => "times here go on by the clock as it was",
        };
        format!("by +{at} it {}: {means}", seen.what)
    });
    let further =
        (more > 0).then(|| format!("and {more} times more; it was stopped for {} in all", length(lapses.stopped)));
    told.chain(further)
}

/// What a relay did that can stand inside TLS.
fn intercepted(timeline: &Timeline) -> Vec<String> {
    let Some(means) = timeline.facts.means() else { return Vec::new() };
    let told = timeline.facts.interception.iter().filter_map(|step| match &step.what {
        Interception::Asked(_) | Interception::Upstream { trusted: Some(true), .. } => None,
        Interception::Stands => Some(format!(
            "TLS ends here twice (--intercept {means}): {}; key exchange and tickets of one leg are not those of the other, \
             and nothing is resumed",
            match means {
                Means::ServerKey => "the client is shown the certificate that the proxy was given",
                Means::Authority => "the client is shown a certificate of the proxy's own authority",
            }
        )),
        Interception::Passed { why } => Some(format!("TLS passes untouched, although --intercept {means}: {why}")),
        Interception::Redialed { why } => Some(format!(
            "its own TLS with the server did not come about ({why}), which says nothing of the server: it connected a second \
             time, repeated the request and passed the client's own ClientHello on"
        )),
        Interception::Stuck { why } => Some(format!("it ended the session itself: {why}")),
        Interception::Broke { why } => {
            Some(format!("its own TLS of the {} leg broke ({why}), and so it ended both legs", step.mark.leg))
        }
        Interception::Upstream { trusted: Some(false), says } => {
            Some(format!("it accepted the server's certificate, which this machine does not trust: {says}"))
        }
        Interception::Upstream { trusted: None, says } => {
            Some(format!("it accepted the server's certificate without knowing whether to trust it: {says}"))
        }
        Interception::OtherKey => Some(
            "the server has another public key than the certificate that the proxy was given (--cert): CredSSP, which binds \
             to it, fails by that"
                .to_owned(),
        ),
        Interception::Unbound => Some(
            "the client is shown another certificate than the gateway's, and what NTLM and Kerberos prove over HTTP is bound              to it (RFC 5929): a gateway that checks answers 401 by that, which says nothing of the password"
                .to_owned(),
        ),
    });
    told.collect()
}

/// 12,345.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// "relay" or "packets".
pub fn source(timeline: &Timeline) -> &'static str {
    if timeline.is_relayed() { "relay" } else { "packets" }
}
