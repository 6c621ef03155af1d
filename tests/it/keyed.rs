//! Captures with the secrets of their TLS, made by others: what is opened is what tshark opens, and it does not matter
//! where in a file the secrets stand.
//!
//! Where the corpus or tshark are missing these tests say so and pass.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use analyzer::attempt::group;
use analyzer::observation::{Observation, Opening, Seen, Side};
use analyzer::reading;
use analyzer::report::json;
use analyzer::tls::keys::Keyring;
use serde_json::Value;

use crate::corpus::{corpus, streams};
use crate::support::opened::{Bystander, Opened};
use crate::support::peers::{PASSWORD, USER};
use crate::support::process::{Folder, with_peers};

/// Captures, and the key log beside them; none where the secrets stand inside.
const KEYED: &[(&str, Option<&str>)] = &[
    ("awakecoding-rdp-credential-guard-accepted1.pcapng", None),
    ("awakecoding-rdp-nla-kerberos-auth1.pcapng", None),
    ("awakecoding-rdp-nla-ntlm-rejected1.pcapng", None),
    ("awakecoding-rdp-nla-smartcard-auth1.pcapng", None),
    ("awakecoding-rdp-no-nla-accepted1.pcapng", None),
    ("awakecoding-rdp-rdg-diff-creds-kerberos-password.pcapng", None),
    ("awakecoding-rdp-rdg-no-kdc-proxy-ntlm-downgrade-success.pcapng", None),
    ("awakecoding-rdp-rdg-same-creds-kerberos-password-success1.pcapng", None),
    ("awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success1.pcapng", None),
    ("awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success2.pcapng", None),
    ("awakecoding-rdp-restricted-admin-accepted1.pcapng", None),
    ("illustrated-tls12.pcap", Some("illustrated-tls12.keylog.txt")),
    ("illustrated-tls13.pcap", Some("illustrated-tls13.keylog.txt")),
    ("jovair-rdp.pcap", Some("jovair-rdp.keylog.txt")),
    ("wireshark-tls12-dsb.pcapng", None),
    ("wireshark-tls13-20-chacha20poly1305.pcap", Some("wireshark-tls13-20-chacha20poly1305.keys")),
    ("wireshark-tls13-rfc8446.pcap", Some("wireshark-tls13-rfc8446.keys")),
    ("zeek-tls-1.2-stream-keylog.pcap", Some("zeek-tls-1.2-stream-keylog.keylog.txt")),
    ("zeek-tls12-decryption.pcap", Some("zeek-tls12-decryption.keylog.txt")),
];

#[test]
fn what_is_opened_is_what_tshark_opens() {
    let Some(folder) = corpus() else { return };
    with_peers("what_is_opened_is_what_tshark_opens", || {
        for (name, log) in KEYED {
            let path = folder.join(name);
            let capture = fs::read(&path)?;
            let all = open(&capture, &keyring(&folder, &capture, *log));
            let opened: u64 = all.iter().flat_map(|opened| opened.records).sum();
            let sealed: u64 = all.iter().flat_map(|opened| opened.sealed).sum();
            let keys = log.map(|log| folder.join(log));
            let Some((records, data)) = tshark(&path, keys.as_deref(), all.len()) else { return Ok(()) };
            assert_eq!((opened, sealed), (records, 0), "{name}");
            assert_eq!(sorted(all.into_iter().map(|opened| opened.data)), data, "{name}");
        }
        Ok(())
    });
}

#[test]
fn a_session_is_found_by_its_id_too() {
    let Some(folder) = corpus() else { return };
    let capture = fs::read(folder.join("jovair-rdp.pcap")).expect("a capture");
    let log = fs::read_to_string(folder.join("jovair-rdp.keylog.txt")).expect("a key log");
    let with = |label: &str| {
        let mut keys = Keyring::default();
        let lines: String =
            log.lines().filter(|line| line.starts_with(label)).map(|line| format!("{line}\n")).collect();
        assert_eq!(keys.read(lines.as_bytes()), 1, "{label}");
        open(&capture, &Arc::new(keys))
    };
    assert_eq!(with("RSA "), with("CLIENT_RANDOM "));
}

