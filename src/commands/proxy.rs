//! `rdpscope proxy`: stands between a client and a server, or an RD Gateway.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use analyzer::attempt::{self, Attempt};
use analyzer::capture::annotation::Section;
use analyzer::latency;
use analyzer::report::{histogram, html, text, verdict};
use anyhow::{Context, bail};
use proxy::clock;
use proxy::entrance::Entrance;
use proxy::gate::Gate;
use proxy::impair::Asked;
use proxy::listen::{Config, Server, Target};
use proxy::record;
use proxy::tap::{self, Limits};
use proxy::watch::{self, Gone, Live, Secrets, Stored, Summary};
use proxy::whole;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::screen::Screen;
use super::signals::{insisted, stopped};
use super::{announce, beside, intercept, print, talk, write, wrote};
use crate::cli::{Impairments, Proxy, Record, Snap};
use crate::tui::{self, Tui};
use analyzer::count::{counted, either};
use proxy::named::Named;

/// How long recordings get to be closed.
const GOODBYE: Duration = Duration::from_secs(10);

pub fn run(args: Proxy) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let code = runtime.block_on(serve(args));
    // A name that is still being looked up must not be waited for.
    runtime.shutdown_background();
    code
}

async fn serve(args: Proxy) -> anyhow::Result<u8> {
    if args.entrance() != Entrance::Asked && args.listen.ip().is_loopback() {
        bail!(
            "whom a rule brings here does not reach {}: expected --listen 0.0.0.0:{} or an address of this machine",
            args.listen,
            args.listen.port()
        );
    }
    if args.print_rules {
        return print_rules(&args);
    }
    if args.tui {
        tui::check()?;
    }
    args.keylog.as_deref().map_or(Ok(()), is_key_log)?;
    args.report.as_deref().map_or(Ok(()), has_folder)?;
    args.report.as_deref().map_or(Ok(()), |report| wrote(report, whole::check(report, args.force)))?;
    if args.records() {
        record::create_folder(&args.out).with_context(|| format!("cannot create {}", args.out.named()))?;
        clear_up(&args.out);
    } else if args.rotate.or(args.keep).is_some() || args.probe_on_failure {
        bail!("--rotate, --keep and --probe-on-failure are for recordings, and --record none makes none");
    }
    let (feed, intake) = tap::tap(Limits::default());
    let gateway = args.gateway;
    let target = Target { name: args.target().name.clone(), port: args.target().port_or_usual(gateway) };
    let connect_to = connect_to(&args)?;
    let impair = asked_to_impair(&args.impaired);
    let config = Config {
        connect_to,
        gateway,
        connect_timeout: args.connect_timeout,
        intercept: intercept::asked(&args)?,
        impair: impair.clone(),
        entrance: args.entrance(),
        accept_proxy: args.accept_proxy,
        send_proxy: args.send_proxy.map(Into::into),
        gate: Gate { allow: args.allow.clone(), most: args.max_sessions },
        ..Config::new(args.listen, target.clone(), feed)
    };
    // Before anybody can connect: what a session writes to it must not pass for what stood there before.
    let secrets = match (&args.keylog, args.intercept) {
        (Some(log), _) => Secrets::followed(log),
        (None, Some(_)) => Secrets::Noted,
        (None, None) => Secrets::None,
    };
    let server = Server::bind(config).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let asked = Arc::new(AtomicBool::new(false));
    on_request(asked.clone());
    announce::proxy(&args, server.local_addr(), impair.as_deref());
    let stored = match (args.snap, args.record) {
        (Some(Snap::Handshake), _) => Stored::Handshake,
        (None, Record::Once) => Stored::Once,
        (None, Record::Both) => Stored::Both,
        // What is equal on both legs need not be seen twice, either.
        (None, Record::None) => Stored::Once,
    };
    let (out, names) = (args.records().then(|| args.out.clone()), args.names);
    let (rotate, keep) = (args.rotate, args.keep);
    let config =
        watch::Config { out, section: section(), stored, rotate, keep, secrets, gateway, names, pulse: args.tui };
    let mut screen = Screen::open()?;
    let title = format!("{} -> {}:{}", server.local_addr(), target.name, target.port);
    let mut tui = args.tui.then(|| Tui::open(title, clock::now)).transpose()?;
    let stage = tui.as_ref().map(Tui::stage);
    let mut print = screen.printer();
    let beside = || {
        let (mut print, stage) = (screen.printer(), stage.clone());
        let print = move |line: String| {
            if !stage.as_ref().is_some_and(|stage| stage.note(&line)) {
                print(line)
            }
        };
        beside::start(target, gateway, connect_to, server.local_addr(), print)
    };
    let (watcher, prober) = args.probe_on_failure.then(beside).unzip();
    let mut watch = move |live: Live<'_>| {
        watcher.iter().for_each(|watcher: &beside::Watcher| watcher.look(&live));
        if !stage.as_ref().is_some_and(|stage| stage.push(&live)) {
            print(tell(&live));
        }
    };
    let (done, summary) = oneshot::channel();
    let scribe = move || drop(done.send(watch::run_asked(intake, config, &asked, &mut watch)));
    thread::Builder::new().name("scribe".into()).spawn(scribe).context("cannot start the scribe")?;
    let mut notes = screen.printer();
    // Among the workers: a client that this thread accepted would have to be handed over to one of them.
    let (stop, told_to) = oneshot::channel::<()>();
    let relaying = tokio::spawn(server.run(async { drop(told_to.await) }));
    enough(tui.as_mut(), &mut notes).await;
    drop(stop);
    relaying.await.context("the relay failed")?;
    tokio::spawn(async {
        insisted().await;
        std::process::exit(2);
    });
    // A disk that hangs must not keep the program from ending.
    let Ok(Ok(summary)) = timeout(GOODBYE, summary).await else { bail!("the recordings could not be closed in time") };
    if let Some(prober) = prober {
        prober.finish().await;
    }
    let (dropped, more, refused) = (summary.dropped, summary.more, summary.refused);
    let latency = summary.latency.clone();
    let attempts = attempt::group(rdp_only(summary));
    // What the attempts say of a session, its histogram says, too; of sessions too many to keep there is only the count.
    let latency = histogram::text(&if more == 0 { latency::Set::of(&attempts) } else { latency });
    screen.printer()(format!("{}\n{latency}", summarize(&attempts, dropped, more, refused)));
    screen.close();
    if let Some(path) = &args.report {
        write(path, args.force, &html::page(env!("CARGO_PKG_VERSION"), &attempts))?;
        talk(&format!("wrote {}", path.named()));
    }
    // What became of the sessions is in what it printed; its own work is done.
    Ok(0)
}

