//! `rdpscope diff`, and `rdpscope bundle`: sessions side by side, and what is packed for somebody else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::judge::recorded;
use crate::support::process::{Folder, program as of_system, with_peers};
use crate::support::program::program;
use crate::support::script;

const OPENING: &str = "
    21ms > @request SSL cookie=alice
    41ms < @confirm SSL
    43ms > @hello 1.2,1.3 sni=server.example
";
const HEALTHY: &str = "
    64ms < @server-hello 1.2
    64ms < @certificate valid
    64ms < @hello-done
    66ms > @key-exchange
    66ms > @finished
    86ms < @finished
    88ms session 20ms
    9s   > fin
";
const SLOW: &str = "
    764ms < @server-hello 1.2
    764ms < @certificate valid
    764ms < @hello-done
    766ms > @key-exchange
    766ms > @finished
    786ms < @finished
    788ms session 20ms
    9s    > fin
";
const RESET: &str = "
    66ms < rst
";

fn run(args: &[&str]) -> Output {
    Command::new(program()).args(args).output().expect("run")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn story(folder: &Folder, name: &str, story: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, recorded(&script::parse(&(OPENING.to_owned() + story))[0])).expect("written");
    path
}

/// How it ends, the phase in which they part and what differs there, and every fact that differs and matters.
fn check(good: &str, bad: &str, code: i32, part_in: Option<(&str, &str)>, facts: &[&str]) {
    let folder = Folder::new().expect("a folder");
    let files = [story(&folder, "good.pcapng", good), story(&folder, "bad.pcapng", bad)];
    let [good, bad] = files.each_ref().map(|path| path.to_str().expect("a path"));
    let ran = run(&["diff", good, bad, "--format", "json"]);
    let document: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!(ran.status.code(), Some(code), "{document:#}");
    let parting = &document["part_in"];
    assert_eq!(parting["phase"].as_str().zip(parting["by"].as_str()), part_in, "{document:#}");
    let differ = document["facts"].as_array().expect("facts").iter().filter(|fact| fact["matters"] == true);
    let differ: Vec<&str> = differ.filter_map(|fact| fact["fact"].as_str()).collect();
    assert_eq!(differ, facts, "{document:#}");
    let says = text(&run(&["diff", good, bad]).stdout);
    match part_in {
        Some((phase, by)) => assert!(says.contains(&format!("they part in {phase}: {by}")), "{says}"),
        None => assert!(says.contains("nothing differs that matters"), "{says}"),
    }
}

#[test]
fn the_same_session_does_not_differ() {
    check(HEALTHY, HEALTHY, 0, None, &[]);
}

#[test]
fn a_slow_server_is_told_by_its_phase() {
    check(HEALTHY, SLOW, 1, Some(("tls", "the time it took")), &[]);
}

#[test]
fn another_suite_and_certificate() {
    let other = HEALTHY.replace("@certificate valid", "@certificate expired");
    let folder = Folder::new().expect("a folder");
    let files = [story(&folder, "good.pcapng", HEALTHY), story(&folder, "bad.pcapng", &other)];
    let [good, bad] = files.each_ref().map(|path| path.to_str().expect("a path"));
    let ran = run(&["diff", good, bad]);
    let says = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{says}");
    assert!(says.contains("they part in tls") && says.contains("valid until"), "{says}");
}

#[test]
fn a_reset_shows_what_never_came() {
    let folder = Folder::new().expect("a folder");
    story(&folder, "a.pcapng", HEALTHY);
    story(&folder, "b.pcapng", RESET);
    // Of a folder the session that went well, and the one that did not.
    let path = folder.path().to_str().expect("a path");
    let ran = run(&["diff", path, path]);
    let says = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{says}");
    for part in ["they part in tls", "tls: version", "outcome", "connected", "failed", "RTT"] {
        assert!(says.contains(part), "{part}: {says}");
    }
}

#[test]
fn legs_of_one_session() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/healthy-tls12.pcapng");
    let ran = run(&["diff", "--legs", golden.to_str().expect("a path")]);
    let says = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{says}{}", text(&ran.stderr));
    for part in ["front leg", "back leg", "nothing differs that matters", "RTT"] {
        assert!(says.contains(part), "{part}: {says}");
    }
    assert_eq!(run(&["diff", golden.to_str().expect("a path")]).status.code(), Some(2));
    assert_eq!(run(&["diff", "--legs", "not-there.pcapng"]).status.code(), Some(2));
}

