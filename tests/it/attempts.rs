//! Sessions of one client, one after the other: which of them are one attempt, and what decides it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzer::attempt::{Attempt, Diagnosed, Link, group};
use analyzer::diagnose::Outcome;
use analyzer::latency::Set;
use analyzer::observation::{Leg, Observation, Opening, Seen};
use analyzer::report::{html, json, verdict};
use analyzer::survey::survey;

use super::support::judge::{Random, plainly};
use super::support::peers::{PASSWORD, Screen, Security, Server, Then, xfreerdp, xfreerdp_that_denies};
use super::support::process::{Trouble, wait_for, with_peers};
use super::support::program::{Proxy, analyze, program};
use super::support::script;

const CLIENT: &str = "10.0.0.1";
const OTHER: &str = "10.0.0.2";

const HELLO: &str = "
    21ms > @request SSL+HYBRID
    41ms < @confirm SSL
    43ms > @hello 1.2 sni=server.example
";
const FLIGHT: &str = "
    64ms < @server-hello 1.2
    64ms < @certificate valid
    64ms < @hello-done
";
const SESSION: &str = "
    66ms > @key-exchange
    66ms > @finished
    86ms < @finished
    88ms session 20ms
";

/// A session that its user ends.
fn good() -> String {
    format!("{HELLO}{FLIGHT}{SESSION}\n 2s > fin")
}

/// A session that the network ends.
fn broken() -> String {
    format!("{HELLO}{FLIGHT}{SESSION}\n 1.5s > @record 23 60\n 2s < rst")
}

/// The client refuses the certificate.
fn refused_certificate() -> String {
    format!("{HELLO}{FLIGHT}\n 90ms > @alert 48\n 90ms > fin")
}

/// The server has no key for its certificate.
fn no_key() -> String {
    format!("{HELLO}\n 50ms < rst")
}

fn down() -> String {
    "0ms dial\n 20ms refused".into()
}

/// The recording ends while the server is waited for.
fn cut() -> String {
    format!("{HELLO}\n 100ms stop")
}

/// A scanner's connection: it asks for these, and leaves.
fn asks(protocols: &str) -> String {
    format!("21ms > @request {protocols}\n 41ms < @confirm SSL\n 42ms > fin")
}

/// A scanner's connection: its own list of suites, and it leaves when it has the server's answer.
fn offers(size: usize) -> String {
    format!(
        "21ms > @request SSL\n 41ms < @confirm SSL\n 43ms > @hello {} sni=server.example\n 64ms < @server-hello 1.2\n 64ms < @certificate valid\n 64ms < @hello-done\n 70ms > fin",
        ["1.0", "1.1", "1.2", "1.2,1.3"][size % 4]
    )
}

/// A health check: a request for SSL and HYBRID that names no user, and the confirm is all it wants.
fn check() -> String {
    "21ms > 030000130ee000000000000100080003000000\n 41ms < @confirm SSL\n 41.1ms > rst".into()
}

/// A session of this client that begins so long after the first of all.
fn at(client: &str, seconds: f64, script: &str) -> Diagnosed {
    let client: IpAddr = client.parse().expect("an address");
    let moved = |mut observation: Observation| {
        observation.at = observation.at + Duration::from_secs_f64(seconds);
        if let (Leg::Front, Seen::Opening(Opening::Dialing { client: from, .. })) =
            (observation.flow.leg, &mut observation.seen)
        {
            *from = SocketAddr::new(client, from.port());
        }
        observation
    };
    plainly(script::parse(script).into_iter().flatten().map(moved).collect())
}

fn attempts(sessions: &[(f64, String)]) -> Vec<Attempt> {
    group(sessions.iter().map(|(seconds, script)| at(CLIENT, *seconds, script)).collect())
}

/// Each attempt: how it went, and how its sessions did.
fn told(attempts: &[Attempt]) -> Vec<(Outcome, Vec<Outcome>)> {
    let of = |attempt: &Attempt| attempt.sessions.iter().map(|session| session.outcome).collect();
    attempts.iter().map(|attempt| (attempt.outcome(), of(attempt))).collect()
}

fn links(attempt: &Attempt) -> Vec<Option<Link>> {
    attempt.sessions.iter().map(|session| session.link).collect()
}

use Outcome::{Broken, Connected, Failed, Unfinished};

