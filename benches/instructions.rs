//! How many instructions the pipeline takes, layer by layer: `cargo bench --bench instructions [-- --update]`.
//!
//! Times differ from run to run and from machine to machine; instructions under valgrind hardly do. Each case runs as a
//! process of its own under callgrind, and what an empty one takes is subtracted. Where a case takes more than [`BOUND`] percent more or
//! less than `benches/instructions.txt` says, this fails: `--update` writes new figures, and the commit says why they changed.

#[path = "common/traffic.rs"]
mod traffic;

use std::fs::{self, File};
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use analyzer::attempt;
use analyzer::capture::annotation::Section;
use analyzer::capture::recording;
use analyzer::reading;
use analyzer::report::json;
use traffic::Traffic;

/// Hash tables are seeded at random: the same build differs by less than a tenth of a percent from run to run. Another compiler
/// may well move more.
const BOUND: u64 = 5;
const FIGURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/captures");

/// A name, what one unit of it is, and what is done: the number of units.
type Case = (&'static str, &'static str, fn(&Path) -> io::Result<u64>);

const CASES: [Case; 7] = [
    ("packets of 200 B", "packet", |folder| packets(folder, 130, 2 << 20)),
    ("packets of 1,400 B", "packet", |folder| packets(folder, 1330, 8 << 20)),
    ("a recording, read", "reading", |_| read("healthy-tls12.pcapng", 20)),
    ("a recording with secrets, read", "reading", |_| read("keyed", 4)),
    ("a recording, written", "observation", written),
    ("what went wrong, in every golden capture", "capture", |_| judged(false)),
    ("the same, as JSON", "capture", |_| judged(true)),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().position(|arg| arg == "--case") {
        Some(at) => play(&args[at + 1], Path::new(&args[at + 2])).map(|_| true),
        None => measure(args.iter().any(|arg| arg == "--update")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// All cases, held against their figures. Whether all of them are as they were.
fn measure(is_update: bool) -> io::Result<bool> {
    let folder = std::env::temp_dir().join(format!("rdpscope-instructions-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let known = fs::read_to_string(FIGURES).unwrap_or_default();
    let (mut table, mut is_fine) = (String::new(), true);
    println!("{:<42} {:>14} {:>14}  change", "", "instructions", "each");
    let empty = count("nothing", &folder)?;
    for (name, unit, case) in CASES {
        let units = case(&folder)?.max(1);
        let taken = count(name, &folder)?.saturating_sub(empty);
        let before = known.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
        let change = before.map_or(f64::INFINITY, |before: u64| (taken as f64 / before as f64 - 1.0) * 100.0);
        let is_as_before = change.abs() <= BOUND as f64;
        let says = if is_as_before || is_update { "" } else { "  TOO MUCH" };
        println!("{name:<42} {taken:>14} {:>14}  {change:+.1} %{says}", format!("{} a {unit}", taken / units));
        table += &format!("{name:<42} {taken:>14}  {} a {unit}\n", taken / units);
        is_fine &= is_as_before;
    }
    fs::remove_dir_all(folder)?;
    if is_update {
        fs::write(FIGURES, table)?;
    } else if !is_fine {
        println!(
            "more than {BOUND} % from benches/instructions.txt: cargo bench --bench instructions -- --update, and say why"
        );
    }
    Ok(is_fine || is_update)
}

/// What callgrind counts of a process that does this.
fn count(case: &str, folder: &Path) -> io::Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(std::env::current_exe()?);
    let output = valgrind.args(["--case", case]).arg(folder).output()?;
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    let count =
        says.lines().find_map(|line| line.split_once("Collected : ")?.1.split_whitespace().next()?.parse().ok());
    count.filter(|_| output.status.success()).ok_or_else(|| io::Error::other(format!("no count of {case}: {says}")))
}

fn play(name: &str, folder: &Path) -> io::Result<u64> {
    CASES.iter().find(|(known, ..)| *known == name).map_or(Ok(0), |(.., case)| case(folder))
}

/// A capture of packets of a size. The parent makes the file, as it counts the units; the child finds it.
fn packets(folder: &Path, payload: usize, len: usize) -> io::Result<u64> {
    let (path, count) = (folder.join(format!("{payload}.pcap")), folder.join(format!("{payload}.count")));
    if !path.exists() {
        let packets = Traffic { payload, connections: 64, rdp: 64 }.write(&path, len)?;
        fs::write(&count, packets.to_string())?;
    }
    let mut sessions = 0;
    reading::read(File::open(path)?, None, &mut |_| sessions += 1).map_err(io::Error::other)?;
    black_box(sessions);
    Ok(fs::read_to_string(count)?.parse().unwrap_or(0))
}

/// A golden capture, or all in a folder of them, so many times.
fn read(name: &str, times: u64) -> io::Result<u64> {
    let path = Path::new(CAPTURES).join(name);
    let files = if path.is_dir() { captures(&path)? } else { vec![path] };
    for _ in 0..times {
        for file in &files {
            reading::read(File::open(file)?, None, &mut |session| drop(black_box(session)))
                .map_err(io::Error::other)?;
        }
    }
    Ok(times * files.len() as u64)
}

fn written(_: &Path) -> io::Result<u64> {
    const TIMES: u64 = 50;
    let file = File::open(Path::new(CAPTURES).join("healthy-tls12.pcapng"))?;
    let mut seen = Vec::new();
    recording::read(file, 0, &mut |observation| seen.push(observation)).map_err(io::Error::other)?;
    for _ in 0..TIMES {
        black_box(proxy::record::record(Vec::new(), &Section::default(), seen.clone(), &mut |_| {})?);
    }
    Ok(TIMES * seen.len() as u64)
}

fn judged(as_json: bool) -> io::Result<u64> {
    let mut sessions = Vec::new();
    let files = captures(Path::new(CAPTURES))?;
    for file in &files {
        reading::read(File::open(file)?, None, &mut |session| sessions.push(session)).map_err(io::Error::other)?;
    }
    let attempts = attempt::group(sessions);
    if as_json {
        black_box(json::document("bench", &attempts));
    }
    Ok(files.len() as u64)
}

fn captures(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pcapng"));
    files.sort();
    Ok(files)
}
