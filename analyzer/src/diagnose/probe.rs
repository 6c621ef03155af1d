//! Rules for what a probe sees and a user's session does not: an end that nobody waited for, one question beside another.
//!
//! The sessions of a probe are judged by the same RULES as everybody's. Here stands what is left to say of a server that
//! answered.

use std::net::IpAddr;

use super::stage::length;
use super::{Confidence, Finding, Party, Severity, tls};
use crate::count::counted;
use crate::timeline::Timeline;
use crate::timeline::phase::PhaseName;

pub use super::https::speaks_tls_first;

/// What is wrong with the certificate that was shown: each fault a finding of its own. That it is self-signed is how RDP
/// servers come, and that an address is not in it how people ask: those are notes.
pub fn certificate(timeline: &Timeline) -> Vec<Finding> {
    let found = tls::faults(timeline).into_iter().filter_map(|(id, says)| {
        let severity = if is_usual(id, timeline) { Severity::Note } else { Severity::Warning };
        of_certificate(timeline, id, Confidence::Certain, format!("the certificate: {says}"))
            .map(|f| f.severity(severity))
    });
    found.chain(unfit(timeline)).collect()
}

fn is_usual(id: &str, timeline: &Timeline) -> bool {
    let by_address = || tls::asked(timeline).is_some_and(|name| name.parse::<IpAddr>().is_ok());
    match id {
        "TLS-UNTRUST" => true,
        "TLS-NAME" => by_address(),
        _ => false,
    }
}

/// A certificate that limits its use must allow that of a server: serverAuth, or Microsoft's own for Remote Desktop.
fn unfit(timeline: &Timeline) -> Option<Finding> {
    let leaf = tls::certificate(timeline)?.what.first()?;
    let allows =
        |usage: &String| matches!(usage.as_str(), "serverAuth" | "remoteDesktopAuthentication" | "anyExtendedKeyUsage");
    if leaf.eku.is_empty() || leaf.eku.iter().any(allows) {
        return None;
    }
    let says = format!("the certificate is not for servers: extended key usage {}", leaf.eku.join(", "));
    of_certificate(timeline, "TLS-UNTRUST", Confidence::Likely, says).map(|finding| finding.severity(Severity::Warning))
}

/// The chain does not lead to a root of this machine's store. Another client's store may know better.
pub fn untrusted(timeline: &Timeline, why: &str) -> Option<Finding> {
    let says = format!("this machine's store does not trust the certificate: {why}");
    of_certificate(timeline, "TLS-UNTRUST", Confidence::Likely, says).map(|finding| finding.severity(Severity::Note))
}

fn of_certificate(timeline: &Timeline, id: &'static str, confidence: Confidence, says: String) -> Option<Finding> {
    let mark = tls::certificate(timeline)?.mark;
    let finding = Finding::at_end(timeline, id, confidence, says)?;
    Some(tls::with_certificate(finding.on(mark.leg, PhaseName::Tls).by(Party::Server), timeline))
}

/// What is wrong with a gateway's certificate: clients refuse it, and mstsc lets nobody click past that.
pub fn gateway_certificate(timeline: &Timeline) -> Option<Finding> {
    let mut faults: Vec<String> = tls::faults(timeline).into_iter().map(|(_, says)| says).collect();
    faults.extend(unfit(timeline).map(|finding| finding.says));
    if faults.is_empty() {
        return None;
    }
    let says = format!("the gateway's certificate: {}; mstsc lets nobody click past that", faults.join("; "));
    let finding = of_certificate(timeline, "RDG-CERT", Confidence::Possible, says)?;
    Some(finding.severity(Severity::Warning))
}

/// An answer over HTTP that keeps clients of a gateway out.
pub fn gateway(timeline: &Timeline, id: &'static str, severity: Severity, says: String) -> Option<Finding> {
    // Whoever asks reads the answer.
    let finding = Finding { is_read: true, ..Finding::at_end(timeline, id, Confidence::Possible, says)? };
    Some(finding.on(super::Leg::Only, PhaseName::GatewayHttp).by(Party::Server).severity(severity))
}

/// A server that was offered TLS and NLA and selects neither.
pub fn plain(timeline: &Timeline) -> Option<Finding> {
    let confirm = timeline.facts.confirm.as_ref()?;
    if timeline.facts.selected()?.0 != 0 {
        return None;
    }
    let says =
        "the server selects standard RDP security: clients that insist on TLS or NLA will not connect".to_owned();
    let finding = Finding::at_end(timeline, "X224-SSLNO", Confidence::Certain, says)?;
    let finding = finding.on(confirm.mark.leg, PhaseName::Negotiation).by(Party::Server).severity(Severity::Warning);
    Some(finding.with(confirm.mark, "confirm selects RDP").or("TLS-NOKEY", Confidence::Possible))
}

/// The best that the server has is older than what current clients accept.
pub fn outdated(timeline: &Timeline, version: &str) -> Option<Finding> {
    let says = format!("the server's newest version is TLS {version}: current clients ask for 1.2 at least");
    let finding = Finding::at_end(timeline, "TLS-VER", Confidence::Certain, says)?;
    Some(finding.on(super::Leg::Only, PhaseName::Tls).by(Party::Server).severity(Severity::Warning))
}

/// A small ClientHello was answered; the same one, longer than a segment, was not: the path does not carry large segments.
pub fn large(small: &Timeline, large: &Timeline) -> Option<Finding> {
    let answer = small.facts.first(|tls| tls.server_hello.as_ref())?;
    let hello = large.facts.first(|tls| tls.hello.as_ref())?;
    let silent = large.end.as_ref().filter(|end| super::stage::by_client(end) || super::stage::by_timeout(end))?;
    let (len, waited) = (hello.what.len, length(silent.mark.at.since(hello.mark.at)));
    let says = format!("a ClientHello of {len} bytes gets no answer for {waited}, a small one does");
    let finding = Finding::at_end(large, "PATH-PMTU", Confidence::Likely, says)?;
    let finding = finding.on(hello.mark.leg, PhaseName::Tls).by(Party::Middlebox);
    let finding = finding.with(answer.mark, "ServerHello in answer to the small ClientHello");
    let finding = finding.with(hello.mark, format!("ClientHello of {len} bytes"));
    Some(match path(large) {
        Some(says) => finding.with(silent.mark, says),
        None => finding,
    })
}

/// What the kernel saw of the path, as evidence.
pub fn path(timeline: &Timeline) -> Option<String> {
    let sample = timeline.server_leg()?.path()?.what;
    let number = |number: Option<u64>| number.map_or("?".into(), |number| number.to_string());
    let count = |number: Option<u64>, noun: &str| number.map_or(format!("? {noun}s"), |number| counted(number, noun));
    Some(format!(
        "{} sent again, {} out of order, {} acknowledged, MSS {}, path MTU {}",
        count(sample.retransmits, "segment"),
        number(sample.out_of_order),
        count(sample.bytes_acked, "byte"),
        number(sample.snd_mss),
        number(sample.pmtu)
    ))
}
