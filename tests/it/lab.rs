//! Every scenario of the lab through the real proxy: what the client sees is what it sees directly, and the verdict
//! names phase, leg, side, how and the cause. The recording says the same, to the letter.

use analyzer::attempt::{Diagnosed, group};
use analyzer::diagnose::{Confidence, Severity};
use analyzer::report::json;
use proxy::lab::{ClientReport, Conversation, End, Scenario, certificate, scenarios};

use tokio::task::JoinSet;

use crate::scoreboard::lab::KNOWN_WRONG;
use crate::support::anywhere;
use crate::support::recorded::{LabSecrets, Recorded, analyze, analyze_with};

/// How many are played at a time: the silent and the idle ones must not add up.
const AT_ONCE: usize = 6;

/// One scenario through the proxy: what the client saw, what the server did, what is said of it.
struct Played {
    scenario: &'static Scenario,
    report: ClientReport,
    conversations: Vec<Conversation>,
    /// The last of them decides.
    live: Diagnosed,
    attempts: usize,
    outcome: &'static str,
    document: String,
    reread: String,
    /// What is said of the recording with the secrets of the server.
    keyed: Diagnosed,
}

async fn play(scenario: &'static Scenario) -> Played {
    let secrets = LabSecrets::default();
    let server = scenario.serve_with_keys(anywhere(), None, secrets.keys()).await.expect("serve");
    let proxy = Recorded::to(certificate::NAME, server.addr).await;
    let mut report = scenario.connect(proxy.addr).await;
    if let Some(second) = scenario.connect_again(proxy.addr).await {
        report = second;
    }
    if scenario.server.listens {
        server.finished(scenario.connections()).await;
    }
    let conversations = server.conversations();
    server.stop().await;
    let (sessions, _folder) = proxy.finish().await;
    assert_eq!(sessions.len(), scenario.connections(), "{}", scenario.name);
    let files: Vec<String> = sessions.iter().map(|session| session.file.clone().expect("recorded")).collect();
    let reread = files.iter().map(|file| analyze(file.as_ref())).collect();
    let keys = secrets.keyring();
    let keyed = files.iter().map(|file| analyze_with(file.as_ref(), &keys)).collect();
    let keyed = group(keyed).remove(0).sessions.pop().expect("a session");
    let document = |sessions: Vec<Diagnosed>| json::document("test", &group(sessions));
    let (reread, whole) = (document(reread), document(sessions.clone()));
    let mut attempts = group(sessions);
    let (count, outcome) = (attempts.len(), attempts[0].outcome().name());
    let live = attempts.remove(0).sessions.pop().expect("a session");
    Played { scenario, report, conversations, live, attempts: count, outcome, document: whole, reread, keyed }
}