#[test]
fn secrets_commute() {
    let Some(folder) = corpus() else { return };
    for (name, log) in KEYED.iter().filter(|(name, _)| !name.contains("-rdg-")) {
        let capture = fs::read(folder.join(name)).expect("a capture");
        if log.is_some() || !name.starts_with("awakecoding") {
            continue;
        }
        let blocks = blocks(&capture);
        let (secrets, others): (Vec<&[u8]>, Vec<&[u8]>) = blocks.into_iter().partition(|block| is_secrets(block));
        assert!(!secrets.is_empty(), "{name}");
        // Behind the section header, in the middle, at the end.
        let expected = said(&capture);
        for place in [1, others.len() / 2, others.len()] {
            let (before, behind) = others.split_at(place);
            let moved = [before, &secrets, behind].concat().concat();
            assert!(said(&moved) == expected, "{name}: secrets at block {place}");
        }
        assert!(expected.contains("\"records\": {"), "{name}: nothing was opened");
    }
}

#[test]
fn standard_input_says_what_it_could_not_open() {
    let Some(folder) = corpus() else { return };
    let capture = fs::read(folder.join("awakecoding-rdp-nla-ntlm-rejected1.pcapng")).expect("a capture");
    let blocks = blocks(&capture);
    let (secrets, others): (Vec<&[u8]>, Vec<&[u8]>) = blocks.into_iter().partition(|block| is_secrets(block));
    let notices = |parts: &[&[&[u8]]]| {
        let all: Vec<u8> = parts.concat().concat();
        reading::read(&all[..], None, &mut |_| {}).expect("a capture").notices
    };
    assert_eq!(notices(&[&others[..1], &secrets, &others[1..]]), Vec::<String>::new());
    assert!(notices(&[&others, &secrets])[0].contains("secrets stand behind packets"));
}

#[test]
fn the_command_takes_key_logs_by_flag_and_by_environment() {
    let Some(folder) = corpus() else { return };
    let (capture, log) = (folder.join("jovair-rdp.pcap"), folder.join("jovair-rdp.keylog.txt"));
    let run = |flag: &[&Path], named: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rdpscope"));
        command.args(["analyze", "--format", "json"]).arg(&capture).env("SSLKEYLOGFILE", named);
        for log in flag {
            command.arg("--keylog").arg(log);
        }
        let output = command.output().expect("rdpscope");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let nowhere = Path::new("/nonexistent");
    let (plain, by_flag, by_name) = (run(&[], nowhere), run(&[&log], nowhere), run(&[], &log));
    assert!(plain.1.contains("\"decrypted\": null"), "{plain:?}");
    assert!(by_flag.1.contains("\"client\": 1587"), "{}", by_flag.1);
    assert_eq!(by_flag, by_name);
    assert_eq!(run(&[nowhere], nowhere).0, Some(2), "what is asked for must be there");
    let secret = fs::read_to_string(&log).expect("a key log");
    let secret = secret.split_whitespace().last().expect("a secret");
    assert!(!by_flag.1.contains(&secret[secret.len() - 16..]), "no secret in a report");
}

/// A user's name stands in a report where somebody asked for it, and its password never.
#[test]
fn names_are_shown_to_who_asks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/keyed");
    let said = |capture: &str, format: &str, names: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rdpscope"));
        command.args(["analyze", "--format", format]).args(names).arg(folder.join(capture));
        let said = String::from_utf8_lossy(&command.output().expect("rdpscope").stdout).into_owned();
        assert!(!said.contains(PASSWORD), "{said}");
        said
    };
    let accounts = |capture: &str, names: &[&str]| -> Vec<String> {
        let document: Value = serde_json::from_str(&said(capture, "json", names)).expect("JSON");
        let accounts = document.pointer("/attempts/0/sessions/0/facts/accounts").expect("accounts");
        let all = accounts.as_array().into_iter().flatten();
        all.map(|one| format!("{} {}", one["by"].as_str().unwrap_or("?"), one["user"].as_str().unwrap_or("?")))
            .collect()
    };
    for (capture, by) in [("xfreerdp-shadow-nla.pcapng", "NTLM"), ("rdesktop-xrdp-tls12.pcapng", "Client Info")] {
        let line = format!("({by})");
        assert!(said(capture, "text", &["--names"]).contains(&line));
        assert!(!said(capture, "text", &[]).contains(&line));
        assert!(accounts(capture, &["--names"]).contains(&format!("{by} {USER}")), "{capture}");
        assert_eq!(accounts(capture, &[]), Vec::<String>::new());
    }
}

