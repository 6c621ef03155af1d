//! From names on the command line to what is in the files: folders, standard input, compressed files and archives, several
//! files on all cores, progress on a terminal. The only module that names indicatif.

mod archives;
mod packed;
mod places;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Cursor, IsTerminal, Read, Seek};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use analyzer::attempt::Diagnosed;
use analyzer::count::counted;
use analyzer::reading::{self, Along, Clock, Known, Order, ReadError, Reading};
use analyzer::tls::keys::Keyring;
use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proxy::named::Named;
use proxy::record;

use archives::{Entry, Layout, Source};
use places::Place;
pub use places::not_file;

/// A probe's document is not read beyond this, bytes.
const PROBE: u64 = 1 << 20;
/// How a pcapng begins: no other capture has secrets in it.
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Entries of an archive that are no captures are named up to this many.
const NAMED: usize = 5;
/// What is handed from the thread that reads an archive at once, bytes.
const CHUNK: usize = 1 << 18;

/// What was found in one file.
pub struct Found {
    /// The file's name; of an archive also that of the capture in it.
    pub name: String,
    /// Its sessions, and what else can be said of it.
    pub result: anyhow::Result<Sessions>,
}

/// The sessions of a capture, and what else can be said of it.
type Sessions = (Vec<Diagnosed>, Reading);

/// Reads all inputs, on all cores, with the secrets in them and what is known besides. What was found stands in the order of the
/// inputs, whoever was ready first.
pub fn read_all(inputs: &[PathBuf], known: &Known) -> Vec<Found> {
    let files: Vec<Place> = inputs.iter().flat_map(|input| places::places(input)).collect();
    let progress = progress(&files);
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let work = || {
        while let Some((place, file)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, files.get(i)?)))
        {
            let found_here = (place, read(file, known, &progress));
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
    found.into_iter().flat_map(|(_, found)| found).collect()
}

/// The sessions in one file.
pub fn read_one(path: &Path) -> anyhow::Result<Sessions> {
    let place = Place { path: path.to_owned(), is_found: false };
    let mut found = read(&place, &Known::default(), &ProgressBar::hidden());
    found.pop().map_or_else(|| Ok(Sessions::default()), |found| found.result)
}

/// What is in a file: of a capture that, of an archive each capture in it. Nothing of it stands on the disk meanwhile.
fn read(place: &Place, known: &Known, progress: &ProgressBar) -> Vec<Found> {
    let name = plain(&place.path);
    if let Some(why) = Some(place).filter(|place| place.is_found).and_then(|place| not_file(&place.path)) {
        return vec![passed_over(name, format!("passed over: {why}"))];
    }
    match look(place, known, progress) {
        Ok((read, notes)) => found(place, read, notes),
        Err(error) => vec![Found { name, result: Err(error) }],
    }
}

/// A file of which there is nothing to say but this.
fn passed_over(name: String, says: String) -> Found {
    Found { name, result: Ok((Vec::new(), Reading { notices: vec![says], ..Reading::default() })) }
}

/// What became of one entry of an archive, or of the file that is none and has no name in itself.
type Looked = (String, Result<Sessions, ReadError>);

