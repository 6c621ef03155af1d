//! The program behind networks with faults: what it says live, of its recording, and of what tcpdump saw of the same
//! run, held against what was done to the packets.

mod cases;
mod play;

use std::collections::HashSet;
use std::io::Write;
use std::sync::Mutex;
use std::thread;

use analyzer::causes;
use serde_json::Value;

use super::scoreboard::Section;
use crate::support::process::{Outcome, Trouble, need_root, program, with_peers};
use cases::{CASES, Case, Cause, Legs, REAL};
use play::{Leg, Played, Source};

/// Title and origin of the tables that are kept.
const FAULTS: (&str, &str) = (
    "network faults",
    "The lab's peers in two namespaces, with a network in user space between them that loses, delays, forges or forgets \
     packets; the proxy stands beside the client (fault on the back leg) or beside the server (front). Who ended it, how \
     and where is held against the network's own journal. Losses are chance: these tables are kept, not compared.",
);
const PEERS: (&str, &str) = (
    "network faults with real peers",
    "xfreerdp with xrdp and with FreeRDP's shadow server (NLA), the proxy beside the client. Kept, not compared.",
);

/// So many networks at a time: mostly they wait.
const AT_A_TIME: usize = 8;

/// Where today's rules say something else than the label: case, leg with the fault, sources.
#[rustfmt::skip]
const KNOWN_WRONG: &[(&str, Leg, &[Source])] = &[];

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
    /// What it rests on, for who has to mend it.
    numbers: String,
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
    fn all(played: &Played) -> Vec<Row> {
        played.documents.iter().map(|(source, said)| Row::new(&played.case, played.leg, *source, said)).collect()
    }

    fn new(case: &Case, fault_on: Leg, source: Source, document: &Value) -> Row {
        let session = &document["attempts"][0]["sessions"][0];
        let text = |pointer: &str| session.pointer(pointer).and_then(Value::as_str).unwrap_or("none").to_owned();
        let expect = case.expect;
        let on_the_wire = (expect.wire, expect.outcome);
        let here = (expect.cause, expect.outcome_here.unwrap_or(expect.outcome));
        let (cause, right) = if source == Source::Tcpdump { on_the_wire } else { here };
        let findings = session["findings"].as_array().cloned().unwrap_or_default();
        // Of a session that is no failure a note is no word.
        let is_said = |finding: &&Value| finding["severity"] != "note" || session["outcome"] == "failed";
        let shouts = findings.iter().find(is_said).cloned();
        let said = |key: &str| shouts.as_ref().and_then(|finding| finding[key].as_str()).unwrap_or("none").to_owned();
        let outcome = text("/outcome");
        let named = match expect.names {
            Some(address) if source == Source::Tcpdump => {
                Value::from(findings).to_string().contains(&address.to_string())
            }
            Some(_) | None => true,
        };
        let names = expect.names.filter(|_| source == Source::Tcpdump);
        let names = names.map(|address| format!(", {address}")).unwrap_or_default();
        Row {
            case: case.name,
            fault_on,
            source,
            expected: format!("{right} {}{}", words(cause), names),
            said: format!("{outcome} {}", said("cause")),
            confidence: said("confidence"),
            leg: text("/end/leg"),
            by: text("/end/by"),
            how: text("/end/how"),
            phase: text("/end/phase"),
            verdict: compare(right == outcome && named, cause, &said("cause")),
            numbers: ["prediction", "stalls", "legs"].map(|key| session[key].to_string()).join("\n"),
        }
    }

    fn known_wrong(&self) -> bool {
        let known = KNOWN_WRONG.iter().find(|(case, leg, _)| (*case, *leg) == (self.case, self.fault_on));
        known.is_some_and(|(_, _, sources)| sources.contains(&self.source))
    }

    /// What a wrong verdict rests on.
    fn explain(&self) {
        if self.verdict == Verdict::Wrong {
            println!("{}", self.numbers);
        }
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
    let or: String = cause.or.iter().map(|or| format!(", {or}")).collect();
    cause.is.unwrap_or("none").to_owned() + &or
}

fn compare(outcome: bool, cause: Cause, said: &str) -> Verdict {
    if outcome && said == cause.is.unwrap_or("none") {
        Verdict::Right
    } else if outcome && (cause.or.contains(&said) || cause.is.is_some_and(|is| causes::alike(is, said))) {
        Verdict::InGroup
    } else {
        Verdict::Wrong
    }
}

