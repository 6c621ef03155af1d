//! A relay inside TLS: what passes, how it ends, what is undone, and what is said of it; against scripted peers here, against
//! real ones in `peers`.

mod peers;

use std::sync::Arc;
use std::time::Duration;

use analyzer::analysis::Analysis;
use analyzer::attempt::Diagnosed;
use analyzer::diagnose::Outcome;
use analyzer::observation::{Interception, Leg, Observation, Seen, Side};
use analyzer::report;
use analyzer::timeline::phase::PhaseName;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proxy::authority::{self, Authority};
use proxy::impair::Asked;
use proxy::intercept::{Intercept, With};
use proxy::lab::certificate::Certificate;
use proxy::listen::Config;
use proxy::tls::{Ciphers, Client, ClientStream, Credential, Identity, Refusal, Server, ServerStream, Trust, Versions};
use proxy::wire::hello::{Offer, client_hello};
use proxy::wire::x224::connection_request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::process::Folder;
use crate::support::{End, PATIENCE, Rig, anywhere, connect, pattern, read, read_all, reset, write};

/// PROTOCOL_SSL, PROTOCOL_HYBRID.
const SSL: u8 = 1;
const HYBRID: u8 = 2;

/// A client and a server with a relay inside their TLS.
struct Stage {
    rig: Rig,
    listener: TcpListener,
    identity: Identity,
}

impl Stage {
    /// The relay has the server's key.
    async fn with_server_key() -> Stage {
        let identity = Certificate::Valid.make().expect("certificate");
        Stage::with(With::ServerKey(credential(&identity)), identity).await
    }

    /// The same, and the session is impaired on purpose.
    async fn impaired(spec: &str) -> Stage {
        let identity = Certificate::Valid.make().expect("certificate");
        let asked = Asked { specs: vec![spec.parse().expect("an impairment")], seed: 1 };
        let with = With::ServerKey(credential(&identity));
        Stage::changed(with, identity, |config| config.impair = Some(Arc::new(asked))).await
    }

    /// The relay has an authority.
    async fn with_authority(folder: &Folder) -> Stage {
        authority::create(folder.path(), true).expect("authority");
        let authority = Authority::open(folder.path()).expect("authority");
        let identity = Certificate::Valid.make().expect("certificate");
        Stage::with(With::Authority(Box::new(authority)), identity).await
    }

    async fn with(with: With, identity: Identity) -> Stage {
        Stage::changed(with, identity, |_| {}).await
    }

    async fn changed(with: With, identity: Identity, change: impl FnOnce(&mut Config)) -> Stage {
        let listener = TcpListener::bind(anywhere()).await.expect("bind");
        let how = Arc::new(Intercept::new(with, "127.0.0.1"));
        let change = |config: &mut Config| {
            config.intercept = Some(how);
            change(config);
        };
        let rig = Rig::with(listener.local_addr().expect("address"), change).await;
        Stage { rig, listener, identity }
    }

    /// The server's next connection, up to its confirm.
    async fn accept(&self, selected: u8) -> TcpStream {
        let mut server = timeout(PATIENCE, self.listener.accept()).await.expect("no client came").expect("accept").0;
        read(&mut server, request().len()).await;
        write(&mut server, &confirm(selected)).await;
        server
    }

    /// The server's next connection, up to the end of its handshake.
    async fn serve(&self, selected: u8, versions: Versions) -> ServerStream<TcpStream> {
        let server = Server::new(&self.identity, versions, Ciphers::All, None).expect("server");
        let accepted = server.accept(self.accept(selected).await);
        timeout(PATIENCE, accepted).await.expect("no handshake").expect("handshake")
    }

    /// A client up to the end of its handshake, and what it was shown.
    async fn client(&self, selected: u8) -> (ClientStream<TcpStream>, Vec<Vec<u8>>) {
        let mut stream = connect(self.rig.addr, None).await;
        write(&mut stream, &request()).await;
        assert_eq!(read(&mut stream, 19).await, confirm(selected), "the confirm passes untouched");
        let client = Client::new(Trust::Anything, Versions::Both, Ciphers::All).expect("client");
        let connected = timeout(PATIENCE, client.connect("rdp.lab.test", stream)).await.expect("no handshake");
        (connected.expect("handshake"), client.shown())
    }

