//! Every file that a command is told to write: the same rule for all of them. It is there whole or not at all, its owner's alone
//! whatever was there and whatever the umask is, through nothing that was planted, and replaces a file only with `--force`.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::process::{Folder, Outcome, Trouble, need_root, program as found, with_peers};
use crate::support::program::{Proxy, analyze, program};

const BEFORE: &str = "what was there before";

fn capture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name).display().to_string()
}

/// A command that writes a file.
struct Writer {
    /// What it is called here.
    name: &'static str,
    args: Vec<String>,
    /// What the file has to be called.
    file: &'static str,
    /// Whether everybody may read it.
    is_public: bool,
    /// Whether its output is named by its folder alone.
    is_in_folder: bool,
}

fn writers(ca: &Path) -> Vec<Writer> {
    let (healthy, sealed) = (capture("healthy-tls12.pcapng"), capture("reset-after-client-hello.pcapng"));
    let keyed = capture(&format!("keyed/{KEYED}"));
    let authority = ca.display().to_string();
    let file = |name, args: &[&str], file| Writer {
        name,
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        file,
        is_public: false,
        is_in_folder: false,
    };
    vec![
        file("analyze", &["analyze", &healthy], "a.txt"),
        file("analyze json", &["analyze", "--format", "json", &healthy], "a.json"),
        file("report", &["report", &healthy], "r.html"),
        file("diff", &["diff", &healthy, &sealed], "d.txt"),
        file("histogram", &["histogram", &healthy], "h.txt"),
        file("hgrm", &["histogram", "--format", "hgrm", "--phase", "tls", &healthy], "h.hgrm"),
        file("redact", &["redact", &healthy], "shared.pcapng"),
        file("bundle", &["bundle", &healthy], "b.tar.gz"),
        file("play html", &["play", &keyed], "p.html"),
        file("play png", &["play", &keyed], "p.png"),
        Writer { is_public: true, ..file("ca export", &["ca", "export", "--ca", &authority], "ca.pem") },
        Writer { is_public: true, ..file("ca export der", &["ca", "export", "--der", "--ca", &authority], "ca.der") },
        Writer { is_public: true, is_in_folder: true, ..file("man", &["man"], "rdpscope-proxy.1") },
    ]
}

const KEYED: &str = "ironrdp-ironrdp-nla.pcapng";

impl Writer {
    /// Runs it with this umask.
    fn run(&self, umask: &str, to: &Path, more: &[&str]) -> Outcome<Output> {
        let to = if self.is_in_folder { to.parent().unwrap_or(to) } else { to };
        let mut command = Command::new("sh");
        command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(program()).args(&self.args);
        command.arg("-o").arg(to).args(more).stdin(Stdio::null()).env_remove("SSLKEYLOGFILE");
        Ok(command.output()?)
    }

    fn mode(&self) -> u32 {
        if self.is_public { 0o644 } else { 0o600 }
    }

    /// It has written the file, and nothing lies beside it.
    fn wrote(&self, case: &str, ran: &Output, to: &Path) -> Outcome<()> {
        let (name, says) = (self.name, String::from_utf8_lossy(&ran.stderr).into_owned());
        assert_ne!(ran.status.code(), Some(2), "{name}, {case}: {says}");
        let found = fs::symlink_metadata(to)?;
        assert!(found.is_file() && found.len() > 20, "{name}, {case}: {found:?}");
        assert_eq!((found.permissions().mode() & 0o7777, found.nlink()), (self.mode(), 1), "{name}, {case}");
        assert_ne!(fs::read(to)?, BEFORE.as_bytes(), "{name}, {case}");
        self.left_nothing(case, to);
        Ok(())
    }

    /// It has refused, in the words of all, and touched nothing.
    fn refused(&self, case: &str, ran: &Output, to: &Path) {
        let (name, says) = (self.name, String::from_utf8_lossy(&ran.stderr).into_owned());
        assert_eq!(ran.status.code(), Some(2), "{name}, {case}: {says}");
        let expected = format!("{} is there already: --force replaces it", to.display());
        assert!(says.contains(&expected), "{name}, {case}: {says}");
        self.left_nothing(case, to);
    }

