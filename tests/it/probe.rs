//! The probe: what it says of the lab's servers, whose faults are known, and of real ones.

use std::net::SocketAddr;
use std::time::Duration;

use analyzer::diagnose::{Finding, Severity};
use analyzer::probe::{Probe, VERSIONS};
use analyzer::report::{json, text};
use proxy::lab::certificate::Certificate;
use proxy::lab::{Act, Point, Scenario, Server, ServerScript};
use proxy::listen::Target;
use proxy::probe::{Config, run};
use proxy::tls::Versions;
use serde_json::Value;

/// A healthy server of the lab, to be changed.
fn healthy() -> ServerScript {
    Scenario::named("healthy-tls12").expect("in the catalogue").server
}

/// Probes an address by the name that the lab's certificates are for.
async fn probe_at(addr: SocketAddr, seconds: f64) -> Probe {
    let target = Target { name: "localhost".into(), port: addr.port() };
    let timeout = Duration::from_secs_f64(seconds);
    run(Config { target, connect_to: Some(addr), never: None, timeout, count: 0 }).await
}

/// Starts the lab's server and probes it.
async fn probe(script: ServerScript, seconds: f64) -> Probe {
    let server = Server::start(script).await.expect("serve");
    probe_at(server.addr, seconds).await
}

/// The causes of what is wrong, worst first; notes are left out.
fn problems(probe: &Probe) -> Vec<&'static str> {
    let wrong = |finding: &Finding| (finding.severity != Severity::Note).then_some(finding.cause.id);
    probe.findings().iter().filter_map(wrong).collect()
}

/// The verdict begins like this, and these causes are named. The report fits its columns, the document is one.
fn check(probe: &Probe, verdict: &str, causes: &[&str]) {
    let report = text::probe::report(probe);
    println!("{report}");
    assert!(text::probe::verdict(probe).starts_with(verdict), "expected {verdict}:\n{report}");
    assert_eq!(problems(probe), causes, "{report}");
    // A path of the registry is not broken.
    let fits = |line: &str| line.chars().count() <= 80 || line.split_whitespace().count() == 1;
    assert!(report.lines().all(fits), "{report}");
    let document: Value = serde_json::from_str(&json::probe::document("test", probe, None)).expect("JSON");
    assert_eq!(document["probe"]["problem"], !causes.is_empty());
}

/// Versions of TLS that were found, oldest first.
fn accepted(probe: &Probe) -> Vec<u16> {
    let versions = probe.versions();
    versions.iter().rev().filter(|version| version.accepted == Some(true)).map(|version| version.version).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_server_has_its_certificate_and_suites_and_no_problem() {
    let found = probe(ServerScript { versions: Versions::Both, ..healthy() }, 5.0).await;
    check(&found, "is open: RDP with TLS, without NLA, TLS 1.2 and 1.3, certificate valid for 27 years", &[]);
    assert_eq!(accepted(&found), [0x0303, 0x0304]);
    let versions = found.versions();
    assert_eq!(versions.len(), VERSIONS.len());
    // What rustls with ring has for a P-256 key, in either version.
    assert_eq!(versions[0].suites.len(), 3, "{versions:?}");
    assert_eq!(versions[1].suites.len(), 3, "{versions:?}");
    assert!(versions.iter().all(|version| version.complete), "{versions:?}");
    assert_eq!(found.steps().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_judged_in_clear_and_where_tls_1_3_hides_them() {
    for versions in [Versions::Only12, Versions::Only13] {
        let shows = async |certificate| probe(ServerScript { versions, certificate, ..healthy() }, 5.0).await;
        let tls = if versions == Versions::Only12 { "1.2" } else { "1.3" };
        let says = |rest: &str| format!("is open: RDP with TLS, without NLA, TLS {tls}, certificate {rest}");
        check(&shows(Certificate::Valid).await, &says("valid for 27 years (self-signed)"), &[]);
        check(&shows(Certificate::Expired).await, &says("expired 6 years ago"), &["TLS-EXPIRED"]);
        check(&shows(Certificate::NotYet).await, &says("not valid for another"), &["TLS-NOTYET"]);
        let other = shows(Certificate::WrongName).await;
        check(&other, &says("valid for 27 years and not for localhost"), &["TLS-NAME"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_named_as_in_a_session() {
    let fault = |point, act| ServerScript { fault: Some((point, act)), ..healthy() };
    let refused = probe(ServerScript { listens: false, ..healthy() }, 1.0).await;
    check(&refused, "cannot be reached: refused", &["TCP-REFUSED"]);
    let http = probe(fault(Point::Request, Act::Answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")), 1.0).await;
    check(&http, "is open, but it is not RDP: HTTP", &["TCP-NOTRDP"]);
    let silent = probe(fault(Point::Request, Act::Silence), 2.5).await;
    check(&silent, "is open, but no answer to the RDP request", &["X224-NOCC"]);
    let hangs_up = probe(fault(Point::Request, Act::Reset), 1.0).await;
    check(&hangs_up, "is open, but hangs up on the RDP request", &["TCP-RST-AFTER"]);
    let hybrid = probe(fault(Point::Request, Act::NegotiationFailure(5)), 1.0).await;
    check(&hybrid, "is open: RDP with", &["X224-HYBRID"]);
    let plain = probe(ServerScript { selects: Some(0), ..healthy() }, 1.0).await;
    check(&plain, "is open: RDP with standard RDP security alone", &["X224-SSLNO"]);
    let key = probe(fault(Point::ClientHello, Act::Reset), 1.0).await;
    check(&key, "is open: RDP with TLS, without NLA, but TLS fails", &["TLS-NOKEY"]);
    let version = probe(fault(Point::ClientHello, Act::Alert(70)), 1.0).await;
    check(&version, "is open: RDP with TLS, without NLA, but TLS fails", &["TLS-VER"]);
    let mute = probe(fault(Point::ClientHello, Act::Silence), 1.0).await;
    check(&mute, "is open: RDP with TLS, without NLA, but TLS fails", &["TLS-NOKEY"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_without_an_address_and_this_programs_own_listener() {
    let config = |name: &str| {
        let target = Target { name: name.into(), port: 3389 };
        Config { target, connect_to: None, never: None, timeout: Duration::from_secs(5), count: 0 }
    };
    let nowhere = run(config("no-such-host.invalid")).await;
    check(&nowhere, "cannot be reached: the name does not resolve", &["DNS-NX"]);
    let own = SocketAddr::from(([127, 0, 0, 1], 3389));
    let itself = run(Config { never: Some(own), ..config("127.0.0.1") }).await;
    assert_eq!((itself.addresses().len(), itself.unasked.len()), (0, 1), "{itself:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats_have_their_times() {
    let server = Server::start(healthy()).await.expect("serve");
    let target = Target { name: "localhost".into(), port: server.addr.port() };
    let timeout = Duration::from_secs(5);
    let found = run(Config { target, connect_to: Some(server.addr), never: None, timeout, count: 20 }).await;
    let steps = found.steps();
    assert_eq!(
        steps.iter().map(|step| (step.name, step.times.len())).collect::<Vec<_>>(),
        [("tcp", 20), ("negotiation", 20), ("tls", 20)]
    );
    for step in steps {
        let times: Vec<_> = [0, 50, 90, 99, 100].map(|percent| step.percentile(percent)).into();
        assert!(times.is_sorted() && times[0] == step.times.first().copied(), "{times:?}");
    }
}
