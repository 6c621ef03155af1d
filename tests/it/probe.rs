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

use super::support::netns::{Pair, SERVER, Syn};
use super::support::peers::{self, Security};
use super::support::process::{self, Folder, Outcome, Process, Trouble, with_peers};
use super::support::program::{Proxy, analyze, program};

/// A healthy server of the lab, to be changed.
fn healthy() -> ServerScript {
    Scenario::named("healthy-tls12").expect("in the catalogue").server
}

/// Probes an address by the name that the lab's certificates are for.
async fn probe_at(addr: SocketAddr, seconds: f64) -> Probe {
    let target = Target { name: "localhost".into(), port: addr.port() };
    let timeout = Duration::from_secs_f64(seconds);
    run(Config { target, connect_to: Some(addr), never: None, timeout, gateway: false, count: 0 }).await
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

/// No rule knows every nonsense: still the probe ends, in time, and does not call it fine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_a_problem_and_holds_nobody_up() {
    const NONSENSE: [&[u8]; 6] = [
        b"\x03\x00\x00\x0b\x06\xd0\x00\x00\x12\x34",
        b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x09\x00\x08\x00\xff\xff\xff\xff",
        b"\x03\x00\xff\xff",
        b"\x16\x03\x03\x00\x04\x02\xff\xff\xff",
        b"\x16\x03\x03\xff\xff\x0b\x00\x00\x00",
        b"\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03",
    ];
    for point in [Point::Request, Point::ClientHello] {
        for says in NONSENSE {
            let began = std::time::Instant::now();
            let found = probe(ServerScript { fault: Some((point, Act::AnswerAndWait(says))), ..healthy() }, 0.2).await;
            let report = text::probe::report(&found);
            assert!(found.is_problem(), "{says:02x?} at {point:?}\n{report}");
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}\n{report}", began.elapsed());
        }
    }
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
    check(&hybrid, "is open: RDP that refuses every request", &["X224-INCONS"]);
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
        Config { target, connect_to: None, never: None, timeout: Duration::from_secs(5), gateway: false, count: 0 }
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
    let found =
        run(Config { target, connect_to: Some(server.addr), never: None, timeout, gateway: false, count: 20 }).await;
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

/// `rdpscope probe ARGUMENTS --format json`: exit code and the document's part of the probe.
fn run_program(mut command: std::process::Command, target: &str) -> Outcome<(Option<i32>, Value)> {
    let output = command.args(["probe", target, "--format", "json", "--timeout", "3"]).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value = serde_json::from_slice(&output.stdout).map_err(|_| Trouble::Failed(said))?;
    Ok((output.status.code(), document["probe"].clone()))
}

/// What a program's document says: verdict, then the causes of what is wrong.
fn said(document: &Value) -> (String, Vec<String>) {
    let findings = document["findings"].as_array().into_iter().flatten();
    let wrong = findings.filter(|finding| finding["severity"] != "note");
    let causes = wrong.map(|finding| finding["cause"].as_str().unwrap_or("?").to_owned()).collect();
    (document["verdict"].as_str().unwrap_or("?").to_owned(), causes)
}

/// The suites of one version, and whether the server speaks it at all.
fn suites(document: &Value, version: &str) -> (bool, Vec<String>) {
    let versions = document["tls"]["versions"].as_array().into_iter().flatten();
    let mut found = versions.filter(|found| found["version"] == version);
    let found = found.next().unwrap_or(&Value::Null);
    let names = found["suites"].as_array().into_iter().flatten();
    (found["accepted"] == true, names.map(|name| name.as_str().unwrap_or("?").to_owned()).collect())
}

/// Probes a real server by name.
fn check_peer(server: &peers::Server, verdict: &str, causes: &[&str]) -> Outcome<Value> {
    let (code, document) = run_program(std::process::Command::new(program()), &format!("localhost:{}", server.port))?;
    let (says, named) = said(&document);
    println!("{says}");
    assert!(says.starts_with(verdict), "expected {verdict}:\n{document:#}");
    assert_eq!(named, causes, "{document:#}");
    assert_eq!(code, Some(i32::from(!causes.is_empty())), "{document:#}");
    Ok(document)
}

const BOTH: Security = Security::Tls("TLSv1.2, TLSv1.3");