/// Good; a certificate that is refused; good; the server is down. Close together, and further apart.
#[test]
fn a_later_failure_is_not_hidden_behind_a_good_session() {
    for apart in [2.5, 5.0, 25.0, 100.0] {
        let scripts = [good(), refused_certificate(), good(), down()];
        let sessions: Vec<_> = scripts.into_iter().enumerate().map(|(n, one)| (n as f64 * apart, one)).collect();
        let found = attempts(&sessions);
        let expected = vec![(Connected, vec![Connected]), (Connected, vec![Failed, Connected]), (Failed, vec![Failed])];
        assert_eq!(told(&found), expected, "{apart} s apart");
        assert_eq!(links(&found[1]), [None, Some(Link::Prompt)]);
        assert!(found[1].sessions[0].withdrawn && !found[2].sessions[0].withdrawn);
        let others = verdict::others(&found[1]);
        assert!(others[0].0 == 0 && others[0].1.contains("TLS-UNTRUST"), "{others:?}");
        let document = json::document("", &found);
        assert!(document.contains("\"decided_by\": 1"), "{document}");
        let page = html::page("", &found);
        assert!(page.contains("1 of 3 attempts failed, in 4 connections"), "{page}");
        assert_eq!(Set::of(&found).outcomes, [2, 0, 2, 0]);
    }
}

/// What is red in a report is red in its headline: here a session that was denied, one that was good, and a pause.
#[test]
fn a_pause_does_not_tie_a_failure_to_what_was_before_a_good_session() {
    let found = attempts(&[(0.0, no_key()), (3.0, good()), (30.0, down())]);
    assert_eq!(told(&found), [(Connected, vec![Failed, Connected]), (Failed, vec![Failed])]);
}

#[test]
fn a_client_that_comes_again_at_once_after_a_break_reconnects_by_itself() {
    let found = attempts(&[(0.0, broken()), (2.3, down()), (7.3, down())]);
    assert_eq!(told(&found), [(Failed, vec![Broken, Failed, Failed])]);
    assert_eq!(links(&found[0]), [None, Some(Link::Reconnect), Some(Link::Retry)]);
    let others = verdict::others(&found[0]);
    assert!(others[0].0 == 0 && others[0].1.starts_with("broken"), "{others:?}");
    // What was lost in the session that broke stays lost.
    let mended = attempts(&[(0.0, broken()), (2.3, good())]);
    assert_eq!(told(&mended), [(Broken, vec![Broken, Connected])]);
    assert!(!mended[0].sessions[0].withdrawn);
    // A user who clicks again does so later.
    let anew = attempts(&[(0.0, broken()), (20.0, good())]);
    assert_eq!(told(&anew), [(Broken, vec![Broken]), (Connected, vec![Connected])]);
    // A session that its user ended is followed by nothing.
    let closed = attempts(&[(0.0, good()), (2.3, down())]);
    assert_eq!(told(&closed), [(Connected, vec![Connected]), (Failed, vec![Failed])]);
}

#[test]
fn a_fallback_needs_a_request_on_both_sides() {
    let found = attempts(&[(0.0, down()), (1.0, no_key())]);
    assert_eq!(links(&found[0]), [None, Some(Link::Retry)]);
    let less = "21ms > @request SSL\n 41ms < @confirm SSL\n 43ms > @hello 1.2 sni=server.example\n 50ms < rst".into();
    let found = attempts(&[(0.0, no_key()), (1.0, less)]);
    assert_eq!(links(&found[0]), [None, Some(Link::Fallback)]);
}

/// How bad: nothing is known of what is unfinished, so that it is worse than a good session and better than a failed one.
fn harm(outcome: Outcome) -> u8 {
    match outcome {
        Connected => 0,
        Unfinished => 1,
        Broken => 2,
        Failed => 3,
    }
}