/// What differed before is listed, and stopped nobody: they part where one stopped.
#[test]
fn sessions_part_where_one_of_them_stopped() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let part = |one: &str, other: &str| {
        let path = |name: &str| captures.join(format!("{name}.pcapng")).display().to_string();
        let ran = run(&["diff", &path(one), &path(other), "--format", "json"]);
        let document: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        document["part_in"]["phase"].as_str().map(str::to_owned)
    };
    // The good sessions offer other protocols, speak another version of TLS, show another certificate.
    for good in ["healthy-tls12", "healthy-tls13", "healthy-nla", "healthy-legacy", "healthy-expired"] {
        for (bad, phase) in [
            ("name-does-not-resolve", "name-resolution"),
            ("refused", "tcp"),
            ("silence-after-request", "negotiation"),
            ("no-certificate", "negotiation"),
            ("alert-40", "tls"),
            ("client-alert-45", "tls"),
            ("denied-tls13", "tls"),
            ("silence-after-client-hello", "tls"),
            ("fin-after-connect-initial", "basic-settings"),
            ("goodbye-after-client-info", "secure-settings"),
            ("reset-in-active", "active"),
        ] {
            assert_eq!(part(good, bad).as_deref(), Some(phase), "{good} and {bad}");
        }
    }
    // Two that stopped part where the first did.
    assert_eq!(part("reset-in-active", "alert-40").as_deref(), Some("tls"));
    assert_eq!(part("refused", "alert-40").as_deref(), Some("tcp"));
}

#[test]
fn a_folder_is_bundled_and_no_error_suggests_to_share_names() {
    let folder = Folder::new().expect("a folder");
    story(&folder, "a.pcapng", HEALTHY);
    story(&folder, "b.pcapng", RESET);
    fs::write(folder.path().join("b.probe.json"), "{}").expect("written");
    fs::write(folder.path().join("note.txt"), "no recording").expect("written");
    let path = folder.path().to_str().expect("a path").to_owned();
    let out = format!("{path}/all.tar.gz");
    let ran = run(&["bundle", &path, "-o", &out]);
    let said = text(&ran.stdout) + &text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(said.contains("all.tar.gz: 2 files"), "{said}");
    // Once more, now that the archive lies among them, and as they are.
    for more in [&["--force"][..], &["--force", "--as-is"]] {
        let ran = run(&[&["bundle", &path, "-o", &out], more].concat());
        let said = text(&ran.stdout) + &text(&ran.stderr);
        assert!(ran.status.code() == Some(0) && said.contains("2 files"), "{said}");
    }
    // One that cannot be read is left out, which is told.
    fs::write(folder.path().join("c.pcapng"), "rubbish").expect("written");
    let ran = run(&["bundle", &path, "-o", &out, "--force"]);
    let said = text(&ran.stdout) + &text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("left out") && said.contains("c.pcapng") && said.contains("2 files"), "{said}");
    let empty = Folder::new().expect("a folder");
    let (rubbish, empty) = (format!("{path}/c.pcapng"), empty.path().to_str().expect("a path").to_owned());
    for input in [rubbish.as_str(), empty.as_str(), "not-there.pcapng"] {
        let ran = run(&["bundle", input, "-o", &format!("{path}/none.tar.gz")]);
        let said = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{said}");
        assert!(!said.contains("as-is") && !folder.path().join("none.tar.gz").exists(), "{said}");
    }
}

#[test]
fn a_bundle_holds_what_is_said_and_no_names() {
    with_peers("a_bundle_holds_what_is_said_and_no_names", || {
        let tar = of_system("tar")?;
        let folder = Folder::new()?;
        let file = story(&folder, "server.example.pcapng", RESET);
        let out = folder.path().join("support.tar.gz");
        let (file, out) = (file.to_str().expect("a path"), out.to_str().expect("a path"));
        let ran = run(&["bundle", file, "-o", out]);
        assert_eq!(ran.status.code(), Some(0), "{}{}", text(&ran.stdout), text(&ran.stderr));
        let unpacked = Command::new(&tar).args(["-xzf", out, "-C"]).arg(folder.path()).status()?;
        assert!(unpacked.success());
        let inside = folder.path().join("rdpscope-bundle");
        let mut names: Vec<_> =
            fs::read_dir(&inside)?.map(|one| one.map(|one| one.file_name())).collect::<Result<_, _>>()?;
        names.sort();
        assert_eq!(names, ["recording-1.pcapng", "report.html", "report.json", "system.txt"]);
        for name in names {
            let content = fs::read(inside.join(&name))?;
            for secret in ["server.example", "=alice", "cookie alice"] {
                let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {}", name.display());
            }
        }
        let document: Value = serde_json::from_slice(&fs::read(inside.join("report.json"))?).expect("JSON");
        assert_eq!(document["attempts"][0]["outcome"], "failed");
        assert_eq!(run(&["bundle", file, "-o", out]).status.code(), Some(2), "it is there");
        assert_eq!(run(&["bundle", file, "-o", out, "--as-is", "--force"]).status.code(), Some(0));
        assert_eq!(run(&["bundle", file, "-o", "support.zip"]).status.code(), Some(2));
        Ok(())
    });
}
