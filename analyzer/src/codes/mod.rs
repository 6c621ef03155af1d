//! Tables of numbers and their names, as the specifications give them. Any room may look something up here.
//!
//! Every table that a person may meet in a dialog, a log or a capture is a [`Table`] of [`TABLES`]: [`lookup`] finds a
//! number in all of them, [`named`] a name, [`of_cause`] all that can stand for one cause.

mod alert;
mod cipher_suites;
pub mod errinfo;
mod events;
mod freerdp;
mod gcc;
mod http;
mod kerberos;
mod licensing;
mod logon;
mod mcs;
pub mod mstsc;
mod mstsgu;
mod neg;
mod ntstatus;
mod redirection;
mod sspi;
pub mod tls;

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
    /// The numbers, sorted.
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
    &kerberos::KERBEROS,
    &mstsgu::GATEWAY,
    &neg::FAILURES,
    &alert::ALERTS,
    &licensing::ERRORS,
    &logon::LOGON,
    &logon::AUTHORIZATION,
    &http::STATUSES,
    &events::EVENTS,
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
        let found = self.codes.binary_search_by_key(&number, |code| code.number).ok()?;
        self.codes.get(found)
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
    TABLES.iter().filter_map(|table| Some((*table, table.code(number)?))).collect()
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
    Code { number, name, meaning, causes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sorted() {
        for table in TABLES {
            // Windows events of different sources may share a number.
            assert!(table.codes.is_sorted_by(|a, b| a.number < b.number), "{}", table.key);
        }
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
        check(48, &["alert unknown_ca"]);
        check(
            0x104,
            &[
                "mstsc disconnectReasonDNSLookupFailed",
                "extended exDiscReasonLicenseHwidDoesntMatchLicense",
                "errinfo ERRINFO_LICENSE_HWID_DOESNT_MATCH_LICENSE",
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
        check("LOGON_FAILURE", &["mstsc", "freerdp", "ntstatus"]);
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
