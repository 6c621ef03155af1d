//! The probe of an RD Gateway: what it says of scripted answers, each of which somebody's gateway gives.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use analyzer::diagnose::{Finding, Severity};
use analyzer::probe::Probe;
use analyzer::probe::gateway::{Offer, Question};
use analyzer::report::{json, text};
use proxy::lab::certificate::Certificate;
use proxy::lab::gateway::GatewayScenario;
use proxy::listen::Target;
use proxy::probe::{Config, run};
use proxy::tls::{Ciphers, Server, Versions};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::anywhere;
use crate::support::program::program;

const NTLM: &str = "HTTP/1.1 401 Unauthorized\r\nServer: Microsoft-IIS/10.0\r\nWWW-Authenticate: Negotiate\r\n\
                    WWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";
const BASIC: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"gw\"\r\nContent-Length: 0\r\n\r\n";
const BARE: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
const SWITCHES: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const FINE: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const WRONG: &str = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
const ABSENT: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const METHOD: &str = "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n";
const PROXY: &str =
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
const DOWN: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const ELSEWHERE: &str = "HTTP/1.1 302 Found\r\nLocation: https://login.example/?secret=1\r\nContent-Length: 0\r\n\r\n";

/// What a gateway says, by the beginning of the request. An empty answer is silence, "-" the end of the connection.
type Says = &'static [(&'static str, &'static str)];

/// Serves TLS, and HTTP in it, until the test is over.
async fn serve(certificate: Certificate, says: Says) -> SocketAddr {
    let identity = certificate.make().expect("certificate");
    let server = Arc::new(Server::new(&identity, Versions::Both, Ciphers::All, None).expect("server"));
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let addr = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(server.clone(), stream, says));
        }
    });
    addr
}

async fn answer(server: Arc<Server>, stream: TcpStream, says: Says) {
    let Ok(mut stream) = server.accept(stream).await else { return };
    let mut heard = Vec::new();
    while !heard.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_buf(&mut heard).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let head = String::from_utf8_lossy(&heard).into_owned();
    assert!(!head.to_lowercase().contains("authorization"), "no credentials: {head}");
    let is_upgrade = head.contains("Upgrade: websocket");
    let found = says.iter().find(|(begins, _)| match begins.strip_prefix("ws ") {
        Some(begins) => is_upgrade && head.starts_with(begins),
        None => head.starts_with(begins),
    });
    match found.map_or(ABSENT, |(_, says)| says) {
        "" => _ = stream.read(&mut [0]).await,
        "-" => {}
        says => {
            let _gone = stream.write_all(says.as_bytes()).await;
            let _gone = stream.read(&mut [0]).await;
        }
    }
}

async fn probe(addr: SocketAddr, seconds: f64) -> Probe {
    let target = Target { name: "localhost".into(), port: addr.port() };
    let timeout = Duration::from_secs_f64(seconds);
    run(Config { target, connect_to: Some(addr), never: None, timeout, gateway: true, count: 0 }).await
}

/// What is wrong, worst first; the certificate of these tests is nobody's, which each of them shows.
fn problems(probe: &Probe) -> Vec<&'static str> {
    let wrong = |finding: &Finding| (finding.severity != Severity::Note).then_some(finding.cause.id);
    probe.findings().iter().filter_map(wrong).filter(|id| *id != "RDG-CERT").collect()
}

/// The verdict begins like this, these causes are named, and this is offered: WebSocket, HTTP, RPC, KDC proxy.
async fn check(says: Says, verdict: &str, causes: &[&str], offers: [Offer; 4]) {
    let seconds = if says.iter().any(|(_, says)| says.is_empty()) { 1.0 } else { 10.0 };
    let found = probe(serve(Certificate::Valid, says).await, seconds).await;
    let report = text::probe::report(&found);
    println!("{report}");
    assert!(text::probe::verdict(&found).starts_with(verdict), "expected {verdict}:\n{report}");
    assert_eq!(problems(&found), causes, "{report}");
    assert_eq!(found.services().map(|(_, offer)| offer).collect::<Vec<_>>(), offers, "{report}");
    assert!(report.lines().all(|line| line.chars().count() <= 80), "{report}");
    let document: Value = serde_json::from_str(&json::probe::document("test", &found, None)).expect("JSON");
    let answers = document["probe"]["gateway"]["answers"].as_array().expect("answers");
    assert_eq!(answers.len(), Question::ALL.len());
    assert!(!report.contains("secret") && !document.to_string().contains("secret"), "what stands behind ? is nobody's");
}

