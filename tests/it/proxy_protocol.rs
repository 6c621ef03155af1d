//! The PROXY protocol, both ways: beside Debian's HAProxy, which sends and expects headers of both versions, and with headers of
//! our own making that no balancer would send.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use analyzer::attempt::{Diagnosed, group};
use analyzer::report::{self, json, text};
use proxy::header::Version;
use proxy::lab::{Scenario, certificate, wire};
use proxy::listen::{Config, Target};
use serde_json::Value;

use crate::support::peers::{Security, Server};
use crate::support::process::{Folder, Outcome, Process, Trouble, free_port, program as found, wait_for, with_peers};
use crate::support::program::{Finished, Proxy, analyze as analyze_files, program};
use crate::support::recorded::{Recorded, analyze};

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// What a balancer says of a client.
const LINE: &[u8] = b"PROXY TCP4 198.51.100.7 203.0.113.1 51000 3389\r\n";
/// The same in version 2, with an addition (PP2_TYPE_NOOP).
const BINARY: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x10\xc6\x33\x64\x07\xcb\x00\x71\x01\xc7\x38\x0d\x3d\x04\x00\x01\x00";
/// A balancer's check of its own.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";

// With HAProxy.

/// HAProxy in front of a port, which writes the address that it takes for each client's to its log.
struct Balancer {
    port: u16,
    process: Process,
    _folder: Folder,
}

impl Balancer {
    /// `bind` and `server` are further words of its configuration.
    fn before(to: u16, bind: &str, server: &str) -> Outcome<Balancer> {
        let (folder, port) = (Folder::new()?, free_port()?);
        let config = folder.path().join("haproxy.cfg");
        let says = format!(
            "global\n  log stdout format raw local0\n\
             defaults\n  mode tcp\n  log global\n  log-format \"saw %ci:%cp ends\"\n\
             \x20 timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n\
             listen test\n  bind 127.0.0.1:{port} {bind}\n  server s 127.0.0.1:{to} {server}\n"
        );
        std::fs::write(&config, says)?;
        let mut command = Command::new(found("haproxy")?);
        command.args(["-db", "-f"]).arg(config).stdin(Stdio::null());
        let mut process = Process::start(&mut command, folder.path())?;
        process.wait_bound(port)?;
        Ok(Balancer { port, process, _folder: folder })
    }

    fn saw(&self, client: &str) -> Outcome<bool> {
        let line = format!("saw {client} ends");
        Ok(wait_for(SOON, || Ok(self.process.output().contains(&line).then_some(())))?.is_some())
    }
}

/// The proxy before a port, with these flags.
fn proxy(to: u16, flags: &[&str]) -> Outcome<Proxy> {
    let mut command = Command::new(program());
    command.args(["proxy", "--to", certificate::NAME, "--connect-to", &format!("127.0.0.1:{to}")]).args(flags);
    Proxy::run(command)
}

/// A healthy session with the lab's server: the client goes where `way` says, which is given the server's port.
fn healthy<T>(way: impl FnOnce(u16) -> Outcome<(u16, T)>) -> Outcome<T> {
    let scenario = *Scenario::named("healthy-tls12").expect("a scenario");
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(scenario.serve())?;
    let (port, kept) = way(server.addr.port())?;
    runtime.block_on(async {
        scenario.connect(([127, 0, 0, 1], port).into()).await;
        server.finished(1).await;
        server.stop().await;
    });
    Ok(kept)
}

/// The one session of a proxy, by its recordings.
fn session(finished: &Finished) -> Outcome<Value> {
    let (_, document) = analyze_files(&finished.recordings)?;
    let session = &document["attempts"][0]["sessions"][0];
    assert!(session.is_object(), "{document:#}");
    // The last line of what was said live is that of the recording.
    assert!(finished.output.contains("attempt"), "{}", finished.output);
    Ok(session.clone())
}

fn assert_healthy(session: &Value) {
    assert_eq!(
        (&session["outcome"], session["findings"].as_array().map(Vec::len)),
        (&"connected".into(), Some(0)),
        "{session:#}"
    );
}

/// Each header: its leg, version, and the client that it names.
fn headers(session: &Value) -> Vec<(String, u64, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = session["facts"]["proxy_headers"].as_array().cloned().unwrap_or_default();
    let one = |header: &Value| {
        (text(&header["leg"]), header["version"].as_u64().unwrap_or_default(), text(&header["client"]))
    };
    headers.iter().map(one).collect()
}

