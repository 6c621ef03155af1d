//! What people type and paste: codes, names, lines of logs and texts of dialogs, what each is, and who says so.
//!
//! A row is what is typed, what has to be found, in order, and a part of the source of the first. What is found is written as
//! the key of its table, its name where it has one, and its number: "event RdpCoreTS 131"; as "text" and the text, or as
//! "pair" and two numbers.

use std::collections::BTreeSet;

use analyzer::codes::{Entry, Notation};
use analyzer::explain::{self, Answer, Question};

type Row = (&'static str, &'static [&'static str], &'static str);

#[test]
fn every_row_is_what_it_is() {
    let wrong: Vec<String> = ROWS.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
    let typed: BTreeSet<&str> = ROWS.iter().map(|(typed, ..)| *typed).collect();
    assert!(typed.len() == ROWS.len() && ROWS.len() >= 200, "{} rows, {} of them once", ROWS.len(), typed.len());
}

/// A word, a line and a text of two lines are read alike in whatever case, and with what a log puts around them.
#[test]
fn a_line_is_read_in_any_case_and_company() {
    for (typed, expected, _) in ROWS.iter().filter(|(typed, ..)| typed.split_whitespace().count() > 3) {
        let found = |text: &str| found(&[text.to_owned()]).unwrap_or_default();
        // A name of an errno counts only as it is written.
        assert_eq!(found(&format!("Jan 13 10:11:12 host app[4711]: {typed}")), *expected, "{typed}");
        assert_eq!(found(&format!("\u{feff}{}\r\n", typed.replace(' ', "\u{a0} "))), *expected, "{typed}");
    }
}

#[test]
fn what_is_not_read_is_told() {
    let read = |text: &str| explain::read(&[text.to_owned()]);
    let reading = read("BIO_read returned ERRCONNECT_NEW_FAULT [0x0002FFFF]\nnothing here\nHTTP/1.1 401 Unauthorized")
        .expect("401");
    assert_eq!(reading.unread, ["ERRCONNECT_NEW_FAULT", "nothing here"]);
    let answers: Vec<bool> = reading.questions.iter().map(|question| explain::answer(question).is_known()).collect();
    assert_eq!(answers, [false, true], "0x2ffff is in no table, and is answered so");
    assert!(read("the quick brown fox, 12:30:01 on port 10054").is_err_and(|error| error.contains("quick brown")));
    let many: Vec<String> = (0..60).map(|number| format!("alert {number}")).collect();
    let reading = explain::in_line(&many.join("\n")).expect("many");
    assert_eq!((reading.questions.len(), reading.found.len(), reading.unread.len()), (40, 40, 1));
    assert!(explain::in_line(&"x".repeat(explain::LONGEST + 1)).is_err());
}

/// What is no code must not be taken for one: ports, times, addresses, versions, paths, words that are names of codes elsewhere.
#[test]
fn numbers_of_other_things_are_no_codes() {
    for line in [
        "Dec  1 12:30:01 host sshd[131]: Accepted publickey for root from 10.0.0.4 port 10054 ssh2",
        "2026-01-13T10:00:00Z OK all data gone, nothing pending",
        "version 10.0.22000.1 of /usr/lib/140/x.so",
        "listening on 0.0.0.0:10061",
    ] {
        assert_eq!(found(&[line.to_owned()]).unwrap_or_default(), [""; 0], "{line}");
    }
}

fn wrong((typed, expected, source): &Row) -> Option<String> {
    // As a shell would pass it: a line in quotes is one word.
    let words: Vec<String> = match typed.split_whitespace().count() {
        0..=3 => typed.split_whitespace().map(str::to_owned).collect(),
        _ => vec![(*typed).to_owned()],
    };
    let found = match found(&words) {
        Ok(found) => found,
        Err(error) => return Some(format!("{typed}: {error}")),
    };
    if found != *expected {
        return Some(format!("{typed}: {found:?}, expected {expected:?}"));
    }
    let reading = explain::read(&words).expect("read before");
    let said = sources(&explain::answer(&reading.questions[0]));
    (!said.contains(source)).then(|| format!("{typed}: the source is {said:?}, expected {source:?}"))
}

fn found(words: &[String]) -> Result<Vec<String>, String> {
    Ok(explain::read(words)?.questions.iter().map(name_of).collect())
}

fn name_of(question: &Question) -> String {
    let answer = explain::answer(question);
    match (question, answer.phrase, answer.entries.first()) {
        (Question::Pair(reason, extended), ..) => format!("pair {reason:#x} {extended:#x}"),
        (_, _, Some(entry)) => entry_of(entry),
        (_, Some(phrase), None) => format!("text {}", phrase.text),
        (_, None, None) => format!("{} in no table", answer.asked),
    }
}

fn entry_of((table, code): &Entry) -> String {
    let number = match table.notation {
        Notation::Decimal => code.number.to_string(),
        Notation::Hex | Notation::Status => format!("{:#x}", code.number),
    };
    let words = [table.key, code.name, &number];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sources(answer: &Answer) -> String {
    let phrase = answer.phrase.map(|phrase| phrase.source);
    let codes = answer.entries.iter().map(|(table, code)| table.source(code));
    phrase.into_iter().chain(codes).collect::<Vec<_>>().join("; ")
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("RdpCoreTS 65", &["event RdpCoreTS 65"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 66", &["event RdpCoreTS 66"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 67", &["event RdpCoreTS 67"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 68", &["event RdpCoreTS 68"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 69", &["event RdpCoreTS 69"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 70", &["event RdpCoreTS 70"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 71", &["event RdpCoreTS 71"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 72", &["event RdpCoreTS 72"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 97", &["event RdpCoreTS 97"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 98", &["event RdpCoreTS 98"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 99", &["event RdpCoreTS 99"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 100", &["event RdpCoreTS 100"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 101", &["event RdpCoreTS 101"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 102", &["event RdpCoreTS 102"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 103", &["event RdpCoreTS 103"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 104", &["event RdpCoreTS 104"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 131", &["event RdpCoreTS 131"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 132", &["event RdpCoreTS 132"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 133", &["event RdpCoreTS 133"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 134", &["event RdpCoreTS 134"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 135", &["event RdpCoreTS 135"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 136", &["event RdpCoreTS 136"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 137", &["event RdpCoreTS 137"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 138", &["event RdpCoreTS 138"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 139", &["event RdpCoreTS 139"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 140", &["event RdpCoreTS 140"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 141", &["event RdpCoreTS 141"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 142", &["event RdpCoreTS 142"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 143", &["event RdpCoreTS 143"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 144", &["event RdpCoreTS 144"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 145", &["event RdpCoreTS 145"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 146", &["event RdpCoreTS 146"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 147", &["event RdpCoreTS 147"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 148", &["event RdpCoreTS 148"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 162", &["event RdpCoreTS 162"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 168", &["event RdpCoreTS 168"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 226", &["event RdpCoreTS 226"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 227", &["event RdpCoreTS 227"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 228", &["event RdpCoreTS 228"], "RdpCoreTS (10.0.22000)"),
    ("RdpCoreTS 229", &["event RdpCoreTS 229"], "RdpCoreTS (10.0.22000)"),
    ("LocalSessionManager 21", &["event TerminalServices-LocalSessionManager 21"], "LocalSessionManager"),
    ("LocalSessionManager 22", &["event TerminalServices-LocalSessionManager 22"], "LocalSessionManager"),
    ("LocalSessionManager 23", &["event TerminalServices-LocalSessionManager 23"], "LocalSessionManager"),
    ("LocalSessionManager 24", &["event TerminalServices-LocalSessionManager 24"], "LocalSessionManager"),
    ("LocalSessionManager 25", &["event TerminalServices-LocalSessionManager 25"], "LocalSessionManager"),
    ("LocalSessionManager 39", &["event TerminalServices-LocalSessionManager 39"], "LocalSessionManager"),
    ("LocalSessionManager 40", &["event TerminalServices-LocalSessionManager 40"], "LocalSessionManager"),
    ("LocalSessionManager 41", &["event TerminalServices-LocalSessionManager 41"], "LocalSessionManager"),
    ("LocalSessionManager 42", &["event TerminalServices-LocalSessionManager 42"], "LocalSessionManager"),
    ("RemoteConnectionManager 258", &["event TerminalServices-RemoteConnectionManager 258"], "RemoteConnectionManager"),
    ("RemoteConnectionManager 261", &["event TerminalServices-RemoteConnectionManager 261"], "RemoteConnectionManager"),
    ("RemoteConnectionManager 1149", &["event TerminalServices-RemoteConnectionManager 1149"], "RemoteConnectionManager"),
    ("TerminalServices-Gateway 200", &["event TerminalServices-Gateway 200"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 201", &["event TerminalServices-Gateway 201"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 202", &["event TerminalServices-Gateway 202"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 203", &["event TerminalServices-Gateway 203"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 300", &["event TerminalServices-Gateway 300"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 301", &["event TerminalServices-Gateway 301"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 302", &["event TerminalServices-Gateway 302"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 303", &["event TerminalServices-Gateway 303"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 304", &["event TerminalServices-Gateway 304"], "RD Gateway Server Connections"),
    ("TerminalServices-Gateway 306", &["event TerminalServices-Gateway 306"], "pluggable authentication"),
    ("TerminalServices-Gateway 312", &["event TerminalServices-Gateway 312"], "real logs"),
    ("event 4624", &["event Security 4624"], "event 4624 of security auditing"),
    ("event 4625", &["event Security 4625"], "event 4625 of security auditing"),
    ("event 4776", &["event Security 4776"], "event 4776 of security auditing"),
    ("event 4778", &["event Security 4778"], "event 4778 of security auditing"),
    ("event 4779", &["event Security 4779"], "event 4779 of security auditing"),
    ("event 4825", &["event Security 4825"], "event 4825 of security auditing"),
    ("Schannel 36870", &["event Schannel 36870"], "Schannel"),
    ("Schannel 36871", &["event Schannel 36871"], "Schannel"),
    ("Schannel 36872", &["event Schannel 36872"], "Schannel"),
    ("Schannel 36874", &["event Schannel 36874"], "Schannel"),
    ("Schannel 36880", &["event Schannel 36880"], "Schannel"),
    ("Schannel 36884", &["event Schannel 36884"], "Schannel"),
    ("Schannel 36886", &["event Schannel 36886"], "Schannel"),
    ("Schannel 36887", &["event Schannel 36887"], "Schannel"),
    ("Schannel 36888", &["event Schannel 36888"], "Schannel"),
    ("TermDD 50", &["event TermDD 50"], "TermDD"),
    ("TermDD 56", &["event TermDD 56"], "TermDD"),
    ("KDCSVC 201", &["event Kerberos-Key-Distribution-Center 201"], "KB5073381"),
    ("KDCSVC 202", &["event Kerberos-Key-Distribution-Center 202"], "KB5073381"),
    ("KDCSVC 203", &["event Kerberos-Key-Distribution-Center 203"], "KB5073381"),
    ("KDCSVC 204", &["event Kerberos-Key-Distribution-Center 204"], "KB5073381"),
    ("KDCSVC 205", &["event Kerberos-Key-Distribution-Center 205"], "KB5073381"),
    ("KDCSVC 206", &["event Kerberos-Key-Distribution-Center 206"], "KB5073381"),
    ("KDCSVC 207", &["event Kerberos-Key-Distribution-Center 207"], "KB5073381"),
    ("KDCSVC 208", &["event Kerberos-Key-Distribution-Center 208"], "KB5073381"),
    ("KDCSVC 209", &["event Kerberos-Key-Distribution-Center 209"], "KB5073381"),
    ("LsaSrv 6167", &["event LsaSrv 6167"], "KB5068222"),
    ("RDPClient 1026", &["event TerminalServices-RDPClient 1026"], "ClientActiveXCore"),
    ("10013", &["winsock WSAEACCES 10013"], "Windows Sockets error codes"),
    ("10048", &["winsock WSAEADDRINUSE 10048"], "Windows Sockets error codes"),
    ("10051", &["winsock WSAENETUNREACH 10051"], "Windows Sockets error codes"),
    ("10053", &["winsock WSAECONNABORTED 10053"], "Windows Sockets error codes"),
    ("10054", &["winsock WSAECONNRESET 10054"], "Windows Sockets error codes"),
    ("10060", &["winsock WSAETIMEDOUT 10060"], "Windows Sockets error codes"),
    ("10061", &["winsock WSAECONNREFUSED 10061"], "Windows Sockets error codes"),
    ("10065", &["winsock WSAEHOSTUNREACH 10065"], "Windows Sockets error codes"),
    ("11001", &["winsock WSAHOST_NOT_FOUND 11001"], "Windows Sockets error codes"),
    ("WSAECONNREFUSED", &["winsock WSAECONNREFUSED 10061"], "Windows Sockets error codes"),
    ("ECONNREFUSED", &["errno ECONNREFUSED 111"], "asm-generic/errno"),
    ("ECONNRESET", &["errno ECONNRESET 104"], "asm-generic/errno"),
    ("ETIMEDOUT", &["errno ETIMEDOUT 110"], "asm-generic/errno"),
    ("EHOSTUNREACH", &["errno EHOSTUNREACH 113"], "asm-generic/errno"),
    ("ENETUNREACH", &["errno ENETUNREACH 101"], "asm-generic/errno"),
    ("EPIPE", &["errno EPIPE 32"], "asm-generic/errno"),
    ("ECONNABORTED", &["errno ECONNABORTED 103"], "asm-generic/errno"),
    ("errno 104", &["errno ECONNRESET 104"], "asm-generic/errno"),
    ("macos 61", &["errno-macos ECONNREFUSED 61"], "sys/errno.h"),
    ("macos 54", &["errno-macos ECONNRESET 54"], "sys/errno.h"),
    ("win32 121", &["win32 ERROR_SEM_TIMEOUT 121"], "[MS-ERREF] 2.2"),
    ("0x80072746", &["winsock WSAECONNRESET 10054"], "Windows Sockets error codes"),
    ("0x8007274C", &["winsock WSAETIMEDOUT 10060"], "Windows Sockets error codes"),
    ("0x8007274D", &["winsock WSAECONNREFUSED 10061"], "Windows Sockets error codes"),
    ("2147952454", &["winsock WSAECONNRESET 10054"], "Windows Sockets error codes"),
    ("0x80070040", &["win32 ERROR_NETNAME_DELETED 64"], "[MS-ERREF] 2.2"),
    ("0x80070079", &["win32 ERROR_SEM_TIMEOUT 121"], "[MS-ERREF] 2.2"),
    ("2147942521", &["win32 ERROR_SEM_TIMEOUT 121"], "[MS-ERREF] 2.2"),
    ("0x800705B4", &["win32 ERROR_TIMEOUT 1460"], "[MS-ERREF] 2.2"),
    ("0x8007052E", &["win32 ERROR_LOGON_FAILURE 1326"], "[MS-ERREF] 2.2"),
    ("0x80070775", &["win32 ERROR_ACCOUNT_LOCKED_OUT 1909"], "[MS-ERREF] 2.2"),
    ("2147942487", &["hresult E_INVALIDARG 0x80070057"], "[MS-ERREF] 2.1.1"),
    ("0x80070005", &["hresult E_ACCESSDENIED 0x80070005"], "[MS-ERREF] 2.1.1"),
    ("0x80004004", &["hresult E_ABORT 0x80004004"], "[MS-ERREF] 2.1.1"),
    ("0x80004005", &["hresult E_FAIL 0x80004005"], "[MS-ERREF] 2.1.1"),
    ("0x80072EE7", &["hresult WININET_E_NAME_NOT_RESOLVED 0x80072ee7"], "[MS-ERREF] 2.1.1"),
    ("0x80072F8F", &["hresult WININET_E_DECODING_FAILED 0x80072f8f"], "[MS-ERREF] 2.1.1"),
    ("0x800B0109", &["hresult CERT_E_UNTRUSTEDROOT 0x800b0109"], "[MS-ERREF] 2.1.1"),
    ("0xD0000001", &["ntstatus STATUS_UNSUCCESSFUL 0xc0000001"], "[MS-ERREF] 2.3.1"),
    ("3489660929", &["ntstatus STATUS_UNSUCCESSFUL 0xc0000001"], "[MS-ERREF] 2.3.1"),
    ("0xD000006D", &["ntstatus STATUS_LOGON_FAILURE 0xc000006d"], "[MS-ERREF] 2.3.1"),
    ("0xC0000418", &["ntstatus STATUS_NTLM_BLOCKED 0xc0000418"], "[MS-ERREF] 2.3.1"),
    ("-1073741715", &["ntstatus STATUS_LOGON_FAILURE 0xc000006d"], "[MS-ERREF] 2.3.1"),
    ("0x80090342", &["sspi SEC_E_KDC_UNKNOWN_ETYPE 0x80090342"], "winerror.h"),
    ("hresult 0x80090302", &["sspi SEC_E_UNSUPPORTED_FUNCTION 0x80090302"], "winerror.h"),
    ("0x80090322", &["sspi SEC_E_WRONG_PRINCIPAL 0x80090322"], "winerror.h"),
    ("0x800759DB", &["gateway E_PROXY_NAP_ACCESSDENIED 0x800759db"], "[MS-TSGU]"),
    ("2147965433", &["gateway E_PROXY_UNSUPPORTED_AUTHENTICATION_METHOD 0x800759f9"], "[MS-TSGU]"),
    ("0x204", &["mstsc disconnectReasonSocketConnectFailed 0x204"], "IMsTscAxEvents::OnDisconnected"),
    ("516", &["mstsc disconnectReasonSocketConnectFailed 0x204"], "IMsTscAxEvents::OnDisconnected"),
    ("0x104", &["mstsc disconnectReasonDNSLookupFailed 0x104"], "IMsTscAxEvents::OnDisconnected"),
    ("0x904", &["mstsc disconnectReasonAtClientWinsockFDCLOSE 0x904"], "IMsTscAxEvents::OnDisconnected"),
    ("0x1807", &["mstsc SSL_ERR_NO_AUTHENTICATING_AUTHORITY 0x1807"], "IMsTscAxEvents::OnDisconnected"),
    ("0x207", &["mstsc 0x207"], "Remote Desktop client for macOS"),
    ("0x507", &["mstsc 0x507"], "Remote Desktop client for macOS"),
    ("0x607", &["mstsc 0x607"], "Remote Desktop client for macOS"),
    ("0x2407", &["mstsc 0x2407"], "Remote Desktop client for macOS"),
    ("0x3000064", &["mstsc 0x3000064"], "Remote Desktop client for macOS"),
    ("0x3000066", &["mstsc 0x3000066"], "Remote Desktop client for macOS"),
    ("0x3000069", &["mstsc 0x3000069"], "Remote Desktop client for macOS"),
    ("0x5000007", &["mstsc 0x5000007"], "Remote Desktop client for macOS"),
    ("0x300005f", &["mstsc 0x300005f"], "issue 7567"),
    ("50331743", &["mstsc 0x300005f"], "issue 7567"),
    ("ext 0x10b", &["extended exDiscReasonLicenseCreatingLicStoreAccDenied 0x10b"], "ExtendedDisconnectReasonCode"),
    ("errinfo 0x10a", &["errinfo ERRINFO_LICENSE_NO_REMOTE_CONNECTIONS 0x10a"], "[MS-RDPBCGR] 2.2.5.1.1"),
    ("errinfo 0x112F", &["errinfo ERRINFO_GRAPHICS_SUBSYSTEM_FAILED 0x112f"], "[MS-RDPBCGR] 2.2.5.1.1"),
    ("rc 0", &["freerdp-exit XF_EXIT_SUCCESS 0"], "enum XF_EXIT_CODE"),
    ("rc 7", &["freerdp-exit XF_EXIT_CONN_DENIED 7"], "enum XF_EXIT_CODE"),
    ("rc 26", &["freerdp-exit XF_EXIT_LICENSE_NO_REMOTE_CONNECTIONS 26"], "enum XF_EXIT_CODE"),
    ("rc 128", &["freerdp-exit XF_EXIT_PARSE_ARGUMENTS 128"], "enum XF_EXIT_CODE"),
    ("rc 131", &["freerdp-exit XF_EXIT_CONN_FAILED 131"], "enum XF_EXIT_CODE"),
    ("rc 132", &["freerdp-exit XF_EXIT_AUTH_FAILURE 132"], "enum XF_EXIT_CODE"),
    ("rc 133", &["freerdp-exit XF_EXIT_NEGO_FAILURE 133"], "enum XF_EXIT_CODE"),
    ("rc 134", &["freerdp-exit XF_EXIT_LOGON_FAILURE 134"], "enum XF_EXIT_CODE"),
    ("rc 140", &["freerdp-exit XF_EXIT_DNS_NAME_NOT_FOUND 140"], "enum XF_EXIT_CODE"),
    ("rc 141", &["freerdp-exit XF_EXIT_CONNECT_FAILED 141"], "enum XF_EXIT_CODE"),
    ("rc 143", &["freerdp-exit XF_EXIT_TLS_CONNECT_FAILED 143"], "enum XF_EXIT_CODE"),
    ("rc 147", &["freerdp-exit XF_EXIT_CONNECT_TRANSPORT_FAILED 147"], "enum XF_EXIT_CODE"),
    ("rc 152", &["freerdp-exit XF_EXIT_CONNECT_PASSWORD_CERTAINLY_EXPIRED 152"], "enum XF_EXIT_CODE"),
    ("rc 155", &["freerdp-exit XF_EXIT_CONNECT_ACCESS_DENIED 155"], "enum XF_EXIT_CODE"),
    ("-1765328378", &["krb5 KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN 0x96c73a06"], "krb5_err.et"),
    ("-1765328377", &["krb5 KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN 0x96c73a07"], "krb5_err.et"),
    ("-1765328370", &["krb5 KRB5KDC_ERR_ETYPE_NOSUPP 0x96c73a0e"], "krb5_err.et"),
    ("-1765328366", &["krb5 KRB5KDC_ERR_CLIENT_REVOKED 0x96c73a12"], "krb5_err.et"),
    ("-1765328361", &["krb5 KRB5KDC_ERR_KEY_EXP 0x96c73a17"], "krb5_err.et"),
    ("-1765328360", &["krb5 KRB5KDC_ERR_PREAUTH_FAILED 0x96c73a18"], "krb5_err.et"),
    ("-1765328347", &["krb5 KRB5KRB_AP_ERR_SKEW 0x96c73a25"], "krb5_err.et"),
    ("-1765328343", &["krb5 KRB5KRB_AP_ERR_MODIFIED 0x96c73a29"], "krb5_err.et"),
    ("-1765328230", &["krb5 KRB5_REALM_UNKNOWN 0x96c73a9a"], "krb5_err.et"),
    ("-1765328228", &["krb5 KRB5_KDC_UNREACH 0x96c73a9c"], "krb5_err.et"),
    ("-1765328237", &["krb5 KRB5_KDCREP_MODIFIED 0x96c73a93"], "krb5_err.et"),
    ("kerberos 14", &["kerberos KDC_ERR_ETYPE_NOSUPP 0xe"], "RFC 4120"),
    ("alert 80", &["alert internal_error 80"], "RFC 8446"),
    ("ShortpathTransportNetworkDrop", &["text shortpathtransportnetworkdrop"], "RDP Shortpath"),
    ("ShortpathTransportReliabilityThresholdFailure", &["text shortpathtransportreliabilitythresholdfailure"], "RDP Shortpath"),
    ("ConnectionBrokenMissedHeartbeatThresholdExceeded", &["text connectionbrokenmissedheartbeatthresholdexceeded"], "RDP Shortpath"),
    ("ConnectionFailedClientDisconnect", &["text connectionfailedclientdisconnect"], "RDP Shortpath"),
    ("ConnectionFailedServerDisconnect", &["text connectionfailedserverdisconnect"], "RDP Shortpath"),
    ("[20240801-12:00:01] [ERROR] [ITU-T X.224] Connection Sequence: CR-TPDU (Connection Request) failed", &["text [itu-t x.224] connection sequence: cr-tpdu (connection request) failed"], "xrdp 0.9.21"),
    ("[20240801-12:00:01] [ERROR] libxrdp_force_read: header read error", &["text libxrdp_force_read: header read error"], "xrdp 0.9.21"),
    ("[20260103-10:11:12] [ERROR] Cannot read private key file /etc/xrdp/key.pem: Permission denied", &["text cannot read private key file"], "xrdp 0.9.21"),
    ("[20260103-10:11:12] [ERROR] SSL_read: Failure in SSL library (protocol error?)", &["text failure in ssl library (protocol error?)"], "xrdp 0.9.21"),
    ("[ERROR] SSL: error:0A0003FC:SSL routines::ssl/tls alert bad record mac", &["alert bad_record_mac 20"], "OpenSSL"),
    ("[ERROR] SSL: error:0A000126:SSL routines::unexpected eof while reading", &["text unexpected eof while reading"], "OpenSSL"),
    ("[ERROR] Server requires TLS for security, but the client did not request TLS.", &["text server requires tls for security, but the client did not request tls"], "xrdp 0.9.21"),
    ("апр 28 19:31:11 desktop xrdp-sesman[889]: [INFO ] AUTHFAIL: user=user ip=::ffff:192.168.1.50 time=1714321871", &["text authfail: user="], "fail2ban"),
    ("xrdp-sesman[889]: [ERROR] pam_authenticate failed: Authentication failure", &["text pam_authenticate failed"], "verify_user_pam"),
    ("login failed for display 0", &["text login failed for display"], "neutrinolabs/xrdp"),
    ("[ERROR] No SSL/TLS protocols enabled. At least one protocol should be enabled to accept TLS connections.", &["text no ssl/tls protocols enabled"], "xrdp 0.9.21"),
    ("[19:22:25:049] [2053358:2053359] [ERROR][com.freerdp.core.transport] - BIO_read returned a system error 0: Success", &["text returned a system error 0: success"], "FreeRDP 2.11.7"),
    ("[19:22:25:049] [2053358:2053359] [ERROR][com.freerdp.core] - transport_read_layer:freerdp_set_last_error_ex ERRCONNECT_CONNECT_TRANSPORT_FAILED [0x0002000D]", &["freerdp ERRCONNECT_CONNECT_TRANSPORT_FAILED 0x2000d"], "include/freerdp/error.h"),
    ("[ERROR][com.freerdp.core.transport] - BIO_read returned a system error 104: Connection reset by peer", &["errno ECONNRESET 104"], "FreeRDP 2.11.7"),
    ("freerdp_set_last_error 0x2000C", &["freerdp ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED 0x2000c"], "include/freerdp/error.h"),
    ("[ERROR][com.freerdp.core.nego] - Error: HYBRID_REQUIRED_BY_SERVER", &["neg HYBRID_REQUIRED_BY_SERVER 5"], "[MS-RDPBCGR] 2.2.1.2.2"),
    ("[INFO][com.freerdp.core.nla] - SPNEGO received NTSTATUS: STATUS_LOGON_FAILURE [0xC000006D] from server", &["text spnego received ntstatus", "ntstatus STATUS_LOGON_FAILURE 0xc000006d"], "libfreerdp/core/nla.c"),
    ("Error: protocol security negotiation or connection failure", &["freerdp ERRCONNECT_SECURITY_NEGO_CONNECT_FAILED 0x2000c"], "FreeRDP 2.11.7"),
    ("xfreerdp: exited with code 147", &["freerdp-exit XF_EXIT_CONNECT_TRANSPORT_FAILED 147"], "enum XF_EXIT_CODE"),
    ("rts_connect: error! Status Code: 401", &["http Unauthorized 401"], "RFC 9110"),
    ("[ERROR][com.freerdp.core] - rdp_set_error_info: ERRINFO_LOGOFF_BY_USER (0x0001000C)", &["errinfo ERRINFO_LOGOFF_BY_USER 0xc"], "[MS-RDPBCGR] 2.2.5.1.1"),
    ("[WARN][com.freerdp.crypto] - Certificate verification failure 'self-signed certificate (18)' at stack position 0", &["text certificate verification failure", "text self-signed certificate"], "FreeRDP 2.11.7"),
    ("The server accepted a new TCP connection from client 10.0.2.17:57064.", &["event RdpCoreTS 131"], "RdpCoreTS (10.0.22000)"),
    ("A connection from the client computer with an IP address of 203.0.113.9 failed because the user name or password is not correct.", &["event RdpCoreTS 140"], "RdpCoreTS (10.0.22000)"),
    ("TCP socket READ operation failed, error 64", &["event RdpCoreTS 142", "win32 ERROR_NETNAME_DELETED 64"], "RdpCoreTS (10.0.22000)"),
    ("TCP socket WRITE operation failed, error 121", &["event RdpCoreTS 143", "win32 ERROR_SEM_TIMEOUT 121"], "RdpCoreTS (10.0.22000)"),
    ("The multi-transport connection finished for tunnel: 1, its transport type set to TCP: Reason Code: 1 (No Client UDP Support).", &["event RdpCoreTS 135"], "RdpCoreTS (10.0.22000)"),
    ("The server security layer detected an error (0x80090304) in the protocol stream and the client (Client IP:10.1.2.3) has been disconnected.", &["event RdpCoreTS 139", "sspi SEC_E_INTERNAL_ERROR 0x80090304"], "RdpCoreTS (10.0.22000)"),
    ("The disconnect reason is 14", &["event RdpCoreTS 103"], "RdpCoreTS (10.0.22000)"),
    ("Event ID 226, RdpCoreTS: RDP_TCP: An error was encountered when transitioning from StateUnknown in response to Event_Disconnect (error code 0x80070040).", &["event RdpCoreTS 226", "win32 ERROR_NETNAME_DELETED 64"], "RdpCoreTS (10.0.22000)"),
    ("Session 2 has been disconnected, reason code 5", &["event TerminalServices-LocalSessionManager 40", "extended exDiscReasonReplacedByOtherConnection 0x5"], "LocalSessionManager"),
    ("Session 4 has been disconnected, reason code 3489660929", &["event TerminalServices-LocalSessionManager 40", "ntstatus STATUS_UNSUCCESSFUL 0xc0000001"], "LocalSessionManager"),
    ("Remote Desktop Services: Session has been disconnected: User: CONTOSO\\alice Session ID: 3 Source Network Address: 10.1.2.3", &["event TerminalServices-LocalSessionManager 24"], "LocalSessionManager"),
    ("RDP ClientActiveX has been disconnected (Reason= 263)", &["event TerminalServices-RDPClient 1026", "mstsc 0x107"], "ClientActiveXCore"),
    ("A fatal alert was generated and sent to the remote endpoint. This may result in termination of the connection. The TLS protocol defined fatal alert code is 40. The Windows SChannel error state is 1205.", &["event Schannel 36888", "alert handshake_failure 40"], "Schannel"),
    ("A fatal alert was received from the remote endpoint. The TLS protocol defined fatal alert code is 48.", &["event Schannel 36887", "alert unknown_ca 48"], "Schannel"),
    ("The Terminal Server security layer detected an error in the protocol stream and has disconnected the client. Client IP: 10.1.2.3", &["event TermDD 56"], "TermDD"),
    ("The user \"DOM\\user\", on client computer \"172.16.63.71\", met connection authorization policy requirements and was therefore authorized to access the RD Gateway server.", &["event TerminalServices-Gateway 200"], "RD Gateway Server Connections"),
    ("The user \"DOM\\user\", on client computer \"10.0.0.10\", disconnected from the following network resource: \"sv-term.domain.com\".", &["event TerminalServices-Gateway 303"], "RD Gateway Server Connections"),
    ("An account failed to log on. Logon Type: 3 Status: 0xC000006D Sub Status: 0xC000006A", &["event Security 4625", "ntstatus STATUS_LOGON_FAILURE 0xc000006d", "ntstatus STATUS_WRONG_PASSWORD 0xc000006a"], "event 4625"),
    ("Kerberos pre-authentication failed. Failure Code: 0x18", &["kerberos KDC_ERR_PREAUTH_FAILED 0x18"], "RFC 4120"),
    ("Ereignis-ID: 140 RemoteDesktopServices-RdpCoreTS", &["event RdpCoreTS 140"], "RdpCoreTS (10.0.22000)"),
    ("There is a partial mismatch in the machine ID.", &["event LsaSrv 6167"], "KB5068222"),
    ("The Key Distribution Center (KDC) detected RC4 usage that will be unsupported in enforcement phase", &["text usage that will be unsupported in enforcement"], "KB5073381"),
    ("Error code: 0x904 Extended error code: 0x7", &["pair 0x904 0x7"], "IMsTscAxEvents::OnDisconnected"),
    ("Fehlercode: 0x904\nErweiterter Fehlercode: 0x7", &["pair 0x904 0x7"], "IMsTscAxEvents::OnDisconnected"),
    ("Code d'erreur : 0x904\nCode d’erreur étendu : 0x7", &["pair 0x904 0x7"], "IMsTscAxEvents::OnDisconnected"),
    ("Código de error: 0x904\nCódigo de error extendido: 0x7", &["pair 0x904 0x7"], "IMsTscAxEvents::OnDisconnected"),
    ("Remote Desktop can’t find the computer \"srv1\". This might mean that \"srv1\" does not belong to the specified network.", &["mstsc disconnectReasonDNSLookupFailed 0x104"], "specific RDP error messages"),
    ("Le Bureau à distance ne trouve pas l'ordinateur « srv1 ».", &["mstsc disconnectReasonDNSLookupFailed 0x104"], "specific RDP error messages"),
    ("Escritorio remoto no encuentra el equipo \"srv1\".", &["mstsc disconnectReasonDNSLookupFailed 0x104"], "specific RDP error messages"),
    ("Remote Desktop can't connect to the remote computer for one of these reasons: 1) Remote access to the server is not enabled", &["text remote desktop can't connect to the remote computer for one of these reasons"], "specific RDP error messages"),
    ("Le Bureau à distance ne peut pas se connecter à l’ordinateur distant pour l’une des raisons suivantes :", &["text le bureau à distance ne peut pas se connecter à l'ordinateur distant pour l'une des raisons suivantes"], "specific RDP error messages"),
    ("Escritorio remoto no puede conectarse al equipo remoto por una de las siguientes razones", &["text escritorio remoto no puede conectarse al equipo remoto por una de las siguientes razones"], "specific RDP error messages"),
    ("An authentication error has occurred. The Local Security Authority cannot be contacted", &["text an authentication error has occurred", "sspi SEC_E_INTERNAL_ERROR 0x80090304"], "specific RDP error messages"),
    ("Une erreur d’authentification s’est produite. L’autorité de sécurité locale ne peut pas être contactée.", &["text une erreur d'authentification s'est produite", "sspi SEC_E_INTERNAL_ERROR 0x80090304"], "specific RDP error messages"),
    ("Error de autenticación. No se puede conectar con la autoridad de seguridad local", &["text error de autenticación", "sspi SEC_E_INTERNAL_ERROR 0x80090304"], "specific RDP error messages"),
    ("Authentifizierungsfehler. Die angeforderte Funktion wird nicht unterstützt.", &["text authentifizierungsfehler", "sspi SEC_E_UNSUPPORTED_FUNCTION 0x80090302"], "Microsoft Learn (de)"),
    ("This could be due to CredSSP encryption oracle remediation.", &["text credssp encryption oracle remediation"], "KB4093492"),
    ("Your credentials did not work", &["text your credentials did not work"], "specific RDP error messages"),
    ("Ihre Anmeldeinformationen funktionieren nicht.", &["text ihre anmeldeinformationen funktionieren nicht"], "computerweekly.com"),
    ("Vos informations d’identification n’ont pas fonctionné.", &["text vos informations d'identification n'ont pas fonctionné"], "specific RDP error messages"),
    ("Las credenciales no funcionaron", &["text las credenciales no funcionaron"], "specific RDP error messages"),
    ("Die Remotesitzung wurde getrennt, da keine Remotedesktop-Lizenzserver verfügbar sind, um eine Lizenz bereitzustellen.", &["extended exDiscReasonLicenseNoLicenseServer 0x101"], "no license server is available"),
    ("The remote session was disconnected because there are no Remote Desktop License Servers available to provide a license.", &["extended exDiscReasonLicenseNoLicenseServer 0x101"], "specific RDP error messages"),
    ("Se desconectó la sesión remota porque no hay servidores de licencias de Escritorio remoto disponibles para proporcionar una licencia.", &["extended exDiscReasonLicenseNoLicenseServer 0x101"], "specific RDP error messages"),
    ("Aufgrund eines Sicherheitsfehlers konnte der Client keine Verbindung mit dem Terminalserver herstellen.", &["text aufgrund eines sicherheitsfehlers konnte der client keine verbindung"], "Microsoft Learn (de)"),
    ("An internal error has occurred.", &["text an internal error has occurred"], "Azure VM"),
    ("Caution: Unknown remote connection", &["text caution: unknown remote connection"], "CVE-2026-26151"),
    ("connect to 10.1.2.3 port 3389: Connection refused", &["errno ECONNREFUSED 111"], "strerror"),
    ("kinit: Cannot contact any KDC for requested realm while getting initial credentials", &["krb5 KRB5_KDC_UNREACH 0x96c73a9c"], "krb5_err.et"),
    ("140735:error:1409442E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:s3_pkt.c:1493:SSL alert number 70", &["alert protocol_version 70"], "OpenSSL"),
];
