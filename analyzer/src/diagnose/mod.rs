//! The fourth noun: what it means. One list of rules over the timeline.
//!
//! A rule looks at one session's timeline and names one cause, or stays silent. The first rule of [`RULES`] that names
//! a failure is the session's primary finding; further ones of a session that failed once are not shouted. Warnings
//! stand beside it. Healthy sessions have none of either.

mod builds;
mod capabilities;
mod credssp;
mod gateway;
mod headers;
mod https;
pub(crate) mod impaired;
mod licensing;
mod negotiation;
mod path;
pub mod probe;
mod proxied;
mod reach;
mod redirection;
mod sealed;
mod session;
mod settings;
pub(crate) mod stage;
mod stopped;
pub(crate) mod tls;
mod unsealed;

#[cfg(test)]
mod tests;

pub use crate::causes::Confidence;
use crate::causes::{self, Cause, Layer};
use crate::observation::{Ending, Leg, Side};
use crate::time::Timestamp;
use crate::timeline::facts::Mark;
use crate::timeline::phase::{self, PhaseName};
use crate::timeline::{End, Timeline};

/// One rule: what it looks for, and how.
pub struct Rule {
    /// What it looks for, in a few words; its name in tests.
    pub name: &'static str,
    /// Names a cause, or nothing.
    pub check: fn(&Timeline) -> Option<Finding>,
    /// Of which sessions it is asked.
    pub scope: Scope,
    /// What it concludes from.
    pub rests: Rests,
}

/// What a rule concludes from. Every rule has to say it: what was not seen proves nothing where it would not have been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rests {
    /// From something that is here: a message, an RST, what TCP counted. A gap elsewhere does not change it.
    Seen,
    /// From something that is not here: an answer that did not come, a side that left without a word. It is asked only where
    /// the input holds all that both sides said meanwhile ([`stage::unseen`]).
    Unsaid,
}

/// Of which sessions a rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Of every one.
    Any,
    /// Of those on the way through a gateway.
    Gateway,
    /// Of an RDP connection: through a gateway, once there is one in the tunnel.
    Rdp,
}

impl Scope {
    fn has(self, timeline: &Timeline) -> bool {
        match self {
            Scope::Any => true,
            Scope::Gateway => timeline.facts.gateway.is_some(),
            Scope::Rdp => !timeline.is_before_channel(),
        }
    }
}

