//! What a code means: which table it stands in, what can be behind it, what would tell the causes apart; and, given
//! sessions, which of the causes they show and which they exclude.
//!
//! Words go in as a person types them, or a line as it stands in a log, questions come out, and answers from questions.
//! Nothing in here formats.

use crate::attempt::Diagnosed;
use crate::causes::{self, Cause};
use crate::codes::phrases::Phrase;
use crate::codes::{self, Entry, Table, errinfo, events, mstsc};
use crate::diagnose::{Finding, Outcome, Severity, direct_equivalent};

mod exclude;
mod line;
mod walk;

pub use line::{LONGEST, Reading, in_line};
pub use walk::{Step, WALK};

/// The table of what mstsc shows first.
const REASONS: &str = "mstsc";
/// The table of what it shows behind it.
const EXTENDED: &str = "extended";
/// The table of Windows events.
const EVENT: &str = "event";
/// "The socket closed."
const SOCKET_CLOSED: u32 = 0x904;
/// "Denied", or died before the session was up.
const DENIED: u32 = 7;

/// One thing that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A number, in one table if one was named.
    Number(u32, Option<&'static str>),
    /// A disconnect reason of mstsc and the extended reason behind it.
    Pair(u32, u32),
    /// The number of a Windows event, and its source.
    Event(u32, &'static str),
    /// A text that programs show.
    Phrase(&'static Phrase),
    /// A name.
    Name(String),
    /// A cause.
    Cause(&'static Cause),
}

/// Reads what a person typed: numbers, names, words that choose a table, an extended code behind its reason.
///
/// What is no list of them is read as a line of a log or a dialog, where it has several words or marks between them.
pub fn read(words: &[String]) -> Result<Reading, String> {
    let asked = match questions(words) {
        Ok(questions) => return Ok(Reading { questions, ..Reading::default() }),
        Err(error) => error,
    };
    let line = words.join(" ");
    match in_line(&line) {
        Ok(reading) if !reading.questions.is_empty() => Ok(reading),
        // Of several words the line is what was meant, of one word the code.
        Ok(_) if line.split_whitespace().count() > 2 => Err(line::nothing(&line)),
        Err(long) if words.len() > 1 => Err(long),
        Ok(_) | Err(_) => Err(asked),
    }
}

/// Reads numbers, names, words that choose a table, an extended code behind its reason, and nothing else.
fn questions(words: &[String]) -> Result<Vec<Question>, String> {
    let mut reader = Reader::default();
    for word in words.iter().flat_map(|word| word.split(['/', ','])).map(str::trim).filter(|word| !word.is_empty()) {
        reader.word(word)?;
    }
    match (reader.table, reader.questions.is_empty()) {
        (Some(table), _) => Err(format!("expected a number behind {}", table.key)),
        (None, true) => Err("expected a code".into()),
        (None, false) => Ok(reader.questions),
    }
}

/// What was read so far, and the table that the last word chose.
#[derive(Default)]
struct Reader {
    questions: Vec<Question>,
    table: Option<&'static Table>,
    /// The source of Windows events that was named.
    source: Option<&'static str>,
}

impl Reader {
    fn word(&mut self, word: &str) -> Result<(), String> {
        match (number(word), Table::called(word), source(word)) {
            (Some(number), _, _) => self.number(number?),
            (None, Some(chosen), _) => self.table = Some(chosen),
            (None, None, Some(named)) => {
                self.table = Table::keyed(EVENT);
                self.source = Some(named);
            }
            (None, None, None) => self.questions.push(by_name(word)?),
        }
        Ok(())
    }

    fn number(&mut self, number: u32) {
        let key = self.table.take().map(|table| table.key);
        if let (Some(EVENT), Some(source)) = (key, self.source.take()) {
            return self.questions.push(Question::Event(number, source));
        }
        let may_follow = key.is_none_or(|key| key == EXTENDED);
        match self.questions.last_mut().filter(|last| may_follow && last.takes(number, key.is_some())) {
            Some(last) => last.pair(number),
            None => self.questions.push(Question::Number(number, key)),
        }
    }
}

/// The source of Windows events that a word names.
fn source(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let named = |(source, words): &&(&'static str, &[&str])| {
        source.eq_ignore_ascii_case(&word) || words.contains(&word.trim_start_matches("microsoft-windows-"))
    };
    events::SOURCES.iter().find(named).map(|(source, _)| *source)
}

/// Hex with 0x, or decimal, also negative; what is not 32 bits wide must be a sign-extended 32-bit number.
fn number(word: &str) -> Option<Result<u32, String>> {
    let (negative, digits) = word.strip_prefix('-').map_or((false, word), |digits| (true, digits));
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let looks_like_one = hex.is_some() || digits.starts_with(|c: char| c.is_ascii_digit());
    let parsed = match hex {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let wide = parsed.map(|parsed| if negative { parsed.wrapping_neg() } else { parsed });
    let narrow = |wide: u64| match wide >> 32 {
        0 => Some(wide as u32),
        0xffff_ffff if wide >> 31 & 1 == 1 => Some(wide as u32),
        _ => None,
    };
    let wrong = || format!("expected a number of 32 bits, such as 0x904, 2308 or -1073741715, found {word}");
    looks_like_one.then(|| wide.ok().and_then(narrow).ok_or_else(wrong))
}

fn by_name(word: &str) -> Result<Question, String> {
    if let Some(cause) = causes::cause(word) {
        return Ok(Question::Cause(cause));
    }
    if word.starts_with('-') || !word.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
        return Err(format!("expected a number, the name of a code, a table or a cause, found {word}"));
    }
    match codes::named(word)[..] {
        [] => Err(format!("no code has the name {word}, no table and no cause, either")),
        [..] => Ok(Question::Name(word.to_owned())),
    }
}

impl Question {
    /// Whether a number behind this one is its extended code.
    fn takes(&self, number: u32, surely: bool) -> bool {
        let Question::Number(reason, table) = self else { return false };
        let is_reason = table.is_none_or(|table| table == REASONS)
            && (find(REASONS, *reason).is_some() || mstsc::class(*reason).is_some());
        is_reason && (surely || find(EXTENDED, number).is_some() || find("errinfo", number).is_some())
    }

    fn pair(&mut self, extended: u32) {
        if let Question::Number(reason, _) = self {
            *self = Question::Pair(*reason, extended);
        }
    }
}

fn find(table: &str, number: u32) -> Option<Entry> {
    let table = Table::keyed(table)?;
    Some((table, table.code(number)?))
}

/// What is known of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was asked, as it is usually written: "0x904 / 0x7".
    pub asked: String,
    /// What it is, the likeliest first; of a pair both parts.
    pub entries: Vec<Entry>,
    /// What else has this number or name.
    pub others: Vec<Entry>,
    /// Class and index of a disconnect reason, by the published numbers' pattern.
    pub class: Option<(&'static str, u32)>,
    /// What can be behind it.
    pub causes: Vec<&'static Cause>,
    /// The text that was found, if it is one.
    pub phrase: Option<&'static Phrase>,
    /// Whether it says no more than that the socket closed: then only the phase tells.
    pub socket_closed: bool,
    /// Whether it claims that the server denied, which the wire may not bear out.
    pub denied: bool,
}

impl Answer {
    /// Whether any table has it.
    pub fn is_known(&self) -> bool {
        !self.entries.is_empty() || !self.causes.is_empty() || self.phrase.is_some()
    }
}

/// What is known of it.
pub fn answer(question: &Question) -> Answer {
    match question {
        Question::Number(number, Some(table)) => in_table(*number, table),
        Question::Number(number, None) => anywhere(*number),
        Question::Pair(reason, extended) => pair(*reason, *extended),
        Question::Event(number, source) => event(*number, source),
        Question::Phrase(phrase) => phrased(phrase),
        Question::Name(name) => {
            let found = codes::named(name);
            let written = found.first().map_or(name.clone(), |(_, code)| code.name.to_owned());
            first_of(written, found)
        }
        Question::Cause(cause) => Answer { causes: vec![cause], ..first_of(cause.id.into(), Vec::new()) },
    }
}

fn in_table(number: u32, key: &str) -> Answer {
    // FreeRDP passes the server's ERRINFO on in its class 1, and its own errors go by their low half, too.
    let found = match key {
        "freerdp" if number >> 16 == 1 => find("errinfo", number & 0xffff),
        "freerdp" if number >> 16 == 0 => find(key, 0x20000 | number),
        _ => find(key, number),
    };
    let more = Table::keyed(key).map(|table| (table, table.all(number))).into_iter();
    let more = more.flat_map(|(table, codes)| codes.iter().skip(1).map(move |code| (table, code)));
    let found = match found {
        None if key == "hresult" => carried(number),
        None => Vec::new(),
        Some(found) => [found].into_iter().chain(more).collect(),
    };
    let written = Table::keyed(key).map_or(number.to_string(), |table| format!("{key} {}", table.written(number)));
    let class = match key {
        REASONS => mstsc::class(number),
        "errinfo" => errinfo::range(number).map(|range| (range, number)),
        _ => None,
    };
    Answer { class, ..first_of(written, found) }
}

/// An event of one source first; what else has its number behind it.
fn event(number: u32, source: &str) -> Answer {
    let mut answer = in_table(number, EVENT);
    let mut found: Vec<Entry> = answer.entries.into_iter().chain(answer.others).collect();
    found.sort_by_key(|(_, code)| code.name != source);
    answer = first_of(format!("{source} {number}"), found);
    // The number means something in that source's log alone.
    if answer.entries.iter().any(|(_, code)| code.name != source) {
        answer.others.splice(0..0, std::mem::take(&mut answer.entries));
        answer.causes.clear();
    }
    answer
}

fn phrased(phrase: &'static Phrase) -> Answer {
    let entry = phrase.code.and_then(|(key, number)| find(key, number));
    let mut answer = first_of(format!("\"{}\"", phrase.text), entry.into_iter().collect());
    if !phrase.causes.is_empty() {
        answer.causes = known(phrase.causes);
    }
    answer.phrase = Some(phrase);
    answer
}

/// What an HRESULT carries: in 0x8007xxxx an error of Win32 or its sockets, in 0xDxxxxxxx an NTSTATUS, \[MS-ERREF\] 2.1.
fn carried(number: u32) -> Vec<Entry> {
    let mut found = codes::lookup(number);
    match number >> 16 {
        0x8007 => found.extend(["win32", "winsock"].into_iter().filter_map(|key| find(key, number & 0xffff))),
        0xd000..=0xdfff => found.extend(find("ntstatus", number & !0x1000_0000)),
        _ => {}
    }
    found
}

fn anywhere(number: u32) -> Answer {
    let mut found = carried(number);
    if number >> 16 == 1 {
        found.extend(find("errinfo", number & 0xffff));
    }
    let is_reason = found.first().is_none_or(|(table, _)| table.key == REASONS);
    let written = match found.first() {
        Some((table, code)) if table.notation != codes::Notation::Decimal || code.number == number => {
            table.written(number)
        }
        Some(_) | None => format!("{number:#x} ({})", number.cast_signed()),
    };
    Answer { class: mstsc::class(number).filter(|_| is_reason), ..first_of(written, found) }
}

/// A reason of 1 to 4 says nothing, 0x904 says only when: then the extended code's causes count.
fn pair(reason: u32, extended: u32) -> Answer {
    let first = find(REASONS, reason);
    let second = find(EXTENDED, extended).or_else(|| find("errinfo", extended));
    let mut answer = first_of(format!("{reason:#x} / {extended:#x}"), first.into_iter().collect());
    answer.class = mstsc::class(reason);
    let ids = |entry: Option<Entry>| entry.map_or(&[][..], |(_, code)| code.causes);
    if extended != 0 && (reason <= 4 || !ids(second).is_empty() && reason != SOCKET_CLOSED) {
        answer.causes = known(ids(second));
    }
    answer.denied = extended == DENIED;
    answer.entries.extend(second);
    answer
}

fn first_of(asked: String, mut found: Vec<Entry>) -> Answer {
    let others = if found.is_empty() { Vec::new() } else { found.split_off(1) };
    let first = found.first().map(|(table, code)| (table.key, code.number));
    let causes = found.first().map(|(_, code)| known(code.causes)).unwrap_or_default();
    Answer {
        asked,
        entries: found,
        others,
        class: None,
        causes,
        phrase: None,
        socket_closed: first == Some((REASONS, SOCKET_CLOSED)),
        denied: false,
    }
}

fn known(ids: &[&str]) -> Vec<&'static Cause> {
    ids.iter().filter_map(|id| causes::cause(id)).collect()
}

/// What one session says of the causes behind a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The session.
    pub session: &'a Diagnosed,
    /// Its primary finding, where it failed or broke.
    pub shown: Option<&'a Finding>,
    /// Whether that cause is among those behind the code.
    pub fits: bool,
    /// What mstsc would have shown without the relay, where that is another code.
    pub direct: Option<&'static str>,
    /// Causes that this session excludes, by reason.
    pub excluded: Vec<(String, Vec<&'static Cause>)>,
    /// Causes that it neither shows nor excludes.
    pub possible: Vec<&'static Cause>,
}

/// Decides between the causes by what a session shows.
pub fn decide<'a>(answer: &Answer, session: &'a Diagnosed) -> Decision<'a> {
    let failed = matches!(session.outcome, Outcome::Failed | Outcome::Broken);
    let shown = session.findings.first().filter(|finding| failed && finding.severity == Severity::Failure);
    let fits = shown.is_some_and(|finding| {
        answer.causes.iter().any(|cause| cause.id == finding.cause.id) || shows(finding, answer)
    });
    let mut decision = Decision {
        session,
        shown,
        fits,
        direct: direct_equivalent(&session.timeline),
        excluded: Vec::new(),
        possible: Vec::new(),
    };
    if !failed {
        return decision;
    }
    for cause in answer.causes.iter().filter(|cause| shown.is_none_or(|finding| finding.cause.id != cause.id)) {
        let alternative =
            shown.is_some_and(|finding| finding.alternatives.iter().any(|(other, _)| other.id == cause.id));
        let elsewhere = || session.excluded.iter().find(|(id, _)| *id == cause.id).map(|(_, why)| (*why).to_owned());
        match exclude::because(cause.id, &session.timeline).or_else(elsewhere).filter(|_| !alternative) {
            Some(reason) => decision.exclude(cause, reason),
            None => decision.possible.push(cause),
        }
    }
    decision
}

