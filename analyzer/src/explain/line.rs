//! A line as it stands in a log or a dialog: which codes, names and known texts are in it, and which part is none.
//!
//! A line is full of numbers that are no codes: times, ports, process ids. A number counts where it has the form of a code
//! (hex, a status, an error of Windows's sockets), or where the words before it say what it is.

use super::{EVENT, EXTENDED, Question, Reader, answer, number};
use crate::codes::phrases::{self, Phrase};
use crate::codes::{self, Table, events};
use crate::count::counted;

/// A longer text is not looked at, bytes.
pub const LONGEST: usize = 64 << 10;
/// What is found beyond this many is only counted.
const MOST: usize = 40;
/// So much of a text that could not be read is quoted, characters.
const QUOTED: usize = 100;
/// The words that stand before a number are looked for in this many bytes before it.
const BEFORE: usize = 48;
/// What may stand between a reason and its extended code, if no word says that it is one.
const BETWEEN: &[char] = &[' ', '/', ',', ';'];

/// Behind these words stands a number that is no code.
const NONE: &str = "-";

/// Words that say of which table the number behind them is, in lower case; "" is any.
const CONTEXTS: &[(&str, &str)] = &[
    ("extended error code", EXTENDED),
    ("erweiterter fehlercode", EXTENDED),
    ("code d'erreur étendu", EXTENDED),
    ("código de error extendido", EXTENDED),
    ("session has been disconnected, reason code", EXTENDED),
    ("has been disconnected, reason code", EXTENDED),
    ("event id", EVENT),
    ("eventid", EVENT),
    ("event-id", EVENT),
    ("event", EVENT),
    ("ereignis-id", EVENT),
    ("ereignis", EVENT),
    ("id d'événement", EVENT),
    ("événement", EVENT),
    ("id. de evento", EVENT),
    ("id de evento", EVENT),
    ("evento", EVENT),
    ("kdcsvc", EVENT),
    ("exit code", "freerdp-exit"),
    ("exit status", "freerdp-exit"),
    ("exited with", "freerdp-exit"),
    ("exited with code", "freerdp-exit"),
    ("exited with status", "freerdp-exit"),
    ("returns", "freerdp-exit"),
    ("rc", "freerdp-exit"),
    ("system error", "errno"),
    ("errno", "errno"),
    ("alert number", "alert"),
    ("fatal alert code is", "alert"),
    ("fatal error code is", "alert"),
    ("warnungscode lautet", "alert"),
    ("défini par le protocole tls", "alert"),
    ("ssl alert", "alert"),
    ("tls alert", "alert"),
    ("alert", "alert"),
    ("failure code", "kerberos"),
    ("result code", "kerberos"),
    ("errinfo", "errinfo"),
    ("http/1.1", "http"),
    ("http", "http"),
    ("status code", "http"),
    ("socket error", "winsock"),
    ("winsock error", "winsock"),
    ("wsagetlasterror", "winsock"),
    ("clientactivex has been disconnected (reason", "mstsc"),
    ("disconnect reason", "mstsc"),
    ("operation failed, error", "win32"),
    ("error code", ""),
    ("errorcode", ""),
    ("errorinfo", ""),
    // Of multitransport and network detection: numbers of their own, which the text behind them explains.
    ("reason code", NONE),
    ("fehlercode", ""),
    ("code d'erreur", ""),
    ("código de error", ""),
    ("codigo de error", ""),
    ("error", ""),
    ("fehler", ""),
    ("erreur", ""),
    ("ntstatus", ""),
    ("hresult", ""),
    ("status", ""),
    ("code", ""),
];

/// Beginnings of names that are codes, in lower case: what begins so and stands in no table is told.
const NAMES: &[&str] = &[
    "errconnect_",
    "errinfo_",
    "status_",
    "sec_e_",
    "krb5",
    "e_proxy_",
    "wsae",
    "kdc_err_",
    "xf_exit_",
    "exdiscreason",
];

/// What was read of the words or the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What is asked.
    pub questions: Vec<Question>,
    /// Of a line: for each question the part of it in which it stands.
    pub found: Vec<String>,
    /// Of a line: what looks like a code and stands in no table, and of a longer text the lines in which nothing was found.
    pub unread: Vec<String>,
}

/// Something found, from byte to byte of the text.
struct Find {
    from: usize,
    to: usize,
    what: What,
}

