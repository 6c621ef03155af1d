//! The rules of the house, read from the sources: what no room may do, which rooms may know each other, and which
//! third-party crate is let in by which door. A rule that is to change is changed here, with its reason.

use std::fs;
use std::path::{Path, PathBuf};

/// Where each third-party crate is named. Whoever adds a dependency adds its door.
const DOORS: &[(&str, &[&str])] = &[
    ("clap", &["src/cli.rs", "src/cli/values.rs", "src/main.rs", "src/commands/manual.rs"]), // declared, asked to parse, and described
    ("clap_complete", &["src/cli.rs", "src/commands/manual.rs"]), // names of shells are flags
    ("clap_mangen", &["src/commands/manual.rs"]),
    ("aes", &["analyzer/src/tls/cipher.rs"]),
    ("aes-gcm", &["analyzer/src/tls/cipher.rs"]),
    ("base64", &["proxy/src/lab/gateway/sums.rs", "analyzer/src/report/player/mod.rs"]), // and in tests: a V2 log's lines
    ("bzip2", &["src/input/packed.rs"]),
    ("cbc", &["analyzer/src/tls/cipher.rs"]),
    ("ccm", &["analyzer/src/tls/cipher.rs"]),
    ("chacha20poly1305", &["analyzer/src/tls/cipher.rs"]),
    ("etherparse", &["analyzer/src/capture/ip.rs"]),
    ("flate2", &["src/input/packed.rs", "src/archive.rs"]), // read, and written
    ("indicatif", &["src/input.rs"]),
    ("ipnet", &["proxy/src/gate.rs"]),
    ("ironrdp-bulk", &["analyzer/src/picture/mod.rs"]),
    ("ironrdp-core", &["analyzer/src/rdp/decoded.rs", "analyzer/src/picture/drawn.rs"]),
    ("ironrdp-dvc", &["analyzer/src/picture/pipeline.rs"]),
    ("ironrdp-egfx", &["analyzer/src/picture/pipeline.rs", "analyzer/src/picture/drawn.rs"]), // fed, and drawn
    ("ironrdp-graphics", &["analyzer/src/picture/drawn.rs"]),
    ("ironrdp-pdu", &["analyzer/src/rdp/decoded.rs", "analyzer/src/picture/drawn.rs"]), // messages, and pictures
    ("ironrdp-session", &["analyzer/src/picture/drawn.rs"]),
    ("ironrdp-svc", &["analyzer/src/picture/pipeline.rs"]),
    ("getifaddrs", &["proxy/src/own.rs"]),
    ("hdrhistogram", &["analyzer/src/latency.rs"]),
    ("hmac", &["analyzer/src/tls/digest.rs", "proxy/src/lab/gateway/sums.rs"]),
    ("httparse", &["analyzer/src/gateway/http.rs"]),
    // TCP_INFO; EINPROGRESS, O_NOFOLLOW and O_NONBLOCK, which std has no names for.
    ("libc", &["proxy/src/tcp_info.rs", "proxy/src/dial.rs", "proxy/src/record/files.rs"]),
    ("loona-hpack", &["analyzer/src/gateway/h2.rs"]),
    ("lz4_flex", &["src/input/packed.rs"]),
    ("lzma-rust2", &["src/input/packed.rs"]),
    ("md-5", &["analyzer/src/tls/digest.rs", "proxy/src/lab/gateway/sums.rs"]),
    ("md4", &["proxy/src/lab/gateway/sums.rs"]),
    ("nix", &["proxy/src/arrival.rs"]), // and in tests
    ("pcap-file", &["proxy/src/record.rs"]),
    ("pcap-parser", &["analyzer/src/capture/file.rs"]),
    ("png", &["analyzer/src/picture/encoded.rs"]), // and in tests
    ("ratatui", &["src/tui/terminal.rs", "src/tui/view.rs"]), // the terminal itself, and what is drawn on it
    // For a fault to show; like a server's own; like a recorded one.
    ("rcgen", &["proxy/src/lab/certificate.rs", "proxy/src/authority.rs", "proxy/src/replay/certificate.rs"]),
    ("rustls", &["proxy/src/tls.rs", "proxy/src/tls/end.rs", "proxy/src/tls/alert.rs"]),
    ("rustls-native-certs", &["proxy/src/roots.rs"]),
    ("rustix", &["proxy/src/files.rs", "proxy/src/clock.rs"]), // limits, the user; clocks that std has not. And in tests: setns, poll
    ("ring", &["proxy/src/tls/alert.rs", "proxy/src/tls.rs", "proxy/src/tls/end.rs"]), // by rustls in the last two
    ("rsa", &["proxy/src/authority.rs"]),
    ("ruzstd", &["src/input/packed.rs"]),
    ("serde_json", &["analyzer/src/report/json.rs"]),
    ("sha1", &["analyzer/src/tls/digest.rs", "proxy/src/lab/gateway/sums.rs"]),
    ("sha2", &["analyzer/src/tls/digest.rs"]),
    ("socket2", &["proxy/src/dial.rs", "proxy/src/leg.rs", "proxy/src/entrance.rs", "proxy/src/listen.rs"]), // a socket before and after tokio knows it
    ("tokio-rustls", &["proxy/src/tls.rs", "proxy/src/tls/end.rs", "proxy/src/tls/alert.rs"]),
    ("tracing-subscriber", &["src/main.rs"]),
    ("tar", &["src/input/archives.rs", "src/archive.rs"]), // read, and written
    ("tun-rs", &[]),                                       // tests alone: tests/it/support/wan
    ("windows-sys", &["proxy/src/tcp_info.rs"]),
    ("x509-parser", &["analyzer/src/tls/certificate.rs"]),
    ("zeroize", &["analyzer/src/secret.rs"]),
    ("zip", &["src/input/archives.rs"]),
];

