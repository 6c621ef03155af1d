//! Sessions that are impaired on purpose: what the peers see of it, what is said of it, and that nobody else is blamed. Times are
//! asserted as lower bounds alone: those that follow from what was asked for.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use analyzer::attempt::{Diagnosed, group};
use analyzer::diagnose::{Confidence, Outcome, Party, Severity};
use analyzer::observation::{Deed, Leg, Observation, Seen, Side, Step};
use analyzer::report::{html, json, text, verdict};
use analyzer::timeline::phase::PhaseName;
use proxy::impair::Asked;
use proxy::lab::gateway::{GatewayScenario, Listeners};
use proxy::lab::{ClientReport, ClientScript, Conversation, End as Left, Ended, Scenario, certificate};
use proxy::listen::{Config, Target};
use proxy::watch::Stored;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::peers::{PASSWORD, Screen, Security, Server, Then, xfreerdp};
use crate::support::process::{Outcome as Ran, with_peers};
use crate::support::program::{Finished, Proxy, analyze as analyze_files};
use crate::support::recorded::{Recorded, analyze};
use crate::support::{
    End, Got, Rig, anywhere, connect, late_error, pattern, read, read_all, reset, write, write_until_full,
};

fn asked(specs: &[&str]) -> Option<Arc<Asked>> {
    let specs = specs.iter().map(|spec| spec.parse().unwrap_or_else(|error| panic!("{spec}: {error}")));
    Some(Arc::new(Asked { specs: specs.collect(), seed: 7 }))
}

/// A session of the lab that was impaired: what its peers saw, and what is said of it.
struct Played {
    report: ClientReport,
    conversation: Conversation,
    said: Diagnosed,
}

/// Plays a scenario's client against its server through a proxy that impairs; the recording says what was said live.
async fn play(name: &str, specs: &[&str], change: impl FnOnce(&mut ClientScript)) -> Played {
    let mut scenario = *Scenario::named(name).expect("a scenario");
    change(&mut scenario.client);
    let server = scenario.serve().await.expect("serve");
    let target = Target { name: certificate::NAME.into(), port: server.addr.port() };
    let to = server.addr;
    let change = |config: &mut Config| (config.connect_to, config.impair) = (Some(to), asked(specs));
    let proxy = Recorded::with(target, change, Stored::Once).await;
    let report = scenario.connect(proxy.addr).await;
    // Behind a stall the server does not learn that the client has gone, until the proxy ends.
    if !specs.iter().any(|spec| spec.ends_with("stall")) {
        server.finished(1).await;
    }
    let (mut sessions, _folder) = proxy.finish().await;
    server.finished(1).await;
    let conversation = server.conversations().remove(0);
    server.stop().await;
    let said = sessions.remove(0);
    let reread = analyze(said.file.as_ref().expect("recorded").as_ref());
    let whole = |one: &Diagnosed| {
        let attempts = group(vec![one.clone()]);
        json::document("test", &attempts) + &html::page("test", &attempts)
    };
    assert_eq!(whole(&said), whole(&reread), "live and from the file");
    Played { report, conversation, said }
}

