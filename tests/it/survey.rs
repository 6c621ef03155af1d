//! Stories of several sessions: what they show side by side that none of them shows alone.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use analyzer::attempt::{Diagnosed, group};
use analyzer::observation::{Leg, Observation, Opening, Seen};
use analyzer::survey::{RULES, survey};

use super::support::judge::plainly;
use super::support::script;

/// Sessions: the client's address, when it begins, and what the relay sees of it.
type Sessions<'a> = &'a [(&'a str, &'a str, String)];

const ONE: &str = "10.0.0.1";
const TWO: &str = "10.0.0.2";
const THREE: &str = "10.0.0.3";

/// The session of a script, of this client, so much later.
fn session(client: &str, later: Duration, script: &str) -> Diagnosed {
    let client: IpAddr = client.parse().expect("an address");
    let moved = |mut observation: Observation| {
        observation.at = observation.at + later;
        if let (Leg::Front, Seen::Opening(Opening::Dialing { client: from, .. })) =
            (observation.flow.leg, &mut observation.seen)
        {
            *from = SocketAddr::new(client, from.port());
        }
        observation
    };
    let observations = script::parse(script).into_iter().flatten().map(moved);
    plainly(observations.collect())
}

/// What a packet capture of one connection would hold, between these two.
fn packets(client: &str, server: &str, later: f64, script: &str) -> Diagnosed {
    let end = |text: &str, port| SocketAddr::new(text.parse().expect("an address"), port);
    let on_the_wire = |mut observation: Observation| {
        let is_back = observation.flow.leg == Leg::Back;
        observation.at = observation.at + Duration::from_secs_f64(10.0 + later);
        observation.flow.leg = Leg::Only;
        if let Seen::Opening(opening) = &mut observation.seen {
            match opening {
                Opening::Dialing { client: from, server: to } => {
                    (*from, *to) = (end(client, from.port()), end(server, 3389));
                }
                _ => return None,
            }
        }
        is_back.then_some(observation)
    };
    plainly(script::parse(script).into_iter().flatten().filter_map(on_the_wire).collect())
}

#[test]
fn a_relay_passes_an_end_on() {
    let (relay, server) = ("10.0.0.9", "10.0.0.10");
    let told = |echo: f64| {
        let sessions = vec![packets(ONE, relay, echo, &no_key()), packets(relay, server, 0.0, &no_key())];
        survey(&group(sessions)).iter().map(|found| (found.rule, found.cause.map(|cause| cause.id))).collect::<Vec<_>>()
    };
    assert_eq!(told(-0.005), [], "the client's connection ended first");
    assert_eq!(told(0.0), [("a relay passes an end on", Some("PRX-CLOSE"))]);
    assert_eq!(told(3.0), [], "long afterwards");
}

/// The names of the rules that speak, and whether their cause is the expected one.
fn told(sessions: Sessions<'_>) -> Vec<(&'static str, Option<&'static str>)> {
    let minutes = |text: &str| text.parse::<f64>().expect("minutes") * 60.0;
    let sessions =
        sessions.iter().map(|(client, at, script)| session(client, Duration::from_secs_f64(minutes(at)), script));
    let patterns = survey(&group(sessions.collect()));
    let speaks: Vec<_> = patterns.iter().map(|found| (found.rule, found.cause.map(|cause| cause.id))).collect();
    assert!(speaks.iter().all(|(rule, _)| RULES.iter().any(|known| known.name == *rule)), "{speaks:?}");
    assert!(patterns.iter().all(|found| !found.evidence.is_empty()), "{patterns:?}");
    speaks
}

fn check(sessions: Sessions<'_>, expected: &[(&'static str, Option<&'static str>)]) {
    assert_eq!(told(sessions), expected);
}

const HANDSHAKE: &str = "
    21ms > @request SSL
    41ms < @confirm SSL
    43ms > @hello 1.2 sni=server.example
    64ms < @server-hello 1.2
    64ms < @certificate valid
    64ms < @hello-done
    66ms > @key-exchange
    66ms > @finished
    86ms < @finished
    88ms session 20ms
";

/// A session that lives, is silent from then on, and ends so.
fn runs(spoke: &str, ended: &str, how: &str) -> String {
    format!("{HANDSHAKE}\n {spoke} < @record 23 60\n {ended} {how}")
}

fn healthy() -> String {
    runs("60s", "61s", "> fin")
}

fn no_key() -> String {
    "21ms > @request SSL\n 41ms < @confirm SSL\n 43ms > @hello 1.2 sni=server.example\n 50ms < rst".into()
}

fn refused() -> String {
    "0ms dial\n 20ms refused".into()
}