/// The law: an attempt's outcome is never better than that of its last session; every session is in one attempt; a session
/// that broke, and one that failed last, shows in the exit code; and what is said once is said everywhere.
#[test]
fn an_attempt_never_ends_better_than_its_last_session() {
    let scripts = [good(), broken(), refused_certificate(), no_key(), down(), cut()];
    let diagnosed: Vec<Diagnosed> = scripts.iter().map(|script| at(CLIENT, 0.0, script)).collect();
    let spread: std::collections::HashSet<&str> = diagnosed.iter().map(|one| one.outcome.name()).collect();
    assert_eq!(spread.len(), 4, "every outcome is among them: {spread:?}");
    let gaps = [0.1, 0.5, 1.0, 3.0, 9.0, 30.0, 130.0];
    for seed in 0..400 {
        let mut random = Random::seeded(seed);
        let mut now = 0.0;
        let mut sessions = Vec::new();
        for _ in 0..1 + random.below(7) {
            let script = &scripts[random.below(scripts.len() as u64) as usize];
            let client = if random.below(6) == 0 { OTHER } else { CLIENT };
            let session = at(client, now, script);
            now = session.timeline.last.0 as f64 / 1e9 - diagnosed[0].began().0 as f64 / 1e9
                + gaps[random.below(gaps.len() as u64) as usize];
            sessions.push(session);
        }
        let (count, alone) = (sessions.len(), sessions.clone());
        let found = group(sessions);
        assert_eq!(found.iter().map(|attempt| attempt.sessions.len()).sum::<usize>(), count, "seed {seed}");
        for attempt in &found {
            let told = told(std::slice::from_ref(attempt));
            let last = attempt.sessions.last().expect("never empty");
            assert!(harm(attempt.outcome()) >= harm(last.outcome), "seed {seed}: {told:?}");
            let broke = attempt.sessions.iter().any(|session| session.outcome == Broken);
            assert!(!broke || harm(attempt.outcome()) >= harm(Broken), "seed {seed}: {told:?}");
            let served = attempt.sessions.iter().rposition(|session| session.timeline.is_active());
            let hidden = attempt.sessions.iter().skip(served.map_or(0, |at| at + 1));
            let failed = hidden.into_iter().any(|session| session.outcome == Failed && !session.withdrawn);
            assert!(!failed || attempt.outcome() == Failed, "seed {seed}: {told:?}");
            assert_eq!(attempt.deciding().map(|one| one.outcome), Some(attempt.outcome()));
        }
        // Whoever ended last of all for a client is not green where it failed.
        for client in [CLIENT, OTHER] {
            let is_of = |one: &&Diagnosed| {
                one.timeline.client_leg().and_then(|leg| leg.client).is_some_and(|from| from.ip().to_string() == client)
            };
            let Some(last) = alone.iter().filter(is_of).max_by_key(|one| one.began()) else { continue };
            let its = found.iter().find(|attempt| attempt.sessions.iter().any(|one| one.began() == last.began()));
            let outcome = its.expect("it is in one").outcome();
            assert!(harm(outcome) >= harm(last.outcome), "seed {seed}");
        }
        let document = json::document("", &found);
        for attempt in &found {
            assert!(document.contains(&format!("\"outcome\": \"{}\"", attempt.outcome().name())));
        }
    }
}

/// The rules over several sessions that speak.
fn patterns(attempts: &[Attempt]) -> Vec<&'static str> {
    survey(attempts).iter().map(|pattern| pattern.rule).collect()
}

/// One client that asks for this and that and never goes on.
#[test]
fn a_scan_is_one_note() {
    let asked = ["RDP", "SSL", "SSL+HYBRID", "SSL+HYBRID+HYBRID_EX", "SSL"].iter().enumerate();
    let scan: Vec<_> = asked.map(|(n, asked)| (n as f64 * 0.3, asks(asked))).collect();
    let found = attempts(&scan);
    assert_eq!(told(&found), [(Unfinished, vec![Unfinished; 5])]);
    assert!(found[0].is_scan() && links(&found[0]).iter().all(|link| *link == Some(Link::Scan)));
    let says = verdict::of_attempt(&found[0]);
    assert!(
        says.starts_with("unfinished: a scan: 5 connections of 10.0.0.1 to server.example:3389 in 1.2 s, 4 "),
        "{says}"
    );
    assert_eq!(patterns(&found), ["a scan"]);
    assert!(found[0].sessions.iter().all(|one| one.findings[0].cause.id == "PRX-PROBE" && one.findings.len() == 1));
    let suites: Vec<_> = (0..8).map(|n| (n as f64 * 0.1, offers(n))).collect();
    assert_eq!(patterns(&attempts(&suites)), ["a scan"]);
    // Three are a client that falls back.
    assert!(!attempts(&scan[..3]).iter().any(Attempt::is_scan));
    // Minutes apart they are somebody who tries.
    let slow: Vec<_> = scan.iter().map(|(at, script)| (at * 400.0, script.clone())).collect();
    assert!(!attempts(&slow).iter().any(Attempt::is_scan));
}

