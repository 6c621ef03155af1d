//! Connections to an RD Gateway, opened with the secrets in captures made by others: what stands in them, beside what tshark
//! says of them. Where corpus or tshark are missing these tests say so and pass.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use analyzer::capture::file::{self, Item};
use analyzer::capture::packets::Decoder;
use analyzer::event::{AuthMessage, Basis, GatewayEvent, HttpAuth, KdcMessage, Protocols, TunnelMessage, What};
use analyzer::gateway::{Carried, Channel};
use analyzer::observation::{Observation, Opening, Seen, Side};
use analyzer::rdp::x224::Negotiation;
use analyzer::reading;
use analyzer::tcp::{Interest, Listener, Streams};
use analyzer::tls::keys::Keyring;
use analyzer::tls::{Behind, Tls};

use crate::corpus::corpus;

const PORT: u16 = 443;
/// The packets of the tunnel, with the number that the gateway gives it.
const TUNNEL: &str = "101, handshake request (1, 0), handshake response (1, 0) 0, tunnel create 0x3f, \
    tunnel response 0 Some(ID) Some(63), tunnel authorize, tunnel authorize response 0, \
    channel create IT-HELP-TEST.ad.it-help.ninja:3389, channel response 0, close 0, close response 0, \
    client closes Some(1000)";
const KERBEROS: &str = "WebSocket Negotiate:Kerberos, TUNNEL";
const NTLM: &str = "WebSocket Negotiate:NTLM, 401 Negotiate:NTLM, WebSocket Negotiate:NTLM, TUNNEL";
const NO_KDC: &str = "KDC proxy, kdc request 10, 503";
const KDC: &str = "KDC proxy, kdc request 10, 200, kdc error 25, KDC proxy, kdc request 10, 200, kdc answer 11, \
    KDC proxy, kdc request 12, 200, kdc answer 13";

/// What must be said of each capture: the tunnel's number, and a line for each connection to the gateway.
const CAPTURES: &[(&str, u32, &[&str])] = &[
    ("awakecoding-rdp-rdg-diff-creds-kerberos-password.pcapng", 9, &[KERBEROS]),
    ("awakecoding-rdp-rdg-no-kdc-proxy-ntlm-downgrade-success.pcapng", 7, &[NTLM, NO_KDC, NO_KDC]),
    ("awakecoding-rdp-rdg-same-creds-kerberos-password-success1.pcapng", 4, &[KERBEROS, KDC]),
    ("awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success1.pcapng", 5, &[KERBEROS, KDC]),
    ("awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success2.pcapng", 11, &[KERBEROS]),
];

/// A connection to the gateway.
struct Connection {
    port: u16,
    behind: Plain,
    out: Vec<What>,
}

/// What stands behind TLS: the channel, and what it carried of each side.
#[derive(Clone, Default)]
struct Plain(Arc<Mutex<Read>>);

/// The channel, what it carried of each side, and how much of it is missing.
type Read = (Channel, [Vec<u8>; 2], u64);

impl Behind for Plain {
    fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        let (channel, carried, missing) = &mut *self.0.lock().expect("one thread");
        channel.push(from, data, out);
        for part in channel.take_carried() {
            match part {
                Carried::Bytes { from, data } => carried[from as usize].extend(data),
                Carried::Missing { len, .. } => *missing += len,
            }
        }
    }

    fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        self.0.lock().expect("one thread").0.missing(from, len, out);
    }
}

/// Reads every connection with the secrets of the capture.
struct Gateways {
    keys: Arc<Keyring>,
    read: Vec<Connection>,
}

impl Listener for Gateways {
    type State = (u16, Vec<(Side, Vec<u8>)>);

    fn hear(&mut self, state: &mut Self::State, observation: Observation) -> Interest {
        match observation.seen {
            Seen::Opening(Opening::Dialing { server, .. }) => state.0 = server.port(),
            Seen::Bytes { from, data } => state.1.push((from, data.to_vec())),
            _ => {}
        }
        Interest::Keep
    }

    fn over(&mut self, (port, talk): Self::State) {
        let behind = Plain::default();
        let mut tls = Tls::with_keys(&self.keys, Box::new(behind.clone()));
        let mut out = Vec::new();
        talk.iter().for_each(|(from, data)| tls.push(*from, data, &mut out));
        self.read.push(Connection { port, behind, out });
    }
}

fn connections(capture: &Path) -> Vec<Connection> {
    let bytes = fs::read(capture).expect("a capture");
    let keys = Arc::new(reading::secrets(&bytes[..]).unwrap_or_default());
    let mut streams = Streams::new(Gateways { keys, read: Vec::new() });
    let mut decoder = Decoder::default();
    let read = file::read(&bytes[..], &mut |item: Item<'_>| {
        decoder.item(&item, &mut |heard| streams.push(&heard));
        Ok(())
    });
    read.expect("a capture");
    decoder.finish(&mut |heard| streams.push(&heard));
    streams.finish().read.into_iter().filter(|connection| connection.port == PORT).collect()
}

