//! What a probe learned, for scripts.

use super::{SCHEMA, Value, certificate, finding, json, names, parse, pretty, selected};
use crate::event::Protocols;
use crate::probe::gateway::{Answer, Offer};
use crate::probe::{Asked, Conversation, Probe, Step, Trust, Version, heard, negotiation_time, server_hello, tls_time};
use crate::report::text::probe as text;
use crate::time::Timestamp;
use crate::timeline::Timeline;

/// The document, indented. `beside` is the end of the failed session that it was made for.
pub fn document(version: &str, probe: &Probe, beside: Option<Timestamp>) -> String {
    let mut value = self::probe(probe);
    if let Some(ended) = beside {
        value["after_session_ms"] = json!(probe.began.since(ended).as_secs_f64() * 1e3);
    }
    pretty(&json!({ "rdpscope": version, "schema": SCHEMA, "probe": value }))
}

/// What stands in a document that was written beside a recording. `None` where it is not one.
pub(super) fn read(document: &str) -> Option<Value> {
    let mut document = parse(document)?;
    Some(document.get_mut("probe")?.take()).filter(Value::is_object)
}

/// How long after the session it was made, in milliseconds, and its verdict.
pub fn told(document: &str) -> Option<(f64, String)> {
    let probe = read(document)?;
    Some((probe.get("after_session_ms")?.as_f64()?, probe.get("verdict")?.as_str()?.to_owned()))
}

fn probe(probe: &Probe) -> Value {
    let (name, port) = &probe.target;
    let resolution = probe.of(Asked::Reach).find_map(|timeline| timeline.resolution.as_ref());
    json!({
        "target": { "name": name, "port": port },
        "began": probe.began.to_string(),
        "duration_ns": probe.ended.since(probe.began).as_nanos() as u64,
        "connections": text::connections(probe),
        "verdict": text::verdict(probe),
        "problem": probe.is_problem(),
        "findings": probe.findings().iter().map(finding).collect::<Vec<_>>(),
        "resolution": resolution.map(|resolution| json!({
            "addresses": resolution.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "error": resolution.error,
            "duration_ns": resolution.ended.map(|ended| ended.since(resolution.began.at).as_nanos() as u64),
        })),
        "addresses": probe.addresses().iter().map(|address| json!({
            "server": address.server.to_string(),
            "result": address.failed.map_or("opened", |how| how.name()),
            "duration_ns": address.took.as_nanos() as u64,
        })).collect::<Vec<_>>(),
        "server": probe.server().map(|server| server.to_string()),
        "negotiations": probe.conversations.iter().filter_map(negotiation).collect::<Vec<_>>(),
        "gateway": gateway(probe),
        "tls": tls(probe),
        "certificate": probe.certificate().map(|(leaf, _)| certificate(leaf)),
        "certificate_faults": probe.faults().iter().map(|(id, says)| json!({ "cause": id, "says": says })).collect::<Vec<_>>(),
        "trust": trust(probe.trust.as_ref()),
        "large_hello": probe.large().map(|(_, large)| self::large(large)),
        "steps": probe.steps().iter().map(step).collect::<Vec<_>>(),
        "not_asked": probe.unasked,
    })
}

fn negotiation(conversation: &Conversation) -> Option<Value> {
    let Asked::Negotiation(asked) = conversation.asked else { return None };
    let timeline = &conversation.session.timeline;
    let facts = &timeline.facts;
    Some(json!({
        "requested": asked.map(Protocols::names),
        "selected": facts.selected().map(selected),
        "flags": facts.confirm.as_ref().map(|confirm| confirm.what.flags),
        "failure_code": facts.failure.as_ref().map(|failure| failure.what),
        "answer": text::answer(timeline),
        "duration_ns": negotiation_time(timeline).map(|took| took.as_nanos() as u64),
    }))
}

/// What a gateway answers over HTTP; null of an RDP server.
fn gateway(probe: &Probe) -> Value {
    let Some(answers) = &probe.gateway else { return Value::Null };
    json!({
        "services": probe.services().map(|(name, offer)| json!({
            "name": name,
            "offered": match offer {
                Offer::Open | Offer::Authenticated => Some(true),
                Offer::Refused => Some(false),
                Offer::Unclear => None,
            },
            "says": text::offered(offer),
        })).collect::<Vec<_>>(),
        "authentication": text::schemes(probe),
        "answers": answers.iter().map(answer).collect::<Vec<_>>(),
    })
}

fn answer(answer: &Answer) -> Value {
    let response = answer.response();
    json!({
        "asked": answer.asked.name(),
        "says": heard(answer),
        "status": response.map(|response| response.status),
        "authentication": answer.schemes(),
        "location": response.and_then(|response| response.location.as_deref()),
        "server": response.and_then(|response| response.server.as_deref()),
        "via": response.and_then(|response| response.via.as_deref()),
        "duration_ns": answer.took.as_nanos() as u64,
    })
}

fn tls(probe: &Probe) -> Value {
    let Some(hello) = probe.of(Asked::Hello).next() else { return Value::Null };
    json!({
        "chosen": server_hello(hello).map(|hello| json!({
            "version": names::version(hello.version),
            "cipher": names::cipher(hello.cipher),
            "group": hello.group.map(names::group),
        })),
        "versions": probe.versions().iter().map(|version| self::version(probe, version)).collect::<Vec<_>>(),
    })
}

fn version(probe: &Probe, version: &Version) -> Value {
    json!({
        "version": names::version(version.version),
        "accepted": version.accepted,
        "suites": version.suites.iter().map(|suite| names::cipher(*suite)).collect::<Vec<_>>(),
        "all_suites_asked": version.complete,
        "refusal": (version.accepted != Some(true)).then(|| text::refused(probe, version)),
    })
}

fn trust(trust: Option<&Trust>) -> Value {
    match trust {
        None => Value::Null,
        Some(Trust::Trusted) => json!({ "trusted": true, "why": null }),
        Some(Trust::Untrusted(why)) => json!({ "trusted": false, "why": why }),
        Some(Trust::Unchecked(why)) => json!({ "trusted": null, "why": why }),
    }
}

fn large(large: &Timeline) -> Value {
    let path = large.server_leg().and_then(|leg| leg.path());
    let number =
        |name: &str| path.as_ref().and_then(|path| path.what.numbers().find(|(n, _)| *n == name)).map(|(_, n)| n);
    json!({
        "length": large.facts.first(|tls| tls.hello.as_ref()).map(|hello| hello.what.len),
        "answered": server_hello(large).is_some(),
        "duration_ns": tls_time(large).map(|took| took.as_nanos() as u64),
        "retransmits": number("retransmits"),
        "out_of_order": number("out_of_order"),
        "snd_mss": number("snd_mss"),
        "pmtu": number("pmtu"),
    })
}

fn step(step: &Step) -> Value {
    let time = |percent| step.percentile(percent).map(|time| time.as_nanos() as u64);
    json!({
        "step": step.name,
        "count": step.times.len(),
        "min_ns": time(0),
        "p50_ns": time(50),
        "p90_ns": time(90),
        "p99_ns": time(99),
        "max_ns": time(100),
    })
}
