//! What of a session, or of one leg of it, is compared: facts, each with its phase, as short texts.

use std::time::Duration;

use crate::attempt::Diagnosed;
use crate::codes::tls as names;
use crate::diagnose::impaired::asked;
use crate::diagnose::{Outcome, Severity};
use crate::event::{Capabilities, ClientSettings, Mechanism, Protocols, ServerSettings};
use crate::observation::{Leg, Side};
use crate::time::day;
use crate::timeline::facts::{Facts, Sighting, Tls};
use crate::timeline::inner::Inner;
use crate::timeline::phase::{Outcome as How, PhaseName};
use crate::timeline::{End, Timeline};

/// What is compared.
#[derive(Debug, Default)]
pub(super) struct Portrait {
    pub(super) name: String,
    /// Where it did not go on, and why; nothing where it had what it asked for.
    pub(super) stopped: Option<Stop>,
    pub(super) facts: Vec<Fact>,
    pub(super) steps: Vec<Step>,
    pub(super) measures: Vec<Measure>,
}

/// Where a session stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) phase: PhaseName,
    /// The cause, where one is named.
    cause: Option<&'static str>,
}

impl Stop {
    fn of(session: &Diagnosed) -> Option<Stop> {
        let timeline = &session.timeline;
        let primary = session.findings.first().filter(|finding| finding.severity == Severity::Failure);
        let last = timeline.end.map_or(timeline.last_phase(), |end| end.phase);
        let stop = Stop { phase: primary.map_or(last, |one| one.phase), cause: primary.map(|one| one.cause.id) };
        (session.outcome != Outcome::Connected).then_some(stop)
    }
}

#[derive(Debug)]
pub(super) struct Fact {
    /// Nothing where it is the session's as a whole.
    pub(super) phase: Option<PhaseName>,
    pub(super) name: &'static str,
    pub(super) says: String,
    pub(super) matters: bool,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) phase: PhaseName,
    pub(super) took: Option<Duration>,
    pub(super) outcome: How,
}

#[derive(Debug)]
pub(super) struct Measure {
    pub(super) name: &'static str,
    pub(super) number: Option<u64>,
}

impl Portrait {
    pub(super) fn of_session(session: &Diagnosed) -> Portrait {
        let timeline = &session.timeline;
        let (name, stopped) = (session.file.clone().unwrap_or_default(), Stop::of(session));
        let mut portrait = Portrait { name, stopped, ..Portrait::default() };
        let impaired = timeline.is_impaired().then(|| asked(timeline));
        portrait.fact(None, "impaired on purpose", impaired);
        portrait.negotiation(&timeline.facts);
        if let Some(tls) = timeline.facts.tls.iter().max_by_key(|tls| tls.server_hello.is_some()) {
            portrait.tls(tls);
        }
        portrait.inner(&timeline.facts.inner);
        portrait.gateway(&timeline.facts);
        portrait.verdict(session);
        portrait.steps(timeline);
        portrait.path(
            timeline,
            Leg::Front,
            ["front RTT, µs", "front retransmits", "front client bytes", "front server bytes"],
        );
        portrait.path(
            timeline,
            Leg::Back,
            ["back RTT, µs", "back retransmits", "back client bytes", "back server bytes"],
        );
        portrait.path(timeline, Leg::Only, ["RTT, µs", "retransmits", "client bytes", "server bytes"]);
        portrait
    }

    /// `None` where there is no such leg.
    pub(super) fn of_leg(session: &Diagnosed, name: Leg) -> Option<Portrait> {
        let timeline = &session.timeline;
        let leg = timeline.leg(name)?;
        let mut portrait = Portrait { name: name.name().to_owned(), ..Portrait::default() };
        if let Some(tls) = timeline.facts.tls.iter().find(|tls| tls.leg == name) {
            portrait.tls(tls);
        }
        let first = leg.closes.first();
        let side = |from: Option<Side>| from.map_or("nobody", Side::name);
        let says = first.map(|close| format!("{}, by the {}", close.what.1.name(), side(close.what.0)));
        portrait.note(None, "first end", says);
        portrait.path(timeline, name, ["RTT, µs", "retransmits", "client bytes", "server bytes"]);
        Some(portrait)
    }

    fn fact(&mut self, phase: impl Into<Option<PhaseName>>, name: &'static str, says: Option<String>) {
        self.facts.extend(says.map(|says| Fact { phase: phase.into(), name, says, matters: true }));
    }

    /// What differs from session to session and decides nothing.
    fn note(&mut self, phase: impl Into<Option<PhaseName>>, name: &'static str, says: Option<String>) {
        self.facts.extend(says.map(|says| Fact { phase: phase.into(), name, says, matters: false }));
    }

