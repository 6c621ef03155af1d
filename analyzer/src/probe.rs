//! What a probe learned of one server: its conversations in, each analysed like anybody's session, tables and findings
//! out. Who connects, and what is asked next, is not known here.

pub mod gateway;

use std::net::SocketAddr;
use std::time::Duration;

use crate::attempt::Diagnosed;
use crate::diagnose::probe as rules;
use crate::diagnose::{Finding, Severity, stage, tls};
use crate::event::{Certificate, Protocols, ServerHello};
use crate::observation::{Ending, Side};
use crate::time::Timestamp;
use crate::timeline::Timeline;

// What whoever asks needs to know of TLS; who asks reads no byte itself.
pub use crate::codes::tls::{suites, version as version_name};
pub use crate::tls::certificate::read as read_certificate;
pub use crate::tls::clear_chain;
use gateway::{Answer, Heard, Offer, Question};

/// TLS versions that a probe asks for, newest first.
pub const VERSIONS: [u16; 4] = [0x0304, 0x0303, 0x0302, 0x0301];

/// So much of a reason phrase is shown, characters.
const REASON: usize = 40;

/// What current clients ask for: `mstsc` and FreeRDP without options.
pub const USUAL: Protocols = Protocols(Protocols::SSL.0 | Protocols::HYBRID.0 | Protocols::HYBRID_EX.0);

/// The security protocols that are asked for one by one; `None` is a request without RDP_NEG_REQ.
pub const REQUESTS: [Option<Protocols>; 7] = [
    None,
    Some(Protocols::SSL),
    Some(Protocols::HYBRID),
    Some(Protocols(Protocols::SSL.0 | Protocols::HYBRID.0)),
    // PROTOCOL_HYBRID should be set beside it, 2.2.1.1.1.
    Some(Protocols::CREDSSP),
    Some(Protocols::RDSTLS),
    Some(Protocols::RDSAAD),
];

/// All that was asked and answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Name (or address) and port, as the user wrote them.
    pub target: (String, u16),
    /// When it began.
    pub began: Timestamp,
    /// When it was over.
    pub ended: Timestamp,
    /// The connections, in order.
    pub conversations: Vec<Conversation>,
    /// What this machine's store says of the certificate's chain.
    pub trust: Option<Trust>,
    /// Of an RD Gateway: what it answers over HTTP. Nothing where an RDP server was asked.
    pub gateway: Option<Vec<Answer>>,
    /// What was not asked, and why.
    pub unasked: Vec<String>,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// What for.
    pub asked: Asked,
    /// What came of it.
    pub session: Diagnosed,
}

/// What a connection was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// As a client would: the name, its addresses one after the other, and [`USUAL`].
    Reach,
    /// Whether one more address answers.
    Address,
    /// What the server says to a ClientHello before which nothing was asked: where it gave no answer of X.224.
    TlsFirst,
    /// What the server says to this request.
    Negotiation(Option<Protocols>),
    /// A ClientHello with all versions and suites.
    Hello,
    /// The same, longer than a segment.
    LargeHello,
    /// A ClientHello of this version alone, without the suites that were chosen before.
    Version(u16),
    /// A whole handshake of TLS 1.3 for its certificate.
    Certificate,
    /// Connect, X.224 and TLS once more, for the times.
    Round,
    /// A whole handshake for one question over HTTP.
    Http(Question),
}

/// What a store of roots says of a chain. Dates, names and purposes are judged elsewhere, one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// It leads to a root.
    Trusted,
    /// It does not, and why.
    Untrusted(String),
    /// It could not be checked, and why.
    Unchecked(String),
}

/// One address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// Which.
    pub server: SocketAddr,
    /// Until it was answered or given up.
    pub took: Duration,
    /// How it failed, if it did.
    pub failed: Option<Ending>,
}

/// One version of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// 0x0301 to 0x0304.
    pub version: u16,
    /// Whether the server speaks it; `None` where it was not asked to its end.
    pub accepted: Option<bool>,
    /// Its suites, in the order in which the server chose them.
    pub suites: Vec<u16>,
    /// Whether these are all.
    pub complete: bool,
}

/// How long a step took, each time it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// Shortest first.
    pub times: Vec<Duration>,
}

