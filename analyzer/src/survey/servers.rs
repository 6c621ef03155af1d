//! Patterns among the sessions of one server: who fails, at which address, with what.

use std::net::IpAddr;

use super::{Pattern, Server, Set, client, clients, pattern};
use crate::attempt::Diagnosed;
use crate::diagnose::tls::certificate;
use crate::diagnose::{Confidence, Outcome, Severity};
use crate::event::McsPdu;
use crate::observation::{Ending, Side};
use crate::time::day;
use crate::timeline::leg::Dial;

/// Witnesses of one kind that are no chance.
const ENOUGH: usize = 3;
/// Witnesses of each kind, where two kinds are compared.
const EACH: usize = 2;
/// A ClientHello of more does not fit into one segment of a tunnel, bytes.
const LARGE: u32 = 1200;
/// Certificates that were seen longer apart than this may be renewed ones, days.
const RENEWAL: u64 = 1;

/// The cause of a failed session, if there is one.
fn failure(session: &Diagnosed) -> Option<&'static str> {
    let finding = session.findings.first().filter(|finding| finding.severity == Severity::Failure)?;
    (session.outcome == Outcome::Failed).then_some(finding.cause.id)
}

/// Every client fails in the same way: it is not the clients.
pub fn all_alike(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(all_alike_of)
}

fn all_alike_of(server: &str, of: &Server<'_>) -> Option<Pattern> {
    let attempts = of.deciding.clone();
    let cause = failure(attempts.first()?)?;
    let who = clients(&attempts).len();
    if attempts.len() < ENOUGH || who < EACH || attempts.iter().any(|session| failure(session) != Some(cause)) {
        return None;
    }
    let says = format!(
        "all {} attempts of {who} clients to {server} fail alike, none connects: it is the server, or the way to it, not a client",
        attempts.len()
    );
    Some(pattern("all clients fail alike", Some(cause), Confidence::Likely, says, &attempts))
}

/// One client fails again and again while others connect: it is not the server.
pub fn one_client(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(one_client_of)
}

fn one_client_of(server: &str, of: &Server<'_>) -> Option<Pattern> {
    let attempts = of.deciding.clone();
    let (failed, rest): (Vec<_>, Vec<_>) = attempts.into_iter().partition(|session| failure(session).is_some());
    let connected: Vec<&Diagnosed> = rest.into_iter().filter(|session| session.outcome == Outcome::Connected).collect();
    let ([who], others) = (&clients(&failed)[..], clients(&connected)) else { return None };
    if failed.len() < EACH || others.len() < EACH || others.contains(who) {
        return None;
    }
    let says = format!(
        "{who} fails {} times at {server} while {} other clients connect: it is that client, or its way, not the server",
        failed.len(),
        others.len()
    );
    Some(pattern("one client fails", failure(failed.first()?), Confidence::Likely, says, &failed))
}