#[test]
fn all_clients_fail_alike() {
    let all = [(ONE, "0", no_key()), (TWO, "1", no_key()), (THREE, "2", no_key())];
    check(&all, &[("all clients fail alike", Some("TLS-NOKEY"))]);
    let one_gets_in = [(ONE, "0", no_key()), (TWO, "1", no_key()), (THREE, "2", healthy())];
    check(&one_gets_in, &[]);
    let one_client = [(ONE, "0", no_key()), (ONE, "1", no_key()), (ONE, "2", no_key())];
    check(&one_client, &[]);
}

#[test]
fn one_client_fails() {
    let one = [(ONE, "0", no_key()), (ONE, "1", no_key()), (TWO, "2", healthy()), (THREE, "4", healthy())];
    check(&one, &[("one client fails", Some("TLS-NOKEY"))]);
    let it_connects_later = [(ONE, "0", no_key()), (ONE, "1", no_key()), (TWO, "2", healthy()), (ONE, "4", healthy())];
    check(&it_connects_later, &[]);
}

#[test]
fn one_address_of_several_is_dead() {
    let first_dead =
        "0ms dial 192.0.2.7\n 21s timeout\n 21s dial 192.0.2.10\n 21.02s opened\n 21.1s > @request SSL\n 21.2s stop";
    let dead = [(ONE, "0", first_dead.to_owned()), (TWO, "1", first_dead.to_owned())];
    check(&dead, &[("one address of several is dead", Some("DNS-AAAA"))]);
    check(&dead[..1], &[]);
}

#[test]
fn the_ipv6_address_is_dead() {
    let first_dead =
        "0ms dial 2001:db8::7\n 21s timeout\n 21s dial 192.0.2.10\n 21.02s opened\n 21.1s > @request SSL\n 21.2s stop";
    let dead = [(ONE, "0", first_dead.to_owned()), (TWO, "1", first_dead.to_owned())];
    check(&dead, &[("one address of several is dead", Some("DNS-AAAA"))]);
}

#[test]
fn refused_now_and_then() {
    let now_and_then = [(ONE, "0", healthy()), (TWO, "2", refused()), (ONE, "4", refused()), (THREE, "6", healthy())];
    check(&now_and_then, &[("refused now and then", Some("TCP-BACKLOG"))]);
    let after_a_restart =
        [(ONE, "0", refused()), (TWO, "2", refused()), (ONE, "4", healthy()), (THREE, "6", healthy())];
    check(&after_a_restart, &[]);
}

#[test]
fn only_large_flights_fail() {
    let hello = |size: u32, answer: &str| {
        format!(
            "21ms > @request SSL\n 41ms < @confirm SSL\n 43ms > @hello 1.2 size={size} sni=server.example\n {answer}"
        )
    };
    let large = || hello(1700, "9s > fin");
    let answered = || {
        "64ms < @server-hello 1.2\n 64ms < @certificate valid\n 64ms < @hello-done\n 66ms > @key-exchange\n 66ms > @finished\n 86ms < @finished\n 88ms session 20ms\n 60s > fin".to_owned()
    };
    let only = [(ONE, "0", large()), (ONE, "3", hello(200, &answered())), (ONE, "6", large())];
    check(&only, &[("only large flights fail", Some("PATH-PMTU"))]);
    let small_too = [
        (ONE, "0", large()),
        (ONE, "3", hello(200, &answered())),
        (ONE, "6", hello(200, "9s > fin")),
        (ONE, "9", large()),
    ];
    check(&small_too, &[]);
}

#[test]
fn another_certificate() {
    let shows = |certificate: &str| healthy().replace("@certificate valid", &format!("@certificate {certificate}"));
    let other = [(ONE, "0", shows("valid")), (TWO, "2", shows("expired"))];
    check(&other, &[("another certificate", Some("TLS-CHANGED"))]);
    let same = [(ONE, "0", shows("valid")), (TWO, "2", shows("valid"))];
    check(&same, &[]);
    let renewed = [(ONE, "0", shows("valid")), (TWO, "9000", shows("expired"))];
    check(&renewed, &[]);
}

