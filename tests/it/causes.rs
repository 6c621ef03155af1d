//! The catalogue of causes: whole, as the reference has it; `rdpscope rules`; and docs/causes.md, which is made from it
//! and rewritten with UPDATE_EXPECT=1.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use analyzer::causes::{self, Cause, GROUPS, Layer, Visibility};
use analyzer::report::causes::{codes_of, known_by};
use serde_json::Value;

use crate::corpus::corpus;
use crate::support::program::program;

/// What no reference knows of: what only this program does, and what foreign captures and little-used peers have shown since.
#[rustfmt::skip]
const OWN: &[&str] = &[
    "PRX-IMPAIR", "PRX-HEADER", "SEC-MAC", "X224-REFUSED", "X224-HALF", "X224-BADREQ", "TLS-NOTTLS", "NLA-UNASKED", "PRX-STOPPED",
    "TLS-BADCERT", "TLS-BADMSG", "NLA-BADMSG", "MCS-BADMSG",
    // What updates of Windows, and of TLS, have brought since 2025.
    "NLA-SID", "NLA-RC4", "NLA-IAKERB", "NLA-UPDATE", "TLS-MLDSA", "PATH-HELLO", "SES-FROZEN", "UDP-65S", "RDP-FILE",
];

#[test]
fn the_catalogue_has_every_cause_of_the_reference() {
    let Some(corpus) = corpus() else { return };
    let path = corpus.join("../reference/causes.json");
    let Ok(text) = fs::read_to_string(&path) else { return eprintln!("SKIPPED: no {}", path.display()) };
    let reference: Value = serde_json::from_str(&text).expect("JSON");
    let id = |cause: &Value| cause["id"].as_str().expect("id").to_owned();
    let expected: BTreeSet<String> = reference.as_array().expect("a list").iter().map(id).collect();
    let known: BTreeSet<String> = causes::all().map(|cause| cause.id.to_owned()).collect();
    let apart: Vec<_> = expected.symmetric_difference(&known).filter(|id| !OWN.contains(&id.as_str())).collect();
    assert!(apart.is_empty(), "{apart:?}");
}

fn rules(words: &[&str]) -> Output {
    Command::new(program()).arg("rules").args(words).output().expect("run")
}

fn said(words: &[&str]) -> String {
    let output = rules(words);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_table_lists_every_cause_in_80_columns() {
    let table = said(&[]);
    let wide: Vec<&str> = table.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:?}");
    for cause in causes::all() {
        let row = table.lines().find(|line| line.starts_with(&format!("  {} ", cause.id))).expect(cause.id);
        assert!(row.contains(cause.visibility.name()), "{row}");
    }
    for layer in Layer::ALL {
        assert!(table.lines().any(|line| line == layer.name()), "{layer:?}");
    }
}

#[test]
fn of_one_cause_everything_is_said() {
    let text = said(&["nla-cred"]);
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:?}");
    let flowing = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cause = causes::cause("NLA-CRED").expect("known");
    let group = causes::groups("NLA-CRED").next().expect("in a group");
    let all = [cause.name, cause.evidence, cause.sign, cause.check, cause.fix, cause.spec, group.by];
    for says in all.iter().chain(cause.cannot_tell).chain(cause.mstsc) {
        assert!(flowing.contains(says), "{says:?} is not in {text}");
    }
    for other in ["NLA-ACCT: the account is disabled", "ERRCONNECT_LOGON_FAILURE", "STATUS_LOGON_FAILURE", "4625"] {
        assert!(flowing.contains(other), "{other:?} is not in {text}");
    }
}

#[test]
fn scripts_get_the_same() {
    let all: Value = serde_json::from_str(&said(&["--format", "json"])).expect("JSON");
    assert_eq!(all["causes"].as_array().expect("causes").len(), causes::all().count());
    let one: Value = serde_json::from_str(&said(&["TLS-FIPS", "--format", "json"])).expect("JSON");
    let [cause] = &one["causes"].as_array().expect("causes")[..] else { panic!("one") };
    assert_eq!((&cause["cause"], &cause["visibility"]["known_by"]), (&"TLS-FIPS".into(), &"hidden".into()));
    assert_eq!(cause["visibility"]["among"], serde_json::json!(["TLS-CIPHER", "TLS-VER"]));
    assert_eq!(all["causes"].as_array().expect("causes").iter().find(|one| one["cause"] == "TLS-FIPS"), Some(cause));
}

