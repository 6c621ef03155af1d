//! The catalogue of causes, for people: good in 80 columns, without colour.

use super::columns::Columns;
use super::text::para;
use crate::causes::{self, Cause, Layer, Visibility};
use crate::codes::{self, Entry, Table};

/// So many numbers of one table are named one by one.
const FEW: usize = 6;
/// One of each way to know a cause, in the order of the legend.
const WAYS: [Visibility; 5] = [
    Visibility::Rule,
    Visibility::Set,
    Visibility::Plaintext { message: "" },
    Visibility::Hidden { among: &[], settles: "" },
    Visibility::Unread(""),
];

/// All causes, by layer, with how each can be known and how surely.
pub fn table() -> String {
    let columns = Columns(&[14, 40, 11, 8]);
    let mut text = String::new();
    columns.row(&mut text, &["cause", "what it is", "known by", "at best"]);
    for layer in Layer::ALL {
        text.push('\n');
        para(&mut text, "", layer.name());
        for cause in layer.causes() {
            columns.row(&mut text, &[cause.id, cause.name, cause.visibility.name(), at_best(cause)]);
        }
    }
    text.push_str("\nKnown by\n");
    for way in WAYS {
        let known = causes::all().filter(|cause| cause.visibility.name() == way.name()).count();
        para(&mut text, &format!("  {:<12}{known:>3}  ", way.name()), way.meaning());
    }
    para(&mut text, "  ", "rdpscope rules and one of these names says all that is known of it.");
    text
}

/// What nobody can see without keys is at best something else that a finding could be.
fn at_best(cause: &Cause) -> &'static str {
    match cause.visibility {
        Visibility::Rule | Visibility::Set => cause.confidence.name(),
        Visibility::Plaintext { .. } | Visibility::Hidden { .. } | Visibility::Unread(_) => "-",
    }
}

/// All that is known of one.
pub fn cause(cause: &Cause) -> String {
    let mut text = String::new();
    let mut line = |lead: &str, says: &str| para(&mut text, &format!("  {:<13}", format!("{lead}:")), says);
    line("layer", cause.layer.name());
    line("known by", &known_by(cause));
    line("evidence", cause.evidence);
    line("tell by", cause.sign);
    for id in cause.looks_like {
        line("looks like", &named(id));
    }
    for group in causes::groups(cause.id) {
        let others: Vec<&str> = group.ids.iter().copied().filter(|id| *id != cause.id).collect();
        line("one of", &format!("{}, {}: the wire alone cannot tell which", cause.id, others.join(", ")));
        line("told by", group.by);
    }
    for tool in cause.tools {
        line("settle by", &format!("{}: {}", tool.name(), tool.command()));
    }
    line("next check", cause.check);
    line("fix", cause.fix);
    for unknown in cause.cannot_tell {
        line("cannot tell", unknown);
    }
    line("spec", cause.spec);
    if !cause.mstsc.is_empty() {
        line("mstsc shows", &cause.mstsc.join(", "));
    }
    for (table, numbers) in codes_of(cause.id) {
        line("codes", &format!("{}: {numbers}", table.title));
    }
    let mut whole = String::new();
    para(&mut whole, "", &format!("{}: {}", cause.id, cause.name));
    whole + &text
}

/// In a sentence or two: how it can be known, and what there is to know with it.
pub fn known_by(cause: &Cause) -> String {
    let (way, means) = (cause.visibility.name(), cause.visibility.meaning());
    let more = match cause.visibility {
        Visibility::Rule | Visibility::Set => format!("at best {}", cause.confidence.name()),
        Visibility::Plaintext { message } => format!("carried by {message}"),
        Visibility::Hidden { among, settles } => format!("cannot be told from {}; {settles}", among.join(", ")),
        Visibility::Unread(packets) => packets.to_owned(),
    };
    format!("{way}: {means}; {more}")
}

fn named(id: &str) -> String {
    causes::cause(id).map_or(id.to_owned(), |cause| format!("{}: {}", cause.id, cause.name))
}

/// The numbers that can stand for it, table by table; of many in one table the first and the last.
pub fn codes_of(id: &str) -> Vec<(&'static Table, String)> {
    let mut tables: Vec<(&'static Table, Vec<Entry>)> = Vec::new();
    for entry in codes::of_cause(id) {
        match tables.last_mut().filter(|(table, _)| table.key == entry.0.key) {
            Some((_, entries)) => entries.push(entry),
            None => tables.push((entry.0, vec![entry])),
        }
    }
    tables.into_iter().map(|(table, entries)| (table, numbers(&entries))).collect()
}

fn numbers(entries: &[Entry]) -> String {
    match entries {
        [first, .., last] if entries.len() > FEW => {
            format!("{} of them, from {} to {}", entries.len(), number(first), number(last))
        }
        few => few.iter().map(number).collect::<Vec<_>>().join(", "),
    }
}

fn number((table, code): &Entry) -> String {
    let written = table.written(code.number);
    if code.name.is_empty() { written } else { format!("{written} {}", code.name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_know_stands_in_the_legend_once() {
        for cause in causes::all() {
            assert_eq!(WAYS.iter().filter(|way| way.name() == cause.visibility.name()).count(), 1, "{}", cause.id);
        }
    }
}