/// Ctrl-C, or being asked to end, here or on the screen, which is closed then, and its notes printed.
async fn enough(tui: Option<&mut Tui>, print: &mut impl FnMut(String)) {
    let Some(tui) = tui else { return stopped().await };
    tokio::select! {
        () = stopped() => {}
        () = tui.quit() => {}
    }
    tui.close().into_iter().for_each(print);
}

fn print_rules(args: &Proxy) -> anyhow::Result<u8> {
    if args.entrance() == Entrance::Asked {
        bail!("--print-rules expects --redirect or --transparent");
    }
    let port = args.target().port_or_usual(args.gateway);
    print(&args.entrance().rules(&[port], args.listen))?;
    Ok(0)
}

fn rdp_only(summary: Summary) -> Vec<attempt::Diagnosed> {
    summary.sessions.into_iter().filter(attempt::Diagnosed::is_rdp).collect()
}

/// What programs that were killed, or whose disk was full, have left half made.
fn clear_up(folder: &Path) {
    let empty = record::sweep(folder);
    let (count, files) = (empty.len(), if empty.len() == 1 { "file" } else { "files" });
    if let [first, ..] = &empty[..] {
        let first = first.file_name().unwrap_or_default().to_string_lossy();
        talk(&format!("{count} empty {files} of recordings that never began were removed: {first}{}", more(count)));
    }
    match whole::sweep(folder) {
        0 => {}
        left => talk(&format!("{left} half-written files of programs that were killed were removed")),
    }
}

