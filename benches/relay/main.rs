//! What the proxy costs beside other relays: `cargo bench --bench relay [-- TABLE...]`.
//!
//! Every figure is taken of all relays in one run, in turn, each a process of its own; medians of the rounds are printed,
//! with the ratio to HAProxy's copying mode. Client and server are threads of this process, so that the two
//! cores of a small machine are shared by client, relay and server as in no office: the ratios are what counts.
//!
//! `RDPSCOPE_BENCH_WAYS=nginx,recording` takes only relays whose names contain one of these words.
//!
//! Tables: `bulk`, `hundred`, `trips`, `connections`, `recorders`, `stamps`, `idle`, `minute`; all of them where none is named.

mod load;
mod peers;
mod stamps;

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use peers::{DIRECT, HAPROXY, NGINX, Open, RDPSCOPE, RECORDED, SOCAT, SOCAT_R, SPLICING, SSLSPLIT, Way};

/// Rounds in turn, at least five.
const ROUNDS: usize = 7;
/// All that do not record, and this one that does.
const RELAYS: [Way; 7] = [DIRECT, HAPROXY, SPLICING, NGINX, SOCAT, RDPSCOPE, RECORDED];
const RECORDERS: [Way; 4] = [HAPROXY, SOCAT_R, SSLSPLIT, RECORDED];
/// Sessions that do nothing, unless `RDPSCOPE_BENCH_IDLE` says how many.
const IDLE: usize = 6000;

fn main() -> io::Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let bench = Bench {
        server: load::serve()?,
        folder: std::env::temp_dir().join(format!("rdpscope-bench-{}", std::process::id())),
    };
    allow_many_files();
    let tables: [Table; 8] = [
        ("bulk", |bench| bench.bulk("one connection, 1,024 MiB", &RELAYS, 1, 1024)),
        ("hundred", |bench| bench.bulk("100 connections, 10 MiB each", &RELAYS, 100, 10)),
        ("recorders", |bench| bench.bulk("recorders: one connection, 1,024 MiB", &RECORDERS, 1, 1024)),
        ("trips", Bench::trips),
        ("connections", Bench::connections),
        ("stamps", |bench| stamps::table(bench.server, &bench.folder)),
        ("idle", Bench::idle),
        ("minute", Bench::minute),
    ];
    let wanted = tables.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|one| one == name));
    wanted.into_iter().try_for_each(|(_, table)| table(&bench))?;
    fs::remove_dir_all(&bench.folder)
}