/// Reads what is in a file, and again what has to be: secrets are looked for first, and packets whose times go back are put in
/// order once it is known by how much. Also what is to be said of the archive.
fn look(place: &Place, known: &Known, progress: &ProgressBar) -> anyhow::Result<(Vec<Looked>, Vec<String>)> {
    let hidden = ProgressBar::hidden();
    let again = can_be_read_again(&place.path);
    let (mut names, mut keys) = (HashSet::new(), HashMap::new());
    if again {
        walk(place, &hidden, &mut |_, entry| {
            let name = entry.name.to_owned();
            keys.extend(secrets(entry).map(|found| (name.clone(), found)));
            names.insert(name);
        })?;
    }
    let parts: HashSet<String> = names.iter().flat_map(|first| further_parts(&names, first)).collect();
    let with = |name: &str, order: Order, clock: Clock| {
        let mut known = Known { order, clock, ..known.clone() };
        for name in std::iter::once(name.to_owned()).chain(further_parts(&names, name)) {
            known.keys = keys.get(&name).map_or(Arc::clone(&known.keys), |found| with_keys(found, &known.keys));
        }
        known
    };
    let mut read = Vec::new();
    let first = if again { Order::Checked } else { Order::Once };
    let notes = walk(place, progress, &mut |_, mut entry| {
        let name = entry.name.to_owned();
        if parts.contains(&name) {
            // It is read behind its first part.
            return read.push((name, Ok(Sessions::default())));
        }
        for part in further_parts(&names, &name) {
            let part = extracted(place, part);
            entry.content = entry.content.map(|first| Box::new(first.chain(part)) as Box<dyn Read + '_>);
        }
        read.push((name.clone(), sessions(place, entry, &with(&name, first, Clock::default()))));
    })?;
    // Times mostly go up: only where one goes back is a file read again, by then with what is known of all of them.
    let is_disordered = |read: &[Looked], number: usize| {
        read.get(number).is_some_and(|(_, result)| matches!(result, Err(ReadError::Disordered)))
    };
    if (0..read.len()).any(|number| is_disordered(&read, number)) {
        let (mut clocks, mut orders) = (HashMap::new(), HashMap::new());
        walk(place, &hidden, &mut |number, entry| {
            if is_disordered(&read, number)
                && let Ok(clock) = entry.content.map_err(ReadError::Io).and_then(reading::clock)
            {
                clocks.insert(number, clock);
            }
        })?;
        walk(place, &hidden, &mut |number, entry| {
            let Some(clock) = clocks.remove(&number) else { return };
            let order = entry.content.map_err(ReadError::Io).and_then(|input| reading::order(input, &clock));
            orders.extend(order.ok().map(|order| (number, (order, clock))));
        })?;
        walk(place, progress, &mut |number, entry| {
            if let (Some((order, clock)), Some(slot)) = (orders.remove(&number), read.get_mut(number)) {
                let known = with(entry.name, order, clock);
                slot.1 = sessions(place, entry, &known);
            }
        })?;
    }
    Ok((read, notes))
}

/// The further parts of a recording in an archive, which are read behind its first one.
fn further_parts(names: &HashSet<String>, first: &str) -> Vec<String> {
    // A file that is no archive has no name in itself.
    let part = |number: u32| record::part(Path::new(first), number).to_string_lossy().into_owned();
    let further = (2..).map(part).take_while(|part| names.contains(part));
    if first.is_empty() { Vec::new() } else { further.collect() }
}

/// Hands on what is in a file, numbered; of a name like "ticket.zip/inner.pcapng" that entry alone.
fn walk(place: &Place, progress: &ProgressBar, each: &mut dyn FnMut(usize, Entry<'_>)) -> anyhow::Result<Vec<String>> {
    let (path, wanted) = if is_stdin(&place.path) { (place.path.clone(), None) } else { places::split(&place.path) };
    let name = shown(&path);
    let source = source(&Place { path, is_found: place.is_found }, progress);
    let source = source.with_context(|| format!("cannot open {name}"))?;
    let mut number = 0;
    let notes = archives::walk(source, &mut |entry| {
        if wanted.as_deref().is_some_and(|wanted| wanted != entry.name) {
            return ControlFlow::Continue(());
        }
        each(number, entry);
        number += 1;
        if wanted.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match wanted {
        Some(wanted) if number == 0 => Err(anyhow!("{name}: there is no {wanted} in it")),
        _ => Ok(notes),
    }
}

fn source<'a>(place: &Place, progress: &'a ProgressBar) -> io::Result<Source<'a>> {
    if is_stdin(&place.path) {
        return Ok(Source { input: Box::new(progress.wrap_read(io::stdin().lock())), file: None });
    }
    let input = record::with_parts(places::open(place)?, &place.path)?;
    let is_one = record::parts(&place.path).len() == 1;
    let file = Some(&place.path).filter(|_| is_one).and_then(|path| record::open_file(path).ok());
    Ok(Source { input: Box::new(progress.wrap_read(input)), file })
}

/// The secrets in an entry, where it is a capture that has some.
fn secrets(entry: Entry<'_>) -> Option<Keyring> {
    let content = entry.content.ok().filter(|_| entry.capture == Some(Layout::Pcapng))?;
    reading::secrets(content).ok().filter(|found| !found.is_empty())
}

/// These secrets and those that are known.
fn with_keys(found: &Keyring, known: &Arc<Keyring>) -> Arc<Keyring> {
    let mut all = found.clone();
    all.extend(known);
    Arc::new(all.naming(known.shows_names()))
}

/// The sessions of an entry.
fn sessions(place: &Place, entry: Entry<'_>, known: &Known) -> Result<Sessions, ReadError> {
    let (name, beside) = match entry.name {
        "" => (plain(&place.path), probe_beside(&place.path)),
        inner => (member_name(&place.path, inner), Ok(None)),
    };
    let input = entry.content.map_err(ReadError::Io)?;
    let mut sessions = Vec::new();
    let probe = beside.as_ref().ok().cloned().flatten();
    let mut keep = |session: Diagnosed| sessions.push(Diagnosed { probe: probe.clone(), ..session });
    let mut reading = reading::read_with(input, Some(&name), known, &mut keep)?;
    if entry.name.is_empty() && !is_stdin(&place.path) {
        reading.notices.extend(record::gap(&place.path));
        reading.notices.extend(beside.err());
    }
    Ok((sessions, reading))
}

/// What is told of a file by what was found in it.
fn found(place: &Place, read: Vec<Looked>, mut notes: Vec<String>) -> Vec<Found> {
    let name = plain(&place.path);
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for (inner, result) in read {
        let of = if inner.is_empty() { name.clone() } else { member_name(&place.path, &inner) };
        match result {
            Err(error @ (ReadError::Empty | ReadError::Torn(_))) if inner.is_empty() && place.is_found => {
                found.push(passed_over(of, error.brief()));
            }
            Err(error) if !inner.is_empty() && error.is_no_capture() => {
                others.push(format!("{inner} ({})", error.brief()))
            }
            result => {
                let result = result.with_context(|| of.clone());
                found.push(Found { name: of, result });
            }
        }
    }
    if !others.is_empty() {
        let more = others.len().saturating_sub(NAMED);
        let are = if others.len() == 1 { "is no capture" } else { "are no captures" };
        let count = counted(others.len(), "entry");
        others.truncate(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!("{count} {are}: {}{more}", others.join(", ")));
    }
    if found.is_empty() {
        let says = if notes.is_empty() { "there is nothing in it".into() } else { notes.join("; ") };
        return vec![Found { result: Err(anyhow!("{name}: expected a capture in it: {says}")), name }];
    }
    if !notes.is_empty() {
        let reading = Reading { notices: notes, ..Reading::default() };
        found.push(Found { name, result: Ok((Vec::new(), reading)) });
    }
    found
}

/// How a capture in an archive is named, and may be named on the command line.
fn member_name(archive: &Path, inner: &str) -> String {
    let (archive, _) = places::split(archive);
    format!("{}/{inner}", plain(&archive))
}

/// A capture, taken out of its compression, or out of the archive in which it is the only one or which is part of its name.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let (file, inner) = places::split(path);
    let place = Place { path: file, is_found: false };
    if inner.is_none()
        && let Some(plain) = archives::plain(record::with_parts(places::open(&place)?, &place.path)?)?
    {
        return Ok(plain);
    }
    if !place.path.is_file() {
        return Err(io::Error::other("expected the archive as a file: it is read more than once"));
    }
    let parts = inner.map_or_else(|| only_capture(&place), |inner| Ok(vec![inner]))?;
    let nothing: Box<dyn Read> = Box::new(io::empty());
    Ok(parts.into_iter().fold(nothing, |all, part| Box::new(all.chain(extracted(&place, part)))))
}

/// What is in one entry of an archive, which another thread reads.
fn extracted(place: &Place, inner: String) -> Extracted {
    let (place, (send, receive)) = (place.clone(), sync_channel(2));
    thread::spawn(move || extract(&place, &inner, &send));
    Extracted { receive, chunk: Cursor::new(Vec::new()) }
}

/// The one capture in an archive, with its further parts where it is a recording that has some.
fn only_capture(place: &Place) -> io::Result<Vec<String>> {
    let (mut captures, mut refused) = (Vec::new(), None);
    let notes = walk(place, &ProgressBar::hidden(), &mut |_, entry| match entry.content {
        Ok(_) => captures.extend(entry.capture.map(|_| entry.name.to_owned())),
        Err(error) => refused = Some(format!("{}: {error}", entry.name)),
    });
    let notes = notes.map_err(io::Error::other)?;
    let names: HashSet<String> = captures.iter().cloned().collect();
    let further: HashSet<String> = names.iter().flat_map(|first| further_parts(&names, first)).collect();
    captures.retain(|name| !further.contains(name));
    match (&captures[..], refused) {
        ([one], _) => Ok(std::iter::once(one.clone()).chain(further_parts(&names, one)).collect()),
        ([], refused) => {
            let why: Vec<String> = refused.into_iter().chain(notes).collect();
            Err(io::Error::other(format!("expected a capture in the archive, found none; {}", why.join("; "))))
        }
        ([first, ..], _) => {
            let (count, named) = (captures.len(), member_name(&place.path, first));
            Err(io::Error::other(format!("expected one capture, found {count}: say which, as {named}")))
        }
    }
}

/// Sends what is in one entry of an archive, as long as anybody takes it.
fn extract(place: &Place, inner: &str, send: &SyncSender<io::Result<Vec<u8>>>) {
    let wanted = Place { path: place.path.join(inner), ..place.clone() };
    let mut sent = Ok(());
    let walked =
        walk(&wanted, &ProgressBar::hidden(), &mut |_, entry| sent = entry.content.and_then(|from| pass(from, send)));
    if let Err(error) = walked.map_err(io::Error::other).and(sent) {
        let _nobody_reads = send.send(Err(error));
    }
}

fn pass(mut from: impl Read, send: &SyncSender<io::Result<Vec<u8>>>) -> io::Result<()> {
    loop {
        let mut chunk = Vec::new();
        // What was read before an error goes first.
        let read = from.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
        if !chunk.is_empty() && send.send(Ok(chunk)).is_err() || read? == 0 {
            return Ok(());
        }
    }
}

/// What another thread reads.
struct Extracted {
    receive: Receiver<io::Result<Vec<u8>>>,
    chunk: Cursor<Vec<u8>>,
}

impl Read for Extracted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let len = self.chunk.read(into)?;
            if len > 0 || into.is_empty() {
                return Ok(len);
            }
            match self.receive.recv() {
                Ok(chunk) => self.chunk = Cursor::new(chunk?),
                Err(_) => return Ok(0),
            }
        }
    }
}

