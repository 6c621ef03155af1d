//! What a probe learned, for people: the verdict, findings, then a table for each thing asked.

use std::fmt::Write as _;

use super::{day, finding, length, para, protocols};
use crate::codes::tls as names;
use crate::count::counted;
use crate::diagnose::{Finding, Severity};
use crate::event::{Certificate, Foreign, Protocols};
use crate::observation::Ending;
use crate::probe::gateway::{Answer, Offer};
use crate::probe::{Asked, Probe, Trust, Version, heard, is_silent, negotiation_time, server_hello, tls_time};
use crate::time::Timestamp;
use crate::timeline::Timeline;

const DAY: i64 = 86_400;

/// The whole report.
pub fn report(probe: &Probe) -> String {
    let mut text = String::new();
    para(&mut text, "", &headline(probe));
    findings(&mut text, probe);
    text.push('\n');
    addresses(&mut text, probe);
    negotiations(&mut text, probe);
    gateway(&mut text, probe);
    versions(&mut text, probe);
    certificate(&mut text, probe);
    large(&mut text, probe);
    steps(&mut text, probe);
    text.push('\n');
    let took = length(probe.ended.since(probe.began));
    let says = format!("{} in {took}, no credentials sent", counted(connections(probe), "connection"));
    para(&mut text, "  ", &says);
    for unasked in &probe.unasked {
        para(&mut text, "  not asked:   ", unasked);
    }
    text
}

/// Server, verdict, causes.
fn headline(probe: &Probe) -> String {
    let (name, port) = &probe.target;
    let name = if name.contains(':') { format!("[{name}]") } else { name.clone() };
    let wrong = |finding: &Finding| (finding.severity != Severity::Note).then_some(finding.cause.id);
    let causes: Vec<&str> = probe.findings().iter().filter_map(wrong).collect();
    let causes = if causes.is_empty() { String::new() } else { format!(" [{}]", causes.join(", ")) };
    format!("{name}:{port} {}{causes}", verdict(probe))
}

/// How many connections were made or tried.
pub fn connections(probe: &Probe) -> usize {
    let dials = |timeline: &Timeline| timeline.legs.iter().map(|leg| leg.dials.len()).sum::<usize>();
    probe.conversations.iter().map(|conversation| dials(&conversation.session.timeline)).sum()
}

/// One line: open or not, what it asks of its clients, the certificate.
pub fn verdict(probe: &Probe) -> String {
    let Some(reach) = probe.of(Asked::Reach).next() else { return "was not asked".into() };
    if probe.server().is_none() {
        return format!("cannot be reached: {}", unreached(reach));
    }
    if probe.gateway.is_some() {
        return gateway_verdict(probe);
    }
    if let Some(seen) = &reach.facts.not_rdp {
        return format!("is open, but it is not RDP: {}", foreign(seen.what.1));
    }
    if reach.facts.confirm.is_none() && reach.facts.failure.is_none() {
        let how = match reach.end.map(|end| end.how) {
            _ if is_silent(reach) => "no answer to the RDP request",
            Some(Ending::Cut) => "what it says to the RDP request cannot be read",
            _ => "hangs up on the RDP request",
        };
        return format!("is open, but {how}");
    }
    let parts = [Some(security(probe)), tls(probe), probe.certificate().map(|(leaf, _)| in_brief(probe, leaf))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("is open: {}", parts.join(", "))
}

/// What a gateway offers, and how to come in.
fn gateway_verdict(probe: &Probe) -> String {
    let speaks_tls = probe.conversations.iter().any(|c| server_hello(&c.session.timeline).is_some());
    if !speaks_tls {
        return format!(
            "is open, but TLS fails: {}",
            probe.of(Asked::Hello).next().map_or("not asked".into(), refusal)
        );
    }
    let offered = |offer: &Offer| matches!(offer, Offer::Open | Offer::Authenticated);
    let transports: Vec<&str> = probe.transports().filter(|(_, offer)| offered(offer)).map(|(name, _)| name).collect();
    let what = match transports.split_last() {
        None => "is open, but offers no transport of an RD Gateway".to_owned(),
        Some((one, [])) => format!("is open: RD Gateway by {one}"),
        Some((last, before)) => format!("is open: RD Gateway by {} and {last}", before.join(", ")),
    };
    let schemes = schemes(probe);
    let schemes = (!transports.is_empty() && !schemes.is_empty()).then(|| format!("with {}", schemes.join(" or ")));
    let certificate = probe.certificate().map(|(leaf, _)| in_brief(probe, leaf));
    [Some(what), schemes, tls(probe), certificate].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The authentication schemes that any of the transports asks for.
pub fn schemes(probe: &Probe) -> Vec<&str> {
    let mut schemes: Vec<&str> = Vec::new();
    for scheme in probe.gateway.iter().flatten().flat_map(Answer::schemes) {
        if !schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            schemes.push(scheme);
        }
    }
    schemes
}

/// "offered after authentication"
pub fn offered(offer: Offer) -> &'static str {
    match offer {
        Offer::Open => "offered",
        Offer::Authenticated => "offered after authentication",
        Offer::Refused => "not offered",
        Offer::Unclear => "cannot tell",
    }
}

