//! Captures whose packets have no times: golden recordings as Simple Packet Blocks, and as packets at the time 0. What was said is
//! told as ever; nothing has a length or a date, in any report. And numbers of one thing have no plural, in any of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::stored::{Packet, leg};
use crate::support::process::{Folder, Outcome};
use crate::support::program::program;

const CAPTURES: [&str; 7] = [
    "healthy-tls12",
    "healthy-nla",
    "hybrid-required",
    "alert-70",
    "silence-after-request",
    "reset-after-confirm",
    "reset-in-active",
];
const NO_TIMES: &str = "no times in this capture";

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let body = [body, &vec![0; body.len().wrapping_neg() % 4]].concat();
    let len = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &len, &body, &len].concat()
}

fn section() -> Vec<u8> {
    let header = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    [block(0x0a0d_0d0a, &header), block(1, &[101, 0, 0, 0, 0, 0, 0, 0])].concat()
}

/// Simple Packet Blocks (pcapng, 4.4).
fn simple(packets: &[Packet]) -> Vec<u8> {
    let one = |packet: &Packet| block(3, &[&(packet.data.len() as u32).to_le_bytes()[..], &packet.data].concat());
    [section(), packets.iter().flat_map(one).collect()].concat()
}

/// Enhanced Packet Blocks at these times, microseconds.
fn enhanced(packets: &[Packet], at: impl Fn(usize, &Packet) -> u64) -> Vec<u8> {
    let one = |(place, packet): (usize, &Packet)| {
        let (at, len) = (at(place, packet), (packet.data.len() as u32).to_le_bytes());
        let time = [((at >> 32) as u32).to_le_bytes(), (at as u32).to_le_bytes()].concat();
        block(6, &[&[0; 4], &time[..], &len, &len, &packet.data].concat())
    };
    [section(), packets.iter().enumerate().flat_map(one).collect()].concat()
}

fn pcap(packets: &[Packet]) -> Vec<u8> {
    let head = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 1 << 18, 101].map(u32::to_le_bytes).concat();
    let one = |packet: &Packet| {
        let len = (packet.data.len() as u32).to_le_bytes();
        [&[0; 8], &len[..], &len, &packet.data].concat()
    };
    [head, packets.iter().flat_map(one).collect()].concat()
}

