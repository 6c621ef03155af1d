//! What must hold of any input, one function for each decoder: no panic, and the same answer however the bytes are cut.
//!
//! The fuzz targets call these, and so does `tests/it/fuzzed.rs` with every input that once broke one of them.

mod decisions;
mod nested;
mod pasted;
mod pcapng;
mod picture;

use std::sync::Arc;

use analyzer::analysis::Analysis;
use analyzer::attempt::group;
use analyzer::capture::annotation;
use analyzer::event::{Protocols, What};
use analyzer::explain;
use analyzer::gateway::Channel;
use analyzer::observation::{Absence, Ending, Flow, Leg, Observation, Opening, Seen, Side};
use analyzer::rdp::inner::Inner;
use analyzer::rdp::mcs::Mcs;
use analyzer::rdp::x224::Negotiation;
use analyzer::reading;
use analyzer::report::{json, text};
use analyzer::time::Timestamp;
use analyzer::tls::keys::Keyring;
use analyzer::tls::{Behind, Tls, certificate};

/// A decoder's name, and what must hold of it.
pub type Oracle = (&'static str, fn(&[u8]));

/// Every decoder.
pub const ORACLES: &[Oracle] = &[
    ("annotation", note),
    ("certificate", certificate),
    ("credssp", credssp),
    ("explain", explain),
    ("file", file),
    ("h2", h2),
    ("http", http),
    ("kdcproxy", kdcproxy),
    ("keylog", keylog),
    ("link", link),
    ("mcs", mcs),
    ("packets", packets),
    ("pasted", pasted),
    ("pcapng", pcapng),
    ("picture", picture),
    ("rdp", rdp),
    ("rdstls", rdstls),
    ("rpc", rpc),
    ("session", session),
    ("tls", tls),
    ("tsgu", tsgu),
    ("tunnel", tunnel),
    ("websocket", websocket),
    ("x224", x224),
];

/// A capture or recording, whole: what is said of it can be said in both forms.
pub fn file(data: &[u8]) {
    let keys = Arc::new(reading::secrets(data).unwrap_or_default());
    let mut sessions = Vec::new();
    let _refused = reading::read_with(data, Some("fuzz"), &keys, &mut |session| sessions.push(session));
    let attempts = group(sessions);
    json::document("fuzz", &attempts);
    text::attempts(&attempts);
}

/// IPv4 packets of one connection, made up from the input, as a capture of raw IP.
pub fn packets(data: &[u8]) {
    file(&capture(data));
}

/// A pcapng file, made block by block as the input decides.
pub fn pcapng(data: &[u8]) {
    pcapng::holds(data);
}

/// Frames of any link type.
pub fn link(data: &[u8]) {
    nested::links(data);
}

/// Tunnels, headers and tags, one in the other as the input decides.
pub fn tunnel(data: &[u8]) {
    nested::tunnels(data);
}

/// A text as somebody pastes it, made word by word as the input decides.
pub fn pasted(data: &[u8]) {
    pasted::holds(data);
}

/// What a server draws, update by update as the input decides.
pub fn picture(data: &[u8]) {
    picture::holds(data);
}

/// The comments of a recording: what is read can be written, and is read again.
pub fn note(data: &[u8]) {
    let Ok(comment) = std::str::from_utf8(data) else { return };
    annotation::Section::decode(comment);
    if let Some(seen) = annotation::decode(comment) {
        let written = annotation::encode(&seen).expect("what was read can be written");
        assert_eq!(annotation::decode(&written), Some(seen));
    }
}

/// A key log.
pub fn keylog(data: &[u8]) {
    let (mut keys, mut other) = (Keyring::default(), Keyring::default());
    let new = keys.read(data);
    assert_eq!((keys.read(data), other.extend(&keys)), (0, new));
}

/// A certificate.
pub fn certificate(data: &[u8]) {
    let _unreadable = certificate::read(data);
}

/// A question to the tables of codes, as words and as a line.
pub fn explain(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let line = explain::in_line(text).unwrap_or_default();
    assert_eq!(line.questions.len(), line.found.len(), "each has its place in the line");
    for question in explain::read(&words).unwrap_or_default().questions.iter().chain(&line.questions) {
        explain::answer(question);
    }
}

/// The negotiation, from the first byte.
pub fn x224(data: &[u8]) {
    same_however_cut(data, || {
        let mut layer = Negotiation::new();
        move |step: Step<'_>, out: &mut Vec<What>| match step {
            Step::Bytes(from, data) => layer.push(from, data, out),
            Step::Missing(from, _) => layer.missing(from),
        }
    });
}

/// TLS, with the secrets of a key log that stands before it.
pub fn tls(data: &[u8]) {
    let (log, talk) = split(data);
    let mut keys = Keyring::default();
    keys.read(log);
    let keys = Arc::new(keys);
    same_however_cut(talk, || {
        let mut layer = Tls::with_keys(&keys, Box::new(Told));
        move |step: Step<'_>, out: &mut Vec<What>| match step {
            Step::Bytes(from, data) => layer.push(from, data, out),
            Step::Missing(from, len) => layer.missing(from, len, out),
        }
    });
}