#[test]
fn a_client_that_fails_is_no_scan() {
    let again = |script: String, count: usize| (0..count).map(|n| (n as f64 * 0.4, script.clone())).collect::<Vec<_>>();
    for script in [no_key(), refused_certificate(), down()] {
        let found = attempts(&again(script.clone(), 8));
        assert!(found.iter().all(|attempt| !attempt.is_scan() && attempt.outcome() == Failed), "{script}");
    }
    assert!(!attempts(&again(asks("SSL+HYBRID"), 8)).iter().any(Attempt::is_scan));
    // FreeRDP's own fallback, twice: each after a refusal.
    let refuses = |asked: &str| format!("21ms > @request {asked}\n 41ms < @failure 3\n 42ms > fin\n 43ms < fin");
    let falls = ["SSL+HYBRID", "SSL", "RDP"].iter().cycle().take(6).enumerate();
    let found = attempts(&falls.map(|(n, asked)| (n as f64 * 0.2, refuses(asked))).collect::<Vec<_>>());
    assert!(found.iter().all(|attempt| !attempt.is_scan() && attempt.outcome() == Failed));
    // Somebody who refuses a certificate under four settings has refused it.
    let settings = ["SSL", "SSL+HYBRID", "SSL+HYBRID+HYBRID_EX", "SSL+RDSTLS"].iter().enumerate();
    let refuses = |asked: &str| refused_certificate().replace("SSL+HYBRID", asked);
    let found = attempts(&settings.map(|(n, asked)| (n as f64 * 0.5, refuses(asked))).collect::<Vec<_>>());
    assert!(found.iter().all(|attempt| !attempt.is_scan() && attempt.outcome() == Failed));
    // Whoever gets a session in the end has tried what the server takes.
    let mut tries: Vec<_> = ["RDP", "SSL", "SSL+HYBRID", "SSL+RDSTLS"]
        .iter()
        .enumerate()
        .map(|(n, asked)| (n as f64 * 0.3, asks(asked)))
        .collect();
    tries.push((2.0, good()));
    assert!(!attempts(&tries).iter().any(Attempt::is_scan));
}

#[test]
fn a_scan_does_not_hide_a_client_that_fails_beside_it() {
    let mut sessions: Vec<_> = (0..12).map(|n| at(CLIENT, n as f64 * 0.1, &offers(n))).collect();
    sessions.push(at(OTHER, 0.35, &no_key()));
    let named = no_key().replace("@request SSL+HYBRID", "@request SSL+HYBRID cookie=anna");
    sessions.push(at(CLIENT, 0.45, &named));
    let found = group(sessions);
    let failed: Vec<_> = found.iter().filter(|attempt| attempt.outcome() == Failed).collect();
    assert_eq!(failed.len(), 2, "{:?}", told(&found));
    assert!(failed.iter().all(|attempt| attempt.deciding().expect("one").findings[0].cause.id == "TLS-NOKEY"));
    assert_eq!(found.iter().filter(|attempt| attempt.is_scan()).count(), 1);
}

#[test]
fn a_health_check_is_one_note_however_often_it_comes() {
    let checks: Vec<_> = (0..40).map(|n| (n as f64 * 30.0, check())).collect();
    let found = attempts(&checks);
    assert_eq!(told(&found), [(Unfinished, vec![Unfinished; 40])]);
    assert!(verdict::of_attempt(&found[0]).contains("a health check: 40 connections"));
    // A client that names its user is somebody's.
    let named = check().replace("030000130ee000000000000100080003000000", "@request SSL+HYBRID cookie=anna");
    let named: Vec<_> = (0..5).map(|n| (n as f64 * 30.0, named.clone())).collect();
    assert!(!attempts(&named).iter().any(Attempt::is_scan));
    // Sessions of others that come through the same balancer are theirs.
    let mut mixed: Vec<_> = (0..6).map(|n| at(CLIENT, n as f64 * 2.0, &check())).collect();
    let named = |script: String| script.replace("@request SSL+HYBRID", "@request SSL+HYBRID cookie=anna");
    mixed.extend([at(CLIENT, 3.1, &named(good())), at(CLIENT, 9.1, &named(no_key()))]);
    let found = group(mixed);
    let outcomes: Vec<Outcome> = found.iter().map(Attempt::outcome).collect();
    assert_eq!(outcomes, [Unfinished, Connected, Failed]);
}

