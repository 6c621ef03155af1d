//! Captures made by others. Not part of this project; where they are missing this says so and passes.
//!
//! The labels are what their makers say of them, and else what the packets show to a person who reads them.

use super::{Label, Row, Said, Section, UNSEEN};
use crate::corpus::corpus;
use crate::support::process::Outcome;

/// What is to be said of an attempt that went well.
const CONNECTED: Label = Label { outcome: "connected", cause: None, or: &[] };
/// Of one whose end is not in the capture.
const UNFINISHED: Label = Label { outcome: "unfinished", cause: None, or: &[] };
/// Of a capture in which no RDP can be seen without keys, or none over TCP.
const NOTHING: Label = Label { outcome: UNSEEN, cause: None, or: &[] };

const fn failed(cause: &'static str, or: &'static [&'static str]) -> Label {
    Label { outcome: "failed", cause: Some(cause), or }
}

const LABELS: &[(&str, Label)] = &[
    ("arkime-socks5-rdp.pcap", UNFINISHED),
    ("awakecoding-rdp-credential-guard-accepted1.pcapng", CONNECTED),
    ("awakecoding-rdp-nla-kerberos-auth1.pcapng", CONNECTED),
    // The server refuses inbound NTLM; the client's second connection, with TLS alone, is a consequence.
    ("awakecoding-rdp-nla-ntlm-rejected1.pcapng", failed("NLA-NTLMOFF", &["NLA-CRED", "NLA-ACCT"])),
    ("awakecoding-rdp-nla-smartcard-auth1.pcapng", CONNECTED),
    ("awakecoding-rdp-no-nla-accepted1.pcapng", CONNECTED),
    ("awakecoding-rdp-no-nla-rejected1.pcapng", failed("X224-HYBRID", &[])),
    ("awakecoding-rdp-no-tls-accepted1.pcapng", CONNECTED),
    // Through a gateway, in its TLS on 443, opened by the secrets in the capture.
    ("awakecoding-rdp-rdg-diff-creds-kerberos-password.pcapng", CONNECTED),
    ("awakecoding-rdp-rdg-no-kdc-proxy-ntlm-downgrade-success.pcapng", CONNECTED),
    ("awakecoding-rdp-rdg-same-creds-kerberos-password-success1.pcapng", CONNECTED),
    ("awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success1.pcapng", CONNECTED),
    ("awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success2.pcapng", CONNECTED),
    ("awakecoding-rdp-restricted-admin-accepted1.pcapng", CONNECTED),
    ("jovair-rdp.pcap", CONNECTED),
    ("ndpi-rdp.pcap", UNFINISHED),
    // UDP alone.
    ("ndpi-rdp2.pcap", NOTHING),
    // What the client says first is no RDP; an RDP server answers it. A field of its confirm is shifted, by hand.
    ("zeek-rdp-invalid-length.pcap", UNFINISHED),
    // The client resets 22 µs after the server's Finished, by itself: a prober, or one that refuses in silence.
    ("zeek-rdp-no-cookie-mstshash.pcap", failed("PRX-PROBE", &["TLS-UNTRUST"])),
    ("zeek-rdp-proprietary-encryption.pcap", CONNECTED),
    ("zeek-rdp-to-ssl.pcap", CONNECTED),
    ("zeek-rdp-unknown-keyboard.pcap", UNFINISHED),
    ("zeek-rdpeudp-handshake-fail.pcap", NOTHING),
    ("zeek-rdpeudp-handshake-success.pcap", NOTHING),
];

/// What today's rules do not say; the labels stand.
const KNOWN_WRONG: &[&str] = &[];

#[test]
fn of_captures_made_by_others() -> Outcome<()> {
    let Some(folder) = corpus() else { return Ok(()) };
    let row = |(name, label): &(&str, Label)| {
        Ok(Row { case: (*name).into(), label: label.clone(), said: Said::of_files(&[folder.join(name)])? })
    };
    let rows: Outcome<Vec<Row>> = LABELS.iter().map(row).collect();
    let section = Section {
        source: "captures made by others",
        about: "Public captures with RDP in them, by `rdpscope analyze`. They are no part of this project.",
        rows: rows?,
        known_wrong: KNOWN_WRONG.to_vec(),
    };
    section.check().unwrap_or_else(|complaint| panic!("{complaint}"));
    Ok(())
}
