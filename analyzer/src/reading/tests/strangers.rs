//! What strangers' captures hold: endpoints of Remote Desktop that are met with something else, gateways in clear, one
//! direction alone, ends that nobody captured, one connection on both sides of a box that rewrites addresses.

use super::*;
use crate::attempt;
use crate::observation::Ending;

const PUSH: u8 = 0x18;
const FAILURE: &[u8] = &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 3, 0, 8, 0, 5, 0, 0, 0];

impl Capture {
    /// What is not captured of this side, bytes.
    fn unseen(&mut self, from: Side, len: u32) -> &mut Capture {
        self.next[from as usize] = self.next[from as usize].wrapping_add(len);
        self
    }

    fn told(&self) -> (Vec<&'static str>, Vec<String>) {
        let (sessions, notices) = self.read_knowing(Meant::default());
        (causes(sessions), notices)
    }

    /// The one session.
    fn session(&self) -> Diagnosed {
        let (mut sessions, notices) = self.read_knowing(Meant::default());
        assert_eq!(sessions.len(), 1, "{notices:?}");
        sessions.remove(0)
    }
}

/// The frames and texts of what the first finding rests on.
fn evidence(session: &Diagnosed) -> Vec<(u64, String)> {
    let evidence = &session.findings.first().expect("a finding").evidence;
    evidence.iter().map(|one| (one.frame, one.says.clone())).collect()
}

#[test]
fn a_request_that_nobody_can_read_and_nobody_answers_is_an_attempt() {
    // Its code is shifted by a byte.
    let shifted = [&[3, 0, 0, 20, 14, 0, 0xe0], &REQUEST[6..]].concat();
    for how in [FIN, RST_ACK] {
        let mut capture = Capture::opened(3389, 1);
        capture.send(Side::Client, PUSH, &shifted).send(Side::Server, how, b"");
        let session = capture.session();
        assert_eq!((session.outcome, session.findings[0].by), (Outcome::Failed, Party::Client));
        assert_eq!(session.findings[0].cause.id, "X224-BADREQ", "{how:x}");
    }
    let mut elsewhere = Capture::opened(102, 1);
    elsewhere.send(Side::Client, PUSH, &shifted).send(Side::Server, FIN, b"");
    assert_eq!(elsewhere.told(), (vec![], vec![]), "another protocol on ISO, for all that is known");
}

#[test]
fn a_header_that_is_answered_by_a_leave_is_an_attempt() {
    let header = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 3389\r\n";
    let mut capture = Capture::opened(3389, 1);
    capture.send(Side::Client, PUSH, header).send(Side::Server, PUSH, ULTIMATUM).send(Side::Server, RST_ACK, b"");
    assert_eq!(capture.told().0.len(), 1);
    let mut alone = Capture::opened(3389, 1);
    alone.send(Side::Client, PUSH, header).send(Side::Server, FIN, b"");
    let (found, notices) = alone.told();
    assert!(
        found.is_empty() && notices[0].contains("a header of the PROXY protocol and nothing behind it"),
        "{notices:?}"
    );
}

#[test]
fn what_is_not_rdp_at_an_endpoint_of_rdp_is_counted() {
    let mut capture = Capture::new(0);
    capture.open(3389).send(Side::Client, PUSH, b"GET / HTTP/1.1\r\n\r\n").send(Side::Server, RST_ACK, b"");
    for _ in 0..2 {
        capture.open(3389).send(Side::Client, PUSH, &client_hello()).send(Side::Server, FIN, b"");
    }
    capture.open(3389).send(Side::Client, PUSH, b"GET / HTTP/1.1\r\n\r\n");
    capture.send(Side::Server, PUSH, b"HTTP/1.1 200 OK\r\n\r\n").send(Side::Server, FIN, b"");
    // Of other ports nothing is known.
    capture.open(8080).send(Side::Client, PUSH, b"GET / HTTP/1.1\r\n\r\n").send(Side::Server, RST_ACK, b"");
    let (found, notices) = capture.told();
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    assert!(found.is_empty() && notice.starts_with("4 connections"), "{notice}");
    for part in ["10.0.0.2:3389: HTTP (2 times)", "10.0.0.2:3389: TLS without X.224 (2 times)"] {
        assert!(notice.contains(part), "{notice}");
    }
}

#[test]
fn a_request_without_its_beginning_is_named() {
    let mut capture = Capture::opened(3389, 1);
    capture.unseen(Side::Client, 8).send(Side::Client, PUSH, &REQUEST[8..]).send(Side::Server, ACK, b"");
    capture.send(Side::Server, RST_ACK, b"");
    let (found, notices) = capture.told();
    assert!(found.is_empty(), "{found:?}");
    assert!(notices.iter().any(|notice| notice.contains("10.0.0.2:3389: opened, 19 bytes asked")), "{notices:?}");
}

