//! The whole analysis for scripts. Later versions add keys and never take one away. The only module that names
//! serde_json.

mod causes;
mod compare;
mod explain;
mod gateway;
mod histogram;
mod inner;
mod path;
pub mod probe;

pub use causes::catalogue;
pub use compare::comparison;
pub use explain::explanations;
pub use histogram::histograms;

use serde_json::{Map, Value, json};

use super::{altered_by_proxy, source, verdict};
use crate::attempt::{Attempt, Diagnosed, Link, Witness};
use crate::codes::{Table, tls as names};
use crate::diagnose::stage::unseen;
use crate::diagnose::{Evidence, Finding, Party, direct_equivalent};
use crate::event::{Basis, Certificate, Protocols};
use crate::observation::{Field, Side, Sign};
use crate::proxy_protocol::Header;
use crate::shown;
use crate::survey::{Pattern, survey};
use crate::time::Timestamp;
use crate::timeline::facts::{Decrypted, Facts, Record, Sighting, Tls};
use crate::timeline::leg::Leg;
use crate::timeline::phase::Phase;
use crate::timeline::{End, Inferred, LastWords, Sureness, Timeline};

/// Version of the document's schema.
const SCHEMA: u32 = 1;

/// What was said of the inputs besides what their sessions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Of which input; of all where there is none.
    pub file: Option<String>,
    /// What, as it stands on standard error.
    pub says: String,
}

/// The document, indented.
pub fn document(version: &str, attempts: &[Attempt]) -> String {
    document_noting(version, attempts, &[])
}

/// The same, with what was said of the inputs.
pub fn document_noting(version: &str, attempts: &[Attempt], notices: &[Notice]) -> String {
    let patterns: Vec<Value> = survey(attempts).iter().map(pattern).collect();
    let attempts: Vec<Value> = attempts.iter().map(attempt).collect();
    pretty(&json!({
        "rdpscope": version,
        "schema": SCHEMA,
        "attempts": attempts,
        "patterns": patterns,
        "notices": self::notices(notices),
    }))
}

fn notices(notices: &[Notice]) -> Value {
    notices.iter().map(|notice| json!({ "file": notice.file, "says": notice.says })).collect()
}

fn pattern(pattern: &Pattern) -> Value {
    json!({
        "rule": pattern.rule,
        "cause": pattern.cause.map(|cause| cause.id),
        "confidence": pattern.confidence.name(),
        "says": pattern.says,
        "evidence": pattern.evidence,
        "check": pattern.cause.map(|cause| cause.check),
        "fix": pattern.cause.map(|cause| cause.fix),
    })
}

/// A document that was written before. `None` where it is not JSON.
fn parse(document: &str) -> Option<Value> {
    serde_json::from_str(document).ok()
}

fn pretty(document: &Value) -> String {
    // INVARIANT: a Value with string keys always serializes.
    shown::json(&serde_json::to_string_pretty(document).unwrap_or_default()).into_owned()
}

fn attempt(attempt: &Attempt) -> Value {
    let deciding = attempt.deciding();
    let ends = deciding.map(|session| ends(&session.timeline)).unwrap_or_default();
    json!({
        "client": ends.0,
        "server": ends.1,
        "began": attempt.sessions.first().filter(|one| !one.timeline.is_untimed()).map(|one| one.began().to_string()),
        "outcome": attempt.outcome().name(),
        "verdict": verdict::of_attempt(attempt),
        "scan": attempt.scan(),
        "decided_by": deciding.and_then(|decides| attempt.sessions.iter().position(|session| session == decides)),
        "sessions": attempt.sessions.iter().map(session).collect::<Vec<_>>(),
    })
}

fn session(session: &Diagnosed) -> Value {
    let mut told = told(session);
    if session.timeline.is_untimed() {
        forget_times(&mut told);
    }
    told
}

