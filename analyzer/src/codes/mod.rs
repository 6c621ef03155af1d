//! Tables of numbers and their names, as the specifications give them. Any room may look something up here.
//!
//! Every table that a person may meet in a dialog, a log or a capture is a [`Table`] of [`TABLES`]: [`lookup`] finds a
//! number in all of them, [`named`] a name, [`of_cause`] all that can stand for one cause.

mod alert;
pub mod builds;
mod cipher_suites;
pub mod errinfo;
mod errno;
pub mod events;
mod freerdp;
mod gcc;
mod hresult;
mod http;
mod kerberos;
mod krb5;
mod licensing;
mod logon;
mod mcs;
pub mod mstsc;
mod mstsgu;
mod neg;
mod ntstatus;
pub mod phrases;
mod redirection;
mod sspi;
pub mod tls;
mod winsock;

/// One number.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The number.
    pub number: u32,
    /// Its name in the specification; empty where it has none.
    pub name: &'static str,
    /// What it says; empty where the name says it all.
    pub meaning: &'static str,
    /// What can be behind it: ids of [`crate::causes`].
    pub causes: &'static [&'static str],
    /// Where that is said, if not where the table's [`Table::source`] says it; else empty.
    pub source: &'static str,
}

/// One table of numbers.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name in commands and documents: "mstsc".
    pub key: &'static str,
    /// What its numbers are: "mstsc disconnect reason".
    pub title: &'static str,
    /// Words that choose it on a command line.
    pub words: &'static [&'static str],
    /// How its numbers are written.
    pub notation: Notation,
    /// What to know of the whole table.
    pub note: &'static str,
    /// Where the numbers are said: a section of a specification, a document, or a program's source.
    pub source: &'static str,
    /// The numbers, sorted. Those of Windows events of different sources may be the same.
    pub codes: &'static [Code],
}

/// How the numbers of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// As a decimal number.
    Decimal,
    /// As hex, with the decimal number beside it.
    Hex,
    /// As eight hex digits, with the signed decimal number beside it.
    Status,
}

/// Every table, the ones that people ask for first.
pub static TABLES: &[&Table] = &[
    &mstsc::REASONS,
    &mstsc::EXTENDED,
    &errinfo::ERRINFO,
    &freerdp::ERRORS,
    &ntstatus::NTSTATUS,
    &sspi::SSPI,
    &hresult::HRESULT,
    &kerberos::KERBEROS,
    &krb5::KRB5,
    &mstsgu::GATEWAY,
    &neg::FAILURES,
    &alert::ALERTS,
    &licensing::ERRORS,
    &logon::LOGON,
    &logon::AUTHORIZATION,
    &http::STATUSES,
    &events::EVENTS,
    &winsock::WINSOCK,
    &winsock::WIN32,
    &errno::LINUX,
    &errno::MACOS,
    &freerdp::EXIT_CODES,
    &mcs::DISCONNECT,
    &mcs::CONNECT,
    &neg::PROTOCOLS,
    &neg::REQUEST_FLAGS,
    &neg::RESPONSE_FLAGS,
    &neg::TPDUS,
    &gcc::CLIENT_EARLY,
    &gcc::SERVER_EARLY,
    &licensing::TRANSITIONS,
    &licensing::MESSAGES,
    &mstsgu::PACKETS,
    &redirection::FLAGS,
];

/// A number and the table that it stands in.
pub type Entry = (&'static Table, &'static Code);