fn gateway(text: &mut String, probe: &Probe) {
    let answers = probe.gateway.iter().flatten();
    if answers.clone().next().is_none() {
        return;
    }
    let _infallible = writeln!(text, "\n  {:<26} {:<41} {:>8}", "HTTP request", "answer", "took");
    for answer in answers.clone() {
        let mut says = heard(answer);
        if !answer.schemes().is_empty() {
            says += &format!(": {}", answer.schemes().join(", "));
        }
        // What a peer says may be long: it must not break the table.
        let says: String = says.chars().take(41).collect();
        let row = format!("  {:<26} {says:<41} {:>8}", answer.asked.name(), length(answer.took));
        let _infallible = writeln!(text, "{}", row.trim_end());
    }
    for (name, offer) in probe.services() {
        let _infallible = writeln!(text, "  {:<26} {}", format!("{name}:"), offered(offer));
    }
    let responses = || answers.clone().filter_map(Answer::response);
    for (lead, mut said) in [
        ("  software:    ", responses().filter_map(|one| one.server.clone()).collect::<Vec<_>>()),
        ("  by way of:   ", responses().filter_map(|one| one.via.clone()).collect()),
        ("  redirects:   ", responses().filter_map(|one| one.location.clone()).collect()),
    ] {
        said.dedup();
        said.iter().for_each(|says| para(text, lead, says));
    }
}

fn unreached(reach: &Timeline) -> String {
    match reach.end.map(|end| end.how) {
        Some(Ending::Unresolved) => "the name does not resolve".into(),
        Some(Ending::Refused) => "refused, nothing listens on the port".into(),
        Some(Ending::TimedOut) => "no answer, as behind a firewall that drops".into(),
        Some(Ending::Unreachable) => "the network says it is unreachable".into(),
        Some(Ending::Fin | Ending::Reset | Ending::Cut) | None => "no address answers".into(),
    }
}

fn foreign(looks: Foreign) -> &'static str {
    match looks {
        Foreign::Unknown => "nothing that is known here",
        Foreign::Http | Foreign::Ssh | Foreign::TlsFirst | Foreign::IsoTcp | Foreign::Tpkt | Foreign::Text => {
            looks.name()
        }
    }
}

/// What a client must bring.
fn security(probe: &Probe) -> String {
    let nla = probe.selects(Protocols::HYBRID);
    let tls = probe.selects(Protocols::SSL);
    let says = match (nla, tls) {
        (true, true) => "RDP with NLA or TLS",
        (true, false) if probe.refuses(Protocols::SSL, 5) => "RDP with NLA required",
        (true, false) => "RDP with NLA",
        (false, true) => "RDP with TLS, without NLA",
        (false, false) if probe.selects(Protocols::RDSTLS) => "RDP with RDSTLS",
        (false, false) if probe.selects(Protocols::RDSAAD) => "RDP with RDSAAD",
        (false, false) if is_plain(probe) => "RDP with standard RDP security alone",
        (false, false) => "RDP that refuses every request",
    };
    says.into()
}

/// Whether a client without RDP_NEG_REQ comes in, or one that asked for more is given less.
fn is_plain(probe: &Probe) -> bool {
    let asked = probe.of(Asked::Negotiation(None)).chain(probe.of(Asked::Reach));
    asked.into_iter().any(|timeline| timeline.facts.confirm.is_some())
}

/// "TLS 1.2 and 1.3"
fn tls(probe: &Probe) -> Option<String> {
    let asked = probe.of(Asked::Hello).next()?;
    let versions = probe.versions();
    let accepted = versions.iter().rev().filter(|version| version.accepted == Some(true));
    let accepted: Vec<String> = accepted.map(|version| names::version(version.version).into_owned()).collect();
    Some(match accepted.split_last() {
        None if server_hello(asked).is_some() => "TLS".into(),
        None => "but TLS fails".into(),
        Some((one, [])) => format!("TLS {one}"),
        Some((last, before)) => format!("TLS {} and {last}", before.join(", ")),
    })
}

fn in_brief(probe: &Probe, leaf: &Certificate) -> String {
    let now = probe.began.seconds() as i64;
    let mut says = format!("certificate {}", validity(leaf, now));
    if !probe.is_for_the_name() {
        says += &format!(" and not for {}", probe.target.0);
    }
    if leaf.self_issued {
        says += " (self-signed)";
    }
    says
}

