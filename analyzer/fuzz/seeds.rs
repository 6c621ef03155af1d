//! Makes the seeds of every target out of captures: `cargo run --release --bin seeds -- FILE…`, into `corpus/`.
//!
//! Of each connection the talk is kept, from the first byte, from TLS on, and, where there are secrets, behind TLS.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex};

use analyzer::capture::file::{self, Item};
use analyzer::capture::packets::Decoder;
use analyzer::event::{Protocols, What};
use analyzer::observation::{Observation, Seen, Side};
use analyzer::rdp::x224::{Negotiation, Next};
use analyzer::tcp::{Interest, Listener, Streams};
use analyzer::tls::keys::Keyring;
use analyzer::tls::{Behind, Tls, clear_chain};

/// No seed is longer, bytes: a fuzzer makes the more of them the shorter they are.
const MAX_SEED: usize = 24 << 10;
const MAX_FILE: usize = 200 << 10;
/// The most that one step of the target `picture` takes, bytes.
const MAX_PIECE: usize = 0x3fff;

type Talk = Vec<(Side, Vec<u8>)>;

fn main() {
    for name in std::env::args().skip(1) {
        let path = Path::new(&name);
        let Ok(bytes) = fs::read(path) else { continue };
        let log = fs::read(path.with_extension("keylog.txt")).or_else(|_| fs::read(path.with_extension("keys")));
        of_file(&bytes, log.unwrap_or_default());
    }
    DRAWN.iter().for_each(|step| keep("picture", &[SCREEN, step].concat()));
}

/// A desktop of 64 by 64 pixels with 32 bits each, as the target `picture` reads it.
const SCREEN: &[u8] = &[64, 64, 4];