fn scheme(auth: &HttpAuth) -> String {
    let message = auth.token.as_ref().and_then(|token| token.message.as_ref());
    let message = message.map_or("", |message| match message {
        AuthMessage::Ntlm(_) => ":NTLM",
        AuthMessage::Kerberos(_) => ":Kerberos",
        AuthMessage::NegoEx => ":NegoEx",
    });
    format!("{}{message}", auth.scheme)
}

fn tunnel(message: &TunnelMessage) -> String {
    let name = message.name();
    match message {
        TunnelMessage::HandshakeRequest { version, .. } => format!("{name} {version:?}"),
        TunnelMessage::HandshakeResponse { version, error, .. } => format!("{name} {version:?} {error}"),
        TunnelMessage::TunnelCreate { capabilities, .. } => format!("{name} {capabilities:#x}"),
        TunnelMessage::TunnelResponse { status, tunnel, capabilities, .. } => {
            format!("{name} {status} {tunnel:?} {capabilities:?}")
        }
        TunnelMessage::TunnelAuthorizeResponse { error, .. } => format!("{name} {error}"),
        TunnelMessage::ChannelCreate { targets, port, .. } => format!("{name} {}:{port}", targets.join(",")),
        TunnelMessage::ChannelResponse { error, .. } => format!("{name} {error}"),
        TunnelMessage::Close { status } | TunnelMessage::CloseResponse { status } => format!("{name} {status}"),
        _ => name.to_owned(),
    }
}

fn word(event: &GatewayEvent) -> Option<String> {
    Some(match event {
        GatewayEvent::Request(request) => {
            let auth = request.authorization.as_ref().map_or(String::new(), |auth| format!(" {}", scheme(auth)));
            format!("{}{auth}", request.transport.name())
        }
        GatewayEvent::Response(response) => {
            let offers: Vec<String> = response.offers.iter().map(scheme).collect();
            format!("{} {}", response.status, offers.join(" ")).trim_end().to_owned()
        }
        GatewayEvent::WebSocketClose { code, from } => format!("{} closes {code:?}", from.name()),
        GatewayEvent::Tunnel { message, .. } => tunnel(message),
        GatewayEvent::Rpc { pdu, .. } => format!("{pdu:?}"),
        GatewayEvent::Kdc { message: KdcMessage::Request { kind, .. }, .. } => format!("kdc request {kind}"),
        GatewayEvent::Kdc { message: KdcMessage::Answer { kind }, .. } => format!("kdc answer {kind}"),
        GatewayEvent::Kdc { message: KdcMessage::Error(error), .. } => format!("kdc error {}", error.code),
        GatewayEvent::Carried { .. } | GatewayEvent::Half { .. } => return None,
    })
}