/// A recording that may still be made, and what its TLS is opened with: these secrets and those that stand in it by now. What
/// is compressed, and standard input, end where they end; of another file the end is where `is_over` says so.
pub fn open_growing(
    path: &Path,
    keys: &Arc<Keyring>,
    is_over: impl FnMut(&Grown<'_>) -> bool + 'static,
) -> anyhow::Result<(Box<dyn Read>, Arc<Keyring>)> {
    let name = shown(path);
    if is_stdin(path) {
        let plain = archives::plain(Box::new(io::stdin().lock())).with_context(|| name)?;
        return Ok((plain.context("expected the archive as a file")?, Arc::clone(keys)));
    }
    let keys = secrets_of(path, keys).with_context(|| name.clone())?;
    let is_recording = |path: &Path| -> io::Result<Option<File>> {
        let mut head = Vec::new();
        let mut file = record::open_file(path)?;
        file.by_ref().take(PCAPNG.len() as u64).read_to_end(&mut head)?;
        file.rewind()?;
        Ok(Some(file).filter(|_| head == PCAPNG))
    };
    let file = if path.is_file() { is_recording(path).with_context(|| format!("cannot read {name}"))? } else { None };
    let Some(file) = file else {
        return Ok((open(path).with_context(|| format!("cannot open {name}"))?, keys));
    };
    let (first, is_over) = (path.to_owned(), Box::new(is_over));
    Ok((Box::new(Growing { file, first, part: 1, read: 0, is_over }), keys))
}

/// How far a file has been read that may still be made.
pub struct Grown<'a> {
    /// The part that is being read.
    pub file: &'a File,
    /// Where it was found.
    pub path: PathBuf,
    /// Bytes of it that were read.
    pub read: u64,
}