/// The whole JSON document, with the secrets that stand in the capture.
fn said(capture: &[u8]) -> String {
    let keys = Arc::new(reading::secrets(capture).expect("a capture"));
    let mut sessions = Vec::new();
    reading::read_with(capture, None, &keys, &mut |session| sessions.push(session)).expect("a capture");
    json::document("test", &group(sessions))
}

/// The blocks of a little-endian pcapng.
fn blocks(mut capture: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    while let Some(len) = capture.get(4..8) {
        let len = u32::from_le_bytes(len.try_into().expect("four bytes")) as usize;
        let (block, rest) = capture.split_at(len);
        all.push(block);
        capture = rest;
    }
    all
}

fn is_secrets(block: &[u8]) -> bool {
    block.starts_with(&10_u32.to_le_bytes())
}

/// Bytes in front of TLS: X.224, in a TPKT packet.
fn prelude(bytes: &[u8]) -> usize {
    match bytes {
        [3, 0, high, low, ..] => usize::from(*high) << 8 | usize::from(*low),
        _ => 0,
    }
}

/// Every connection of a capture, opened.
fn open(capture: &[u8], keys: &Arc<Keyring>) -> Vec<Opened> {
    streams(capture).iter().map(|stream| open_stream(stream, keys)).collect()
}

fn open_stream(stream: &[Observation], keys: &Arc<Keyring>) -> Opened {
    let mut bystander = Bystander::new(keys);
    let mut begun = [false; 2];
    for observation in stream {
        match &observation.seen {
            Seen::Bytes { from, data } => {
                let skip = if begun[*from as usize] { 0 } else { prelude(data) };
                begun[*from as usize] = true;
                bystander.push(*from, &data[skip..]);
            }
            Seen::Missing { from, len, .. } => bystander.missing(*from, *len),
            Seen::Opening(Opening::Joined { .. }) => begun = [true; 2],
            _ => {}
        }
    }
    bystander.finish()
}

fn keyring(folder: &Path, capture: &[u8], log: Option<&str>) -> Arc<Keyring> {
    let mut keys = Keyring::default();
    match log {
        Some(log) => keys.read(&fs::read(folder.join(log)).expect("a key log")),
        None => keys.extend(&reading::secrets(capture).expect("a capture")),
    };
    assert!(!keys.is_empty());
    Arc::new(keys)
}

/// The data of each connection that has any; tshark does not always tell client from server.
fn sorted(all: impl Iterator<Item = [Vec<u8>; 2]>) -> Vec<BTreeSet<Vec<u8>>> {
    let mut all: Vec<_> = all.filter(|data| !data.concat().is_empty()).map(BTreeSet::from).collect();
    all.sort();
    all
}

/// How many records tshark opens, and the application data of the first so many connections. It does not look for TLS behind
/// X.224 by itself.
fn tshark(capture: &Path, log: Option<&Path>, streams: usize) -> Option<(u64, Vec<BTreeSet<Vec<u8>>>)> {
    let folder = Folder::new().ok()?;
    let debug = folder.path().join("debug");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture).args(["-q", "-d", "tcp.port==3389,tls"]);
    command.arg("-o").arg(format!("tls.debug_file:{}", debug.display()));
    if let Some(log) = log {
        command.arg("-o").arg(format!("tls.keylog_file:{}", log.display()));
    }
    for stream in 0..streams {
        command.args(["-z", &format!("follow,tls,raw,{stream}")]);
    }
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: no tshark");
        return None;
    };
    let debug = fs::read(debug).ok()?;
    let lines = debug.split(|byte| *byte == b'\n').map(String::from_utf8_lossy);
    let records = lines.filter(|line| line.contains("auth_tag(OK)") || line.contains("mac ok")).count() as u64;
    let text = String::from_utf8_lossy(&output.stdout);
    Some((records, sorted(text.split("Filter:").skip(1).map(followed))))
}

/// What `follow` shows of one connection: lines of hex, the second node's behind a tab.
fn followed(text: &str) -> [Vec<u8>; 2] {
    let mut data = [Vec::new(), Vec::new()];
    for line in text.lines() {
        let (side, hex) = line.strip_prefix('\t').map_or((Side::Client, line), |line| (Side::Server, line));
        let pairs = hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        if let Some(bytes) = pairs.collect::<Option<Vec<u8>>>() {
            data[side as usize].extend(bytes);
        }
    }
    data
}