enum What {
    Phrase(&'static Phrase),
    Name,
    /// A number, and the table that the words before it name.
    Number(u32, Option<&'static Table>),
    Unknown,
}

/// Reads a line, or a text of several. Without questions where nothing in it is known.
pub fn in_line(text: &str) -> Result<Reading, String> {
    if text.len() > LONGEST {
        return Err(format!(
            "expected a line or an event's text, found {}: give the lines that matter",
            counted(text.len(), "byte")
        ));
    }
    let form = Form::of(text);
    let mut finds = phrases_in(&form);
    let source = named_source(&form.lower);
    tokens_in(text, &form, &mut finds);
    finds.sort_by_key(|find| find.from);
    let mut reading = Reading::default();
    let mut more = 0;
    let mut last = 0;
    for find in &finds {
        let gap = text.get(last..find.from).unwrap_or_default();
        last = find.to;
        let quoted = text.get(find.from..find.to).unwrap_or_default();
        match &find.what {
            What::Unknown => reading.unread.push(quoted.to_owned()),
            _ if reading.questions.len() >= MOST => more += 1,
            what => reading.add(what, quoted, gap, source),
        }
    }
    if more > 0 {
        reading.unread.push(format!("{}: give the lines that matter", counted(more, "further code")));
    }
    lines_without(text, &finds, &mut reading.unread);
    Ok(reading)
}

/// Why a line is refused.
pub fn nothing(line: &str) -> String {
    format!("nothing in it is a code, a name or a known text: {}", cut(line))
}

impl Reading {
    fn add(&mut self, what: &What, quoted: &str, gap: &str, source: Option<&'static str>) {
        let mut reader = Reader { questions: std::mem::take(&mut self.questions), ..Reader::default() };
        let before = reader.questions.len();
        match what {
            What::Phrase(phrase) => reader.questions.push(Question::Phrase(phrase)),
            What::Name => reader.questions.push(Question::Name(quoted.to_owned())),
            What::Number(number, table) => {
                let is_event = table.is_some_and(|table| table.key == EVENT);
                let follows = gap.chars().all(|c| BETWEEN.contains(&c));
                match (source.filter(|_| is_event), table) {
                    (Some(source), _) => reader.questions.push(Question::Event(*number, source)),
                    (None, None) if !follows => reader.questions.push(Question::Number(*number, None)),
                    (None, table) => {
                        reader.table = *table;
                        reader.number(*number);
                    }
                }
            }
            What::Unknown => {}
        }
        self.questions = reader.questions;
        match self.questions.len() > before {
            true if self.repeats() => _ = self.questions.pop(),
            true => self.found.push(quoted.to_owned()),
            // It became the extended code of the reason before it.
            false => {
                if let Some(found) = self.found.last_mut() {
                    found.push_str(" / ");
                    found.push_str(quoted);
                }
            }
        }
    }

    /// Whether the last question asks for what another one asks already: a name and its number beside it.
    fn repeats(&self) -> bool {
        let Some((last, others)) = self.questions.split_last() else { return false };
        let first = |question: &Question| {
            answer(question).entries.first().map(|(table, code)| (table.key, code.number, code.name))
        };
        let own = first(last);
        others.iter().any(|other| other == last || own.is_some() && first(other) == own)
    }
}

/// A text in the form in which phrases are kept: lower case, single blanks, straight quotes.
struct Form {
    lower: String,
    /// For each byte of it where the text has it.
    places: Vec<usize>,
    /// The length of the text.
    end: usize,
}

impl Form {
    fn of(text: &str) -> Form {
        let mut form = Form { lower: String::with_capacity(text.len()), places: Vec::new(), end: text.len() };
        for (at, c) in text.char_indices() {
            match c {
                c if c.is_whitespace() => {
                    if !form.lower.ends_with(' ') {
                        form.push(' ', at);
                    }
                }
                '\u{2018}' | '\u{2019}' | '\u{b4}' | '`' => form.push('\'', at),
                '\u{201c}' | '\u{201d}' | '\u{201e}' => form.push('"', at),
                // Byte order marks and soft hyphens come with what was copied from a page.
                '\u{feff}' | '\u{ad}' | '\u{200b}' => {}
                c => c.to_lowercase().for_each(|lower| form.push(lower, at)),
            }
        }
        form
    }

    fn push(&mut self, c: char, at: usize) {
        self.lower.push(c);
        self.places.resize(self.lower.len(), at);
    }

    /// Where a byte of it stands in the text.
    fn place(&self, at: usize) -> usize {
        self.places.get(at).copied().unwrap_or(self.end)
    }
}

/// The phrases in it: of two that overlap the one that begins first, or else the longer one.
fn phrases_in(form: &Form) -> Vec<Find> {
    let lower = &form.lower;
    let mut all: Vec<(usize, usize, &'static Phrase)> = Vec::new();
    for phrase in phrases::all() {
        let found = lower.match_indices(phrase.text).map(|(at, text)| (at, at + text.len()));
        all.extend(found.filter(|(from, to)| is_whole(lower, *from, *to)).map(|(from, to)| (from, to, phrase)));
    }
    all.sort_by_key(|(from, to, _)| (*from, usize::MAX - to));
    let mut end = 0;
    all.retain(|(from, to, _)| {
        let is_free = *from >= end;
        end = if is_free { *to } else { end };
        is_free
    });
    let find = |(from, to, phrase)| Find { from: form.place(from), to: form.place(to), what: What::Phrase(phrase) };
    all.into_iter().map(find).collect()
}

/// Whether no word is cut at either end.
fn is_whole(lower: &str, from: usize, to: usize) -> bool {
    let part = lower.get(from..to).unwrap_or_default();
    let before = lower.get(..from).and_then(|before| before.chars().next_back());
    let after = lower.get(to..).and_then(|after| after.chars().next());
    let joins = |one: Option<char>, other: Option<char>| {
        one.is_some_and(char::is_alphanumeric) && other.is_some_and(char::is_alphanumeric)
    };
    !joins(before, part.chars().next()) && !joins(part.chars().next_back(), after)
}

/// The source of Windows events that the text names: the first one.
fn named_source(lower: &str) -> Option<&'static str> {
    let places = events::SOURCES.iter().flat_map(|(source, words)| {
        words.iter().filter_map(move |word| {
            let (at, _) = lower.match_indices(word).find(|(at, _)| is_whole(lower, *at, at + word.len()))?;
            Some((at, *source))
        })
    });
    places.min_by_key(|(at, _)| *at).map(|(_, source)| source)
}

/// Numbers and names, outside of phrases.
fn tokens_in(text: &str, form: &Form, finds: &mut Vec<Find>) {
    let taken: Vec<(usize, usize)> = finds.iter().map(|find| (find.from, find.to)).collect();
    // Both go forward: of the phrases those that end before the token are left behind.
    let mut phrases = taken.iter().peekable();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(is_part)).map(|at| from + at) {
        let rest = text.get(start..).unwrap_or_default();
        let to = start + rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        from = to;
        while phrases.next_if(|(_, end)| *end <= start).is_some() {}
        if phrases.peek().is_some_and(|(begin, _)| *begin < to) {
            continue;
        }
        let (token, before) = (text.get(start..to).unwrap_or_default(), text.get(..start).unwrap_or_default());
        let after = text.get(to..).unwrap_or_default();
        let sign = usize::from(before.ends_with('-') && !before.trim_end_matches('-').ends_with(is_part));
        let signed = text.get(start - sign..to).unwrap_or_default();
        if let Some(what) = token_as(token, signed, before, after, form, start) {
            finds.push(Find { from: start - sign, to, what });
        }
    }
}

/// What a token is; `None` for a word, and a number that is no code.
fn token_as(token: &str, signed: &str, before: &str, after: &str, form: &Form, start: usize) -> Option<What> {
    let is_hex = token.starts_with("0x") || token.starts_with("0X");
    let is_decimal = token.bytes().all(|byte| byte.is_ascii_digit());
    if is_hex {
        let parsed = number(signed).and_then(Result::ok);
        return Some(parsed.map_or(What::Unknown, |parsed| What::Number(parsed, hex_table(form, start))));
    }
    if is_decimal {
        return decimal(token, signed, before, after, form, start);
    }
    // Eight digits without 0x, as event 56 and some logs write a status.
    if token.len() == 8 && matches!(token.as_bytes().first(), Some(b'8' | b'c' | b'C' | b'd' | b'D')) {
        let parsed = u32::from_str_radix(token, 16).ok().filter(|parsed| !super::carried(*parsed).is_empty());
        if let Some(parsed) = parsed {
            return Some(What::Number(parsed, None));
        }
    }
    named(token)
}

/// The words before a hex number count only where they name a table: it is a code anyhow.
fn hex_table(form: &Form, start: usize) -> Option<&'static Table> {
    let key = context(form, start)?;
    // "error code 0x80070040" of an event, "alert 0x30": the table must have such numbers.
    Table::keyed(key).filter(|table| matches!(table.key, EXTENDED | "kerberos" | "alert" | "errinfo"))
}

