//! A text as somebody pastes it, word by word as an input decides: known phrases in any case, codes in every notation,
//! the words that stand before them, ports and times, line ends, and anything at all.

use analyzer::codes::{TABLES, phrases};
use analyzer::explain;

use super::decisions::Decisions;

/// Words that choose a table, sources of events, and what is no code.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "error code:", "Fehlercode", "code d'erreur", "código de error", "Extended error code:", "errinfo", "alert number",
    "Event ID", "Ereignis-ID", "Schannel", "RdpCoreTS", "TerminalServices-Gateway", "HTTP/1.1", "port", "errno", "rc=",
    "status", "10.0.0.4:3389", "12:30:01", "2026-01-13T10:00:00Z", "[4711]:", "0x", "-", "(", ")", ":", "\u{a0}",
    "\u{feff}", "İ", "ß", "�", "\0",
];
/// The most that one text has found in it, as `explain` says.
const MOST: usize = 40;

/// Whatever is in it: each code has its place in the text, none is found twice, and all of them can be answered.
pub fn holds(data: &[u8]) {
    let text = text(data);
    let Ok(reading) = explain::in_line(&text) else {
        return assert!(text.len() > explain::LONGEST, "a line is refused only where it is too long");
    };
    assert_eq!(reading.questions.len(), reading.found.len());
    assert!(reading.questions.len() <= MOST);
    for found in &reading.found {
        let mut parts = found.split(" / ");
        assert!(parts.all(|part| is_in(&text, part)), "{found:?} is no part of {text:?}");
    }
    for (place, question) in reading.questions.iter().enumerate() {
        explain::answer(question);
        assert!(!reading.questions[..place].contains(question), "{question:?} is told once");
    }
}

/// Blanks are told as one.
fn is_in(text: &str, part: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.contains(part) || plain(text).contains(&plain(part))
}

fn text(data: &[u8]) -> String {
    let mut decisions = Decisions(data);
    let mut text = String::new();
    let all: Vec<_> = phrases::all().collect();
    while !decisions.0.is_empty() && text.len() <= 2 * explain::LONGEST {
        let (kind, choice) = (decisions.byte(), usize::from(decisions.byte()));
        match kind & 15 {
            0..=2 => {
                let phrase = all[(choice | usize::from(decisions.byte()) << 8) % all.len()].text;
                let len = phrase.char_indices().nth(choice).map_or(phrase.len(), |(at, _)| at);
                match kind >> 6 {
                    0 => text.push_str(phrase),
                    1 => text.push_str(&phrase.to_uppercase()),
                    2 => text.push_str(&phrase.replace(' ', "\n ")),
                    _ => text.push_str(&phrase[..len]),
                }
            }
            3..=6 => {
                let table = TABLES[choice % TABLES.len()];
                let code = &table.codes[usize::from(decisions.byte()) % table.codes.len()];
                text.push_str(&match kind >> 5 {
                    0 => format!("{:#x}", code.number),
                    1 => format!("0x{:08X}", code.number),
                    2 => code.number.to_string(),
                    3 => code.number.cast_signed().to_string(),
                    4 => code.name.to_owned(),
                    5 => code.name.to_lowercase(),
                    6 => format!("{} {}", table.key, code.number),
                    _ => format!("{:x}", code.number),
                });
            }
            7..=10 => text.push_str(WORDS[choice % WORDS.len()]),
            11 => text.push_str(&decisions.word().to_string()),
            12 => text.push('\n'),
            13 => text.push_str(&" ".repeat(choice)),
            _ => text.push_str(&String::from_utf8_lossy(decisions.take(choice & 15))),
        }
        if kind & 16 == 0 {
            text.push(' ');
        }
    }
    text
}