#[test]
fn a_cause_that_does_not_exist_is_refused_with_what_is_near() {
    let refused = |id: &str| {
        let output = rules(&[id]);
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{id}");
        String::from_utf8(output.stderr).expect("UTF-8").trim_end().to_owned()
    };
    assert_eq!(refused("TLS-NOKEYS"), "error: no cause has the name TLS-NOKEYS; near to it: TLS-NOKEY, TLS-NOTTLS");
    assert_eq!(refused("pmtu"), "error: no cause has the name pmtu; near to it: PATH-PMTU");
    assert_eq!(
        refused("nothing-like-it"),
        "error: no cause has the name nothing-like-it: rdpscope rules lists them all"
    );
}

#[test]
fn the_document_says_what_the_catalogue_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/causes.md");
    let text = document();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(path.parent().expect("docs")).expect("docs");
        fs::write(&path, &text).expect("write");
    }
    let stands = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let line = stands.lines().zip(text.lines()).position(|(one, other)| one != other).map_or(0, |line| line + 1);
    assert!(
        stands == text,
        "docs/causes.md differs from the catalogue from line {line} on: UPDATE_EXPECT=1 rewrites it"
    );
}

fn document() -> String {
    let mut text = String::from(
        "# Causes\n\nEvery known cause of a failing Remote Desktop connection. Made from `analyzer/src/causes/` by a test; \
         `rdpscope rules ID` prints the same.\n\n| known by | causes | |\n|---|---|---|\n",
    );
    let ways = causes::all().map(|cause| cause.visibility);
    let mut named: Vec<(Visibility, usize)> = Vec::new();
    for way in ways {
        match named.iter_mut().find(|(known, _)| known.name() == way.name()) {
            Some((_, count)) => *count += 1,
            None => named.push((way, 1)),
        }
    }
    for (way, count) in named {
        let _infallible = writeln!(text, "| {} | {count} | {} |", way.name(), way.meaning());
    }
    for layer in Layer::ALL {
        let _infallible = write!(text, "\n## {}\n", layer.name());
        layer.causes().iter().for_each(|cause| entry(&mut text, cause));
    }
    text.push_str("\n## Groups\n\nCauses that the wire, without keys, cannot tell apart, and what does.\n\n");
    for group in GROUPS {
        let _infallible = writeln!(text, "- {}: {}", links(group.ids), plain(group.by));
    }
    text
}

fn entry(text: &mut String, cause: &Cause) {
    let _infallible = write!(text, "\n### {}\n\n**{}**\n\n", cause.id, plain(cause.name));
    let mut line = |lead: &str, says: &str| _ = writeln!(text, "- {lead}: {says}");
    line("known by", &plain(&known_by(cause)));
    line("evidence", &plain(cause.evidence));
    line("tell by", &plain(cause.sign));
    line("looks like", &links(cause.looks_like));
    line("settle by", &cause.tools.iter().map(|tool| tool.name()).collect::<Vec<_>>().join(", "));
    line("next check", &plain(cause.check));
    line("fix", &plain(cause.fix));
    cause.cannot_tell.iter().for_each(|unknown| line("cannot tell", &plain(unknown)));
    line("spec", &plain(cause.spec));
    if !cause.mstsc.is_empty() {
        line("mstsc shows", &cause.mstsc.join(", "));
    }
    for (table, numbers) in codes_of(cause.id) {
        line(table.title, &plain(&numbers));
    }
}

fn links(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("[{id}](#{})", id.to_lowercase())).collect::<Vec<_>>().join(", ")
}

/// What Markdown would take for its own.
fn plain(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('_', "\\_").replace('[', "\\[").replace('<', "&lt;")
}