/// A table's name, and how it is made.
type Table = (&'static str, fn(&Bench) -> io::Result<()>);

struct Bench {
    server: SocketAddr,
    folder: PathBuf,
}

/// What one round of one relay took.
#[derive(Clone, Copy, Default)]
struct Round {
    took: Duration,
    cpu: Duration,
    stored: u64,
}

impl Bench {
    fn open(&self, ways: &[Way]) -> io::Result<Vec<Open>> {
        let wanted = std::env::var("RDPSCOPE_BENCH_WAYS").unwrap_or_default();
        let is_wanted = |way: &&Way| wanted.split(',').any(|word| way.name.contains(word));
        let ways = ways.iter().filter(is_wanted);
        let opened: io::Result<Vec<_>> = ways.map(|way| way.open(self.server, &self.folder)).collect();
        Ok(opened?.into_iter().flatten().collect())
    }

    /// The rounds of each relay, taken in turn.
    fn rounds(&self, open: &[Open], one: impl Fn(&Open) -> io::Result<Duration>) -> io::Result<Vec<Vec<Round>>> {
        let mut rounds = vec![Vec::new(); open.len()];
        for _ in 0..ROUNDS {
            for (open, rounds) in open.iter().zip(&mut rounds).filter(|(open, _)| !open.has_failed()) {
                let (cpu, stored) = (open.cpu(), open.stored());
                let took = match one(open) {
                    Ok(took) => took,
                    Err(error) => {
                        println!("!!! {}: {error}", open.name);
                        open.fail();
                        continue;
                    }
                };
                open.settle();
                let (cpu, stored) = (open.cpu() - cpu, open.stored().saturating_sub(stored));
                rounds.push(Round { took, cpu, stored });
                discard(&open.folder);
            }
        }
        Ok(rounds)
    }

    fn bulk(&self, title: &str, ways: &[Way], clients: usize, megabytes: usize) -> io::Result<()> {
        let mut open = self.open(ways)?;
        let rounds = self.rounds(&open, |open| load::bulk(open.addr, clients, megabytes))?;
        let gigabytes = (clients * (megabytes << 20)) as f64 / 1e9;
        println!("\n{title}; {}", disk(&self.folder)?);
        println!("{:<24} {:>10} {:>8} {:>11} {:>12}", "", "GB/s", "ratio", "CPU s/GB", "stored MB/s");
        let base = base(&open, &rounds);
        for (open, rounds) in open.iter_mut().zip(&rounds) {
            let took = median(rounds.iter().map(|round| round.took));
            let rates = rounds.iter().map(|round| gigabytes / round.took.as_secs_f64());
            let cpu = median(rounds.iter().map(|round| round.cpu)).as_secs_f64() / gigabytes;
            let stored = rounds.iter().map(|round| round.stored).sum::<u64>() as f64 / 1e6;
            let stored = stored / rounds.iter().map(|round| round.took.as_secs_f64()).sum::<f64>();
            let (low, high) = spread(rates);
            let threads = open.threads();
            let missing = missing(&open.close());
            println!(
                "{:<24} {:>10.2} {:>8.2} {cpu:>11.2} {stored:>12.0}   {low:.2}..{high:.2}{threads}{missing}",
                open.name,
                gigabytes / took.as_secs_f64(),
                base / took.as_secs_f64(),
            );
        }
        Ok(())
    }

    fn trips(&self) -> io::Result<()> {
        let open = self.open(&RELAYS)?;
        let mut all = vec![(Vec::new(), Vec::new()); open.len()];
        for _ in 0..ROUNDS {
            for (open, (trips, set_ups)) in open.iter().zip(&mut all) {
                trips.extend(load::round_trips(open.addr, 3000)?);
                set_ups.extend(load::set_ups(open.addr, 200)?);
            }
        }
        println!("\n64-byte round trip of an active session; set-up: connect, X.224 request and confirm; µs");
        println!("{:<24} {:>8} {:>8} {:>8} {:>12} {:>8}", "", "p50", "p99", "p99.9", "set-up p50", "p99");
        for (open, (trips, set_ups)) in open.iter().zip(&mut all) {
            let [p50, p99, p999] = [500, 990, 999].map(|part| percentile(trips, part));
            let [up50, up99] = [500, 990].map(|part| percentile(set_ups, part));
            println!("{:<24} {p50:>8.1} {p99:>8.1} {p999:>8.1} {up50:>12.1} {up99:>8.1}", open.name);
        }
        Ok(())
    }

    fn connections(&self) -> io::Result<()> {
        const COUNT: usize = 4000;
        let open = self.open(&RELAYS)?;
        let rounds = self.rounds(&open, |open| load::many_set_ups(open.addr, COUNT))?;
        println!("\nset-ups by eight clients at once, {COUNT} a round");
        println!("{:<24} {:>10} {:>8} {:>14}", "", "a second", "ratio", "CPU µs each");
        let base = base(&open, &rounds);
        for (open, rounds) in open.iter().zip(&rounds) {
            let took = median(rounds.iter().map(|round| round.took)).as_secs_f64();
            let cpu = median(rounds.iter().map(|round| round.cpu)).as_secs_f64() * 1e6 / COUNT as f64;
            println!("{:<24} {:>10.0} {:>8.2} {cpu:>14.0}", open.name, COUNT as f64 / took, base / took);
        }
        Ok(())
    }

    /// Memory of sessions that are active and silent.
    fn idle(&self) -> io::Result<()> {
        let idle = std::env::var("RDPSCOPE_BENCH_IDLE").ok().and_then(|count| count.parse().ok()).unwrap_or(IDLE);
        println!("\n{idle} active sessions that are silent");
        println!("{:<24} {:>12} {:>14}", "", "RSS, MB", "kB a session");
        for open in self.open(&[HAPROXY, NGINX, RDPSCOPE, RECORDED])? {
            let before = open.memory();
            let clients: io::Result<Vec<_>> = (0..idle).map(|_| load::active(open.addr)).collect();
            let clients = clients?;
            thread::sleep(Duration::from_secs(12)); // A file that rests is closed.
            open.settle();
            let after = open.memory();
            let each = (after - before) as f64 / 1e3 / idle as f64;
            println!("{:<24} {:>12.1} {each:>14.1}", open.name, after as f64 / 1e6);
            drop(clients);
        }
        Ok(())
    }

    fn minute(&self) -> io::Result<()> {
        println!("\n1,000 connections a second for a minute");
        println!("{:<24} {:>10} {:>8} {:>8} {:>10} {:>12}", "", "through", "failed", "CPU s", "RSS, MB", "recordings");
        for open in self.open(&[HAPROXY, NGINX, RDPSCOPE, RECORDED])? {
            let (cpu, before) = (open.cpu(), files(&open.folder.join("recordings")));
            let (through, failed) = load::paced(open.addr, 1000, Duration::from_secs(60));
            open.settle();
            let cpu = (open.cpu() - cpu).as_secs_f64();
            let (memory, files) = (open.memory() as f64 / 1e6, files(&open.folder.join("recordings")) - before);
            println!("{:<24} {through:>10} {failed:>8} {cpu:>8.1} {memory:>10.1} {files:>12}", open.name);
            discard(&open.folder);
        }
        Ok(())
    }
}

/// What HAProxy's copying mode takes, seconds: all ratios are to it.
fn base(open: &[Open], rounds: &[Vec<Round>]) -> f64 {
    let of = open.iter().zip(rounds).find(|(open, _)| open.name == HAPROXY.name).map(|(_, rounds)| rounds);
    of.map_or(f64::NAN, |rounds| median(rounds.iter().map(|round| round.took)).as_secs_f64())
}

/// What the proxy says that it could not keep up with.
fn missing(said: &str) -> String {
    let sum = said.lines().rfind(|line| line.starts_with("  MISSING")).map(str::trim);
    sum.map_or(String::new(), |sum| format!("   {sum}"))
}

/// How fast this disk takes what is written to it: into memory, and until it is really there.
fn disk(folder: &Path) -> io::Result<String> {
    let (path, block) = (folder.join("disk"), vec![7; 1 << 20]);
    let mut file = File::create(&path)?;
    let begun = Instant::now();
    (0..1024).try_for_each(|_| file.write_all(&block))?;
    let cached = begun.elapsed().as_secs_f64();
    file.sync_data()?;
    let synced = begun.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    let gigabytes = (1 << 30) as f64 / 1e9;
    Ok(format!("the disk takes {:.2} GB/s, {:.2} GB/s with fdatasync", gigabytes / cached, gigabytes / synced))
}

/// Empties the large files of a round, which may be open still, and removes those that are not. Small ones stay: a file system
/// that has just lost thousands is slow to make new ones.
fn discard(folder: &Path) {
    for (folder, is_open) in [(folder.to_owned(), true), (folder.join("recordings"), false)] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_large = entry.metadata().is_ok_and(|found| found.is_file() && found.len() > 1 << 20);
            if !is_large || entry.file_name() == "stdout" {
                continue;
            }
            let _emptied = File::options().write(true).open(entry.path()).and_then(|file| file.set_len(0));
            if !is_open {
                let _gone = fs::remove_file(entry.path());
            }
        }
    }
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).into_iter().flatten().count()
}

fn median<T: Ord + Copy + Default>(all: impl Iterator<Item = T>) -> T {
    let mut all: Vec<T> = all.collect();
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn spread(all: impl Iterator<Item = f64>) -> (f64, f64) {
    all.fold((f64::MAX, 0.0), |(low, high), one| (one.min(low), one.max(high)))
}

/// Microseconds; `part` of a thousand.
fn percentile(times: &mut [Duration], part: usize) -> f64 {
    times.sort();
    times[(times.len() * part / 1000).min(times.len() - 1)].as_secs_f64() * 1e6
}

/// Client and server hold a file each for every session.
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _as_it_is = setrlimit(Resource::Nofile, limit);
}