/// MCS and what it carries, where no TLS is.
pub fn mcs(data: &[u8]) {
    same_however_cut(data, || {
        let mut layer = Mcs::in_clear();
        move |step: Step<'_>, out: &mut Vec<What>| match step {
            Step::Bytes(from, data) => layer.push(from, data, out),
            Step::Missing(from, len) => layer.missing(from, len, out),
        }
    });
}

/// What stands behind TLS where it alone was agreed on.
pub fn rdp(data: &[u8]) {
    inner(Protocols::SSL, data);
}

/// What stands behind TLS where CredSSP was agreed on.
pub fn credssp(data: &[u8]) {
    inner(Protocols::HYBRID_EX, data);
}

/// What stands behind TLS where RDSTLS was agreed on.
pub fn rdstls(data: &[u8]) {
    inner(Protocols::RDSTLS, data);
}

fn inner(selected: Protocols, data: &[u8]) {
    same_however_cut(data, || {
        let mut layer = Inner::new(selected);
        move |step: Step<'_>, out: &mut Vec<What>| match step {
            Step::Bytes(from, data) => layer.push(from, data, out),
            Step::Missing(from, len) => layer.missing(from, len, out),
        }
    });
}

/// A connection to a gateway, from its first byte: HTTP/1.1.
pub fn http(data: &[u8]) {
    channel(&[], data);
}

/// HTTP/2, behind the client's preface.
pub fn h2(data: &[u8]) {
    channel(&[(Side::Client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), (Side::Server, "\0\0\0\x04\0\0\0\0\0")], data);
}

