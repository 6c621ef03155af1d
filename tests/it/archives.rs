//! Captures as people send them: compressed, in archives, in archives in archives, cut, encrypted and hostile. What is in
//! there says what it says by itself, from a file and from a pipe, and what cannot be read is named.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::stored::leg;
use crate::support::judge::Random;
use crate::support::packed::{self, PACKINGS};
use crate::support::process::{Folder, Outcome};
use crate::support::program::program;

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)).expect("a capture")
}

/// A recording, one that fails, one with secrets, and a stranger's capture whose packets stand in another order than their times.
fn captures() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("healthy", golden("healthy-tls12.pcapng")),
        ("failed", golden("alert-70.pcapng")),
        ("secrets", golden("keyed/xfreerdp-xrdp-tls12.pcapng")),
        ("disordered", disordered()),
    ]
}

fn disordered() -> Vec<u8> {
    let packets = leg("reset-in-active", 1);
    let (first, second) = packets.split_at(packets.len() / 2);
    let mut file = [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 1 << 18, 101].map(u32::to_le_bytes).concat();
    for packet in second.iter().chain(first) {
        let len = packet.data.len() as u32;
        let header = [(packet.at / 1_000_000_000) as u32, (packet.at % 1_000_000_000) as u32, len, len];
        file.extend(header.map(u32::to_le_bytes).concat());
        file.extend(&packet.data);
    }
    file
}

/// What a run says: exit code, document, standard error.
struct Said {
    code: Option<i32>,
    document: Value,
    talk: String,
}

impl Said {
    fn of(output: &Output) -> Said {
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!talk.contains("panicked"), "{talk}");
        let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        Said { code: output.status.code(), document, talk }
    }

    /// The attempts without the names of files.
    fn attempts(&self) -> Value {
        nameless(&self.document["attempts"])
    }

    fn files(&self) -> Vec<String> {
        let sessions = self.document["attempts"].as_array().into_iter().flatten();
        let sessions = sessions.flat_map(|attempt| attempt["sessions"].as_array().into_iter().flatten());
        let mut files: Vec<String> = sessions.map(|one| one["file"].as_str().unwrap_or_default().to_owned()).collect();
        files.sort();
        files
    }

    fn notices(&self) -> String {
        self.document["notices"].to_string()
    }
}

fn nameless(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            let named = fields.iter().filter(|(name, _)| !["file", "recording"].contains(&name.as_str()));
            named.map(|(name, value)| (name.clone(), nameless(value))).collect()
        }
        Value::Array(values) => values.iter().map(nameless).collect(),
        other => other.clone(),
    }
}

fn analyze(folder: &Folder, name: &str, bytes: &[u8]) -> Said {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    of_paths(&[&path])
}

fn of_paths(paths: &[&Path]) -> Said {
    let mut command = Command::new(program());
    command.args(["analyze", "--format", "json"]).args(paths).stdin(Stdio::null());
    Said::of(&command.output().expect("the program"))
}