/// Every rule. For failures the first that speaks decides: what the two sides say in so many words, where it is read, comes
/// before what sizes and ends tell.
pub const RULES: &[Rule] = &[
    Rule { name: "ended by an impairment", check: impaired::ended, scope: Scope::Any, rests: Rests::Seen },
    Rule {
        name: "given up while an impairment let nothing pass",
        check: impaired::stalled,
        scope: Scope::Any,
        rests: Rests::Seen,
    },
    Rule {
        name: "ended right after the proxy was stopped",
        check: stopped::ended,
        scope: Scope::Any,
        rests: Rests::Seen,
    },
    Rule { name: "a PROXY header that is not read", check: headers::refused, scope: Scope::Any, rests: Rests::Unsaid },
    Rule { name: "gateway not reached", check: gateway::unreachable, scope: Scope::Gateway, rests: Rests::Seen },
    Rule { name: "a web proxy refuses", check: gateway::web_proxy, scope: Scope::Gateway, rests: Rests::Seen },
    Rule { name: "TLS with the gateway", check: gateway::handshake, scope: Scope::Gateway, rests: Rests::Unsaid },
    Rule { name: "the tunnel refused", check: gateway::tunnel_refused, scope: Scope::Gateway, rests: Rests::Seen },
    Rule { name: "the gateway's 401", check: gateway::unauthorized, scope: Scope::Gateway, rests: Rests::Unsaid },
    Rule { name: "HTTP error of the gateway", check: gateway::http_refused, scope: Scope::Gateway, rests: Rests::Seen },
    Rule { name: "the gateway ends the tunnel", check: gateway::limited, scope: Scope::Gateway, rests: Rests::Unsaid },
    Rule { name: "CredSSP that nobody selected", check: credssp::unasked, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "errorCode of CredSSP", check: credssp::error_code, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "error of Kerberos", check: credssp::kerberos, scope: Scope::Rdp, rests: Rests::Seen },
    Rule {
        name: "early user authorization denied",
        check: credssp::unauthorized,
        scope: Scope::Rdp,
        rests: Rests::Seen,
    },
    Rule { name: "RDSTLS refused", check: credssp::rdstls, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "RDSAAD refused", check: credssp::rdsaad, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "IAKerb rejected", check: credssp::iakerb, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "SPNEGO rejects", check: credssp::rejected, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "a strict side and an old CredSSP", check: credssp::strict, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule {
        name: "client left after the server's pubKeyAuth",
        check: credssp::unbound,
        scope: Scope::Rdp,
        rests: Rests::Unsaid,
    },
    Rule { name: "MCS refused", check: settings::refused, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "a channel refused", check: settings::join_refused, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "licence refused", check: licensing::refused, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "Set Error Info", check: session::errinfo, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "name does not resolve", check: reach::unresolved, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "the resolver does not answer", check: reach::resolver_silent, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "refused", check: reach::refused, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "unreachable", check: reach::unreachable, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "no answer to SYN", check: reach::unanswered, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "HTTPS asked for RDP", check: https::asked_for_rdp, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "TLS first at a relay for RDP", check: https::tls_at_relay, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "not RDP", check: negotiation::not_rdp, scope: Scope::Rdp, rests: Rests::Seen },
    Rule {
        name: "a request that cannot be read",
        check: negotiation::unreadable,
        scope: Scope::Rdp,
        rests: Rests::Unsaid,
    },
    Rule { name: "the request refused", check: negotiation::refused, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "no X.224 confirm", check: negotiation::no_confirm, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "the relay calls itself", check: reach::loops, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "negotiation failure", check: negotiation::failure, scope: Scope::Rdp, rests: Rests::Seen },
    Rule {
        name: "selected what was not offered",
        check: negotiation::downgraded,
        scope: Scope::Rdp,
        rests: Rests::Seen,
    },
    // What stands behind a hole may look like what cannot be read.
    Rule { name: "a TLS message that cannot be read", check: tls::unreadable, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule {
        name: "a message of CredSSP or MCS that cannot be read",
        check: unsealed::unreadable,
        scope: Scope::Rdp,
        rests: Rests::Unsaid,
    },
    Rule { name: "RST of a box on the way", check: path::forged_reset, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "broken while active", check: sealed::broken, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "the path loses too much", check: path::lossy, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "large segments vanish", check: path::hole, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "a window that stays shut", check: path::shut, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "never acknowledged", check: path::stuck, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "keep-alives in vain", check: path::probed_in_vain, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "client left without a request", check: negotiation::probe, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "a handshake left half open", check: negotiation::half_open, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "client did not wait", check: negotiation::hasty, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "closed before the confirm", check: negotiation::closed, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "no answer to the request", check: negotiation::unanswered, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule {
        name: "client wants more than was selected",
        check: negotiation::client_left,
        scope: Scope::Rdp,
        rests: Rests::Unsaid,
    },
    Rule {
        name: "legacy request to a TLS-only server",
        check: negotiation::legacy_refused,
        scope: Scope::Rdp,
        rests: Rests::Unsaid,
    },
    Rule { name: "alert of the server", check: tls::server_alert, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "alert of the client", check: tls::client_alert, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "not TLS", check: tls::not_tls, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "TLS given up in clear", check: tls::given_up, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "closed after ClientHello", check: tls::closed_after_hello, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "a ClientHello of two segments", check: tls::long_hello, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "no answer to ClientHello", check: tls::unanswered_hello, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "server's flight cut", check: tls::half, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "key exchange without an end", check: tls::unfinished, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule {
        name: "client left after the certificate",
        check: tls::client_left,
        scope: Scope::Rdp,
        rests: Rests::Unsaid,
    },
    Rule { name: "input that nothing answers", check: session::unanswered, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "the path is too slow", check: path::slow, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule {
        name: "ended on the way through the gateway",
        check: gateway::ended,
        scope: Scope::Gateway,
        rests: Rests::Unsaid,
    },
    Rule {
        name: "ended behind TLS with the gateway",
        check: gateway::sealed,
        scope: Scope::Gateway,
        rests: Rests::Unsaid,
    },
    Rule { name: "CredSSP ended, seen", check: credssp::ended, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "settings ended, seen", check: settings::ended, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "licensing ended, seen", check: licensing::ended, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "capabilities ended, seen", check: capabilities::ended, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule {
        name: "closed with nothing said behind TLS",
        check: sealed::nothing_said,
        scope: Scope::Rdp,
        rests: Rests::Unsaid,
    },
    Rule { name: "CredSSP ended", check: sealed::credssp, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule {
        name: "perhaps sent elsewhere",
        check: redirection::maybe_elsewhere,
        scope: Scope::Rdp,
        rests: Rests::Unsaid,
    },
    Rule { name: "ended behind TLS", check: sealed::behind_tls, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "ended in clear", check: sealed::in_clear, scope: Scope::Rdp, rests: Rests::Unsaid },
    Rule { name: "first address dead", check: reach::dead_address, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "slow resolver", check: reach::slow_resolver, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: "channels joined slowly", check: settings::slow_joins, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "logon denied in the session", check: session::denied, scope: Scope::Rdp, rests: Rests::Seen },
    Rule {
        name: "ended by the server, no reason given",
        check: session::disconnected,
        scope: Scope::Rdp,
        rests: Rests::Seen,
    },
    Rule { name: "reconnection refused", check: session::reconnect_refused, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "clocks differ", check: credssp::skewed, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "sent elsewhere", check: redirection::sent_elsewhere, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "segments lost, nothing failed", check: path::lost, scope: Scope::Any, rests: Rests::Seen },
    Rule { name: builds::RULE, check: builds::known, scope: Scope::Rdp, rests: Rests::Seen },
    Rule { name: "impaired", check: impaired::noted, scope: Scope::Any, rests: Rests::Seen },
];

/// What a side says in so many words, whoever leaves behind it.
const SAID: &[fn(&Timeline) -> Option<Finding>] = &[
    negotiation::failure,
    negotiation::downgraded,
    credssp::error_code,
    credssp::kerberos,
    credssp::unauthorized,
    credssp::rdstls,
    credssp::rdsaad,
    credssp::rejected,
    settings::refused,
    settings::join_refused,
    licensing::refused,
    session::errinfo,
];

/// Whether a side has said why it ends, in so many words.
fn is_said(timeline: &Timeline) -> bool {
    SAID.iter().any(|says| says(timeline).is_some())
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Why the session failed or broke.
    Failure,
    /// It harms, but it did not end the session.
    Warning,
    /// Worth knowing.
    Note,
}

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The client.
    Client,
    /// The server.
    Server,
    /// A box on the way.
    Middlebox,
    /// This program.
    Proxy,
    /// Nobody: a timer ran out, or the input ends.
    Nobody,
}

impl Severity {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Failure => "failure",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

impl Party {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Party::Client => "client",
            Party::Server => "server",
            Party::Middlebox => "middlebox",
            Party::Proxy => "proxy",
            Party::Nobody => "nobody",
        }
    }

    /// Who acted at the end of a session. On a relay's legs the near side is the relay itself.
    pub fn of(end: &End) -> Party {
        match (end.how, end.from, end.mark.leg) {
            (Ending::Unreachable, _, _) if end.local => Party::Nobody,
            (Ending::Unreachable, _, _) => Party::Middlebox,
            // Nobody acted: it was this side's silence that ended it.
            (Ending::TimedOut, _, Leg::Front) => Party::Client,
            (Ending::TimedOut, _, Leg::Back | Leg::Only) => Party::Server,
            (_, None, _) => Party::Nobody,
            (Ending::Fin | Ending::Reset, Some(Side::Server), Leg::Front)
            | (Ending::Fin | Ending::Reset, Some(Side::Client), Leg::Back) => Party::Proxy,
            (_, Some(Side::Client), _) => Party::Client,
            (_, Some(Side::Server), _) => Party::Server,
        }
    }
}

/// What something means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause.
    pub cause: &'static Cause,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// The leg that is to blame.
    pub leg: Leg,
    /// The phase in which it happened.
    pub phase: PhaseName,
    /// Who gave the verdict: who sent the alert, the failure code, the FIN.
    pub by: Party,
    /// What happened, one sentence.
    pub says: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What else would look like this.
    pub alternatives: Vec<(&'static Cause, Confidence)>,
    /// Whether plaintext was read: then nothing is hidden by TLS.
    pub is_read: bool,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Packet number.
    pub frame: u64,
    /// When.
    pub at: Timestamp,
    /// What stands there.
    pub says: String,
}

impl Finding {
    /// The same of packets that have no times.
    pub fn without_times(self) -> Finding {
        let evidence = self.evidence.into_iter();
        let evidence = evidence.map(|one| Evidence { says: stage::without_times(&one.says), ..one }).collect();
        Finding { says: stage::without_times(&self.says), evidence, ..self }
    }

    /// What the wire cannot show of the cause; where plaintext was read, without what only TLS hides.
    pub fn cannot_tell(&self) -> impl Iterator<Item = &'static str> {
        let is_hidden = |unknown: &str| unknown.contains(causes::SEALED);
        self.cause.cannot_tell.iter().copied().filter(move |unknown| !(self.is_read && is_hidden(unknown)))
    }

    /// Whether it says that not the side in whose name the connection was reset did so, but a box on the way.
    pub(crate) fn is_forged_end(&self, end: &End) -> bool {
        self.by == Party::Middlebox
            && self.severity == Severity::Failure
            && self.cause.id == "PATH-RSTINJ"
            && end.how == Ending::Reset
    }

    /// A failure at the place where the session ended. `None` while it stands: what has not ended has not failed.
    fn at_end(timeline: &Timeline, id: &'static str, confidence: Confidence, says: String) -> Option<Finding> {
        let end = timeline.end.as_ref()?;
        let by = Party::of(end);
        // INVARIANT: rules name causes of the catalogue only; a test runs every rule's story.
        let cause = causes::cause(id)?;
        let finding = Finding {
            cause,
            severity: Severity::Failure,
            confidence,
            leg: end.mark.leg,
            phase: end.phase,
            by,
            says,
            evidence: Vec::new(),
            alternatives: Vec::new(),
            is_read: is_read(timeline, cause),
        };
        Some(finding)
    }

    /// With a piece of evidence.
    fn with(mut self, mark: Mark, says: impl Into<String>) -> Finding {
        self.evidence.push(Evidence { frame: mark.frame, at: mark.at, says: says.into() });
        self
    }

    /// With how the session ended as evidence.
    fn with_end(self, timeline: &Timeline) -> Finding {
        match &timeline.end {
            Some(end) => self.with(end.mark, stage::end_in_words(end)),
            None => self,
        }
    }

    /// With what else it could be.
    fn or(mut self, id: &'static str, confidence: Confidence) -> Finding {
        if let Some(cause) = causes::cause(id).filter(|cause| *cause != self.cause) {
            self.alternatives.push((cause, confidence));
        }
        self
    }

    /// Puts another cause first; what stood there stays as an alternative.
    pub(crate) fn may_be(&mut self, id: &'static str) {
        if let Some(cause) = causes::cause(id) {
            let before = std::mem::replace(&mut self.cause, cause);
            self.alternatives.insert(0, (before, self.confidence));
            self.confidence = Confidence::Possible;
        }
    }

    fn by(mut self, by: Party) -> Finding {
        self.by = by;
        self
    }

    fn on(mut self, leg: Leg, phase: PhaseName) -> Finding {
        (self.leg, self.phase) = (leg, phase);
        self
    }

    fn severity(mut self, severity: Severity) -> Finding {
        self.severity = severity;
        self
    }
}

/// Whether plaintext was read where the cause shows itself: in TLS with the gateway, or in that of the RDP connection.
fn is_read(timeline: &Timeline, cause: &Cause) -> bool {
    match &timeline.facts.gateway {
        Some(gateway) if cause.layer == Layer::Gateway => gateway.is_read(),
        _ => timeline.facts.inner.unsealed.is_some(),
    }
}

/// What can be said of a session: the primary finding first.
pub fn diagnose(timeline: &Timeline) -> Vec<Finding> {
    let mut findings = judged(timeline);
    findings.extend(waited_in_vain(timeline, &findings));
    findings.sort_by_key(|finding| (finding.severity, finding.confidence));
    findings
}

/// A session that was stopped while the server, or the way to it, owed something for long: what that silence would mean had
/// the client given up there. It may have gone on: so it is possible, and no failure.
fn waited_in_vain(timeline: &Timeline, findings: &[Finding]) -> Option<Finding> {
    let is_unfinished = |_: &Timeline| Outcome::judged(timeline, findings) == Outcome::Unfinished;
    let given_up = timeline.given_up().filter(is_unfinished)?;
    let found = judged(&given_up).into_iter().find(|finding| finding.severity == Severity::Failure)?;
    Some(Finding { severity: Severity::Warning, confidence: Confidence::Possible, ..found })
}

/// What the rules say.
fn judged(timeline: &Timeline) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_whole = stage::unseen(timeline).is_none();
    let can_tell = |rule: &&Rule| rule.scope.has(timeline) && (is_whole || rule.rests == Rests::Seen);
    let asked = RULES.iter().filter(can_tell);
    for (rule, finding) in asked.filter_map(|rule| Some((rule, (rule.check)(timeline)?))) {
        let explained = has_failed(&findings) || findings.first().is_some_and(is_note_of_probe);
        // What explains an end explains it: only what harms besides is said, too, and what a build is known for, which is a
        // hint at what may be behind the explanation.
        if !explained || finding.severity == Severity::Warning || rule.name == builds::RULE {
            findings.push(impaired::explains(timeline, finding));
        }
    }
    findings
}

/// How a session went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It became active and ended normally, or is still open.
    Connected,
    /// It became active and ended badly.
    Broken,
    /// It never became active.
    Failed,
    /// The recording, or this program, ends first; or the server sent the client elsewhere.
    Unfinished,
}

impl Outcome {
    /// As it stands in reports.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Connected => "connected",
            Outcome::Broken => "broken",
            Outcome::Failed => "failed",
            Outcome::Unfinished => "unfinished",
        }
    }

    /// How this session went.
    pub fn of(timeline: &Timeline) -> Outcome {
        Outcome::judged(timeline, &diagnose(timeline))
    }

    /// How a session went of which this is said.
    pub fn judged(timeline: &Timeline, findings: &[Finding]) -> Outcome {
        let stopped = timeline.end.as_ref().is_none_or(|end| end.how == Ending::Cut || Party::of(end) == Party::Proxy);
        // What was refused in so many words has failed, whoever ends the connection afterwards.
        let refused = timeline.phases.iter().any(|phase| phase.outcome == phase::Outcome::Failed);
        let ended_here = timeline.facts.ended_inside().is_some() || timeline.ended_on_purpose().is_some();
        match timeline.is_active() {
            true if (!stopped || timeline.is_frozen()) && timeline.ended_badly() || ended_here => Outcome::Broken,
            true => Outcome::Connected,
            false if timeline.facts.inner.is_redirected() => Outcome::Unfinished,
            false if timeline.may_be_redirected() => Outcome::Unfinished,
            false if timeline.is_before_channel() && gateway::nothing_asked(timeline) => Outcome::Unfinished,
            false if !timeline.is_before_channel() && negotiation::nothing_asked(timeline) => Outcome::Unfinished,
            false if stopped && !refused && !ended_here && !has_failed(findings) => Outcome::Unfinished,
            // It may have gone on where nobody saw it; or the client came to look, and left by itself.
            false if stage::unseen(timeline).is_some() && !has_failed(findings) => Outcome::Unfinished,
            false if is_probe(findings) => Outcome::Unfinished,
            false => Outcome::Failed,
        }
    }
}