    async fn both(&self, versions: Versions) -> (ClientStream<TcpStream>, ServerStream<TcpStream>) {
        let ((client, _), server) = tokio::join!(self.client(SSL), self.serve(SSL, versions));
        (client, server)
    }

    /// What is said of the session, once it is over.
    async fn said(&self) -> (Vec<Observation>, Diagnosed) {
        let seen = self.rig.observations(1).await;
        let mut analysis = Analysis::default();
        // As the scribe does, and a file: secrets first.
        let (secrets, rest): (Vec<_>, Vec<_>) = seen.iter().partition(|one| matches!(one.seen, Seen::Secret(_)));
        secrets.into_iter().chain(rest).for_each(|observation| analysis.push(observation));
        (seen, analysis.finish(None))
    }
}

fn request() -> Vec<u8> {
    connection_request("user", Some(0x3))
}

/// A ClientHello of a client's own.
fn own_hello() -> Vec<u8> {
    client_hello(&Offer { versions: &[0x0303], ciphers: &[0xc02f], name: None, padded_to: 0 })
}

fn confirm(selected: u8) -> Vec<u8> {
    vec![3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, selected, 0, 0, 0]
}

fn credential(identity: &Identity) -> Credential {
    let pem = |kind: &str, der: &[u8]| {
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der)).into_bytes()
    };
    let key = pem("PRIVATE KEY", identity.key.pkcs8().expect("PKCS #8"));
    Credential::read(&pem("CERTIFICATE", &identity.certificate), &key).expect("they belong together")
}

fn steps(seen: &[Observation]) -> Vec<&'static str> {
    let step = |one: &Observation| match &one.seen {
        Seen::Interception(step) => Some(step.name()),
        _ => None,
    };
    seen.iter().filter_map(step).collect()
}

/// Plaintext passes in both directions, and so does the end of what each side says.
async fn talks(stage: &Stage, versions: Versions, version: u16) -> Diagnosed {
    let (mut client, mut server) = stage.both(versions).await;
    let long = pattern(3 << 20);
    let (asked, answered) = tokio::join!(
        async {
            client.write_all(&long).await.expect("write");
            client.shutdown().await.expect("close_notify, FIN");
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.expect("close_notify before the FIN");
            answer
        },
        async {
            let mut question = Vec::new();
            server.read_to_end(&mut question).await.expect("close_notify before the FIN");
            server.write_all(b"an answer").await.expect("write");
            server.shutdown().await.expect("close_notify, FIN");
            question
        }
    );
    assert_eq!((asked.as_slice(), answered == long), (b"an answer".as_slice(), true));
    let (seen, said) = stage.said().await;
    assert_eq!(steps(&seen), ["asked", "upstream", "stands"]);
    let facts = &said.timeline.facts;
    assert!(facts.is_intercepted());
    for leg in [Leg::Front, Leg::Back] {
        let tls = facts.tls.iter().find(|tls| tls.leg == leg).expect("TLS of its own");
        let hello = &tls.server_hello.as_ref().expect("ServerHello").what;
        assert_eq!((hello.version, hello.resumed), (version, false), "{leg}");
        let decrypted = tls.decrypted.as_ref().expect("secrets");
        assert_eq!((decrypted.bytes, decrypted.sealed.len()), ([long.len() as u64, 9], 0), "{leg}");
    }
    let phases: Vec<String> =
        said.timeline.phases.iter().map(|phase| format!("{} {}", phase.name, phase.leg)).collect();
    assert_eq!(phases[..4], ["tcp front", "tcp back", "negotiation back", "tls front"], "{phases:?}");
    let document = report::json::document("", &analyzer::attempt::group(vec![said.clone()]));
    assert!(document.contains("\"by\": \"server-key\""));
    said
}

