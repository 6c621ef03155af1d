//! The program behind networks with faults: what it says live, of its recording, and of what tcpdump saw of the same
//! run, held against what was done to the packets.

mod cases;
mod play;

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;

use serde_json::Value;

use crate::support::process::{Outcome, Trouble, need_root, program, with_peers};
use cases::{CASES, Case, Cause, Legs};
use play::{Leg, Played, Source};

/// So many networks at a time: mostly they wait.
const AT_A_TIME: usize = 8;

/// Where today's rules say something else than the label: case, leg with the fault, source.
const KNOWN_WRONG: &[(&str, Leg, Source)] = &[];

/// What is said of one case from one source, beside what should be.
#[derive(Debug, Clone)]
pub struct Row {
    pub case: &'static str,
    pub fault_on: Leg,
    pub source: Source,
    /// The label: outcome, cause, or those that look alike.
    pub expected: String,
    /// Outcome and cause of the primary finding.
    pub said: String,
    pub confidence: String,
    /// Leg, party, manner and phase of the end.
    pub leg: String,
    pub by: String,
    pub how: String,
    pub phase: String,
    pub verdict: Verdict,
}

/// How a row compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// One of those that look alike.
    InGroup,
    Wrong,
}

impl Row {
    fn new(case: &Case, fault_on: Leg, source: Source, document: &Value) -> Row {
        let session = &document["attempts"][0]["sessions"][0];
        let text = |pointer: &str| session.pointer(pointer).and_then(Value::as_str).unwrap_or("none").to_owned();
        let expect = case.expect;
        let cause = if source == Source::Tcpdump { expect.wire } else { expect.cause };
        let findings = session["findings"].as_array().cloned().unwrap_or_default();
        let shouts = findings.iter().find(|finding| finding["severity"] != "note");
        let said = |key: &str| shouts.and_then(|finding| finding[key].as_str()).unwrap_or("none").to_owned();
        let outcome = text("/outcome");
        Row {
            case: case.name,
            fault_on,
            source,
            expected: format!("{} {}", expect.outcome, words(cause)),
            said: format!("{outcome} {}", said("cause")),
            confidence: said("confidence"),
            leg: text("/end/leg"),
            by: text("/end/by"),
            how: text("/end/how"),
            phase: text("/end/phase"),
            verdict: compare(expect.outcome == outcome, cause, &said("cause")),
        }
    }

    fn known_wrong(&self) -> bool {
        KNOWN_WRONG.contains(&(self.case, self.fault_on, self.source))
    }

    fn print(&self) {
        let mark = match (self.verdict, self.known_wrong()) {
            (Verdict::Right, _) => "",
            (Verdict::InGroup, _) => "in group",
            (Verdict::Wrong, true) => "KNOWN WRONG",
            (Verdict::Wrong, false) => "WRONG",
        };
        let Row { case, fault_on, source, expected, said, confidence, leg, by, how, phase, .. } = self;
        let end = format!("{how} by {by} on {leg} in {phase}");
        println!(
            "{case:<22} {:<5} {:<9} {expected:<40} {said:<25} {confidence:<8} {end:<42} {mark}",
            fault_on.name(),
            source.name()
        );
    }
}

fn words(cause: Cause) -> String {
    let or: String = cause.or.iter().map(|or| format!("|{or}")).collect();
    cause.is.unwrap_or("none").to_owned() + &or
}

fn compare(outcome: bool, cause: Cause, said: &str) -> Verdict {
    if outcome && said == cause.is.unwrap_or("none") {
        Verdict::Right
    } else if outcome && cause.or.contains(&said) {
        Verdict::InGroup
    } else {
        Verdict::Wrong
    }
}

/// Plays cases side by side and gives them in their own order.
fn play_all(cases: &[(Case, Leg)]) -> Outcome<Vec<Played>> {
    let next = Mutex::new(cases.iter().enumerate());
    let played = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some((place, (case, leg))) = next.lock().expect("no panic").next() else { break };
                    let result = play::play(case, *leg);
                    played.lock().expect("no panic").push((place, result));
                }
            });
        }
    });
    let mut played = played.into_inner().expect("no panic");
    played.sort_by_key(|(place, _)| *place);
    played.into_iter().map(|(_, result)| result).collect()
}