fn client(session: &Value) -> String {
    session["client"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn haproxy_names_the_client_and_its_header_is_taken_off() {
    with_peers("haproxy_names_the_client_and_its_header_is_taken_off", || {
        for (sends, version) in [("send-proxy", 1), ("send-proxy-v2", 2)] {
            let (proxy, _balancer) = healthy(|server| {
                let proxy = proxy(server, &["--accept-proxy"])?;
                let balancer = Balancer::before(proxy.port, "", sends)?;
                Ok((balancer.port, (proxy, balancer)))
            })?;
            let finished = proxy.finish()?;
            let session = session(&finished)?;
            assert_healthy(&session);
            let named = client(&session);
            assert_eq!(headers(&session), [("front".into(), version, named.clone())], "{session:#}");
            let by = session["facts"]["proxy_header_from"].as_str().unwrap_or_default();
            assert!(by.starts_with("127.0.0.1:") && by != named, "{by} {named}");
            assert!(session["altered_by_proxy"].to_string().contains("--accept-proxy"), "{session:#}");
            assert!(finished.output.contains("connected: active after"), "{}", finished.output);
        }
        Ok(())
    });
}

#[test]
fn haproxy_expects_a_header_and_takes_the_clients_address_from_it() {
    with_peers("haproxy_expects_a_header_and_takes_the_clients_address_from_it", || {
        for (flags, version) in [(&["--send-proxy"][..], 1), (&["--send-proxy", "v1"], 1), (&["--send-proxy", "v2"], 2)]
        {
            let (proxy, balancer) = healthy(|server| {
                let balancer = Balancer::before(server, "accept-proxy", "")?;
                let proxy = proxy(balancer.port, flags)?;
                Ok((proxy.port, (proxy, balancer)))
            })?;
            let session = session(&proxy.finish()?)?;
            assert_healthy(&session);
            assert_eq!(headers(&session), [("back".into(), version, client(&session))], "{session:#}");
            assert!(session["altered_by_proxy"].to_string().contains("--send-proxy"), "{session:#}");
            assert!(balancer.saw(&client(&session))?, "{}", balancer.process.output());
        }
        Ok(())
    });
}

#[test]
fn between_two_haproxies_the_client_stays_who_it_is() {
    with_peers("between_two_haproxies_the_client_stays_who_it_is", || {
        for flags in [&["--accept-proxy", "--send-proxy", "v2"][..], &[]] {
            let (proxy, behind, _before) = healthy(|server| {
                let behind = Balancer::before(server, "accept-proxy", "")?;
                let proxy = proxy(behind.port, flags)?;
                let before = Balancer::before(proxy.port, "", "send-proxy")?;
                Ok((before.port, (proxy, behind, before)))
            })?;
            let session = session(&proxy.finish()?)?;
            assert_healthy(&session);
            let [(.., named), (leg, version, same)] = &headers(&session)[..] else { panic!("{session:#}") };
            assert_eq!((named, leg.as_str(), *version), (same, "back", if flags.is_empty() { 1 } else { 2 }));
            assert!(behind.saw(named)?, "{}", behind.process.output());
            // Without a flag nobody is trusted: the client is who connects.
            assert_eq!(client(&session) == *named, !flags.is_empty(), "{session:#}");
        }
        Ok(())
    });
}

#[test]
fn a_header_that_xrdp_does_not_read_is_a_cause_of_its_own() {
    with_peers("a_header_that_xrdp_does_not_read_is_a_cause_of_its_own", || {
        let server = Server::xrdp(Security::Tls("TLSv1.2, TLSv1.3"))?;
        for (flags, sends) in [(&[][..], "send-proxy"), (&[], "send-proxy-v2"), (&["--send-proxy", "v2"], "")] {
            let proxy = proxy(server.port, flags)?;
            let balancer = Balancer::before(proxy.port, "", sends)?;
            ask(&mut TcpStream::connect(("127.0.0.1", balancer.port))?, b"")?;
            let finished = proxy.finish()?;
            let (code, document) = analyze_files(&finished.recordings)?;
            let finding = &document["attempts"][0]["sessions"][0]["findings"][0];
            assert_eq!((code, &finding["cause"]), (Some(1), &"PRX-HEADER".into()), "{document:#}");
            assert!(finished.output.contains("PRX-HEADER"), "{}", finished.output);
        }
        Ok(())
    });
}

#[test]
fn a_header_that_is_missing_is_possible() {
    with_peers("a_header_that_is_missing_is_possible", || {
        let nobody = free_port()?;
        let balancer = Balancer::before(nobody, "accept-proxy", "")?;
        let proxy = proxy(balancer.port, &[])?;
        ask(&mut TcpStream::connect(("127.0.0.1", proxy.port))?, b"")?;
        let (code, document) = analyze_files(&proxy.finish()?.recordings)?;
        let finding = &document["attempts"][0]["sessions"][0]["findings"][0];
        let others = finding["alternatives"].to_string();
        assert_eq!((code, &finding["cause"]), (Some(1), &"TCP-RST-AFTER".into()), "{document:#}");
        assert!(others.contains("PRX-HEADER"), "{document:#}");
        Ok(())
    });
}

/// Sends this, then a request for TLS, and waits until the other side has ended.
fn ask(stream: &mut TcpStream, first: &[u8]) -> Outcome<Vec<u8>> {
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(&[first, &wire::connection_request("alice", Some(1))].concat())?;
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => Ok(said),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(said),
        Err(error) => Err(error.into()),
    }
}

// With headers of our own.

/// A server that reads so much, says which bytes those were, refuses NLA, and closes.
fn refusing(len: usize) -> Outcome<(SocketAddr, std::thread::JoinHandle<std::io::Result<Vec<u8>>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let serve = move || {
        let (mut stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(SOON))?;
        let mut got = vec![0; len];
        stream.read_exact(&mut got)?;
        stream.write_all(&wire::negotiation_failure(5))?;
        Ok(got)
    };
    Ok((address, std::thread::spawn(serve)))
}

fn document(session: Diagnosed) -> String {
    json::document("test", &group(vec![session]))
}

/// A client that sends these pieces, and then its request. What the server got before the request, and what is said of it, which
/// is the same as of the recording.
fn told(pieces: &[&[u8]], sent: usize, change: impl FnOnce(&mut Config)) -> Outcome<(Vec<u8>, Diagnosed)> {
    let request = wire::connection_request("alice", Some(1));
    let (address, server) = refusing(sent + request.len())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let target = Target { name: certificate::NAME.into(), port: address.port() };
    let change = |config: &mut Config| {
        config.connect_to = Some(address);
        change(config);
    };
    let proxy = runtime.block_on(Recorded::changed(target, change, |_| {}));
    let mut stream = TcpStream::connect(proxy.addr)?;
    stream.set_nodelay(true)?;
    for piece in pieces {
        stream.write_all(piece)?;
    }
    let said = ask(&mut stream, b"")?;
    assert_eq!(said, wire::negotiation_failure(5));
    let got = server.join().expect("served")?;
    drop(stream);
    let (mut sessions, _folder) = runtime.block_on(proxy.finish());
    let session = sessions.pop().expect("a session");
    let file = session.file.clone().expect("a recording");
    assert_eq!(document(session.clone()), document(analyze(Path::new(&file))), "the law");
    assert!(got.ends_with(&request));
    Ok((got[..sent].to_vec(), session))
}

fn client_of(session: &Diagnosed) -> String {
    session.timeline.client_leg().and_then(|leg| leg.client).map_or(String::new(), |client| client.to_string())
}

#[test]
fn a_header_passes_unchanged_and_is_told_where_nobody_asks_for_it() -> Outcome<()> {
    for header in [LINE, BINARY, LOCAL] {
        let bytewise: Vec<&[u8]> = header.chunks(1).collect();
        for pieces in [&[header][..], &bytewise] {
            let (got, session) = told(pieces, header.len(), |_| {})?;
            assert_eq!(got, header);
            assert!(client_of(&session).starts_with("127.0.0.1:"), "nobody is trusted");
            let headers = &session.timeline.facts.headers;
            assert_eq!((headers.seen.len(), &headers.named_by, headers.sent), (2, &None, None));
            assert_eq!(session.findings[0].cause.id, "X224-HYBRID");
            let says = text::session(&session).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(says.contains("on both legs"), "{says}");
            let ladder = text::ladder(&session.timeline, None);
            assert_eq!(ladder.matches("PROXY header").count(), 1, "passed on in one row: {ladder}");
            let altered = report::altered_by_proxy(&session.timeline).join("\n");
            assert!(!altered.contains("PROXY"), "{altered}");
        }
    }
    Ok(())
}

#[test]
fn the_client_is_whom_the_header_names_and_the_server_gets_none() -> Outcome<()> {
    for (header, named) in [(LINE, "198.51.100.7:51000"), (BINARY, "198.51.100.7:51000"), (LOCAL, "127.0.0.1:")] {
        for pieces in [&[header][..], &header.chunks(7).collect::<Vec<_>>()] {
            let (got, session) = told(pieces, 0, |config| config.accept_proxy = true)?;
            assert_eq!(got, b"");
            assert!(client_of(&session).starts_with(named), "{}", client_of(&session));
            let headers = &session.timeline.facts.headers;
            assert_eq!((headers.seen.len(), headers.sent), (1, None));
            assert!(headers.named_by.as_ref().is_some_and(|by| by.what.ip().is_loopback()));
            let altered = report::altered_by_proxy(&session.timeline).join("\n");
            assert!(altered.contains("took the PROXY header off"), "{altered}");
        }
    }
    Ok(())
}

#[test]
fn the_server_is_sent_the_client_that_connects_or_is_named() -> Outcome<()> {
    let v1 = |client: &str, server: SocketAddr| {
        let client: SocketAddr = client.parse().expect("an address");
        format!("PROXY TCP4 {} {} {} {}\r\n", client.ip(), server.ip(), client.port(), server.port()).into_bytes()
    };
    // Ports of five digits: how long the header will be is known before.
    let length = v1("127.0.0.1:50000", ([127, 0, 0, 1], 50000).into()).len();
    let (got, session) = told(&[], length, |config| config.send_proxy = Some(Version::V1))?;
    let listener = session.timeline.legs[0].server.expect("a listener");
    assert_eq!(got, v1(&client_of(&session), listener));
    let (got, session) = told(&[LINE], BINARY.len() - 4, |config| {
        (config.accept_proxy, config.send_proxy) = (true, Some(Version::V2));
    })?;
    assert_eq!(got[16..], BINARY[16..BINARY.len() - 4], "the same ends, and nothing besides");
    assert_eq!(client_of(&session), "198.51.100.7:51000");
    let altered = report::altered_by_proxy(&session.timeline).join("\n");
    assert!(altered.contains("took the PROXY header off") && altered.contains("version 2"), "{altered}");
    // A check of the balancer's own is of its own address.
    let (got, session) = told(&[LOCAL], length, |config| {
        (config.accept_proxy, config.send_proxy) = (true, Some(Version::V1));
    })?;
    assert_eq!(got, v1(&client_of(&session), session.timeline.legs[0].server.expect("a listener")));
    Ok(())
}

#[test]
fn who_sends_no_header_is_turned_away_and_told() -> Outcome<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let proxy = proxy(server.local_addr()?.port(), &["--accept-proxy"])?;
    let too_long = [BINARY.get(..14).unwrap_or_default(), &[0xff, 0xff], &[0; 5000]].concat();
    let too_long_a_line = [b"PROXY TCP4 ", &[b'1'; 200][..]].concat();
    let cases: [(&[u8], &str); 6] = [
        (b"", "sends no PROXY header, which --accept-proxy expects first"),
        (b"GET / HTTP/1.1\r\n\r\n", "sends no PROXY header"),
        (b"PROXY TCP4 1.2.3.4 5\r\n", "the PROXY header that it sends is not valid"),
        (&too_long, "sends no PROXY header"),
        (&too_long_a_line, "sends no PROXY header"),
        // It goes on to the line's end in the request's cookie.
        (b"PROXY TCP4 198.51.100.7 ", "is not valid"),
    ];
    for (number, (first, told)) in cases.into_iter().enumerate() {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port))?;
        let said = match ask(&mut stream, first) {
            Ok(said) => said,
            // The RST came while it wrote.
            Err(Trouble::Failed(_)) => Vec::new(),
            Err(trouble) => return Err(trouble),
        };
        assert_eq!(said, b"", "case {number}");
        let is_told = || Ok(proxy.output().matches(told).next().map(drop));
        assert!(wait_for(SOON, is_told)?.is_some(), "case {number}: {}", proxy.output());
    }
    // Half a header and no more: it is waited for, and not for ever.
    let mut silent = TcpStream::connect(("127.0.0.1", proxy.port))?;
    silent.write_all(b"PROXY TCP4")?;
    silent.set_read_timeout(Some(SOON))?;
    assert_eq!(silent.read(&mut [0; 1]).map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    let told = "was not there after 5 s";
    assert!(wait_for(SOON, || Ok(proxy.output().contains(told).then_some(())))?.is_some(), "{}", proxy.output());
    let mut gone = TcpStream::connect(("127.0.0.1", proxy.port))?;
    gone.write_all(b"PROXY")?;
    drop(gone);
    let told = "left without a PROXY header";
    assert!(wait_for(SOON, || Ok(proxy.output().contains(told).then_some(())))?.is_some(), "{}", proxy.output());
    let finished = proxy.finish()?;
    assert_eq!(finished.recordings.len(), 0, "none of them was a session");
    server.set_nonblocking(true)?;
    assert!(server.accept().is_err(), "and the server heard of none");
    Ok(())
}

#[test]
fn a_proxy_that_ends_does_not_wait_for_a_header() -> Outcome<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let proxy = proxy(server.local_addr()?.port(), &["--accept-proxy"])?;
    let mut client = TcpStream::connect(("127.0.0.1", proxy.port))?;
    client.write_all(b"PROXY TCP4")?;
    let finished = proxy.finish()?;
    assert_eq!(finished.code, Some(0), "{}", finished.output);
    Ok(())
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    for flags in
        [&["--accept-proxy", "--redirect"][..], &["--send-proxy", "v3"], &["--send-proxy", "--probe-on-failure"]]
    {
        let said = Command::new(program()).args(["proxy", "--to", "server"]).args(flags).output().expect("run");
        assert_eq!(said.status.code(), Some(2), "{flags:?}");
    }
}