/// What a packet capture on a relay's host holds of one session: the client's connection, and its own.
fn leg(from: &str, to: (&str, u16), later: f64, script: &str) -> Diagnosed {
    let on_the_wire = |mut observation: Observation| {
        let is_back = observation.flow.leg == Leg::Back;
        observation.at = observation.at + Duration::from_secs_f64(10.0 + later);
        observation.flow.leg = Leg::Only;
        if let Seen::Opening(opening) = &mut observation.seen {
            let Opening::Dialing { client, server } = opening else { return None };
            *client = SocketAddr::new(from.parse().expect("an address"), client.port() + (later * 1e3) as u16);
            *server = SocketAddr::new(to.0.parse().expect("an address"), to.1);
        }
        is_back.then_some(observation)
    };
    plainly(script::parse(script).into_iter().flatten().filter_map(on_the_wire).collect())
}

#[test]
fn two_legs_of_one_session_are_one_session() {
    let (relay, server) = (("10.0.0.9", 3389), ("10.0.0.10", 3389));
    for script in [good(), no_key(), asks("SSL+HYBRID")] {
        let pair = || [leg(CLIENT, relay, 0.0, &script), leg(relay.0, server, 0.002, &script)];
        let alone = group(vec![pair()[0].clone()]);
        for sessions in [pair().to_vec(), pair().into_iter().rev().collect()] {
            let found = group(sessions);
            assert_eq!(told(&found), told(&alone), "{script}");
            let session = &found[0].sessions[0];
            assert_eq!((session.link, session.witnesses.len(), session.witnesses[0].leg), (None, 1, Leg::Back));
            let client = session.timeline.client_leg().and_then(|leg| leg.client);
            assert_eq!(client.map(|client| client.ip().to_string()).as_deref(), Some(CLIENT));
        }
    }
    // On one host by its loopback, and through two relays.
    let near = ("127.0.0.1", 3390);
    let found =
        group(vec![leg("127.0.0.1", near, 0.0, &good()), leg("127.0.0.1", ("127.0.0.1", 3389), 0.001, &good())]);
    assert_eq!(told(&found), [(Connected, vec![Connected])]);
    let chain = [
        leg(CLIENT, relay, 0.0, &good()),
        leg(relay.0, server, 0.001, &good()),
        leg(server.0, ("10.0.0.11", 3389), 0.002, &good()),
    ];
    let found = group(chain.to_vec());
    assert_eq!((told(&found), found[0].sessions[0].witnesses.len()), (vec![(Connected, vec![Connected])], 2));
}

#[test]
fn what_only_looks_like_two_legs_is_two_sessions() {
    let (one, two) = (("10.0.0.9", 3389), ("10.0.0.10", 3389));
    // Without TLS nothing in two requests of one client tells them apart but where they go.
    let asked = asks("SSL+HYBRID");
    let both = |later: f64, from: &str| group(vec![leg(CLIENT, one, 0.0, &asked), leg(from, two, later, &asked)]);
    assert_eq!(both(0.002, CLIENT).len(), 2, "a client that opens two servers");
    assert_eq!(both(0.5, one.0).len(), 2, "long afterwards");
    // The same client at the same server has come again.
    let again = group(vec![leg(CLIENT, one, 0.0, &no_key()), leg(CLIENT, one, 0.3, &no_key())]);
    assert_eq!(told(&again), [(Failed, vec![Failed, Failed])]);
}

const TLS: Security = Security::Tls("TLSv1.2");
const LIMIT: Duration = Duration::from_secs(40);

/// A client without TLS, refused at its first MCS PDU; and one that gets through.
fn refused_at_mcs() -> String {
    "21ms > @request none\n41ms < @confirm none\n43ms > @mcs connect-initial\n63ms < @mcs ultimatum\n63ms < fin\n64ms > fin".into()
}

fn served_without_tls() -> String {
    "21ms > @request none\n41ms < @confirm none\n43ms legacy 20ms\n2s > @mcs ultimatum\n2001ms > fin".into()
}

