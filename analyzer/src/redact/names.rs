//! Names and what stands for them: the same name always gets the same other one, of the same length, so that what was equal
//! stays equal and nothing moves.
//!
//! A name is taken word by word, a host name label by label: `rds.corp.example` and the wildcard `*.corp.example` still
//! match. A word's stand-in follows from its length and from how many of that length came before it, and from nothing else:
//! whoever knows the stand-in learns no more, and redacting twice gives the same as once.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::addresses::Addresses;
use crate::diagnose::tls::inspectors;

/// Words that name nobody and that people, or rules, need.
const KEPT: &[&str] = &[
    "arpa",
    "ca",
    "com",
    "cookie",
    "edu",
    "gov",
    "home",
    "internal",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "ms",
    "msts",
    "net",
    "org",
    "tsv",
    "vmresource",
];
/// Words that are remembered. Behind them every further one of a length gets the same stand-in.
const MAX_WORDS: usize = 100_000;

/// What stands for what.
#[derive(Debug, Default)]
pub(super) struct Names {
    words: BTreeMap<Vec<u8>, Vec<u8>>,
    /// How many words of a length there are.
    of_length: BTreeMap<usize, usize>,
    /// TLS sessions, and how many of a length there are.
    sessions: BTreeMap<Vec<u8>, Vec<u8>>,
    sessions_of_length: BTreeMap<usize, usize>,
    pub(super) addresses: Addresses,
}

impl Names {
    /// How many words were replaced.
    pub(super) fn words(&self) -> usize {
        self.words.len()
    }

    /// What stands for the id of a TLS session: its number among those of its length. The same stands for the same, so that who
    /// resumes is still seen to resume.
    pub(super) fn session(&mut self, id: &[u8]) -> Vec<u8> {
        if let Some(known) = self.sessions.get(id) {
            return known.clone();
        }
        let number = self.sessions_of_length.entry(id.len()).or_default();
        *number += 1;
        let digits = number.to_be_bytes();
        let digits = &digits[digits.len().saturating_sub(id.len())..];
        let other = [vec![0; id.len() - digits.len()], digits.to_vec()].concat();
        if self.sessions.len() < MAX_WORDS {
            self.sessions.insert(id.to_vec(), other.clone());
        }
        other
    }

    /// What stands for a name: of the same length, but for an address that does not fit.
    pub(super) fn rename(&mut self, name: &[u8]) -> Vec<u8> {
        let address = std::str::from_utf8(name).ok().and_then(|text| text.trim_matches(['[', ']']).parse().ok());
        if let Some(address) = address {
            let other = self.addresses.of(address).to_string().into_bytes();
            if other.len() == name.len() {
                return other;
            }
        }
        self.each_word(name, |names, word| Some(names.word(word)))
    }

    /// The same for the text of a host, which may have any length.
    pub(super) fn host(&mut self, name: &str) -> String {
        match name.trim_matches(['[', ']']).parse() {
            Ok(address) => self.addresses.of(address).to_string(),
            Err(_) => String::from_utf8_lossy(&self.rename(name.as_bytes())).into_owned(),
        }
    }

    /// A sentence that may hold names: those that are known by now, and every address, are replaced.
    pub(super) fn sentence(&mut self, text: &str) -> String {
        let is_edge = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';' | '"' | '\'');
        let mut out = String::new();
        for part in text.split_inclusive(is_edge) {
            let bare = part.trim_end_matches(is_edge);
            out.push_str(&self.part(bare));
            out.push_str(&part[bare.len()..]);
        }
        out
    }

    fn part(&mut self, part: &str) -> String {
        let core = part.trim_end_matches(['.', ':']);
        let replaced = if let Ok(address) = core.trim_matches(['[', ']']).parse::<IpAddr>() {
            self.addresses.of(address).to_string()
        } else if let Ok(end) = core.parse() {
            self.addresses.end(end).to_string()
        } else {
            let known = self.each_word(core.as_bytes(), |names, word| names.words.get(word).cloned());
            String::from_utf8_lossy(&known).into_owned()
        };
        replaced + &part[core.len()..]
    }

    fn each_word(&mut self, text: &[u8], replace: impl Fn(&mut Names, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || *byte >= 0x80;
        for run in text.chunk_by(|a, b| is_word(a) == is_word(b)) {
            let word = run.to_ascii_lowercase();
            let replaced = is_word(&run[0]).then(|| replace(self, &word)).flatten();
            out.extend(replaced.filter(|other| *other != word).unwrap_or_else(|| run.to_vec()));
        }
        out
    }

    fn word(&mut self, word: &[u8]) -> Vec<u8> {
        if KEPT.iter().any(|kept| kept.as_bytes() == word) {
            return word.to_vec();
        }
        if let Some(known) = self.words.get(word) {
            return known.clone();
        }
        let other = inspector(word).unwrap_or_else(|| self.next(word.len()));
        if self.words.len() < MAX_WORDS {
            self.words.insert(word.to_vec(), other.clone());
        }
        other
    }

    fn next(&mut self, len: usize) -> Vec<u8> {
        let number = self.of_length.entry(len).or_default();
        *number += 1;
        stand_in(len, *number)
    }
}

/// `xxx1` is the first word of four letters. Where the number does not fit, its last digits stand there.
fn stand_in(len: usize, number: usize) -> Vec<u8> {
    let digits = if len < 3 { in_36(number) } else { number.to_string().into_bytes() };
    let digits = &digits[digits.len().saturating_sub(len)..];
    [vec![b'x'; len - digits.len()], digits.to_vec()].concat()
}

fn in_36(mut number: usize) -> Vec<u8> {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[number % 36]);
        number /= 36;
    }
    digits.reverse();
    digits
}

/// Who inspects TLS says so in his certificates, and a rule asks for that: his name stays, what stands around it does not.
fn inspector(word: &[u8]) -> Option<Vec<u8>> {
    inspectors().flat_map(|name| name.split(' ')).map(str::as_bytes).find_map(|name| {
        let at = word.windows(name.len()).position(|window| window == name)?;
        let behind = word.len() - at - name.len();
        // Short ones stand in many a word.
        (name.len() > 4 || name.len() == word.len()).then(|| [&vec![b'x'; at], name, &vec![b'x'; behind]].concat())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_length_and_what_they_share() {
        let mut names = Names::default();
        let mut check = |name: &str, other: &str| {
            assert_eq!(String::from_utf8_lossy(&names.rename(name.as_bytes())), other, "{name}");
        };
        check("rds.corp.example", "xx1.xxx1.xxxxxx1");
        check("*.CORP.example", "*.xxx1.xxxxxx1");
        check("RDS", "xx1");
        check("rdg.corp.com", "xx2.xxx1.com");
        check("Zscaler-Root", "zscalerxxxxx");
        check("10.20.30.40", "10.0.10.100");
        assert_eq!(names.sentence("no address for rdg (10.20.30.40:3389)"), "no address for xx2 (10.0.10.100:3389)");
    }

    #[test]
    fn twice_is_once() {
        let rename = |name: &[&str]| {
            let mut names = Names::default();
            name.iter().map(|name| names.host(name)).collect::<Vec<_>>()
        };
        let once = rename(&["a.b.c", "server.x", "8.8.8.8", "c", "xx2", "xx1", "2001:4860::8888"]);
        assert_eq!(rename(&once.iter().map(String::as_str).collect::<Vec<_>>()), once);
    }
}