    fn left_nothing(&self, case: &str, to: &Path) {
        let beside = fs::read_dir(to.parent().expect("a folder")).into_iter().flatten().flatten();
        let left: Vec<_> =
            beside.map(|entry| entry.file_name()).filter(|name| is_left(&name.to_string_lossy())).collect();
        assert!(left.is_empty(), "{}, {case}: {left:?}", self.name);
    }
}

fn is_left(name: &str) -> bool {
    name.starts_with(".rdpscope") || name.ends_with(".part")
}

fn authority(folder: &Folder) -> Outcome<PathBuf> {
    let at = folder.path().join("ca");
    let made = Command::new(program()).args(["ca", "init", "--out"]).arg(&at).output()?;
    assert!(made.status.success(), "{made:?}");
    Ok(at)
}

/// A folder of its own for each case.
fn place(folder: &Folder, number: &mut u32, writer: &Writer) -> Outcome<PathBuf> {
    *number += 1;
    let own = folder.path().join(number.to_string());
    fs::create_dir(&own)?;
    Ok(own.join(writer.file))
}

#[test]
fn every_output_follows_one_rule() -> Outcome<()> {
    let folder = Folder::new()?;
    let ca = authority(&folder)?;
    let mut number = 0;
    for writer in writers(&ca) {
        for umask in ["000", "077", "777"] {
            let to = place(&folder, &mut number, &writer)?;
            writer.wrote(&format!("new, umask {umask}"), &writer.run(umask, &to, &[])?, &to)?;
        }
        // What is there stays, until it is told otherwise.
        for (mode, force) in [(0o644, false), (0o666, true), (0o400, true)] {
            let to = place(&folder, &mut number, &writer)?;
            fs::write(&to, BEFORE)?;
            fs::set_permissions(&to, PermissionsExt::from_mode(mode))?;
            if force {
                writer.wrote("replaced", &writer.run("000", &to, &["--force"])?, &to)?;
            } else {
                writer.refused("there", &writer.run("000", &to, &[])?, &to);
                assert_eq!(fs::read_to_string(&to)?, BEFORE);
            }
        }
        // What was planted is no way to another file.
        for kind in ["link", "dangling link", "hard link"] {
            for force in [false, true] {
                let to = place(&folder, &mut number, &writer)?;
                let victim = folder.path().join(format!("victim-{number}"));
                if kind != "dangling link" {
                    fs::write(&victim, BEFORE)?;
                }
                if kind == "hard link" {
                    fs::hard_link(&victim, &to)?
                } else {
                    symlink(&victim, &to)?
                }
                let ran = writer.run("000", &to, if force { &["--force"] } else { &[] })?;
                let case = format!("{kind}, {force}");
                if force {
                    writer.wrote(&case, &ran, &to)?
                } else {
                    writer.refused(&case, &ran, &to)
                }
                assert_eq!(fs::read_to_string(&victim).ok().as_deref(), (kind != "dangling link").then_some(BEFORE));
            }
        }
        // Where nothing can be written that is told, and nothing of it stays.
        let missing = folder.path().join("absent").join(writer.file);
        let nowhere = [missing, Path::new("/proc/self").join(writer.file)];
        for to in nowhere.iter().filter(|to| !writer.is_in_folder || to.starts_with("/proc")) {
            let ran = writer.run("022", to, &[])?;
            let says = String::from_utf8_lossy(&ran.stderr).into_owned();
            assert_eq!(ran.status.code(), Some(2), "{}, {}: {says}", writer.name, to.display());
            assert!(
                says.contains("cannot write") && says.contains(&to.display().to_string()),
                "{}: {says}",
                writer.name
            );
        }
        let to = place(&folder, &mut number, &writer)?;
        fs::create_dir(&to)?;
        if !writer.name.starts_with("play") {
            assert_eq!(writer.run("022", &to, &["--force"])?.status.code(), Some(2), "{}: a folder", writer.name);
            writer.left_nothing("a folder", &to);
        }
    }
    Ok(())
}