impl Table {
    /// The table with this key.
    pub fn keyed(key: &str) -> Option<&'static Table> {
        TABLES.iter().copied().find(|table| table.key == key)
    }

    /// The table that this word chooses, in any case.
    pub fn called(word: &str) -> Option<&'static Table> {
        let is = |known: &&str| known.eq_ignore_ascii_case(word);
        TABLES.iter().copied().find(|table| table.key.eq_ignore_ascii_case(word) || table.words.iter().any(is))
    }

    /// What stands under this number. The gateway's results are also known by their low 16 bits, FreeRDP's by theirs.
    pub fn code(&self, number: u32) -> Option<&'static Code> {
        let exact = self.exact(number);
        match self.key {
            "gateway" if number <= 0xffff => exact.or_else(|| self.exact(0x8007_0000 | number)),
            "gateway" if number >> 16 == 0x8007 => exact.or_else(|| self.exact(number & 0xffff)),
            _ => exact,
        }
    }

    fn exact(&self, number: u32) -> Option<&'static Code> {
        self.all(number).first()
    }

    /// All that stands under exactly this number: more than one only of Windows events, the likeliest first.
    pub fn all(&self, number: u32) -> &'static [Code] {
        let first = self.codes.partition_point(|code| code.number < number);
        let after = self.codes.partition_point(|code| code.number <= number);
        self.codes.get(first..after).unwrap_or_default()
    }

    /// Where it is said what this number of the table means.
    pub fn source(&self, code: &Code) -> &'static str {
        if code.source.is_empty() { self.source } else { code.source }
    }

    /// A number as this table writes it.
    pub fn written(&self, number: u32) -> String {
        match self.notation {
            Notation::Decimal => number.to_string(),
            Notation::Hex if number < 10 => format!("{number:#x}"),
            Notation::Hex => format!("{number:#x} ({number})"),
            Notation::Status => format!("{number:#010x} ({})", number.cast_signed()),
        }
    }
}

/// Every table in which this number stands, the likeliest first.
pub fn lookup(number: u32) -> Vec<Entry> {
    let of = |table: &'static Table| -> Vec<Entry> {
        let more = table.all(number).iter().skip(1);
        table.code(number).into_iter().chain(more).map(|code| (table, code)).collect()
    };
    TABLES.iter().flat_map(|table| of(table)).collect()
}

/// Every number with this name, in any case: first those with exactly this name, then those whose name ends in it.
pub fn named(name: &str) -> Vec<Entry> {
    let all = || TABLES.iter().flat_map(|table| table.codes.iter().map(move |code| (*table, code)));
    let name = name.to_ascii_uppercase();
    let tail = format!("_{name}");
    let is = |code: &Code| code.name.eq_ignore_ascii_case(&name);
    let ends = |code: &Code| code.name.to_ascii_uppercase().ends_with(&tail);
    all().filter(|(_, code)| is(code)).chain(all().filter(|(_, code)| !is(code) && ends(code))).collect()
}

/// Every number that can stand for this cause, by its id.
pub fn of_cause(id: &str) -> Vec<Entry> {
    let all = TABLES.iter().flat_map(|table| table.codes.iter().map(move |code| (*table, code)));
    all.filter(|(_, code)| code.causes.contains(&id)).collect()
}

const fn code(number: u32, name: &'static str, meaning: &'static str, causes: &'static [&'static str]) -> Code {
    Code { number, name, meaning, causes, source: "" }
}