/// Whether mstsc shows this code for what was found.
fn shows(finding: &Finding, answer: &Answer) -> bool {
    let Some((table, code)) = answer.entries.first() else { return false };
    let written = format!("{:#x}", code.number);
    let is = |shown: &&str| shown.split('/').next().is_some_and(|reason| reason.eq_ignore_ascii_case(&written));
    table.key == REASONS && finding.cause.mstsc.iter().any(is)
}

impl Decision<'_> {
    fn exclude(&mut self, cause: &'static Cause, reason: String) {
        match self.excluded.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, causes)) => causes.push(cause),
            None => self.excluded.push((reason, vec![cause])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(words: &str) -> Result<Vec<Question>, String> {
        questions(&words.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    /// "table name" of what is answered first, and of what else there is.
    fn told(words: &str) -> (String, String) {
        let questions = ask(words).expect(words);
        let answer = answer(&questions[0]);
        let show = |entries: &[Entry]| {
            entries.iter().map(|(table, code)| format!("{} {}", table.key, code.name)).collect::<Vec<_>>().join(", ")
        };
        (show(&answer.entries), show(&answer.others))
    }

    #[test]
    fn codes_are_found_however_they_are_written() {
        let check = |words: &str, first: &str| assert_eq!(told(words).0, first, "{words}");
        check("0x904", "mstsc disconnectReasonAtClientWinsockFDCLOSE");
        check("2308", "mstsc disconnectReasonAtClientWinsockFDCLOSE");
        check("0xC000006D", "ntstatus STATUS_LOGON_FAILURE");
        check("-1073741715", "ntstatus STATUS_LOGON_FAILURE");
        check("0xFFFFFFFFC000006D", "ntstatus STATUS_LOGON_FAILURE");
        check("alert 48", "alert unknown_ca");
        check("tls 48", "alert unknown_ca");
        check("errinfo 0x10a", "errinfo ERRINFO_LICENSE_NO_REMOTE_CONNECTIONS");
        check("freerdp 0x2000C", "freerdp ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED");
        check("freerdp 12", "freerdp ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED");
        check("freerdp 0x1010A", "errinfo ERRINFO_LICENSE_NO_REMOTE_CONNECTIONS");
        check("0x0001010A", "errinfo ERRINFO_LICENSE_NO_REMOTE_CONNECTIONS");
        check("0x800759DB", "gateway E_PROXY_NAP_ACCESSDENIED");
        check("neg 5", "neg HYBRID_REQUIRED_BY_SERVER");
        check("HYBRID_REQUIRED_BY_SERVER", "neg HYBRID_REQUIRED_BY_SERVER");
        check("ERRCONNECT_TLS_CONNECT_FAILED", "freerdp ERRCONNECT_TLS_CONNECT_FAILED");
        check("event 36870", "event Schannel");
        check("503", "http Service Unavailable");
        check("ext 7", "extended exDiscReasonServerDeniedConnection");
    }

    #[test]
    fn a_number_of_several_tables_is_the_reason_first() {
        let (first, others) = told("0x104");
        assert_eq!(first, "mstsc disconnectReasonDNSLookupFailed");
        assert!(others.starts_with("extended exDiscReasonLicenseHwid"), "{others}");
    }

    #[test]
    fn an_extended_code_belongs_to_the_reason_before_it() {
        let check = |words: &str, expected: &[Question]| assert_eq!(ask(words).as_deref(), Ok(expected), "{words}");
        check("0x904 0x7", &[Question::Pair(0x904, 7)]);
        check("0x904/0x7", &[Question::Pair(0x904, 7)]);
        check("2308 7", &[Question::Pair(0x904, 7)]);
        check("mstsc 0x904 ext 0x7", &[Question::Pair(0x904, 7)]);
        check("0x3 0x10c9", &[Question::Pair(3, 0x10c9)]);
        check("0x904 0xC000006D", &[Question::Number(0x904, None), Question::Number(0xc000_006d, None)]);
        check("alert 48 alert 80", &[Question::Number(48, Some("alert")), Question::Number(80, Some("alert"))]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_reason() {
        for wrong in ["0x", "0xZZ", "12ab", "0x123456789", "-0x123456789", "alert", "NO_SUCH_NAME", "a.b", "--x", ""] {
            assert!(ask(wrong).is_err(), "{wrong}: {:?}", ask(wrong));
        }
    }

    #[test]
    fn what_no_table_has_keeps_its_class() {
        let [question] = &ask("0x2a07").expect("a number")[..] else { panic!("one question") };
        let answer = answer(question);
        assert!(!answer.is_known());
        assert_eq!(answer.class, Some(("TLS, CredSSP, account", 0x2a)));
    }

    #[test]
    fn a_reason_that_says_nothing_leaves_the_word_to_the_extended_code() {
        let causes = |reason, extended| {
            let answer = pair(reason, extended);
            (answer.causes.iter().map(|cause| cause.id).collect::<Vec<_>>(), answer.socket_closed, answer.denied)
        };
        assert_eq!(causes(3, 3), (vec!["SES-IDLE"], false, false));
        assert_eq!(causes(0x808, 0x101), (vec!["LIC-NOSRV"], false, false));
        let (all, closed, denied) = causes(0x904, 7);
        assert!(all.len() > 30 && closed && denied);
    }
}