fn piped(bytes: &[u8]) -> Said {
    let mut command = Command::new(program());
    command.args(["analyze", "--format", "json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the program");
    let mut input = child.stdin.take().expect("a pipe");
    let bytes = bytes.to_vec();
    // Who refuses it does not read on.
    let writer = std::thread::spawn(move || drop(input.write_all(&bytes)));
    let output = child.wait_with_output().expect("the program");
    writer.join().expect("it wrote");
    Said::of(&output)
}

#[test]
fn every_packing_says_what_the_capture_says() -> Outcome<()> {
    let folder = Folder::new()?;
    for (name, capture) in captures() {
        let (bare, bare_pipe) = (analyze(&folder, "bare", &capture), piped(&capture));
        assert_eq!(bare.document["attempts"].as_array().map(Vec::len), Some(1), "{name}: {}", bare.talk);
        for (packing, pack) in PACKINGS {
            let packed = pack(&capture);
            let found = analyze(&folder, "capture", &packed);
            assert_eq!(
                (found.code, found.attempts()),
                (bare.code, bare.attempts()),
                "{name}: {packing}: {}",
                found.talk
            );
            let found = piped(&packed);
            let expected = (bare_pipe.code, bare_pipe.attempts());
            assert_eq!((found.code, found.attempts()), expected, "{name}: {packing}, piped: {}", found.talk);
        }
        // What is packed piece by piece is unpacked piece by piece. Legacy lz4 knows no end.
        let (first, second) = capture.split_at(capture.len() / 3);
        for (packing, pack) in PACKINGS.iter().filter(|(packing, _)| !packing.contains("first")) {
            let found = analyze(&folder, "members", &[pack(first), pack(second)].concat());
            assert_eq!(found.attempts(), bare.attempts(), "{name}: two of {packing}: {}", found.talk);
        }
    }
    Ok(())
}

#[test]
fn each_capture_in_an_archive_is_a_file_of_its_own() -> Outcome<()> {
    let folder = Folder::new()?;
    let all = captures();
    let bare: Vec<PathBuf> = all
        .iter()
        .map(|(name, bytes)| {
            let path = folder.path().join(format!("{name}.pcapng"));
            std::fs::write(&path, bytes).expect("a file");
            path
        })
        .collect();
    let bare = of_paths(&bare.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    let names: Vec<String> = all.iter().map(|(name, _)| format!("ticket/{name}.pcapng")).collect();
    let mut files: Vec<packed::File<'_>> = vec![("ticket/", b"")];
    files.extend(names.iter().zip(&all).map(|(name, (_, bytes))| (name.as_str(), &bytes[..])));
    files.extend([("ticket/notes.txt", &b"it does not connect"[..]), ("ticket/empty.pcapng", b"")]);
    let tar = packed::tar(&files[1..]);
    let archives = [
        ("a.zip", packed::zip(&files)),
        ("stored.zip", packed::stored_zip(&files)),
        ("streamed.zip", packed::streamed_zip(&files)),
        ("a.tar", tar.clone()),
        ("a.tar.gz", packed::gzip(&tar)),
        ("a.tar.xz", packed::xz(&tar)),
        ("a.tar.bz2", packed::bzip2(&tar)),
        ("a.zip.zst", packed::zstd(&packed::zip(&files))),
    ];
    for (name, archive) in &archives {
        let found = analyze(&folder, name, archive);
        assert_eq!((found.code, found.attempts()), (bare.code, bare.attempts()), "{name}: {}", found.talk);
        let path = folder.path().join(name);
        let mut expected: Vec<String> = names.iter().map(|inner| format!("{}/{inner}", path.display())).collect();
        expected.sort();
        assert_eq!(found.files(), expected, "{name}");
        let says = "2 entries are no captures: ticket/notes.txt (something else), ticket/empty.pcapng (empty";
        assert!(found.notices().contains(says), "{name}: {}", found.notices());
    }
    // Of a pipe nothing is read twice, but what stands in order.
    let files = &files[1..=2];
    for (name, archive) in [("zip", packed::zip(files)), ("tar.xz", packed::xz(&packed::tar(files)))] {
        let found = piped(&archive);
        assert_eq!(
            found.files(),
            ["standard input/ticket/failed.pcapng", "standard input/ticket/healthy.pcapng"],
            "{name}"
        );
    }
    // A zip in which lengths stand behind: the first is read, and what cannot be is told.
    let found = piped(&packed::streamed_zip(files));
    assert_eq!(found.files(), ["standard input/ticket/healthy.pcapng"]);
    assert!(found.notices().contains("give the whole zip as a file"), "{}", found.notices());
    Ok(())
}

#[test]
fn archives_in_archives_are_read_to_some_depth() -> Outcome<()> {
    let folder = Folder::new()?;
    let capture = golden("alert-70.pcapng");
    let bare = analyze(&folder, "bare", &capture);
    let inner = packed::gzip(&packed::tar(&[("bundle/a.pcapng.gz", &packed::gzip(&capture))]));
    let deep = packed::zip(&[("support.tar.gz", &inner)]);
    let found = analyze(&folder, "deep.zip", &deep);
    assert_eq!((found.code, found.attempts()), (bare.code, bare.attempts()), "{}", found.talk);
    assert!(found.files()[0].ends_with("deep.zip/support.tar.gz/bundle/a.pcapng.gz"), "{:?}", found.files());
    let found = analyze(&folder, "deeper.zip", &packed::zip(&[("deep.zip", &deep)]));
    assert_eq!(found.code, Some(2));
    assert!(found.talk.contains("more than 4 deep: unpack it"), "{}", found.talk);
    let mut onion = capture;
    for _ in 0..30 {
        onion = packed::gzip(&onion);
    }
    let found = analyze(&folder, "onion.gz", &onion);
    assert!(found.code == Some(2) && found.talk.contains("more than 4 deep"), "{}", found.talk);
    Ok(())
}

#[test]
fn what_cannot_be_read_in_an_archive_is_named() -> Outcome<()> {
    let folder = Folder::new()?;
    let capture = golden("healthy-tls12.pcapng");
    let of = |name: &str, bytes: &[u8]| analyze(&folder, name, bytes);
    let files = [("a.pcapng", &capture[..])];
    for found in [of("sealed.zip", &packed::encrypted_zip(&files)), piped(&packed::encrypted_zip(&files))] {
        assert_eq!(found.code, Some(2), "{}", found.talk);
        assert!(found.talk.contains("a.pcapng") && found.talk.contains("it is encrypted: unpack it"), "{}", found.talk);
    }
    // One that is sealed does not hide the others.
    let mut both = packed::zip(&[("open.pcapng", &capture), ("sealed.pcapng", &capture)]);
    let headers: Vec<usize> =
        (0..both.len() - 4).filter(|at| matches!(both[*at..*at + 4], [b'P', b'K', 1 | 3, 2 | 4])).collect();
    both[headers[1] + 6] |= 1;
    both[headers[3] + 8] |= 1;
    let found = of("both.zip", &both);
    assert_eq!((found.code, found.files().len()), (Some(2), 1), "{}", found.talk);
    let texts = packed::zip(&[("a.txt", b"text"), ("b.txt", b"more"), ("c.etl", &etl())]);
    let found = of("texts.zip", &texts);
    assert_eq!(found.code, Some(2));
    for says in ["expected a capture in it", "3 entries are no captures", "an event trace (.etl)"] {
        assert!(found.talk.contains(says), "{says}: {}", found.talk);
    }
    for (name, nothing) in [("none.zip", packed::zip(&[])), ("none.tar", packed::tar(&[]))] {
        let found = of(name, &nothing);
        assert_eq!(found.code, Some(2), "{name}: {}", found.talk);
    }
    Ok(())
}

fn etl() -> Vec<u8> {
    [&[0, 0, 1, 0, 0, 2, 0, 0, 0, 2, 0, 0], &[0; 600][..]].concat()
}

/// Cut at any byte it is read up to there: nothing panics, and what is told becomes more, never less.
#[test]
fn what_breaks_off_is_read_up_to_there() -> Outcome<()> {
    let folder = Folder::new()?;
    let capture = golden("alert-70.pcapng");
    let two = [("a.pcapng", &capture[..]), ("b.pcapng", &capture[..])];
    let mut whole: Vec<(&str, Vec<u8>)> = PACKINGS.iter().map(|(name, pack)| (*name, pack(&capture))).collect();
    whole.extend([("zip", packed::zip(&two)), ("tar.gz", packed::gzip(&packed::tar(&two)))]);
    for (name, bytes) in &whole {
        let len = bytes.len();
        let mut before = 0;
        for cut in [1, 5, len / 4, len / 2, len * 3 / 4, len * 9 / 10, len - 9, len - 1] {
            let found = analyze(&folder, "cut", &bytes[..cut]);
            let sessions = found.files().len();
            assert!(sessions >= before, "{name} cut at {cut}: {sessions} sessions after {before}");
            assert!(
                found.code.is_some() && (sessions > 0 || found.code == Some(2) || !found.talk.is_empty()),
                "{name}, {cut}"
            );
            before = sessions;
        }
        // What is packed in blocks gives whole ones: this capture is one.
        let has_blocks = ["zstd", "lz4", "bzip2"].iter().any(|blocks| name.starts_with(blocks));
        assert!(before > 0 || has_blocks, "{name}: nothing is left of it");
        let found = analyze(&folder, "cut", &bytes[..len - len / 20]);
        let told = ["break", "what follows", "torn"].iter().any(|says| found.talk.contains(says));
        assert!(told, "{name}: {}", found.talk);
    }
    Ok(())
}

/// A file may ask for more memory than a machine has.
#[test]
fn a_window_that_is_too_large_is_refused_with_its_reason() -> Outcome<()> {
    let folder = Folder::new()?;
    let mut xz = packed::xz(&golden("alert-70.pcapng"));
    // Block header (xz file format, 3.1): length, flags, LZMA2 with one byte of properties; 37 is 1.5 GiB.
    let len = usize::from(xz[12]) * 4 + 4;
    let place = (14..12 + len).find(|at| xz[*at..*at + 2] == [0x21, 1]).expect("LZMA2") + 2;
    xz[place] = 37;
    let sum = crc32(&xz[12..12 + len - 4]);
    xz[12 + len - 4..12 + len].copy_from_slice(&sum.to_le_bytes());
    // A window of 2 GiB in a frame of zstd (RFC 8878, 3.1.1.1.2).
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0];
    for (name, bytes) in [("a.xz", &xz[..]), ("a.zst", &zstd)] {
        let found = analyze(&folder, name, bytes);
        assert_eq!(found.code, Some(2), "{name}: {}", found.talk);
        assert!(found.talk.contains("a window of more than 128 MiB: give it unpacked"), "{name}: {}", found.talk);
    }
    Ok(())
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

/// Every command that takes a capture takes it packed, and one of an archive by its name in it.
#[test]
fn every_command_takes_them() -> Outcome<()> {
    let folder = Folder::new()?;
    let path = |name: &str| folder.path().join(name);
    let capture = golden("healthy-tls12.pcapng");
    let failed = golden("alert-70.pcapng");
    std::fs::write(path("one.zip"), packed::zip(&[("x/one.pcapng", &capture)]))?;
    std::fs::write(path("one.xz"), packed::xz(&capture))?;
    std::fs::write(path("two.zip"), packed::zip(&[("one.pcapng.xz", &packed::xz(&capture)), ("two.pcapng", &failed)]))?;
    std::fs::write(path("bare.pcapng"), &capture)?;
    let run = |args: &[&str]| {
        let output = Command::new(program()).args(args).current_dir(folder.path()).stdin(Stdio::null()).output();
        let output = output.expect("the program");
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), talk)
    };
    for (number, name) in ["one.zip", "one.xz", "two.zip/one.pcapng.xz"].into_iter().enumerate() {
        let same = |args: &[&str]| {
            let named = |with: &str| {
                args.iter().map(|arg| if *arg == "FILE" { with } else { arg }.to_owned()).collect::<Vec<_>>()
            };
            let run = |with: &str| run(&named(with).iter().map(String::as_str).collect::<Vec<_>>());
            let ((code, bare, _), (found, out, talk)) = (run("bare.pcapng"), run(name));
            assert_eq!(found, code, "{args:?} of {name}: {talk}");
            let strip = |text: &str, name: &str| text.replace("one.zip/x/one.pcapng", "").replace(name, "");
            (strip(&bare, "bare.pcapng"), strip(&out, name))
        };
        for args in
            [&["explain", "0x904", "--capture", "FILE"][..], &["histogram", "FILE"], &["diff", "--legs", "FILE"]]
        {
            let (bare, found) = same(args);
            assert_eq!(bare, found, "{args:?} of {name}");
        }
        same(&["report", "FILE", "-o", &format!("{number}.html"), "--force"]);
        same(&["play", "FILE", "--at", "1", "-o", &format!("{number}.png"), "--force"]);
        same(&["redact", "FILE", "-o", &format!("{number}.pcapng"), "--force"]);
        same(&["bundle", "FILE", "-o", &format!("{number}.tar.gz"), "--force"]);
        same(&["analyze", "--follow", "--speed", "100000", "FILE"]);
        assert!(path(&format!("{number}.html")).metadata()?.len() > 10_000);
    }
    // What was bundled can be looked into as it is.
    let (code, out, talk) = run(&["analyze", "0.tar.gz", "--format", "json"]);
    let document: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, document["attempts"].as_array().map(Vec::len)), (Some(0), Some(1)), "{talk}");
    assert!(document["notices"].to_string().contains("3 entries are no captures"), "{talk}");
    // Of several captures one is to be named.
    let (code, _, talk) = run(&["redact", "two.zip", "-o", "none.pcapng"]);
    assert_eq!(code, Some(2));
    assert!(talk.contains("expected one capture, found 2: say which, as two.zip/one.pcapng.xz"), "{talk}");
    let (code, _, talk) = run(&["analyze", "two.zip/three.pcapng"]);
    assert!(code == Some(2) && talk.contains("there is no three.pcapng in it"), "{talk}");
    Ok(())
}

