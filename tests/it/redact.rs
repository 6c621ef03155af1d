//! `rdpscope redact`: the same verdict, and nothing left of what was to be kept back.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use analyzer::analysis::Analysis;
use analyzer::attempt::Diagnosed;
use analyzer::capture::file::{self, Item};
use analyzer::capture::recording;
use analyzer::event::Certificate;
use analyzer::observation::{Opening, Seen};
use analyzer::reading;
use proxy::lab::gateway::GatewayScenario;
use proxy::lab::{Session, certificate, scenarios};
use proxy::redact::{Redacted, redact};

use crate::support::anywhere;
use crate::support::judge::recorded;
use crate::support::process::{Folder, with_peers};
use crate::support::program::program;
use crate::support::recorded::{LabSecrets, Recorded};
use crate::support::through::Through;
use crate::support::{recording as tshark, script};

const STORY: &str = "
    21ms > @request SSL cookie=alice
    41ms < @confirm SSL
    43ms > @hello 1.2,1.3 sni=server.example
    64ms < @server-hello 1.2
    64ms < @certificate valid
    64ms < @hello-done
    66ms > @key-exchange
    66ms > @finished
    86ms < @finished
    88ms session 20ms
    9s   > fin
";

fn captures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|found| found == "pcapng")).collect();
    paths.sort();
    paths
}

fn redacted(file: &[u8]) -> (Redacted, Vec<u8>) {
    let mut out = Vec::new();
    let told = redact(&|| Ok(file), &mut out, "test").expect("a recording");
    (told, out)
}

/// What is said of a recording without secrets, with places and times: names aside.
fn said(file: &[u8]) -> Vec<String> {
    let mut analysis = Analysis::default();
    recording::read(file, 0, &mut |observation| analysis.push(&observation)).expect("a recording");
    let mut lines = Vec::new();
    for session in analysis.finish_all(None) {
        let timeline = &session.timeline;
        lines.push(format!("{} {:?}", session.outcome.name(), timeline.end));
        lines.extend(session.findings.iter().map(|one| {
            let places: Vec<_> = one.evidence.iter().map(|evidence| (evidence.at, evidence.frame)).collect();
            let cause = one.cause.id;
            format!("{cause} {} {} {:?} {:?} {:?} {places:?}", one.phase, one.leg, one.by, one.confidence, one.severity)
        }));
        lines.extend(timeline.phases.iter().map(|phase| format!("{phase:?}")));
        lines.extend(
            timeline
                .legs
                .iter()
                .map(|leg| format!("{:?} {:?} {:?} {:?}", leg.bytes, leg.missing, leg.path(), leg.closes)),
        );
    }
    lines
}

/// Everything that may not be found in what is shared: names as they stand in files, and as Windows writes them.
fn planted(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut analysis = Analysis::default();
    let mut log = Vec::new();
    file::read(file, &mut |item| {
        if let Item::Secrets(lines) = item {
            log.extend_from_slice(lines);
        }
        Ok(())
    })
    .expect("a recording");
    recording::read(file, 0, &mut |observation| analysis.push(&observation)).expect("a recording");
    let mut names = Vec::new();
    for session in analysis.finish_all(None) {
        names.extend(names_of(&session));
    }
    names.retain(|name| name.len() > 3);
    let mut all = Vec::new();
    for name in names {
        let wide: Vec<u16> = name.encode_utf16().collect();
        all.push((name.clone(), name.clone().into_bytes()));
        all.push((format!("{name} (UTF-16LE)"), wide.iter().flat_map(|unit| unit.to_le_bytes()).collect()));
        all.push((format!("{name} (UTF-16BE)"), wide.iter().flat_map(|unit| unit.to_be_bytes()).collect()));
    }
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    all.extend(lines.map(|line| (String::from_utf8_lossy(line).into_owned(), line.to_vec())));
    all
}

fn names_of(session: &Diagnosed) -> Vec<String> {
    let facts = &session.timeline.facts;
    let mut names: Vec<String> = session.timeline.target.iter().map(|(name, _)| name.clone()).collect();
    names.extend(facts.request.iter().filter_map(|request| request.what.cookie.clone()).map(|user| format!("={user}")));
    names.extend(facts.request.iter().filter_map(|request| request.what.routing_token.clone()));
    names.extend(facts.inner.settings.client.iter().filter_map(|settings| settings.what.name.clone()));
    for tls in &facts.tls {
        names.extend(tls.hello.iter().filter_map(|hello| hello.what.sni.clone()));
        let chain: Vec<&Certificate> = tls.certificates.iter().flat_map(|seen| &seen.what).collect();
        names.extend(chain.iter().flat_map(|one| one.names.iter().cloned().chain(one.common_name.clone())));
    }
    names.retain(|name| name.parse::<IpAddr>().is_err() && name != "localhost");
    names
}

fn has(file: &[u8], what: &[u8]) -> bool {
    let (file, what) = (file.to_ascii_lowercase(), what.to_ascii_lowercase());
    file.windows(what.len()).any(|window| window == what)
}

/// The same is said, nothing is found, and once is enough.
fn check(name: &str, file: &[u8], wrong: &mut Vec<String>) {
    let (told, once) = redacted(file);
    let (before, after) = (said(file), said(&once));
    if before != after {
        let differ = before.iter().zip(&after).find(|(before, after)| before != after);
        wrong.push(format!("{name}: says something else: {differ:#?}"));
    }
    wrong
        .extend(planted(file).iter().filter(|(_, bytes)| has(&once, bytes)).map(|(what, _)| format!("{name}: {what}")));
    let (again, twice) = redacted(&once);
    if once != twice {
        wrong.push(format!("{name}: twice is not once"));
    }
    assert_eq!((again.told.words, again.told.certificates), (told.told.words, told.told.certificates), "{name}");
    assert!(reading::secrets(&once[..]).expect("a recording").is_empty(), "{name}");
}

