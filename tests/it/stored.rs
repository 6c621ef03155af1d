//! The order in which packets are stored says nothing: a capture tells the same however its packets are mixed, as long as
//! their times are kept. Each is a golden recording's leg as a stranger's capture, read by the program as a file and through
//! a pipe.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use analyzer::capture::file::{self, Item};
use serde_json::Value;

use crate::support::judge::Random;
use crate::support::process::Folder;
use crate::support::program::{analyze, program};

/// Healthy sessions and failed ones.
const CAPTURES: &[&str] = &[
    "healthy-tls12",
    "healthy-tls13",
    "healthy-nla",
    "healthy-legacy",
    "hybrid-required",
    "reset-in-active",
    "alert-70",
];
/// Where a pcap file's packets begin with an IP header, as tcpdump.org numbers link types.
const RAW: u32 = 101;

#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub at: u64,
    pub data: Vec<u8>,
}

impl Packet {
    fn is_of_client(&self) -> bool {
        let destination = u16::from_be_bytes([self.data[22], self.data[23]]);
        destination == 3389 || destination > 0 && self.source() > destination
    }

    fn source(&self) -> u16 {
        u16::from_be_bytes([self.data[20], self.data[21]])
    }
}

/// What the relay's back leg of a golden recording would be on a wire, `times` as slow.
pub(crate) fn leg(name: &str, times: u64) -> Vec<Packet> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("captures/{name}.pcapng"));
    let recording = std::fs::read(path).expect("a golden recording");
    let (mut links, mut backs, mut packets) = (Vec::new(), Vec::new(), Vec::<Packet>::new());
    let stopped = file::read(&recording[..], &mut |item| {
        match item {
            Item::Interface { name, link } => {
                links.push(link);
                backs.push(name.is_some_and(|name| name.starts_with("back")));
            }
            Item::Packet(packet) if backs[packet.interface as usize] => {
                assert_eq!(u32::from(links[packet.interface as usize]), RAW, "{name}");
                packets.push(Packet { at: packet.at.0, data: packet.data.to_vec() });
            }
            Item::Section { .. } | Item::Packet(_) | Item::Statistics { .. } | Item::Secrets(_) => {}
        }
        Ok(())
    });
    assert_eq!(stopped.expect("a recording"), None);
    packets.sort_by_key(|packet| packet.at);
    let first = packets[0].at;
    // No two have one time: of those the order in the file counts.
    let spread = |(packet, place): (&mut Packet, u64)| packet.at = first + (packet.at - first) * times + place;
    packets.iter_mut().zip(0..).for_each(spread);
    packets
}

/// A pcap file with times in nanoseconds.
fn pcap(packets: &[Packet]) -> Vec<u8> {
    let mut file = [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 1 << 18, RAW].map(u32::to_le_bytes).concat();
    for Packet { at, data } in packets {
        let len = data.len() as u32;
        let header = [(at / 1_000_000_000) as u32, (at % 1_000_000_000) as u32, len, len];
        file.extend(header.map(u32::to_le_bytes).concat());
        file.extend(data);
    }
    file
}

/// What is said, without where packets stand in the file.
pub(crate) fn said(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            // What is not seen is told with the packet before which it would stand.
            let is_place = |name: &str| name.contains("frame") || ["file", "recording", "unseen"].contains(&name);
            fields.iter().filter(|(name, _)| !is_place(name)).map(|(name, value)| (name.clone(), said(value))).collect()
        }
        Value::Array(values) => values.iter().map(said).collect(),
        other => other.clone(),
    }
}

fn of_file(packets: &[Packet]) -> Value {
    let folder = Folder::new().expect("a folder");
    let path = folder.path().join("capture.pcap");
    std::fs::write(&path, pcap(packets)).expect("a file");
    analyze(&[path]).expect("it is read").1
}

