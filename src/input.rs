//! From names on the command line to what is in the files: folders, standard input, compressed files, several files on
//! all cores, progress on a terminal. The only module that names flate2, ruzstd and indicatif.

use std::fs::{self, File};
use std::io::{self, Cursor, IsTerminal, Read, Seek};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use analyzer::attempt::Diagnosed;
use analyzer::reading::{self, Along, Clock, Known, Order, ReadError, Reading};
use analyzer::tls::keys::Keyring;
use anyhow::Context;
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proxy::record;
use ruzstd::decoding::StreamingDecoder;

/// A probe's document is not read beyond this, bytes.
const PROBE: u64 = 1 << 20;
/// How a pcapng begins: no other capture has secrets in it.
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// How files are named that a folder is searched for.
const EXTENSIONS: [&str; 5] = ["pcapng", "pcap", "cap", "gz", "zst"];
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What was found in one file.
pub struct Found {
    /// The file's name.
    pub name: String,
    /// Its sessions, and what else can be said of it.
    pub result: anyhow::Result<(Vec<Diagnosed>, Reading)>,
}

/// Reads all inputs, on all cores, with the secrets in them and what is known besides. What was found stands in the order of the
/// inputs, whoever was ready first.
pub fn read_all(inputs: &[PathBuf], known: &Known) -> Vec<Found> {
    let files: Vec<PathBuf> = inputs.iter().flat_map(|input| files(input)).collect();
    let progress = progress(&files);
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let work = || {
        while let Some((place, file)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, files.get(i)?)))
        {
            let result = read(file, known, &progress);
            let found_here = (place, Found { name: shown(file), result });
            found.lock().unwrap_or_else(PoisonError::into_inner).push(found_here);
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(files.len());
    thread::scope(|scope| {
        for _ in 1..cores {
            scope.spawn(work);
        }
        work();
    });
    progress.finish_and_clear();
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, found)| found).collect()
}

/// A file, taken out of its compression.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    decompressed(record::open(path)?).map_err(io::Error::other)
}

/// A recording that may still be made, and what its TLS is opened with: these secrets and those that stand in it by now. What
/// is compressed, and standard input, end where they end; of another file the end is where `is_over` says so.
pub fn open_growing(
    path: &Path,
    keys: &Arc<Keyring>,
    is_over: impl FnMut(&File) -> bool + 'static,
) -> anyhow::Result<(Box<dyn Read>, Arc<Keyring>)> {
    if is_stdin(path) {
        return Ok((decompressed(io::stdin().lock())?, Arc::clone(keys)));
    }
    let name = shown(path);
    let mut file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    let keys = secrets_of(path, keys).with_context(|| name.clone())?;
    let mut head = Vec::new();
    file.by_ref().take(PCAPNG.len() as u64).read_to_end(&mut head).with_context(|| format!("cannot read {name}"))?;
    file.rewind().with_context(|| format!("cannot read {name}"))?;
    if head != PCAPNG {
        return Ok((decompressed(file).with_context(|| name)?, keys));
    }
    let (first, is_over) = (path.to_owned(), Box::new(is_over));
    Ok((Box::new(Growing { file, first, part: 1, is_over }), keys))
}

/// A file behind whose end more may come, in it or in its next part.
struct Growing {
    file: File,
    first: PathBuf,
    /// The part that is being read.
    part: u32,
    /// Whether nothing more will come. It may take its time.
    is_over: Box<dyn FnMut(&File) -> bool>,
}

impl Read for Growing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut len = self.file.read(into)?;
            if len == 0 && !into.is_empty() {
                let next = File::open(record::part(&self.first, self.part + 1));
                // A next part is begun once the one before it is complete: what came in between is read first.
                len = self.file.read(into)?;
                if len == 0
                    && let Ok(next) = next
                {
                    (self.file, self.part) = (next, self.part + 1);
                    continue;
                }
            }
            if len > 0 || into.is_empty() || (self.is_over)(&self.file) {
                return Ok(len);
            }
        }
    }
}

/// The sessions in one file.
pub fn read_one(path: &Path) -> anyhow::Result<(Vec<Diagnosed>, Reading)> {
    read(path, &Known::default(), &ProgressBar::hidden())
}

fn read(path: &Path, known: &Known, progress: &ProgressBar) -> anyhow::Result<(Vec<Diagnosed>, Reading)> {
    let name = shown(path);
    let known = with_secrets_of(path, known).with_context(|| name.clone())?;
    let beside = probe_beside(path);
    let attempt = |(order, clock): (Order, Clock)| {
        let input: Box<dyn Read> = if is_stdin(path) {
            Box::new(io::stdin().lock())
        } else {
            record::open(path).with_context(|| format!("cannot open {name}"))?
        };
        let input = decompressed(progress.wrap_read(input)).with_context(|| name.clone())?;
        let known = Known { order, clock, ..known.clone() };
        let mut sessions = Vec::new();
        let mut keep = |session: Diagnosed| sessions.push(Diagnosed { probe: beside.clone(), ..session });
        let reading = match reading::read_with(input, Some(&name), &known, &mut keep) {
            Err(ReadError::Disordered) => return Ok(None),
            reading => reading.with_context(|| name.clone())?,
        };
        Ok(Some((sessions, reading)))
    };
    // Times mostly go up: only where one goes back is a file read again, by then with what is known of all of them.
    let order = if can_be_read_again(path) { Order::Checked } else { Order::Once };
    let first = attempt((order, Clock::default()))?;
    match first {
        Some(found) => Ok(found),
        None => attempt(order_of(path)?).map(Option::unwrap_or_default),
    }
}

