//! Whatever stands in a name: no output of any command drives a terminal by it, hides it or turns it around.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use analyzer::observation::{Opening, Seen};
use analyzer::shown::is_hidden;

use crate::support::judge::recorded;
use crate::support::messages::bytes;
use crate::support::process::Folder;
use crate::support::program::program;
use crate::support::script;

/// ESC, BEL, CR LF and a line that looks like one of ours, RIGHT-TO-LEFT OVERRIDE, ZERO WIDTH SPACE, LINE SEPARATOR, CSI.
const HOSTILE: &str = "x\u{1b}[31m\u{7}\r\n#9 connected\u{202e}\u{200b}\u{2028}\u{9b}y";

const STORY: &str = "
    21ms > @request SSL cookie=COOKIE_OF_THE_CLIENT
    41ms < @confirm SSL
    43ms > @hello 1.2 sni=SNI.OF.THE.CLIENT.EXAMPLE
    64ms < @server-hello 1.2
    64ms < @certificate self-signed
    64ms < @hello-done
    85ms > @alert 48
    85ms > fin
    105ms < fin
";

/// As long as what it stands for, and hostile.
fn hostile(len: usize) -> String {
    let mut text = String::new();
    for c in "\u{1b}\u{202e}\u{200b}\u{9b}\u{2028}\u{7}\u{61c}\u{2066}".chars() {
        if text.len() + c.len_utf8() <= len {
            text.push(c);
        }
    }
    while text.len() < len {
        text.push('x');
    }
    text
}

/// A session whose every name is hostile.
fn session() -> Vec<u8> {
    let [observations] = &script::parse(STORY)[..] else { panic!("one session") };
    let certificate = bytes(&["@certificate", "self-signed"]);
    let names: [&[u8]; 3] = [b"COOKIE_OF_THE_CLIENT", b"SNI.OF.THE.CLIENT.EXAMPLE", b"server.example"];
    let mut observations = observations.clone();
    for observation in &mut observations {
        match &mut observation.seen {
            Seen::Bytes { data, .. } => {
                let mut changed = data.to_vec();
                for name in names {
                    while let Some(at) = changed.windows(name.len()).position(|window| window == name) {
                        let other = hostile(name.len());
                        changed[at..at + name.len()].copy_from_slice(other.as_bytes());
                    }
                }
                *data = changed.into();
            }
            Seen::Opening(Opening::Target { name, .. }) => *name = HOSTILE.to_owned(),
            _ => {}
        }
    }
    assert!(certificate.windows(14).any(|window| window == names[2]), "there is a name to replace");
    recorded(&observations)
}

/// What of an output is not to be there.
fn trouble(says: &str) -> Option<String> {
    let raw = says.chars().find(|c| is_hidden(*c) && !matches!(c, '\n' | '\t'));
    let raw = raw.map(|c| format!("{c:?} stands there as it is"));
    raw.or_else(|| says.lines().any(|line| line.starts_with("#9 connected")).then(|| "a line was made up".into()))
}

