//! The one way in which text that others chose is shown: names, arguments, words of a peer. Whatever goes to a terminal or into
//! a file passes here.
//!
//! Characters that drive a terminal, turn the direction of writing, break a line or are not seen at all are escaped:
//! `\u{202e}`, `\n`. All others stay as they are, in any script. Escaping twice is escaping once.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is escaped: controls of ISO 6429 (C0, DEL, C1), format characters (Unicode's category Cf: bidi controls,
/// zero-width characters, tags), line and paragraph separators (Zl, Zp), letters that fill without being seen, and what is no
/// character.
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890 | 0x891 | 0x8e2 | 0x115f | 0x1160 | 0x180e | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfdd0..=0xfdef | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x110bd
            | 0x110cd | 0x13430..=0x1345f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe00ff | 0xe01f0..=0xe0fff)
        || u32::from(c) & 0xfffe == 0xfffe
}

/// A name, or whatever else stands in one line.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |out, c| out.extend(c.escape_default()))
}

/// What this program wrote, with names in it: its own ends of lines and tabs stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'), |out, c| out.extend(c.escape_default()))
}

/// A JSON document that means the same: what a writer of JSON leaves as it is, is `\u202e` there (RFC 8259, 7).
pub fn json(document: &str) -> Cow<'_, str> {
    escaped(
        document,
        |c| is_hidden(c) && c != '\n',
        |out, c| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

/// A peer's text, of which so many characters are read.
pub(crate) fn most(text: impl Iterator<Item = char>, most: usize) -> String {
    line(&text.take(most).collect::<String>()).into_owned()
}

fn escaped(text: &str, is_meant: impl Fn(char) -> bool, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.contains(&is_meant) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_meant(c) { escape(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_escaped_once() {
        for (text, shown) in [
            ("a\u{1b}[31mb", r"a\u{1b}[31mb"),
            ("bell\u{7} del\u{7f} csi\u{9b}", r"bell\u{7} del\u{7f} csi\u{9b}"),
            ("cr\r\nlf\t", r"cr\r\nlf\t"),
            ("\u{202e}rtl\u{2066}\u{200e}\u{61c}", r"\u{202e}rtl\u{2066}\u{200e}\u{61c}"),
            ("zero\u{200b}\u{200d}\u{2060}\u{feff}", r"zero\u{200b}\u{200d}\u{2060}\u{feff}"),
            ("sep\u{2028}\u{2029}", r"sep\u{2028}\u{2029}"),
            ("tag\u{e0041} soft\u{ad}", r"tag\u{e0041} soft\u{ad}"),
        ] {
            assert_eq!(line(text), shown);
            assert_eq!(line(&line(text)), shown);
        }
        assert_eq!(lines("one\n\ttwo\r\u{9b}"), "one\n\ttwo\\r\\u{9b}");
    }

    #[test]
    fn every_script_stays_as_it_is() {
        for text in
            ["Gerät Müller", "日本語 한국어", "e\u{301} नमस्ते", "שלום عربى", "🙂 ❤\u{fe0f} 🇩🇪", "a b\u{a0}c", "\\u{1b}"]
        {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn a_document_means_the_same() {
        let name = "a\u{9b}\u{202e}\u{e0041}\u{7f}\u{2028}é";
        let document = serde_json::to_string_pretty(&serde_json::json!({ "name": name, "other": "x" })).expect("JSON");
        let safe = json(&document);
        assert!(!safe.contains(|c| is_hidden(c) && c != '\n'), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("JSON")["name"], name);
        assert_eq!(json(&safe), safe);
    }
}