impl Played {
    /// What is said first, in the verdict and in every report.
    #[track_caller]
    fn is_said(&self, cause: &str, outcome: Outcome, verdict: &str) {
        let line = verdict::of_session(&self.said);
        let first = self.said.findings.first().map(|finding| (finding.cause.id, finding.by));
        assert_eq!((first, self.said.outcome), (Some((cause, Party::Proxy)), outcome), "{line}");
        assert!(line.contains(verdict), "{line}");
        let attempts = group(vec![self.said.clone()]);
        for report in [text::attempts(&attempts), json::document("test", &attempts), html::page("test", &attempts)] {
            let flowing = report.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flowing.contains("it impaired the session on purpose (--impair"), "{report}");
        }
    }

    fn phase(&self, name: PhaseName) -> Duration {
        self.said.timeline.phase(name).expect("the phase").duration()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency_is_seen_in_the_phases_and_is_nobodys_fault() {
    let played = play("healthy-tls13", &["back: latency 120ms jitter 20ms"], |_| {}).await;
    assert_eq!(played.report.end, Left::Clean);
    played.is_said("PRX-IMPAIR", Outcome::Connected, "impaired by --impair 'back: latency 120ms jitter 20ms'");
    let loud = played.said.findings.iter().filter(|finding| finding.severity != Severity::Note);
    assert_eq!(loud.count(), 0, "{:#?}", played.said.findings);
    // The request waits here, then its answer; so do the ClientHello and what the server says to it.
    let least = Duration::from_millis(100);
    assert!(played.phase(PhaseName::Negotiation) >= least && played.phase(PhaseName::Tls) >= least * 2);
    let tls = played.said.timeline.phase(PhaseName::Tls).expect("tls").waited;
    assert!(tls.impairment >= least * 2, "{tls:?}");
    let seed = played.said.timeline.facts.impairments[0].what.seed;
    assert_eq!(seed, Some(7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_direction_and_one_phase_alone_are_delayed() {
    let played = play("healthy-tls12", &["tls for 10s from server: latency 300ms"], |_| {}).await;
    assert_eq!(played.report.end, Left::Clean);
    let waited = |name| played.said.timeline.phase(name).expect("the phase").waited.impairment;
    // Nothing was delayed before, and what the client says not at all: a relay passes it on at once.
    let least = Duration::from_millis(300);
    assert!(waited(PhaseName::Negotiation) < least && waited(PhaseName::Tls) >= least);
    let begun = &played.said.timeline.facts.impairments[0];
    assert_eq!((begun.what.from, begun.mark.leg, begun.what.step), (Some(Side::Server), Leg::Back, Step::Begins));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_at_a_phase_reaches_both_peers() {
    for (spec, by) in [("tls: reset by server", Side::Server), ("tls: reset by client", Side::Client)] {
        let played = play("healthy-tls13", &[spec], |_| {}).await;
        assert_eq!((played.report.end, played.conversation.ended), (Left::Reset, Some(Ended::Reset)), "{spec}");
        played.is_said("PRX-IMPAIR", Outcome::Failed, &format!("failed in tls: ended by --impair '{spec}'"));
        assert_eq!(played.said.findings.len(), 1, "{:#?}", played.said.findings);
        assert_eq!(played.said.findings[0].confidence, Confidence::Certain);
        assert_eq!(played.said.timeline.facts.impairments[0].what.deed, Deed::Reset { by });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_at_a_phase_is_a_fin_to_the_other_side() {
    let played = play("healthy-tls13", &["tls: close by server"], |_| {}).await;
    assert_eq!(played.report.end, Left::Eof);
    assert_eq!(played.conversation.ended, Some(Ended::Eof), "the client answers with its own");
    played.is_said("PRX-IMPAIR", Outcome::Failed, "failed in tls: ended by --impair 'tls: close by server'");
    let played = play("healthy-tls13", &["tls: close by client"], |_| {}).await;
    assert_eq!(played.conversation.ended, Some(Ended::Eof));
    played.is_said("PRX-IMPAIR", Outcome::Failed, "ended by --impair 'tls: close by client'");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_session_that_is_ended_on_purpose_is_broken_by_that() {
    // Without keys a session counts as active once both sides go on speaking: this one is in clear.
    let played = play("healthy-legacy", &["active: reset by server"], |_| {}).await;
    assert_eq!(played.report.end, Left::Reset);
    played.is_said("PRX-IMPAIR", Outcome::Broken, "broken in active: ended by --impair 'active: reset by server'");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_up_on_a_stall_gives_up_on_that() {
    let played = play("healthy-tls13", &["tls: stall"], |client| client.patience_ms = 3000).await;
    assert_eq!(played.report.end, Left::Timeout);
    played.is_said("PRX-IMPAIR", Outcome::Failed, "impaired by --impair 'back tls: stall'");
    assert_eq!(played.said.findings[0].confidence, Confidence::Likely);
    let stall = analyzer::attribution::stalls(&played.said.timeline).pop().expect("a long wait");
    assert_eq!(stall.owner, analyzer::attribution::Owner::Impairment, "{stall:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_refuses_stays_its_own_behind_a_delay() {
    let played = play("ssl-not-allowed", &["latency 50ms"], |_| {}).await;
    let first = played.said.findings.first().expect("a finding");
    assert_eq!((first.by, first.confidence), (Party::Server, Confidence::Certain), "{first:?}");
    assert!(verdict::of_session(&played.said).ends_with("; impaired by --impair 'back: latency 50ms'"));
}

/// A relay that impairs, between two plain sockets.
async fn between(specs: &[&str]) -> (Rig, TcpStream, TcpStream) {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let to = listener.local_addr().expect("address");
    let rig = Rig::with(to, |config| config.impair = asked(specs)).await;
    let client = connect(rig.addr, None).await;
    let server = listener.accept().await.expect("accept").0;
    (rig, client, server)
}

fn discarded(seen: &[Observation]) -> u64 {
    let len = |one: &Observation| match one.seen {
        Seen::Missing { len, .. } => Some(len),
        _ => None,
    };
    seen.iter().filter_map(len).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bandwidth_is_what_was_asked_for_and_nothing_is_lost() {
    let (rig, mut client, mut server) = between(&["from server: bandwidth 200kB/s"]).await;
    let began = Instant::now();
    let sent = async {
        write(&mut server, &pattern(150_000)).await;
        server.shutdown().await.expect("shutdown");
        read_all(&mut server).await
    };
    let got = async {
        let got = read_all(&mut client).await;
        client.shutdown().await.expect("shutdown");
        got
    };
    let (got, at_server) = tokio::join!(got, sent);
    assert!(began.elapsed() >= Duration::from_millis(750), "150 kB at 200 kB/s took {:?}", began.elapsed());
    assert_eq!((got, at_server.end), (Got { bytes: pattern(150_000), end: End::Eof }, End::Eof));
    assert_eq!(discarded(&rig.observations(1).await), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_rst_waits_behind_the_bytes_before_it() {
    let (rig, mut client, mut server) = between(&["latency 200ms"]).await;
    let began = Instant::now();
    write(&mut server, &pattern(50_000)).await;
    crate::support::acknowledged(&server).await;
    reset(server);
    assert_eq!(read_all(&mut client).await, Got { bytes: pattern(50_000), end: End::Reset });
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_eq!(discarded(&rig.observations(1).await), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_on_purpose_delivers_what_came_before_it_and_counts_the_rest() {
    let (rig, mut client, mut server) = between(&["at 600ms: reset by server", "from client: stall"]).await;
    write(&mut server, b"last words").await;
    write(&mut client, b"never to arrive").await;
    let (at_client, at_server) = tokio::join!(read_all(&mut client), read_all(&mut server));
    assert_eq!(at_client, Got { bytes: b"last words".to_vec(), end: End::Reset });
    assert_eq!(at_server, Got { bytes: Vec::new(), end: End::Reset });
    let seen = rig.observations(1).await;
    assert_eq!(discarded(&seen), 15);
    let (front, back) = rig.story(1).await;
    assert_eq!(front.last().map(String::as_str), Some("server reset"));
    assert_eq!(back[back.len() - 2..], ["client discarded 15", "client reset"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_on_purpose_leaves_the_other_direction_open() {
    let (rig, mut client, mut server) = between(&["at 300ms: close by client"]).await;
    write(&mut client, b"request").await;
    assert_eq!(read_all(&mut server).await, Got { bytes: b"request".to_vec(), end: End::Eof });
    write(&mut client, b"too late").await;
    write(&mut server, b"answer").await;
    assert_eq!(read(&mut client, 6).await, b"answer");
    client.shutdown().await.expect("shutdown");
    rig.until(|note| matches!(note, proxy::tap::Note::Seen(one) if one.flow.leg == Leg::Front && one.seen == fin()))
        .await;
    server.shutdown().await.expect("shutdown");
    assert_eq!(read_all(&mut client).await.end, End::Eof);
    assert_eq!(discarded(&rig.observations(1).await), 8);
}

fn fin() -> Seen {
    Seen::Closed { from: Some(Side::Client), how: analyzer::observation::Ending::Fin }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_holds_the_sender_back_and_loses_nothing() {
    let (mut rig, mut client, mut server) = between(&["from client for 1s: stall"]).await;
    let began = Instant::now();
    let written = write_until_full(&mut client).await;
    client.shutdown().await.expect("shutdown");
    let got = read_all(&mut server).await;
    assert_eq!((got.bytes.len() as u64, got.end), (written, End::Eof));
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    server.shutdown().await.expect("shutdown");
    assert_eq!(read_all(&mut client).await.end, End::Eof);
    assert_eq!(discarded(&rig.observations(1).await), 0);
    rig.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_stall_ends_with_its_peers() {
    let (rig, mut client, server) = between(&["stall"]).await;
    write(&mut client, b"into the void").await;
    drop(server);
    assert_eq!(late(&client).await, None, "the server's FIN is held back");
    drop(client);
    let (front, back) = rig.story(1).await;
    assert!(front.iter().any(|line| line == "client bytes 13"), "{front:?} {back:?}");
    let (rig, mut client, server) = between(&["stall"]).await;
    write(&mut client, b"into the void").await;
    reset(server);
    assert_eq!(late_error(&client).await, Some(std::io::ErrorKind::ConnectionReset), "after two seconds");
    assert_eq!(discarded(&rig.observations(1).await), 13);
}

/// What can be read now, without waiting for it.
async fn late(client: &TcpStream) -> Option<usize> {
    client.try_read(&mut [0; 1]).ok()
}

/// Before a gateway each connection of a client is impaired.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_through_a_gateway_is_impaired_too() {
    let (outcome, verdict) = at_gateway("latency 30ms").await;
    assert_eq!(outcome, Outcome::Connected, "{verdict}");
    assert!(verdict.ends_with("impaired by --impair 'back: latency 30ms'"), "{verdict}");
    let (outcome, verdict) = at_gateway("gateway-tls: reset by server").await;
    assert_eq!(outcome, Outcome::Failed, "{verdict}");
    assert!(
        verdict.starts_with("failed in gateway-tls: ended by --impair 'gateway-tls: reset by server'"),
        "{verdict}"
    );
}

/// The lab's healthy client through a healthy gateway, impaired: how it went.
async fn at_gateway(spec: &str) -> (Outcome, String) {
    let scenario = GatewayScenario::named("healthy").expect("a scenario");
    let gateway = scenario.serve_on(anywhere(), None, Listeners::default()).await.expect("serve");
    let target = Target { name: certificate::NAME.into(), port: gateway.addr.port() };
    let change = |config: &mut Config| {
        (config.connect_to, config.gateway, config.impair) = (Some(gateway.addr), true, asked(&[spec]));
    };
    let proxy = Recorded::with(target, change, Stored::Once).await;
    scenario.connect(proxy.addr).await;
    let (mut sessions, _folder) = proxy.finish().await;
    gateway.stop().await;
    let said = sessions.pop().expect("a session");
    (said.outcome, verdict::of_session(&said))
}

#[test]
fn what_cannot_be_read_is_refused_with_what_was_expected() {
    let proxy = |words: &[&str]| {
        let mut command = Command::new(crate::support::program::program());
        let output = command.args(["proxy", "--to", "server.example"]).args(words).output().expect("run");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (code, says) = proxy(&["--impair", "tls: reset by peer"]);
    assert_eq!(code, Some(2));
    assert!(says.contains("expected client or server, found peer"), "{says}");
    let (code, says) = proxy(&["--impair-seed", "7"]);
    assert_eq!((code, says.contains("--impair")), (Some(2), true), "{says}");
}

#[test]
fn xfreerdp_to_xrdp_survives_300_ms() {
    with_peers("xfreerdp_to_xrdp_survives_300_ms", || {
        let finished = through("back: latency 150ms jitter 20ms", Some(0))?;
        let (code, document) = analyze_files(&finished.recordings)?;
        let attempt = &document["attempts"][0];
        assert_eq!((code, &attempt["outcome"]), (Some(0), &"connected".into()), "{document:#}");
        let session = &attempt["sessions"][0];
        let findings = session["findings"].as_array().expect("findings");
        assert!(findings.iter().all(|finding| finding["severity"] == "note"), "{findings:#?}");
        let negotiation =
            &session["phases"].as_array().expect("phases").iter().find(|one| one["phase"] == "negotiation");
        let waited = negotiation.expect("a negotiation")["waited_ns"]["impairment"].as_u64().expect("a time");
        assert!(waited >= 130_000_000, "{session:#}");
        let output = finished.output.split_whitespace().collect::<Vec<_>>().join(" ");
        for says in ["IMPAIRED: every session, on purpose: 'back: latency 150ms jitter 20ms' (seed ", "takes effect"] {
            assert!(output.contains(says), "{output}");
        }
        Ok(())
    });
}

#[test]
fn xfreerdp_to_xrdp_is_reset_at_tls() {
    with_peers("xfreerdp_to_xrdp_is_reset_at_tls", || {
        let finished = through("tls: reset by server", None)?;
        let (code, document) = analyze_files(&finished.recordings)?;
        let verdict = document["attempts"][0]["verdict"].as_str().expect("a verdict").to_owned();
        assert_eq!(code, Some(1), "{document:#}");
        assert!(
            verdict.starts_with("failed in tls: ended by --impair 'tls: reset by server'; PRX-IMPAIR"),
            "{verdict}"
        );
        Ok(())
    });
}

/// xfreerdp to xrdp, through a proxy that impairs; its exit code where it is known.
fn through(spec: &str, code: Option<i32>) -> Ran<Finished> {
    let (screen, server) = (Screen::start()?, Server::xrdp(Security::Tls("TLSv1.3"))?);
    let mut command = Command::new(crate::support::program::program());
    let port = server.port;
    command.args(["proxy", "--to", &format!("localhost:{port}"), "--connect-to", &format!("127.0.0.1:{port}")]);
    command.args(["--impair", spec]);
    let proxy = Proxy::run(command)?;
    let ran = xfreerdp(&screen, proxy.port, Security::Tls("TLSv1.3"), PASSWORD, Then::CloseTheWindow)?;
    match code {
        Some(code) => assert_eq!((ran.code, ran.showed_a_picture), (Some(code), true), "{}", ran.output),
        None => assert_ne!(ran.code, Some(0), "{}", ran.output),
    }
    proxy.finish()
}
