//! What `rdpscope explain` prints: the text of codes stands in `expect/`, and is rewritten with UPDATE_EXPECT=1; what
//! recordings decide is checked with sessions that the lab's peers played.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use proxy::lab::{Scenario, certificate};
use serde_json::Value;

use crate::support::program::program;
use crate::support::recorded::{Folder, Recorded};

/// Runs it with these words behind it.
fn explain(words: &[&str]) -> Output {
    Command::new(program()).arg("explain").args(words).output().expect("run")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8").replace("\r\n", "\n")
}

/// The text is what the expectation file says, fits 80 columns, and the exit code is this.
fn check(name: &str, words: &[&str], code: i32) {
    let output = explain(words);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{words:?}: {wide:?}");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/expect").join(format!("explain-{name}.txt"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &text).expect("write");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        text == expected,
        "{words:?} says something else than {} (UPDATE_EXPECT=1 rewrites it):\n{text}",
        path.display()
    );
}

#[test]
fn codes_are_explained_as_expected() {
    check("0x904-0x7", &["0x904", "0x7"], 0);
    check("0x904-0x0", &["2308", "0"], 0);
    check("0x108", &["0x108"], 0);
    check("0x104", &["0x104"], 0);
    check("0x3-0x10a", &["0x3", "0x10a"], 0);
    check("logon-failure", &["-1073741715"], 0);
    check("alert-48", &["alert", "48"], 0);
    check("freerdp-0x2000c", &["freerdp", "0x2000C"], 0);
    check("gateway-cap", &["0x800759DB"], 0);
    check("hybrid-required", &["HYBRID_REQUIRED_BY_SERVER"], 0);
    check("tls-connect-failed", &["ERRCONNECT_TLS_CONNECT_FAILED"], 0);
    check("event-36870", &["event", "36870"], 0);
    check("cause", &["PATH-PMTU"], 0);
    check("unlisted", &["0x2a07"], 1);
    check("errinfo-unlisted", &["errinfo", "0x10c"], 1);
    check("unknown", &["0x76543210"], 1);
}

#[test]
fn however_it_is_written_the_answer_is_the_same() {
    let same = |one: &[&str], other: &[&str]| assert_eq!(stdout(&explain(one)), stdout(&explain(other)), "{other:?}");
    same(&["0x904", "0x7"], &["2308", "7"]);
    same(&["0x904", "0x7"], &["0x904/0x7"]);
    same(&["0x904", "0x7"], &["mstsc", "0X904", "ext", "7"]);
    same(&["0xC000006D"], &["-1073741715"]);
    same(&["HYBRID_REQUIRED_BY_SERVER"], &["hybrid_required_by_server"]);
}

#[test]
fn what_cannot_be_read_is_refused() {
    for wrong in [&["0xZZ"][..], &["alert"], &["NO_SUCH_NAME"], &["0x123456789"], &["a b"]] {
        let output = explain(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with(b"error: "), "{wrong:?}");
    }
    let output = explain(&["0x904", "--capture", "/nowhere.pcapng"]);
    assert_eq!(output.status.code(), Some(2));
}