/// Somebody else has taken TLS.
#[test]
fn a_gateway_in_clear_is_found_on_any_port() {
    let refused = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";
    let tried = |first: &str| {
        let mut capture = Capture::opened(8080, 1);
        let head = format!("{first} HTTP/1.1\r\nHost: gateway\r\n\r\n");
        capture.send(Side::Client, PUSH, head.as_bytes()).send(Side::Server, PUSH, refused);
        capture.send(Side::Client, FIN, b"").send(Side::Server, FIN, b"");
        capture.told().0
    };
    assert_eq!(tried("RDG_OUT_DATA /remoteDesktopGateway/"), ["RDG-401"]);
    assert_eq!(tried("RPC_OUT_DATA /rpc/rpcproxy.dll?localhost:3388"), ["RDG-401"]);
    for other in ["GET /", "GET /remoteDesktopGateway/", "RPC_IN_DATA /rpcwithcert/rpcproxy.dll?mail:6001"] {
        assert!(tried(other).is_empty(), "{other}");
    }
}

#[test]
fn the_server_s_direction_alone_tells_what_it_refused() {
    let mut capture = Capture::new(3389);
    capture.next[0] += 1;
    capture.send(Side::Server, SYN_ACK, b"").unseen(Side::Client, 19).send(Side::Server, ACK, b"");
    capture.send(Side::Server, PUSH, FAILURE).send(Side::Server, FIN, b"");
    assert_eq!(capture.told().0, ["X224-HYBRID"]);
}

#[test]
fn a_refusal_in_the_middle_of_a_connection_has_failed() {
    let mut capture = Capture::new(3389);
    capture.send(Side::Server, PUSH, FAILURE).send(Side::Client, ACK, b"").send(Side::Client, RST_ACK, b"");
    let session = capture.session();
    assert_eq!((session.outcome, session.findings[0].cause.id), (Outcome::Failed, "X224-HYBRID"));
}

#[test]
fn an_answer_of_x224_that_refuses_is_no_other_service() {
    let disconnect: &[u8] = &[3, 0, 0, 11, 6, 0x80, 0, 0, 0x12, 0x34, 0];
    let error: &[u8] = &[3, 0, 0, 9, 4, 0x70, 0, 0, 2];
    for answer in [disconnect, error] {
        let said = |capture: &mut Capture| {
            capture.send(Side::Client, PUSH, REQUEST).send(Side::Server, PUSH, answer);
        };
        check_ends(&format!("{answer:x?}"), &said, "X224-REFUSED", Party::Server);
    }
    // A length that is not its own, and a TPDU that has no place here.
    for other in [&[3, 0, 0, 11, 9, 0x80, 0, 0, 0x12, 0x34, 0][..], &[3, 0, 0, 11, 6, 0xc0, 0, 0, 0x12, 0x34, 0]] {
        let said = |capture: &mut Capture| {
            capture.send(Side::Client, PUSH, REQUEST).send(Side::Server, PUSH, other);
        };
        check_ends(&format!("{other:x?}"), &said, "TCP-NOTRDP", Party::Server);
    }
}

#[test]
fn an_end_that_is_not_captured_is_told_as_that() {
    let confirmed = || {
        let mut capture = Capture::opened(3389, 1);
        capture.send(Side::Client, PUSH, REQUEST).send(Side::Server, PUSH, CONFIRM).send(Side::Client, ACK, b"");
        capture
    };
    let mut unseen = confirmed();
    unseen.unseen(Side::Client, 1).wait(3000).send(Side::Server, PUSH, &alert(50)).send(Side::Client, ACK, b"");
    let session = unseen.session();
    let end = session.timeline.end.expect("an end");
    assert_eq!((end.how, end.from, end.unseen, end.mark.frame), (Ending::Fin, Some(Side::Client), true, 7));
    assert!(evidence(&session).iter().any(|(frame, says)| *frame == 7 && says.contains("not in the capture")));
    let mut seen = confirmed();
    seen.wait(3000).send(Side::Client, FIN, b"").send(Side::Server, PUSH, &alert(50)).send(Side::Client, ACK, b"");
    let session = seen.session();
    assert_eq!(session.timeline.end.map(|end| (end.unseen, end.mark.frame)), Some((false, 7)));
    assert!(evidence(&session).iter().all(|(_, says)| !says.contains("not in the capture")));
}

