//! Every scenario, client against server, nothing in between: what the two say of it must agree, and be as declared.

use std::collections::HashSet;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::*;
use crate::tls::{Agreed, Credential, End as TlsEnd, Offer, Trust};

/// How many are played at a time: so many that the silent ones do not add up, so few that none is starved.
const AT_ONCE: usize = 6;

/// Held by whoever plays all of something: two such tests side by side would starve each other's peers.
pub(super) static TURN: Mutex<()> = Mutex::const_new(());

/// What came out of a scenario, in its last connection.
struct Played {
    scenario: &'static Scenario,
    report: ClientReport,
    /// `None` where nothing listens.
    server: Option<Conversation>,
}

async fn play(scenario: &'static Scenario) -> Played {
    let server = scenario.serve().await.expect("loopback has a free port");
    let mut report = scenario.connect(server.addr).await;
    if let Some(second) = scenario.connect_again(server.addr).await {
        report = second;
    }
    if scenario.server.listens {
        server.finished(scenario.connections()).await;
    }
    let conversation = server.conversations().into_iter().next_back();
    server.stop().await;
    Played { scenario, report, server: conversation }
}

async fn play_all() -> Vec<Played> {
    let mut played = Vec::new();
    let mut running = JoinSet::new();
    for scenario in scenarios() {
        if running.len() == AT_ONCE {
            played.extend(running.join_next().await.map(|p| p.expect("no peer panics")));
        }
        running.spawn(play(scenario));
    }
    played.extend(running.join_all().await);
    played
}

impl Played {
    fn check(&self) {
        let (name, report) = (self.scenario.name, &self.report);
        assert_eq!(report.end, self.scenario.expect.end, "{name}: {report:?}");
        let Some(server) = &self.server else { return assert!(!self.scenario.server.listens, "{name}") };
        self.check_act(server);
        self.check_end(server);
        self.check_bytes(server);
        self.check_outcome(server);
    }

    /// The server did what its script says, once.
    fn check_act(&self, server: &Conversation) {
        let acted = server.deeds.iter().filter_map(|deed| match deed.did {
            Did::Acted(point, act) => Some((point, act)),
            Did::Reached(_) | Did::BrokenOff | Did::Over => None,
        });
        assert_eq!(acted.collect::<Vec<_>>(), Vec::from_iter(self.scenario.server.fault), "{}", self.scenario.name);
        assert_eq!(server.deeds.last().map(|deed| deed.did), Some(Did::Over), "{}", self.scenario.name);
        assert!(server.deeds.is_sorted_by_key(|deed| (deed.at, deed.sent, deed.received)), "{}", self.scenario.name);
        let reads_tls = self.scenario.client.begins == Begins::InOrder;
        if let Some((_, Act::Alert(description))) = self.scenario.server.fault.filter(|_| reads_tls) {
            assert_eq!(self.report.alert, Some(description), "{}", self.scenario.name);
        }
    }

    /// The server saw the end that the client made, if it lived to see it.
    fn check_end(&self, server: &Conversation) {
        let relay = self.scenario.server.relay.map(|relay| relay.cuts);
        let expected = match (self.scenario.expect.how, self.scenario.expect.by) {
            // It is the relay that ends it, on both sides.
            _ if relay.is_some() => relay.map(|cuts| if cuts == Cut::Fin { Ended::Eof } else { Ended::Reset }),
            (Ending::Reset, Side::Server) => None,
            (Ending::Reset, Side::Client) => Some(Ended::Reset),
            _ => Some(Ended::Eof),
        };
        assert_eq!(server.ended, expected, "{}: {:?} {:?}", self.scenario.name, server.error, server.deeds);
    }

    /// What one sent, the other received. What the client says to a server that resets may come too late.
    fn check_bytes(&self, server: &Conversation) {
        let name = self.scenario.name;
        assert!(self.report.received == server.sent, "{name}: {:?} != {:?}", self.report.received, server.sent);
        if server.ended.is_some() {
            assert!(self.report.sent == server.received, "{name}: {:?} != {:?}", self.report.sent, server.received);
        }
    }