#[test]
fn golden_captures_say_the_same_and_tell_no_names() {
    let mut wrong = Vec::new();
    for path in captures("captures") {
        check(&path.display().to_string(), &fs::read(&path).expect("a file"), &mut wrong);
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_the_lab_say_the_same() {
    let mut wrong = Vec::new();
    // One in three: the golden captures are of the others.
    for scenario in scenarios().step_by(3).filter(|scenario| scenario.server.listens) {
        let server = scenario.serve_with_keys(anywhere(), None, LabSecrets::default().keys()).await.expect("serve");
        let proxy = Recorded::to(certificate::NAME, server.addr).await;
        scenario.connect(proxy.addr).await;
        scenario.connect_again(proxy.addr).await;
        server.finished(scenario.connections()).await;
        server.stop().await;
        let (sessions, _folder) = proxy.finish().await;
        for session in sessions {
            let file = fs::read(session.file.expect("recorded")).expect("a file");
            check(scenario.name, &file, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Several connections in one recording, with the secrets of all of them in front.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_of_a_gateway_says_the_same() {
    let mut wrong = Vec::new();
    for name in ["healthy", "healthy-http", "cap-denied-http", "wrong-password", "certificate-name"] {
        let mut scenario = *GatewayScenario::named(name).expect("a scenario");
        scenario.server.session = Session { bursts: 2, updates: 2, update_len: 5000, pause_ms: 5 };
        let through = Through::start(&scenario, anywhere()).await;
        through.play(&scenario).await;
        let seen = through.finish().await;
        let file = fs::read(seen.sessions[0].file.as_ref().expect("recorded")).expect("a file");
        // Who does not take the certificate has no secrets.
        let has_secrets = !reading::secrets(&file[..]).expect("a recording").is_empty();
        assert_eq!(has_secrets, name != "certificate-name", "{name}");
        check(name, &file, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn addresses_are_found_nowhere() {
    let mut observations = script::parse(STORY)[0].clone();
    // Addresses that cannot be their own stand-ins.
    let places = ["10.20.30.40:41234", "40.113.200.201:3389"].map(|end| end.parse::<SocketAddr>().expect("an end"));
    let [client, server] = places;
    for observation in &mut observations {
        match &mut observation.seen {
            Seen::Opening(Opening::Dialing { client: from, server: to }) => (*from, *to) = (client, server),
            Seen::Opening(Opening::Resolved { addresses, .. }) => *addresses = vec![server.ip()],
            _ => {}
        }
    }
    let file = recorded(&observations);
    let (_, once) = redacted(&file);
    for place in places {
        let IpAddr::V4(ip) = place.ip() else { panic!("{place}") };
        assert!(has(&file, &ip.octets()) && !has(&once, &ip.octets()), "{ip}");
        assert!(!has(&once, ip.to_string().as_bytes()), "{ip} as text");
    }
    let mut wrong = Vec::new();
    check("story", &file, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(has(&file, b"server.example") && has(&file, b"mstshash=alice"));
    assert!(!has(&once, b"server.example") && !has(&once, b"alice"));
}

#[test]
fn tshark_reads_it() {
    with_peers("tshark_reads_it", || {
        let folder = Folder::new()?;
        for name in ["healthy-tls12", "healthy-legacy", "healthy-nla", "fin-mid-certificate", "client-alert-48", "http"]
        {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("captures/{name}.pcapng"));
            let (told, once) = redacted(&fs::read(path)?);
            let out = folder.path().join(format!("{name}.pcapng"));
            fs::write(&out, once)?;
            let servers = told.after.iter().flat_map(|one| &one.timeline.legs).filter_map(|leg| leg.server);
            let ports: Vec<u16> = servers.map(|server| server.port()).collect();
            let read = tshark::read(&out, &ports)?;
            assert!(read.complaints.is_empty(), "{name}: {}", read.complaints.join("\n"));
        }
        Ok(())
    });
}

#[test]
fn the_program_says_what_it_did_and_replaces_nothing_unasked() {
    let folder = Folder::new().expect("a folder");
    let (input, output) = (folder.path().join("in.pcapng"), folder.path().join("out.pcapng"));
    fs::write(&input, recorded(&script::parse(STORY)[0])).expect("written");
    let run = |more: &[&str], input: &Path| {
        let ran =
            Command::new(program()).arg("redact").arg(input).arg("-o").arg(&output).args(more).output().expect("run");
        (
            ran.status.code(),
            String::from_utf8_lossy(&ran.stdout).into_owned(),
            String::from_utf8_lossy(&ran.stderr).into_owned(),
        )
    };
    let (code, says, _) = run(&[], &input);
    assert_eq!(code, Some(0), "{says}");
    for part in ["replaced:", "blanked:", "left out:", "left in:", "verdict:   the same"] {
        assert!(says.contains(part), "{part}: {says}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&output).expect("there").permissions().mode() & 0o777, 0o600);
    }
    let whole = fs::read(&output).expect("there");
    let (code, _, says) = run(&[], &input);
    assert_eq!(code, Some(2));
    assert!(says.contains("--force"), "{says}");
    assert_eq!(run(&["--force"], &input).0, Some(0));
    let (code, _, says) = run(&["--force"], &output);
    assert_eq!(code, Some(2), "into itself: {says}");
    assert_eq!(fs::read(&output).expect("there"), whole);
}

#[test]
fn the_document_says_what_becomes_of_each_field() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/redaction.md");
    let text = analyzer::redact::fields::document();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &text).expect("write");
    }
    let stands = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(stands == text, "docs/redaction.md differs from the list: UPDATE_EXPECT=1 rewrites it");
}