/// What was asked for delays what the relay makes of TLS: nothing is lost, nothing comes in another order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plaintext_passes_late_where_that_was_asked_for() {
    let stage = Stage::impaired("tls: latency 80ms").await;
    let said = talks(&stage, Versions::Both, 0x0304).await;
    let tls = said.timeline.phase(PhaseName::Tls).expect("tls");
    // The ClientHello and the server's flight.
    assert!(tls.duration() >= Duration::from_millis(160), "{tls:?}");
    assert!(tls.waited.impairment >= Duration::from_millis(80), "{tls:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plaintext_passes_and_tls_1_2_opens() {
    talks(&Stage::with_server_key().await, Versions::Only12, 0x0303).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plaintext_passes_and_tls_1_3_opens() {
    talks(&Stage::with_server_key().await, Versions::Both, 0x0304).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fin_without_close_notify_stays_one() {
    let stage = Stage::with_server_key().await;
    let (mut client, server) = stage.both(Versions::Both).await;
    let (mut bare, _) = server.into_inner();
    bare.shutdown().await.expect("FIN");
    let cut = timeout(PATIENCE, client.read(&mut [0; 10])).await.expect("nothing came").expect_err("an end of file");
    assert_eq!(cut.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rst_stays_rst_inside_tls() {
    let stage = Stage::with_server_key().await;
    let (mut client, server) = stage.both(Versions::Both).await;
    reset(server.into_inner().0);
    let cut = timeout(PATIENCE, client.read(&mut [0; 10])).await.expect("nothing came").expect_err("a reset");
    assert_eq!(cut.kind(), std::io::ErrorKind::ConnectionReset);
}

/// Who does not read holds the other back: what is written and not read stays bounded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_pressure_reaches_through_tls() {
    let stage = Stage::with_server_key().await;
    let (mut client, mut server) = stage.both(Versions::Both).await;
    let chunk = pattern(64 << 10);
    let mut written = 0_usize;
    while timeout(Duration::from_millis(500), server.write_all(&chunk)).await.is_ok() {
        written += chunk.len();
        assert!(written < 256 << 20, "nobody reads, and nobody holds it back");
    }
    let mut got = vec![0; written];
    // What TLS has taken and not sent yet goes on when it is asked to.
    let both = async { tokio::join!(server.flush(), client.read_exact(&mut got)) };
    let (flushed, read) = timeout(PATIENCE, both).await.expect("it never came");
    flushed.and(read.map(|_| ())).expect("read");
    assert!(got.chunks(chunk.len()).all(|part| part == chunk));
}

/// What the client has said when it ends comes before its FIN, a whole ClientHello or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn part_of_a_client_hello_is_passed_on_before_the_fin() {
    let stage = Stage::with_server_key().await;
    let hello = own_hello();
    let part = &hello[..43];
    let client = async {
        let mut stream = connect(stage.rig.addr, None).await;
        write(&mut stream, &request()).await;
        read(&mut stream, 19).await;
        write(&mut stream, part).await;
        stream.shutdown().await.expect("FIN");
        read_all(&mut stream).await.end
    };
    let server = async {
        let mut server = stage.accept(SSL).await;
        read_all(&mut server).await
    };
    let (end, got) = timeout(PATIENCE, async { tokio::join!(client, server) }).await.expect("it hangs");
    assert_eq!((got.bytes.as_slice(), got.end, end), (part, End::Eof, End::Eof));
    assert_eq!(steps(&stage.said().await.0), ["asked", "passed"]);
}

/// A client that ends behind its ClientHello has said it first, also to a server that is asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fin_comes_behind_the_client_hello_that_is_said_again() {
    let (stage, hello) = (Stage::with_server_key().await, own_hello());
    let client = async {
        let mut stream = connect(stage.rig.addr, None).await;
        write(&mut stream, &request()).await;
        read(&mut stream, 19).await;
        write(&mut stream, &hello).await;
        stream.shutdown().await.expect("FIN");
        read_all(&mut stream).await.end
    };
    let server = async {
        // All that the relay says itself, and the client's FIN.
        let mut first = stage.accept(SSL).await;
        read_all(&mut first).await;
        drop(first);
        let mut second = stage.accept(SSL).await;
        read_all(&mut second).await
    };
    let (end, got) = timeout(PATIENCE, async { tokio::join!(client, server) }).await.expect("it hangs");
    assert_eq!((got.bytes.as_slice(), got.end, end), (hello.as_slice(), End::Eof, End::Eof));
    assert_eq!(steps(&stage.said().await.0), ["asked", "redialed", "passed"]);
}

/// What one side says cannot be read: the verdict tells which, and why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_that_breaks_at_the_proxy_is_told_by_its_leg() {
    const RUBBISH: &[u8] = &[23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    for (from, told) in
        [(Side::Client, "client broke at the proxy (front"), (Side::Server, "server broke at the proxy (back")]
    {
        let stage = Stage::with_server_key().await;
        let (client, server) = stage.both(Versions::Both).await;
        let (mut client, mut server) = (client.into_inner().0, server.into_inner().0);
        write(if from == Side::Client { &mut client } else { &mut server }, RUBBISH).await;
        // Each is told its own: an alert, or nothing but the end.
        let ends = (read_all(&mut client).await.end, read_all(&mut server).await.end);
        assert_eq!(ends, (End::Eof, End::Eof));
        drop((client, server));
        let (seen, said) = stage.said().await;
        assert_eq!(steps(&seen), ["asked", "upstream", "stands", "broke"]);
        assert_eq!(said.outcome, Outcome::Failed);
        let verdict = report::verdict::of_session(&said);
        assert!(verdict.contains(&format!("TLS with the {told} leg): cannot decrypt")), "{verdict}");
    }
}

/// A client that does not trust what it is shown says so to the server, as it would have directly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fatal_alert_reaches_the_other_side() {
    for versions in [Versions::Only12, Versions::Both] {
        let stage = Stage::with_server_key().await;
        let client = async {
            let mut stream = connect(stage.rig.addr, None).await;
            write(&mut stream, &request()).await;
            read(&mut stream, 19).await;
            let client =
                Client::new(Trust::Refuses(Refusal::BadCertificate), Versions::Both, Ciphers::All).expect("client");
            timeout(PATIENCE, client.connect("rdp.lab.test", stream))
                .await
                .expect("no end")
                .expect_err("it trusts nobody")
        };
        let server = async {
            let mut server = stage.serve(SSL, versions).await;
            let read = timeout(PATIENCE, server.read(&mut [0; 1])).await.expect("no end");
            read.expect_err("an alert").to_string()
        };
        let (_, told) = tokio::join!(client, server);
        assert!(told.contains("received fatal alert"), "{versions:?}: {told}");
        let (seen, said) = stage.said().await;
        assert_eq!(steps(&seen).last(), Some(&"broke"), "{versions:?}: {:?}", steps(&seen));
        let alert = said.timeline.leg(Leg::Front).map(|_| said.timeline.facts.fatal_alert()).expect("a leg");
        assert!(alert.is_some(), "{versions:?}");
    }
}