fn needs() -> Outcome<()> {
    need_root("network namespaces")?;
    program("tcpdump").map(drop)
}

#[test]
fn each_fault_of_the_network_gets_its_verdict() {
    with_peers("each_fault_of_the_network_gets_its_verdict", || {
        needs()?;
        let back = CASES.iter().map(|case| (*case, Leg::Back));
        let front = CASES.iter().filter(|case| case.legs == Legs::Each).map(|case| (*case, Leg::Front));
        let cases: Vec<(Case, Leg)> = back.chain(front).collect();
        let played = play_all(&cases)?;
        let mut wrong: Vec<String> = Vec::new();
        let mut rows = Vec::new();
        for played in &played {
            rows.extend(
                played.documents.iter().map(|(source, said)| Row::new(&played.case, played.leg, *source, said)),
            );
            wrong.extend(played.against_the_journal());
        }
        rows.iter().for_each(Row::print);
        report(&rows);
        let unexpected = rows.iter().filter(|row| (row.verdict == Verdict::Wrong) != row.known_wrong());
        wrong.extend(unexpected.map(|row| {
            let Row { case, fault_on, source, expected, said, .. } = row;
            let stale = if row.known_wrong() { " (stands in KNOWN_WRONG)" } else { "" };
            format!("{case} on {} from {}: expected {expected}, said {said}{stale}", fault_on.name(), source.name())
        }));
        if wrong.is_empty() { Ok(()) } else { Err(Trouble::Failed(format!("\n{}", wrong.join("\n")))) }
    });
}

/// The totals, and loudly what is known to be wrong.
fn report(rows: &[Row]) {
    for source in [Source::Live, Source::Recording, Source::Tcpdump] {
        let of = |verdict| rows.iter().filter(|row| row.source == source && row.verdict == verdict).count();
        let false_alarms = rows.iter().filter(|row| row.source == source && row.expected == "connected none");
        let false_alarms = false_alarms.filter(|row| row.verdict == Verdict::Wrong).count();
        let [right, group, wrong] = [Verdict::Right, Verdict::InGroup, Verdict::Wrong].map(of);
        println!("{}: {right} right, {group} in group, {wrong} wrong, {false_alarms} false alarms", source.name());
    }
    for (case, leg, source) in KNOWN_WRONG {
        println!("!!! KNOWN WRONG: {case} on {} from {}", leg.name(), source.name());
    }
}

/// How far away a server is does not change why it fails.
#[test]
fn distance_does_not_change_the_verdict() {
    with_peers("distance_does_not_change_the_verdict", || {
        needs()?;
        let names = ["mtu-certificate", "rst-request", "rst-hello", "stall-request", "one-way-third-ack", "syn-proxy"];
        let near: Vec<Case> = CASES.iter().filter(|case| names.contains(&case.name)).copied().collect();
        assert_eq!(near.len(), names.len());
        let far = near.iter().map(|case| {
            let path = crate::support::wan::Path { delay: std::time::Duration::from_millis(150), ..case.path };
            Case { path, ..*case }
        });
        let cases: Vec<(Case, Leg)> = near.iter().copied().chain(far).map(|case| (case, Leg::Back)).collect();
        let played = play_all(&cases)?;
        let (near, far) = played.split_at(near.len());
        for (near, far) in near.iter().zip(far) {
            let said = |played: &Played| -> HashSet<(Source, String)> {
                let rows =
                    played.documents.iter().map(|(source, said)| Row::new(&played.case, played.leg, *source, said));
                rows.map(|row| (row.source, row.said)).collect()
            };
            assert_eq!(said(near), said(far), "{}: at 5 ms, at 300 ms", near.case.name);
        }
        Ok(())
    });
}