/// What has no name of its own can be named.
fn is_any_name(writer: &Writer) -> bool {
    !writer.is_in_folder && !["bundle", "play html", "play png"].contains(&writer.name)
}

#[test]
fn standard_output_pipes_and_devices_are_written_to_as_they_are() -> Outcome<()> {
    let folder = Folder::new()?;
    let ca = authority(&folder)?;
    for writer in writers(&ca).iter().filter(|writer| is_any_name(writer)) {
        let name = writer.name;
        for to in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            let ran = writer.run("022", Path::new(to), &[])?;
            assert_ne!(ran.status.code(), Some(2), "{name} to {to}: {ran:?}");
            assert!(ran.stdout.len() > 20, "{name} to {to}: {ran:?}");
        }
        assert!(!Path::new("-").exists());
        let ran = writer.run("022", Path::new("/dev/null"), &[])?;
        assert_ne!(ran.status.code(), Some(2), "{name}: {ran:?}");
        let ran = writer.run("022", Path::new("/dev/full"), &[])?;
        let says = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.code() == Some(2) && says.contains("No space left on device"), "{name}: {says}");
        let pipe = folder.path().join(format!("{name}.pipe"));
        assert!(Command::new("mkfifo").arg(&pipe).status()?.success());
        let (from, mut read) = (pipe.clone(), Vec::new());
        let reader = std::thread::spawn(move || {
            fs::File::open(from).and_then(|mut pipe| pipe.read_to_end(&mut read)).map(|_| read)
        });
        let ran = writer.run("022", &pipe, &[])?;
        assert_ne!(ran.status.code(), Some(2), "{name}: {ran:?}");
        assert!(reader.join().expect("a reader")?.len() > 20, "{name}");
    }
    // What stands in a file already is not overwritten where standard output leads there.
    let log = folder.path().join("log");
    let script = format!("echo before > {0}; \"$0\" \"$@\" >> {0}", log.display());
    let healthy = capture("healthy-tls12.pcapng");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(program()).args(["analyze", &healthy, "-o", "/dev/stdout"]);
    assert!(command.status()?.success());
    let says = fs::read_to_string(log)?;
    assert!(says.starts_with("before\n") && says.len() > 20, "{says}");
    Ok(())
}

#[test]
fn a_full_disk_leaves_no_half_file() {
    with_peers("a_full_disk_leaves_no_half_file", || {
        need_root("a small disk")?;
        let folder = Folder::new()?;
        let ca = authority(&folder)?;
        let disk = folder.path().join("disk");
        fs::create_dir(&disk)?;
        let mount =
            Command::new(found("mount")?).args(["-t", "tmpfs", "-o", "size=8k", "tmpfs"]).arg(&disk).status()?;
        if !mount.success() {
            return Err(Trouble::Missing("mount of a tmpfs".into()));
        }
        fs::write(disk.join("filler"), vec![1; 4096])?;
        let ran = || -> Outcome<()> {
            for writer in
                writers(&ca).iter().filter(|writer| !["hgrm", "diff", "analyze", "histogram"].contains(&writer.name))
            {
                let to = disk.join(writer.file);
                let ran = writer.run("022", &to, &["--force"])?;
                if fs::symlink_metadata(&to).is_ok() {
                    // It has found room.
                    writer.wrote("a small disk", &ran, &to)?;
                    fs::remove_file(&to)?;
                } else {
                    assert_eq!(ran.status.code(), Some(2), "{}: {ran:?}", writer.name);
                }
                for page in
                    fs::read_dir(&disk)?.flatten().filter(|page| page.path().extension().is_some_and(|end| end == "1"))
                {
                    fs::remove_file(page.path())?;
                }
                let left: Vec<_> = fs::read_dir(&disk)?.flatten().map(|entry| entry.file_name()).collect();
                assert_eq!(left, ["filler"], "{}", writer.name);
            }
            Ok(())
        };
        let ran = ran();
        let _gone = Command::new("umount").arg("-l").arg(&disk).status();
        ran
    });
}

