//! One file per subcommand. Each returns the exit code: 2 where an input could not be read or the work not be done,
//! else 1 where an attempt failed or broke, else 0.

mod analyze;
mod announce;
mod beside;
mod bundle;
mod ca;
mod demo;
mod diff;
mod explain;
mod finalize;
mod follow;
mod histogram;
mod intercept;
mod lab;
mod manual;
mod play;
mod probe;
pub mod proxy;
mod redact;
mod replay;
mod report;
mod rules;
mod screen;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use analyzer::attempt::Attempt;
use analyzer::diagnose::Outcome;
use analyzer::shown;
use anyhow::Context;

use crate::cli::Command;
use crate::held::Stderr;
use ::proxy::named::Named;

/// Runs a subcommand.
pub fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Proxy(args) => proxy::run(args),
        Command::Ca(args) => ca::run(args),
        Command::Analyze(args) => analyze::run(args),
        Command::Report(args) => report::run(&args),
        Command::Play(args) => play::run(&args),
        Command::Probe(args) => probe::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Histogram(args) => histogram::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Lab(args) => lab::run(args),
        Command::Diff(args) => diff::run(&args),
        Command::Bundle(args) => bundle::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Replay(args) => replay::run(args),
        Command::Finalize(args) => finalize::run(&args),
        Command::Man(args) => manual::man(&args),
        Command::Completions(args) => manual::completions(&args),
    }
}

/// 1 where an attempt failed or broke.
fn exit_code(attempts: &[Attempt]) -> u8 {
    let bad = |attempt: &Attempt| matches!(attempt.outcome(), Outcome::Failed | Outcome::Broken);
    u8::from(attempts.iter().any(bad))
}

/// Data, on standard output. A reader that went away is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(shown::lines(text).as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Talk, on standard error.
pub fn talk(text: &str) {
    let _closed_pipe = Stderr.write_all(format!("{}\n", shown::lines(text)).as_bytes());
}

/// What went wrong and why in one line, outermost first. A step that says again what the one around it says is told once.
pub fn why(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for step in error.chain().map(ToString::to_string) {
        if said.last().is_none_or(|outer| !outer.ends_with(&step)) {
            said.push(step);
        }
    }
    shown::line(&said.join(": ")).into_owned()
}

/// Writes a report that is asked for, or prints it.
fn put(output: Option<&Path>, text: &str) -> anyhow::Result<()> {
    output.map_or_else(|| print(text), |path| write_private(path, text))
}

/// A file that only this user can read; one that is there stays unless told otherwise.
fn create_private(path: &Path, force: bool) -> anyhow::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).truncate(force).create(force).create_new(!force);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path);
    if matches!(&opened, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
        anyhow::bail!("{} is there already: --force replaces it", path.named());
    }
    let file = opened.with_context(|| format!("cannot write {}", path.named()))?;
    // A file that is replaced keeps its mode otherwise.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).context("cannot make it private")?;
    Ok(file)
}

/// Writes a report that only this user can read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(shown::lines(text).as_bytes()));
    written.with_context(|| format!("cannot write {}", path.named()))
}