#[cfg(unix)]
#[test]
fn no_output_has_a_name_as_it_is() {
    let folder = Folder::new().expect("a folder");
    let within = folder.path().join(HOSTILE);
    fs::create_dir(&within).expect("a folder");
    let file = |name: &str| within.join(format!("{HOSTILE}{name}"));
    let (recording, other) = (file("1.pcapng"), file("2.pcapng"));
    fs::write(&recording, session()).expect("a recording");
    fs::write(&other, session()).expect("a recording");
    fs::write(file("broken.pcapng"), b"no capture").expect("a file");
    fs::write(file("keys.txt"), b"no keys").expect("a file");
    let text = |path: &PathBuf| path.clone().into_os_string();
    let (one, two, missing) = (text(&recording), text(&other), text(&file("missing")));
    let (html, json, shared) = (file("out.html"), file("out.json"), file("shared.pcapng"));
    let word = OsStr::new(HOSTILE).to_owned();
    let calls: Vec<Vec<std::ffi::OsString>> = [
        vec!["analyze".into(), one.clone()],
        vec!["analyze".into(), text(&within)],
        vec!["analyze".into(), "--names".into(), "--format".into(), "json".into(), text(&within)],
        vec!["analyze".into(), one.clone(), "--format".into(), "json".into(), "-o".into(), text(&json)],
        vec!["analyze".into(), "--follow".into(), "--speed".into(), "1000".into(), one.clone()],
        vec!["analyze".into(), "--follow".into(), missing.clone()],
        vec!["analyze".into(), "--follow".into(), text(&within)],
        vec!["analyze".into(), "--keylog".into(), text(&file("keys.txt")), one.clone()],
        vec!["analyze".into(), "--keylog".into(), missing.clone(), one.clone()],
        vec!["analyze".into(), missing.clone()],
        vec!["-v".into(), "analyze".into(), one.clone()],
        vec!["report".into(), one.clone()],
        vec!["report".into(), one.clone(), two.clone(), "-o".into(), text(&html)],
        vec!["diff".into(), one.clone(), two.clone()],
        vec!["diff".into(), "--legs".into(), one.clone()],
        vec!["diff".into(), "--format".into(), "json".into(), one.clone(), two.clone()],
        vec!["diff".into(), one.clone(), missing.clone()],
        vec!["explain".into(), "0x904".into(), "--capture".into(), one.clone()],
        vec!["explain".into(), word.clone()],
        vec!["explain".into(), "--format".into(), "json".into(), word.clone()],
        vec!["histogram".into(), text(&within)],
        vec!["histogram".into(), one.clone(), "--vs".into(), two.clone()],
        vec!["histogram".into(), one.clone(), "--by".into(), "server".into(), "--format".into(), "csv".into()],
        vec!["histogram".into(), one.clone(), "--by".into(), "server".into(), "--format".into(), "json".into()],
        vec!["histogram".into(), one.clone(), "--phase".into(), word.clone()],
        vec!["redact".into(), one.clone(), "-o".into(), text(&shared)],
        vec!["redact".into(), one.clone(), "-o".into(), text(&shared)],
        vec!["redact".into(), text(&file("broken.pcapng")), "-o".into(), text(&file("nothing"))],
        vec!["bundle".into(), text(&within), "-o".into(), text(&file("all.tar.gz"))],
        vec!["bundle".into(), one.clone(), "-o".into(), word.clone()],
        vec!["finalize".into(), one.clone(), text(&file("broken.pcapng"))],
        vec!["play".into(), one.clone(), "-o".into(), text(&file("out.html"))],
        vec!["play".into(), missing.clone(), "-o".into(), text(&file("out.png"))],
        vec!["replay".into(), missing.clone(), "--to".into(), "127.0.0.1:1".into()],
        vec!["rules".into(), word.clone()],
        vec!["probe".into(), word.clone()],
        vec!["man".into(), word.clone()],
        vec!["ca".into(), "show".into(), "--ca".into(), missing.clone()],
        vec!["proxy".into(), "--to".into(), word.clone()],
        vec![
            "proxy".into(),
            "--to".into(),
            "localhost".into(),
            "--report".into(),
            missing.clone(),
            "--keylog".into(),
            text(&within),
        ],
        vec!["proxy".into(), "--to".into(), "localhost".into(), "--impair".into(), word.clone()],
        vec![word.clone()],
        vec!["analyze".into(), format!("--{HOSTILE}").into()],
        vec!["analyze".into(), "--speed".into(), word.clone(), one],
    ]
    .into();
    let mut wrong = Vec::new();
    for call in &calls {
        let mut command = Command::new(program());
        let output = command.args(call).stdin(Stdio::null()).current_dir(&within).output().expect("rdpscope runs");
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            // A name that is no UTF-8 was made so by nobody here.
            let says = std::str::from_utf8(bytes).map(trouble).unwrap_or(Some("no UTF-8".into()));
            wrong.extend(says.map(|says| format!("{name} of {call:?}: {says}: {:?}", String::from_utf8_lossy(bytes))));
        }
        let is_file = call.iter().any(|word| word == "-o");
        assert!(is_file || !output.stdout.is_empty() || !output.stderr.is_empty(), "{call:?} says nothing");
    }
    for path in [&html, &json] {
        let says = fs::read_to_string(path).expect("it was written");
        wrong.extend(trouble(&says).map(|says| format!("{}: {says}", path.display())));
    }
    let document = fs::read_to_string(&json).expect("JSON");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(
        document["attempts"][0]["sessions"][0]["file"],
        recording.to_string_lossy().as_ref(),
        "the value is the same"
    );
    wrong.extend(comments(&shared).into_iter().chain(comments(&recording)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Comments of a recording that have a name as it is.
#[cfg(unix)]
fn comments(path: &Path) -> Vec<String> {
    use analyzer::capture::file::{self, Item};
    let mut wrong = Vec::new();
    file::read(&fs::read(path).expect("a recording")[..], &mut |item| {
        let comments = match item {
            Item::Section { comments } | Item::Statistics { comments, .. } => comments,
            _ => Vec::new(),
        };
        wrong.extend(comments.iter().filter_map(|text| Some(format!("{text:?}: {}", trouble(text)?))));
        Ok(())
    })
    .expect("a recording");
    wrong
}

#[cfg(unix)]
#[test]
fn an_error_says_each_thing_once() {
    let folder = Folder::new().expect("a folder");
    for call in
        [&["bundle", ".", "-o", "x.tar.gz"][..], &["analyze", "."], &["analyze", "none"], &["redact", ".", "-o", "x"]]
    {
        let output = Command::new(program()).args(call).current_dir(folder.path()).output().expect("rdpscope runs");
        let says = String::from_utf8_lossy(&output.stderr).into_owned();
        for line in says.lines() {
            let steps: Vec<&str> = line.split(": ").collect();
            assert!(steps.windows(2).all(|two| two[0] != two[1]), "{call:?}: {line}");
        }
    }
}