fn has_failed(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Failure)
}

/// Whether the client left of its own accord, and nothing else is known of why.
fn is_probe(findings: &[Finding]) -> bool {
    !has_failed(findings) && findings.first().is_some_and(is_note_of_probe)
}

fn is_note_of_probe(finding: &Finding) -> bool {
    finding.cause.id == "PRX-PROBE" && finding.severity == Severity::Note
}

/// What the client would have seen without the proxy, where that differs: the proxy answers the SYN itself, so a
/// server that could not be reached looks like one that hung up. What clients show of a gateway depends on more.
pub fn direct_equivalent(timeline: &Timeline) -> Option<&'static str> {
    if timeline.facts.gateway.is_some() {
        return None;
    }
    let never_opened = timeline.leg(Leg::Back).is_some_and(|leg| leg.opened.is_none());
    let end = timeline.end.filter(|end| never_opened && timeline.is_relayed() && Party::of(end) != Party::Proxy)?;
    if stage::hasty(timeline).is_some() {
        return None;
    }
    match end.how {
        Ending::Fin | Ending::Reset if end.phase == PhaseName::NameResolution => Some("0x104"),
        Ending::Unresolved => Some("0x104"),
        Ending::Refused | Ending::Unreachable | Ending::TimedOut | Ending::Fin | Ending::Reset => Some("0x204"),
        Ending::Cut => None,
    }
}
