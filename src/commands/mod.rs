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
mod signals;

use std::io::{self, Write};
use std::path::Path;

use ::proxy::whole::{self, For, Whole};
use analyzer::attempt::Attempt;
use analyzer::diagnose::Outcome;
use analyzer::shown;
use anyhow::Context;

use crate::cli::{Command, Output};
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
fn put(output: &Output, text: &str) -> anyhow::Result<()> {
    output.output.as_deref().map_or_else(|| print(text), |path| write(path, output.force, text))
}

/// What is going to be written at the end must not fail then for what can be known now.
fn check(output: &Output) -> anyhow::Result<()> {
    output.output.as_deref().map_or(Ok(()), |path| wrote(path, whole::check(path, output.force)))
}

/// A file that only this user can read; one that is there stays unless told otherwise.
fn create(path: &Path, force: bool) -> anyhow::Result<Whole> {
    wrote(path, Whole::create(path, For::Owner, force))
}

/// The same for a report, written at once.
fn write(path: &Path, force: bool, text: &str) -> anyhow::Result<()> {
    wrote(path, whole::write(path, For::Owner, force, shown::lines(text).as_bytes()))
}

/// What came of writing a file, in the words of every command.
fn wrote<T>(path: &Path, result: io::Result<T>) -> anyhow::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(anyhow::Error::msg(error)),
        result => result.with_context(|| format!("cannot write {}", path.named())),
    }
}
