//! The lab's gateways, through the real proxy that stands before them: what the live session says that has the secrets of both
//! layers of TLS, what its recording says with and without them, and what packets captured by somebody else say, in one run.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use analyzer::attempt::{Attempt, group};
use analyzer::diagnose::Party;
use analyzer::observation::Side;
use analyzer::report::json;
use proxy::lab::gateway::{GatewayAct, GatewayScenario, Step, scenarios};
use proxy::lab::{End, Outcome as Went, Session};
use tokio::task::JoinSet;

use super::lab::Witness;
use super::{Label, Row, Said, Section, UNSEEN};
use crate::support::process::{Outcome, with_peers};
use crate::support::through::{Seen, Through};

/// What today's rules do not say; the labels stand.
const KNOWN_WRONG: &[&str] = &[];

/// How many are played at a time: the silent and the idle ones must not add up.
const AT_ONCE: usize = 6;

/// Enough to be active, and quick to analyse.
const SHORT: Session = Session { bursts: 2, updates: 2, update_len: 5000, pause_ms: 5 };

/// Their back legs, which tcpdump sees.
const NET: [u8; 2] = [127, 78];

fn address(number: usize) -> SocketAddr {
    let [high, low] = (number as u16 + 1).to_be_bytes();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(NET[0], NET[1], high, low)), 443)
}

/// What the lab says is to be said. Of a session that breaks and whose cause it leaves open, one of those that it names.
fn label(scenario: &GatewayScenario) -> Label {
    let expect = scenario.expect;
    let cause = expect.cause.or(expect.or.first().copied());
    Label { outcome: expect.outcome.name(), cause, or: expect.or }
}

/// What can be said where the outer TLS is not opened: that it failed, and no more than possible reasons for it. That a gateway
/// closes a session which runs, with a reason inside of TLS, looks as if somebody has logged off.
fn sealed_label(scenario: &GatewayScenario) -> Label {
    let closes = match scenario.gateway.fault {
        Some((Step::Carried(_) | Step::Quiet(_), act)) => act != GatewayAct::Reset,
        _ => false,
    };
    match label(scenario) {
        label if !scenario.inside || label.outcome == "connected" => label,
        _ if closes => Label { outcome: "connected", cause: None, or: &[] },
        label if label.outcome == "failed" => {
            Label { or: &["RDG-401", "RDG-CERT", "RDG-TRANSPORT", "RDG-503"], ..label }
        }
        label => label,
    }
}

/// Of packets of port 443 nothing but a request in TLS that can be opened tells that they have to do with Remote Desktop; TLS
/// behind a web proxy's CONNECT is not looked for.
fn packets_label(scenario: &GatewayScenario) -> Label {
    let unasked = ["certificate-expired-tls13", "healthy-by-proxy"];
    let asks = scenario.inside && !unasked.contains(&scenario.name);
    if asks { label(scenario) } else { Label { outcome: UNSEEN, cause: None, or: &[] } }
}

/// One scenario, as the proxy saw it.
struct Played {
    number: usize,
    scenario: GatewayScenario,
    seen: Seen,
    live: Vec<Attempt>,
    sealed: Vec<PathBuf>,
}

async fn play(number: usize, mut scenario: GatewayScenario) -> Played {
    let is_long = matches!(scenario.gateway.fault, Some((Step::Carried(_), _)));
    scenario.server.session = if is_long { scenario.server.session } else { SHORT };
    let through = Through::start(&scenario, address(number)).await;
    through.play(&scenario).await;
    let seen = through.finish().await;
    let (live, sealed) = (group(seen.sessions.clone()), seen.sealed());
    Played { number, scenario, seen, live, sealed }
}

async fn play_all() -> Vec<Played> {
    let (mut played, mut running) = (Vec::new(), JoinSet::new());
    for (number, scenario) in scenarios().enumerate() {
        if running.len() == AT_ONCE {
            played.extend(running.join_next().await.map(|played| played.expect("no peer panics")));
        }
        running.spawn(play(number, *scenario));
    }
    played.extend(running.join_all().await);
    played.sort_by_key(|played| played.number);
    played
}

/// One row for each scenario.
fn rows(
    played: &[Played],
    label: fn(&GatewayScenario) -> Label,
    said: impl Fn(&Played) -> Outcome<Option<Said>>,
) -> Outcome<Vec<Row>> {
    let row = |played: &Played| {
        let said = said(played)?;
        Ok(Row { case: played.scenario.name.to_owned(), label: label(&played.scenario), said })
    };
    played.iter().map(row).collect()
}