fn decimal(token: &str, signed: &str, before: &str, after: &str, form: &Form, start: usize) -> Option<What> {
    let joined = |c: Option<char>, beyond: Option<char>| {
        matches!(c, Some(':' | '.' | '/' | '-' | ',')) && beyond.is_some_and(|c| c.is_ascii_alphanumeric())
    };
    let mut behind = before.chars().rev();
    let mut ahead = after.chars();
    // A part of a time, an address, a version or a path.
    let is_part = joined(behind.next(), behind.next()) && signed == token || joined(ahead.next(), ahead.next());
    if is_part && context(form, start) != Some("http") {
        return None;
    }
    let parsed = number(signed).and_then(Result::ok);
    if let Some(key) = context(form, start).filter(|key| *key != NONE) {
        // A status stands where a log has room for a smaller number.
        let is_other = |table: &&Table| parsed.is_some_and(|parsed| parsed >> 31 == 1 && table.code(parsed).is_none());
        let table = Table::keyed(key).filter(|table| !is_other(table));
        let parsed = parsed.filter(|parsed| table.is_some() || !super::anywhere(*parsed).entries.is_empty());
        // A word such as "code" stands before anything; what names a table says what its number is.
        return parsed.map(|parsed| What::Number(parsed, table));
    }
    let parsed = parsed?;
    let is_socket = token.len() == 5 && codes::lookup(parsed).iter().any(|(table, _)| table.key == "winsock");
    let is_port = before.ends_with(':') || before.trim_end().to_ascii_lowercase().ends_with("port");
    let is_status = parsed >> 31 == 1 && !super::carried(parsed).is_empty();
    (is_socket && !is_port || is_status).then_some(What::Number(parsed, None))
}