/// Plays cases side by side and gives them in their own order.
fn play_all(cases: &[(Case, Leg)], play: fn(&Case, Leg) -> Outcome<Played>) -> Outcome<Vec<Played>> {
    let next = Mutex::new(cases.iter().enumerate());
    let played = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let Some((place, (case, leg))) = next.lock().expect("no panic").next() else { break };
                    let result = play(case, *leg);
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
        let back = CASES.iter().filter(|case| case.legs != Legs::Front).map(|case| (*case, Leg::Back));
        let front = CASES.iter().filter(|case| case.legs != Legs::Back).map(|case| (*case, Leg::Front));
        let cases: Vec<(Case, Leg)> = back.chain(front).collect();
        judge(FAULTS, &play_all(&cases, play::play)?)
    });
}

#[test]
fn real_peers_behind_faults_get_their_verdict() {
    with_peers("real_peers_behind_faults_get_their_verdict", || {
        needs()?;
        let cases: Vec<(Case, Leg)> = REAL.iter().map(|case| (*case, Leg::Back)).collect();
        judge(PEERS, &play_all(&cases, |case, _| play::play_real(case))?)
    });
}

/// Prints all rows; a failure is what is wrong and not known to be, or right and said to be wrong.
fn judge((title, about): (&str, &str), played: &[Played]) -> Outcome<()> {
    let mut wrong: Vec<String> = played.iter().flat_map(Played::against_the_journal).collect();
    let rows: Vec<Row> = played.iter().flat_map(Row::all).collect();
    rows.iter().for_each(Row::print);
    rows.iter().for_each(Row::explain);
    report(&rows);
    keep(title, about, &rows);
    let unexpected = rows.iter().filter(|row| (row.verdict == Verdict::Wrong) != row.known_wrong());
    wrong.extend(unexpected.map(|row| {
        let Row { case, fault_on, source, expected, said, .. } = row;
        let stale = if row.known_wrong() { " (stands in KNOWN_WRONG)" } else { "" };
        format!("{case} on {} from {}: expected {expected}, said {said}{stale}", fault_on.name(), source.name())
    }));
    if wrong.is_empty() { Ok(()) } else { Err(Trouble::Failed(format!("\n{}", wrong.join("\n")))) }
}

/// The rows of one source as they stand in docs/diagnosis.md.
fn table(title: &str, about: &str, rows: &[&Row]) -> String {
    let of = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let healthy = rows.iter().filter(|row| row.expected == "connected none");
    let (right, group, wrong) = (of(Verdict::Right), of(Verdict::InGroup), of(Verdict::Wrong));
    let alarms = healthy.clone().filter(|row| row.verdict == Verdict::Wrong).count();
    let lines = rows.iter().map(|row| {
        let Row { case, fault_on, expected, said, confidence, leg, by, how, phase, verdict, .. } = row;
        let verdict = match verdict {
            Verdict::Right => "right",
            Verdict::InGroup => "in group",
            Verdict::Wrong => "WRONG",
        };
        let leg_of_fault = fault_on.name();
        format!("| {case} | {leg_of_fault} | {expected} | {said} | {confidence} | {how} by {by} on {leg} in {phase} | {verdict} |\n")
    });
    format!(
        "## {title}\n\n{about}\n\n{} rows: {right} right, {group} in group, {wrong} wrong, {alarms} false alarms. In {} \
         nothing may be found.\n\n| case | fault on leg | expected | said | confidence | how it ended | |\n\
         |---|---|---|---|---|---|---|\n{}",
        rows.len(),
        healthy.count(),
        lines.collect::<String>()
    )
}

/// Keeps the tables of these rows, one for each source.
fn keep(what: &str, about: &str, rows: &[Row]) {
    for source in [Source::Live, Source::Recording, Source::Tcpdump] {
        let of_it: Vec<&Row> = rows.iter().filter(|row| row.source == source).collect();
        let title = format!("{what}, {}", source.name());
        if !of_it.is_empty() {
            Section::keep(&title, &table(&title, about, &of_it));
        }
    }
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
    let known = rows.iter().filter(|row| row.known_wrong());
    let lines = known.map(|Row { case, fault_on, source, expected, said, .. }| {
        format!("!!! KNOWN WRONG: {case} on {} from {}: {expected}, said {said}\n", fault_on.name(), source.name())
    });
    // Straight to the terminal: a passing test's println! would be swallowed by the harness.
    let _closed = std::io::stderr().write_all(lines.collect::<String>().as_bytes());
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
        let played = play_all(&cases, play::play)?;
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
