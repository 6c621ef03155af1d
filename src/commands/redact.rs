//! `rdpscope redact`: a recording that others may see, and what is still in it.

use std::fs;
use std::io::{self, BufWriter};
use std::path::Path;

use analyzer::attempt::Diagnosed;
use analyzer::redact::fields;
use analyzer::report::{text, verdict};
use anyhow::{Context, bail};
use proxy::redact::{self, Redacted};
use proxy::whole::Whole;

use super::{create, print, wrote};
use crate::cli::Redact;
use crate::input;
use analyzer::count::counted;
use proxy::named::Named;

pub fn run(args: &Redact) -> anyhow::Result<u8> {
    let redacted = write(&args.input, &args.output, args.force)?;
    print(&told(&redacted, &args.input, &args.output))?;
    Ok(u8::from(!is_same(&redacted)))
}

/// Writes the recording that others may see.
pub fn write(from: &Path, to: &Path, force: bool) -> anyhow::Result<Redacted> {
    if fs::canonicalize(from).is_ok_and(|from| fs::canonicalize(to).is_ok_and(|to| from == to)) {
        bail!("{} cannot be redacted into itself", from.named());
    }
    // What cannot be read must not cost the file that is there.
    let mut out = BufWriter::new(create(to, force)?);
    let redacted = redact::redact(&|| input::open(from), &mut out, env!("CARGO_PKG_VERSION"));
    if let Some(says) = out.get_ref().failed() {
        bail!("cannot write {}: {says}", to.named());
    }
    let redacted = redacted.with_context(|| from.named().to_string())?;
    wrote(to, out.into_inner().map_err(io::IntoInnerError::into_error).and_then(Whole::finish))?;
    Ok(redacted)
}

/// Whether the same is said of it as before, names aside.
pub fn is_same(redacted: &Redacted) -> bool {
    let said = |sessions: &[Diagnosed]| sessions.iter().map(findings).collect::<Vec<_>>();
    said(&redacted.before) == said(&redacted.after)
}

fn findings(session: &Diagnosed) -> (String, Vec<String>) {
    let finding = session.findings.iter().map(|one| {
        format!("{} {} {} {:?} {:?} {:?}", one.cause.id, one.phase, one.leg, one.by, one.confidence, one.severity)
    });
    (session.outcome.name().to_owned(), finding.collect())
}

/// What was done, and what was not.
pub fn told(redacted: &Redacted, from: &Path, to: &Path) -> String {
    let told = &redacted.told;
    let mut text = format!("{}: {} for others to see\n", to.named(), from.named());
    text += &format!(
        "  replaced:  {} of names, {}, {}; what names somebody in {}\n",
        counted(told.words, "word"),
        counted(told.addresses, "address"),
        counted(told.ports, "port"),
        counted(told.certificates, "certificate")
    );
    text += &format!("  blanked:   {} of payload\n", counted(told.blanked, "byte"));
    text +=
        &format!("  left out:  {} of secrets, all comments, command line and host\n", counted(told.secrets, "line"));
    for (place, says) in fields::left_in().enumerate() {
        text::para(&mut text, if place == 0 { "  left in:   " } else { "             " }, &says);
    }
    if let Some(stopped) = &redacted.stopped {
        text += &format!("  not whole: {stopped}\n");
    }
    text + &verdicts(redacted)
}

fn verdicts(redacted: &Redacted) -> String {
    if !is_same(redacted) {
        let lines = |sessions: &[Diagnosed]| sessions.iter().map(verdict::of_session).collect::<Vec<_>>().join("; ");
        let (before, after) = (lines(&redacted.before), lines(&redacted.after));
        return format!("  verdict:   not the same\n    before:  {before}\n    now:     {after}\n");
    }
    let opened = if redacted.told.secrets > 0 { "; what only the secrets show is not in it" } else { "" };
    format!("  verdict:   the same{opened}\n")
}
