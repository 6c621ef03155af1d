//! What pictures are made of. Positions are parts of the whole, so that a picture is as wide as there is room, and neither
//! hatching nor lines are stretched with it.

use std::time::Duration;

use super::page::Page;
use crate::diagnose::stage::length;
use crate::time::Timestamp;

/// A bar is never thinner than this, percent of the whole.
const THINNEST: f64 = 0.35;

/// The hatching of what is inferred. Browsers draw no pattern of a picture that is not displayed: it has no size instead.
pub fn patterns(page: &mut Page) {
    page.within("svg", &[("class", "hidden-svg"), ("aria-hidden", "true"), ("focusable", "false")], |page| {
        let pattern = [
            ("id", "hatch"),
            ("width", "6"),
            ("height", "6"),
            ("patternUnits", "userSpaceOnUse"),
            ("patternTransform", "rotate(45)"),
        ];
        page.within("defs", &[], |page| {
            page.within("pattern", &pattern, |page| {
                page.empty("line", &[("class", "hatch"), ("x1", "1"), ("x2", "1"), ("y1", "0"), ("y2", "6")]);
            });
        });
    });
}

/// A picture with a name for those who do not see it.
pub fn image(page: &mut Page, title: &str, height: u32, draw: impl FnOnce(&mut Page)) {
    let height = height.to_string();
    page.within("svg", &[("role", "img"), ("aria-label", title), ("width", "100%"), ("height", &height)], |page| {
        page.element("title", &[], title);
        draw(page);
    });
}

/// A picture that says nothing beside the text around it.
pub fn ornament(page: &mut Page, size: [&str; 2], draw: impl FnOnce(&mut Page)) {
    let [width, height] = size;
    page.within("svg", &[("aria-hidden", "true"), ("focusable", "false"), ("width", width), ("height", height)], draw);
}

/// A piece of a row, from one part of the whole to another.
pub fn bar(page: &mut Page, class: &str, from: f64, to: f64, [y, height]: [&str; 2]) {
    let width = percent((to - from).max(THINNEST / 100.0));
    page.empty("rect", &[("class", class), ("x", &percent(from)), ("width", &width), ("y", y), ("height", height)]);
}

/// A line across the rows.
pub fn upright(page: &mut Page, class: &str, at: f64) {
    page.empty("line", &[("class", class), ("x1", &percent(at)), ("x2", &percent(at)), ("y1", "0"), ("y2", "100%")]);
}

/// A part of the whole.
pub fn percent(part: f64) -> String {
    format!("{:.2}%", part.clamp(0.0, 1.0) * 100.0)
}

/// A stretch of time on which moments have a place.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Where it begins.
    pub began: Timestamp,
    /// How long it is.
    pub length: Duration,
}

impl Scale {
    /// The place of a moment, from 0 to 1.
    pub fn place(&self, at: Timestamp) -> f64 {
        self.share(at.after(self.began))
    }

    /// How much of the whole a length of time is.
    pub fn share(&self, part: Duration) -> f64 {
        if self.length.is_zero() { 0.0 } else { (part.as_secs_f64() / self.length.as_secs_f64()).clamp(0.0, 1.0) }
    }

    /// Round moments on it, from three to six, and how they read.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let nanos = self.length.as_nanos().min(u64::MAX.into()) as u64;
        let mut step = 1_u64;
        let mut factors = [2, 5, 10].into_iter().cycle();
        let mut decade = 1_u64;
        while nanos / step > 5 {
            match factors.next() {
                Some(10) => (decade, step) = (decade.saturating_mul(10), decade.saturating_mul(10)),
                Some(factor) => step = decade.saturating_mul(factor),
                None => break,
            }
        }
        let times = (1..=nanos / step.max(1)).map(|place| Duration::from_nanos(place * step));
        times.map(|at| (self.share(at), length(at))).filter(|(at, _)| *at < 0.93).collect()
    }
}