/// A step of each kind that draws, as the target `picture` reads them.
const DRAWN: &[&[u8]] = &[
    // Two orders: OpaqueRect, DstBlt.
    &[0, 2, 19, 0, 0x09, 0x0a, 0x1f, 5, 0, 6, 0, 2, 0, 2, 0, 0xff, 0x09, 0x00, 0x1f, 1, 0, 1, 0],
    // A bitmap of four pixels, and one in interleaved RLE.
    &[3, 1, 1, 2, 2, 4, 16, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0],
    &[3, 0, 0, 8, 8, 0x12, 3, 0, 0xf0, 64, 0],
    // Surface bits without a codec; RemoteFX.
    &[5, 0, 0, 2, 2, 4, 16, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
    &[5, 0, 0, 2, 2, 12, 12, 0, 0xc0, 0xcc, 12, 0, 0, 0, 0xca, 0xac, 0xcc, 0xca, 0, 1],
    // Reset Graphics, Create Surface, Map Surface to Output, Solid Fill, bits without a codec.
    &[
        6, 0xe, 0, 64, 64, 6, 9, 0, 16, 16, 6, 0xf, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 4, 0, 16, 0, 0, 0,
        1, 2, 3, 0, 1, 0, 0, 0, 0, 0, 4, 0, 4, 0, 6, 1, 0, 0, 0, 1, 1, 4, 0, 7, 7, 7, 7,
    ],
    // A pointer of two by two pixels; the client moves it.
    &[
        10, 0xb, 32, 0, 24, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 4, 0, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 0, 0, 0,
        0, 14, 5, 5,
    ],
    // Bulk compression; another desktop.
    &[11, 2, 0x21, 4, 0, 1, 2, 3, 4, 12, 32, 32, 2],
];

fn of_file(bytes: &[u8], mut log: Vec<u8>) {
    if bytes.len() <= MAX_FILE {
        keep("file", bytes);
    }
    let (mut decoder, mut streams) = (Decoder::default(), Streams::new(Talks::default()));
    let _refused = file::read(bytes, &mut |item| {
        if let Item::Secrets(more) = item {
            log.extend(more);
        }
        decoder.item(&item, &mut |heard| streams.push(&heard));
        Ok(())
    });
    decoder.finish(&mut |heard| streams.push(&heard));
    if log.len() < MAX_SEED / 2 {
        keep("keylog", &log);
    }
    for talk in streams.finish().0 {
        of_talk(&talk, &log);
    }
}

fn of_talk(talk: &Talk, log: &[u8]) {
    keep("session", &with_log(log, talk));
    [0, 1, 3].iter().for_each(|head| keep("pcapng", &of_blocks(*head, talk, log)));
    if talk.first().is_some_and(|(_, data)| data.starts_with(&[22, 3])) {
        of_gateway(talk, log);
    }
    keep("x224", &seed(talk));
    let (mut negotiation, mut out, mut rest) = (Negotiation::new(), Vec::new(), Vec::new());
    for (from, data) in talk {
        if negotiation.next().is_some() {
            rest.push((*from, data.clone()));
        } else {
            negotiation.push(*from, data, &mut out);
        }
    }
    let next = negotiation.next();
    let [client, server] = negotiation.into_rest();
    rest.splice(0..0, [(Side::Client, client), (Side::Server, server)]);
    match next {
        Some(Next::Tls) => of_tls(&rest, log, &out),
        Some(Next::Mcs) => keep("mcs", &seed(&rest)),
        Some(Next::Foreign | Next::Refused) | None => {}
    }
}

fn of_tls(talk: &Talk, log: &[u8], negotiated: &[What]) {
    keep("tls", &with_log(log, talk));
    let server: Vec<u8> =
        talk.iter().filter(|(from, _)| *from == Side::Server).flat_map(|(_, data)| data.clone()).collect();
    clear_chain(&server).iter().for_each(|certificate| keep("certificate", certificate));
    let mut keys = Keyring::default();
    keys.read(log);
    let plain = Plain::default();
    let (mut tls, mut out) = (Tls::with_keys(&Arc::new(keys), Box::new(plain.clone())), Vec::new());
    talk.iter().for_each(|(from, data)| tls.push(*from, data, &mut out));
    let selected = negotiated.iter().find_map(|what| match what {
        What::ConnectionConfirm(confirm) => confirm.selected,
        _ => None,
    });
    let target = match selected {
        Some(Protocols::HYBRID | Protocols::HYBRID_EX) => "credssp",
        Some(Protocols::RDSTLS) => "rdstls",
        _ => "rdp",
    };
    let plain = plain.0.lock().expect("one thread").clone();
    if !plain.is_empty() {
        keep(target, &seed(&plain));
        of_picture(&plain);
    }
}

/// What the server said behind its Demand Active, in pieces of one seed each: far behind it most is drawn.
fn of_picture(plain: &Talk) {
    let server = plain.iter().filter(|(from, _)| *from == Side::Server).skip(8);
    let mut seed = SCREEN.to_vec();
    for data in server.flat_map(|(_, data)| data.chunks(MAX_PIECE)) {
        seed.push(15);
        seed.extend((data.len() as u16).to_le_bytes());
        seed.extend(data);
        if seed.len() > MAX_SEED / 2 {
            keep("picture", &seed);
            seed.truncate(SCREEN.len());
        }
    }
    keep("picture", &seed);
}

/// A talk as blocks, as the target `pcapng` reads it: one interface, the secrets, the packets of one connection.
fn of_blocks(head: u8, talk: &Talk, log: &[u8]) -> Vec<u8> {
    // Interface, who, flags, how far from where it should be, no payload, and when.
    let bare = |who: u8, flags: u8| [2, 0, who, flags, 0, 0, 10];
    let mut seed = vec![head, 1, 0, 0];
    if log.len() < MAX_SEED / 4 {
        seed.extend([&[11, 0], &(log.len() as u16).to_le_bytes()[..], log].concat());
    }
    seed.extend([&[9, 0, 0][..], &bare(0, 2), &bare(1, 0x12)].concat());
    for (from, data) in talk {
        for data in data.chunks(1400) {
            let len = (data.len() as u16).to_le_bytes();
            seed.extend([&[2, 0, u8::from(*from == Side::Server), 0x18, 0, 13], &len[..], data, &[10]].concat());
        }
        if seed.len() > MAX_SEED / 2 {
            break;
        }
    }
    seed.extend([&bare(1, 0x11)[..], &[9, 0, 0x70]].concat());
    seed
}

/// TLS at once: what stands in it may be HTTP with a tunnel in it.
fn of_gateway(talk: &Talk, log: &[u8]) {
    let mut keys = Keyring::default();
    keys.read(log);
    let plain = Plain::default();
    let (mut tls, mut out) = (Tls::with_keys(&Arc::new(keys), Box::new(plain.clone())), Vec::new());
    talk.iter().for_each(|(from, data)| tls.push(*from, data, &mut out));
    let plain = plain.0.lock().expect("one thread").clone();
    let says = |wanted: Side, text: &'static str| {
        plain.iter().position(|(from, data)| *from == wanted && data.starts_with(text.as_bytes()))
    };
    if says(Side::Client, "PRI * HTTP/2.0").is_some() {
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
        let rest = plain.iter().map(|(from, data)| match from {
            Side::Client if data.starts_with(b"PRI") => (*from, data[preface.min(data.len())..].to_vec()),
            Side::Client | Side::Server => (*from, data.clone()),
        });
        keep("h2", &seed(&rest.collect()));
    } else if !plain.is_empty() {
        keep("http", &seed(&plain));
    }
    if let Some(switched) = says(Side::Server, "HTTP/1.1 101") {
        let frames = plain[switched + 1..].to_vec();
        keep("websocket", &seed(&frames));
        let server = frames.into_iter().filter(|(from, _)| *from == Side::Server);
        let packets = server.map(|(from, data)| {
            (from, data.get(if data.get(1) == Some(&126) { 4 } else { 2 }..).unwrap_or_default().to_vec())
        });
        keep("tsgu", &seed(&packets.collect()));
    }
}