use Offer::{Authenticated, Open, Refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_asks_for_ntlm_is_healthy() {
    let says: Says = &[("RDG_OUT_DATA", NTLM), ("RPC_", NTLM), ("POST /KdcProxy", WRONG), ("GET /KdcProxy", METHOD)];
    let all = [Authenticated, Authenticated, Authenticated, Open];
    check(says, "is open: RD Gateway by WebSocket, HTTP and RPC over HTTP, with Negotiate or NTLM, TLS", &[], all)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_may_offer_less() {
    let says: Says = &[("RDG_OUT_DATA", BASIC), ("RPC_", ABSENT)];
    check(
        says,
        "is open: RD Gateway by WebSocket and HTTP, with Basic",
        &[],
        [Authenticated, Authenticated, Refused, Refused],
    )
    .await;
    let open: Says = &[("ws RDG_OUT_DATA", SWITCHES), ("RDG_OUT_DATA", FINE)];
    check(open, "is open: RD Gateway by WebSocket and HTTP, TLS", &[], [Open, Open, Refused, Refused]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_strips_the_websocket_is_told() {
    let says: Says = &[("ws RDG_OUT_DATA", WRONG), ("RDG_OUT_DATA", NTLM)];
    let offers = [Refused, Authenticated, Refused, Refused];
    check(says, "is open: RD Gateway by HTTP, with Negotiate or NTLM", &["RDG-TRANSPORT"], offers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_named() {
    let nothing = "is open, but offers no transport of an RD Gateway";
    let cases: [(Says, &str); 7] = [
        (&[("RDG_OUT_DATA", FORBIDDEN)], "RDG-TRANSPORT"),
        (&[("RDG_OUT_DATA", ABSENT)], "RDG-TRANSPORT"),
        (&[("RDG_OUT_DATA", METHOD)], "RDG-TRANSPORT"),
        (&[("RDG_OUT_DATA", ELSEWHERE)], "RDG-TRANSPORT"),
        (&[("RDG_OUT_DATA", DOWN)], "RDG-503"),
        (&[("RDG_OUT_DATA", PROXY)], "RDG-PROXYAUTH"),
        (&[("RDG_OUT_DATA", BARE)], "RDG-401"),
    ];
    for (says, cause) in cases {
        check(says, nothing, &[cause], [Refused; 4]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_garbage_and_an_end_are_no_answer() {
    let nothing = "is open, but offers no transport of an RD Gateway";
    for says in ["", "-", "\u{1}\u{2}rubbish\r\n\r\n", "220 mail.example ESMTP\r\n"] {
        let all: Says = Box::leak(Box::new([("", says)]));
        check(all, nothing, &["RDG-TRANSPORT"], [Refused; 4]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateways_certificate_is_judged() {
    let says: Says = &[("RDG_OUT_DATA", NTLM)];
    for (certificate, words) in [
        (Certificate::Expired, "expired"),
        (Certificate::WrongName, "not for localhost"),
        (Certificate::Valid, "self-signed"),
    ] {
        let found = probe(serve(certificate, says).await, 10.0).await;
        let report = text::probe::report(&found);
        assert!(found.findings().iter().any(|one| one.cause.id == "RDG-CERT"), "{report}");
        assert!(report.contains(words) && found.is_problem(), "expected {words}: {report}");
    }
}

/// A web server without TLS answers a ClientHello in clear.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_without_tls_is_no_gateway() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let addr = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _heard = stream.read(&mut [0; 64]).await;
                let _gone = stream.write_all(WRONG.as_bytes()).await;
            });
        }
    });
    let found = probe(addr, 5.0).await;
    let report = text::probe::report(&found);
    assert!(text::probe::verdict(&found).starts_with("is open, but TLS fails"), "{report}");
    assert!(found.is_problem() && found.gateway.as_ref().is_some_and(Vec::is_empty), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_told_as_of_any_server() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let addr = listener.local_addr().expect("address");
    drop(listener);
    let found = probe(addr, 2.0).await;
    assert!(text::probe::verdict(&found).starts_with("cannot be reached: refused"), "{found:?}");
}

/// The command against gateways of the lab: what it says first, which causes it names, its exit code. The certificates of the
/// lab are self-signed, which at a gateway is a fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_says_what_gateways_of_the_lab_are() {
    let by_all = "is open: RD Gateway by WebSocket, HTTP and RPC over HTTP, with Negotiate or NTLM";
    let by_rpc = "is open: RD Gateway by RPC over HTTP, with Negotiate or NTLM";
    let cases: [(&str, &str, &[&str]); 6] = [
        ("healthy", by_all, &["RDG-CERT"]),
        ("unauthorized-bare", by_rpc, &["RDG-CERT", "RDG-401"]),
        ("not-found", by_rpc, &["RDG-CERT", "RDG-TRANSPORT"]),
        ("service-unavailable", by_rpc, &["RDG-CERT", "RDG-503"]),
        ("certificate-expired", by_all, &["RDG-CERT"]),
        ("refused", "cannot be reached: refused", &["TCP-REFUSED"]),
    ];
    for (name, verdict, causes) in cases {
        let scenario = GatewayScenario::named(name).expect("a scenario");
        let gateway = scenario.serve().await.expect("serve");
        let mut command = Command::new(program());
        command.args(["probe", "--gateway", &format!("localhost:{}", gateway.addr.port())]).stdin(Stdio::null());
        let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("join").expect("rdpscope runs");
        let said = String::from_utf8_lossy(&ran.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ran.status.code(), Some(1), "{name}: {said}");
        let first = format!("localhost:{} {verdict}", gateway.addr.port());
        assert!(said.starts_with(&first), "{name}: expected {first}: {said}");
        assert!(said.contains(&format!("[{}]", causes.join(", "))), "{name}: {said}");
        assert!(!said.contains("sealed in TLS"), "whoever asks reads the answer: {said}");
        let expired = name == "certificate-expired";
        assert_eq!(said.contains("certificate expired"), expired, "{name}: {said}");
        gateway.stop().await;
    }
}

/// Asked as an RDP server is, which takes an X.224 request first.
async fn probe_as_rdp(addr: SocketAddr) -> Probe {
    let target = Target { name: "localhost".into(), port: addr.port() };
    let timeout = Duration::from_secs(10);
    run(Config { target, connect_to: Some(addr), never: None, timeout, gateway: false, count: 0 }).await
}

#[tokio::test]
async fn a_gateway_that_is_probed_as_an_rdp_server_is_recognised() {
    let found = probe_as_rdp(serve(Certificate::Valid, &[]).await).await;
    let report = text::probe::report(&found);
    let findings = found.findings();
    assert_eq!(findings.iter().map(|finding| finding.cause.id).collect::<Vec<_>>(), ["TCP-NOTRDP"], "{report}");
    assert!(findings[0].says.contains("TLS first") && findings[0].says.contains("--gateway"), "{report}");
    assert!(found.is_problem());
}

/// What hangs up on every connection may be anything.
#[tokio::test]
async fn what_does_not_speak_tls_either_is_not_taken_for_a_gateway() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let addr = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _heard = stream.read(&mut [0; 64]).await;
        }
    });
    let found = probe_as_rdp(addr).await;
    let findings = found.findings();
    assert!(findings.iter().all(|finding| finding.cause.id != "TCP-NOTRDP"), "{findings:?}");
    assert!(findings.iter().all(|finding| !finding.says.contains("--gateway")), "{findings:?}");
}
