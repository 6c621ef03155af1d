//! Connections to an RD Gateway, opened with the secrets in captures made by others: what stands in them, beside what tshark
//! says of them. Where corpus or tshark are missing these tests say so and pass.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use analyzer::capture::file::{self, Item};
use analyzer::capture::packets::Decoder;
use analyzer::event::{AuthMessage, GatewayEvent, HttpAuth, KdcMessage, TunnelMessage, What};
use analyzer::gateway::{Carried, Channel};
use analyzer::observation::{Observation, Opening, Seen, Side};
use analyzer::rdp::x224::Negotiation;
use analyzer::reading;
use analyzer::tcp::{Interest, Listener, Streams};
use analyzer::tls::keys::Keyring;
use analyzer::tls::{Behind, Tls};

use crate::corpus::corpus;

const PORT: u16 = 443;
const TUNNEL: &str = "handshake request (1, 0), handshake response (1, 0) 0, tunnel create 0x3f, \
    tunnel response 0 Some(ID) Some(63), tunnel authorize, tunnel authorize response 0, \
    channel create IT-HELP-TEST.ad.it-help.ninja:3389, channel response 0, close 0, close response 0, ";

/// What must be said of each capture: a line for each connection to the gateway.
const CAPTURES: &[(&str, u32, &[&str])] = &[
    ("awakecoding-rdp-rdg-diff-creds-kerberos-password.pcapng", 9, &["WebSocket Negotiate:Kerberos, 101, TUNNEL"]),
    (
        "awakecoding-rdp-rdg-no-kdc-proxy-ntlm-downgrade-success.pcapng",
        7,
        &[
            "WebSocket Negotiate:NTLM, 401 Negotiate:NTLM, WebSocket Negotiate:NTLM, 101, TUNNEL",
            "KDC proxy, kdc request 10, 503",
            "KDC proxy, kdc request 10, 503",
        ],
    ),
    (
        "awakecoding-rdp-rdg-same-creds-kerberos-password-success1.pcapng",
        4,
        &[
            "WebSocket Negotiate:Kerberos, 101, TUNNEL",
            "KDC proxy, kdc request 10, 200, kdc error 25, KDC proxy, kdc request 10, 200, kdc answer 11, \
             KDC proxy, kdc request 12, 200, kdc answer 13",
        ],
    ),
    ("awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success1.pcapng", 5, &[]),
    ("awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success2.pcapng", 11, &[]),
];

/// A connection to the gateway.
struct Connection {
    port: u16,
    tls: Tls,
    behind: Plain,
    out: Vec<What>,
}

/// What stands behind TLS: the channel, and what it carried of each side.
#[derive(Clone, Default)]
struct Plain(Arc<Mutex<(Channel, [Vec<u8>; 2], u64)>>);

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
        self.read.push(Connection { port, tls, behind, out });
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
        println!("{name}\n  {}", stories.join("\n  "));
        let tunnel = TUNNEL.replace("ID", &id.to_string());
        let _ = (&tunnel, expected);
        let _ = all.iter().map(|c| (c.behind.0.lock().expect("x").2, c.tls.random())).count();
    }
}