/// What each side of each connection said.
#[derive(Default)]
struct Talks(Vec<Talk>);

impl Listener for Talks {
    type State = Talk;

    fn hear(&mut self, talk: &mut Talk, observation: Observation) -> Interest {
        if let Seen::Bytes { from, data } = observation.seen {
            talk.push((from, data.to_vec()));
        }
        Interest::Keep
    }

    fn over(&mut self, talk: Talk) {
        self.0.push(talk);
    }
}

/// What stands behind TLS.
#[derive(Default, Clone)]
struct Plain(Arc<Mutex<Talk>>);

impl Behind for Plain {
    fn push(&mut self, from: Side, data: &[u8], _: &mut Vec<What>) {
        self.0.lock().expect("one thread").push((from, data.to_vec()));
    }

    fn missing(&mut self, _: Side, _: u64, _: &mut Vec<What>) {}
}

fn seed(talk: &Talk) -> Vec<u8> {
    let mut seed = Vec::new();
    for (from, data) in talk.iter().filter(|(_, data)| !data.is_empty()) {
        for data in data.chunks(u16::MAX.into()) {
            seed.push(u8::from(*from == Side::Server));
            seed.extend((data.len() as u16).to_le_bytes());
            seed.extend(data);
        }
        if seed.len() > MAX_SEED {
            break;
        }
    }
    seed.truncate(MAX_SEED);
    seed
}

fn with_log(log: &[u8], talk: &Talk) -> Vec<u8> {
    let log = if log.len() < MAX_SEED / 4 { log } else { &[] };
    [&(log.len() as u16).to_le_bytes()[..], log, &seed(talk)].concat()
}

fn keep(target: &str, seed: &[u8]) {
    let mut hash = DefaultHasher::new();
    seed.hash(&mut hash);
    let folder = Path::new("corpus").join(target);
    fs::create_dir_all(&folder).expect("a folder for seeds");
    fs::write(folder.join(format!("{:016x}", hash.finish())), seed).expect("a seed");
}