const fn from(
    number: u32,
    name: &'static str,
    meaning: &'static str,
    causes: &'static [&'static str],
    source: &'static str,
) -> Code {
    Code { number, name, meaning, causes, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sorted() {
        for table in TABLES {
            // Windows events of different sources may share a number.
            let may_repeat = table.key == "event";
            let is_in_order = |a: &Code, b: &Code| a.number < b.number || may_repeat && a.number == b.number;
            assert!(table.codes.is_sorted_by(is_in_order), "{}", table.key);
        }
    }

    #[test]
    fn every_code_says_from_where_it_is_known() {
        for table in TABLES {
            assert!(table.codes.iter().all(|code| !table.source(code).is_empty()), "{}", table.key);
        }
        for (source, words) in events::SOURCES {
            assert!(events::EVENTS.codes.iter().any(|code| code.name == *source), "{source}");
            assert!(words.iter().all(|word| *word == word.to_lowercase()), "{source}");
        }
        let has_words = |code: &Code| events::SOURCES.iter().any(|(source, _)| *source == code.name);
        let without: Vec<_> =
            events::EVENTS.codes.iter().filter(|code| !has_words(code)).map(|code| code.name).collect();
        assert_eq!(without, ["SessionBroker"], "every other source is known by a word");
    }

    #[test]
    fn faults_of_builds_are_causes_with_a_day_and_a_source() {
        for fault in builds::FAULTS {
            assert!(
                fault.since.starts_with("202") && !fault.mended.is_empty() && !fault.source.is_empty(),
                "{fault:?}"
            );
            assert!(fault.builds.start() <= fault.builds.end(), "{fault:?}");
        }
    }

    #[test]
    fn events_of_different_sources_share_a_number() {
        let sources: Vec<&str> = lookup(226).iter().map(|(_, code)| code.name).collect();
        assert_eq!(sources, ["RdpCoreTS", "TerminalServices-RDPClient"]);
    }

    #[test]
    fn a_table_is_chosen_by_one_word_only() {
        let words = || TABLES.iter().flat_map(|table| table.words.iter().map(move |word| (table.key, *word)));
        for (key, word) in words() {
            assert_eq!(Table::called(&word.to_uppercase()).map(|table| table.key), Some(key), "{word}");
        }
    }

    #[test]
    fn numbers_are_found_in_every_table_that_has_them() {
        let check = |number, expected: &[&str]| {
            let found: Vec<String> = lookup(number).iter().map(|(t, c)| format!("{} {}", t.key, c.name)).collect();
            assert_eq!(found, expected, "{number:#x}");
        };
        check(0x904, &["mstsc disconnectReasonAtClientWinsockFDCLOSE"]);
        check(0xc000_006d, &["ntstatus STATUS_LOGON_FAILURE"]);
        check(0x2000c, &["freerdp ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED"]);
        check(0x8007_59db, &["gateway E_PROXY_NAP_ACCESSDENIED"]);
        check(0x59db, &["gateway E_PROXY_NAP_ACCESSDENIED"]);
        check(0x8007_59e6, &["gateway E_PROXY_MAXCONNECTIONSREACHED"]);
        check(48, &["alert unknown_ca", "errno-macos EADDRINUSE"]);
        check(
            0x104,
            &[
                "mstsc disconnectReasonDNSLookupFailed",
                "extended exDiscReasonLicenseHwidDoesntMatchLicense",
                "errinfo ERRINFO_LICENSE_HWID_DOESNT_MATCH_LICENSE",
                "event TerminalServices-RemoteConnectionManager",
            ],
        );
        check(0x7654_3210, &[]);
    }

    #[test]
    fn names_are_found_in_any_case_whole_names_first() {
        let check = |name: &str, expected: &[&str]| {
            let found: Vec<&str> = named(name).iter().map(|(table, _)| table.key).collect();
            assert_eq!(found, expected, "{name}");
        };
        check("HYBRID_REQUIRED_BY_SERVER", &["neg", "freerdp"]);
        check("errconnect_tls_connect_failed", &["freerdp"]);
        check("unknown_ca", &["alert"]);
        check("LOGON_FAILURE", &["mstsc", "freerdp", "ntstatus", "win32", "freerdp-exit"]);
        check("nothing", &[]);
    }

    #[test]
    fn what_microsoft_does_not_list_still_has_a_class() {
        assert_eq!(mstsc::class(0x904), Some(("socket and name resolution", 9)));
        assert_eq!(mstsc::class(0x2a07), Some(("TLS, CredSSP, account", 0x2a)));
        assert_eq!(mstsc::class(0x0300_0051), Some(("RD Gateway", 0x51)));
        assert_eq!(mstsc::class(0x9ff), None);
        assert_eq!(mstsc::class(3), None);
    }
}