fn more(count: usize) -> &'static str {
    if count > 1 { " and others" } else { "" }
}

/// What every session is to be impaired by. Where no seed is given, the time makes one: it is announced, and recorded.
pub fn asked_to_impair(args: &Impairments) -> Option<Arc<Asked>> {
    let specs = args.impair.clone();
    (!specs.is_empty()).then(|| Arc::new(Asked { specs, seed: args.impair_seed.unwrap_or(clock::now().0 % 1_000_000) }))
}

/// A key log that is followed is a file, or will be one: a pipe would keep the scribe waiting.
fn is_key_log(log: &Path) -> anyhow::Result<()> {
    if std::fs::metadata(log).is_ok_and(|found| !found.is_file()) {
        bail!("--keylog expects a file, found a folder, a pipe or a device: {}", log.named());
    }
    Ok(())
}

/// What is written at the end must not fail then for what can be known now.
fn has_folder(report: &Path) -> anyhow::Result<()> {
    let folder = report.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() || report.is_dir() {
        bail!("--report expects a file in a folder that is there, found {}", report.named());
    }
    Ok(())
}

fn connect_to(args: &Proxy) -> anyhow::Result<Option<SocketAddr>> {
    let Some(target) = &args.connect_to else { return Ok(None) };
    let Some(ip) = target.ip() else { bail!("--connect-to expects an IP address, found {}", target.name) };
    Ok(Some(SocketAddr::new(ip, target.port.unwrap_or(args.target().port_or_usual(args.gateway)))))
}

/// What each recording says of itself.
pub fn section() -> Section {
    let command: Vec<String> = std::env::args().collect();
    let host = std::env::var("COMPUTERNAME").or_else(|_| std::env::var("HOSTNAME")).ok();
    let host = host.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok()).unwrap_or_default();
    Section {
        version: env!("CARGO_PKG_VERSION").into(),
        command: command.join(" ").replace('\n', " "),
        host: host.trim().into(),
        redacted: false,
        part: 1,
        gateway: false,
    }
}

/// Shows what happens as it happens.
pub fn show(live: Live<'_>) {
    // A reader that went away must not end the relay.
    let _closed_pipe = print(&tell(&live));
}

/// What happens, as lines; how a session stands meanwhile is none.
pub fn tell(live: &Live<'_>) -> String {
    match *live {
        Live::Edge { session, edge } => text::edge(edge, session) + "\n",
        Live::Waiting { session, owed, lasted, at } => text::waiting(owed, lasted, at, session) + "\n",
        Live::Lapsed { session, at, lapse } => text::lapsed(session, at, lapse) + "\n",
        Live::Impaired { session, place, impairment } => text::impaired(session, place, impairment) + "\n",
        Live::Verdict { session, diagnosed } => {
            let mut lines = String::new();
            text::para(&mut lines, &format!("#{session} "), &verdict::of_session(diagnosed));
            if let Some(why) = &diagnosed.incomplete {
                text::para(&mut lines, "   its recording is not whole: ", why);
            }
            lines + &text::users(diagnosed) + &text::findings(diagnosed)
        }
        Live::Running { .. } | Live::Over { .. } => String::new(),
        Live::Withdrawn { diagnosed } => {
            let mut lines = String::new();
            text::para(&mut lines, "withdrawn: ", &verdict::of_session(diagnosed));
            lines
        }
        Live::Latency { set } => histogram::text(set),
        Live::Missing { session } => {
            format!("#{session} MISSING: the recorder does not keep up, payload is given up and counted\n")
        }
        Live::Sealed { session, observations } => {
            format!(
                "#{session} SEALED: no secrets came in time, {} read without\n",
                counted(observations, "observation")
            )
        }
        Live::NotFinalized { session, file, error } => {
            let file = file.named();
            format!("#{session} its secrets could not be put first: {error}; rdpscope finalize {file} does that, too\n")
        }
        Live::Deleted { gone } => {
            let (files, were) = if gone.files == 1 { ("file", "was") } else { ("files", "were") };
            format!(
                "{} {files} of old recordings {were} deleted, {} B (--keep){}\n",
                gone.files,
                gone.bytes,
                named(gone)
            )
        }
        Live::PartsDeleted { session, last, gone, stays } => format!(
            "#{session} the oldest parts of its recording were deleted, up to part {last}, {} B (--keep){}; it begins with {} now\n",
            gone.bytes,
            named(gone),
            stays.named()
        ),
        Live::Moved { session, lost, from, to } => {
            format!("#{session} RECORDING MOVED: {}; it goes on in {}\n", lost.says(from), to.named())
        }
        Live::Refused { count: 1, last, why } => format!("a client was turned away, {last}, {why}\n"),
        Live::Refused { count, last, why } => {
            format!("{count} clients were turned away, the last {last}, {why}\n")
        }
        Live::RecordingFailed { session, error } => {
            format!("#{session} RECORDING FAILED: {error}; the session goes on unrecorded\n")
        }
    }
}