/// The server refuses our ClientHello: it is asked again, with the client's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_before_the_client_is_answered_is_undone() {
    let stage = Stage::with_server_key().await;
    let refuses = async {
        let mut first = stage.accept(SSL).await;
        read(&mut first, 43).await; // a ClientHello, or enough of it
        write(&mut first, &[21, 3, 3, 0, 2, 2, 40]).await;
        drop(first);
        stage.serve(SSL, Versions::Both).await
    };
    let ((mut client, shown), mut server) = tokio::join!(stage.client(SSL), refuses);
    assert_eq!(shown, vec![stage.identity.certificate.clone()], "the server's own handshake");
    client.write_all(b"ping").await.expect("write");
    server.read_exact(&mut [0; 4]).await.expect("read");
    drop((client, server));
    let (seen, said) = stage.said().await;
    assert_eq!(steps(&seen), ["asked", "redialed", "passed"]);
    let facts = &said.timeline.facts;
    assert!(!facts.is_intercepted() && facts.fatal_alert().is_none(), "{:?}", facts.tls);
    let tls = said.timeline.phase(analyzer::timeline::phase::PhaseName::Tls).expect("TLS");
    assert_eq!(tls.outcome, analyzer::timeline::phase::Outcome::Done);
    assert_eq!(said.timeline.leg(Leg::Back).expect("back").dials.len(), 2);
    let told = report::altered_by_proxy(&said.timeline).join("\n");
    assert!(told.contains("says nothing of the server"), "{told}");
}