fn proxy(report: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(["proxy", "--to", "127.0.0.1:9", "--report"]).arg(report).args(more);
    command
}

#[test]
fn the_report_of_a_proxy_follows_the_rule_and_is_refused_at_the_start() -> Outcome<()> {
    let folder = Folder::new()?;
    let report = folder.path().join("r.html");
    let victim = folder.write("victim", BEFORE)?;
    for kind in ["file", "link", "hard link"] {
        match kind {
            "file" => fs::write(&report, BEFORE)?,
            "link" => symlink(&victim, &report)?,
            _ => fs::hard_link(&victim, &report)?,
        }
        let ran = proxy(&report, &["--listen", "127.0.0.1:0"]).output()?;
        let says = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(says.contains("is there already: --force replaces it"), "{kind}: {says}");
        assert_eq!(ran.status.code(), Some(2), "{kind}");
        assert_eq!(Proxy::run(proxy(&report, &["--force"]))?.finish()?.code, Some(0), "{kind}");
        let found = fs::symlink_metadata(&report)?;
        assert!(
            found.is_file() && found.nlink() == 1 && found.permissions().mode() & 0o777 == 0o600,
            "{kind}: {found:?}"
        );
        assert_eq!(fs::read_to_string(&victim)?, BEFORE, "{kind}");
        fs::remove_file(&report)?;
    }
    Ok(())
}

/// Secrets are appended to a file that is its owner's alone, and to nothing else.
#[test]
fn a_key_log_is_written_through_no_link() -> Outcome<()> {
    let folder = Folder::new()?;
    let lab = |log: &Path| {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(program());
        command.args(["lab", "healthy-tls12", "--play", "--listen", "127.0.0.1:0", "--keylog"]).arg(log).output()
    };
    let log = folder.path().join("keys");
    let lines = || fs::read_to_string(&log).map(|text| text.lines().count());
    assert!(lab(&log)?.status.success());
    let first = lines()?;
    fs::set_permissions(&log, PermissionsExt::from_mode(0o666))?;
    assert!(lab(&log)?.status.success());
    assert_eq!((first > 0, lines()?), (true, 2 * first), "it is appended to");
    assert_eq!(fs::metadata(&log)?.permissions().mode() & 0o777, 0o600);
    let victim = folder.write("victim", BEFORE)?;
    let (link, hard) = (folder.path().join("link"), folder.path().join("hard"));
    symlink(&victim, &link)?;
    fs::hard_link(&victim, &hard)?;
    for planted in [&link, &hard] {
        let ran = lab(planted)?;
        assert_eq!(ran.status.code(), Some(2), "{ran:?}");
        assert!(String::from_utf8_lossy(&ran.stderr).contains("expected a file, found "), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(&victim)?, BEFORE);
    Ok(())
}

/// What it has written itself a demo replaces.
#[test]
fn a_demo_replaces_its_own_report_and_nothing_behind_a_link() -> Outcome<()> {
    let folder = Folder::new()?;
    let out = folder.path().join("demo");
    let victim = folder.write("victim", BEFORE)?;
    let demo = || Command::new(program()).args(["demo", "--out"]).arg(&out).output();
    assert!(demo()?.status.success());
    fs::remove_file(out.join("report.html"))?;
    symlink(&victim, out.join("report.html"))?;
    let ran = demo()?;
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(fs::read_to_string(&victim)?, BEFORE);
    for name in ["report.html", "report.txt", "report.json"] {
        let found = fs::symlink_metadata(out.join(name))?;
        assert!(found.is_file() && found.permissions().mode() & 0o777 == 0o600, "{name}");
    }
    assert_ne!(analyze(&[out])?.0, Some(2));
    Ok(())
}