/// Which files went: of many the first and the last.
fn named(gone: &Gone) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (first, last) = (name(&gone.first), name(&gone.last));
    if gone.files > 1 { format!(": {first} to {last}") } else { format!(": {first}") }
}

/// All attempts, a line each with the numbers of their sessions; under it what is another verdict than the attempt's.
fn summarize(attempts: &[Attempt], dropped: u64, more: u64, refused: u64) -> String {
    let mut out = format!("\n{}\n", counted(attempts.len(), "attempt"));
    for attempt in attempts {
        let client = attempt.sessions.first().and_then(|session| session.timeline.client_leg()?.client);
        let client = client.map_or("?".into(), |client| client.ip().to_string());
        let says = format!("{} {}", numbers(attempt), verdict::of_attempt(attempt));
        text::para(&mut out, &format!("  {client:<15} "), says.trim_start());
        for (place, says) in verdict::others(attempt) {
            let number = attempt.sessions.get(place).and_then(number).unwrap_or_else(|| "another".into());
            text::para(&mut out, "                    ", &format!("{number} {says}"));
        }
    }
    out += &text::patterns(attempts);
    if more > 0 {
        out += &format!("  and {} that {} too many to keep\n", counted(more, "session"), either(more, "was", "were"));
    }
    if refused > 0 {
        out += &format!("  and {} that {} turned away\n", counted(refused, "client"), either(refused, "was", "were"));
    }
    if dropped > 0 {
        out += &format!("  MISSING {dropped} B that the recordings could not keep up with\n");
    }
    out
}

/// "#2, #3": the sessions of an attempt as they were told; of many the first and the last.
fn numbers(attempt: &Attempt) -> String {
    let told: Vec<String> = attempt.sessions.iter().filter_map(number).collect();
    match &told[..] {
        [first, _, _, .., last] if attempt.is_scan() => format!("{first} to {last}"),
        told => told.join(", "),
    }
}

/// The number by which a session was told while it went on.
fn number(session: &attempt::Diagnosed) -> Option<String> {
    session.number.as_ref().map(|number| format!("#{number}"))
}

/// SIGUSR1 asks how long sessions have taken so far. It never ends the program, where it can be caught at all.
#[cfg(unix)]
fn on_request(asked: Arc<AtomicBool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut requests) = signal(SignalKind::user_defined1()) else { return };
    tokio::spawn(async move {
        while requests.recv().await.is_some() {
            asked.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
}

/// Windows has no such signal.
#[cfg(not(unix))]
fn on_request(_asked: Arc<AtomicBool>) {}