impl Step {
    /// The time that this share of all, in percent, did not exceed (nearest rank).
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.times.len() * percent).div_ceil(100).max(1);
        self.times.get(rank - 1).copied()
    }
}

impl Probe {
    /// The timelines of the connections that were made for this.
    pub fn of(&self, asked: Asked) -> impl Iterator<Item = &Timeline> {
        self.conversations.iter().filter(move |c| c.asked == asked).map(|c| &c.session.timeline)
    }

    /// What is wrong, worst first. What one connection shows is said by the rules for all sessions.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.reach_findings();
        let failed = |finding: &Finding| finding.severity == Severity::Failure;
        if !findings.iter().any(failed) {
            findings.extend(self.tls_findings());
            match self.gateway {
                Some(_) => findings.extend(self.gateway_findings()),
                None => findings.extend(self.certificate_findings()),
            }
        }
        let mut named: Vec<&str> = Vec::new();
        findings.retain(|finding| {
            let new = !named.contains(&finding.cause.id);
            named.push(finding.cause.id);
            new
        });
        findings.sort_by_key(|finding| (finding.severity, finding.confidence));
        findings
    }

    /// Whether something is wrong that a person should mend.
    pub fn is_problem(&self) -> bool {
        !self.is_passable() || self.findings().iter().any(|finding| finding.severity != Severity::Note)
    }

    /// Whether some client can come as far as was asked here. No rule knows every way in which it cannot.
    fn is_passable(&self) -> bool {
        if self.gateway.is_some() {
            return self.transports().any(|(_, offer)| matches!(offer, Offer::Open | Offer::Authenticated));
        }
        let requests = self.conversations.iter().filter(|c| matches!(c.asked, Asked::Reach | Asked::Negotiation(_)));
        let confirmed = requests.into_iter().any(|c| c.session.timeline.facts.confirm.is_some());
        let hellos = self.conversations.iter().filter(|c| matches!(c.asked, Asked::Hello | Asked::Version(_)));
        let mut hellos = hellos.map(|c| answers_hello(&c.session.timeline)).peekable();
        confirmed && (hellos.peek().is_none() || hellos.any(|answered| answered))
    }

    fn reach_findings(&self) -> Vec<Finding> {
        let sessions = self.conversations.iter().filter(|c| c.asked == Asked::Reach).map(|c| &c.session);
        let mut findings: Vec<Finding> = sessions.flat_map(|session| session.findings.clone()).collect();
        // Old clients still come in: then it is no failure that the others do not.
        let plain = self.of(Asked::Negotiation(None)).any(|timeline| timeline.facts.confirm.is_some());
        for finding in findings.iter_mut().filter(|finding| finding.cause.id == "X224-SSLNO" && plain) {
            finding.severity = Severity::Warning;
        }
        findings.extend(self.of(Asked::Reach).find_map(rules::plain));
        if let Some(first) = self.of(Asked::TlsFirst).find_map(rules::speaks_tls_first) {
            // Whatever became of the request, it was none to make.
            findings.retain(|finding| finding.severity != Severity::Failure);
            findings.push(first);
        }
        findings
    }

    fn tls_findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let versions = self.versions();
        let accepted = || versions.iter().filter(|version| version.accepted == Some(true));
        let hello = self.conversations.iter().find(|c| c.asked == Asked::Hello);
        if let Some(hello) = hello.filter(|hello| !answers_hello(&hello.session.timeline) && accepted().count() == 0) {
            findings.extend(hello.session.findings.clone());
        }
        let best = accepted().map(|version| version.version).max();
        if let (Some(best), Some(timeline)) = (best.filter(|best| *best < 0x0303), self.of(Asked::Hello).next()) {
            findings.extend(rules::outdated(timeline, &crate::codes::tls::version(best)));
        }
        if let Some((small, large)) = self.large() {
            findings.extend(rules::large(small, large));
        }
        findings
    }

    fn certificate_findings(&self) -> Vec<Finding> {
        let Some(timeline) = self.shown() else { return Vec::new() };
        let mut findings = rules::certificate(timeline);
        if let Some(Trust::Untrusted(why)) = &self.trust {
            findings.extend(rules::untrusted(timeline, why));
        }
        findings
    }

    /// What a gateway answered to a question.
    pub fn answer(&self, asked: Question) -> Option<&Answer> {
        self.gateway.iter().flatten().find(|answer| answer.asked == asked)
    }

    /// The transports of a gateway and its KDC proxy, as far as they were asked for.
    pub fn services(&self) -> impl Iterator<Item = (&'static str, Offer)> {
        let kdc = self.answer(Question::KdcPost).map(|answer| ("KDC proxy", answer.offer()));
        self.transports().chain(kdc)
    }

    /// The transports of a gateway. RPC takes two channels, and whichever is refused decides.
    pub fn transports(&self) -> impl Iterator<Item = (&'static str, Offer)> {
        let offer = |asked| self.answer(asked).map(Answer::offer);
        let rpc = match (offer(Question::RpcOut), offer(Question::RpcIn)) {
            (Some(Offer::Open | Offer::Authenticated), Some(other)) => Some(other),
            (one, other) => one.or(other),
        };
        let all =
            [("WebSocket", offer(Question::WebSocket)), ("HTTP", offer(Question::HttpOut)), ("RPC over HTTP", rpc)];
        all.into_iter().filter_map(|(name, offer)| Some((name, offer?)))
    }

    /// Where the certificate, or an answer over HTTP, keeps clients of a gateway out.
    fn gateway_findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        if let Some(timeline) = self.shown() {
            findings.extend(rules::gateway_certificate(timeline));
            if let Some(Trust::Untrusted(why)) = &self.trust {
                findings.extend(rules::untrusted(timeline, why));
            }
        }
        let passable = self.is_passable();
        let severity = if passable { Severity::Warning } else { Severity::Failure };
        let main = self.answer(Question::HttpOut).or(self.answer(Question::WebSocket));
        if let Some(answer) = main.filter(|answer| !matches!(answer.offer(), Offer::Open | Offer::Authenticated)) {
            findings.extend(self.refused(answer, severity));
        }
        let stripped = self.answer(Question::WebSocket).filter(|answer| answer.offer() == Offer::Refused);
        let http = self.answer(Question::HttpOut).map(Answer::offer);
        if let (Some(stripped), Some(Offer::Open | Offer::Authenticated)) = (stripped, http) {
            let says = format!(
                "RDG_OUT_DATA is answered with {} where it asks for a WebSocket, and not without: clients that take nothing                  else do not connect, others fall back to HTTP's two channels",
                heard(stripped)
            );
            findings
                .extend(self.at(stripped).and_then(|t| rules::gateway(t, "RDG-TRANSPORT", Severity::Warning, says)));
        }
        findings
    }

    fn refused(&self, answer: &Answer, severity: Severity) -> Option<Finding> {
        let (name, said) = (answer.asked.name(), heard(answer));
        let (id, why) = match answer.response().map(|response| response.status) {
            Some(401) => ("RDG-401", "without a way to authenticate: nobody can go on"),
            Some(407) => ("RDG-PROXYAUTH", "that is a web proxy's answer, not a gateway's"),
            Some(502..=504) => ("RDG-503", "HTTP is served, and the gateway's service behind it does not answer"),
            Some(300..=399) => {
                ("RDG-TRANSPORT", "a web site, or a box in front that wants a login, answers in its place")
            }
            Some(404 | 405 | 501) => {
                ("RDG-TRANSPORT", "no gateway is served here, or a box in front does not let its method pass")
            }
            Some(_) => ("RDG-TRANSPORT", "a box in front, or the site's own rules, refuse it"),
            None => ("RDG-TRANSPORT", "TLS stands, and what stands behind it does not take this request"),
        };
        if let Heard::NoTls(_) = answer.heard {
            return None;
        }
        rules::gateway(self.at(answer)?, id, severity, format!("{name} is answered with {said}: {why}"))
    }

    /// The connection on which a question was asked.
    fn at(&self, answer: &Answer) -> Option<&Timeline> {
        self.of(Asked::Http(answer.asked)).next()
    }

    /// Every address that was tried, in order.
    pub fn addresses(&self) -> Vec<Address> {
        let reached = self.of(Asked::Reach).chain(self.of(Asked::Address));
        let dials = reached.flat_map(|timeline| timeline.server_leg().into_iter().flat_map(|leg| &leg.dials));
        let address = |dial: &crate::timeline::leg::Dial| {
            let (at, failed) = dial.result?;
            Some(Address { server: dial.server, took: at.since(dial.began.at), failed })
        };
        dials.filter_map(address).collect()
    }

    /// The address that everything else was asked of.
    pub fn server(&self) -> Option<SocketAddr> {
        let leg = self.of(Asked::Reach).next()?.server_leg()?;
        leg.opened.and(leg.server)
    }

    /// Whether the server selected these, when asked for them alone.
    pub fn selects(&self, protocols: Protocols) -> bool {
        let asked = |c: &&Conversation| matches!(c.asked, Asked::Negotiation(Some(p)) if p == protocols);
        let found = self.conversations.iter().find(asked).and_then(|c| c.session.timeline.facts.selected());
        found.is_some_and(|selected| selected.0 != 0 && protocols.contains(selected))
    }

    /// Whether the server answered this request with RDP_NEG_FAILURE of this code.
    pub fn refuses(&self, protocols: Protocols, code: u32) -> bool {
        self.of(Asked::Negotiation(Some(protocols))).any(|t| t.facts.failure.as_ref().is_some_and(|f| f.what == code))
    }

    /// What is known of each version of TLS that was asked for.
    pub fn versions(&self) -> Vec<Version> {
        VERSIONS.iter().filter_map(|version| self.version(*version)).collect()
    }

    fn version(&self, version: u16) -> Option<Version> {
        let mut known = Version { version, accepted: None, suites: Vec::new(), complete: false };
        self.of(Asked::Version(version)).next()?;
        for timeline in self.of(Asked::Version(version)) {
            match server_hello(timeline).filter(|hello| hello.version == version) {
                Some(hello) => {
                    known.accepted = Some(true);
                    known.suites.push(hello.cipher);
                }
                None if timeline.facts.first_mark(|tls| tls.retry).is_some() => known.accepted = Some(true),
                None => {
                    known.accepted = known.accepted.or(is_refusal(timeline).then_some(false));
                    known.complete = is_refusal(timeline);
                }
            }
        }
        Some(known)
    }

    /// The certificate, and the connection on which it was shown first.
    pub fn certificate(&self) -> Option<(&Certificate, &Timeline)> {
        let timeline = self.shown()?;
        Some((tls::certificate(timeline)?.what.first()?, timeline))
    }

    fn shown(&self) -> Option<&Timeline> {
        self.conversations.iter().map(|c| &c.session.timeline).find(|timeline| tls::certificate(timeline).is_some())
    }

    /// Whether the certificate is for the name that was asked for.
    pub fn is_for_the_name(&self) -> bool {
        !self.faults().iter().any(|(id, _)| *id == "TLS-NAME")
    }

    /// What is wrong with the certificate: cause and words.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        self.shown().map(tls::faults).unwrap_or_default()
    }

    /// The small and the large ClientHello.
    pub fn large(&self) -> Option<(&Timeline, &Timeline)> {
        Some((self.of(Asked::Hello).next()?, self.of(Asked::LargeHello).next()?))
    }

    /// How long each step took: name resolution once, the others as often as they were made for their times.
    pub fn steps(&self) -> Vec<Step> {
        let rounds = || self.of(Asked::Round);
        let repeated = rounds().next().is_some();
        let timed: Vec<&Timeline> =
            if repeated { rounds().collect() } else { self.of(Asked::Reach).chain(self.of(Asked::Hello)).collect() };
        let step = |name, pick: fn(&Timeline) -> Option<Duration>| {
            let mut times: Vec<Duration> = timed.iter().copied().filter_map(pick).collect();
            times.sort_unstable();
            Step { name, times }
        };
        let resolution = self.of(Asked::Reach).find_map(resolution_time);
        let first = Step { name: "name-resolution", times: resolution.into_iter().collect() };
        let tcp: fn(&Timeline) -> Option<Duration> = |timeline| timeline.server_leg()?.handshake();
        [first, step("tcp", tcp), step("negotiation", negotiation_time), step("tls", tls_time)]
            .into_iter()
            .filter(|step| !step.times.is_empty())
            .collect()
    }
}

