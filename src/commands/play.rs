//! `rdpscope play`: the screen of a decrypted session, as PNG files of moments or as one HTML page that plays it. The file is
//! read twice: once for what is said of its sessions, once for the picture, which is written as it comes.

mod choice;
mod moments;
mod page;

use std::fs;
use std::path::Path;

use analyzer::attempt::Attempt;
use analyzer::picture::Picture;
use analyzer::picture::film::{Film, Shown};
use analyzer::reading::{Along, Known};
use analyzer::report::text;
use anyhow::{Context, bail};
use proxy::whole;

use super::{analyze, exit_code, print, talk, wrote};
use crate::cli::Play;
use crate::input;
use analyzer::count::counted;
use choice::Chosen;
use proxy::named::Named;

/// Who sees these files sees what the user saw.
const WARNING: &str =
    "What was written shows the screen of the session, with whatever stood on it: treat it as you would the screen.";

pub fn run(args: &Play) -> anyhow::Result<u8> {
    check(args)?;
    let known = analyze::known(&args.keylog, false, &args.endpoints)?;
    let Some(chosen) = choice::choose(args, &known)? else { return Ok(2) };
    let said = if is_named(&args.output, "html") {
        page::write(args, &known, &chosen)?
    } else {
        if !chosen.has_screen {
            bail!("session {} has no picture: {}", chosen.number, choice::why_none(&chosen));
        }
        moments::write(args, &known, &chosen)?
    };
    print(&said)?;
    Ok(exit_code(&[Attempt { sessions: vec![chosen.session] }]))
}

/// What does not fit together, before anything is read.
fn check(args: &Play) -> anyhow::Result<()> {
    if !input::can_be_read_again(&args.input) {
        let found = fs::metadata(&args.input).with_context(|| format!("cannot read {}", args.input.named()))?;
        let what = proxy::record::not_file(&found).unwrap_or("something else");
        bail!("{}: expected a file, which is read twice, found {what}", args.input.named());
    }
    let same = |path: &Path| fs::canonicalize(path).ok();
    if same(&args.output).is_some_and(|output| same(&args.input) == Some(output)) {
        bail!("{} is what is to be played: expected another output", args.output.named());
    }
    let is_moment = !args.at.is_empty() || args.every.is_some();
    if is_named(&args.output, "html") || is_named(&args.output, "png") {
        wrote(&args.output, whole::check(&args.output, args.force))?;
    }
    if is_named(&args.output, "html") && is_moment {
        bail!("expected no --at and no --every with an HTML page: it plays the whole session");
    }
    if is_named(&args.output, "png") && (args.at.len() > 1 || args.every.is_some()) {
        bail!("expected one --at with one PNG file; a folder takes several");
    }
    if !is_named(&args.output, "html") && !is_named(&args.output, "png") && !is_moment {
        bail!("expected --at or --every with a folder, or an output named .html or .png");
    }
    Ok(())
}

fn is_named(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension))
}

/// Runs the chosen session's film.
fn run_film(
    args: &Play,
    known: &Known,
    chosen: &Chosen,
    mut film: Film,
    show: &mut dyn FnMut(&Picture, Shown) -> Option<std::time::Duration>,
) -> anyhow::Result<Film> {
    input::read_along(&args.input, known, &mut |along| {
        let Along::Step { of, step } = along else { return };
        if !chosen.has(of, step.observation.flow) {
            return;
        }
        step.events.iter().for_each(|event| film.picture_mut().learn(&event.what));
        for line in &step.lines {
            let mut apart = None;
            film.push(line, &mut |picture, shown| apart = show(picture, shown).or(apart));
            apart.into_iter().for_each(|apart| film.thin(apart));
        }
    })?;
    film.finish(&mut |picture, shown| _ = show(picture, shown));
    Ok(film)
}

/// What the picture does not show, in sentences.
fn notes(picture: &Picture) -> Vec<String> {
    let mut notes: Vec<String> =
        picture.undrawn().iter().map(|(what, times)| format!("{what}: {times} not drawn")).collect();
    let (holes, bytes) = picture.holes();
    if holes > 0 {
        notes.push(format!(
            "{} in what the server said, about {}: what stood there is missing until it is drawn again",
            counted(holes, "hole"),
            counted(bytes, "byte")
        ));
    }
    notes
}

/// What was written, and what it does not show.
fn told(chosen: &Chosen, wrote: &str, picture: &Picture, notes: &[String]) -> String {
    let screen = picture.size().map_or("no picture".into(), |(width, height)| format!("{width} by {height} pixels"));
    let mut out = String::new();
    text::para(&mut out, &format!("session {}: ", chosen.number), &format!("{screen}; {wrote}"));
    notes.iter().for_each(|note| text::para(&mut out, "  not shown: ", note));
    if picture.size().is_some() {
        text::para(&mut out, "  ", WARNING);
    }
    out
}

/// What is wrong with a picture that cannot be written as PNG is wrong with this program.
fn png(pixels: &[u8], width: u16, area: [u16; 4]) -> anyhow::Result<Vec<u8>> {
    analyzer::picture::encoded::encode(pixels, width, area).context("cannot make a PNG")
}

fn note(text: &str) {
    talk(&format!("note: {text}"));
}