/// A recording that was written in parts is one, in an archive as in a folder.
#[test]
fn parts_of_a_recording_are_read_as_one() -> Outcome<()> {
    let folder = Folder::new()?;
    let whole = golden("alert-70.pcapng");
    let recording = golden("keyed/xfreerdp-xrdp-tls12.pcapng");
    let place = Path::new("a.pcapng");
    let names: Vec<String> = (1..=3).map(|part| proxy::record::part(place, part).display().to_string()).collect();
    let (first, rest) = recording.split_at(recording.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    let files = [(&names[2][..], third), ("b.pcapng", &whole[..]), (&names[0][..], first), (&names[1][..], second)];
    let bare = [analyze(&folder, "bare", &recording), analyze(&folder, "whole", &whole)];
    for (name, archive) in [("a.zip", packed::zip(&files)), ("a.tar.gz", packed::gzip(&packed::tar(&files)))] {
        let found = analyze(&folder, name, &archive);
        assert_eq!((found.code, found.files().len()), (Some(1), 2), "{name}: {}", found.talk);
        for bare in &bare {
            let attempt = &bare.attempts()[0];
            let found = found.attempts();
            assert!(found.as_array().is_some_and(|all| all.contains(attempt)), "{name}: {found:#}");
        }
    }
    Ok(())
}

#[test]
fn many_entries_are_bounded() -> Outcome<()> {
    let folder = Folder::new()?;
    let capture = golden("alert-70.pcapng");
    let names: Vec<String> = (0..66_000).map(|number| format!("{number:05}")).collect();
    let mut files: Vec<packed::File<'_>> = vec![("0.pcapng", &capture)];
    files.extend(names.iter().map(|name| (name.as_str(), &b"-"[..])));
    for (name, archive) in [("a.zip", packed::stored_zip(&files)), ("a.tar", packed::tar(&files))] {
        let found = analyze(&folder, name, &archive);
        assert_eq!((found.code, found.files().len()), (Some(1), 1), "{name}: {}", found.talk);
        assert!(found.notices().contains("only the first 65536 entries are looked at"), "{name}: {}", found.notices());
    }
    Ok(())
}

/// Damage anywhere ends in words: some hundred archives, each broken in its own way.
#[test]
fn damaged_archives_end_in_words() -> Outcome<()> {
    let folder = Folder::new()?;
    let capture = golden("alert-70.pcapng");
    let files = [("a.pcapng", &capture[..]), ("b.txt", b"text")];
    let mut whole: Vec<Vec<u8>> = PACKINGS.iter().map(|(_, pack)| pack(&capture)).collect();
    whole.extend([packed::zip(&files), packed::streamed_zip(&files), packed::gzip(&packed::tar(&files))]);
    let mut random = Random::seeded(11);
    for bytes in whole {
        for _ in 0..12 {
            let mut bytes = bytes.clone();
            for _ in 0..1 + random.below(4) {
                let place = random.below(bytes.len() as u64) as usize;
                bytes[place] = random.next() as u8;
            }
            let found = analyze(&folder, "damaged", &bytes);
            assert!(matches!(found.code, Some(0..=2)), "{:?}: {}", found.code, found.talk);
        }
    }
    Ok(())
}