/// "expired 12 days ago"
fn validity(leaf: &Certificate, now: i64) -> String {
    if leaf.not_after < now {
        format!("expired {} ago", days(now - leaf.not_after))
    } else if leaf.not_before > now {
        format!("not valid for another {}", days(leaf.not_before - now))
    } else {
        format!("valid for {}", days(leaf.not_after - now))
    }
}

fn days(seconds: i64) -> String {
    match seconds / DAY {
        0 => "less than a day".into(),
        days @ 1..=999 => counted(days, "day"),
        days => format!("{} years", days / 365),
    }
}

fn findings(text: &mut String, probe: &Probe) {
    for found in probe.findings() {
        match found.severity {
            Severity::Failure | Severity::Warning => {
                let since = |at: crate::time::Timestamp| Some(format!("+{}", length(at.since(probe.began))));
                finding(text, &found, since);
            }
            Severity::Note => para(text, "  note:        ", &found.says),
        }
    }
}

fn addresses(text: &mut String, probe: &Probe) {
    let resolution = probe.of(Asked::Reach).find_map(|timeline| timeline.resolution.as_ref());
    if let Some(resolution) = resolution {
        let took = resolution.ended.map(|ended| length(ended.since(resolution.began.at))).unwrap_or_default();
        let count = counted(resolution.addresses.len(), "address");
        para(text, "  name:        ", &format!("{count} after {took}"));
    }
    for address in probe.addresses() {
        let result = address.failed.map_or("open", |how| how.name());
        let server = address.server.to_string();
        let _infallible = writeln!(text, "  address:     {server:<40} {result:<12} {:>9}", length(address.took));
    }
}

fn negotiations(text: &mut String, probe: &Probe) {
    let asked = probe.conversations.iter().filter_map(|conversation| match conversation.asked {
        Asked::Negotiation(protocols) => Some((protocols, &conversation.session.timeline)),
        _ => None,
    });
    let rows: Vec<_> = asked.collect();
    if !rows.is_empty() {
        let _infallible = writeln!(text, "\n  {:<26} {:<41} {:>8}", "X.224 request", "answer", "took");
    }
    for (asked, timeline) in rows {
        let took = negotiation_time(timeline).map(length).unwrap_or_default();
        let row = format!("  {:<26} {:<41} {took:>8}", request(asked), answer(timeline));
        let _infallible = writeln!(text, "{}", row.trim_end());
    }
}

/// What was asked for.
pub fn request(asked: Option<Protocols>) -> String {
    asked.map_or("none (standard security)".into(), protocols)
}

/// What the server said to a request.
pub fn answer(timeline: &Timeline) -> String {
    let facts = &timeline.facts;
    if let Some(failure) = &facts.failure {
        return format!("failure {}: {}", failure.what, failure_name(failure.what));
    }
    if let Some(seen) = &facts.not_rdp {
        return foreign(seen.what.1).into();
    }
    match &facts.confirm {
        Some(confirm) => match confirm.what.selected {
            Some(selected) => format!("{}, flags {:#04x}", protocols(selected), confirm.what.flags),
            None => "confirmed without RDP_NEG_RSP".into(),
        },
        None => ended(timeline),
    }
}

/// How a connection without an answer ended, in few words.
pub fn ended(timeline: &Timeline) -> String {
    let Some(end) = &timeline.end else { return "no answer".into() };
    let after = length(end.silence);
    match end.how {
        _ if is_silent(timeline) => format!("no answer for {after}"),
        Ending::Fin => format!("closes (FIN) after {after}"),
        Ending::Reset => format!("resets (RST) after {after}"),
        Ending::Refused | Ending::Unreachable | Ending::TimedOut | Ending::Unresolved => end.how.name().into(),
        Ending::Cut => "something else than an answer".into(),
    }
}

/// \[MS-RDPBCGR\] 2.2.1.2.2 `failureCode`.
pub fn failure_name(code: u32) -> &'static str {
    match code {
        1 => "SSL_REQUIRED_BY_SERVER",
        2 => "SSL_NOT_ALLOWED_BY_SERVER",
        3 => "SSL_CERT_NOT_ON_SERVER",
        4 => "INCONSISTENT_FLAGS",
        5 => "HYBRID_REQUIRED_BY_SERVER",
        6 => "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        _ => "a code that is not known here",
    }
}

fn versions(text: &mut String, probe: &Probe) {
    if let Some(timeline) = probe.of(Asked::Hello).next() {
        text.push('\n');
        let chosen = match server_hello(timeline) {
            Some(hello) => format!(
                "chooses {} {} after {}",
                names::version(hello.version),
                names::cipher(hello.cipher),
                tls_time(timeline).map(length).unwrap_or_default()
            ),
            None => refusal(timeline),
        };
        para(text, "  TLS, all:    ", &chosen);
    }
    for version in probe.versions() {
        self::version(text, probe, &version);
    }
}

