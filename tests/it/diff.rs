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
