//! What lies around where recordings lie: pipes, sockets, devices, folders and links with the name of a capture, files that
//! were begun and never written on. Nothing is waited for that nobody named, nothing hides what is beside it, and what is passed
//! over has a word. And what a command says by its exit code where nothing could be read.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::packed;
use crate::support::process::{Folder, Outcome, Trouble, wait_for};
use crate::support::program::program;

/// Nothing here takes longer, except by waiting for what never comes.
const HANGS: Duration = Duration::from_secs(30);

/// What a run says.
struct Ran {
    code: Option<i32>,
    out: String,
    talk: String,
}

impl Ran {
    fn document(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or(Value::Null)
    }

    fn notices(&self) -> String {
        self.document()["notices"].to_string()
    }

    fn attempts(&self) -> usize {
        self.document()["attempts"].as_array().map_or(0, Vec::len)
    }
}

/// Runs the program, in the folder. One that hangs is a failure.
fn run(folder: &Path, args: &[&str]) -> Outcome<Ran> {
    let mut command = Command::new(program());
    command.args(args);
    run_command(folder, command)
}

fn run_command(folder: &Path, mut command: Command) -> Outcome<Ran> {
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    fn reads(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<std::io::Result<String>> {
        std::thread::spawn(move || {
            let mut text = String::new();
            from.read_to_string(&mut text).map(|_| text)
        })
    }
    let (out, talk) = (reads(child.stdout.take().expect("a pipe")), reads(child.stderr.take().expect("a pipe")));
    let Some(status) = wait_for(HANGS, || Ok(child.try_wait()?))? else {
        child.kill()?;
        return Err(Trouble::Failed(format!("{command:?} hangs")));
    };
    let text = |thread: std::thread::JoinHandle<std::io::Result<String>>| thread.join().expect("a reader");
    Ok(Ran { code: status.code(), out: text(out)?, talk: text(talk)? })
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)
}

fn fifo(path: &Path) -> Outcome<()> {
    let made = Command::new("mkfifo").arg(path).status()?;
    if made.success() { Ok(()) } else { Err(Trouble::Failed("mkfifo".into())) }
}

/// Everything that may lie in a folder under the name of a capture, besides one that is one.
fn littered(folder: &Path) -> Outcome<UnixListener> {
    fs::copy(golden("alert-70.pcapng"), folder.join("good.pcapng"))?;
    for name in ["pipe.pcapng", "pipe.zip", "good.probe.json", "good.part2.pcapng"] {
        fifo(&folder.join(name))?;
    }
    fs::create_dir(folder.join("folder.pcapng"))?;
    symlink("/dev/zero", folder.join("device.pcapng"))?;
    symlink("nowhere", folder.join("dangling.pcapng"))?;
    symlink("loop.pcapng", folder.join("loop.pcapng"))?;
    symlink("pipe.pcapng", folder.join("link.pcapng"))?;
    symlink(golden("healthy-tls12.pcapng"), folder.join("linked.pcapng"))?;
    fs::write(folder.join("pipe.txt"), "no capture by its name")?;
    Ok(UnixListener::bind(folder.join("socket.pcapng"))?)
}

#[test]
fn what_lies_around_is_passed_over_with_a_word() -> Outcome<()> {
    let folder = Folder::new()?;
    let recordings = folder.path().join("recordings");
    fs::create_dir(&recordings)?;
    let _socket = littered(&recordings)?;
    let found = run(folder.path(), &["analyze", "recordings", "--format", "json"])?;
    assert_eq!((found.code, found.attempts()), (Some(1), 2), "{}", found.talk);
    let words = [
        ("pipe.pcapng", "it is a pipe, no file"),
        ("pipe.zip", "it is a pipe, no file"),
        ("link.pcapng", "it is a pipe, no file"),
        ("folder.pcapng", "it is a folder, no file"),
        ("device.pcapng", "it is a device, no file"),
        ("socket.pcapng", "it is a socket, no file"),
        ("dangling.pcapng", "it is a link that leads to no file"),
        ("loop.pcapng", "it is a link that leads to no file"),
        ("good.pcapng", "good.probe.json is not read: it is a pipe, no file"),
        ("good.pcapng", "good.part2.pcapng is a pipe, no file: it and what follows it are not read"),
    ];
    let document = found.document();
    let notices = document["notices"].as_array().expect("notices");
    for (name, says) in words {
        let of = |notice: &&Value| notice["file"].as_str().is_some_and(|file| file.ends_with(&format!("/{name}")));
        let told =
            notices.iter().filter(of).any(|notice| notice["says"].as_str().is_some_and(|told| told.contains(says)));
        assert!(told, "{name}: {says}: {notices:#?}");
        assert!(found.talk.contains(name), "{name}: {}", found.talk);
    }
    assert!(!found.notices().contains("pipe.txt"));
    // Every command that takes a folder.
    for args in [
        &["histogram", "recordings"][..],
        &["report", "recordings", "-o", "report.html"],
        &["explain", "0x904", "--capture", "recordings"],
        &["diff", "recordings", "recordings"],
        &["bundle", "recordings", "-o", "bundle.tar.gz"],
    ] {
        let found = run(folder.path(), args)?;
        assert!(matches!(found.code, Some(0 | 1)), "{args:?}: {:?} {}", found.code, found.talk);
        assert!(found.talk.contains("it is a socket, no file"), "{args:?}: {}", found.talk);
    }
    let all = run(folder.path(), &["finalize", "recordings/good.pcapng", "recordings/pipe.pcapng"])?;
    assert_eq!(all.code, Some(2));
    assert!(all.talk.contains("it is a pipe, no file") && all.out.contains("good.pcapng: "), "{}{}", all.talk, all.out);
    Ok(())
}

