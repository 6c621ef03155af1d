//! PNG files of moments.

use std::path::PathBuf;
use std::time::Duration;

use analyzer::picture::Picture;
use analyzer::picture::film::{Film, Shown};
use analyzer::reading::Known;
use anyhow::{Context, bail};
use proxy::record::create_folder;
use proxy::whole::{self, For};

use super::super::wrote;
use super::choice::Chosen;
use super::{is_named, notes, png, run_film, told};
use crate::cli::Play;
use proxy::named::Named;

/// More files than anybody looks at.
const MOST: usize = 10_000;

/// The moments that are still to be written, and those that are.
struct Moments<'a> {
    args: &'a Play,
    /// Those that were asked for, the next first.
    asked: std::vec::IntoIter<Duration>,
    next: Option<Duration>,
    /// The picture up to the next change: its pixels, its width and height.
    held: Option<(Vec<u8>, (u16, u16))>,
    wrote: Vec<PathBuf>,
    failed: Option<anyhow::Error>,
}

/// Writes them, and says what was written.
pub fn write(args: &Play, known: &Known, chosen: &Chosen) -> anyhow::Result<String> {
    if !is_named(&args.output, "png") {
        create_folder(&args.output).with_context(|| format!("cannot make the folder {}", args.output.named()))?;
    }
    let mut asked = args.at.clone();
    asked.sort();
    asked.dedup();
    let mut asked = asked.into_iter();
    let next = asked.next();
    let began = chosen.session.began();
    let mut moments = Moments { args, asked, next, held: None, wrote: Vec::new(), failed: None };
    let film = run_film(args, known, chosen, Film::new(Duration::ZERO), &mut |picture, shown| {
        if let Shown::Cut(cut) = shown {
            moments.change(cut.at.since(began), picture);
        }
        None
    })?;
    let end = chosen.session.timeline.last.since(began);
    moments.finish(end);
    if let Some(error) = moments.failed {
        return Err(error);
    }
    let count = moments.wrote.len();
    let wrote = match (&moments.wrote[..], moments.next) {
        ([], _) => bail!("there is no picture at that time: it begins later"),
        ([one], _) => format!("wrote {}", one.named()),
        _ => format!("wrote {count} pictures to {}", args.output.named()),
    };
    Ok(told(chosen, &wrote, film.picture(), &notes(film.picture())))
}

impl Moments<'_> {
    /// The picture is another from here on: moments before it show what was.
    fn change(&mut self, at: Duration, picture: &Picture) {
        if self.failed.is_some() {
            return;
        }
        if self.held.is_none() {
            self.begin(at);
        }
        self.up_to(|next| next < at);
        if let Some(size) = picture.size() {
            self.held = Some((picture.pixels().to_vec(), size));
        }
    }

    /// The first picture is there.
    fn begin(&mut self, at: Duration) {
        if self.args.every.is_some() {
            self.next = Some(at);
        }
        while let Some(early) = self.next.filter(|next| *next < at) {
            super::note(&format!("there is no picture at +{:.3} s yet", early.as_secs_f64()));
            self.next = self.asked.next();
        }
    }

    fn finish(&mut self, end: Duration) {
        match self.args.at.is_empty() && self.args.every.is_none() {
            true => self.next = Some(end),
            false if self.next.is_some_and(|next| self.args.every.is_none() && next > end) => {
                super::note(&format!(
                    "the session ends at +{:.3} s: what is later shows its last picture",
                    end.as_secs_f64()
                ));
            }
            false => {}
        }
        let is_every = self.args.every.is_some();
        self.up_to(|next| !is_every || next <= end);
    }

    fn up_to(&mut self, is_due: impl Fn(Duration) -> bool) {
        while let Some(at) = self.next.filter(|next| self.failed.is_none() && is_due(*next)) {
            let Some((pixels, (width, height))) = &self.held else { return };
            if self.wrote.len() >= MOST {
                let (most, every) = (MOST, self.args.every.unwrap_or_default().as_secs_f64());
                super::note(&format!("{most} pictures are written; one each {every} s would be more"));
                self.next = None;
                return;
            }
            let written = png(pixels, *width, [0, 0, *width, *height]).and_then(|png| {
                let path = self.path(at);
                wrote(&path, whole::write(&path, For::Owner, self.args.force, &png)).map(|()| path)
            });
            match written {
                Ok(path) => self.wrote.push(path),
                Err(error) => self.failed = Some(error),
            }
            self.next = match self.args.every {
                Some(every) => Some(at + every),
                None => self.asked.next(),
            };
        }
    }

    /// By the time from the session's first packet, so that names sort as the moments do.
    fn path(&self, at: Duration) -> PathBuf {
        match is_named(&self.args.output, "png") {
            true => self.args.output.clone(),
            false => self.args.output.join(format!("{:06}.{:03}s.png", at.as_secs(), at.subsec_millis())),
        }
    }
}
