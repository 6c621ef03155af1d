//! A relay before an RD Gateway: what passes is what was sent, connections of one client stand in one recording, and TLS may
//! end there. The gateway is a scripted peer: what it says is of no interest here.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use analyzer::attempt::{Diagnosed, group};
use analyzer::capture::recording;
use analyzer::observation::{Interception, Leg, Observation, Opening, Seen, Side};
use analyzer::reading;
use analyzer::report::{self, json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proxy::authority::{self, Authority};
use proxy::intercept::{Intercept, With};
use proxy::lab::certificate::Certificate;
use proxy::listen::Target;
use proxy::tls::{
    Ciphers, Client, ClientStream, Credential, Identity, Server, ServerStream, Trust, Versions, application_protocol,
};
use proxy::watch::Stored;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::process::{Folder, with_peers};
use crate::support::recorded::Recorded;
use crate::support::{PATIENCE, Rig, anywhere, connect, pattern, read, recording as tshark, write};

const REQUEST: &[u8] =
    b"RDG_OUT_DATA /remoteDesktopGateway/ HTTP/1.1\r\nHost: gw.lab.test\r\nX-Odd:  two  spaces\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";

/// A proxy before a gateway that listens there.
async fn proxy(listener: &TcpListener) -> Recorded {
    let addr = listener.local_addr().expect("address");
    let target = Target { name: "gw.lab.test".into(), port: addr.port() };
    let change = |config: &mut proxy::listen::Config| {
        config.connect_to = Some(addr);
        config.gateway = true;
    };
    Recorded::with(target, change, Stored::Once).await
}

async fn pair(listener: &TcpListener, proxy: &Recorded) -> (TcpStream, TcpStream) {
    let client = connect(proxy.addr, None).await;
    let server = timeout(PATIENCE, listener.accept()).await.expect("no client came").expect("accept").0;
    (client, server)
}

/// Both sides say this much at once, and get what the other said.
async fn exchange(client: &mut TcpStream, server: &mut TcpStream, up: &[u8], down: &[u8]) {
    async fn talk(stream: &mut TcpStream, says: &[u8], len: usize) -> Vec<u8> {
        let (mut reads, mut writes) = stream.split();
        let mut got = vec![0; len];
        let both = async { tokio::join!(writes.write_all(says), reads.read_exact(&mut got)) };
        let (written, heard) = timeout(PATIENCE, both).await.expect("it hangs");
        written.and(heard.map(drop)).expect("talk");
        got
    }
    let (at_client, at_server) = tokio::join!(talk(client, up, down.len()), talk(server, down, up.len()));
    assert!(at_client == down && at_server == up, "something else came than was sent");
}

fn recordings(folder: &std::path::Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "pcapng")).collect()
}

/// Bytes by connection, leg and side.
type Passed = BTreeMap<(u32, Leg, Side), Vec<u8>>;

/// What passed on each leg of each connection, and everything that was seen.
fn passed(file: &std::path::Path) -> (Passed, Vec<Observation>) {
    let (mut bytes, mut all) = (Passed::new(), Vec::new());
    let each = &mut |one: Observation| {
        if let Seen::Bytes { from, data } = &one.seen {
            bytes.entry((one.flow.session, one.flow.leg, *from)).or_default().extend_from_slice(data);
        }
        all.push(one);
    };
    let read = recording::read(File::open(file).expect("open"), 0, each).expect("a recording");
    assert_eq!(read.stopped, None);
    (bytes, all)
}

fn read_again(file: &std::path::Path) -> Vec<Diagnosed> {
    let mut found = Vec::new();
    let (name, keys) = (file.display().to_string(), Arc::default());
    reading::read_with(File::open(file).expect("open"), Some(&name), &keys, &mut |one| found.push(one)).expect("read");
    found
}