async fn play_all() -> Vec<Played> {
    let (mut played, mut running) = (Vec::new(), JoinSet::new());
    for scenario in scenarios() {
        if running.len() == AT_ONCE {
            played.extend(running.join_next().await.map(|played| played.expect("no peer panics")));
        }
        running.spawn(play(scenario));
    }
    played.extend(running.join_all().await);
    played
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_gets_its_verdict() {
    let (mut wrong, mut known) = (Vec::new(), Vec::new());
    for played in play_all().await {
        let scenario = played.scenario;
        let mut complain = |says: String| {
            let of_rules = ["outcome: ", "cause: "].iter().any(|part| says.starts_with(part));
            let is_known = KNOWN_WRONG.contains(&scenario.name) && of_rules;
            let list = if is_known { &mut known } else { &mut wrong };
            list.push(format!("{}: {says}", scenario.name));
        };
        if scenario.inside {
            without_keys(&played, &mut complain);
        } else {
            verdict(&played, &played.live, &mut complain);
        }
        verdict(&played, &played.keyed, &mut |says| complain(format!("with keys: {says}")));
        same_for_the_client(&played, &mut complain);
        if played.document != played.reread {
            complain(format!("the file says something else: {}", difference(&played.document, &played.reread)));
        }
    }
    if !known.is_empty() {
        // Straight to the terminal: a passing test's eprintln! would be swallowed by the harness.
        let loud = format!("\n!!! KNOWN WRONG: {} complaints\n{}\n", known.len(), known.join("\n"));
        std::io::Write::write_all(&mut std::io::stderr(), loud.as_bytes()).expect("stderr");
    }
    assert!(wrong.is_empty(), "{} complaints\n{}", wrong.len(), wrong.join("\n"));
}

/// The first lines that differ.
fn difference(live: &str, file: &str) -> String {
    let pairs = live.lines().zip(file.lines()).filter(|(live, file)| live != file);
    let told: Vec<String> = pairs.take(4).map(|(live, file)| format!("{} / {}", live.trim(), file.trim())).collect();
    format!("{} ({} and {} lines)", told.join("; "), live.lines().count(), file.lines().count())
}

/// What is said inside of TLS nobody without keys can know; that it ended, everybody.
fn without_keys(played: &Played, complain: &mut dyn FnMut(String)) {
    let (expect, live) = (played.scenario.expect, &played.live);
    let how = live.timeline.end.as_ref().map(|end| end.how);
    if how != Some(expect.how) {
        complain(format!("how: said {how:?}, expected {:?}", expect.how));
    }
    let certain = live.findings.first().filter(|finding| finding.confidence == Confidence::Certain);
    if let Some(finding) = certain {
        complain(format!("certain of what is sealed: {} {}", finding.cause.id, finding.says));
    }
}

fn verdict(played: &Played, session: &Diagnosed, complain: &mut dyn FnMut(String)) {
    let expect = played.scenario.expect;
    let mut compare = |what: &str, said: &str, expected: &str| {
        if said != expected {
            complain(format!("{what}: said {said}, expected {expected}"));
        }
    };
    compare("attempts", &played.attempts.to_string(), "1");
    let outcome = if played.scenario.inside { session.outcome.name() } else { played.outcome };
    compare("outcome", outcome, expect.outcome.name());
    let primary = session.findings.first();
    let said = primary.map_or("none", |finding| finding.cause.id);
    if !expect.or.contains(&said) {
        compare("cause", said, expect.cause.unwrap_or("none"));
    }
    let Some(end) = &session.timeline.end else { return complain("no end".into()) };
    compare("how", end.how.name(), expect.how.name());
    // After a goodbye in order both sides close at once: who is first is chance.
    if expect.outcome != proxy::lab::Outcome::Connected && expect.end != End::Clean {
        compare("by", end.from.map_or("nobody", |side| side.name()), expect.by.name());
    }
    let is_known = !played.scenario.inside && session.timeline.facts.inner.unsealed.is_some();
    // Without keys the first phase behind TLS stands for all.
    if !expect.phases.contains(&end.phase.name()) && !is_known {
        compare("phase", end.phase.name(), expect.phases[0]);
    }
    if let (Some(finding), Some(blamed)) = (primary, expect.blames) {
        compare("blamed", finding.by.name(), blamed.name());
    }
    let shouts = session.findings.iter().filter(|finding| finding.severity != Severity::Note).count();
    if expect.cause.is_none() && shouts > 0 && expect.outcome.name() == "connected" {
        complain(format!("false alarm: {}", session.findings[0].says));
    }
}

/// The bytes that the server sent are those that the client got, and the kind of end is the same.
fn same_for_the_client(played: &Played, complain: &mut dyn FnMut(String)) {
    let direct = played.scenario.expect.end;
    let relayed = if direct == End::Refused { End::Reset } else { direct };
    if played.report.end != relayed {
        complain(format!("the client saw {:?}, directly {direct:?}", played.report.end));
    }
    let Some(conversation) = played.conversations.last() else { return };
    if played.report.received != conversation.sent && relayed != End::Reset {
        complain(format!("{} bytes sent, {} received", conversation.sent.bytes, played.report.received.bytes));
    }
}