/// In which order the packets of a file are to be taken, and by which clock: that is asked only where times go back.
fn order_of(path: &Path) -> anyhow::Result<(Order, Clock)> {
    if !can_be_read_again(path) {
        return Ok((Order::Once, Clock::default()));
    }
    let name = shown(path);
    let again = || open(path).with_context(|| format!("cannot open {name}"));
    let order = |clock: &Clock| reading::order(again()?, clock).with_context(|| name.clone());
    let by_times = order(&Clock::default())?;
    if by_times == Order::Once {
        return Ok((by_times, Clock::default()));
    }
    let clock = reading::clock(again()?).with_context(|| name.clone())?;
    Ok((if clock.is_steady() { by_times } else { order(&clock)? }, clock))
}

/// Whether it is a file, and no pipe and no device.
fn can_be_read_again(path: &Path) -> bool {
    !is_stdin(path) && fs::metadata(path).is_ok_and(|file| file.is_file())
}

/// What a file tells step by step, with the secrets in it and what is known besides. Passwords stand in that.
pub fn read_along(path: &Path, known: &Known, each: &mut dyn FnMut(Along)) -> anyhow::Result<Reading> {
    let name = shown(path);
    let (order, clock) = order_of(path)?;
    let known = Known { order, clock, ..with_secrets_of(path, known).with_context(|| name.clone())? };
    let input = open(path).with_context(|| format!("cannot open {name}"))?;
    reading::read_along(input, Some(&name), &known, each).with_context(|| name)
}

/// What is known, with the secrets that stand in the file.
fn with_secrets_of(path: &Path, known: &Known) -> anyhow::Result<Known> {
    Ok(Known { keys: secrets_of(path, &known.keys)?, ..known.clone() })
}

/// These secrets and those that stand in the file, anywhere in it: it is read twice for that. Standard input is read once.
fn secrets_of(path: &Path, keys: &Arc<Keyring>) -> anyhow::Result<Arc<Keyring>> {
    // Where it cannot be opened, or is none that may be read twice, reading it will say so.
    if !can_be_read_again(path) || File::open(path).is_err() {
        return Ok(Arc::clone(keys));
    }
    let mut input = decompressed(record::open(path).context("cannot open")?)?;
    let mut head = Vec::new();
    input.by_ref().take(PCAPNG.len() as u64).read_to_end(&mut head).context("cannot read")?;
    if head != PCAPNG {
        return Ok(Arc::clone(keys));
    }
    let mut all = reading::secrets(Cursor::new(head).chain(input))?;
    if all.is_empty() {
        return Ok(Arc::clone(keys));
    }
    all.extend(keys);
    Ok(Arc::new(all.naming(keys.shows_names())))
}

/// The secrets of key logs, and whether user names are to be shown.
pub fn keyring(logs: &[PathBuf], names: bool) -> anyhow::Result<Arc<Keyring>> {
    let mut keys = Keyring::default();
    for log in logs {
        let mut found = Keyring::default();
        found.read_and_wipe(fs::read(log).with_context(|| format!("cannot read {}", log.display()))?);
        if found.is_empty() {
            tracing::warn!("{} holds no secret: it has no line of a key log", log.display());
        }
        keys.extend(&found);
    }
    Ok(Arc::new(keys.naming(names)))
}

/// What `proxy --probe-on-failure` wrote beside a recording, if it did.
fn probe_beside(path: &Path) -> Option<String> {
    let file = File::open(path.with_extension("probe.json")).ok().filter(|_| !is_stdin(path))?;
    let mut document = String::new();
    file.take(PROBE).read_to_string(&mut document).ok()?;
    Some(document)
}

/// What is in a compressed file; others as they are. The content tells, not the name.
fn decompressed<'a>(mut input: impl Read + 'a) -> anyhow::Result<Box<dyn Read + 'a>> {
    let mut head = Vec::new();
    input.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head).context("cannot read")?;
    let (is_gzip, is_zstd) = (head.starts_with(&GZIP), head.starts_with(&ZSTD));
    let whole = Cursor::new(head).chain(input);
    Ok(if is_gzip {
        Box::new(MultiGzDecoder::new(whole))
    } else if is_zstd {
        Box::new(StreamingDecoder::new(whole).context("not a zstd file")?)
    } else {
        Box::new(whole)
    })
}

/// A file as it is, a folder as the captures in it, in the order of their names.
pub fn files(input: &Path) -> Vec<PathBuf> {
    let captures = || -> io::Result<Vec<PathBuf>> {
        let paths = fs::read_dir(input)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
        let extension = |path: &PathBuf| path.extension().and_then(|extension| extension.to_str()).map(str::to_owned);
        let is_capture = |path: &PathBuf| extension(path).is_some_and(|found| EXTENSIONS.contains(&found.as_str()));
        let is_whole = |path: &PathBuf| is_capture(path) && !path.is_dir() && !record::is_further_part(path);
        let mut paths: Vec<PathBuf> = paths.into_iter().filter(is_whole).collect();
        paths.sort();
        Ok(paths)
    };
    if !input.is_dir() {
        return vec![input.to_owned()];
    }
    // A folder that cannot be read is told as a file that cannot.
    captures().unwrap_or_else(|_| vec![input.to_owned()])
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn shown(path: &Path) -> String {
    if is_stdin(path) { "standard input".into() } else { path.display().to_string() }
}

/// A bar on a terminal, nothing elsewhere.
fn progress(files: &[PathBuf]) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let len = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum();
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
