//! How a connection ends behind the server's last words does not change what they say: who closes first, how, with an alert before
//! or not, on both legs of a relay.

use analyzer::diagnose::{Outcome, Party, Severity};

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

/// A session that runs, as each source shows it: what it is called, its script, and how client and server take their leave.
struct Running {
    called: &'static str,
    script: &'static str,
    /// When it is still busy, in milliseconds from its beginning.
    busy: u32,
    client_leaves: &'static [&'static str],
    server_leaves: &'static [&'static str],
}

const RUNNING: [Running; 4] = [
    Running {
        called: "in clear",
        script: "21ms > @request none\n41ms < @confirm none\n43ms legacy 20ms\n4s < @mcs graphics\n4001ms > @mcs input",
        busy: 4_100,
        client_leaves: &["> @mcs ultimatum"],
        server_leaves: &["< @mcs ultimatum"],
    },
    Running {
        called: "sealed in TLS 1.2",
        script: "21ms > @request SSL
            41ms < @confirm SSL
            43ms > @hello 1.2,1.3 sni=server.example
            64ms < @server-hello 1.2
            64ms < @certificate valid
            64ms < @hello-done
            66ms > @key-exchange
            66ms > @finished
            86ms < @finished
            88ms session 20ms
            4s < @record 23 900
            4001ms > @record 23 60",
        busy: 4_100,
        client_leaves: &["> @record 21 26"],
        server_leaves: &["< @record 23 33", "< @record 21 26"],
    },
    Running {
        called: "opened, TLS 1.2",
        script: "21ms tls 1.2 SSL 10ms\n100ms inside 10ms until=input",
        busy: 1_000,
        client_leaves: &[">> @ultimatum 3", ">> close"],
        server_leaves: &["<< @ultimatum 3", "<< close"],
    },
    Running {
        called: "opened, TLS 1.3",
        script: "21ms tls 1.3 HYBRID 10ms\n100ms inside 10ms until=input",
        busy: 1_000,
        client_leaves: &[">> @ultimatum 3", ">> close"],
        server_leaves: &["<< @ultimatum 3", "<< close"],
    },
];

/// When it has been quiet for a minute.
const QUIET: u32 = 70_000;

/// What the client does behind the server's end, where it does something.
const ANSWERS: [&[&str]; 4] = [&[], &["> fin"], &["> rst"], &["GOODBYE", "> fin"]];

impl Running {
    /// The session, ended so many milliseconds after its beginning by these lines, one millisecond each.
    fn ended(&self, after_ms: u32, lines: &[&str]) -> String {
        let mut script = self.script.to_owned();
        for (place, line) in (after_ms..).zip(lines) {
            script += &format!("\n{place}ms {line}");
        }
        script
    }

    /// An answer with this client's goodbye in it.
    fn answer(&self, answer: &[&'static str]) -> Vec<&'static str> {
        let said = |line: &&'static str| if *line == "GOODBYE" { self.client_leaves.to_vec() } else { vec![*line] };
        answer.iter().flat_map(said).collect()
    }
}

/// A process that is killed, and a relay or a server that cuts what is quiet: whatever the client does then, and whether or not
/// secrets are there, the server broke it.
#[test]
fn of_a_running_session_that_the_server_leaves_without_a_word() {
    for running in &RUNNING {
        let causes = [(running.busy, ["SES-KILLED", "SES-SHUTDOWN"]), (QUIET, ["PATH-PROXYIDLE", "SES-IDLE"])];
        for (after_ms, causes) in causes {
            for end in ["< fin", "< rst"] {
                for answer in ANSWERS {
                    let script = running.ended(after_ms, &[&[end], &*running.answer(answer)].concat());
                    let (said, sessions) = judge(&script, &[]);
                    let [session] = &sessions[..] else { panic!("{} sessions of\n{script}", sessions.len()) };
                    let what = format!("{}:\n{script}\n{said}", running.called);
                    assert_eq!(session.outcome, Outcome::Broken, "{what}");
                    let finding = session.findings.first().unwrap_or_else(|| panic!("{what}"));
                    assert_eq!(finding.by, Party::Server, "{what}");
                    assert!(causes.contains(&finding.cause.id), "{what}");
                }
            }
        }
    }
}

/// The same ends behind a goodbye of either side are ends of healthy sessions.
#[test]
fn of_a_running_session_that_is_left_in_order() {
    for running in &RUNNING {
        for goodbye in [running.client_leaves, running.server_leaves] {
            for after_ms in [running.busy, QUIET] {
                for end in ["< fin", "> fin"] {
                    let script = running.ended(after_ms, &[goodbye, &[end]].concat());
                    let (said, sessions) = judge(&script, &[]);
                    let [session] = &sessions[..] else { panic!("{} sessions of\n{script}", sessions.len()) };
                    let what = format!("{}:\n{script}\n{said}", running.called);
                    assert_eq!(session.outcome, Outcome::Connected, "{what}");
                    assert!(session.findings.iter().all(|finding| finding.severity == Severity::Note), "{what}");
                }
            }
        }
    }
}