/// What the server said to a hello that it did not accept.
pub fn refusal(timeline: &Timeline) -> String {
    if let Some(alert) = timeline.facts.fatal_alert() {
        return format!("alert {} ({})", names::alert(alert.what.2), alert.what.2);
    }
    match server_hello(timeline) {
        Some(hello) => format!("answers with TLS {}", names::version(hello.version)),
        None => ended(timeline),
    }
}

fn version(text: &mut String, probe: &Probe, version: &Version) {
    let lead = format!("  TLS {}:     ", names::version(version.version));
    match version.accepted {
        Some(true) => {
            let mut suites: Vec<String> = version.suites.iter().map(|s| names::cipher(*s).into_owned()).collect();
            if !version.complete {
                suites.push("(and perhaps more: not asked to the end)".into());
            }
            let mut lead = lead;
            for suite in suites {
                para(text, &lead, &suite);
                lead = " ".repeat(lead.chars().count());
            }
        }
        Some(false) => para(text, &lead, &format!("refused: {}", refused(probe, version))),
        None => para(text, &lead, &format!("cannot tell: {}", refused(probe, version))),
    }
}

/// What the server said to the last hello of this version.
pub fn refused(probe: &Probe, version: &Version) -> String {
    probe.of(Asked::Version(version.version)).last().map(refusal).unwrap_or_default()
}

fn certificate(text: &mut String, probe: &Probe) {
    let Some((leaf, _)) = probe.certificate() else { return };
    text.push('\n');
    let faults = probe.faults();
    let said = |id: &str| faults.iter().find(|(fault, _)| *fault == id).map(|(_, says)| says.clone());
    para(text, "  certificate: ", &format!("{}, issued by {}", leaf.subject, leaf.issuer));
    let now = probe.began.seconds() as i64;
    let dates = format!("{} to {}: {}", day(leaf.not_before), day(leaf.not_after), validity(leaf, now));
    para(text, "    dates:     ", &dates);
    let names = said("TLS-NAME").unwrap_or_else(|| format!("for {}", probe.target.0));
    para(text, "    name:      ", &names);
    let weak = said("TLS-WEAK").map(|says| format!(": {says}")).unwrap_or_default();
    para(text, "    key:       ", &format!("{} {} bits, {}{weak}", leaf.key, leaf.key_bits, leaf.signature));
    let usage = if leaf.eku.is_empty() { "not limited".into() } else { leaf.eku.join(", ") };
    para(text, "    usage:     ", &usage);
    para(text, "    chain:     ", &chain(probe));
    para(text, "    SHA-1:     ", &leaf.sha1);
}

fn chain(probe: &Probe) -> String {
    match &probe.trust {
        Some(Trust::Trusted) => "trusted by this machine's store".into(),
        Some(Trust::Untrusted(why)) => format!("not trusted by this machine's store: {why}"),
        Some(Trust::Unchecked(why)) => format!("not checked: {why}"),
        None => "not checked".into(),
    }
}

fn large(text: &mut String, probe: &Probe) {
    let Some((_, large)) = probe.large() else { return };
    let Some(hello) = large.facts.first(|tls| tls.hello.as_ref()) else { return };
    let answer = match server_hello(large) {
        Some(_) => format!("answered after {}", tls_time(large).map(length).unwrap_or_default()),
        None => refusal(large),
    };
    let path = crate::diagnose::probe::path(large).map(|path| format!("; {path}")).unwrap_or_default();
    para(text, "  large hello: ", &format!("{}, {answer}{path}", counted(hello.what.len, "byte")));
}

fn steps(text: &mut String, probe: &Probe) {
    let steps = probe.steps();
    if probe.server().is_none() {
        return;
    }
    let heads = ["count", "min", "p50", "p90", "p99", "max"].map(|head| format!("{head:>9}"));
    let _infallible = writeln!(text, "\n  {:<16}{}", "step", heads.concat());
    for step in steps {
        let times = [0, 50, 90, 99, 100].map(|percent| step.percentile(percent).map(length).unwrap_or_default());
        let times: String = times.iter().map(|time| format!("{time:>9}")).collect();
        let _infallible = writeln!(text, "  {:<16}{:>9}{times}", step.name, step.times.len());
    }
}

/// How a probe stands beside a session that failed: "probe, 0.4 s later: …".
pub fn beside(probe: &Probe, ended: Timestamp) -> String {
    format!("probe, {} later: {}", length(probe.began.since(ended)), headline(probe))
}
