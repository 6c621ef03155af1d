//! The ladder as a table, whose pictures say nothing that its words do not.

use super::Numbered;
use super::page::Page;
use crate::count::noun;
use crate::observation::{Leg, Side};
use crate::report::ladder::{
    Row, Rows, detail, frames, group_name, is_bad, moment, passed_after, same_phase, says, who,
};
use crate::timeline::ladder::{Message, Rung};

/// The table.
pub fn ladder(page: &mut Page, numbered: &Numbered<'_>, rows: &Rows<'_>) {
    let class = if rows.is_relayed { "ladder" } else { "ladder two" };
    page.within("table", &[("class", class)], |page| {
        page.element("caption", &[], &caption(rows));
        page.within("thead", &[], |page| page.within("tr", &[], |page| head(page, rows)));
        let mut from = 0;
        for group in rows.rows.chunk_by(|a, b| same_phase(a, b)) {
            page.within("tbody", &[], |page| {
                page.within("tr", &[("class", "group")], |page| {
                    page.element("th", &[("colspan", "5"), ("scope", "rowgroup")], &group_name(group));
                });
                for (place, row) in group.iter().enumerate() {
                    self::row(page, numbered, from + place, row, rows.is_relayed);
                }
            });
            from += group.len();
        }
    });
    if rows.more > 0 {
        let says =
            format!("and {} further {}, not kept one by one", super::count(rows.more), noun(rows.more, "message"));
        page.element("p", &[("class", "note")], &says);
    }
}

fn caption(rows: &Rows<'_>) -> String {
    let relayed = if rows.is_relayed {
        " The proxy stands in the middle: an arrow through it was passed on, one that ends there was not."
    } else {
        ""
    };
    format!("As they were seen, up to the active session, and what ended it.{relayed} Dashed: sealed, not read.")
}

fn head(page: &mut Page, rows: &Rows<'_>) {
    page.element("th", &[("scope", "col"), ("class", "n")], "At");
    page.within("th", &[("scope", "col"), ("class", "lanes")], |page| {
        page.within("span", &[], |page| {
            page.element("span", &[], "client");
            if rows.is_relayed {
                page.element("span", &[], "proxy");
            }
            page.element("span", &[], "server");
        });
    });
    page.element("th", &[("scope", "col")], "Message");
    page.element("th", &[("scope", "col"), ("class", "n")], "Frame");
    page.element("th", &[("scope", "col"), ("class", "n wide")], if rows.is_relayed { "Passed on after" } else { "" });
}

fn row(page: &mut Page, numbered: &Numbered<'_>, place: usize, row: &Row<'_>, is_relayed: bool) {
    let timeline = &numbered.session.timeline;
    let class = if row.evidence.is_empty() { "message" } else { "message evidence" };
    let id = numbered.id(&format!("-m{place}"));
    page.within("tr", &[("id", &id), ("class", class)], |page| {
        let after = row.rung.mark.at.after(timeline.began.unwrap_or_default());
        let at = if timeline.is_untimed() { "\u{2013}".into() } else { moment(after) };
        page.element("td", &[("class", "n")], &at);
        page.within("td", &[("class", "lanes")], |page| arrows(page, row, is_relayed));
        page.within("td", &[("class", "what")], |page| what(page, numbered, row));
        page.element("td", &[("class", "n")], &frames(row));
        page.element("td", &[("class", "n wide soft")], &passed_after(row));
    });
}

fn what(page: &mut Page, numbered: &Numbered<'_>, row: &Row<'_>) {
    let rung = row.rung;
    let class = if is_bad(rung.message) { "bad" } else { "" };
    let outer = if rung.is_outer { "gateway: " } else { "" };
    page.element("span", &[("class", class)], &format!("{outer}{}", says(rung)));
    if let Some(detail) = detail(&numbered.session.timeline, rung) {
        page.element("span", &[("class", "soft")], &format!(": {detail}"));
    }
    // The arrows say it to those who see them.
    page.element("span", &[("class", "unseen")], &format!(" {}", who(row)));
    for place in &row.evidence {
        page.text(" ");
        let href = numbered.id("-why0");
        page.element("a", &[("href", &format!("#{href}"))], &format!("evidence {}", place + 1));
    }
}

/// Where the lanes stand in a picture of 200 by 14.
const LANES: [f64; 3] = [8.0, 100.0, 192.0];

fn arrows(page: &mut Page, row: &Row<'_>, is_relayed: bool) {
    let size = [("viewBox", "0 0 200 14"), ("aria-hidden", "true"), ("focusable", "false")];
    page.within("svg", &size, |page| {
        for rung in [Some(row.rung), row.passed].into_iter().flatten() {
            match rung.from {
                Some(from) => arrow(page, rung, from, is_relayed),
                None => dot(page, rung),
            }
        }
    });
}

/// From lane to lane, with a head at its end. What a side sends is coloured by it, what ends a connection by that.
fn arrow(page: &mut Page, rung: &Rung, from: Side, is_relayed: bool) {
    let [left, right] = match rung.mark.leg {
        Leg::Front => [LANES[0], LANES[1]],
        Leg::Back => [LANES[1], LANES[2]],
        Leg::Only if is_relayed => [LANES[0], LANES[1]],
        Leg::Only => [LANES[0], LANES[2]],
    };
    let (tail, head, back) = match from {
        Side::Client => (left + 2.0, right - 2.0, -8.0),
        Side::Server => (right - 2.0, left + 2.0, 8.0),
    };
    let is_sealed = matches!(rung.message, Message::Sealed | Message::SealedHandshake | Message::SealedAlert);
    let class = match (is_bad(rung.message), from) {
        (true, _) => "arrow end",
        (false, Side::Client) if is_sealed => "arrow sealed from-client",
        (false, Side::Client) => "arrow from-client",
        (false, Side::Server) if is_sealed => "arrow sealed from-server",
        (false, Side::Server) => "arrow from-server",
    };
    page.within("g", &[("class", class)], |page| {
        let (x1, x2) = (tail.to_string(), (head + back / 2.0).to_string());
        page.empty("line", &[("x1", &x1), ("x2", &x2), ("y1", "7"), ("y2", "7")]);
        let points = format!("{head},7 {0},3 {0},11", head + back);
        page.empty("polygon", &[("points", &points)]);
    });
}

fn dot(page: &mut Page, rung: &Rung) {
    let at = match rung.mark.leg {
        Leg::Front | Leg::Back => LANES[1],
        Leg::Only => LANES[0],
    };
    let class = if is_bad(rung.message) { "arrow end" } else { "arrow" };
    page.empty("circle", &[("class", class), ("cx", &at.to_string()), ("cy", "7"), ("r", "3")]);
}
