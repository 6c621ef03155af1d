//! `rdpscope histogram` over sessions that the lab's peers played through the recording proxy, and what other readers
//! of HdrHistogram's formats find in its exports.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use proxy::lab::{Scenario, certificate, scenarios};
use serde_json::Value;

use crate::support::program::{Proxy, program};
use crate::support::recorded::{Folder, Recorded};

/// So many clients at once.
const AT_ONCE: usize = 4;

/// Healthy and failing sessions in which nobody waits on purpose.
const MIX: [&str; 5] =
    ["healthy-tls12", "healthy-tls13", "reset-after-client-hello", "hybrid-required", "reset-after-request"];

/// Plays as many sessions of the mix as wanted, recordings in one folder.
async fn played(sessions: usize) -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(&folder.0).expect("folder");
    let mix: Vec<&Scenario> = MIX.iter().filter_map(|name| Scenario::named(name)).collect();
    assert_eq!(mix.len(), MIX.len(), "{:?}", scenarios().map(|scenario| scenario.name).collect::<Vec<_>>());
    for (place, scenario) in mix.iter().enumerate() {
        let share = (sessions + mix.len() - 1 - place) / mix.len();
        play(scenario, share, &folder.0).await;
    }
    folder
}

async fn play(scenario: &'static Scenario, sessions: usize, into: &Path) {
    let server = scenario.serve().await.expect("serve");
    let proxy = Recorded::to(certificate::NAME, server.addr).await;
    for begun in (0..sessions).step_by(AT_ONCE) {
        let wave = (begun..sessions.min(begun + AT_ONCE)).map(|_| tokio::spawn(scenario.connect(proxy.addr)));
        for client in wave.collect::<Vec<_>>() {
            client.await.expect("client");
        }
    }
    server.stop().await;
    let (_, recordings) = proxy.finish().await;
    for entry in fs::read_dir(&recordings.0).expect("recordings") {
        let path = entry.expect("entry").path();
        let name = format!("{}-{}", scenario.name, path.file_name().expect("name").to_string_lossy());
        fs::rename(&path, into.join(name)).expect("rename");
    }
}

fn histogram(folder: &Folder, args: &[&str]) -> Output {
    Command::new(program()).arg("histogram").arg(&folder.0).args(args).output().expect("run")
}

fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Checks everything that is said of so many sessions.
async fn check(sessions: usize) {
    let folder = played(sessions).await;
    let text = stdout(histogram(&folder, &[]));
    assert!(text.starts_with(&format!("{sessions} sessions: ")), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for row in
        ["connect ", "connect (failed) ", "tls (failed) ", "negotiation (failed) ", "rtt-back ", "waited-server "]
    {
        assert!(text.lines().any(|line| line.starts_with(row)), "{row}\n{text}");
    }
    let document: Value = serde_json::from_str(&stdout(histogram(&folder, &["--format", "json"]))).expect("JSON");
    let log = read(&stdout(histogram(&folder, &["--format", "v2"])));
    let rows = document["sets"][0]["histograms"].as_array().expect("histograms");
    assert_eq!(rows.len(), log.len());
    for row in rows {
        let (measure, fate) = (row["measure"].as_str().expect("measure"), row["fate"].as_str().expect("fate"));
        let tag = if fate == "done" { measure.to_owned() } else { format!("{measure}-{fate}") };
        let found = &log[&tag];
        assert_eq!(
            (row["count"].as_u64(), row["p99_ns"].as_u64()),
            (Some(found.len()), Some(found.value_at_quantile(0.99)))
        );
    }
    let connects: u64 = ["connect", "connect-failed"].map(|tag| log[tag].len()).iter().sum();
    assert_eq!(connects, sessions as u64, "no session is lost");
    percentiles(&folder, &log["connect"]);
    other_ways(&folder, rows.len());
    if let Some(kept) = std::env::var_os("RDPSCOPE_KEEP") {
        fs::create_dir_all(&kept).expect("keep");
        fs::rename(&folder.0, Path::new(&kept).join("sessions")).expect("keep");
    }
}

/// CSV, two sets side by side, other groups; and what is refused.
fn other_ways(folder: &Folder, series: usize) {
    let csv = stdout(histogram(folder, &["--format", "csv"]));
    assert_eq!(csv.lines().count(), series + 1, "{csv}");
    assert!(csv.lines().all(|line| line.split(',').count() == 11), "{csv}");
    let same = stdout(histogram(folder, &["--phase", "tls", "--vs", &folder.0.display().to_string()]));
    let row = same.lines().find(|line| line.starts_with("tls ")).expect("a row");
    assert_eq!(row.matches("  1.00").count(), 3, "p50, p90, p99 of a set beside itself: {row}");
    let by = stdout(histogram(folder, &["--by", "outcome", "--phase", "connect"]));
    assert!(by.contains("\nconnected\n") && by.contains("\nfailed\n"), "{by}");
    for wrong in [&["--phase", "nonsense"][..], &["--format", "hgrm"], &["--format", "csv", "--vs", "/nowhere"]] {
        assert_eq!(histogram(folder, wrong).status.code(), Some(2), "{wrong:?}");
    }
}

/// Every interval of a V2 log by its tag.
fn read(log: &str) -> BTreeMap<String, Histogram<u64>> {
    let interval = |entry| match entry {
        Ok(LogEntry::Interval(interval)) => Some(interval),
        Ok(_) | Err(_) => None,
    };
    let decoded = IntervalLogIterator::new(log.as_bytes()).filter_map(interval).map(|interval| {
        let bytes = BASE64_STANDARD.decode(interval.encoded_histogram()).expect("base64");
        let histogram = Deserializer::new().deserialize(&mut bytes.as_slice()).expect("V2");
        (interval.tag().expect("tag").as_str().to_owned(), histogram)
    });
    decoded.collect()
}

/// The .hgrm says the same as the histogram.
fn percentiles(folder: &Folder, connect: &Histogram<u64>) {
    let path = folder.0.join("all.hgrm");
    let path_text = path.display().to_string();
    stdout(histogram(folder, &["--phase", "connect", "--format", "hgrm", "-o", &path_text]));
    let text = fs::read_to_string(folder.0.join("all-connect.hgrm")).expect("hgrm");
    let rows = text.lines().skip(2).filter(|line| !line.starts_with('#'));
    let mut last = 0.0;
    for row in rows {
        let columns: Vec<f64> = row.split_whitespace().map(|column| column.parse().expect("number")).collect();
        // By the count: the percentile next to it may be rounded to the value beside it.
        let value = connect.value_at_quantile((columns[2] - 0.5) / connect.len() as f64) as f64 / 1e6;
        assert!((columns[0] - value).abs() <= 0.001 + value / 1000.0 && columns[0] >= last, "{row}: {value}");
        last = columns[0];
    }
    assert!(text.contains(&format!("Total count    = {:12}]", connect.len())), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_sessions_stand_apart_and_other_readers_find_the_same() {
    check(25).await;
}

/// Takes a minute: `cargo test --test it thousand -- --ignored`. RDPSCOPE_KEEP names a folder that keeps the recordings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a thousand sessions"]
async fn a_thousand_sessions() {
    check(1000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_proxy_says_it_when_asked_and_goes_on() {
    let scenario = Scenario::named("hybrid-required").expect("scenario");
    let server = scenario.serve().await.expect("serve");
    let mut proxy = Proxy::before(server.addr.port()).unwrap_or_else(|trouble| panic!("{trouble}"));
    let addr = SocketAddr::from(([127, 0, 0, 1], proxy.port));
    let asked = async |proxy: &mut Proxy, expected: &str| {
        scenario.connect(addr).await;
        tokio::task::block_in_place(|| proxy.ask(expected)).unwrap_or_else(|trouble| panic!("{trouble}"));
    };
    asked(&mut proxy, "1 session: 1 failed").await;
    asked(&mut proxy, "2 sessions: 2 failed").await;
    let finished = tokio::task::block_in_place(|| proxy.finish()).unwrap_or_else(|trouble| panic!("{trouble}"));
    server.stop().await;
    assert_eq!(finished.code, Some(0), "{}", finished.output);
    let summary = ["\n1 attempt\n", " attempts\n"].iter().find_map(|counted| finished.output.split_once(counted));
    let (_, end) = summary.expect("the summary");
    assert!(end.contains("2 sessions: 2 failed"), "{}", finished.output);
}