/// A name has several addresses and one of them never answers.
pub fn dead_address(set: &Set<'_>) -> Vec<Pattern> {
    let mut found = Vec::new();
    for (server, Server { sessions, .. }) in &set.servers {
        let dials = || sessions.iter().flat_map(|session| dials_of(session));
        let mut addresses: Vec<IpAddr> = dials().map(|dial| dial.server.ip()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let count = |address: IpAddr, answered: bool| {
            let results = dials().filter(|dial| dial.server.ip() == address).filter_map(|dial| dial.result);
            // A refusal is an answer, too.
            let is_silence = |failed| matches!(failed, Some(Ending::TimedOut | Ending::Unreachable));
            results.filter(|(_, failed)| is_silence(*failed) != answered).count()
        };
        let alive: Vec<IpAddr> = addresses.iter().copied().filter(|address| count(*address, true) > 0).collect();
        for dead in addresses.iter().filter(|address| count(**address, true) == 0 && count(**address, false) >= EACH) {
            let Some(other) = alive.first() else { continue };
            let says = format!(
                "{dead}, one of the addresses of {server}, never answers in {} attempts; {other} does",
                count(*dead, false)
            );
            let tried = |session: &&Diagnosed| dials_of(session).iter().any(|dial| dial.server.ip() == *dead);
            let tried: Vec<&Diagnosed> = sessions.iter().copied().filter(tried).collect();
            found.push(pattern("one address of several is dead", Some("DNS-AAAA"), Confidence::Likely, says, &tried));
        }
    }
    found
}

/// The same server refuses, or does not answer, between connections that it takes: its queue is full, or it is under
/// attack.
pub fn intermittent(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(intermittent_of)
}

fn intermittent_of(server: &str, of: &Server<'_>) -> Option<Pattern> {
    let is_lost = |session: &&&Diagnosed| matches!(failure(session), Some("TCP-REFUSED" | "TCP-DROP"));
    let lost: Vec<&Diagnosed> = of.sessions.iter().filter(is_lost).copied().collect();
    let taken: Vec<&Diagnosed> =
        of.sessions.iter().filter(|session| session.outcome == Outcome::Connected).copied().collect();
    let between = lost.iter().filter(|session| {
        let began = session.began();
        taken.iter().any(|other| other.began() < began) && taken.iter().any(|other| other.began() > began)
    });
    let one_address = |session: &&Diagnosed| session.timeline.server_leg().and_then(|leg| leg.server);
    let same = lost.iter().all(|session| one_address(session) == taken.first().and_then(one_address));
    if between.count() < EACH || !same {
        return None;
    }
    let says = format!(
        "{server} does not take {} of {} connections, and takes those in between",
        lost.len(),
        of.sessions.len()
    );
    Some(pattern("refused now and then", Some("TCP-BACKLOG"), Confidence::Possible, says, &lost))
}

/// Small ClientHellos are answered and large ones are not.
pub fn large_flights(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(large_flights_of)
}

fn large_flights_of(server: &str, of: &Server<'_>) -> Option<Pattern> {
    let hello = |session: &Diagnosed| {
        let facts = &session.timeline.facts;
        let hello = facts.first(|tls| tls.hello.as_ref())?.what.len;
        Some((hello, facts.first(|tls| tls.server_hello.as_ref()).is_some()))
    };
    let hellos: Vec<(u32, bool, &Diagnosed)> = of
        .sessions
        .iter()
        .filter_map(|session| hello(session).map(|(len, is_answered)| (len, is_answered, *session)))
        .collect();
    let lost: Vec<&Diagnosed> =
        hellos.iter().filter(|(_, answered, _)| !answered).map(|(.., session)| *session).collect();
    let least_lost = hellos.iter().filter(|(_, answered, _)| !answered).map(|(len, ..)| *len).min()?;
    let most_answered = hellos.iter().filter(|(_, answered, _)| *answered).map(|(len, ..)| *len).max()?;
    if lost.len() < EACH || least_lost < LARGE || most_answered >= LARGE {
        return None;
    }
    let says = format!(
        "{server} answers ClientHellos of up to {most_answered} bytes and none of {least_lost} bytes or more: large segments vanish on the way"
    );
    Some(pattern("only large flights fail", Some("PATH-PMTU"), Confidence::Likely, says, &lost))
}

/// One name, several certificates: a farm, or somebody in between.
pub fn other_certificate(set: &Set<'_>) -> Vec<Pattern> {
    set.each_server(other_certificate_of)
}

fn other_certificate_of(server: &str, of: &Server<'_>) -> Option<Pattern> {
    // Behind a gateway there are many servers: it is the gateway's own that is to stay the same.
    let leaf = |session: &&Diagnosed| match &session.timeline.facts.gateway {
        Some(gateway) => gateway.certificates().first().map(|leaf| (*leaf).clone()),
        None => Some(certificate(&session.timeline)?.what.first()?.clone()),
    };
    let first = of.sessions.iter().find_map(leaf)?;
    let changed = of.sessions.iter().find(|session| leaf(session).is_some_and(|leaf| leaf.sha256 != first.sha256))?;
    let began = of.sessions.first()?.began();
    if changed.began().since(began).as_secs() > RENEWAL * 86_400 {
        return None;
    }
    let leaf = leaf(changed)?;
    let says = format!(
        "{server} shows more than one certificate: {} (SHA-1 {}), until {}, and {} (SHA-1 {}), until {}, issued by {}",
        first.subject,
        brief(&first.sha1),
        day(first.not_after),
        leaf.subject,
        brief(&leaf.sha1),
        day(leaf.not_after),
        leaf.issuer
    );
    Some(pattern("another certificate", Some("TLS-CHANGED"), Confidence::Possible, says, &[changed]))
}

/// Every attempt of a session to reach its server.
fn dials_of(session: &Diagnosed) -> &[Dial] {
    session.timeline.server_leg().map_or(&[], |leg| &leg.dials)
}

/// The beginning of a fingerprint.
fn brief(fingerprint: &str) -> &str {
    fingerprint.get(..8).unwrap_or(fingerprint)
}

/// Whether a session was ended by something else than its client, which had not said goodbye either.
pub(super) fn was_cut(session: &Diagnosed) -> bool {
    let facts = &session.timeline.facts;
    let by_client = |side: Side| side == Side::Client;
    let alerted = facts.first(|tls| tls.sealed_alert.as_ref()).is_some_and(|alert| by_client(alert.what.0));
    let left =
        facts.mcs.iter().any(|seen| matches!(seen.what, (Side::Client, McsPdu::DisconnectProviderUltimatum { .. })));
    let end = session.timeline.end.filter(|end| end.how != Ending::Cut && !alerted && !left);
    end.is_some_and(|end| end.from != Some(Side::Client)) && client(session).is_some()
}
