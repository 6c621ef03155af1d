//! `rdpscope diff`: where two sessions part, or the legs of one.

use std::path::Path;
use std::slice;
use std::sync::Arc;

use analyzer::attempt::{self, Attempt, Diagnosed};
use analyzer::compare::Comparison;
use analyzer::diagnose::Outcome;
use analyzer::report::{json, text, verdict};
use analyzer::tls::keys::Keyring;
use anyhow::{Context, bail};

use super::{analyze, put};
use crate::cli::{Diff, Format};

pub fn run(args: &Diff) -> anyhow::Result<u8> {
    let keys = analyze::keyring(&args.keylog, false)?;
    let (comparison, lead) = match (&args.inputs[..], args.legs) {
        ([file], true) => legs(file, &keys)?,
        ([good, bad], false) => sessions(good, bad, &keys)?,
        ([_], false) => bail!("expected two sessions, or --legs for the legs of one"),
        _ => bail!("--legs expects one recording"),
    };
    let report = match args.format {
        Format::Text => text::compare::comparison(&comparison, lead.each_ref().map(String::as_str)),
        Format::Json => json::comparison(env!("CARGO_PKG_VERSION"), &comparison) + "\n",
    };
    put(args.output.as_deref(), &report)?;
    Ok(u8::from(comparison.differs()))
}

type Compared = (Comparison, [String; 2]);

fn sessions(good: &Path, bad: &Path, keys: &Arc<Keyring>) -> anyhow::Result<Compared> {
    let well = |outcome| u8::from(outcome != Outcome::Connected);
    // Where nothing failed, what has not ended is the next best.
    let badly = |outcome| match outcome {
        Outcome::Failed | Outcome::Broken => 0,
        Outcome::Unfinished => 1,
        Outcome::Connected => 2,
    };
    let (good, bad) = (deciding(good, keys, &well)?, deciding(bad, keys, &badly)?);
    let lead = [&good, &bad]
        .map(|session| format!("{}: {}", session.file.as_deref().unwrap_or_default(), verdict::of_session(session)));
    Ok((Comparison::of_sessions(&good, &bad), lead))
}

fn legs(file: &Path, keys: &Arc<Keyring>) -> anyhow::Result<Compared> {
    let session = deciding(file, keys, &|_| 0)?;
    let comparison = Comparison::of_legs(&session);
    let comparison = comparison.with_context(|| format!("{} has one leg: no relay recorded it", file.display()))?;
    Ok((comparison, ["front leg: client to rdpscope".into(), "back leg: rdpscope to server".into()]))
}

/// The deciding session of the attempt that went as wanted, with the least rank; the last of equals. What nobody opened to
/// work is no attempt, unless there is nothing else.
fn deciding(input: &Path, keys: &Arc<Keyring>, rank: &dyn Fn(Outcome) -> u8) -> anyhow::Result<Diagnosed> {
    let mut sessions = Vec::new();
    let unreadable =
        analyze::each_session_with(keys, slice::from_ref(&input.to_owned()), &mut |session| sessions.push(session));
    if unreadable && sessions.is_empty() {
        bail!("{} cannot be compared", input.display());
    }
    let attempts = attempt::group(sessions);
    let wanted = attempts.iter().rev().min_by_key(|attempt| (attempt.is_scan(), rank(attempt.outcome())));
    wanted.and_then(Attempt::deciding).cloned().with_context(|| format!("no RDP found in {}", input.display()))
}
