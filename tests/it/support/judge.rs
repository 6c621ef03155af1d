//! What the analyzer says of a story, as text that a person can review, and the ways in which it must not change.

use std::fmt::Write as _;

use analyzer::analysis::Analysis;
use analyzer::attempt::{Attempt, Diagnosed, group};
use analyzer::capture::annotation::Section;
use analyzer::capture::recording;
use analyzer::diagnose::{Finding, Party, Severity, direct_equivalent};
use analyzer::event::Basis;
use analyzer::observation::{Observation, Seen};
use analyzer::report::{html, json, text};
use analyzer::session::Session;
use analyzer::timeline::Timeline;
use analyzer::timeline::phase::{Phase, Waited};
use proxy::record::{Recorder, record};

use super::script;
use super::sealing::keyring;

/// Small numbers that look random: xorshift64 (Marsaglia 2003).
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn seeded(seed: u64) -> Random {
        let mut random = Random(seed ^ 0x9e37_79b9_7f4a_7c15);
        // Seeds that are alike begin alike.
        (0..16).for_each(|_| _ = random.next());
        random
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// What is said of a script, which has been held against every way in which the same may be told. `phases` are the
/// lines about phases that are wanted: those that begin with one of them.
pub fn judge(script: &str, phases: &[&str]) -> (String, Vec<Diagnosed>) {
    let sessions = script::parse(script);
    let diagnosed: Vec<Diagnosed> = sessions.iter().map(|session| plainly(session.clone())).collect();
    let document = document(diagnosed);
    for session in &sessions {
        recorded(session);
        recorded_once(session);
    }
    same(&document, &sessions, "in single bytes", |data| vec![1; data]);
    let mut random = Random::seeded(0);
    same(&document, &sessions, "at random places", |data| lengths(&mut random, data));
    let attempts = group(sessions.into_iter().map(plainly).collect());
    (tell(&attempts, phases), attempts.into_iter().flat_map(|attempt| attempt.sessions).collect())
}

fn same(document: &str, sessions: &[Vec<Observation>], how: &str, mut cut: impl FnMut(usize) -> Vec<usize>) {
    let pieces = |session: &Vec<Observation>, cut: &mut dyn FnMut(usize) -> Vec<usize>| {
        plainly(session.iter().flat_map(|observation| cut_up(observation, cut)).collect())
    };
    let cut: Vec<Diagnosed> = sessions.iter().map(|session| pieces(session, &mut cut)).collect();
    equal(document, &self::document(cut), &format!("with its bytes cut {how}"));
}

fn lengths(random: &mut Random, mut left: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    while left > 0 {
        let len = (1 + random.below(90) as usize).min(left);
        lengths.push(len);
        left -= len;
    }
    lengths
}

fn cut_up(observation: &Observation, cut: &mut dyn FnMut(usize) -> Vec<usize>) -> Vec<Observation> {
    let Seen::Bytes { from, data } = &observation.seen else { return vec![observation.clone()] };
    let mut rest = data.clone();
    let pieces = cut(data.len()).into_iter().map(|len| rest.split_to(len));
    pieces.map(|data| Observation { seen: Seen::Bytes { from: *from, data }, ..observation.clone() }).collect()
}

/// Without a recording: no frame has a number.
pub fn plainly(observations: Vec<Observation>) -> Diagnosed {
    let mut analysis = Analysis::with_keys(&keyring());
    observations.iter().for_each(|observation| analysis.push(observation));
    let session = analysis.finish(None);
    let phases = &session.timeline.phases;
    phases.iter().for_each(waits_fit);
    let once = phases.iter().all(|one| phases.iter().filter(|p| (p.name, p.leg) == (one.name, one.leg)).count() == 1);
    assert!(once, "a phase begins once: {phases:?}");
    session
}

/// Nobody was waited for longer than a phase took.
fn waits_fit(phase: &Phase) {
    let Waited { network, retransmission, impairment, client, server } = phase.waited;
    let (waited, took) = (network + retransmission + impairment + client + server, phase.duration());
    assert!(waited <= took, "{} took {took:?} and waited {waited:?}: {:?}", phase.name, phase.waited);
}

/// The law: what is said of the recording is what was said when it was made.
pub fn recorded(observations: &[Observation]) -> Vec<u8> {
    let mut live = Analysis::with_keys(&keyring());
    let section = Section::default();
    let file = record(Vec::new(), &section, observations.iter().cloned(), &mut |seen| live.push(seen)).expect("memory");
    equal(&document(vec![live.finish(None)]), &document(vec![reread(&file)]), "read from its recording");
    file
}

/// The same as the proxy records: from `active` on equal payload is stored once.
pub fn recorded_once(observations: &[Observation]) -> Vec<u8> {
    let (mut layers, mut timeline) = (Session::with_keys(&keyring()), Timeline::default());
    let mut recorder = Recorder::new(Vec::new(), &Section::default()).expect("memory");
    for Observation { at, flow, seen, .. } in observations.iter().cloned() {
        for piece in recorder.split(flow, seen) {
            let numbered = Observation { at, flow, frame: recorder.frame_of(flow, &piece), seen: piece.clone() };
            layers.push(&numbered, &mut |event| timeline.push(&event));
            recorder.write(at, flow, &piece, &[]).expect("memory");
        }
        if timeline.is_active() {
            recorder.store_once(flow.session);
        }
    }
    timeline.take_edges();
    timeline.finish();
    recorder.end(timeline.last, "the end".to_owned()).expect("memory");
    let file = recorder.into_inner();
    let live = Diagnosed::new(None, timeline);
    equal(&document(vec![live]), &document(vec![reread(&file)]), "read from a recording that stores once");
    file
}

fn reread(file: &[u8]) -> Diagnosed {
    let mut analysis = Analysis::with_keys(&keyring());
    let read = recording::read(file, 0, &mut |observation| analysis.push(&observation)).expect("a recording");
    assert_eq!(read.stopped, None);
    analysis.finish(None)
}

fn document(sessions: Vec<Diagnosed>) -> String {
    let attempts = group(sessions);
    // The page shows what the document leaves out: the messages one by one, bytes and round trips over time.
    json::document("test", &attempts) + "\n" + &html::page("test", &attempts)
}

fn equal(one: &str, other: &str, how: &str) {
    let different: Vec<String> = one
        .lines()
        .zip(other.lines())
        .filter(|(one, other)| one != other)
        .take(5)
        .map(|(one, other)| format!("  {}  /  {}", one.trim(), other.trim()))
        .collect();
    assert!(one == other, "says something else {how}:\n{}", different.join("\n"));
}

fn tell(attempts: &[Attempt], phases: &[&str]) -> String {
    let mut out = String::new();
    for attempt in attempts {
        for session in &attempt.sessions {
            tell_session(&mut out, session, phases);
        }
        if attempt.sessions.len() > 1 {
            let _infallible = writeln!(out, "attempt {}", attempt.outcome().name());
        }
    }
    out
}

fn tell_session(out: &mut String, session: &Diagnosed, phases: &[&str]) {
    let timeline = &session.timeline;
    let withdrawn = if session.withdrawn { ", withdrawn" } else { "" };
    let mut lines = vec![format!("{}{withdrawn}", session.outcome.name())];
    let told = timeline.phases.iter().map(|phase| {
        let inferred = if phase.basis == Basis::Inferred { ", inferred" } else { "" };
        let took = text::length(phase.duration());
        format!("{} on {}: {took}, {}{inferred}", phase.name, phase.leg, phase.outcome.name())
    });
    lines.extend(told.filter(|line| phases.iter().any(|wanted| line.starts_with(wanted))));
    lines.extend(timeline.end.map(|end| {
        let (by, how, phase, silence) = (Party::of(&end).name(), end.how.name(), end.phase, text::length(end.silence));
        format!("end on {}: by {by}, {how}, in {phase}, after {silence}", end.mark.leg)
    }));
    lines.extend(direct_equivalent(timeline).map(|code| format!("direct_equivalent {code}")));
    lines.extend(session.findings.iter().map(tell_finding));
    if session.findings.is_empty() {
        lines.push("no findings".into());
    }
    lines.iter().for_each(|line| {
        let _infallible = writeln!(out, "{line}");
    });
}

fn tell_finding(finding: &Finding) -> String {
    let Finding { cause, severity, confidence, leg, phase, by, says, alternatives, .. } = finding;
    let severity = if *severity == Severity::Failure { "finding" } else { severity.name() };
    let others: Vec<&str> = alternatives.iter().map(|(cause, _)| cause.id).collect();
    let others = if others.is_empty() { String::new() } else { format!(", or {}", others.join(" ")) };
    let (by, sure) = (by.name(), confidence.name());
    format!("{severity} {}, {by}, {sure}, in {phase} on {leg}{others}\n    {says}", cause.id)
}
