//! The ladder for a terminal: a line for each message, between the life lines of client, proxy and server.

use super::para;
use crate::count::counted;
use crate::diagnose::Finding;
use crate::observation::{Leg, Side};
use crate::report::ladder::{Row, Rows, detail, group_name, moment, same_phase, says};
use crate::timeline::Timeline;
use crate::timeline::ladder::{Message, Rung};

/// Columns from life line to life line.
const STEP: usize = 5;

/// The messages of a session in their order, and which of them a finding rests on; empty where there are none.
pub fn ladder(timeline: &Timeline, finding: Option<&Finding>) -> String {
    let rows = Rows::of(timeline, finding);
    let mut text = String::new();
    if rows.is_empty() {
        return text;
    }
    let heads = if rows.is_relayed { "client proxy server" } else { "client server" };
    text += &format!("\n         at  {heads}  message\n");
    for group in rows.rows.chunk_by(same_phase) {
        text += &format!("  {}\n", group_name(group));
        group.iter().for_each(|row| line(&mut text, timeline, row, rows.is_relayed));
    }
    if rows.more > 0 {
        text += &format!("  and {}, not kept one by one\n", counted(rows.more, "further message"));
    }
    text
}

fn line(text: &mut String, timeline: &Timeline, row: &Row<'_>, is_relayed: bool) {
    let after = row.rung.mark.at.after(timeline.began.unwrap_or_default());
    let at = if timeline.is_untimed() { "-".into() } else { moment(after) };
    let lead = format!("{at:>11}     {}     ", lanes(row, is_relayed));
    let outer = if row.rung.is_outer { "gateway: " } else { "" };
    let detail = detail(timeline, row.rung).map_or(String::new(), |detail| format!(": {detail}"));
    let evidence: String = row.evidence.iter().map(|place| format!(" [evidence {}]", place + 1)).collect();
    para(text, &lead, &format!("{outer}{}{detail}{evidence}", says(row.rung)));
}

/// The life lines, and the arrows between them: `|---->|     |`.
fn lanes(row: &Row<'_>, is_relayed: bool) -> String {
    let count = if is_relayed { 3 } else { 2 };
    let mut line = vec![' '; (count - 1) * (STEP + 1) + 1];
    (0..count).for_each(|lane| line[lane * (STEP + 1)] = '|');
    for rung in [Some(row.rung), row.passed].into_iter().flatten() {
        let left = if rung.mark.leg == Leg::Back && is_relayed { STEP + 1 } else { 0 };
        match rung.from {
            Some(from) => arrow(&mut line[left + 1..=left + STEP], rung, from),
            None => line[left] = '*',
        }
    }
    line.into_iter().collect()
}

/// Dotted where it is sealed.
fn arrow(line: &mut [char], rung: &Rung, from: Side) {
    let is_sealed = matches!(rung.message, Message::Sealed | Message::SealedHandshake | Message::SealedAlert);
    line.fill(if is_sealed { '.' } else { '-' });
    match from {
        Side::Client => line[STEP - 1] = '>',
        Side::Server => line[0] = '<',
    }
}