fn piped(packets: &[Packet]) -> Output {
    let mut command = Command::new(program());
    command.args(["analyze", "--format", "json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the program");
    child.stdin.take().expect("a pipe").write_all(&pcap(packets)).expect("it is read");
    child.wait_with_output().expect("its output")
}

/// Pairs of neighbours, one behind the other.
fn swapped(packets: &[Packet]) -> Vec<Packet> {
    packets.chunks(2).flat_map(|pair| pair.iter().rev().cloned()).collect()
}

/// One side behind the other, as `mergecap -a` does with a capture of each.
fn one_behind_the_other(packets: &[Packet], client_first: bool) -> Vec<Packet> {
    let side = |of_client: bool| packets.iter().filter(move |packet| packet.is_of_client() == of_client).cloned();
    side(client_first).chain(side(!client_first)).collect()
}

fn shuffled(packets: &[Packet]) -> Vec<Packet> {
    let (mut random, mut left) = (Random::seeded(7), packets.to_vec());
    let mut mixed = Vec::new();
    while !left.is_empty() {
        mixed.push(left.remove(random.below(left.len() as u64) as usize));
    }
    mixed
}

#[test]
fn a_file_says_the_same_however_its_packets_are_stored() {
    for name in CAPTURES {
        let packets = leg(name, 50);
        let expected = of_file(&packets);
        let sessions = expected["attempts"][0]["sessions"].as_array().map(Vec::len);
        assert_eq!(sessions, Some(1), "{name}: {expected}");
        let backwards: Vec<Packet> = packets.iter().rev().cloned().collect();
        let orders = [
            ("neighbors swapped", swapped(&packets)),
            ("the client's side first", one_behind_the_other(&packets, true)),
            ("the server's side first", one_behind_the_other(&packets, false)),
            ("mixed", shuffled(&packets)),
            ("backwards", backwards),
        ];
        for (how, stored) in orders {
            assert_eq!(said(&of_file(&stored)), said(&expected), "{name}, {how}");
        }
    }
}

/// From some packet on all times are earlier: by times alone that looks like packets that are stored late.
#[test]
fn a_clock_that_is_set_back_changes_no_verdict() {
    for name in CAPTURES {
        let packets = leg(name, 50);
        let verdict = |document: &Value| {
            let attempts = document["attempts"].as_array().expect("attempts");
            let sessions = attempts[0]["sessions"].as_array().expect("sessions");
            let causes: Vec<Value> = sessions.iter().map(|session| session["findings"][0]["cause"].clone()).collect();
            (attempts.len(), attempts[0]["outcome"].clone(), causes)
        };
        let expected = verdict(&of_file(&packets));
        for place in (1..packets.len()).step_by(packets.len() / 9 + 1) {
            let mut stepped = packets.clone();
            stepped[place..].iter_mut().for_each(|packet| packet.at -= 7_000_000_000);
            let found = of_file(&stepped);
            assert_eq!(verdict(&found), expected, "{name}, before packet {}", place + 1);
            let told = found["notices"].to_string();
            let gap = packets[place].at - packets[place - 1].at;
            let is_told = told.contains("was set back by") && told.contains(&format!("before frame {}:", place + 1));
            assert!(is_told || gap > 6_990_000_000, "{name}, before packet {}: {told}", place + 1);
        }
    }
}

#[test]
fn frames_are_numbered_by_their_place_in_the_file() {
    let packets = leg("hybrid-required", 1);
    let stored: Vec<Packet> = packets.iter().rev().cloned().collect();
    let frames = |document: &Value| -> Vec<u64> {
        let evidence = document["attempts"][0]["sessions"][0]["findings"][0]["evidence"].as_array().cloned();
        evidence.unwrap_or_default().iter().filter_map(|one| one["frame"].as_u64()).collect()
    };
    let (in_order, backwards) = (frames(&of_file(&packets)), frames(&of_file(&stored)));
    assert!(!in_order.is_empty());
    let mirrored: Vec<u64> = in_order.iter().map(|frame| packets.len() as u64 + 1 - frame).collect();
    assert_eq!(backwards, mirrored);
}

/// Where times are equal, a SYN may stand behind its answer all the same.
#[test]
fn a_syn_behind_its_answer_is_no_connection_of_its_own() {
    for name in CAPTURES {
        let mut packets = leg(name, 1);
        let expected = of_file(&packets);
        packets[1].at = packets[0].at;
        packets.swap(0, 1);
        let found = of_file(&packets);
        let attempts = found["attempts"].as_array().expect("attempts");
        assert_eq!(attempts.len(), 1, "{name}");
        assert_eq!(attempts[0]["outcome"], expected["attempts"][0]["outcome"], "{name}");
        let finding = |document: &Value| document["attempts"][0]["sessions"][0]["findings"][0]["cause"].clone();
        assert_eq!(finding(&found), finding(&expected), "{name}");
        assert_eq!(found["attempts"][0]["sessions"].as_array().map(Vec::len), Some(1), "{name}");
    }
}

/// A pipe is read once: what is near is put right, and of what is not nothing is concluded.
#[test]
fn through_a_pipe_what_is_too_far_apart_is_said_and_not_judged() {
    for name in CAPTURES {
        let near = leg(name, 1);
        let expected = said(&of_file(&near))["attempts"][0]["outcome"].clone();
        let document: Value = serde_json::from_slice(&piped(&swapped(&near)).stdout).expect("JSON");
        assert_eq!(document["attempts"][0]["outcome"], expected, "{name}: {document}");
    }
    // Half a minute long.
    let apart = one_behind_the_other(&leg("healthy-tls13", 1000), true);
    let output = piped(&apart);
    let (told, document) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(told.contains("reordercap") || document.contains("reordercap"), "{told}{document}");
    assert!(!document.contains("\"failed\"") && !document.contains("\"cause\""), "{document}");
    assert_eq!(output.status.code(), Some(0), "{told}");
}