#[test]
fn a_server_that_gave_somebody_rdp_security_does_not_insist_on_tls() {
    let cause = |found: &[Attempt]| {
        let refused = found.iter().flat_map(|attempt| &attempt.sessions).find(|session| session.outcome == Failed);
        let finding = refused.and_then(|session| session.findings.first()).expect("a finding");
        (finding.cause.id, finding.alternatives.iter().map(|(cause, _)| cause.id).collect::<Vec<_>>())
    };
    assert_eq!(cause(&group(vec![at(CLIENT, 0.0, &refused_at_mcs())])), ("X224-SSLREQ", vec!["MCS-REJECT"]));
    for (served, refused) in [(0.0, 60.0), (60.0, 0.0)] {
        let all = || vec![at(OTHER, served, &served_without_tls()), at(CLIENT, refused, &refused_at_mcs())];
        assert_eq!(cause(&group(all())), ("MCS-REJECT", vec![]));
    }
    // A server that says so itself is believed.
    let said = "21ms > @request none\n41ms < @failure 1\n42ms > fin";
    let all = vec![at(OTHER, 0.0, &served_without_tls()), at(CLIENT, 60.0, said)];
    assert_eq!(cause(&group(all)).0, "X224-SSLREQ");
}

/// Real peers, one session after the other: good, the certificate refused, good, the server killed, the server down.
#[test]
fn xfreerdp_to_an_xrdp_that_is_killed() {
    with_peers("xfreerdp_to_an_xrdp_that_is_killed", || {
        let screen = Screen::start()?;
        let server = Server::xrdp(TLS)?;
        let proxy = Proxy::before(server.port)?;
        let good = || xfreerdp(&screen, proxy.port, TLS, PASSWORD, Then::CloseTheWindow);
        assert_eq!(good()?.code, Some(0));
        let denied = xfreerdp_that_denies(&screen, proxy.port, TLS)?;
        assert!(denied.code != Some(0) && !denied.showed_a_picture, "{}", denied.output);
        assert_eq!(good()?.code, Some(0));
        std::thread::scope(|scope| {
            let cut = scope.spawn(|| xfreerdp(&screen, proxy.port, TLS, PASSWORD, Then::Stay));
            let is_active = |line: &&str| line.contains(" active ") && line.contains("begins");
            let third = || Ok((proxy.output().lines().filter(is_active).count() >= 3).then_some(()));
            let became_active = wait_for(LIMIT, third)?;
            server.kill()?;
            let cut = cut.join().map_err(|_| Trouble::Failed("the client's thread died".into()))??;
            assert!(became_active.is_some(), "never active:\n{}", proxy.output());
            assert_ne!(cut.code, Some(0), "{}", cut.output);
            Ok::<(), Trouble>(())
        })?;
        let down = xfreerdp(&screen, proxy.port, TLS, PASSWORD, Then::CloseTheWindow)?;
        assert_ne!(down.code, Some(0), "{}", down.output);
        let finished = proxy.finish()?;
        let (_, summary) = finished.output.split_once(" attempts\n").expect("a summary");
        for number in 1..=finished.recordings.len() {
            assert!(summary.contains(&format!("#{number}")), "#{number} is not in the summary:\n{summary}");
        }
        assert!(summary.contains("TCP-REFUSED") && summary.contains("TLS-"), "{summary}");
        let (code, document) = analyze(&finished.recordings)?;
        assert_eq!(code, Some(1), "{document:#}");
        let attempts = document["attempts"].as_array().expect("attempts");
        let last = attempts.last().expect("attempts");
        assert_eq!(last["outcome"], "failed", "{document:#}");
        let decided = last["decided_by"].as_u64().and_then(|place| last["sessions"].get(place as usize));
        assert_eq!(decided.expect("a session")["findings"][0]["cause"], "TCP-REFUSED", "{document:#}");
        assert_eq!(attempts[0]["outcome"], "connected", "{document:#}");
        let folder = finished.recordings[0].parent().expect("a folder");
        let run = |args: &[&str]| std::process::Command::new(program()).args(args).arg(folder).output();
        let report = String::from_utf8_lossy(&run(&["report"])?.stdout).into_owned();
        assert!(report.contains(" attempts failed") && !report.contains("none failed"), "the headline");
        let explained = String::from_utf8_lossy(&run(&["explain", "0x904", "0x7", "--capture"])?.stdout).into_owned();
        assert!(explained.contains("TCP-REFUSED"), "{explained}");
        Ok(())
    });
}