/// An answer in few words: "401 Unauthorized", "nothing for 5.0 s".
pub fn heard(answer: &Answer) -> String {
    match &answer.heard {
        Heard::Response(response) => {
            let reason: String = response.reason.chars().take(REASON).collect();
            format!("{} {reason}", response.status).trim_end().to_owned()
        }
        Heard::Unreadable => "what is no HTTP".into(),
        Heard::Silence => format!("nothing for {}", stage::length(answer.took)),
        Heard::End => "the end of the connection".into(),
        Heard::NoTls(why) => format!("no TLS ({why})"),
    }
}

fn resolution_time(timeline: &Timeline) -> Option<Duration> {
    let resolution = timeline.resolution.as_ref()?;
    Some(resolution.ended?.since(resolution.began.at))
}

/// From the request to its answer.
pub fn negotiation_time(timeline: &Timeline) -> Option<Duration> {
    let facts = &timeline.facts;
    let answer = facts.confirm.as_ref().map(|seen| seen.mark).or(facts.failure.as_ref().map(|seen| seen.mark))?;
    Some(answer.at.since(facts.request.as_ref()?.mark.at))
}

/// From the ClientHello to the ServerHello.
pub fn tls_time(timeline: &Timeline) -> Option<Duration> {
    let hello = timeline.facts.first(|tls| tls.hello.as_ref())?;
    let answer = timeline.facts.first(|tls| tls.server_hello.as_ref())?;
    Some(answer.mark.at.since(hello.mark.at))
}