/// A file behind whose end more may come, in it or in its next part.
struct Growing {
    file: File,
    first: PathBuf,
    /// The part that is being read.
    part: u32,
    /// Bytes of it.
    read: u64,
    /// Whether nothing more will come. It may take its time.
    is_over: Box<dyn FnMut(&Grown<'_>) -> bool>,
}

impl Growing {
    fn is_over(&mut self) -> bool {
        let path = if self.part == 1 { self.first.clone() } else { record::part(&self.first, self.part) };
        (self.is_over)(&Grown { file: &self.file, path, read: self.read })
    }
}

impl Read for Growing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut len = self.file.read(into)?;
            if len == 0 && !into.is_empty() {
                let next = record::open_file(&record::part(&self.first, self.part + 1));
                // A next part is begun once the one before it is complete: what came in between is read first.
                len = self.file.read(into)?;
                if len == 0
                    && let Ok(next) = next
                {
                    (self.file, self.part, self.read) = (next, self.part + 1, 0);
                    continue;
                }
            }
            self.read += len as u64;
            if len > 0 || into.is_empty() || self.is_over() {
                return Ok(len);
            }
        }
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
pub fn can_be_read_again(path: &Path) -> bool {
    !is_stdin(path) && places::split(path).0.is_file()
}

/// What a file tells step by step, with the secrets in it and what is known besides. Passwords stand in that.
pub fn read_along(path: &Path, known: &Known, each: &mut dyn FnMut(Along)) -> anyhow::Result<Reading> {
    let name = shown(path);
    let (order, clock) = order_of(path)?;
    let known = Known { order, clock, ..with_secrets_of(path, known).with_context(|| name.clone())? };
    let input = open(path).with_context(|| format!("cannot open {name}"))?;
    reading::read_along(input, Some(&plain(path)), &known, each).with_context(|| name)
}