/// The words before this place of the text that say what a number is: the longest that fit.
fn context(form: &Form, start: usize) -> Option<&'static str> {
    let at = form.places.partition_point(|place| *place < start);
    let mut from = at.saturating_sub(BEFORE);
    while !form.lower.is_char_boundary(from) {
        from += 1;
    }
    let before = form.lower.get(from..at).unwrap_or_default();
    let before = before.trim_end_matches([' ', ':', '=', '(', '[', '#', '"', '\'', '-', '\t']);
    let fits = |words: &str| {
        let rest = before.strip_suffix(words).filter(|_| !words.is_empty());
        rest.is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
    };
    let found = CONTEXTS.iter().filter(|(words, _)| fits(words)).max_by_key(|(words, _)| words.len());
    found.map(|(_, key)| *key)
}

/// A name of a code. Names of one word without a mark are taken of few tables: "OK" and "Gone" are names, too.
fn named(token: &str) -> Option<What> {
    let has_mark = token.contains('_');
    let is_name = |(table, code): &codes::Entry| {
        let is_plain = matches!(table.key, "errno" | "winsock" | "mstsc" | "extended");
        code.name.eq_ignore_ascii_case(token) && (has_mark || is_plain)
    };
    let long = token.len() > 3;
    if long && codes::named(token).iter().any(is_name) {
        return Some(What::Name);
    }
    let lower = token.to_ascii_lowercase();
    let looks = NAMES.iter().any(|begin| lower.len() > begin.len() && lower.starts_with(begin));
    (looks && (has_mark || token.bytes().any(|byte| byte.is_ascii_uppercase()))).then_some(What::Unknown)
}

/// Of a text of several lines those in which nothing was found.
fn lines_without(text: &str, finds: &[Find], unread: &mut Vec<String>) {
    let mut from = 0;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.iter().filter(|line| !line.trim().is_empty()).count() < 2 {
        return;
    }
    let mut finds = finds.iter().peekable();
    let mut without = Vec::new();
    for line in lines {
        let to = from + line.len();
        while finds.next_if(|find| find.to <= from).is_some() {}
        if !line.trim().is_empty() && finds.peek().is_none_or(|find| find.from >= to) {
            without.push(cut(line));
        }
        from = to;
    }
    let more = without.len().saturating_sub(MOST);
    unread.extend(without.into_iter().take(MOST));
    if more > 0 {
        unread.push(counted(more, "further line"));
    }
}

fn cut(line: &str) -> String {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}
