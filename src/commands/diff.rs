//! `rdpscope diff`: where two sessions part, or the legs of one.

use std::path::Path;
use std::slice;

use analyzer::attempt::{self, Attempt, Diagnosed};
use analyzer::compare::Comparison;
use analyzer::diagnose::Outcome;
use analyzer::reading::Known;
use analyzer::report::json::Notice;
use analyzer::report::{json, text, verdict};
use anyhow::{Context, bail};

use super::{analyze, check, put};
use crate::cli::{Diff, Format};
use proxy::named::Named;

pub fn run(args: &Diff) -> anyhow::Result<u8> {
    check(&args.output)?;
    let known = analyze::known(&args.keylog, false, &args.endpoints)?;
    let mut notices = Vec::new();
    let (comparison, lead) = match (&args.inputs[..], args.legs) {
        ([file], true) => legs(file, &known, &mut notices)?,
        ([good, bad], false) => sessions(good, bad, &known, &mut notices)?,
        ([_], false) => bail!("expected two sessions, or --legs for the legs of one"),
        _ => bail!("--legs expects one recording"),
    };
    let report = match args.format {
        Format::Text => text::compare::comparison(&comparison, lead.each_ref().map(String::as_str)),
        Format::Json => json::comparison(env!("CARGO_PKG_VERSION"), &comparison, &notices) + "\n",
    };
    put(&args.output, &report)?;
    Ok(u8::from(comparison.differs()))
}

type Compared = (Comparison, [String; 2]);

fn sessions(good: &Path, bad: &Path, known: &Known, notices: &mut Vec<Notice>) -> anyhow::Result<Compared> {
    let well = |outcome| u8::from(outcome != Outcome::Connected);
    // Where nothing failed, what has not ended is the next best.
    let badly = |outcome| match outcome {
        Outcome::Failed | Outcome::Broken => 0,
        Outcome::Unfinished => 1,
        Outcome::Connected => 2,
    };
    let (good, bad) = (deciding(good, known, notices, &well)?, deciding(bad, known, notices, &badly)?);
    let lead = [&good, &bad]
        .map(|session| format!("{}: {}", session.file.as_deref().unwrap_or_default(), verdict::of_session(session)));
    Ok((Comparison::of_sessions(&good, &bad), lead))
}

fn legs(file: &Path, known: &Known, notices: &mut Vec<Notice>) -> anyhow::Result<Compared> {
    let session = deciding(file, known, notices, &|_| 0)?;
    let comparison = Comparison::of_legs(&session);
    let comparison = comparison.with_context(|| format!("{} has one leg: no relay recorded it", file.named()))?;
    Ok((comparison, ["front leg: client to rdpscope".into(), "back leg: rdpscope to server".into()]))
}

/// The deciding session of the attempt that went as wanted, with the least rank; the last of equals. What nobody opened to
/// work is no attempt, unless there is nothing else.
fn deciding(
    input: &Path,
    known: &Known,
    notices: &mut Vec<Notice>,
    rank: &dyn Fn(Outcome) -> u8,
) -> anyhow::Result<Diagnosed> {
    let (sessions, said) = analyze::sessions(known, slice::from_ref(&input.to_owned()));
    notices.extend(said.notices);
    if said.is_unreadable && sessions.is_empty() {
        bail!("{} cannot be compared", input.named());
    }
    let attempts = attempt::group(sessions);
    let wanted = attempts.iter().rev().min_by_key(|attempt| (attempt.is_scan(), rank(attempt.outcome())));
    wanted.and_then(Attempt::deciding).cloned().with_context(|| format!("no RDP found in {}", input.named()))
}
