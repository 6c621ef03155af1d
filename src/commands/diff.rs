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

use super::{analyze, put};
use crate::cli::{Diff, Format};

pub fn run(args: &Diff) -> anyhow::Result<u8> {
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
    put(args.output.as_deref(), &report)?;
    Ok(u8::from(comparison.differs()))
}

type Compared = (Comparison, [String; 2]);

fn sessions(good: &Path, bad: &Path, known: &Known, notices: &mut Vec<Notice>) -> anyhow::Result<Compared> {
    let went_well = |outcome| outcome == Outcome::Connected;
    let (good, bad) =
        (deciding(good, known, notices, &went_well)?, deciding(bad, known, notices, &|outcome| !went_well(outcome))?);
    let lead = [&good, &bad]
        .map(|session| format!("{}: {}", session.file.as_deref().unwrap_or_default(), verdict::of_session(session)));
    Ok((Comparison::of_sessions(&good, &bad), lead))
}

fn legs(file: &Path, known: &Known, notices: &mut Vec<Notice>) -> anyhow::Result<Compared> {
    let session = deciding(file, known, notices, &|_| true)?;
    let comparison = Comparison::of_legs(&session);
    let comparison = comparison.with_context(|| format!("{} has one leg: no relay recorded it", file.display()))?;
    Ok((comparison, ["front leg: client to rdpscope".into(), "back leg: rdpscope to server".into()]))
}

/// The deciding session of the last attempt that went as wanted, or, where none did, of the last one.
fn deciding(
    input: &Path,
    known: &Known,
    notices: &mut Vec<Notice>,
    wanted: &dyn Fn(Outcome) -> bool,
) -> anyhow::Result<Diagnosed> {
    let (sessions, said) = analyze::sessions(known, slice::from_ref(&input.to_owned()));
    notices.extend(said.notices);
    if said.is_unreadable && sessions.is_empty() {
        bail!("{} cannot be compared", input.display());
    }
    let attempts = attempt::group(sessions);
    let last = attempts.iter().rfind(|attempt| wanted(attempt.outcome())).or(attempts.last());
    last.and_then(Attempt::deciding).cloned().with_context(|| format!("no RDP found in {}", input.display()))
}