/// Two at once, each with bytes of its own: one recording, in which each stands on its own interfaces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_connections_of_a_client_stand_in_one_recording() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let proxy = proxy(&listener).await;
    let (mut one, mut one_server) = pair(&listener, &proxy).await;
    let (mut two, mut two_server) = pair(&listener, &proxy).await;
    let long = pattern(300_000);
    let says: [Vec<u8>; 4] = [
        [REQUEST, &long[7..]].concat(),
        [ANSWER, &long[1..200_000]].concat(),
        [b"GET ", &long[3..100_000]].concat(),
        long[11..].to_vec(),
    ];
    tokio::join!(
        exchange(&mut one, &mut one_server, &says[0], &says[1]),
        exchange(&mut two, &mut two_server, &says[2], &says[3])
    );
    drop((one, one_server, two, two_server));
    // A third, right after they ended: it goes on with what the client did.
    let (mut three, mut three_server) = pair(&listener, &proxy).await;
    exchange(&mut three, &mut three_server, REQUEST, ANSWER).await;
    drop((three, three_server));
    let (live, folder) = proxy.finish().await;

    let files = recordings(&folder.0);
    let [file] = &files[..] else { panic!("{files:?}") };
    let (bytes, all) = passed(file);
    for (session, up, down) in
        [(0, &says[0], &says[1]), (1, &says[2], &says[3]), (2, &REQUEST.to_vec(), &ANSWER.to_vec())]
    {
        for leg in [Leg::Front, Leg::Back] {
            assert!(bytes[&(session, leg, Side::Client)] == *up, "client, {session} {leg}");
            assert!(bytes[&(session, leg, Side::Server)] == *down, "server, {session} {leg}");
        }
        let back = all.iter().filter(|one| one.flow.session == session && one.flow.leg == Leg::Back);
        let openings: Vec<&Seen> = back.map(|one| &one.seen).filter(|seen| matches!(seen, Seen::Opening(_))).collect();
        assert!(
            matches!(
                openings[..],
                [
                    Seen::Opening(Opening::Target { .. }),
                    Seen::Opening(Opening::Gateway),
                    Seen::Opening(Opening::Dialing { .. })
                ]
            ),
            "{openings:?}"
        );
    }
    // The law: live as from the file.
    let document = |sessions| json::document("test", &group(sessions));
    assert_eq!(document(live), document(read_again(file)));
    with_peers("two_connections_of_a_client_stand_in_one_recording", || {
        let read = tshark::read(file, &[1])?;
        // What passed is no message of any protocol: what tshark makes of it says nothing.
        let of_tcp = read.complaints.iter().filter(|says| !says.ends_with("malformed"));
        assert!(read.packets > 40 && of_tcp.count() == 0, "{:?}", read.complaints);
        Ok(())
    });
}

/// Elsewhere each connection has a recording of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_gateway_each_connection_has_its_recording() {
    let listener = TcpListener::bind(anywhere()).await.expect("bind");
    let proxy = Recorded::to("rdp.lab.test", listener.local_addr().expect("address")).await;
    let (one, two) = (pair(&listener, &proxy).await, pair(&listener, &proxy).await);
    drop((one, two));
    let (live, folder) = proxy.finish().await;
    assert_eq!((live.len(), recordings(&folder.0).len()), (2, 2));
}

/// A client and a gateway with a relay inside their TLS.
struct Stage {
    rig: Rig,
    listener: TcpListener,
    identity: Identity,
}

impl Stage {
    async fn with(with: With, identity: Identity) -> Stage {
        let listener = TcpListener::bind(anywhere()).await.expect("bind");
        let how = Arc::new(Intercept::new(with, "localhost"));
        let change = |config: &mut proxy::listen::Config| {
            // A name that is looked up: meanwhile the client has said its ClientHello.
            config.target.name = "localhost".into();
            config.gateway = true;
            config.intercept = Some(how);
        };
        let rig = Rig::with(listener.local_addr().expect("address"), change).await;
        Stage { rig, listener, identity }
    }

    async fn with_server_key() -> Stage {
        let identity = Certificate::Valid.make().expect("certificate");
        Stage::with(With::ServerKey(credential(&identity)), identity).await
    }

    async fn accept(&self) -> TcpStream {
        timeout(PATIENCE, self.listener.accept()).await.expect("no client came").expect("accept").0
    }