/// All that is said of a connection, in a line. Who was first to close stands as it was.
fn story(connection: &Connection) -> String {
    let words = connection.out.iter().filter_map(|what| match what {
        What::Gateway(event) => word(event),
        What::Malformed { layer, says, .. } => Some(format!("{layer}: {says}")),
        _ => None,
    });
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn captures_of_gateways_are_unwrapped() {
    let Some(folder) = corpus() else { return };
    for (name, id, expected) in CAPTURES {
        let all = connections(&folder.join(name));
        let stories: Vec<String> = all.iter().map(story).filter(|story| !story.is_empty()).collect();
        let expected: Vec<String> =
            expected.iter().map(|line| line.replace("TUNNEL", TUNNEL).replace("ID", &id.to_string())).collect();
        assert_eq!(stories, expected, "{name}");
    }
}

/// What is carried is a connection by itself: X.224 and TLS of the target, which no secret of these captures opens.
#[test]
fn what_a_tunnel_carries_is_rdp() {
    let Some(folder) = corpus() else { return };
    for (name, _, _) in CAPTURES {
        let all = connections(&folder.join(name));
        let tunnels: Vec<&Connection> =
            all.iter().filter(|connection| story(connection).contains("channel create")).collect();
        let [tunnel] = tunnels[..] else { panic!("{name}: {} tunnels", tunnels.len()) };
        let (channel, carried, missing) = &*tunnel.behind.0.lock().expect("one thread");
        assert!(channel.tunnel().is_some() && !channel.connected() && *missing == 0, "{name}");
        let told = |from: Side| {
            tunnel.out.iter().filter_map(move |what| match what {
                What::Gateway(GatewayEvent::Carried { from: own, len }) if *own == from => Some(*len),
                _ => None,
            })
        };
        assert_eq!(told(Side::Client).sum::<u64>(), carried[0].len() as u64, "{name}");
        assert_eq!(told(Side::Server).sum::<u64>(), carried[1].len() as u64, "{name}");
        assert_eq!(inner(carried), "0xb > 8 flags 0x1f, TLS 0303 c030, CN=IT-HELP-TEST.ad.it-help.ninja", "{name}");
    }
}

/// The connection inside, as far as it is in clear.
fn inner(carried: &[Vec<u8>; 2]) -> String {
    let (mut negotiation, mut out) = (Negotiation::new(), Vec::new());
    negotiation.push(Side::Client, &carried[0], &mut out);
    negotiation.push(Side::Server, &carried[1], &mut out);
    let [client, server] = negotiation.into_rest();
    let mut tls = Tls::new();
    // What the client says behind its hello has a meaning only with the server's.
    let hello = 5 + usize::from(u16::from_be_bytes([client[3], client[4]]));
    tls.push(Side::Client, &client[..hello], &mut out);
    tls.push(Side::Server, &server, &mut out);
    tls.push(Side::Client, &client[hello..], &mut out);
    let words = out.iter().filter_map(|what| match what {
        What::ConnectionRequest(request) => Some(format!("{:#x} >", request.requested.unwrap_or_default().0)),
        What::ConnectionConfirm(confirm) => {
            Some(format!("{} flags {:#x},", confirm.selected.unwrap_or_default().0, confirm.flags))
        }
        What::ServerHello(hello) => Some(format!("TLS {:04x} {:04x},", hello.version, hello.cipher)),
        What::Certificates { chain, .. } => chain.first().map(|leaf| leaf.subject.clone()),
        What::Malformed { layer, says, .. } => Some(format!("{layer}: {says}")),
        _ => None,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// tshark (which does not know the tunnel) reads the same answers out of HTTP/1.1 and HTTP/2.
#[test]
fn tshark_reads_the_same_answers() {
    let Some(folder) = corpus() else { return };
    for (name, _, _) in CAPTURES {
        let mut tshark = Command::new("tshark");
        tshark.args(["-d", "tcp.port==443,tls", "-Y", "http.response || http2.headers.status", "-T", "fields"]);
        tshark.args(["-e", "http.response.code", "-e", "http2.headers.status", "-r"]).arg(folder.join(name));
        let Ok(output) = tshark.output() else { return eprintln!("SKIPPED: no tshark") };
        let text = String::from_utf8_lossy(&output.stdout);
        let mut theirs: Vec<u16> = text.split_whitespace().filter_map(|code| code.parse().ok()).collect();
        let all = connections(&folder.join(name));
        let mut ours: Vec<u16> = all.iter().flat_map(|connection| &connection.out).filter_map(status).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs, "{name}");
    }
}

fn status(what: &What) -> Option<u16> {
    match what {
        What::Gateway(GatewayEvent::Response(response)) => Some(response.status),
        _ => None,
    }
}

/// The gateway's phases, and those of the RDP connection in the tunnel, in their order.
const PHASES: &[&str] = &[
    "tcp",
    "gateway-tls",
    "gateway-http",
    "gateway-auth",
    "gateway-tunnel",
    "gateway-authorization",
    "gateway-channel",
    "negotiation",
    "tls",
];

#[test]
fn the_rdp_connection_in_the_tunnel_is_the_session() {
    let Some(folder) = corpus() else { return };
    for (name, tunnel, connections) in CAPTURES {
        let mut sessions = Vec::new();
        let path = folder.join(name);
        let keys = Arc::new(reading::secrets(fs::File::open(&path).expect("a capture")).expect("a capture"));
        let file = fs::File::open(&path).expect("a capture");
        reading::read_with(file, Some(name), &keys, &mut |session| sessions.push(session)).expect("a capture");
        let [session] = &sessions[..] else { panic!("{name}: {} sessions", sessions.len()) };
        assert_eq!((session.outcome.name(), &session.findings[..]), ("connected", &[][..]), "{name}");
        let timeline = &session.timeline;
        let gateway = timeline.facts.gateway.as_ref().expect("a gateway");
        assert_eq!(gateway.target(), Some(("IT-HELP-TEST.ad.it-help.ninja".into(), 3389)), "{name}");
        let numbers = gateway.messages.iter().filter_map(|seen| match seen.what.1 {
            TunnelMessage::TunnelResponse { tunnel, .. } => tunnel,
            _ => None,
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [*tunnel], "{name}");
        let is_challenged = connections.first().is_some_and(|first| first.contains("401"));
        let expected = PHASES.iter().filter(|phase| is_challenged || **phase != "gateway-auth");
        let phases: Vec<_> = timeline.phases.iter().take_while(|phase| phase.basis == Basis::Seen).collect();
        assert!(phases.iter().map(|phase| phase.name.name()).eq(expected.copied()), "{name}: {phases:#?}");
        assert!(phases.iter().all(|phase| phase.outcome.name() == "done" && !phase.duration().is_zero()), "{name}");
        assert_eq!(timeline.facts.selected(), Some(Protocols::HYBRID_EX), "{name}");
        let inner = timeline.facts.first(|tls| tls.server_hello.as_ref()).expect("TLS in the tunnel");
        assert_eq!((inner.what.version, inner.what.cipher), (0x0303, 0xc030), "{name}");
        let outer = gateway.first(|tls| tls.server_hello.as_ref()).expect("TLS with the gateway");
        assert_eq!((outer.what.version, outer.what.cipher), (0x0303, 0xc030), "{name}");
    }
}