/// Without those in which it is chance whether the client's first request is seen before the gateway resets: only who reads it
/// says the same of both.
fn unraced(played: Vec<Row>) -> Vec<Row> {
    played.into_iter().filter(|row| row.case != "reset-after-tls").collect()
}

/// What the live session says of phase, end, and who is to blame, beside the label.
fn verdict(played: &Played, complain: &mut dyn FnMut(String)) {
    let GatewayScenario { expect, name, client, .. } = played.scenario;
    let mut compare = |what: &str, said: &str, expected: &str| {
        if said != expected {
            complain(format!("{name}: {what}: said {said}, expected {expected}"));
        }
    };
    compare("attempts", &played.live.len().to_string(), "1");
    let Some(session) = played.live.last().and_then(Attempt::deciding) else { return };
    let Some(end) = &session.timeline.end else { return complain(format!("{name}: no end")) };
    compare("how", end.how.name(), expect.how.name());
    // After a goodbye in order both sides close at once: who is first is chance.
    if expect.outcome != Went::Connected && expect.end != End::Clean {
        compare("by", end.from.map_or("nobody", |side| side.name()), expect.by.name());
    }
    if !expect.phases.contains(&end.phase.name()) {
        compare("phase", end.phase.name(), expect.phases[0]);
    }
    if let (Some(finding), Some(blamed)) = (session.findings.first(), expect.blames)
        && expect.cause.is_some()
    {
        // The lab's web proxy stands in the gateway's place.
        let is_proxy = client.by_proxy && finding.by == Party::Middlebox;
        compare("blamed", if is_proxy { Side::Server.name() } else { finding.by.name() }, blamed.name());
    }
}

/// Of what is sealed nobody may be sure.
fn sure_of_the_sealed(rows: &[Row], played: &[Played]) -> Vec<String> {
    let pairs = rows.iter().zip(played).filter(|(_, played)| played.scenario.inside);
    let sure = pairs.filter(|(row, _)| row.said.as_ref().is_some_and(Said::is_sure));
    sure.map(|(row, _)| format!("{}: sure of what is sealed", row.case)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_gateways() -> Outcome<()> {
    let witness = Witness::start(&format!("{}.{}.0.0/16", NET[0], NET[1]));
    let played = play_all().await;
    let section = |source, about, rows| Section { source, about, rows, known_wrong: KNOWN_WRONG.to_vec() };
    let mut complaints = Vec::new();
    played.iter().for_each(|played| verdict(played, &mut |says| complaints.push(says)));
    let live = rows(&played, label, |played| {
        Ok(Said::of(&serde_json::from_str(&json::document("test", &played.live)).expect("JSON")))
    })?;
    let about = "The lab's gateways through the proxy that stands before them, with the secrets of both layers of TLS in a key log: \
                 the JSON of the live session.";
    complaints.extend(section("gateways, live with keys", about, live).check().err());
    let recording = rows(&played, label, |played| Said::of_files(&played.seen.files()))?;
    let about = "The same sessions, from their recordings with the secrets in them, by `rdpscope analyze`.";
    complaints.extend(section("gateways, recording with keys", about, recording).check().err());
    let sealed = rows(&played, sealed_label, |played| Said::of_files(&played.sealed))?;
    complaints.extend(sure_of_the_sealed(&sealed, &played));
    let about = "The same recordings without secrets. What a gateway says is sealed: of a tunnel that failed nothing is more than \
                 possible, and what the gateway closes with a reason looks as if somebody has logged off. Healthy sessions are \
                 healthy here, too.";
    complaints.extend(section("gateways, recording without keys", about, unraced(sealed)).check().err());
    with_peers("the scoreboard of gateways from tcpdump", || {
        let mut witness = witness?;
        witness.finish()?;
        let packets = rows(&played, packets_label, |played| {
            Said::of_files_with(&[witness.packets(played.number, address(played.number).ip())?], &played.seen.keylog)
        })?;
        let about = "The same sessions, from packets that tcpdump captured of the back leg, with a key log. What nobody asked in \
                     TLS for Remote Desktop is not found there.";
        complaints.extend(section("gateways, tcpdump with keys", about, unraced(packets)).check().err());
        Ok(())
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}