/// Several lines on standard input, also as Windows's tools write them.
#[test]
fn standard_input_is_a_line_or_more() {
    let text = "Event ID: 140\r\nSource: RdpCoreTS\r\nnothing of ours\r\n";
    let wide: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (bytes, code) in [(text.as_bytes(), 0), (&wide, 0), (b"0x904 0x7", 0), (b"nothing of ours at all", 2)] {
        let mut child = Command::new(program());
        let child = child.args(["explain", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().expect("run");
        child.stdin.take().expect("piped").write_all(bytes).expect("write");
        let output = child.wait_with_output().expect("end");
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        if bytes.len() >= text.len() && code == 0 && bytes != b"0x904 0x7" {
            let said = stdout(&output);
            assert!(said.contains("RdpCoreTS 140: Windows event"), "{said}");
            assert!(said.contains("not read: nothing of ours"), "{said}");
        }
    }
}

/// What the help gives as an example must be in a table.
#[test]
fn the_examples_of_the_help_are_known() {
    let examples: [&[&str]; 9] = [
        &["0x904"],
        &["2308"],
        &["-1073741715"],
        &["alert", "48"],
        &["errinfo", "0x10a"],
        &["freerdp", "0x2000C"],
        &["neg", "5"],
        &["RdpCoreTS", "131"],
        &["rc", "131"],
    ];
    let help = stdout(&explain(&["--help"])).split_whitespace().collect::<Vec<_>>().join(" ");
    for example in examples {
        assert!(help.contains(&example.join(" ")), "{example:?} is not in the help: {help}");
        assert_eq!(explain(example).status.code(), Some(0), "{example:?}");
    }
}

/// Plays a scenario through the recording proxy; the recording is in the folder.
async fn recorded(name: &str) -> Folder {
    let scenario = Scenario::named(name).expect("scenario");
    let server = scenario.serve().await.expect("serve");
    let proxy = Recorded::to(certificate::NAME, server.addr).await;
    scenario.connect(proxy.addr).await;
    server.stop().await;
    proxy.finish().await.1
}

fn decided(folder: &Path, words: &[&str]) -> (Option<i32>, Value) {
    let folder = folder.to_str().expect("UTF-8");
    let output = explain(&[words, &["--format", "json", "--capture", folder]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    (output.status.code(), document["answers"][0]["decisions"][0].clone())
}

fn excluded(decision: &Value, cause: &str) -> bool {
    let groups = decision["excluded"].as_array().expect("excluded");
    groups.iter().any(|group| group["causes"].as_array().is_some_and(|causes| causes.iter().any(|id| id == cause)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_decides_between_the_causes() {
    let cases = [
        ("reset-after-client-hello", "TLS-NOKEY", &["X224-SSLNO", "NLA-CRED", "PATH-IDLE", "TCP-NOTRDP"][..]),
        ("reset-after-request", "TCP-RST-AFTER", &["TLS-NOKEY", "NLA-CRED", "SES-KILLED", "PATH-IDLE"]),
        ("ssl-not-allowed", "X224-SSLNO", &["TCP-NOTRDP", "TLS-VER", "MCS-REJECT"]),
        ("reset-mid-certificate", "TLS-HALF", &["TLS-NOKEY", "TLS-CIPHER", "X224-NOCERT"]),
    ];
    for (scenario, cause, not) in cases {
        let folder = recorded(scenario).await;
        let (code, decision) = decided(&folder.0, &["0x904", "0x7"]);
        assert_eq!((code, decision["shown"]["cause"].as_str()), (Some(0), Some(cause)), "{scenario}: {decision:#}");
        assert_eq!(decision["fits"], true, "{scenario}");
        assert!(!decision["shown"]["evidence"].as_array().expect("evidence").is_empty(), "{scenario}");
        for id in not {
            assert!(excluded(&decision, id), "{scenario}: {id} is not excluded: {decision:#}");
        }
        assert!(!excluded(&decision, cause), "{scenario}");
        let text = stdout(&explain(&["0x904", "0x7", "--capture", folder.0.to_str().expect("UTF-8")]));
        assert!(text.contains(&format!("  shown:       {cause}")), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_recording_shows_no_cause() {
    let folder = recorded("healthy-tls12").await;
    let (code, decision) = decided(&folder.0, &["0x904", "0x7"]);
    assert_eq!((code, decision["shown"].is_null()), (Some(1), true), "{decision:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_of_another_failure_says_so() {
    let folder = recorded("hybrid-required").await;
    let (_, decision) = decided(&folder.0, &["0x3", "0x101"]);
    assert_eq!(
        (&decision["shown"]["cause"], &decision["fits"]),
        (&"X224-HYBRID".into(), &false.into()),
        "{decision:#}"
    );
    assert_eq!(decided(&folder.0, &["0xB09"]).1["fits"], true);
}