    fn negotiation(&mut self, facts: &Facts) {
        let phase = PhaseName::Negotiation;
        let request = facts.request.as_ref().map(|request| &request.what);
        self.fact(phase, "protocols offered", request.map(|request| protocols(request.requested.unwrap_or_default())));
        self.fact(phase, "flags of the request", request.map(|request| format!("{:#04x}", request.flags)));
        let token = request.map(|request| if request.routing_token.is_some() { "yes" } else { "no" }.to_owned());
        self.fact(phase, "routing token", token);
        self.note(phase, "cookie", request.and_then(|request| request.cookie.clone()));
        let confirm = facts.confirm.as_ref().map(|confirm| &confirm.what);
        self.fact(phase, "protocol selected", confirm.map(|confirm| protocols(confirm.selected.unwrap_or_default())));
        self.fact(phase, "flags of the confirm", confirm.map(|confirm| format!("{:#04x}", confirm.flags)));
        self.fact(phase, "refusal", facts.failure.as_ref().map(|failure| format!("code {}", failure.what)));
        self.fact(
            phase,
            "no RDP",
            facts.not_rdp.as_ref().map(|seen| format!("{:?}, by the {}", seen.what.1, seen.what.0)),
        );
    }

    fn tls(&mut self, tls: &Tls) {
        let phase = PhaseName::Tls;
        if let Some(hello) = &tls.hello {
            let hello = &hello.what;
            self.fact(phase, "versions offered", Some(list(&hello.versions, |one| names::version(*one).into_owned())));
            self.fact(phase, "suites offered", Some(list(&hello.ciphers, |one| names::cipher(*one).into_owned())));
            self.fact(phase, "groups offered", Some(list(&hello.groups, |one| names::group(*one).into_owned())));
            self.fact(
                phase,
                "signatures offered",
                Some(list(&hello.signatures, |one| names::signature(*one).into_owned())),
            );
            self.fact(phase, "server name", Some(hello.sni.clone().unwrap_or_else(|| "none".into())));
        }
        if let Some(hello) = &tls.server_hello {
            let hello = &hello.what;
            self.fact(phase, "version", Some(names::version(hello.version).into_owned()));
            self.fact(phase, "suite", Some(names::cipher(hello.cipher).into_owned()));
            self.fact(phase, "group", hello.group.map(|group| names::group(group).into_owned()));
            self.note(phase, "resumed", Some(hello.resumed.to_string()));
        }
        self.certificate(tls);
        let alerts = list(&tls.alerts, |alert| format!("{} of the {}", names::alert(alert.what.2), alert.what.0));
        self.fact(phase, "alerts", (!tls.alerts.is_empty()).then_some(alerts));
    }

    fn certificate(&mut self, tls: &Tls) {
        let phase = PhaseName::Tls;
        let Some(chain) = &tls.certificates else { return };
        self.fact(phase, "certificates in the chain", Some(chain.what.len().to_string()));
        let Some(leaf) = chain.what.first() else { return };
        self.fact(phase, "certificate", Some(format!("SHA-1 {}", leaf.sha1)));
        self.fact(phase, "subject", Some(leaf.subject.clone()));
        self.fact(phase, "issuer", Some(leaf.issuer.clone()));
        self.fact(phase, "names", Some(leaf.names.join(", ")));
        self.fact(phase, "key", Some(format!("{} {} bits", leaf.key, leaf.key_bits)));
        self.fact(phase, "signature", Some(leaf.signature.clone()));
        self.fact(phase, "valid until", Some(day(leaf.not_after)));
    }

    fn inner(&mut self, inner: &Inner) {
        let credssp = &inner.credssp;
        let version = |side| credssp.version(side).map(|version| version.to_string());
        self.fact(PhaseName::Credssp, "client version", version(Side::Client));
        self.fact(PhaseName::Credssp, "server version", version(Side::Server));
        self.fact(
            PhaseName::Credssp,
            "mechanism",
            credssp.mechanism().as_ref().map(Mechanism::name).map(str::to_owned),
        );
        self.fact(PhaseName::Credssp, "error", credssp.error.as_ref().map(|error| format!("{:#010x}", error.what.1)));
        if let Some(settings) = &inner.settings.client {
            self.client(&settings.what);
        }
        if let Some(settings) = &inner.settings.server {
            self.server(&settings.what);
        }
        let refusals = inner.licensing.iter().filter_map(|seen| seen.what.refusal()).map(|code| code.to_string());
        self.fact(PhaseName::Licensing, "refusal", joined(refusals));
        let capabilities = |seen: &Option<Sighting<Capabilities>>| {
            seen.as_ref().map(|seen| format!("{} announced, {} found", seen.what.announced, seen.what.found))
        };
        self.fact(PhaseName::Capabilities, "server's sets", capabilities(&inner.demand_active));
        self.fact(PhaseName::Capabilities, "client's sets", capabilities(&inner.confirm_active));
        self.fact(
            PhaseName::Active,
            "error info",
            joined(inner.errinfo.iter().map(|seen| format!("{:#x}", seen.what))),
        );
        let logons = inner.logon_errors.iter().map(|seen| format!("{:#x} {:#x}", seen.what.0, seen.what.1));
        self.fact(PhaseName::Active, "logon errors", joined(logons));
        let ultimatum = inner.ultimatum.as_ref().map(|seen| format!("reason {} of the {}", seen.what.1, seen.what.0));
        self.fact(PhaseName::Active, "disconnect ultimatum", ultimatum);
    }