    fn check_outcome(&self, server: &Conversation) {
        let active =
            server.deeds.iter().any(|d| matches!(d.did, Did::Reached(Point::Active) | Did::Acted(Point::Active, _)));
        assert_eq!(
            active,
            matches!(self.scenario.expect.outcome, Outcome::Connected | Outcome::Broken),
            "{}: {:?}",
            self.scenario.name,
            self.report
        );
        if self.scenario.expect.outcome == Outcome::Connected {
            assert_eq!(self.report.error, None, "{}", self.scenario.name);
            // Only a client that says goodbye leaves a server nothing to complain of.
            let in_order = self.scenario.again.unwrap_or(self.scenario.client).leaves == Leave::InOrder;
            assert_eq!(server.error.is_none(), in_order, "{}: {:?}", self.scenario.name, server.error);
            assert!(self.report.received.bytes > 500_000, "{}: {}", self.scenario.name, self.report.received.bytes);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_goes_as_declared() {
    let _turn = TURN.lock().await;
    let played = play_all().await;
    assert_eq!(played.len(), scenarios().count());
    for played in &played {
        played.check();
    }
}

#[test]
fn names_are_kebab_case_and_no_two_are_the_same() {
    let names: HashSet<&str> = scenarios().map(|scenario| scenario.name).collect();
    assert_eq!(names.len(), scenarios().count());
    for name in names {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
        assert_eq!(Scenario::named(name).map(|scenario| scenario.name), Some(name));
    }
}

#[test]
fn only_a_failure_has_a_cause() {
    for Scenario { name, expect, .. } in scenarios() {
        match expect.outcome {
            Outcome::Connected => assert_eq!((expect.cause, expect.blames), (None, None), "{name}"),
            Outcome::Failed | Outcome::Unfinished => {
                assert!(expect.cause.is_some() && expect.blames.is_some(), "{name}")
            }
            Outcome::Broken => assert!(expect.blames.is_some(), "{name}"),
        }
    }
}

#[tokio::test]
async fn a_client_says_what_is_wrong_with_the_certificate() {
    for (name, wrong) in
        [("denied-expired", "expired"), ("denied-not-yet", "not valid yet"), ("denied-tls13", "Issuer")]
    {
        let played = play(Scenario::named(name).unwrap()).await;
        let objection = played.report.objection.expect("every certificate of the lab is self-signed");
        assert!(objection.contains(wrong), "{name}: {objection}");
    }
}

#[tokio::test]
async fn the_alert_of_a_client_is_the_one_its_script_says() {
    for scenario in scenarios() {
        let Trust::Refuses(refusal) = scenario.client.trust else { continue };
        let played = play(scenario).await;
        let alert = played.server.and_then(|server| server.received.head.last_chunk::<7>().copied());
        if played.report.confirmed.is_some() && scenario.server.versions == crate::tls::Versions::Only12 {
            assert_eq!(alert, Some([0x15, 3, 3, 0, 2, 2, refusal.alert()]), "{}", scenario.name);
        }
    }
}

#[tokio::test]
async fn a_large_certificate_makes_a_flight_of_more_than_ten_kilobytes() {
    let identity = certificate::Certificate::Large.make().unwrap();
    assert!(identity.certificate.len() > 10 * 1024, "{}", identity.certificate.len());
}

#[tokio::test]
async fn a_server_serves_more_than_one_client() {
    let scenario = Scenario::named("healthy-tls13").unwrap();
    let server = scenario.serve().await.unwrap();
    let (one, two) = tokio::join!(scenario.connect(server.addr), scenario.connect(server.addr));
    server.finished(2).await;
    assert_eq!((one.end, two.end), (End::Clean, End::Clean));
    assert_eq!(server.conversations().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_stopped_breaks_off_its_conversations() {
    let scenario = Scenario::named("silence-after-request").unwrap();
    let server = scenario.serve().await.unwrap();
    let addr = server.addr;
    let patient = ClientScript { patience_ms: 60_000, ..scenario.client };
    let client = tokio::spawn(client::play(patient, scenario.server.session, addr));
    // The client must have come as far as the server before it is stopped: a second one, which is done, came after it.
    scenario.connect(addr).await;
    server.stop().await;
    assert!(matches!(client.await.unwrap().end, End::Eof | End::Reset));
}

/// Two ends that have shaken hands in this version and suite.
fn joined(version: u16, suite: u16) -> (TlsEnd, TlsEnd) {
    let identity = certificate::Certificate::Valid.make().expect("a certificate");
    let key = identity.key.pkcs8().expect("PKCS #8");
    let made =
        Credential::issued(identity.certificate.clone(), &identity.certificate, key).expect("they belong together");
    let offer = Offer { versions: &[version], ciphers: &[suite], groups: &[], name: Some("rdp.lab.test"), alpn: &[] };
    let mut client =
        TlsEnd::client(&offer, "rdp.lab.test", Trust::Anything).expect("a client").expect("it can be spoken");
    let mut server = TlsEnd::server(&made, &Agreed::on(version, suite).expect("a version")).expect("a server");
    for _ in 0..4 {
        let mut plain = Vec::new();
        server.take(&client.give(), &mut plain).expect("the client's");
        client.take(&server.give(), &mut plain).expect("the server's");
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    (client, server)
}

#[test]
fn an_alert_of_our_own_choice_is_understood() {
    const SUITES: [(u16, u16); 6] =
        [(0x0304, 0x1301), (0x0304, 0x1302), (0x0304, 0x1303), (0x0303, 0xc02b), (0x0303, 0xc02c), (0x0303, 0xcca9)];
    for (version, suite) in SUITES {
        let (mut client, mut server) = joined(version, suite);
        server.say(b"before").expect("it is said");
        let (mut plain, said) = (Vec::new(), server.fail(49));
        let broken = client.take(&said, &mut plain).expect_err("an alert");
        assert_eq!((plain.as_slice(), broken.alert), (&b"before"[..], Some(49)), "{suite:#x}: {}", broken.says);
        let (client, mut server) = joined(version, suite);
        let broken = server.take(&client.fail(48), &mut Vec::new()).expect_err("an alert");
        assert_eq!(broken.alert, Some(48), "{suite:#x}");
    }
}

#[test]
fn before_the_first_word_of_the_server_it_is_in_clear() {
    let offer = Offer { versions: &[0x0303], ciphers: &[0xc02b], groups: &[], name: None, alpn: &[] };
    let client = TlsEnd::client(&offer, "rdp.lab.test", Trust::Anything).expect("a client").expect("it can be spoken");
    let said = client.fail(80);
    assert_eq!(said[said.len() - 7..], [21, 3, 3, 0, 2, 2, 80]);
}
