//! Faults that builds of Windows are known to have had: since which update, and mended by which. The wire shows a build at
//! most (the version in NTLM messages, `clientBuild` in the client's settings), never its updates: a row is a hint where the
//! symptom fits, and no verdict.

use std::ops::RangeInclusive;

/// Where a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The server ends CredSSP.
    Refused,
    /// The client leaves in CredSSP.
    Left,
    /// A session with UDP beside TCP breaks 65 s after it began.
    BrokeOverUdp,
}

/// One fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Builds of Windows 10.0 that had it.
    pub builds: RangeInclusive<u16>,
    /// What these are called.
    pub system: &'static str,
    /// Whether it is the server's build that counts, or the client's.
    pub of_server: bool,
    /// Builds of the other side with which it shows. One that is not known may be of them.
    pub with: RangeInclusive<u16>,
    /// Where it shows.
    pub shows: Shows,
    /// The cause: an id of [`crate::causes`].
    pub cause: &'static str,
    /// The day of the update that brought it, and its number.
    pub since: &'static str,
    /// What mends it, in words.
    pub mended: &'static str,
    /// Where that is said.
    pub source: &'static str,
}

/// Any build.
const ANY: RangeInclusive<u16> = 0..=u16::MAX;

/// All of them, the oldest first.
pub static FAULTS: &[Fault] = &[
    Fault {
        builds: 26100..=26100,
        system: "Windows 11 24H2",
        of_server: false,
        // Windows Server 2016 and older.
        with: 0..=14393,
        shows: Shows::BrokeOverUdp,
        cause: "UDP-65S",
        since: "2025-01",
        mended: "mended by the cumulative updates since spring 2025",
        source: "Microsoft: Windows 11 24H2, resolved issues",
    },
    Fault {
        builds: 26100..=26200,
        system: "Windows 11 24H2 or 25H2, or Windows Server 2025",
        of_server: true,
        with: ANY,
        shows: Shows::Refused,
        cause: "NLA-SID",
        since: "2025-08-29 (KB5064081), 2025-09-09 (KB5065426)",
        mended: "a check, no fault: only an image that Sysprep generalised satisfies it",
        source: "Microsoft KB5068222; techcommunity.microsoft.com: hardening administrative actions",
    },
    Fault {
        builds: 26100..=26200,
        system: "Windows 11 24H2 or 25H2",
        of_server: false,
        with: ANY,
        shows: Shows::Left,
        cause: "NLA-UPDATE",
        since: "2026-01-13 (KB5074109)",
        mended: "mended by KB5077744 (2026-01-17)",
        source: "Microsoft KB5077744 (release notes)",
    },
    Fault {
        builds: 19045..=19045,
        system: "Windows 10 22H2",
        of_server: false,
        with: ANY,
        shows: Shows::Left,
        cause: "NLA-UPDATE",
        since: "2026-01-13 (KB5073724)",
        mended: "mended by KB5077796 (2026-01-17)",
        source: "Microsoft KB5077796 (release notes)",
    },
];