/// WebSocket, as soon as it is agreed on.
pub fn websocket(data: &[u8]) {
    let ask = "RDG_OUT_DATA / HTTP/1.1\r\nUpgrade: websocket\r\nRDG-Connection-Id: {1}\r\n\r\n";
    channel(&[(Side::Client, ask), (Side::Server, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n")], data);
}

/// The packets of a tunnel: the server's behind the seed of an OUT channel, the client's in an IN channel.
pub fn tsgu(data: &[u8]) {
    let within = "RDG_IN_DATA / HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n";
    let out = [(Side::Client, "RDG_OUT_DATA / HTTP/1.1\r\n\r\n"), (Side::Server, "HTTP/1.1 200 OK\r\n\r\n")];
    channel(&[out[0], out[1], (Side::Client, within)], data);
}

/// RPC over HTTP, both halves as if they were one.
pub fn rpc(data: &[u8]) {
    let ask = "RPC_OUT_DATA / HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n";
    channel(&[(Side::Client, ask), (Side::Server, "HTTP/1.1 200 OK\r\n\r\n")], data);
}

/// A message of a KDC proxy, as the body of a request and of its answer.
pub fn kdcproxy(data: &[u8]) {
    let (mut channel, mut out) = (Channel::new(), Vec::new());
    for (from, line) in [(Side::Client, "POST /KdcProxy HTTP/1.1"), (Side::Server, "HTTP/1.1 200 OK")] {
        channel.push(from, format!("{line}\r\nContent-Length: {}\r\n\r\n", data.len()).as_bytes(), &mut out);
        channel.push(from, data, &mut out);
    }
}

/// A connection to a gateway behind what both sides have said: neither events nor what is carried depend on the cuts.
fn channel(before: &[(Side, &str)], data: &[u8]) {
    let new = || {
        let (mut channel, mut out) = (Channel::new(), Vec::new());
        before.iter().for_each(|(from, text)| channel.push(*from, text.as_bytes(), &mut out));
        (channel, out)
    };
    let ((mut one, mut whole), (mut other, mut single)) = (new(), new());
    for step in steps(data) {
        match step {
            Step::Bytes(from, bytes) => {
                one.push(from, bytes, &mut whole);
                bytes.chunks(1).for_each(|byte| other.push(from, byte, &mut single));
            }
            Step::Missing(from, len) => {
                one.missing(from, len, &mut whole);
                other.missing(from, len, &mut single);
            }
        }
        assert_eq!(one.take_carried(), other.take_carried());
    }
    assert_eq!(whole, single);
    assert_eq!((one.tunnel(), one.connected()), (other.tunnel(), other.connected()));
}

/// A whole session, from its first byte to its end, with secrets: what is said of it can be said in both forms.
pub fn session(data: &[u8]) {
    let (log, talk) = split(data);
    let mut keys = Keyring::default();
    keys.read(log);
    let mut analysis = Analysis::with_keys(&Arc::new(keys));
    let flow = Flow { session: 1, leg: Leg::Only };
    let ends = "192.0.2.1:50000".parse().and_then(|client| Ok((client, "192.0.2.2:3389".parse()?)));
    let (client, server) = ends.expect("two addresses");
    let dialing = [Seen::Opening(Opening::Dialing { client, server }), Seen::Opened];
    let steps = steps(talk).map(|step| match step {
        Step::Bytes(from, data) => Seen::Bytes { from, data: data.to_vec().into() },
        Step::Missing(from, len) => Seen::Missing { from, len, why: Absence::Lost },
    });
    let end = Seen::Closed { from: Some(Side::Server), how: Ending::Reset };
    for (seen, frame) in dialing.into_iter().chain(steps).chain([end]).zip(1..) {
        analysis.push(&Observation { at: Timestamp::at(frame * 700_000_000), flow, frame, seen });
    }
    let attempts = group(vec![analysis.finish(None)]);
    json::document("fuzz", &attempts);
    text::attempts(&attempts);
}

/// What one side does next.
enum Step<'a> {
    Bytes(Side, &'a [u8]),
    Missing(Side, u64),
}

/// An input as a talk: a byte that says who and what, two of a length, and so many bytes.
fn steps(mut data: &[u8]) -> impl Iterator<Item = Step<'_>> {
    std::iter::from_fn(move || {
        let [what, low, high, rest @ ..] = data else { return None };
        let (from, len) = (if what & 1 == 0 { Side::Client } else { Side::Server }, u16::from_le_bytes([*low, *high]));
        if what & 0xfe == 0xfe {
            data = rest;
            return Some(Step::Missing(from, u64::from(len) + 1));
        }
        let (bytes, rest) = rest.split_at(rest.len().min(len.into()));
        data = rest;
        Some(Step::Bytes(from, bytes))
    })
}

/// The text before a length of two bytes, and what follows.
fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let [low, high, rest @ ..] = data else { return (&[], &[]) };
    rest.split_at(rest.len().min(u16::from_le_bytes([*low, *high]).into()))
}

/// Nothing that is told depends on where the bytes were cut.
fn same_however_cut<L: FnMut(Step<'_>, &mut Vec<What>)>(data: &[u8], new: impl Fn() -> L) {
    let (mut whole, mut single) = (Vec::new(), Vec::new());
    let (mut one, mut other) = (new(), new());
    for step in steps(data) {
        match step {
            Step::Bytes(from, bytes) => {
                one(Step::Bytes(from, bytes), &mut whole);
                bytes.chunks(1).for_each(|byte| other(Step::Bytes(from, byte), &mut single));
            }
            Step::Missing(from, len) => {
                one(Step::Missing(from, len), &mut whole);
                other(Step::Missing(from, len), &mut single);
            }
        }
    }
    assert_eq!(whole, single);
}

/// Tells what it was given, in pieces that do not depend on how.
struct Told;

impl Behind for Told {
    fn push(&mut self, _: Side, _: &[u8], _: &mut Vec<What>) {}

    fn missing(&mut self, _: Side, _: u64, _: &mut Vec<What>) {}
}

/// A pcap file of raw IP (LINKTYPE_RAW). Of each packet seven bytes say who sends it, its flags, how far its sequence
/// and acknowledgement numbers stand from where they should, its window and the time; then its payload follows.
fn capture(mut data: &[u8]) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 65_535, 101].map(u32::to_le_bytes).concat();
    file[4..8].copy_from_slice(&[2, 0, 4, 0]);
    let (mut next, mut time) = ([1000_u32, 5_000_000], 0_u64);
    while let [who, flags, behind, acknowledged, window, pause, len, rest @ ..] = data {
        let from = usize::from(who & 1);
        let (payload, rest) = rest.split_at(rest.len().min(usize::from(*len) << (who >> 6)));
        data = rest;
        time += 1 << (pause & 31);
        let seq = next[from].wrapping_add(i32::from(*behind as i8) as u32);
        let ack = next[1 - from].wrapping_add(i32::from(*acknowledged as i8) as u32);
        let packet = packet(from, *flags, seq, ack, u16::from(*window) << 8, payload);
        let end = seq.wrapping_add(payload.len() as u32 + u32::from(flags & 3 != 0));
        if end.wrapping_sub(next[from]) < 1 << 31 {
            next[from] = end;
        }
        let (seconds, rest) = (time / 1_000_000, time % 1_000_000);
        let len = packet.len() as u32;
        file.extend([seconds as u32, rest as u32, len, len].map(u32::to_le_bytes).concat());
        file.extend(packet);
    }
    file
}

fn packet(from: usize, flags: u8, seq: u32, ack: u32, window: u16, payload: &[u8]) -> Vec<u8> {
    let (addresses, ports) = ([[192, 0, 2, 1], [192, 0, 2, 2]], [50_000_u16, 3389]);
    let total = (40 + payload.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(addresses[from]);
    packet.extend(addresses[1 - from]);
    packet.extend(ports[from].to_be_bytes());
    packet.extend(ports[1 - from].to_be_bytes());
    packet.extend(seq.to_be_bytes());
    packet.extend(ack.to_be_bytes());
    packet.extend([0x50, flags]);
    packet.extend(window.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(payload);
    packet
}