/// What the server chose.
pub fn server_hello(timeline: &Timeline) -> Option<&ServerHello> {
    timeline.facts.first(|tls| tls.server_hello.as_ref()).map(|hello| &hello.what)
}

/// Whether the request has its answer.
pub fn is_negotiated(timeline: &Timeline) -> bool {
    let facts = &timeline.facts;
    facts.confirm.is_some() || facts.failure.is_some() || is_foreign(timeline) || is_unreadable(timeline)
}

/// Whether the server answered the request as an RDP server does.
pub fn is_rdp(timeline: &Timeline) -> bool {
    timeline.facts.confirm.is_some() || timeline.facts.failure.is_some()
}

/// Whether the other side does not speak RDP.
pub fn is_foreign(timeline: &Timeline) -> bool {
    timeline.facts.not_rdp.is_some()
}

/// Whether the ClientHello has an answer of the protocol.
pub fn is_answered(timeline: &Timeline) -> bool {
    answers_hello(timeline) || timeline.facts.fatal_alert().is_some() || is_unreadable(timeline)
}

/// Whether the ClientHello has an answer of TLS.
pub fn is_tls(timeline: &Timeline) -> bool {
    answers_hello(timeline) || timeline.facts.fatal_alert().is_some()
}

/// Whether the server said what is no answer: what cannot be read, or that it takes its leave.
fn is_unreadable(timeline: &Timeline) -> bool {
    let facts = &timeline.facts;
    let malformed = facts.malformed.iter().any(|seen| seen.what.0 == Side::Server);
    malformed || facts.ultimatum().is_some() || facts.not_tls().is_some()
}

fn answers_hello(timeline: &Timeline) -> bool {
    server_hello(timeline).is_some() || timeline.facts.first_mark(|tls| tls.retry).is_some()
}

/// Whether all of the server's flight that is in clear has come.
pub fn is_shown(timeline: &Timeline) -> bool {
    let sealed = server_hello(timeline).is_some_and(|hello| hello.version >= 0x0304);
    let done = timeline.facts.first_mark(|tls| tls.hello_done).is_some();
    done || is_answered(timeline) && (sealed || server_hello(timeline).is_none())
}

/// Whether silence is all that came: then nothing was refused.
pub fn is_silent(timeline: &Timeline) -> bool {
    timeline.end.is_some_and(|end| stage::by_client(&end) || stage::by_timeout(&end))
}

/// Whether the server did not accept this hello: by an alert, another version, or its end.
fn is_refusal(timeline: &Timeline) -> bool {
    is_answered(timeline) || timeline.end.is_some_and(|end| end.from == Some(Side::Server))
}