    fn client(&mut self, settings: &ClientSettings) {
        let phase = PhaseName::BasicSettings;
        self.fact(phase, "client's RDP version", settings.version.map(|version| format!("{version:#x}")));
        self.note(phase, "client's build", settings.build.map(|build| build.to_string()));
        self.note(phase, "client's name", settings.name.clone());
        self.fact(phase, "client's early flags", settings.early_flags.map(|flags| format!("{flags:#06x}")));
        self.note(phase, "desktop", settings.desktop.map(|(width, height)| format!("{width} x {height}")));
        self.fact(phase, "channels", Some(settings.channels.join(", ")));
        self.fact(phase, "client's UDP", settings.multitransport.map(|flags| format!("{flags:#x}")));
    }

    fn server(&mut self, settings: &ServerSettings) {
        let phase = PhaseName::BasicSettings;
        self.fact(phase, "server's RDP version", settings.version.map(|version| format!("{version:#x}")));
        self.fact(phase, "server's early flags", settings.early_flags.map(|flags| format!("{flags:#x}")));
        let encryption = settings.encryption_method.zip(settings.encryption_level);
        self.fact(phase, "encryption", encryption.map(|(method, level)| format!("method {method:#x}, level {level}")));
        self.fact(phase, "channels granted", Some(settings.channels.len().to_string()));
        self.fact(phase, "server's UDP", settings.multitransport.map(|flags| format!("{flags:#x}")));
    }

    fn gateway(&mut self, facts: &Facts) {
        let Some(gateway) = &facts.gateway else { return };
        let transports = gateway.exchanges.iter().map(|one| one.request.what.transport.name().to_owned());
        self.fact(PhaseName::GatewayHttp, "transports asked", joined(transports));
        let codes = gateway.exchanges.iter().filter_map(|one| Some(one.response.as_ref()?.what.status.to_string()));
        self.fact(PhaseName::GatewayHttp, "answers", joined(codes));
        let messages = gateway.messages.iter().map(|seen| format!("{} {}", seen.what.0, seen.what.1.name()));
        self.fact(PhaseName::GatewayTunnel, "messages", joined(messages));
    }

    fn verdict(&mut self, session: &Diagnosed) {
        let timeline = &session.timeline;
        self.fact(None, "outcome", Some(session.outcome.name().to_owned()));
        self.fact(None, "cause", session.findings.first().map(|finding| finding.cause.id.to_owned()));
        self.fact(None, "end", timeline.end.as_ref().map(end));
    }

    fn steps(&mut self, timeline: &Timeline) {
        for phase in &timeline.phases {
            let took = (!timeline.is_untimed()).then(|| phase.duration());
            let step = Step { phase: phase.name, took, outcome: phase.outcome };
            match self.steps.iter_mut().find(|step| step.phase == phase.name) {
                // The same phase on the other leg: the longer one is waited for. It failed where it failed on either.
                Some(known) => {
                    let is_failed = [known.outcome, step.outcome].contains(&How::Failed);
                    let longer = if known.took < step.took { step } else { Step { ..*known } };
                    *known = Step { outcome: if is_failed { How::Failed } else { longer.outcome }, ..longer };
                }
                None => self.steps.push(step),
            }
        }
    }

    fn path(&mut self, timeline: &Timeline, name: Leg, labels: [&'static str; 4]) {
        let leg = timeline.leg(name);
        let rtt = leg.and_then(|leg| leg.rtt()).map(|rtt| rtt.as_micros() as u64);
        let bytes = |side: Side| leg.map(|leg| leg.bytes[side as usize] + leg.missing[side as usize]);
        let again = leg.map(|leg| leg.retransmits());
        let numbers = [rtt, again, bytes(Side::Client), bytes(Side::Server)];
        self.measures.extend(labels.into_iter().zip(numbers).map(|(name, number)| Measure { name, number }));
    }
}

fn end(end: &End) -> String {
    format!("{} by {} in {}", end.how.name(), end.from.map_or("nobody", Side::name), end.phase)
}

fn protocols(protocols: Protocols) -> String {
    if protocols.0 == 0 { "RDP".into() } else { protocols.names().join("+") }
}

fn list<T>(all: &[T], name: impl Fn(&T) -> String) -> String {
    all.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn joined(all: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<String> = all.collect();
    (!all.is_empty()).then(|| all.join(", "))
}