#[test]
fn xrdp_and_its_certificates() {
    with_peers("xrdp_and_its_certificates", || {
        let showing = |certificate| {
            peers::Server::xrdp_with(BOTH, |folder| peers::Certificate::of_the_lab(folder, certificate), "")
        };
        let says = |rest: &str| format!("is open: RDP with TLS, without NLA, TLS 1.2 and 1.3, certificate {rest}");
        check_peer(&peers::Server::xrdp(BOTH)?, &says("valid for"), &[])?;
        check_peer(&showing(Certificate::Expired)?, &says("expired"), &["TLS-EXPIRED"])?;
        check_peer(&showing(Certificate::WrongName)?, &says("valid for"), &["TLS-NAME"])?;
        Ok(())
    });
}

/// A certificate of a CA that only one of two stores has.
#[test]
fn the_chain_is_held_against_the_store() {
    with_peers("the_chain_is_held_against_the_store", || {
        let authority = Folder::new()?;
        let made = peers::Certificate::make(&authority)?;
        let server = peers::Server::xrdp_with(BOTH, |folder| peers::Certificate::issued_by(folder, &made), "")?;
        let trust = |store: &std::path::Path| {
            let mut command = std::process::Command::new(program());
            command.env("SSL_CERT_FILE", store).env_remove("SSL_CERT_DIR");
            let (code, document) = run_program(command, &format!("localhost:{}", server.port))?;
            Ok::<_, Trouble>((code, document["trust"].clone()))
        };
        assert_eq!(trust(&made.certificate)?, (Some(0), serde_json::json!({ "trusted": true, "why": null })));
        let other = Folder::new()?;
        let (code, without) = trust(&peers::Certificate::of_the_lab(&other, Certificate::Valid)?.certificate)?;
        assert_eq!((code, &without["trusted"]), (Some(0), &Value::Bool(false)), "{without}");
        let why = without["why"].as_str().unwrap_or_default();
        assert_eq!(why, "its issuer is not in the store");
        Ok(())
    });
}

/// rustls has neither RSA key exchange nor CBC: nothing of that is a fault of the server.
#[test]
fn xrdp_with_what_our_own_tls_cannot_do() {
    with_peers("xrdp_with_what_our_own_tls_cannot_do", || {
        let ciphers = "tls_ciphers=AES128-SHA:AES256-SHA:AES256-SHA256";
        let only = Security::Tls("TLSv1.2");
        let server = peers::Server::xrdp_with(only, peers::Certificate::make, ciphers)?;
        let document = check_peer(&server, "is open: RDP with TLS, without NLA, TLS 1.2, certificate valid", &[])?;
        let (_, mut found) = suites(&document, "1.2");
        found.sort();
        let expected = ["AES_128_CBC_SHA", "AES_256_CBC_SHA", "AES_256_CBC_SHA256"];
        assert_eq!(found, expected.map(|suite| format!("TLS_RSA_WITH_{suite}")));
        assert_eq!(suites(&document, "1.3"), (false, Vec::new()));
        assert_eq!(document["certificate"]["key"], "RSA");
        let only = peers::Server::xrdp(Security::Tls("TLSv1.3"))?;
        let document = check_peer(&only, "is open: RDP with TLS, without NLA, TLS 1.3, certificate valid", &[])?;
        assert_eq!(document["certificate"]["common_name"], "localhost");
        Ok(())
    });
}

#[test]
fn servers_of_other_makes() {
    with_peers("servers_of_other_makes", || {
        let shadow = peers::Server::shadow(Security::Nla)?;
        let document = check_peer(&shadow, "is open: RDP with NLA required, TLS 1.2 and 1.3, certificate valid", &[])?;
        let of_ssl = document["negotiations"].as_array().into_iter().flatten().find(|n| n["requested"][0] == "SSL");
        assert_eq!(of_ssl.map(|answer| &answer["failure_code"]), Some(&5.into()), "{document:#}");
        check_peer(&peers::Server::weston()?, "is open: RDP with TLS, without NLA, TLS", &[])?;
        let legacy = peers::Server::xrdp(Security::Rdp)?;
        check_peer(&legacy, "is open: RDP with standard RDP security alone", &["X224-SSLNO"])?;
        Ok(())
    });
}