/// Exit code, standard output, standard error.
fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(program()).args(args).current_dir(folder).stdin(Stdio::null()).output();
    let output = output.expect("the program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// No length of time and no date of one that is none.
fn assert_timeless(what: &str, said: &str) {
    for wrong in ["0 µs", "0 ns", "0 ms", "0.0 ms", "0.0 s", "≤1µs", "1970-01-01", "an unknown time"] {
        let around =
            said.find(wrong).map(|at| said.chars().skip(said[..at].chars().count().saturating_sub(200)).take(300));
        assert!(around.is_none(), "{what} says {wrong}: {}", around.into_iter().flatten().collect::<String>());
    }
}

/// Every time and length in a document is `null`.
fn assert_no_numbers(what: &str, document: &Value) {
    match document {
        Value::Object(fields) => {
            for (key, value) in fields {
                let is_time =
                    ["_ns", "_us"].iter().any(|unit| key.ends_with(unit)) || ["began", "at"].contains(&key.as_str());
                let is_none =
                    value.is_null() || value.as_object().is_some_and(|parts| parts.values().all(Value::is_null));
                assert!(!is_time || is_none, "{what}: {key} is {value}");
                assert_no_numbers(what, value);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| assert_no_numbers(what, value)),
        _ => {}
    }
}

/// The causes, and how it went.
fn said(document: &Value) -> (Value, Vec<Value>) {
    let session = &document["attempts"][0]["sessions"][0];
    let causes = session["findings"].as_array().into_iter().flatten();
    (session["outcome"].clone(), causes.map(|finding| finding["cause"].clone()).collect())
}

#[test]
fn nothing_has_a_length_where_packets_have_no_times() -> Outcome<()> {
    let folder = Folder::new()?;
    for name in CAPTURES {
        let packets = leg(name, 1);
        fs::write(folder.path().join("timed.pcapng"), enhanced(&packets, |_, packet| packet.at / 1000))?;
        let (timed, document, _) = run(folder.path(), &["analyze", "--format", "json", "timed.pcapng"]);
        let timed = (timed, said(&serde_json::from_str(&document).expect("JSON")));
        let forms = [("spb", simple(&packets)), ("zero", enhanced(&packets, |_, _| 0)), ("pcap", pcap(&packets))];
        for (form, bytes) in forms {
            let what = format!("{name}, {form}");
            fs::write(folder.path().join("a.pcapng"), bytes)?;
            let (code, text, talk) = run(folder.path(), &["analyze", "a.pcapng"]);
            assert_timeless(&what, &text);
            assert!(talk.contains(NO_TIMES) && text.contains(NO_TIMES), "{what}: {talk}{text}");
            let (_, document, _) = run(folder.path(), &["analyze", "--format", "json", "a.pcapng"]);
            assert_timeless(&what, &document);
            let document: Value = serde_json::from_str(&document).expect("JSON");
            assert_no_numbers(&what, &document);
            assert!(document["notices"].to_string().contains(NO_TIMES), "{what}");
            // Silence has no proof without times; what was said has.
            if !name.starts_with("silence") {
                assert_eq!((code, said(&document)), timed, "{what}: {text}");
            }
            for args in [
                &["explain", "0x904", "--capture", "a.pcapng"][..],
                &["diff", "a.pcapng", "timed.pcapng"],
                &["histogram", "a.pcapng"],
                &["histogram", "a.pcapng", "--format", "json"],
            ] {
                let (_, text, _) = run(folder.path(), args);
                let text = text.lines().filter(|line| !line.contains("timed.pcapng")).collect::<Vec<_>>().join("\n");
                if args[0] != "diff" {
                    assert_timeless(&format!("{what}: {args:?}"), &text);
                }
            }
            let (_, text, _) = run(folder.path(), &["histogram", "a.pcapng"]);
            assert!(text.contains("1 session not measured: no times in this capture"), "{what}: {text}");
            run(folder.path(), &["report", "a.pcapng", "-o", "a.html"]);
            let page = fs::read_to_string(folder.path().join("a.html"))?;
            assert_timeless(&format!("{what}: report"), &page);
            assert!(page.contains(NO_TIMES), "{what}");
        }
    }
    Ok(())
}

/// Many of them side by side are no scan, and nothing happened in the same moment.
#[test]
fn nothing_that_rests_on_pace_is_told_without_times() -> Outcome<()> {
    let folder = Folder::new()?;
    let recordings = folder.path().join("recordings");
    fs::create_dir(&recordings)?;
    for (number, name) in (0..30).zip(["reset-in-active", "reset-after-confirm", "hybrid-required"].into_iter().cycle())
    {
        let mut packets = leg(name, 1);
        // Another port of the client each time, who is the one that begins.
        let port = [packets[0].data[20], packets[0].data[21]];
        for packet in &mut packets {
            let place = if packet.data[20..22] == port { 20 } else { 22 };
            packet.data[place..place + 2].copy_from_slice(&(40_000 + number as u16).to_be_bytes());
        }
        fs::write(recordings.join(format!("{number:02}.pcapng")), simple(&packets))?;
    }
    let (_, text, _) = run(folder.path(), &["analyze", "recordings"]);
    for pace in ["a scan", "sessions with", "reconnects to", "health check", "PRX-CLOSE", "attempt:"] {
        assert!(!text.contains(pace), "{pace}: {text}");
    }
    assert_timeless("thirty", &text);
    run(folder.path(), &["report", "recordings", "-o", "all.html"]);
    assert_timeless("a page of thirty", &fs::read_to_string(folder.path().join("all.html"))?);
    Ok(())
}

/// Some packets without times among others are as late as what stands before them.
#[test]
fn a_packet_without_a_time_is_as_late_as_what_stands_before() -> Outcome<()> {
    let folder = Folder::new()?;
    let packets = leg("alert-70", 1);
    let at = |place: usize, packet: &Packet| if place % 3 == 2 { 0 } else { packet.at / 1000 };
    fs::write(folder.path().join("a.pcapng"), enhanced(&packets, at))?;
    let (code, text, talk) = run(folder.path(), &["analyze", "a.pcapng"]);
    assert!(code == Some(1) && !text.contains("1970") && !text.contains(NO_TIMES), "{text}");
    assert!(talk.contains("packets have no time") && talk.contains("as late as what stands before"), "{talk}");
    let (_, document, _) = run(folder.path(), &["analyze", "--format", "json", "a.pcapng"]);
    assert!(!document.contains("1970-01-01"), "{document}");
    Ok(())
}

/// "1 packets" is wrong wherever it stands: text, JSON, notices and pages of every golden capture, whole and cut.
#[test]
fn one_thing_is_no_plural() -> Outcome<()> {
    let folder = Folder::new()?;
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut captures: Vec<PathBuf> = fs::read_dir(golden)?.map(|entry| entry.expect("an entry").path()).collect();
    captures.retain(|path| path.extension().is_some_and(|end| end == "pcapng"));
    captures.sort();
    for capture in captures {
        let name = capture.display().to_string();
        let whole = fs::read(&capture)?;
        fs::write(folder.path().join("cut.pcapng"), &whole[..whole.len() * 2 / 3])?;
        for args in [
            &["analyze", &name][..],
            &["analyze", "cut.pcapng"],
            &["explain", "0x904", "--capture", &name],
            &["redact", &name, "-o", "redacted.pcapng", "--force"],
        ] {
            let (_, text, talk) = run(folder.path(), args);
            assert_singular(&format!("{args:?}"), &format!("{text}\n{talk}"));
        }
    }
    let one = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 1 << 18, 189, 1, 0, 8, 8, 7, 7].map(u32::to_le_bytes).concat();
    fs::write(folder.path().join("usb.pcap"), one)?;
    let (_, _, talk) = run(folder.path(), &["analyze", "usb.pcap"]);
    assert!(talk.contains("1 packet has link type 189") || talk.contains("1 packet of link type 189"), "{talk}");
    Ok(())
}

fn assert_singular(what: &str, said: &str) {
    // "1 is", "1 has" and the like are no nouns.
    let verbs = ["is", "was", "has", "does", "ms", "s", "µs", "takes", "needs", "ends", "stands"];
    let words: Vec<&str> = said.split_whitespace().collect();
    for pair in words.windows(2) {
        let noun = pair[1].trim_matches(|c: char| !c.is_alphanumeric());
        let is_plural = noun.ends_with('s') && !noun.ends_with("ss") && !verbs.contains(&noun);
        assert!(pair[0] != "1" || !is_plural, "{what} says \"1 {noun}\":\n{said}");
    }
}