/// A server that resets whatever comes fails in the client's own handshake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_resets_our_hello_is_given_the_clients() {
    let stage = Stage::with_server_key().await;
    let resets = async {
        for _ in 0..2 {
            let mut server = stage.accept(SSL).await;
            read(&mut server, 43).await; // a ClientHello, or enough of it
            reset(server);
        }
    };
    let client = async {
        let mut stream = connect(stage.rig.addr, None).await;
        write(&mut stream, &request()).await;
        read(&mut stream, 19).await;
        let client = Client::new(Trust::Anything, Versions::Both, Ciphers::All).expect("client");
        client.connect("rdp.lab.test", stream).await.expect_err("no handshake").kind()
    };
    let (kind, ()) = timeout(PATIENCE, async { tokio::join!(client, resets) }).await.expect("it hangs");
    assert_eq!(kind, std::io::ErrorKind::ConnectionReset);
    let (seen, said) = stage.said().await;
    assert_eq!(steps(&seen), ["asked", "redialed", "passed"]);
    assert_eq!(said.outcome, Outcome::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_shows_what_the_server_shows() {
    let folder = Folder::new().expect("folder");
    let stage = Stage::with_authority(&folder).await;
    let ((client, shown), server) = tokio::join!(stage.client(SSL), stage.serve(SSL, Versions::Both));
    drop((client, server));
    let read = |der: &[u8]| analyzer::probe::read_certificate(der).expect("certificate");
    let (own, made) = (read(&stage.identity.certificate), read(&shown[0]));
    assert_ne!(shown[0], stage.identity.certificate);
    assert_eq!(
        (&made.common_name, &made.names, made.not_before, made.not_after, &made.key),
        (&own.common_name, &own.names, own.not_before, own.not_after, &own.key)
    );
    let roots = [authority::show(folder.path()).expect("authority").der];
    let now = u64::try_from(made.not_before).expect("after 1970").max(roots_begin(&roots[0]));
    assert_eq!(proxy::tls::leads_to(&roots, &shown, now), analyzer::probe::Trust::Trusted);
    let (seen, _) = stage.said().await;
    assert_eq!(steps(&seen), ["asked", "upstream", "stands"]);
    assert!(seen.iter().any(|one| matches!(
        &one.seen,
        Seen::Interception(Interception::Upstream { trusted, .. }) if *trusted != Some(true)
    )));
}

fn roots_begin(der: &[u8]) -> u64 {
    let says = analyzer::probe::read_certificate(der).expect("certificate");
    u64::try_from(says.not_before).expect("after 1970") + 1
}

/// What CredSSP proves is bound to the server's key: nothing is touched, and the report says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_an_authority_credssp_passes_untouched() {
    let folder = Folder::new().expect("folder");
    let stage = Stage::with_authority(&folder).await;
    let ((client, shown), server) = tokio::join!(stage.client(HYBRID), stage.serve(HYBRID, Versions::Both));
    drop((client, server));
    assert_eq!(shown, vec![stage.identity.certificate.clone()]);
    let (seen, said) = stage.said().await;
    assert_eq!(steps(&seen), ["asked", "passed"]);
    let told = report::altered_by_proxy(&said.timeline).join("\n");
    assert!(told.contains("HYBRID was selected"), "{told}");
}

/// A key of another certificate of the server: true to the letter, and CredSSP would fail by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_than_the_servers_is_told() {
    let other = Certificate::Valid.make().expect("certificate");
    let identity = Certificate::Valid.make().expect("certificate");
    let stage = Stage::with(With::ServerKey(credential(&other)), identity).await;
    drop(stage.both(Versions::Both).await);
    assert_eq!(steps(&stage.said().await.0), ["asked", "upstream", "other-key", "stands"]);
}