#[test]
fn equal_silences() {
    let cut = |spoke: &str, ended: &str| runs(spoke, ended, "< rst");
    let box_timer =
        [(ONE, "0", cut("60s", "300s")), (TWO, "10", cut("20s", "260.1s")), (ONE, "30", cut("100s", "340.2s"))];
    check(&box_timer, &[("equal silences", Some("PATH-IDLE"))]);
    let relay_timer =
        [(ONE, "0", cut("60s", "90s")), (TWO, "10", cut("20s", "50.1s")), (ONE, "30", cut("100s", "130.2s"))];
    check(&relay_timer, &[("equal silences", Some("PATH-PROXYIDLE"))]);
    let people = [(ONE, "0", cut("60s", "90s")), (TWO, "10", cut("20s", "57s")), (ONE, "30", cut("100s", "141s"))];
    check(&people, &[]);
    let users = |ended: &str| runs("60s", ended, "> fin");
    check(&[(ONE, "0", users("90s")), (TWO, "10", users("90.1s")), (ONE, "30", users("90.2s"))], &[]);
}

#[test]
fn equal_ages() {
    let cut = |spoke: &str, ended: &str| runs(spoke, ended, "< fin");
    let limit =
        [(ONE, "0", cut("599s", "600s")), (TWO, "20", cut("598s", "600.2s")), (ONE, "40", cut("599s", "600.1s"))];
    check(&limit, &[("equal ages", Some("SES-LIMIT"))]);
    let any_age =
        [(ONE, "0", cut("599s", "600s")), (TWO, "20", cut("498s", "500.2s")), (ONE, "40", cut("399s", "400.1s"))];
    check(&any_age, &[]);
}

#[test]
fn ended_together() {
    let cut = |spoke: &str, ended: &str| runs(spoke, ended, "< rst");
    let together =
        [(ONE, "0", cut("599s", "600s")), (TWO, "2", cut("479s", "480.2s")), (THREE, "4", cut("359s", "360.1s"))];
    check(&together, &[("ended together", Some("SES-SHUTDOWN"))]);
    let apart =
        [(ONE, "0", cut("599s", "600s")), (TWO, "2", cut("400s", "401.2s")), (THREE, "4", cut("359s", "360.1s"))];
    check(&apart, &[]);
}

#[test]
fn sent_round_in_circles() {
    let sent = |name: &str| {
        format!("{}\n 500ms > fin", HANDSHAKE.replace("session 20ms", "session 20ms turns=12"))
            .replace("    21ms", &format!("    0ms target {name}\n    20ms dial\n    20.5ms opened\n    21ms"))
    };
    let circle = [(ONE, "0", sent("broker")), (ONE, "0.02", sent("host")), (ONE, "0.04", sent("broker"))];
    check(&circle, &[("sent round in circles", Some("RED-LOOP"))]);
    let once = [(ONE, "0", sent("broker")), (ONE, "0.02", sent("host"))];
    check(&once, &[]);
}

#[test]
fn connects_again_and_again() {
    let short = || runs("3s", "5s", "< rst");
    let at = ["0", "0.2", "0.4", "0.6", "0.8"];
    let again: Vec<_> = at.iter().map(|at| (ONE, *at, short())).collect();
    check(&again, &[("connects again and again", Some("SES-ARC"))]);
    check(&again[..3], &[]);
}

/// What makes connections a scan, and what only looks like one, is in `attempts.rs`.
#[test]
fn a_scan_beside_sessions_is_told_and_changes_nothing_that_is_said_of_them() {
    let asks = |protocols: &str| format!("21ms > @request {protocols} cookie=scan\n 41ms < @confirm SSL\n 42ms > fin");
    let scan = |from: f64| {
        let asked = ["SSL", "SSL+HYBRID", "SSL+RDSTLS", "SSL+HYBRID_EX", "SSL"].iter().enumerate();
        asked.map(|(n, protocols)| session(ONE, Duration::from_secs_f64(from + n as f64), &asks(protocols))).collect()
    };
    let mut sessions: Vec<Diagnosed> = scan(30.0);
    for (client, at) in [(ONE, 0), (TWO, 60), (THREE, 120)] {
        sessions.push(session(client, Duration::from_secs(at), &no_key()));
    }
    let found = survey(&group(sessions));
    let rules: Vec<_> = found.iter().map(|found| (found.rule, found.cause.map(|cause| cause.id))).collect();
    assert_eq!(rules, [("all clients fail alike", Some("TLS-NOKEY")), ("a scan", Some("PRX-PROBE"))]);
    assert!(survey(&group(scan(0.0))[..]).iter().all(|found| found.says.contains("5 connections of 10.0.0.1")));
    assert_eq!(survey(&group(scan(0.0).into_iter().take(3).collect())), []);
}

#[test]
fn every_rule_over_a_set_has_a_story() {
    let source = include_str!("survey.rs");
    let silent: Vec<_> =
        RULES.iter().map(|rule| rule.name).filter(|name| !source.contains(&format!("\"{name}\""))).collect();
    assert!(silent.is_empty(), "{silent:?}");
}