/// Who names a pipe gets what comes through it.
#[test]
fn a_pipe_that_is_named_is_read() -> Outcome<()> {
    let folder = Folder::new()?;
    let bare = run(folder.path(), &["analyze", "--format", "json", &golden("alert-70.pcapng").display().to_string()])?;
    fs::write(folder.path().join("a.pcapng"), fs::read(golden("alert-70.pcapng"))?)?;
    fs::write(folder.path().join("a.zip"), packed::zip(&[("a.pcapng", &fs::read(golden("alert-70.pcapng"))?)]))?;
    fifo(&folder.path().join("pipe"))?;
    let ways = [
        "cat a.pcapng | \"$0\" analyze --format json -",
        "cat a.zip | \"$0\" analyze --format json -",
        "\"$0\" analyze --format json <(cat a.pcapng)",
        "\"$0\" analyze --format json <(cat a.zip)",
        "cat a.pcapng > pipe & \"$0\" analyze --format json pipe",
        "\"$0\" analyze --format json /dev/fd/3 3< a.pcapng",
    ];
    for way in ways {
        let mut command = Command::new("bash");
        command.args(["-c", way]).arg(program());
        let found = run_command(folder.path(), command)?;
        assert_eq!((found.code, found.attempts()), (bare.code, bare.attempts()), "{way}: {}", found.talk);
    }
    for way in ["cat a.pcapng | \"$0\" analyze --follow -", "\"$0\" analyze --follow <(cat a.pcapng)"] {
        let mut command = Command::new("bash");
        command.args(["-c", &format!("{way} --speed 100000")]).arg(program());
        let found = run_command(folder.path(), command)?;
        assert!(found.code == Some(1) && found.out.contains("TLS-"), "{way}: {}{}", found.out, found.talk);
    }
    Ok(())
}

/// Inputs in which there is nothing that can be read.
fn unreadable(folder: &Path) -> Outcome<Vec<&'static str>> {
    let golden = fs::read(golden("alert-70.pcapng"))?;
    fs::write(folder.join("empty.pcapng"), "")?;
    fs::write(folder.join("text.pcapng"), "GET / HTTP/1.1\r\n\r\n")?;
    fs::write(folder.join("sealed.zip"), packed::encrypted_zip(&[("a.pcapng", &golden)]))?;
    fs::write(folder.join("torn.pcapng"), &golden[..20])?;
    fs::write(folder.join("zeros.pcapng"), [0; 4096])?;
    // One packet of USB.
    let link = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 1 << 18, 189, 1, 0, 8, 8, 7, 7];
    fs::write(folder.join("usb.pcap"), link.map(u32::to_le_bytes).concat())?;
    Ok(vec!["empty.pcapng", "text.pcapng", "sealed.zip", "torn.pcapng", "zeros.pcapng", "usb.pcap", "missing.pcapng"])
}

