//! Every scenario of the lab through the real proxy: what the client sees is what it sees directly, and the verdict
//! names phase, leg, side, how and the cause. The recording says the same, to the letter.

use analyzer::attempt::{Diagnosed, group};
use analyzer::diagnose::Severity;
use analyzer::report::json;
use proxy::lab::{ClientReport, Conversation, End, Scenario, certificate, scenarios};

use crate::support::recorded::{Recorded, analyze};

/// One scenario through the proxy: what the client saw, what the server did, what is said of it.
struct Played {
    report: ClientReport,
    conversations: Vec<Conversation>,
    live: Diagnosed,
    document: String,
    reread: String,
}

async fn play(scenario: &Scenario) -> Played {
    let server = scenario.serve().await.expect("serve");
    let proxy = Recorded::to(certificate::NAME, server.addr).await;
    let report = scenario.connect(proxy.addr).await;
    if scenario.server.listens {
        server.finished(1).await;
    }
    let conversations = server.conversations();
    server.stop().await;
    let (mut sessions, _folder) = proxy.finish().await;
    assert_eq!(sessions.len(), 1, "{}", scenario.name);
    let live = sessions.remove(0);
    let file = live.file.clone().expect("recorded");
    let reread = analyze(file.as_ref());
    let document = |session: Diagnosed| json::document("test", &group(vec![session]));
    Played { report, conversations, document: document(live.clone()), reread: document(reread), live }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_gets_its_verdict() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        let played = play(scenario).await;
        let mut complain = |says: String| wrong.push(format!("{}: {says}", scenario.name));
        verdict(scenario, &played.live, &mut complain);
        same_for_the_client(scenario, &played, &mut complain);
        if played.document != played.reread {
            complain(format!("the file says something else: {}", difference(&played.document, &played.reread)));
        }
    }
    assert!(wrong.is_empty(), "{} complaints\n{}", wrong.len(), wrong.join("\n"));
}

/// The first lines that differ.
fn difference(live: &str, file: &str) -> String {
    let pairs = live.lines().zip(file.lines()).filter(|(live, file)| live != file);
    let told: Vec<String> = pairs.take(4).map(|(live, file)| format!("{} / {}", live.trim(), file.trim())).collect();
    format!("{} ({} and {} lines)", told.join("; "), live.lines().count(), file.lines().count())
}

fn verdict(scenario: &Scenario, session: &Diagnosed, complain: &mut dyn FnMut(String)) {
    let expect = scenario.expect;
    let mut compare = |what: &str, said: &str, expected: &str| {
        if said != expected {
            complain(format!("{what}: said {said}, expected {expected}"));
        }
    };
    compare("outcome", session.outcome.name(), expect.outcome.name());
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
    if !expect.phases.contains(&end.phase.name()) {
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
fn same_for_the_client(scenario: &Scenario, played: &Played, complain: &mut dyn FnMut(String)) {
    let direct = scenario.expect.end;
    let relayed = if direct == End::Refused { End::Reset } else { direct };
    if played.report.end != relayed {
        complain(format!("the client saw {:?}, directly {direct:?}", played.report.end));
    }
    let Some(conversation) = played.conversations.first() else { return };
    if played.report.received != conversation.sent && relayed != End::Reset {
        complain(format!("{} bytes sent, {} received", conversation.sent.bytes, played.report.received.bytes));
    }
}
