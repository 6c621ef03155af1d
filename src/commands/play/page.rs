//! The HTML page, written as the picture comes.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use analyzer::picture::film::{Film, Shown};
use analyzer::picture::{Picture, Shape, encoded};
use analyzer::reading::Known;
use analyzer::report::player::Player;
use anyhow::bail;
use proxy::whole::Whole;

use super::super::{create, wrote};
use super::choice::{self, Chosen};
use super::{notes, run_film, told};
use crate::cli::Play;
use analyzer::count::counted;
use proxy::named::Named;

/// Changes of the picture lie so far apart at least, and further where the page has grown to so many bytes.
const APART: [(u64, Duration); 3] =
    [(0, Duration::from_millis(100)), (24 << 20, Duration::from_secs(1)), (64 << 20, Duration::from_secs(10))];
/// At so many bytes the picture stays as it is.
const MOST: u64 = 96 << 20;

/// The page's end that grows.
struct Stream<'a> {
    player: Player<'a>,
    out: BufWriter<Whole>,
    bytes: u64,
    changes: u64,
    shape: Option<Shape>,
    /// Where the picture was thinned, and to what.
    thinned: Vec<String>,
    failed: Option<anyhow::Error>,
    chosen: &'a Chosen,
}

/// Writes it, and says what was written.
pub fn write(args: &Play, known: &Known, chosen: &Chosen) -> anyhow::Result<String> {
    // A session that failed on the way is told by its phases, whatever was sealed in it.
    if choice::is_sealed(chosen) && chosen.session.timeline.is_active() {
        bail!("session {} has no picture: {}", chosen.number, choice::why_none(chosen));
    }
    let out = BufWriter::new(create(&args.output, args.force)?);
    let player = Player::new(env!("CARGO_PKG_VERSION"), &chosen.session);
    let mut stream =
        Stream { player, out, bytes: 0, changes: 0, shape: None, thinned: Vec::new(), failed: None, chosen };
    let head = stream.player.head();
    stream.put(&head);
    let film = run_film(args, known, chosen, Film::new(APART[0].1), &mut |picture, shown| stream.show(picture, shown))?;
    let mut notes = notes(film.picture());
    if !chosen.has_screen {
        notes.push(choice::why_none(chosen));
    }
    notes.append(&mut stream.thinned);
    let tail = stream.player.tail(&notes);
    stream.put(&tail);
    if let Some(error) = stream.failed {
        return Err(error);
    }
    wrote(&args.output, stream.out.into_inner().map_err(io::IntoInnerError::into_error).and_then(Whole::finish))?;
    let wrote = format!("wrote {} with {} of the picture", args.output.named(), counted(stream.changes, "change"));
    Ok(told(chosen, &wrote, film.picture(), &notes))
}

impl Stream<'_> {
    /// Writes what is shown, and says how far apart the next may be where that is another from here on.
    fn show(&mut self, picture: &Picture, shown: Shown) -> Option<Duration> {
        if self.failed.is_some() || self.bytes > MOST {
            return None;
        }
        let before = self.bytes;
        match shown {
            Shown::Cut(cut) => match encoded::encode(picture.pixels(), cut.size.0, cut.area) {
                Ok(png) => {
                    self.changes += 1;
                    let line = self.player.cut(&cut, &png);
                    self.put(&line);
                    return self.thin(before, cut.at);
                }
                Err(error) => self.failed = Some(anyhow::Error::new(error).context("cannot make a PNG")),
            },
            Shown::Pointer(at, pointer) => {
                if self.shape.as_ref() != Some(&pointer.shape) {
                    let line = match &pointer.shape {
                        Shape::Default => self.player.pointer(at, (0, 0), Some(&[])),
                        Shape::Hidden => self.player.pointer(at, (0, 0), None),
                        Shape::Bitmap { size, hot, pixels } => {
                            let png = encoded::with_alpha(pixels, *size).unwrap_or_default();
                            self.player.pointer(at, *hot, Some(&png))
                        }
                    };
                    self.put(&line);
                    self.shape = Some(pointer.shape);
                }
                if let Some(place) = pointer.at {
                    let line = self.player.place(at, place);
                    self.put(&line);
                }
            }
        }
        None
    }

    fn thin(&mut self, before: u64, at: analyzer::time::Timestamp) -> Option<Duration> {
        let offset = at.since(self.chosen.session.began()).as_secs_f64();
        let is_passed = |limit: u64| (before..self.bytes).contains(&limit);
        if is_passed(MOST) {
            let says =
                format!("The page is full at {} MB: from +{offset:.3} s on the picture stays as it was.", MOST >> 20);
            self.thinned.push(says);
        }
        let (limit, apart) = APART[1..].iter().find(|(limit, _)| is_passed(*limit))?;
        self.thinned.push(format!(
            "The picture is thinned to one change in {} s from +{offset:.3} s on: the page had grown to {} MB.",
            apart.as_secs(),
            limit >> 20
        ));
        Some(*apart)
    }

    fn put(&mut self, text: &str) {
        self.bytes += text.len() as u64;
        if let Err(error) = self.out.write_all(text.as_bytes()) {
            self.failed.get_or_insert(anyhow::Error::new(error).context("cannot write the page"));
        }
    }
}