    /// The gateway's next connection, up to the end of its handshake.
    async fn serve(&self, alpn: &[&str]) -> ServerStream<TcpStream> {
        let server = Server::new(&self.identity, Versions::Both, Ciphers::All, None).expect("server").choosing(alpn);
        let accepted = server.accept(self.accept().await);
        timeout(PATIENCE, accepted).await.expect("no handshake").expect("handshake")
    }

    /// A client up to the end of its handshake, and what it was shown.
    async fn client(&self, alpn: &[&str]) -> (ClientStream<TcpStream>, Vec<Vec<u8>>) {
        let client = Client::new(Trust::Anything, Versions::Both, Ciphers::All).expect("client").offering(alpn);
        let connected = client.connect("localhost", connect(self.rig.addr, None).await);
        let stream = timeout(PATIENCE, connected).await.expect("no handshake").expect("handshake");
        (stream, client.shown())
    }

    /// What the relay did, and what is said of the session.
    async fn said(self) -> (Vec<&'static str>, Diagnosed) {
        let seen = self.rig.observations(1).await;
        let mut analysis = analyzer::analysis::Analysis::default();
        seen.iter().for_each(|one| analysis.push(one));
        let steps = seen.iter().filter_map(|one| match &one.seen {
            Seen::Interception(step) => Some(step.name()),
            _ => None,
        });
        (steps.collect(), analysis.finish(None))
    }
}

fn credential(identity: &Identity) -> Credential {
    let pem = |kind: &str, der: &[u8]| {
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der)).into_bytes()
    };
    let key = pem("PRIVATE KEY", identity.key.pkcs8().expect("PKCS #8"));
    Credential::read(&pem("CERTIFICATE", &identity.certificate), &key).expect("credential")
}