/// What is known, with the secrets that stand in the file.
fn with_secrets_of(path: &Path, known: &Known) -> anyhow::Result<Known> {
    Ok(Known { keys: secrets_of(path, &known.keys)?, ..known.clone() })
}

/// These secrets and those that stand in the file, anywhere in it: it is read twice for that. Standard input is read once.
fn secrets_of(path: &Path, keys: &Arc<Keyring>) -> anyhow::Result<Arc<Keyring>> {
    // Where it cannot be opened, or is none that may be read twice, reading it will say so.
    let Some(mut input) = Some(path).filter(|path| can_be_read_again(path)).and_then(|path| open(path).ok()) else {
        return Ok(Arc::clone(keys));
    };
    let mut head = Vec::new();
    input.by_ref().take(PCAPNG.len() as u64).read_to_end(&mut head).context("cannot read")?;
    if head != PCAPNG {
        return Ok(Arc::clone(keys));
    }
    let found = reading::secrets(Cursor::new(head).chain(input))?;
    Ok(if found.is_empty() { Arc::clone(keys) } else { with_keys(&found, keys) })
}

/// The secrets of key logs, and whether user names are to be shown.
pub fn keyring(logs: &[PathBuf], names: bool) -> anyhow::Result<Arc<Keyring>> {
    let mut keys = Keyring::default();
    for log in logs {
        let mut found = Keyring::default();
        found.read_and_wipe(fs::read(log).with_context(|| format!("cannot read {}", log.named()))?);
        if found.is_empty() {
            tracing::warn!("{} holds no secret: it has no line of a key log", log.named());
        }
        keys.extend(&found);
    }
    Ok(Arc::new(keys.naming(names)))
}

/// What `proxy --probe-on-failure` wrote beside a recording, if it did; else why what has its name is not read.
fn probe_beside(path: &Path) -> Result<Option<String>, String> {
    let beside = path.with_extension("probe.json");
    if is_stdin(path) || fs::metadata(&beside).is_err() {
        return Ok(None);
    }
    let mut document = String::new();
    let read = record::open_file(&beside).and_then(|file| file.take(PROBE).read_to_string(&mut document));
    let name = || beside.file_name().unwrap_or_default().to_string_lossy().into_owned();
    read.map(|_| Some(document)).map_err(|error| format!("{} is not read: {error}", name()))
}

/// A file as it is, a folder as the captures in it, in the order of their names.
pub fn files(input: &Path) -> Vec<PathBuf> {
    places::places(input).into_iter().map(|place| place.path).collect()
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Its name as it is, for scripts.
fn plain(path: &Path) -> String {
    if is_stdin(path) { "standard input".into() } else { path.to_string_lossy().into_owned() }
}

/// Its name for people.
fn shown(path: &Path) -> String {
    if is_stdin(path) { "standard input".into() } else { path.named() }
}

/// A bar on a terminal, nothing elsewhere.
fn progress(files: &[Place]) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let len = files.iter().filter_map(|file| fs::metadata(&file.path).ok()).map(|file| file.len()).sum();
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