/// Crates that are at home everywhere in the packages that have them.
const AT_HOME: &[&str] = &["analyzer", "anyhow", "bytes", "proxy", "tokio", "tracing"];

/// What a folder may not say. The words of one line are one reason.
const ABSENCES: &[(&str, &str, &[&str])] = &[
    ("analyzer/src", "no runtime", &["tokio", "async", "std::thread", "thread::spawn"]),
    ("analyzer/src", "no sockets", &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "ToSocketAddrs"]),
    ("analyzer/src", "no file system", &["std::fs", "File::open", "std::path", "PathBuf"]),
    ("analyzer/src", "no clock", &["SystemTime", "Instant"]),
    ("analyzer/src", "no environment", &["std::env", "env::var", "std::process"]),
    ("analyzer/src", "no printing", &["println!", "eprintln!", "print!", "eprint!", "dbg!", "stdout", "stderr"]),
    ("analyzer/src", "no logging: events are the log", &["tracing"]),
    ("analyzer/src", "knows neither proxy nor root", &["proxy::", "rdpscope::"]),
    ("proxy/src", "does not know the root", &["rdpscope::"]),
    ("proxy/src", "decodes no protocol byte", &["analyzer::tls", "analyzer::rdp", "analyzer::codes"]),
    ("proxy/src", "no printing", &["println!", "eprintln!", "print!", "eprint!", "dbg!"]),
    ("analyzer/src/timeline", MEANING, BYTES),
    ("analyzer/src/attempt.rs", MEANING, BYTES),
    ("analyzer/src/attempt", MEANING, BYTES),
    ("analyzer/src/diagnose", MEANING, BYTES),
    ("analyzer/src/explain", MEANING, BYTES),
    ("analyzer/src/explain.rs", MEANING, BYTES),
    ("analyzer/src/latency.rs", MEANING, BYTES),
    ("analyzer/src/compare", MEANING, BYTES),
    ("analyzer/src/report", MEANING, BYTES),
    ("analyzer/src", NO_PANIC, PANICS),
    ("proxy/src", NO_PANIC, PANICS),
    ("src", NO_PANIC, PANICS),
];

const MEANING: &str = "the meaning does not know the bytes";
const BYTES: &[&str] =
    &["crate::capture", "crate::tcp", "crate::tls", "crate::gateway", "crate::rdp", "crate::session"];
const NO_PANIC: &str = "nothing that a peer says is a reason to panic";
const PANICS: &[&str] = &[".unwrap()", ".expect(", "panic!", "unreachable!", "todo!", "unimplemented!"];

/// The one room where `unsafe` is allowed.
const UNSAFE: &str = "proxy/src/tcp_info.rs";

