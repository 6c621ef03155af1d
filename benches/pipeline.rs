//! What each layer of the analyzer costs: `cargo bench --bench pipeline`. Megabytes of payload a second, one thread.
//!
//! The input is one long active session in clear, in segments as a recording holds them, and TLS records of 16 kB. Beside the
//! line "TLS opened" stands `openssl speed -evp aes-128-gcm -bytes 16384`.

use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{AeadInPlace, KeyInit};

use analyzer::analysis::Analysis;
use analyzer::capture::annotation::Section;
use analyzer::capture::recording;
use analyzer::event::What;
use analyzer::observation::{Flow, Leg, Observation, Opening, Seen, Side};
use analyzer::session::Session;
use analyzer::time::Timestamp;
use analyzer::tls::Tls;
use analyzer::tls::keys::Keyring;
use bytes::Bytes;
use proxy::lab::wire;
use proxy::record::record;

const PAYLOAD: usize = 256 << 20;
const SEGMENT: usize = 1460;
const ROUNDS: usize = 3;

fn main() {
    let observations = observations();
    let file = record(Vec::new(), &Section::default(), observations.clone(), &mut |_| {}).expect("in memory");
    println!(
        "{} MB of payload in {} observations; the recording has {} MB",
        PAYLOAD >> 20,
        observations.len(),
        file.len() >> 20
    );
    measure("layers (MCS)", || {
        let mut session = Session::default();
        observations.iter().for_each(|observation| session.push(observation, &mut |event| drop(black_box(event))));
    });
    measure("layers, timeline", || {
        let mut analysis = Analysis::default();
        observations.iter().for_each(|observation| analysis.push(observation));
        black_box(analysis.finish(None));
    });
    measure("TLS records", tls);
    let sealed = sealed();
    measure("TLS opened", || opened(&sealed));
    measure("recorder", || {
        record(io::sink(), &Section::default(), observations.clone(), &mut |_| {}).expect("a sink");
    });
    measure("file to observations", || {
        recording::read(file.as_slice(), 0, &mut |observation| drop(black_box(observation))).expect("a recording");
    });
    measure("file to findings", || {
        let mut analysis = Analysis::default();
        recording::read(file.as_slice(), 0, &mut |observation| analysis.push(&observation)).expect("a recording");
        black_box(analysis.finish(None));
    });
}

/// The best of some rounds: what the code costs, not what else the machine does.
fn measure(name: &str, mut work: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        work();
        best = best.min(begun.elapsed().as_secs_f64());
    }
    println!("{name:>22}: {:>6.0} MB/s", PAYLOAD as f64 / 1e6 / best);
}

fn tls() {
    let mut record = vec![0x17, 0x03, 0x03, 0x40, 0x11];
    record.resize(5 + 0x4011, 7);
    let stream = record.repeat(64);
    let (mut tls, mut out) = (Tls::new(), Vec::new());
    for _ in 0..PAYLOAD / stream.len() {
        for segment in stream.chunks(SEGMENT) {
            tls.push(Side::Server, segment, &mut out);
            out.clear();
        }
    }
}

/// A secret of the server, and the key and vector made of it (RFC 8448, 3).
const SECRET: &str = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21";
const KEY: u128 = 0xdbfa_a693_d176_2c5b_666a_f5d9_5025_8d01;
const VECTOR: u128 = 0x5bd3_c71b_836e_0b76_bb73_265f;
/// What is sealed at once; it is opened several times over.
const SEALED: usize = 32 << 20;

/// The records of a TLS 1.3 server that sends 16 kB at a time.
fn sealed() -> Vec<u8> {
    let cipher = Aes128Gcm::new(&KEY.to_be_bytes().into());
    let mut all = Vec::with_capacity(SEALED + SEALED / 256);
    for sequence in 0..(SEALED >> 14) as u128 {
        let mut body = vec![7; 1 << 14];
        body.push(23);
        let header = [23, 3, 3, 0x40, 0x11];
        let nonce: [u8; 12] = (VECTOR ^ sequence).to_be_bytes()[4..].try_into().expect("twelve bytes");
        let tag = cipher.encrypt_in_place_detached(&nonce.into(), &header, &mut body).expect("sealed");
        all.extend([&header[..], &body, &tag].concat());
    }
    all
}

fn opened(sealed: &[u8]) {
    let mut keys = Keyring::default();
    keys.read(format!("SERVER_TRAFFIC_SECRET_0 {} {SECRET}", "07".repeat(32)).as_bytes());
    let keys = Arc::new(keys);
    for _ in 0..PAYLOAD / SEALED {
        let (mut tls, mut out) = (Tls::with_keys(&keys, Box::new(())), Vec::new());
        tls.push(Side::Client, &hello(1, &[0, 2, 0x13, 0x01, 1, 0, 0, 7, 0, 43, 0, 3, 2, 3, 4]), &mut out);
        tls.push(Side::Server, &hello(2, &[0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4]), &mut out);
        let mut opened = 0;
        for segment in sealed.chunks(SEGMENT) {
            tls.push(Side::Server, segment, &mut out);
            opened += out.iter().filter(|what| matches!(what, What::Decrypted { .. })).count();
            out.clear();
        }
        assert_eq!(opened, SEALED >> 14);
    }
}

/// A hello of TLS 1.3 in a record: version, random, no session id, and the rest.
fn hello(kind: u8, rest: &[u8]) -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0], rest].concat();
    let len = body.len() as u8;
    [&[22, 3, 1, 0, len + 4, kind, 0, 0, len][..], &body].concat()
}

/// A connection sequence with standard security, then updates of the server.
fn observations() -> Vec<Observation> {
    let ends = ["10.0.0.1:50000", "10.0.0.2:3389"].map(|end| end.parse().expect("an address"));
    let flow = Flow { session: 0, leg: Leg::Only };
    let mut all = Vec::new();
    let mut see = |seen| {
        let at = Timestamp(1_700_000_000_000_000_000 + all.len() as u64 * 1000);
        all.push(Observation { at, flow, frame: 0, seen });
    };
    see(Seen::Opening(Opening::Dialing { client: ends[0], server: ends[1] }));
    see(Seen::Opened);
    see(bytes(Side::Client, wire::connection_request("bench", None)));
    see(bytes(Side::Server, wire::connection_confirm(None)));
    see(bytes(Side::Client, wire::connect_initial(0)));
    see(bytes(Side::Server, wire::connect_response(0)));
    let updates = Bytes::from(wire::graphics(16_000).repeat(1000));
    let mut left = PAYLOAD;
    while left > 0 {
        for start in (0..updates.len()).step_by(SEGMENT) {
            let data = updates.slice(start..updates.len().min(start + SEGMENT));
            left = left.saturating_sub(data.len());
            see(Seen::Bytes { from: Side::Server, data });
        }
    }
    all
}

fn bytes(from: Side, data: Vec<u8>) -> Seen {
    Seen::Bytes { from, data: data.into() }
}
