//! The program as a person or a script runs it: what it prints, what it writes, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use analyzer::capture::annotation::Section;
use proxy::lab::{Scenario, certificate, wire};
use serde_json::{Value, json};

use crate::support::judge::recorded;
use crate::support::process::{Folder, Outcome, Trouble, free_port, wait_for};
use crate::support::program::{Proxy, analyze, program, recordings};
use crate::support::script;

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);

const HEALTHY: &str = "
    21ms > @request SSL cookie=alice
    41ms < @confirm SSL
    43ms > @hello 1.2,1.3 sni=server.example
    64ms < @server-hello 1.2
    64ms < @certificate valid
    64ms < @hello-done
    66ms > @key-exchange
    66ms > @finished
    86ms < @finished
    88ms session 20ms
    9s   > fin
";

const FAILED: &str = "
    21ms > @request SSL cookie=alice
    41ms < @confirm SSL
    43ms > @hello 1.2,1.3 sni=server.example
    50ms path back rtt_us=20000 retransmits=1
    66ms < rst
";

const BROKEN_OFF: &str = "
    21ms > @request SSL
";

#[test]
fn it_says_its_version_and_its_commands() {
    let version = run(&["--version"]);
    assert_eq!(text(&version.stdout).trim(), format!("rdpscope {}", env!("CARGO_PKG_VERSION")));
    let help = text(&run(&["--help"]).stdout);
    assert!(["proxy", "analyze", "demo"].iter().all(|command| help.contains(command)), "{help}");
    let nothing = run(&[]);
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn it_has_a_manual_and_completions() {
    let folder = Folder::new().expect("a folder");
    let man = folder.path().join("man");
    let wrote = run(&["man", "-o", &man.display().to_string()]);
    assert_eq!(wrote.status.code(), Some(0), "{}", text(&wrote.stderr));
    let page = std::fs::read_to_string(man.join("rdpscope-proxy.1")).expect("a page of each command");
    assert!(page.starts_with(".ie") && page.contains("connect\\-timeout"), "{page}");
    assert_eq!(text(&run(&["man", "proxy"]).stdout), page, "the same page, printed");
    let wrong = run(&["man", "nothing"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("expected a command of rdpscope, found nothing"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = text(&run(&["completions", shell]).stdout);
        assert!(["histogram", "connect-timeout"].iter().all(|word| script.contains(word)), "{shell}");
    }
}

#[test]
fn help_fits_a_terminal() {
    for command in ["proxy", "analyze", "demo"] {
        let help = text(&run(&[command, "--help"]).stdout);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_ends_with_2() -> Outcome<()> {
    let folder = Folder::new()?;
    let pcap = "\u{1}not a capture";
    for (name, content) in [("empty.pcapng", ""), ("garbage.pcapng", "GET / HTTP/1.1\r\n\r\n"), ("short", pcap)] {
        let file = folder.write(name, content)?;
        let output = analyze_files(&[&file], &[]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(name) && said.contains("expected a capture"), "{said}");
    }
    let missing = folder.path().join("missing.pcapng");
    let output = analyze_files(&[&missing], &[]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("missing.pcapng") && said.contains("cannot open"), "{said}");
    Ok(())
}

#[test]
fn exit_codes_say_how_it_went() -> Outcome<()> {
    let folder = Folder::new()?;
    let healthy = file(&folder, "healthy.pcapng", HEALTHY)?;
    let failed = file(&folder, "failed.pcapng", FAILED)?;
    let garbage = folder.write("garbage.pcapng", "garbage")?;
    let code = |files: &[&Path]| analyze_files(files, &[]).status.code();
    assert_eq!(code(&[&healthy]), Some(0));
    assert_eq!(code(&[&failed]), Some(1));
    assert_eq!(code(&[&healthy, &failed]), Some(1));
    assert_eq!(code(&[&healthy, &garbage]), Some(2));
    let unfinished = file(&folder, "unfinished.pcapng", BROKEN_OFF)?;
    assert_eq!(code(&[&unfinished]), Some(0));
    Ok(())
}

#[test]
fn one_unreadable_file_does_not_hide_the_others() -> Outcome<()> {
    let folder = Folder::new()?;
    let garbage = folder.write("a.pcapng", "garbage")?;
    let failed = file(&folder, "b.pcapng", FAILED)?;
    let output = analyze_files(&[&garbage, &failed], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a.pcapng"));
    assert!(text(&output.stdout).contains("TLS-NOKEY"));
    Ok(())
}

#[test]
fn a_folder_is_its_recordings() -> Outcome<()> {
    let folder = Folder::new()?;
    folder.write("notes.txt", "not a recording")?;
    file(&folder, "b.pcapng", FAILED)?;
    file(&folder, "a.pcapng", HEALTHY)?;
    let (code, document) = analyze(&[folder.path().to_owned()])?;
    let file = |attempt: &Value| attempt["sessions"][0]["file"].as_str().unwrap_or_default().to_owned();
    let files: Vec<String> = document["attempts"].as_array().into_iter().flatten().map(file).collect();
    assert_eq!((code, files.len()), (Some(1), 2));
    Ok(())
}

#[test]
fn where_there_is_no_rdp_it_says_so() -> Outcome<()> {
    let folder = Folder::new()?;
    let nothing = proxy::record::record(Vec::new(), &Section::default(), [], &mut |_| {})?;
    let file = folder.path().join("nothing.pcapng");
    std::fs::write(&file, nothing)?;
    let output = analyze_files(&[&file], &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr).trim(), "no RDP found");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["attempts"], json!([]));
    Ok(())
}

#[test]
fn a_recording_that_breaks_off_is_read_up_to_there() -> Outcome<()> {
    let folder = Folder::new()?;
    let mut bytes = recorded(&script::parse(FAILED)[0]);
    bytes.truncate(bytes.len() - 10);
    let file = folder.path().join("cut.pcapng");
    std::fs::write(&file, bytes)?;
    let output = analyze_files(&[&file], &[]);
    assert_eq!(output.status.code(), Some(1), "the reset on the back leg still stands in it");
    let said = text(&output.stderr);
    assert!(said.contains("cut.pcapng") && said.contains("breaks off"), "{said}");
    Ok(())
}

#[test]
fn text_fits_80_columns_and_has_no_colour() -> Outcome<()> {
    let folder = Folder::new()?;
    for (name, script) in [("h.pcapng", HEALTHY), ("f.pcapng", FAILED)] {
        file(&folder, name, script)?;
        // The file's own name, which may be longer than any line, stays out of it: it is told relative to here.
        let output = Command::new(program()).args(["analyze", name]).current_dir(folder.path()).output()?;
        let said = text(&output.stdout);
        let wide: Vec<&str> = said.lines().filter(|line| line.chars().count() > 80 || line.contains('\x1b')).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }
    Ok(())
}

/// Issue A's document, key by key: later versions add keys, and take none away.
#[test]
fn the_json_has_the_keys_that_scripts_rely_on() -> Outcome<()> {
    let folder = Folder::new()?;
    let (_, document) = analyze(&[file(&folder, "failed.pcapng", FAILED)?])?;
    types(&document, &[("rdpscope", "string"), ("schema", "number"), ("attempts", "array")]);
    let attempt = &document["attempts"][0];
    let strings = ["client", "server", "began", "outcome", "verdict"].map(|key| (key, "string"));
    types(attempt, &[&strings[..], &[("sessions", "array")]].concat());
    let session = &attempt["sessions"][0];
    let strings = ["file", "source", "client", "server", "server_name"].map(|key| (key, "string"));
    let arrays = ["legs", "phases", "altered_by_proxy", "findings"].map(|key| (key, "array"));
    types(session, &[&strings[..], &arrays, &[("facts", "object"), ("end", "object")]].concat());
    assert_eq!(session["direct_equivalent"], Value::Null);
    let back = session["legs"].as_array().into_iter().flatten().find(|leg| leg["leg"] == "back").expect("a back leg");
    let numbers = ["rtt_ms", "retransmits", "bytes_from_client", "bytes_from_server", "missing_bytes"];
    types(back, &numbers.map(|key| (key, "number")));
    types(back, &["leg", "client", "server"].map(|key| (key, "string")));
    let facts = &session["facts"];
    assert_eq!(
        [&facts["cookie"], &facts["requested"], &facts["selected"]],
        [&json!("alice"), &json!(["SSL"]), &json!("SSL")]
    );
    assert_eq!(facts["tls"][0]["sni"], "server.example");
    types(&facts["tls"][0], &["leg", "layer"].map(|key| (key, "string")));
    let phase = &session["phases"][0];
    types(phase, &["phase", "leg", "outcome", "basis"].map(|key| (key, "string")));
    types(phase, &[("began_ns", "number"), ("duration_ns", "number"), ("waited_ns", "object")]);
    types(&phase["waited_ns"], &["network", "retransmission", "client", "server"].map(|key| (key, "number")));
    let end = json!({ "leg": "back", "by": "server", "how": "reset", "phase": "tls" });
    assert!(end.as_object().into_iter().flatten().all(|(key, value)| session["end"][key] == *value));
    types(&session["end"], &[("at", "string")]);
    finding(&session["findings"][0]);
    Ok(())
}

fn finding(finding: &Value) {
    let strings = ["cause", "severity", "confidence", "leg", "phase", "by", "says", "check", "fix"];
    types(finding, &strings.map(|key| (key, "string")));
    types(finding, &["evidence", "cannot_tell", "alternatives", "mstsc"].map(|key| (key, "array")));
    types(&finding["evidence"][0], &[("frame", "number"), ("at", "string"), ("says", "string")]);
    types(&finding["alternatives"][0], &[("cause", "string"), ("confidence", "string")]);
    assert_eq!([&finding["cause"], &finding["by"]], ["TLS-NOKEY", "server"]);
}

/// A healthy session's certificate, and what TLS chose.
#[test]
fn the_json_tells_the_certificate() -> Outcome<()> {
    let folder = Folder::new()?;
    let (code, document) = analyze(&[file(&folder, "healthy.pcapng", HEALTHY)?])?;
    assert_eq!((code, &document["attempts"][0]["outcome"]), (Some(0), &json!("connected")));
    let session = &document["attempts"][0]["sessions"][0];
    assert_eq!(session["findings"], json!([]));
    let tls = &session["facts"]["tls"][0];
    assert_eq!([&tls["version"], &tls["layer"]], ["1.2", "inner"]);
    types(tls, &[("cipher", "string"), ("certificate", "object")]);
    let certificate = &tls["certificate"];
    types(certificate, &["subject", "issuer", "not_before", "not_after"].map(|key| (key, "string")));
    assert_eq!(certificate["names"], json!(["server.example"]));
    Ok(())
}

#[test]
fn a_report_in_a_file_is_for_its_owner_only() -> Outcome<()> {
    let folder = Folder::new()?;
    let recording = file(&folder, "failed.pcapng", FAILED)?;
    let report = folder.path().join("report.json");
    let output = analyze_files(&[&recording], &["--format", "json", "-o", &report.display().to_string()]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    serde_json::from_slice::<Value>(&std::fs::read(&report)?).expect("JSON");
    assert_private(&report, 0o600);
    let nowhere = folder.path().join("no/such/folder");
    let output = analyze_files(&[&recording], &["-o", &nowhere.display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no/such/folder"));
    Ok(())
}

#[test]
fn a_proxy_from_start_to_ctrl_c() -> Outcome<()> {
    let finished = through_the_proxy("reset-after-client-hello", Proxy::finish)?;
    assert_eq!(finished.code, Some(0), "it did its work, whatever became of the sessions\n{}", finished.output);
    for said in ["rdpscope listening on 127.0.0.1:", "tls", "FAILED", "TLS-NOKEY", "1 attempt\n"] {
        assert!(finished.output.contains(said), "{said:?} is not in\n{}", finished.output);
    }
    let [recording] = &finished.recordings[..] else { panic!("{} recordings", finished.recordings.len()) };
    assert_private(recording, 0o600);
    assert_private(recording.parent().expect("a folder"), 0o700);
    let (code, document) = analyze(&finished.recordings)?;
    assert_eq!((code, &document["attempts"][0]["outcome"]), (Some(1), &json!("failed")));
    Ok(())
}

#[test]
fn before_a_gateway_it_says_how_clients_come_to_it() -> Outcome<()> {
    let mut command = std::process::Command::new(program());
    command.args(["proxy", "--gateway", "--to", "gw.example.com", "--connect-to", "127.0.0.1:1"]);
    let finished = Proxy::run(command)?.finish()?;
    let said = finished.output.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in
        ["RD Gateway gw.example.com:443", "/g:127.0.0.1:", "gatewayhostname:s:127.0.0.1:", "--listen 127.0.0.2:443"]
    {
        assert!(said.contains(wanted), "{wanted:?} is not in\n{}", finished.output);
    }
    assert!(finished.output.lines().all(|line| line.chars().count() <= 80), "{}", finished.output);
    Ok(())
}

#[test]
fn a_proxy_refuses_to_be_its_own_target() -> Outcome<()> {
    let own = format!("127.0.0.1:{}", free_port()?);
    for to in [own.clone(), own.replace("127.0.0.1", "localhost")] {
        let output = run(&["proxy", "--to", &to, "--listen", &own]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("expected a target other than this proxy"), "{said}");
    }
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_named() -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let taken = listener.local_addr()?.to_string();
    let output = run(&["proxy", "--to", "192.0.2.1", "--listen", &taken]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains(&format!("cannot listen on {taken}")));
    Ok(())
}

#[test]
fn flags_that_make_no_sense_end_with_2() {
    for flags in [
        &["proxy"][..],
        &["proxy", "--to", "a b"],
        &["proxy", "--to", "server", "--connect-to", "name"],
        &["proxy", "--to", "server", "--connect-timeout", "0"],
        &["proxy", "--to", "server", "--keylog", "/"],
        &["analyze"],
        &["analyze", "x", "--format", "yaml"],
    ] {
        let output = run(flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{flags:?}");
    }
}

/// It goes on: a client may have written nothing yet.
#[test]
fn a_key_log_without_secrets_is_told() -> Outcome<()> {
    let folder = Folder::new()?;
    let log = folder.path().join("keys.txt");
    std::fs::write(&log, "no key log\n")?;
    let output = run(&["analyze", "--keylog", &log.to_string_lossy(), "no-such-file.pcapng"]);
    let said = text(&output.stderr);
    assert!(said.contains("holds no secret") && !said.contains('\x1b'), "{said}");
    Ok(())
}

/// A folder that was there becomes the authority's own; one that holds other things stays as it is.
#[cfg(unix)]
#[test]
fn an_authoritys_folder_is_private() -> Outcome<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new()?;
    for (name, holds, code, mode) in [("empty", None, 0, 0o700), ("full", Some("letter.txt"), 2, 0o755)] {
        let at = folder.path().join(name);
        std::fs::create_dir(&at)?;
        std::fs::set_permissions(&at, std::fs::Permissions::from_mode(0o755))?;
        holds.map_or(Ok(()), |other| std::fs::write(at.join(other), ""))?;
        let output = run(&["ca", "init", "--out", &at.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", text(&output.stderr));
        assert_private(&at, mode);
    }
    Ok(())
}

/// What a killed proxy had flushed by then can be read: the session stands in it as unfinished.
#[test]
fn a_killed_proxy_leaves_a_recording_that_can_be_read() -> Outcome<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let proxy = Proxy::before(server.local_addr()?.port())?;
    let mut client = TcpStream::connect(("127.0.0.1", proxy.port))?;
    client.write_all(&wire::connection_request("alice", Some(1)))?;
    let (mut served, _) = server.accept()?;
    served.read_exact(&mut [0; 30])?;
    served.write_all(&wire::connection_confirm(Some(1)))?;
    client.read_exact(&mut [0; 19])?;
    let out = proxy.out();
    let flushed = wait_for(SOON, || {
        // Until the first client is accepted there is no folder.
        let files = recordings(&out).unwrap_or_default();
        if files.is_empty() {
            return Ok(None);
        }
        let (_, document) = analyze(&files)?;
        Ok((document["attempts"][0]["sessions"][0]["facts"]["selected"] == "SSL").then_some(()))
    })?;
    assert!(flushed.is_some(), "the confirm was never flushed");
    let killed = proxy.kill()?;
    assert_eq!(killed.code, None, "killed by a signal");
    let (code, document) = analyze(&killed.recordings)?;
    let attempt = &document["attempts"][0];
    assert_eq!((code, &attempt["outcome"]), (Some(0), &json!("unfinished")));
    let end = &attempt["sessions"][0]["end"];
    assert_eq!([&end["how"], &end["by"]], ["cut", "nobody"]);
    Ok(())
}

#[test]
fn the_demo_shows_a_healthy_and_a_failing_session() -> Outcome<()> {
    let folder = Folder::new()?;
    let out = folder.path().join("demo");
    let output = run(&["demo", "--out", &out.display().to_string()]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", text(&output.stderr));
    for expected in ["connected: active after", "TLS-NOKEY", "the recording, read back, says the same"] {
        assert!(said.contains(expected), "{expected:?} is not in\n{said}");
    }
    assert_eq!(recordings(&out)?.len(), 2);
    let (code, again) = analyze(std::slice::from_ref(&out))?;
    let report: Value = serde_json::from_slice(&std::fs::read(out.join("report.json"))?).expect("JSON");
    assert_eq!((code, again), (Some(1), report), "the recordings say what the report says");
    assert!(std::fs::read_to_string(out.join("report.txt"))?.contains("TLS-NOKEY"));
    Ok(())
}

/// Plays one lab scenario through the program, and ends it.
fn through_the_proxy<T>(name: &str, end: impl FnOnce(Proxy) -> Outcome<T>) -> Outcome<T> {
    let scenario = Scenario::named(name).expect("a scenario");
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let server = scenario.serve().await?;
        let mut command = Command::new(program());
        command.args(["proxy", "--to", certificate::NAME, "--connect-to", &server.addr.to_string()]);
        let proxy = tokio::task::block_in_place(|| Proxy::run(command))?;
        scenario.connect(([127, 0, 0, 1], proxy.port).into()).await;
        server.finished(1).await;
        server.stop().await;
        tokio::task::block_in_place(|| verdict_printed(&proxy).and_then(|()| end(proxy)))
    })
}

/// Waits until the session's verdict is printed: then it is over for the proxy, too.
fn verdict_printed(proxy: &Proxy) -> Outcome<()> {
    let over = wait_for(SOON, || Ok(proxy.output().lines().any(|line| line.starts_with("#1 ")).then_some(())))?;
    over.ok_or_else(|| Trouble::Failed(format!("no verdict:\n{}", proxy.output())))
}

fn run(args: &[&str]) -> Output {
    Command::new(program()).args(args).stdin(Stdio::null()).output().expect("the program")
}

fn analyze_files(files: &[&Path], more: &[&str]) -> Output {
    Command::new(program()).arg("analyze").args(files).args(more).stdin(Stdio::null()).output().expect("the program")
}

/// A recording of a story.
fn file(folder: &Folder, name: &str, story: &str) -> Outcome<PathBuf> {
    let path = folder.path().join(name);
    std::fs::write(&path, recorded(&script::parse(story)[0]))?;
    Ok(path)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every key is there, and what stands behind it is of this kind.
fn types(value: &Value, keys: &[(&str, &str)]) {
    for (key, kind) in keys {
        let found = match &value[key] {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        assert_eq!(found, *kind, "{key} in {value:#}");
    }
}

#[cfg(unix)]
fn assert_private(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let found = std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(found, mode, "{} has mode {found:o}", path.display());
}

#[cfg(not(unix))]
fn assert_private(_: &Path, _: u32) {}

/// A console in which text is being selected, a pager that waits: recordings and the end must not wait for it.
#[test]
fn a_reader_that_does_not_read_stops_nothing() -> Outcome<()> {
    let folder = Folder::new()?;
    let out = folder.path().join("out");
    let nowhere = free_port()?;
    let mut command = Command::new(program());
    command.args(["proxy", "--to", &format!("127.0.0.1:{nowhere}"), "--listen", "127.0.0.1:0", "--out"]).arg(&out);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut said = BufReader::new(child.stderr.take().expect("stderr"));
    let mut line = String::new();
    said.read_line(&mut line)?;
    let addr = line.split_whitespace().nth(3).expect("an address").trim_end_matches(',').to_owned();
    // Each session prints about a kilobyte: together more than a pipe holds.
    for _ in 0..150 {
        let mut client = TcpStream::connect(&addr)?;
        let _refused = client.read_to_end(&mut Vec::new());
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    let ended = wait_for(Duration::from_secs(15), || Ok(child.try_wait()?))?;
    let _late = child.kill();
    assert!(ended.is_some(), "it waits for its reader");
    assert_eq!(std::fs::read_dir(&out)?.count(), 150);
    Ok(())
}
