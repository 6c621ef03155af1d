//! How a connection ends behind the server's last words does not change what they say: who closes first, how, with an alert before
//! or not, on both legs of a relay.

use analyzer::diagnose::{Outcome, Party};

use crate::support::judge::judge;

/// Who closes first, and how the two sides do it.
const ENDS: [[&str; 2]; 8] = [
    ["> fin", "< fin"],
    ["> fin", "< rst"],
    ["> rst", "< fin"],
    ["> rst", "< rst"],
    ["< fin", "> fin"],
    ["< fin", "> rst"],
    ["< rst", "> fin"],
    ["< rst", "> rst"],
];

/// A script that gets to its last line at `before` milliseconds, ended in each of the ways.
fn check(script: &str, before: u32, cause: &str, by: Party) {
    for [first, second] in ENDS {
        let script = format!("{script}\n{}ms {first}\n{}ms {second}", before + 2, before + 22);
        let (said, sessions) = judge(&script, &[]);
        let [session] = &sessions[..] else { panic!("{} sessions of\n{script}", sessions.len()) };
        let finding = session.findings.first().map(|finding| (finding.cause.id, finding.by));
        assert_eq!(finding, Some((cause, by)), "{script}\n{said}");
        assert_eq!(session.outcome, Outcome::Failed, "{script}");
        assert!(!said.contains("TCP-NOTRDP") || cause == "X224-HALF" || cause == "TCP-NOTRDP", "{script}\n{said}");
    }
}

#[test]
fn of_a_server_that_gives_tls_up_in_clear() {
    let alerts = [
        ("", "TLS-NOKEY"),
        ("63ms < @alert 70", "TLS-VER"),
        ("63ms < @alert 86", "TLS-VER"),
        ("63ms < @alert 40", "TLS-CIPHER"),
        ("63ms < @alert 71", "TLS-CIPHER"),
        ("63ms < @alert 80", "TLS-NOKEY"),
        ("63ms < 15 03 02 00 02 02 50", "TLS-VER"),
        ("63ms < 15 03 02 00 02 02 28", "TLS-VER"),
        ("63ms < 15 03 01 00 02 02 28", "TLS-CIPHER"),
    ];
    for (alert, cause) in alerts {
        let script = format!(
            "21ms > @request SSL\n41ms < @confirm SSL\n43ms > @hello 1.2,1.3 sni=server.example\n{alert}\n64ms < @mcs ultimatum"
        );
        check(&script, 64, cause, Party::Server);
    }
    let old = "21ms > @request SSL\n41ms < @confirm SSL\n43ms > @hello 1.0\n64ms < @mcs ultimatum";
    check(old, 64, "TLS-VER", Party::Server);
}

/// Any reason, and before a ClientHello.
#[test]
fn of_a_server_that_gives_tls_up_for_any_reason() {
    for reason in ["20 00", "20 80", "21 00", "21 80", "22 00"] {
        let script = format!("21ms > @request SSL\n41ms < @confirm SSL\n43ms < 03 00 00 09 02 f0 80 {reason}");
        check(&script, 43, "TLS-NOKEY", Party::Server);
    }
}

#[test]
fn of_a_server_that_refuses_the_request() {
    for (offered, reason) in [("SSL", "21 80"), ("RDSAAD", "21 80"), ("SSL+HYBRID", "20 80")] {
        let script = format!("21ms > @request {offered}\n41ms < 03 00 00 09 02 f0 80 {reason}");
        check(&script, 41, "X224-REFUSED", Party::Server);
    }
}

#[test]
fn of_an_answer_that_is_no_whole_confirm() {
    let answers = [
        ("@confirm SSL first=9", "X224-HALF"),
        ("@confirm SSL first=3", "X224-HALF"),
        ("03 00 00 2b 00 03 00 80 01", "TCP-NOTRDP"),
        ("03 00 00 04 00 03", "TCP-NOTRDP"),
        ("ff fe fd", "TCP-NOTRDP"),
    ];
    for (answer, cause) in answers {
        check(&format!("21ms > @request SSL\n41ms < {answer}"), 300, cause, Party::Server);
    }
}

#[test]
fn of_a_request_that_cannot_be_read() {
    let requests = [
        "03 00 00 13 0e e0 0e e0 00 00 00 00 00 00 00 00 00 00 00 01 00 08 00 03 00 00 00",
        "03 00 00 0b 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00",
        "03 00 00 2b 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00",
        "03 00 00 05 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00",
    ];
    for request in requests {
        check(&format!("21ms > {request}"), 5000, "X224-BADREQ", Party::Client);
        check(&format!("21ms > {request}\n41ms < @mcs ultimatum"), 41, "X224-BADREQ", Party::Client);
    }
}