#[test]
fn servers_that_cannot_be_reached() {
    with_peers("servers_that_cannot_be_reached", || {
        let pair = Pair::new()?;
        pair.answer_syn(4001, Syn::Dropped)?;
        pair.answer_syn(4002, Syn::HostUnreachable)?;
        pair.answer_syn(4004, Syn::Reset)?;
        for (port, verdict, cause) in [
            (4001, "cannot be reached: no answer", "TCP-DROP"),
            (4002, "cannot be reached: the network says", "TCP-ICMP"),
            (4004, "cannot be reached: refused", "TCP-REFUSED"),
        ] {
            let command = pair.on_client(program().to_str().expect("a path in UTF-8"));
            let (code, document) = run_program(command, &format!("{SERVER}:{port}"))?;
            let (says, named) = said(&document);
            assert!(says.starts_with(verdict), "{document:#}");
            assert_eq!((named, code), (vec![cause.to_owned()], Some(1)), "{document:#}");
        }
        Ok(())
    });
}

#[test]
fn what_is_no_server_is_not_asked() {
    for target in ["http://server", "server:0", ""] {
        let output = std::process::Command::new(program()).args(["probe", target]).output().expect("the program");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{target}");
    }
}

/// A server behind a path that carries no packet beyond 1400 bytes and says nothing of it.
#[test]
fn a_hole_for_large_segments_is_found() {
    with_peers("a_hole_for_large_segments_is_found", || {
        let (pair, folder) = (Pair::new()?, Folder::new()?);
        let xrdp = process::program("xrdp")?;
        let made = peers::Certificate::make(&folder)?;
        let ini = format!(
            "[Globals]\nini_version=1\nfork=true\nport=tcp://{SERVER}:4010\nsecurity_layer=tls\ncertificate={}\n\
             key_file={}\nssl_protocols=TLSv1.2, TLSv1.3\nallow_channels=true\n[Logging]\nLogFile={}\n\
             LogLevel=INFO\nEnableSyslog=false\n[Channels]\ndrdynvc=true\n[direct]\nname=direct\nlib=libvnc.so\n",
            made.certificate.display(),
            made.key.display(),
            folder.path().join("xrdp.log").display()
        );
        let ini = folder.write("xrdp.ini", &ini)?;
        let mut xrdp = Process::start(pair.on_server(xrdp).arg("-n").arg("-c").arg(ini), folder.path())?;
        let target = format!("{SERVER}:4010");
        let probe = || run_program(pair.on_client(program().to_str().expect("a path in UTF-8")), &target);
        xrdp.wait_ready(|_| probe().ok().filter(|(_, document)| document["server"].is_string()))?;
        pair.drop_longer_than(1400)?;
        let (code, document) = probe()?;
        let (_, named) = said(&document);
        assert_eq!((named, code), (vec!["PATH-PMTU".to_owned()], Some(1)), "{document:#}");
        let large = &document["large_hello"];
        assert_eq!(large["answered"], false, "{document:#}");
        assert!(large["retransmits"].as_u64().is_some_and(|count| count > 0), "{large:#}");
        Ok(())
    });
}

/// The proxy that is asked to probes the server after a failed session, and says so beside the session's own report.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_probes_after_a_failed_session_when_asked_to() {
    let scenario = Scenario::named("reset-after-client-hello").expect("in the catalogue");
    let server = scenario.serve().await.expect("serve");
    let mut command = std::process::Command::new(program());
    command.args(["proxy", "--probe-on-failure", "--to", &format!("localhost:{}", server.addr.port())]);
    command.args(["--connect-to", &server.addr.to_string()]);
    let proxy = Proxy::run(command).expect("the proxy");
    for _ in 0..2 {
        scenario.connect(SocketAddr::from(([127, 0, 0, 1], proxy.port))).await;
    }
    let finished = tokio::task::spawn_blocking(|| proxy.finish().expect("an end")).await.expect("no panic");
    assert_eq!((finished.code, finished.recordings.len()), (Some(0), 2), "{}", finished.output);
    // Twice within a minute is once too often.
    assert_eq!(finished.output.matches(" probe, ").count(), 1, "{}", finished.output);
    assert!(finished.output.contains("TLS fails [TLS-NOKEY]"), "{}", finished.output);
    let beside = finished.recordings[0].with_extension("probe.json");
    let document: Value = serde_json::from_slice(&std::fs::read(beside).expect("a file")).expect("JSON");
    assert_eq!(said(&document["probe"]).1, ["TLS-NOKEY"], "{document:#}");
    assert!(document["probe"]["after_session_ms"].is_number(), "{document:#}");
    // Later the recording's own report has it, too, as an observation of its own.
    let (_, report) = analyze(&finished.recordings[..1]).expect("a report");
    assert_eq!(report["attempts"][0]["sessions"][0]["probe"], document["probe"]);
}
