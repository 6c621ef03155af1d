//! What each layer of the analyzer costs: `cargo bench --bench pipeline`. Megabytes of payload a second, one thread.
//!
//! The input is one long active session, in clear and sealed, in segments as a recording holds them, and TLS records of 16 kB.
//! Beside what opening them costs stands what `openssl speed` says of the same cipher, where there is openssl, and the ratio.

use std::hint::black_box;
use std::io;
use std::process::Command;
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
    // The longest record, and what fits into a segment.
    [LONGEST, 1350].into_iter().for_each(measure_opening);
    let session = session(&sealed(LONGEST));
    let without = measure("sealed, no keys", || analyzed(&session, &Arc::default()));
    let with = measure("sealed, with keys", || analyzed(&session, &keys()));
    println!("{:>22}: {:.2} of the speed without", "with keys", with / without);
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

/// The best of some rounds: what the code costs, not what else the machine does. MB/s.
fn measure(name: &str, mut work: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        work();
        best = best.min(begun.elapsed().as_secs_f64());
    }
    let speed = PAYLOAD as f64 / 1e6 / best;
    println!("{name:>22}: {speed:>6.0} MB/s");
    speed
}

/// Opens records of this length, and says what openssl makes of them.
fn measure_opening(record: usize) {
    let sealed = sealed(record);
    let speed = measure(&format!("TLS opened, {record} B"), || opened(&sealed, record));
    let len = record.to_string();
    let args = ["speed", "-mr", "-seconds", "3", "-decrypt", "-evp", "aes-128-gcm", "-bytes", &len];
    match Command::new("openssl").args(args).output().ok().and_then(|said| of_openssl(&said.stdout)) {
        Some(theirs) => println!("{:>22}: {theirs:>6.0} MB/s, ratio {:.2}", "openssl speed", speed / theirs),
        None => println!("{:>22}: there is none to compare with", "openssl speed"),
    }
}

/// Bytes a second are the last field of a line `+F:`, as MB/s.
fn of_openssl(said: &[u8]) -> Option<f64> {
    let said = String::from_utf8_lossy(said);
    let line = said.lines().find(|line| line.starts_with("+F:"))?;
    Some(line.rsplit(':').next()?.trim().parse::<f64>().ok()? / 1e6)
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
/// What TLS puts into a record at most, bytes.
const LONGEST: usize = 1 << 14;
/// What is sealed at once; it is opened several times over.
const SEALED: usize = 32 << 20;

/// What that server says.
fn plain() -> Vec<u8> {
    let updates = wire::graphics(16_000).repeat(SEALED / 16_000 + 1);
    let mut plain = [wire::connect_response(1), updates].concat();
    plain.truncate(SEALED);
    plain
}

/// The records of a TLS 1.3 server that sends so many bytes at a time.
fn sealed(record: usize) -> Vec<u8> {
    let cipher = Aes128Gcm::new(&KEY.to_be_bytes().into());
    let mut all = Vec::with_capacity(SEALED + SEALED / 256);
    for (sequence, part) in (0_u128..).zip(plain().chunks_exact(record)) {
        let mut body = [part, &[23]].concat();
        let [high, low] = (record as u16 + 17).to_be_bytes();
        let header = [23, 3, 3, high, low];
        let nonce: [u8; 12] = (VECTOR ^ sequence).to_be_bytes()[4..].try_into().expect("twelve bytes");
        let tag = cipher.encrypt_in_place_detached(&nonce.into(), &header, &mut body).expect("sealed");
        all.extend([&header[..], &body, &tag].concat());
    }
    all
}

fn opened(sealed: &[u8], record: usize) {
    let keys = keys();
    for _ in 0..PAYLOAD / SEALED {
        let (mut tls, mut out) = (Tls::with_keys(&keys, Box::new(())), Vec::new());
        tls.push(Side::Client, &client_hello(), &mut out);
        tls.push(Side::Server, &server_hello(), &mut out);
        let mut opened = 0;
        for segment in sealed.chunks(SEGMENT) {
            tls.push(Side::Server, segment, &mut out);
            opened += out.iter().filter(|what| matches!(what, What::Decrypted { .. })).count();
            out.clear();
        }
        assert_eq!(opened, SEALED / record);
    }
}

/// A session in that TLS: what its server says, sealed.
fn session(sealed: &[u8]) -> Vec<Observation> {
    let mut all = Vec::new();
    let mut see = see(&mut all);
    see(Side::Client, wire::connection_request("bench", Some(1)).into());
    see(Side::Server, wire::connection_confirm(Some(1)).into());
    see(Side::Client, client_hello().into());
    see(Side::Server, server_hello().into());
    let sealed = Bytes::copy_from_slice(sealed);
    for start in (0..sealed.len()).step_by(SEGMENT) {
        see(Side::Server, sealed.slice(start..sealed.len().min(start + SEGMENT)));
    }
    drop(see);
    all
}

fn analyzed(session: &[Observation], keys: &Arc<Keyring>) {
    for _ in 0..PAYLOAD / SEALED {
        let mut analysis = Analysis::with_keys(keys);
        session.iter().for_each(|observation| analysis.push(observation));
        let said = analysis.finish(None);
        assert_eq!(said.timeline.facts.inner.unsealed.is_some(), !keys.is_empty());
    }
}

fn keys() -> Arc<Keyring> {
    let mut keys = Keyring::default();
    keys.read(format!("SERVER_TRAFFIC_SECRET_0 {} {SECRET}", "07".repeat(32)).as_bytes());
    Arc::new(keys)
}

fn client_hello() -> Vec<u8> {
    hello(1, &[0, 2, 0x13, 0x01, 1, 0, 0, 7, 0, 43, 0, 3, 2, 3, 4])
}

fn server_hello() -> Vec<u8> {
    hello(2, &[0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4])
}

/// A hello of TLS 1.3 in a record: version, random, no session id, and the rest.
fn hello(kind: u8, rest: &[u8]) -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0], rest].concat();
    let len = body.len() as u8;
    [&[22, 3, 1, 0, len + 4, kind, 0, 0, len][..], &body].concat()
}

/// A connection sequence with standard security, then updates of the server.
fn observations() -> Vec<Observation> {
    let mut all = Vec::new();
    let mut see = see(&mut all);
    see(Side::Client, wire::connection_request("bench", None).into());
    see(Side::Server, wire::connection_confirm(None).into());
    see(Side::Client, wire::connect_initial(0).into());
    see(Side::Server, wire::connect_response(0).into());
    let updates = Bytes::from(wire::graphics(16_000).repeat(1000));
    let mut left = PAYLOAD;
    while left > 0 {
        for start in (0..updates.len()).step_by(SEGMENT) {
            let data = updates.slice(start..updates.len().min(start + SEGMENT));
            left = left.saturating_sub(data.len());
            see(Side::Server, data);
        }
    }
    drop(see);
    all
}

/// A connection that stands, and what adds payload to it.
fn see(all: &mut Vec<Observation>) -> impl FnMut(Side, Bytes) {
    let ends = ["10.0.0.1:50000", "10.0.0.2:3389"].map(|end| end.parse().expect("an address"));
    let mut add = |seen| {
        let at = Timestamp::at(1_700_000_000_000_000_000 + all.len() as u64 * 1000);
        all.push(Observation { at, flow: Flow { session: 0, leg: Leg::Only }, frame: 0, seen });
    };
    add(Seen::Opening(Opening::Dialing { client: ends[0], server: ends[1] }));
    add(Seen::Opened);
    move |from, data| add(Seen::Bytes { from, data })
}