/// One request and its answer, byte by byte as they were said.
async fn talk(client: &mut ClientStream<TcpStream>, server: &mut ServerStream<TcpStream>) {
    client.write_all(REQUEST).await.expect("write");
    let mut request = vec![0; REQUEST.len()];
    server.read_exact(&mut request).await.expect("read");
    server.write_all(ANSWER).await.expect("write");
    let mut answer = vec![0; ANSWER.len()];
    client.read_exact(&mut answer).await.expect("read");
    assert_eq!((request.as_slice(), answer.as_slice()), (REQUEST, ANSWER));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_gateways_key_its_certificate_is_shown_and_http_passes() {
    let stage = Stage::with_server_key().await;
    let both = async { tokio::join!(stage.client(&["h2", "http/1.1"]), stage.serve(&["http/1.1"])) };
    let ((mut client, shown), mut server) = timeout(PATIENCE, both).await.expect("it hangs");
    assert_eq!(shown, vec![stage.identity.certificate.clone()]);
    // What the client offers the gateway is offered, and what that chooses the client is told.
    assert_eq!(application_protocol(&client).as_deref(), Some("http/1.1"));
    talk(&mut client, &mut server).await;
    drop((client, server));
    let (steps, said) = stage.said().await;
    assert_eq!(steps, ["asked", "upstream", "stands"]);
    let gateway = said.timeline.facts.gateway.as_ref().expect("a gateway");
    for leg in [Leg::Front, Leg::Back] {
        let tls = gateway.tls().iter().find(|tls| tls.leg == leg).expect("TLS of its own");
        let hello = &tls.hello.as_ref().expect("ClientHello").what;
        assert_eq!(hello.alpn, ["h2", "http/1.1"], "{leg}");
        assert_eq!(tls.decrypted.as_ref().expect("secrets").sealed.len(), 0, "{leg}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_chooses_no_application_protocol_is_not_given_one() {
    let stage = Stage::with_server_key().await;
    let both = async { tokio::join!(stage.client(&["h2", "http/1.1"]), stage.serve(&[])) };
    let ((mut client, _), mut server) = timeout(PATIENCE, both).await.expect("it hangs");
    assert_eq!(application_protocol(&client), None);
    talk(&mut client, &mut server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_an_authority_the_certificate_is_another_and_that_is_said() {
    let folder = Folder::new().expect("folder");
    authority::create(folder.path(), true).expect("authority");
    let authority = Authority::open(folder.path()).expect("authority");
    let identity = Certificate::Valid.make().expect("certificate");
    let stage = Stage::with(With::Authority(Box::new(authority)), identity).await;
    let both = async { tokio::join!(stage.client(&["http/1.1"]), stage.serve(&["h2", "http/1.1"])) };
    let ((mut client, shown), mut server) = timeout(PATIENCE, both).await.expect("it hangs");
    assert_ne!(shown[0], stage.identity.certificate);
    assert_eq!(application_protocol(&client).as_deref(), Some("http/1.1"));
    talk(&mut client, &mut server).await;
    drop((client, server));
    let (steps, said) = stage.said().await;
    assert_eq!(steps, ["asked", "upstream", "unbound", "stands"]);
    let told = report::altered_by_proxy(&said.timeline).join("\n");
    assert!(told.contains("answers 401 by that"), "{told}");
}

/// What the client proves over HTTP is bound to the certificate: with another one nothing is touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_another_certificate_than_the_gateways_all_passes_untouched() {
    let other = Certificate::Valid.make().expect("certificate");
    let identity = Certificate::Valid.make().expect("certificate");
    let stage = Stage::with(With::ServerKey(credential(&other)), identity).await;
    let server = async {
        let own = Server::new(&stage.identity, Versions::Both, Ciphers::All, None).expect("server");
        // Taken back in the middle of it.
        let _cut = own.accept(stage.accept().await).await;
        stage.serve(&[]).await
    };
    let both = async { tokio::join!(stage.client(&[]), server) };
    let ((mut client, shown), mut server) = timeout(PATIENCE, both).await.expect("it hangs");
    assert_eq!(shown, vec![stage.identity.certificate.clone()]);
    talk(&mut client, &mut server).await;
    drop((client, server));
    let (steps, said) = stage.said().await;
    assert_eq!(steps, ["asked", "redialed", "passed"]);
    assert!(report::altered_by_proxy(&said.timeline).join("\n").contains("another certificate than --cert"));
    let gateway = said.timeline.facts.gateway.as_ref().expect("a gateway");
    let back = gateway.tls().iter().find(|tls| tls.leg == Leg::Back).expect("TLS");
    let front = gateway.tls().iter().find(|tls| tls.leg == Leg::Front).expect("TLS");
    // The handshake that was taken back is forgotten: the legs show the same one.
    assert_eq!(
        back.hello.as_ref().map(|hello| &hello.what),
        front.hello.as_ref().map(|hello| &hello.what),
        "the client's own ClientHello"
    );
}

/// A gateway that does not like our ClientHello is given the client's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_refuses_our_hello_is_asked_again() {
    let stage = Stage::with_server_key().await;
    let refuses = async {
        let mut first = stage.accept().await;
        read(&mut first, 43).await; // a ClientHello, or enough of it
        write(&mut first, &[21, 3, 3, 0, 2, 2, 40]).await;
        drop(first);
        stage.serve(&[]).await
    };
    let both = async { tokio::join!(stage.client(&[]), refuses) };
    let ((mut client, _), mut server) = timeout(PATIENCE, both).await.expect("it hangs");
    talk(&mut client, &mut server).await;
    drop((client, server));
    assert_eq!(stage.said().await.0, ["asked", "redialed", "passed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_tls_passes() {
    let stage = Stage::with_server_key().await;
    let mut client = connect(stage.rig.addr, None).await;
    write(&mut client, REQUEST).await;
    let mut server = stage.accept().await;
    assert_eq!(read(&mut server, REQUEST.len()).await, REQUEST);
    write(&mut server, ANSWER).await;
    assert_eq!(read(&mut client, ANSWER.len()).await, ANSWER);
    drop((client, server));
    let (steps, _) = stage.said().await;
    assert_eq!(steps, [Interception::Asked(analyzer::observation::Means::ServerKey).name(), "passed"]);
}