/// Held back until more is known, it was said where it was said.
#[test]
fn evidence_names_the_packet_in_which_it_stands() {
    // The client's direction alone: what it acknowledges is missing.
    let mut alone = Capture::new(3389);
    alone.send(Side::Client, SYN, b"").unseen(Side::Server, 1).send(Side::Client, ACK, b"");
    alone.send(Side::Client, PUSH, REQUEST).unseen(Side::Server, 19).send(Side::Client, ACK, b"");
    alone.send(Side::Client, PUSH, &client_hello()).unseen(Side::Server, 1000).send(Side::Client, ACK, b"");
    alone.send(Side::Client, PUSH, &alert(48)).send(Side::Client, FIN, b"");
    let session = alone.session();
    assert_eq!(session.findings[0].cause.id, "TLS-UNTRUST");
    assert!(evidence(&session).iter().any(|(frame, says)| *frame == 7 && says.contains("unknown_ca")), "{session:?}");

    // Cut, and answered by nothing until the server gives up.
    let mut cut = Capture::opened(3389, 1);
    cut.send(Side::Client, PUSH, &REQUEST[..12]).wait(10_000).send(Side::Server, RST_ACK, b"");
    let session = cut.session();
    let found = evidence(&session);
    assert!(found.iter().any(|(frame, says)| *frame == 4 && says.contains("12 of its 19 bytes")), "{found:?}");
    assert!(found.iter().any(|(frame, says)| *frame == 5 && says.contains("RST")), "{found:?}");

    // Too short for a record.
    let mut text = Capture::opened(3389, 1);
    text.send(Side::Client, PUSH, REQUEST).send(Side::Server, PUSH, CONFIRM).send(Side::Client, PUSH, b"\r\n\r\n");
    text.send(Side::Server, PUSH, &alert(50)).send(Side::Server, FIN, b"");
    let session = text.session();
    assert_eq!(session.findings[0].cause.id, "TLS-NOTTLS");
    let found = evidence(&session);
    assert!(found.iter().any(|(frame, says)| *frame == 6 && says.contains("first bytes")), "{found:?}");
}

#[test]
fn of_a_goodbye_with_a_gap_no_other_protocol_is_made() {
    let said = |cut: usize| {
        let mut capture = Capture::opened(3389, 1);
        capture.send(Side::Client, PUSH, REQUEST).send(Side::Server, PUSH, CONFIRM);
        capture.send(Side::Client, PUSH, &client_hello()).send(Side::Server, PUSH, &ULTIMATUM[..cut]);
        capture.unseen(Side::Server, (ULTIMATUM.len() - cut) as u32).unseen(Side::Client, 1);
        capture.send(Side::Server, ACK, b"");
        capture.session().findings.first().map(|finding| (finding.cause.id, finding.confidence.name()))
    };
    assert_eq!(said(ULTIMATUM.len()).map(|(cause, _)| cause), Some("TLS-NOKEY"));
    for cut in 1..ULTIMATUM.len() {
        assert!(said(cut).is_none_or(|(cause, sure)| cause != "TLS-NOTTLS" && sure != "certain"), "{cut}");
    }
}

/// Both sides of a box that rewrites one address, in one capture.
#[test]
fn one_connection_on_both_sides_of_a_box_is_one_session() {
    let gateway = Ipv4Addr::new(192, 0, 2, 1);
    for from in [CLIENT, SERVER] {
        for words in [&[REQUEST, FAILURE][..], &[REQUEST, CONFIRM]] {
            let mut capture = Capture { copies: 2, rewritten: Some((from, gateway)), ..Capture::new(3389) };
            capture.send(Side::Client, SYN, b"").send(Side::Server, SYN_ACK, b"").send(Side::Client, ACK, b"");
            capture.send(Side::Client, PUSH, words[0]).send(Side::Server, PUSH, words[1]);
            capture.send(Side::Server, FIN, b"").send(Side::Client, FIN, b"").send(Side::Server, ACK, b"");
            let (sessions, _) = capture.read_knowing(Meant::default());
            assert_eq!(sessions.len(), 2, "two connections");
            let attempts = attempt::group(sessions);
            let [attempt] = &attempts[..] else { panic!("{} attempts", attempts.len()) };
            let [session] = &attempt.sessions[..] else { panic!("{} sessions", attempt.sessions.len()) };
            assert_eq!(session.witnesses.len(), 1);
            assert!(
                session.timeline.leg(Leg::Only).is_some_and(|leg| leg.client.is_some_and(|end| end.ip() == CLIENT))
            );
        }
    }
    // Who comes again is another connection, whatever is said in it.
    let mut again = Capture::new(0);
    again.asked_for_rdp(3389).asked_for_rdp(3389);
    let sessions: usize = attempt::group(again.read()).iter().map(|attempt| attempt.sessions.len()).sum();
    assert_eq!(sessions, 2);
}