#[test]
fn every_command_ends_with_2_where_nothing_could_be_read() -> Outcome<()> {
    let folder = Folder::new()?;
    fs::copy(golden("healthy-tls12.pcapng"), folder.path().join("good.pcapng"))?;
    let commands: [&[&str]; 14] = [
        &["analyze", "FILE"],
        &["analyze", "FILE", "--format", "json"],
        &["analyze", "FILE", "good.pcapng"],
        &["analyze", "--follow", "FILE"],
        &["report", "FILE", "-o", "report.html", "--force"],
        &["play", "FILE", "--at", "1", "-o", "play.png", "--force"],
        &["histogram", "FILE"],
        &["histogram", "good.pcapng", "--vs", "FILE"],
        &["diff", "FILE", "good.pcapng"],
        &["diff", "good.pcapng", "FILE"],
        &["redact", "FILE", "-o", "redacted.pcapng", "--force"],
        &["explain", "0x904", "--capture", "FILE"],
        &["bundle", "FILE", "-o", "bundle.tar.gz", "--force"],
        &["replay", "FILE", "--to", "127.0.0.1:1"],
    ];
    for name in unreadable(folder.path())? {
        for command in commands {
            let args: Vec<&str> = command.iter().map(|arg| if *arg == "FILE" { name } else { *arg }).collect();
            let ran = run(folder.path(), &args)?;
            assert_eq!(ran.code, Some(2), "{args:?}: {}{}", ran.out, ran.talk);
            assert!(ran.talk.contains(name), "{args:?}: {}", ran.talk);
        }
    }
    let ran = run(folder.path(), &["bundle", "usb.pcap", "--as-is", "-o", "as-is.tar.gz"])?;
    assert_eq!(ran.code, Some(2), "{}", ran.talk);
    Ok(())
}

/// A full disk, a killed program and a machine that went down leave them.
#[test]
fn files_that_were_never_written_on_are_no_errors_in_a_folder() -> Outcome<()> {
    let folder = Folder::new()?;
    let recordings = folder.path().join("recordings");
    fs::create_dir(&recordings)?;
    let golden = fs::read(golden("healthy-tls12.pcapng"))?;
    fs::write(recordings.join("good.pcapng"), &golden)?;
    fs::write(recordings.join("good.part2.pcapng"), "")?;
    fs::write(recordings.join("torn-part.pcapng"), &golden)?;
    fs::write(recordings.join("torn-part.part2.pcapng"), &golden[..7])?;
    fs::write(recordings.join("empty.pcapng"), "")?;
    fs::write(recordings.join("empty.pcapng.gz"), "")?;
    fs::write(recordings.join("zeros.pcapng"), [0; 8192])?;
    for len in [1, 11, 12, 27] {
        fs::write(recordings.join(format!("torn-{len}.pcapng")), &golden[..len])?;
    }
    let found = run(folder.path(), &["analyze", "recordings", "--format", "json"])?;
    assert_eq!((found.code, found.attempts()), (Some(0), 2), "{}", found.talk);
    for says in ["empty: nothing was written to it", "torn: the first bytes of one", "torn: nothing but zeros"] {
        assert!(found.notices().contains(says), "{says}: {}", found.notices());
    }
    assert!(found.talk.contains("note: recordings/empty.pcapng: empty: "), "{}", found.talk);
    let mut files: Vec<PathBuf> = fs::read_dir(&recordings)?.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "pcapng"));
    files.sort();
    let mut command = Command::new(program());
    let ran = run_command(folder.path(), {
        command.arg("finalize").args(&files);
        command
    })?;
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), files.len()), "{}{}", ran.out, ran.talk);
    for says in [
        "empty.pcapng: empty: nothing was written to it",
        "torn-11.pcapng: torn: it holds 11 bytes, no whole block",
        "torn-1.pcapng: torn: it holds 1 byte,",
    ] {
        assert!(ran.out.contains(says), "{says}: {}", ran.out);
    }
    let bundle = run(folder.path(), &["bundle", "recordings", "-o", "bundle.tar.gz"])?;
    assert_eq!(bundle.code, Some(0), "{}", bundle.talk);
    // Who names it asks for what is in it.
    for name in ["empty.pcapng", "torn-11.pcapng", "zeros.pcapng"] {
        let ran = run(&recordings, &["analyze", name])?;
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.talk);
    }
    Ok(())
}

/// Nobody may read it: an error for that file, and the others are read.
#[test]
fn a_file_without_permission_does_not_hide_the_others() -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new()?;
    fs::copy(golden("healthy-tls12.pcapng"), folder.path().join("a.pcapng"))?;
    fs::copy(golden("healthy-tls12.pcapng"), folder.path().join("b.pcapng"))?;
    let closed = folder.path().join("b.pcapng");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000))?;
    if fs::File::open(&closed).is_ok() {
        // Root may read anything: what cannot be opened stands in for it.
        fs::remove_file(&closed)?;
        symlink("/proc/self/mem/b", &closed)?;
        let found = run(folder.path(), &["analyze", ".", "--format", "json"])?;
        assert_eq!(found.attempts(), 1, "{}", found.talk);
        return Ok(());
    }
    let found = run(folder.path(), &["analyze", ".", "--format", "json"])?;
    assert_eq!((found.code, found.attempts()), (Some(2), 1), "{}", found.talk);
    assert!(found.talk.contains("b.pcapng"), "{}", found.talk);
    Ok(())
}