/// CredSSP would fail by it, and look like a wrong password: nothing is touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_another_key_than_the_servers_credssp_passes_untouched() {
    let other = Certificate::Valid.make().expect("certificate");
    let identity = Certificate::Valid.make().expect("certificate");
    let stage = Stage::with(With::ServerKey(credential(&other)), identity).await;
    let server = async {
        let own = Server::new(&stage.identity, Versions::Both, Ciphers::All, None).expect("server");
        // Taken back in the middle of it.
        let _cut = own.accept(stage.accept(HYBRID).await).await;
        stage.serve(HYBRID, Versions::Both).await
    };
    let ((client, shown), server) = tokio::join!(stage.client(HYBRID), server);
    drop((client, server));
    assert_eq!(shown, vec![stage.identity.certificate.clone()]);
    let (seen, said) = stage.said().await;
    assert_eq!(steps(&seen), ["asked", "redialed", "passed"]);
    let told = report::altered_by_proxy(&said.timeline).join("\n");
    assert!(told.contains("another key than that of --cert"), "{told}");
}

/// The second confirm may have another SRC-REF; another choice is another answer.
async fn second_confirm(again: Vec<u8>) -> Vec<&'static str> {
    let stage = Stage::with_server_key().await;
    let server = async {
        let mut first = stage.accept(SSL).await;
        read(&mut first, 43).await; // a ClientHello, or enough of it
        reset(first);
        let mut second = timeout(PATIENCE, stage.listener.accept()).await.expect("nobody").expect("accept").0;
        read(&mut second, request().len()).await;
        write(&mut second, &again).await;
        let _ended = timeout(PATIENCE, second.read(&mut [0; 10])).await.expect("nothing came");
        reset(second);
    };
    let client = async {
        let mut stream = connect(stage.rig.addr, None).await;
        write(&mut stream, &request()).await;
        read(&mut stream, 19).await;
        let client = Client::new(Trust::Anything, Versions::Both, Ciphers::All).expect("client");
        client.connect("rdp.lab.test", stream).await.map(drop).expect_err("no handshake");
    };
    timeout(PATIENCE, async { tokio::join!(client, server) }).await.expect("it hangs");
    steps(&stage.said().await.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_confirm_is_compared_by_what_it_says() {
    let mut other_reference = confirm(SSL);
    other_reference[8] = 0x77;
    assert_eq!(second_confirm(other_reference).await, ["asked", "redialed", "passed"]);
    assert_eq!(second_confirm(confirm(HYBRID)).await, ["asked", "redialed", "stuck"]);
}

/// What is held while the server says nothing is bounded: the client has to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_on_before_a_silent_server_is_held_back() {
    let stage = Stage::with_server_key().await;
    let client = async {
        let mut stream = connect(stage.rig.addr, None).await;
        write(&mut stream, &request()).await;
        read(&mut stream, 19).await;
        write(&mut stream, &own_hello()).await;
        stream
    };
    let (mut client, mut server) = tokio::join!(client, stage.accept(SSL));
    read(&mut server, 43).await; // our ClientHello, or enough of it
    let (chunk, mut written) = (pattern(64 << 10), 0);
    while timeout(Duration::from_millis(500), client.write_all(&chunk)).await.is_ok_and(|done| done.is_ok()) {
        written += chunk.len();
        assert!(written < 64 << 20, "nobody reads, and nobody holds it back");
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (one, other) = (Certificate::Valid.make().expect("one"), Certificate::Valid.make().expect("other"));
    let pem = |kind: &str, der: &[u8]| {
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der)).into_bytes()
    };
    let certificate = pem("CERTIFICATE", &one.certificate);
    let check = |key: &[u8], says: &str| {
        let error = Credential::read(&certificate, key).expect_err("it is not its key");
        assert!(error.contains(says), "{error}");
    };
    check(&pem("PRIVATE KEY", other.key.pkcs8().expect("PKCS #8")), "does not belong to the certificate");
    check(&pem("ENCRYPTED PRIVATE KEY", b"x"), "encrypted");
    check(b"rubbish", "found none");
}

#[test]
fn an_authority_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new().expect("folder");
    let at = folder.path().join("made");
    let first = authority::create(&at, false).expect("authority");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let key = at.join("ca.key");
    assert_eq!((mode(&at), mode(&key)), (0o700, 0o600));
    assert!(authority::create(&at, false).is_err_and(|error| error.to_string().contains("--force")));
    assert_eq!(authority::show(&at).expect("authority").der, first.der);
    assert_ne!(authority::create(&at, true).expect("authority").der, first.der);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).expect("chmod");
    assert!(Authority::open(&at).is_err_and(|error| error.to_string().contains("its owner alone")));
}