/// Makes every time and every length of time `null`: of packets that have no times.
fn forget_times(value: &mut Value) {
    let is_time =
        |key: &str| ["began", "at"].contains(&key) || ["_ns", "_us", "_ms"].iter().any(|unit| key.ends_with(unit));
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, field)| match field {
            Value::Object(parts) if is_time(key) => parts.values_mut().for_each(|part| *part = Value::Null),
            field if is_time(key) => *field = Value::Null,
            field => forget_times(field),
        }),
        Value::Array(values) => values.iter_mut().for_each(forget_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn told(session: &Diagnosed) -> Value {
    let timeline = &session.timeline;
    let (client, server) = ends(timeline);
    json!({
        "file": session.file,
        "source": source(timeline),
        "client": client,
        "server": server,
        "server_name": timeline.target.as_ref().map(|(name, _)| name),
        "began": timeline.began.map(|at| at.to_string()),
        "outcome": session.outcome.name(),
        "verdict": verdict::of_session(session),
        "withdrawn": session.withdrawn,
        "link": session.link.map(Link::name),
        "incomplete": session.incomplete,
        "unseen": unseen(timeline).map(|unseen| unseen.to_string()),
        "legs": timeline.legs.iter().map(leg).collect::<Vec<_>>(),
        "probe": session.probe.as_deref().and_then(probe::read),
        "captures": session.witnesses.iter().map(witness).collect::<Vec<_>>(),
        "gateway": gateway::gateway(timeline),
        "facts": facts(timeline),
        "phases": timeline.phases.iter().map(phase).collect::<Vec<_>>(),
        "inferred": inferred(timeline),
        "end": timeline.end.as_ref().zip(session.ended_by()).map(|(at, by)| end(at, by)),
        "prediction": path::prediction(timeline),
        "stalls": path::attribution(timeline),
        "direct_equivalent": direct_equivalent(timeline),
        "altered_by_proxy": altered_by_proxy(timeline),
        "interception": interception(timeline),
        "impairments": impairments(timeline),
        "lapses": lapses(timeline),
        "findings": session.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// What a relay did that can stand inside TLS; `null` where that was not asked for.
fn interception(timeline: &Timeline) -> Value {
    let facts = &timeline.facts;
    let Some(means) = facts.means() else { return Value::Null };
    let steps = facts.interception.iter().map(|step| {
        let fields = step.what.fields().into_iter().map(|(name, value)| (name, json!(value)));
        let place =
            [("step", json!(step.what.name())), ("at_ns", json!(step.mark.at.0)), ("leg", json!(step.mark.leg.name()))];
        place.into_iter().chain(fields).map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()
    });
    json!({ "by": means.name(), "stands": facts.is_intercepted(), "steps": steps.collect::<Vec<_>>() })
}

/// When the proxy itself was stopped, or its clock set; `null` where that was not.
fn lapses(timeline: &Timeline) -> Value {
    let lapses = &timeline.facts.lapses;
    if lapses.count == 0 {
        return Value::Null;
    }
    let told = lapses.first.iter().map(|seen| {
        let fields = seen.what.fields().into_iter().map(|(name, value)| (name, number_or_text(value)));
        let place = [("lapse", json!(seen.what.name())), ("at_ns", json!(seen.mark.at.0))];
        place.into_iter().chain(fields).map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()
    });
    json!({ "count": lapses.count, "stopped_ns": lapses.stopped.as_nanos() as u64, "first": told.collect::<Vec<_>>() })
}

/// What was done to it on purpose, as it took effect and was over.
fn impairments(timeline: &Timeline) -> Vec<Value> {
    let told = timeline.facts.impairments.iter().map(|seen| {
        let fields = seen.what.fields().into_iter().map(|(name, value)| (name, number_or_text(value)));
        let place = [("at_ns", json!(seen.mark.at.0)), ("leg", json!(seen.mark.leg.name()))];
        place.into_iter().chain(fields).map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    });
    told.collect()
}

fn number_or_text(value: String) -> Value {
    value.parse::<u64>().map_or_else(|_| json!(value), |number| json!(number))
}

/// Client and server as addresses; a server that was never resolved by its name.
fn ends(timeline: &Timeline) -> (Option<String>, Option<String>) {
    let client = timeline.client_leg().and_then(|leg| leg.client).map(|client| client.to_string());
    let server = timeline.server_leg().and_then(|leg| leg.server).map(|server| server.to_string());
    let named = || timeline.target.as_ref().map(|(name, port)| format!("{name}:{port}"));
    (client, server.or_else(named))
}

fn leg(leg: &Leg) -> Value {
    let path: Map<String, Value> = match leg.path() {
        Some(path) => path.what.numbers().map(|(name, number)| (name.to_owned(), json!(number))).collect(),
        None => Map::new(),
    };
    json!({
        "leg": leg.name.name(),
        "client": leg.client.map(|client| client.to_string()),
        "server": leg.server.map(|server| server.to_string()),
        "rtt_ms": leg.rtt().map(|rtt| rtt.as_secs_f64() * 1e3),
        "retransmits": leg.retransmits(),
        "bytes_from_client": leg.bytes[0],
        "bytes_from_server": leg.bytes[1],
        "missing_bytes": leg.missing.iter().sum::<u64>(),
        "only_direction": leg.only_direction().map(|side| side.name()),
        "snapped_bytes": leg.snapped.iter().sum::<u64>(),
        "discarded_bytes": leg.discarded.iter().sum::<u64>(),
        "attempts": leg.dials.iter().map(|dial| json!({
            "server": dial.server.to_string(),
            "began_ns": dial.began.at.0,
            "duration_ns": dial.result.map(|(at, _)| at.since(dial.began.at).as_nanos() as u64),
            "result": dial.result.map(|(_, failed)| failed.map_or("opened", |how| how.name())),
        })).collect::<Vec<_>>(),
        "path_samples": leg.samples,
        "path": path,
        "signs": leg.signs.iter().map(sign).collect::<Vec<_>>(),
        "signs_seen": leg.signs_seen,
    })
}

fn sign(sign: &Sighting<Sign>) -> Value {
    let place =
        [("sign", json!(sign.what.name())), ("at_ns", json!(sign.mark.at.0)), ("frame", json!(sign.mark.frame))];
    let fields = sign.what.fields().into_iter().map(|(name, field)| match field {
        Field::Number(number) => (name, json!(number)),
        Field::Word(word) => (name, json!(word)),
        Field::Yes => (name, json!(true)),
    });
    place.into_iter().chain(fields).map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

fn witness(witness: &Witness) -> Value {
    json!({
        "file": witness.file,
        "leg": witness.leg.name(),
        "wire": witness.timeline.legs.first().map(leg),
        "end": witness.timeline.end.as_ref().map(|at| end(at, Party::of(at))),
    })
}

fn facts(timeline: &Timeline) -> Value {
    let facts = &timeline.facts;
    let request = facts.request.as_ref().map(|request| &request.what);
    let outside = json!({
        "proxy_headers": facts.headers.seen.iter().map(proxy_header).collect::<Vec<_>>(),
        "proxy_header_from": facts.headers.named_by.as_ref().map(|seen| seen.what.to_string()),
        "proxy_header_sent": facts.headers.sent.is_some(),
        "cookie": request.and_then(|request| request.cookie.as_ref()),
        "routing_token": request.and_then(|request| request.routing_token.as_ref()),
        "requested": request.map(|request| names_of(request.requested.unwrap_or_default())).unwrap_or_default(),
        "request_flags": request.map(|request| request.flags),
        "correlation_id": request.and_then(|request| request.correlation_id.as_ref()),
        "selected": facts.selected().map(selected),
        "confirm_flags": facts.confirm.as_ref().map(|confirm| confirm.what.flags),
        "failure_code": facts.failure.as_ref().map(|failure| failure.what),
        "addresses": timeline.resolution.as_ref().map(|r| r.addresses.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "tls": facts.tls.iter().filter(|tls| tls.hello.is_some() || tls.server_hello.is_some()).map(tls).collect::<Vec<_>>(),
        "domain_controller": facts.kdc.iter().map(|seen| json!({
            "at_ns": seen.mark.at.0, "frame": seen.mark.frame, "error": seen.what.code, "service": seen.what.service,
            "name": Table::keyed("kerberos").and_then(|table| table.code(seen.what.code)).map(|code| code.name),
        })).collect::<Vec<_>>(),
        "malformed": malformed(facts),
    });
    [outside, inner::facts(&facts.inner)].into_iter().filter_map(object).flatten().collect::<Map<_, _>>().into()
}

fn proxy_header(seen: &Sighting<Header>) -> Value {
    let Sighting { what: header, mark } = seen;
    let (client, server) = header.ends().map(|(client, server)| (client.to_string(), server.to_string())).unzip();
    json!({
        "leg": mark.leg.name(),
        "at_ns": mark.at.0,
        "frame": mark.frame,
        "version": header.version,
        "says": header.says.name(),
        "client": client,
        "server": server,
    })
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

fn names_of(protocols: Protocols) -> Vec<String> {
    protocols.names()
}

fn selected(protocols: Protocols) -> String {
    if protocols.0 == 0 { "RDP".into() } else { protocols.names().join("|") }
}

fn malformed(facts: &Facts) -> Value {
    let told = facts.malformed.iter().map(|seen| {
        let (from, layer, says) = &seen.what;
        json!({ "from": from.name(), "layer": layer, "frame": seen.mark.frame, "says": says })
    });
    let told: Vec<Value> = told.collect();
    json!({ "told": told, "more": facts.more_malformed })
}

fn tls(tls: &Tls) -> Value {
    let hello = tls.hello.as_ref().map(|hello| &hello.what);
    let chosen = tls.server_hello.as_ref().map(|hello| &hello.what);
    let offered = hello.map(|hello| {
        json!({
            "versions": hello.versions.iter().map(|version| names::version(*version)).collect::<Vec<_>>(),
            "ciphers": hello.ciphers.iter().map(|cipher| names::cipher(*cipher)).collect::<Vec<_>>(),
            "groups": hello.groups.iter().map(|group| names::group(*group)).collect::<Vec<_>>(),
            "signatures": hello.signatures.iter().map(|scheme| names::signature(*scheme)).collect::<Vec<_>>(),
            "alpn": hello.alpn,
            "resumes": hello.resumes,
        })
    });
    json!({
        "leg": tls.leg.name(),
        "layer": "inner",
        "version": chosen.map(|hello| names::version(hello.version)),
        "cipher": chosen.map(|hello| names::cipher(hello.cipher)),
        "group": chosen.and_then(|hello| hello.group).map(names::group),
        "alpn": chosen.and_then(|hello| hello.alpn.clone()),
        "resumed": chosen.map(|hello| hello.resumed),
        "retried": tls.retry.is_some(),
        "sni": hello.and_then(|hello| hello.sni.clone()),
        "offered": offered,
        "established": tls.established.as_ref().map(|established| basis(established.what)),
        "certificate": leaf(tls.certificates.as_ref()),
        "chain": chain(tls.certificates.as_ref()),
        "client_certificate_requested": tls.certificate_request.is_some(),
        "client_certificate": leaf(tls.client_certificates.as_ref()),
        "not_tls": tls.not_tls.as_ref().map(|seen| json!({
            "from": seen.what.0.name(), "looks": seen.what.1.name(), "frame": seen.mark.frame,
        })),
        "alerts": tls.alerts.iter().map(|alert| json!({
            "from": alert.what.0.name(), "level": alert.what.1, "description": alert.what.2,
            "name": names::alert(alert.what.2), "frame": alert.mark.frame,
        })).collect::<Vec<_>>(),
        "first_sealed_records": tls.first_records.iter().map(record).collect::<Vec<_>>(),
        "sealed_records": { "client": tls.records[0], "server": tls.records[1] },
        "decrypted": tls.decrypted.as_ref().map(decrypted),
    })
}

fn decrypted(decrypted: &Decrypted) -> Value {
    let sealed = decrypted.sealed.iter();
    json!({
        "records": { "client": decrypted.records[0], "server": decrypted.records[1] },
        "bytes": { "client": decrypted.bytes[0], "server": decrypted.bytes[1] },
        "not": sealed.map(|(why, [client, server])| {
            json!({ "why": why.name(), "client": client, "server": server })
        }).collect::<Vec<_>>(),
    })
}

fn record(record: &Record) -> Value {
    json!({ "at_ns": record.at.0, "from": record.from.name(), "type": record.kind, "length": record.len })
}

fn leaf(chain: Option<&Sighting<Vec<Certificate>>>) -> Value {
    chain.and_then(|chain| chain.what.first()).map_or(Value::Null, certificate)
}

fn chain(chain: Option<&Sighting<Vec<Certificate>>>) -> Vec<Value> {
    chain.map(|chain| chain.what.iter().map(certificate).collect()).unwrap_or_default()
}

fn certificate(certificate: &Certificate) -> Value {
    json!({
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "common_name": certificate.common_name,
        "names": certificate.names,
        "not_before": date(certificate.not_before),
        "not_after": date(certificate.not_after),
        "key": certificate.key,
        "key_bits": certificate.key_bits,
        "signature": certificate.signature,
        "eku": certificate.eku,
        "serial": certificate.serial,
        "sha1": certificate.sha1,
        "sha256": certificate.sha256,
        "self_signed": certificate.self_issued,
    })
}

/// RFC 3339; a date before 1970 is told as the epoch.
fn date(seconds: i64) -> String {
    Timestamp::of_seconds(seconds).to_string()
}

fn phase(phase: &Phase) -> Value {
    json!({
        "phase": phase.name.name(),
        "leg": phase.leg.name(),
        "began_ns": phase.began.0,
        "duration_ns": phase.duration().as_nanos() as u64,
        "stopped_ns": phase.unwatched().as_nanos() as u64,
        "outcome": phase.outcome.name(),
        "basis": basis(phase.basis),
        "confidence": phase.sureness.map(Sureness::name),
        "waited_ns": {
            "network": phase.waited.network.as_nanos() as u64,
            "retransmission": phase.waited.retransmission.as_nanos() as u64,
            "impairment": phase.waited.impairment.as_nanos() as u64,
            "client": phase.waited.client.as_nanos() as u64,
            "server": phase.waited.server.as_nanos() as u64,
        },
    })
}

/// What sizes and order tell of a session whose plaintext is not read; `null` of any other.
fn inferred(timeline: &Timeline) -> Option<Value> {
    if !timeline.is_inferred() {
        return None;
    }
    let Inferred { tokens, refused, joins } = timeline.inferred();
    let words = |side| {
        let LastWords { error_info, ultimatum, alert, long: _, may_leave: _ } = timeline.last_words(side);
        json!({ "error_info": error_info, "ultimatum": ultimatum, "alert": alert })
    };
    Some(json!({
        "authentication_messages": { "client": tokens[0], "server": tokens[1] },
        "error_code": refused,
        "channel_joins": { "requested": joins[0], "confirmed": joins[1] },
        "last_words": { "client": words(Side::Client), "server": words(Side::Server) },
        "track_lost": timeline.is_unsure(),
    }))
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Seen => "seen",
        Basis::Inferred => "inferred",
    }
}

fn end(end: &End, by: Party) -> Value {
    json!({
        "leg": end.mark.leg.name(),
        "by": by.name(),
        "how": end.how.name(),
        "phase": end.phase.name(),
        "at": end.mark.at.to_string(),
        "at_ns": end.mark.at.0,
        "frame": end.mark.frame,
        "silence_ns": end.silence.as_nanos() as u64,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "cause": finding.cause.id,
        "name": finding.cause.name,
        "severity": finding.severity.name(),
        "confidence": finding.confidence.name(),
        "leg": finding.leg.name(),
        "phase": finding.phase.name(),
        "by": finding.by.name(),
        "says": finding.says,
        "evidence": finding.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "cannot_tell": finding.cannot_tell().collect::<Vec<_>>(),
        "alternatives": finding.alternatives.iter().map(|(cause, confidence)| json!({
            "cause": cause.id, "name": cause.name, "confidence": confidence.name(),
        })).collect::<Vec<_>>(),
        "check": finding.cause.check,
        "fix": finding.cause.fix,
        "mstsc": finding.cause.mstsc,
    })
}

fn evidence(evidence: &Evidence) -> Value {
    json!({ "frame": evidence.frame, "at": evidence.at.to_string(), "says": evidence.says })
}