/// A file longer than this is more than one idea, unless it is a table.
const LONG: usize = 700;
const TABLES: &[&str] = &["tests/it/scripts/"];

/// One source file without its comments and without its tests.
struct Source {
    /// From the root of the repository, with slashes.
    name: String,
    /// All lines, as they stand there.
    whole: String,
    /// What runs in production, line by line; a line without code is empty.
    code: Vec<String>,
}

#[test]
fn no_room_does_what_it_may_not_do() {
    let mut wrong = Vec::new();
    for (folder, reason, words) in ABSENCES {
        for source in sources(folder) {
            let found = source.lines_with(words);
            wrong.extend(found.map(|(line, word)| format!("{}:{line}: {word} ({reason})", source.name)));
        }
    }
    none(&wrong);
}

#[test]
fn a_module_uses_only_modules_declared_above_it() {
    let mut wrong = Vec::new();
    for package in ["analyzer/src", "proxy/src"] {
        let order = declared(package);
        for source in sources(package) {
            wrong.extend(out_of_order(package, &order, &source));
        }
    }
    none(&wrong);
}

#[test]
fn each_third_party_crate_has_one_front_door() {
    let mut wrong = Vec::new();
    for source in ["analyzer/src", "proxy/src", "src"].into_iter().flat_map(sources) {
        for (name, doors) in DOORS {
            let path = format!("{}::", name.replace('-', "_"));
            if source.says(&path) && !doors.contains(&source.name.as_str()) {
                wrong.push(format!("{}: {name} belongs to {doors:?}", source.name));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_dependency_has_a_door() {
    let known = |name: &String| DOORS.iter().any(|(door, _)| door == name) || AT_HOME.contains(&name.as_str());
    let manifests = ["Cargo.toml", "analyzer/Cargo.toml", "proxy/Cargo.toml"];
    let all = manifests.iter().flat_map(|manifest| dependencies(&read(&root().join(manifest))));
    none(&all.filter(|name| !known(name)).map(|name| format!("{name} has no door")).collect::<Vec<_>>());
}

#[test]
fn unsafe_stays_in_its_room() {
    let all = ["analyzer", "proxy", "src", "tests", "benches"].into_iter().flat_map(sources);
    let elsewhere = all.filter(|source| source.name != UNSAFE && source.name != "tests/it/tidy.rs");
    none(&elsewhere.filter(|source| source.says("unsafe")).map(|source| source.name).collect::<Vec<_>>());
}

#[test]
fn no_file_is_long_unless_it_is_a_table() {
    let all = ["analyzer", "proxy", "src", "tests", "benches"].into_iter().flat_map(sources);
    let long = all.filter(|source| source.whole.lines().count() > LONG);
    let no_table = long.filter(|source| !TABLES.iter().any(|table| source.name.starts_with(table)));
    none(&no_table.map(|source| source.name).collect::<Vec<_>>());
}

#[test]
fn every_room_says_what_it_is() {
    let all = ["analyzer/src", "proxy/src", "src", "tests", "benches"].into_iter().flat_map(sources);
    none(&all.filter(|source| !source.whole.starts_with("//! ")).map(|source| source.name).collect::<Vec<_>>());
}

#[test]
fn nothing_points_outside_the_repository() {
    let words = ["/work/", "shared/design", "shared/reference", "/tmp/wt"];
    let texts = files(&root(), &["rs", "toml", "md", "sh", "yml", "txt"]);
    let outside = |path: &PathBuf| {
        let found = words.iter().find(|word| read(path).contains(**word));
        found.filter(|_| !path.ends_with("tests/it/tidy.rs")).map(|word| format!("{}: {word}", path.display()))
    };
    none(&texts.iter().filter_map(outside).collect::<Vec<_>>());
}

#[test]
fn what_is_cut_away_is_comment_and_test() {
    let source = Source::new(
        "x.rs".into(),
        "//! a.unwrap()\nlet url = \"http://x\"; // b.unwrap()\n#[cfg(test)]\nmod tests {\n c.unwrap()\n}\n".into(),
    );
    assert_eq!(source.code, ["", "let url = \"http://x\"; ", ""]);
    assert!(source.lines_with(&["url"]).eq([(2, "url")]));
    assert!(source.says("let") && !source.says("le"), "whole words only");
}

impl Source {
    fn new(name: String, whole: String) -> Source {
        let mut code: Vec<String> = whole.lines().map(without_comment).collect();
        let tests =
            code.windows(2).position(|two| two[0].trim() == "#[cfg(test)]" && two[1].starts_with("mod tests {"));
        if let Some(tests) = tests {
            code.truncate(tests);
            code.push(String::new());
        }
        Source { name, whole, code }
    }

    /// Lines, counted from 1, that have one of the words.
    fn lines_with<'a>(&'a self, words: &'a [&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
        let lines = self.code.iter().zip(1..);
        lines.filter_map(|(line, number)| Some((number, *words.iter().find(|word| has(line, word))?)))
    }

    fn says(&self, word: &str) -> bool {
        self.code.iter().any(|line| has(line, word))
    }

    /// The module at the root of its crate that it belongs to.
    fn room(&self, package: &str) -> &str {
        let path = self.name.strip_prefix(package).unwrap_or(&self.name).trim_start_matches('/');
        path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
    }

    /// How many `super::` lead to the root of its crate.
    fn depth(&self, package: &str) -> usize {
        let path = self.name.strip_prefix(package).unwrap_or(&self.name).trim_start_matches('/');
        path.split('/').count() - usize::from(path.ends_with("/mod.rs"))
    }
}

/// Whether a line has a word that is not part of a longer one. (No string of these sources has `//` after a blank.)
fn has(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let bounded = |at: usize| {
        let before = line[..at].chars().next_back().filter(|_| word.starts_with(is_name));
        let after = line[at + word.len()..].chars().next().filter(|_| word.ends_with(is_name));
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    };
    line.match_indices(word).any(|(at, _)| bounded(at))
}

fn without_comment(line: &str) -> String {
    let comment = if line.trim_start().starts_with("//") { Some(0) } else { line.find(" // ").map(|at| at + 1) };
    line[..comment.unwrap_or(line.len())].to_owned()
}

fn declared(package: &str) -> Vec<String> {
    let lib = Source::new(String::new(), read(&root().join(package).join("lib.rs")));
    let name =
        |line: &String| Some(line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')?.to_owned());
    lib.code.iter().filter_map(name).collect()
}

fn out_of_order(package: &str, order: &[String], source: &Source) -> Vec<String> {
    let place = |name: &str| order.iter().position(|known| known == name);
    let Some(own) = place(source.room(package)) else { return Vec::new() };
    let root = "super::".repeat(source.depth(package));
    let mut wrong = Vec::new();
    for (line, number) in source.code.iter().zip(1..) {
        // What is indented may stand in a module of its own within the file, where `super` is another.
        let paths = if line.starts_with(' ') { &["crate::"][..] } else { &["crate::", &root] };
        for path in paths {
            let names = line.match_indices(path).filter(|(at, _)| !line[..*at].ends_with("::"));
            let names =
                names.map(|(at, _)| line[at + path.len()..].split(|c: char| !(c.is_alphanumeric() || c == '_')));
            let late = names.filter_map(|mut name| name.next()).filter(|name| place(name).is_none_or(|at| at > own));
            wrong.extend(late.map(|name| format!("{}:{number}: {path}{name}", source.name)));
        }
    }
    wrong
}

/// The names under `[dependencies]` and its like.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| inside) {
            names.push(name.trim().trim_end_matches(".workspace").to_owned());
        }
    }
    names
}

/// Every Rust file there. Files of nothing but tests are read as having no code.
fn sources(folder: &str) -> Vec<Source> {
    let top = root().join(folder);
    let paths = if top.is_file() { vec![top] } else { files(&top, &["rs"]) };
    paths.iter().map(|path| source(path)).collect()
}

fn source(path: &Path) -> Source {
    let name = path.strip_prefix(root()).expect("in the repository").to_string_lossy().replace('\\', "/");
    let mut source = Source::new(name, read(path));
    let is_in_tests = source.name.contains("/src/") && source.name.contains("/tests/");
    if is_in_tests || ["tests.rs", "specimens.rs"].iter().any(|tests| path.ends_with(tests)) {
        source.code.clear();
    }
    source
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.') || name == "target");
        if path.is_dir() && !hidden {
            found.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|own| extensions.iter().any(|known| own == *known)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
