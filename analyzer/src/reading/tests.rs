//! Captures written by hand: what is said of them.

mod strangers;

use std::net::Ipv4Addr;

use super::*;
use crate::diagnose::{Outcome, Party};
use crate::observation::Side;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const REQUEST: &[u8] = &[3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0];
const CONFIRM: &[u8] = &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0];

const FIN: u8 = 0x11;
const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const RST_ACK: u8 = 0x14;
const ACK: u8 = 0x10;

/// A pcap file of raw IP in the making.
struct Capture {
    file: Vec<u8>,
    /// Microseconds.
    at: u64,
    id: u16,
    port: u16,
    /// The client's port.
    from: u16,
    /// Bytes of each packet that are kept.
    snap: usize,
    /// Next sequence numbers of client and server.
    next: [u32; 2],
    /// How often each packet is captured.
    copies: usize,
    /// The address that a box rewrites between the first copy and the others, and to what.
    rewritten: Option<(Ipv4Addr, Ipv4Addr)>,
}

impl Capture {
    fn new(port: u16) -> Capture {
        let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0]);
        Capture {
            file,
            at: 1_700_000_000_000_000,
            id: 0,
            port,
            from: 50_000,
            snap: 65_535,
            next: [1000, 2000],
            copies: 1,
            rewritten: None,
        }
    }

    fn opened(port: u16, copies: usize) -> Capture {
        let mut capture = Capture { copies, ..Capture::new(port) };
        capture.send(Side::Client, SYN, b"").send(Side::Server, SYN_ACK, b"").send(Side::Client, ACK, b"");
        capture
    }

    fn wait(&mut self, milliseconds: u64) -> &mut Capture {
        self.at += milliseconds * 1000;
        self
    }

    /// A datagram to the client.
    fn datagram(&mut self, port: u16, data: &[u8]) -> &mut Capture {
        let mut udp =
            [port.to_be_bytes(), 50_001_u16.to_be_bytes(), (8 + data.len() as u16).to_be_bytes(), [0; 2]].concat();
        udp.extend(data);
        self.packet(17, SERVER, CLIENT, &udp)
    }

    fn send(&mut self, from: Side, flags: u8, data: &[u8]) -> &mut Capture {
        let ends = [(CLIENT, self.from), (SERVER, self.port)];
        let ((source, source_port), (destination, port)) = (ends[from as usize], ends[from.other() as usize]);
        let (seq, ack) = (self.next[from as usize], self.next[from.other() as usize]);
        let mut tcp = [source_port.to_be_bytes(), port.to_be_bytes()].concat();
        tcp.extend(seq.to_be_bytes());
        tcp.extend(if flags & ACK == 0 { [0; 4] } else { ack.to_be_bytes() });
        tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(data);
        self.next[from as usize] = seq.wrapping_add(data.len() as u32 + u32::from(flags & 3 != 0));
        self.packet(6, source, destination, &tcp)
    }

    fn packet(&mut self, protocol: u8, source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> &mut Capture {
        self.at += 1000;
        self.id += 1;
        let mut packet = vec![0x45, 0];
        packet.extend((20 + payload.len() as u16).to_be_bytes());
        packet.extend(self.id.to_be_bytes());
        packet.extend([0x40, 0, 64, protocol, 0, 0]);
        packet.extend([source.octets(), destination.octets()].concat());
        packet.extend(payload);
        for copy in 0..self.copies as u64 {
            let (at, len) = (self.at + copy, packet.len() as u32);
            if let Some((from, to)) = self.rewritten.filter(|_| copy > 0) {
                let of_it = |place: &usize| packet[*place..place + 4] == from.octets();
                let places: Vec<usize> = [12, 16].into_iter().filter(of_it).collect();
                places.into_iter().for_each(|place| packet[place..place + 4].copy_from_slice(&to.octets()));
            }
            let kept = &packet[..packet.len().min(self.snap)];
            let words = [(at / 1_000_000) as u32, (at % 1_000_000) as u32, kept.len() as u32, len];
            words.iter().for_each(|word| self.file.extend(word.to_le_bytes()));
            self.file.extend(kept);
        }
        self
    }

    fn read(&self) -> Vec<Diagnosed> {
        let mut sessions = Vec::new();
        read(self.file.as_slice(), None, &mut |session| sessions.push(session)).expect("a capture");
        sessions
    }

    /// The one session's causes.
    fn causes(&self) -> Vec<&'static str> {
        let sessions = self.read();
        let [session] = &sessions[..] else { panic!("{} sessions", sessions.len()) };
        session.findings.iter().map(|finding| finding.cause.id).collect()
    }
}

/// A ClientHello of TLS 1.2 with one suite, in a record.
fn client_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0xc0, 0x30, 1, 0]);
    let len = body.len() as u8;
    [&[0x16, 3, 1, 0, len + 4, 1, 0, 0, len][..], &body].concat()
}

#[test]
fn a_server_that_cannot_be_reached() {
    let mut refused = Capture::new(3389);
    refused.send(Side::Client, SYN, b"").send(Side::Server, RST_ACK, b"");
    assert_eq!(refused.causes(), ["TCP-REFUSED"]);

    let mut silent = Capture::new(3389);
    for wait in [0, 3000, 6000] {
        silent.wait(wait).next[0] = 1000;
        silent.send(Side::Client, SYN, b"");
    }
    assert_eq!(silent.causes(), ["TCP-DROP"]);

    let mut unreachable = Capture::new(3389);
    unreachable.send(Side::Client, SYN, b"");
    let quoted = unreachable.file[24 + 16..][..28].to_vec();
    let error = [&[3, 1, 0, 0, 0, 0, 0, 0][..], &quoted].concat();
    unreachable.packet(1, Ipv4Addr::new(10, 0, 0, 9), CLIENT, &error);
    assert_eq!(unreachable.causes(), ["TCP-ICMP"]);

    let mut elsewhere = Capture::new(8080);
    elsewhere.send(Side::Client, SYN, b"").send(Side::Server, RST_ACK, b"");
    assert!(elsewhere.read().is_empty(), "only RDP's own port says what was wanted");
}

#[test]
fn large_segments_that_vanish() {
    let mut hole = Capture::opened(3389, 1);
    hole.send(Side::Client, ACK, REQUEST).send(Side::Server, ACK, CONFIRM);
    hole.send(Side::Client, ACK, &client_hello());
    let before = hole.next[1];
    // The first, large segment never arrives; the small rest behind it does.
    hole.next[1] = before.wrapping_add(1400);
    hole.send(Side::Server, ACK, &[7; 100]);
    hole.next[1] = before;
    hole.send(Side::Client, ACK, b"").wait(20_000).send(Side::Client, FIN, b"");
    assert_eq!(hole.causes()[0], "PATH-PMTU");
}

#[test]
fn a_packet_captured_at_every_component_is_one() {
    let play = |copies: usize| {
        let mut capture = Capture::opened(3389, copies);
        capture.send(Side::Client, ACK, REQUEST).send(Side::Server, ACK, CONFIRM);
        capture.send(Side::Client, ACK, &client_hello()).send(Side::Server, RST_ACK, b"");
        let session = capture.read().pop().expect("a session");
        let leg = session.timeline.legs[0].clone();
        (session.findings[0].cause.id, leg.bytes, leg.retransmits(), leg.dials.len())
    };
    assert_eq!(play(1), play(4));
    assert_eq!(play(4).2, 0);
}

#[test]
fn rdp_is_found_on_any_port_and_behind_the_proxy_protocol() {
    let line: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 3389\r\n";
    for prelude in [b"", line] {
        let mut capture = Capture::opened(443, 1);
        if !prelude.is_empty() {
            capture.send(Side::Client, ACK, prelude);
        }
        capture.send(Side::Client, ACK, REQUEST).send(Side::Server, ACK, CONFIRM).send(Side::Server, RST_ACK, b"");
        let session = capture.read().pop().expect("a session");
        assert_eq!((session.outcome, session.is_rdp()), (Outcome::Failed, true));
        let leg = &session.timeline.legs[0];
        let server = if prelude.is_empty() { "10.0.0.2:443" } else { "192.0.2.2:3389" };
        assert_eq!(leg.server.map(|server| server.to_string()).as_deref(), Some(server));
        assert_eq!(leg.bytes, [(prelude.len() + REQUEST.len()) as u64, CONFIRM.len() as u64]);
        let told: Vec<_> = session.timeline.facts.headers.seen.iter().map(|seen| seen.what.to_string()).collect();
        let named = "version 1, client 192.0.2.1:40000, server 192.0.2.2:3389";
        assert_eq!(told, if prelude.is_empty() { vec![] } else { vec![named.to_owned()] });
    }
}

#[test]
fn a_request_that_had_to_be_sent_again_is_told_and_charged() {
    let mut capture = Capture::opened(3389, 1);
    let first = capture.next[0];
    capture.send(Side::Client, ACK, REQUEST).wait(299).next[0] = first;
    capture.send(Side::Client, ACK, REQUEST).wait(4).send(Side::Server, ACK, CONFIRM);
    capture.send(Side::Server, RST_ACK, b"");
    let session = capture.read().pop().expect("a session");
    assert_eq!(session.timeline.legs[0].retransmits(), 1);
    let negotiation = session.timeline.phase(crate::timeline::phase::PhaseName::Negotiation).expect("a phase");
    assert_eq!(negotiation.waited.retransmission.as_millis(), 300, "{:?}", negotiation.waited);
}

#[test]
fn a_capture_of_nothing_but_its_beginning() {
    let capture = Capture::opened(3389, 1);
    let reading = read(&capture.file[..capture.file.len() - 3], None, &mut |_| {}).expect("a capture");
    assert!(reading.stopped.is_some());
    assert_eq!(reading.packets, 2);
}

/// KRB-ERROR with this code, for TERMSRV/host.
fn refusal(code: u8) -> Vec<u8> {
    let mut message = vec![0, 0, 0, 44, 0x7e, 42, 0x30, 40, 0xa0, 3, 2, 1, 5, 0xa6, 3, 2, 1, code];
    message.extend([0xaa, 28, 0x30, 26, 0xa0, 3, 2, 1, 2, 0xa1, 19, 0x30, 17, 0x1b, 7]);
    message.extend(b"TERMSRV");
    message.extend([0x1b, 6]);
    message.extend(b"host.x");
    message
}

#[test]
fn what_a_domain_controller_refused_its_client_belongs_to_the_session() {
    let mut capture = Capture::opened(88, 1);
    capture.send(Side::Client, ACK, &[0, 0, 0, 1, 0x6c]).send(Side::Server, ACK, &refusal(25));
    capture.send(Side::Server, ACK, &refusal(37)).send(Side::Client, FIN, b"").send(Side::Server, FIN, b"");
    (capture.port, capture.next) = (3389, [7000, 8000]);
    capture.wait(5_000).send(Side::Client, SYN, b"").send(Side::Server, SYN_ACK, b"").send(Side::Client, ACK, b"");
    capture.send(Side::Client, ACK, REQUEST).send(Side::Server, ACK, CONFIRM).send(Side::Server, RST_ACK, b"");
    let sessions = capture.read();
    let [session] = &sessions[..] else { panic!("{} sessions", sessions.len()) };
    let [seen] = &session.timeline.facts.kdc[..] else { panic!("{:?}", session.timeline.facts.kdc) };
    assert_eq!((seen.what.code, seen.what.service.as_deref(), seen.mark.frame), (37, Some("TERMSRV/host.x"), 6));
}

#[test]
fn what_it_refused_by_udp_does_too() {
    let mut capture = Capture::opened(3389, 1);
    // Without the length that TCP needs. Port 89 is no domain controller's.
    capture.datagram(88, &refusal(25)[4..]).datagram(89, &refusal(36)[4..]).datagram(88, &refusal(37)[4..]);
    capture.datagram(88, b"~").send(Side::Client, ACK, REQUEST).send(Side::Server, ACK, CONFIRM);
    let sessions = capture.send(Side::Server, RST_ACK, b"").read();
    let facts = &sessions[0].timeline.facts;
    let seen: Vec<(u32, u64)> = facts.kdc.iter().map(|seen| (seen.what.code, seen.mark.frame)).collect();
    assert_eq!(seen, [(37, 6)]);
}

#[test]
fn what_it_refused_long_before_or_others_does_not() {
    let mut capture = Capture::opened(88, 1);
    capture.send(Side::Server, ACK, &refusal(37)).send(Side::Client, FIN, b"").send(Side::Server, FIN, b"");
    (capture.port, capture.next) = (3389, [7000, 8000]);
    capture.wait(61_000).send(Side::Client, SYN, b"").send(Side::Server, SYN_ACK, b"").send(Side::Client, ACK, b"");
    capture.send(Side::Client, ACK, REQUEST).send(Side::Server, ACK, CONFIRM).send(Side::Server, RST_ACK, b"");
    let sessions = capture.read();
    assert!(sessions[0].timeline.facts.kdc.is_empty());
}

impl Capture {
    /// Another connection of the client with this port of the server.
    fn connect(&mut self, port: u16) -> &mut Capture {
        (self.port, self.from) = (port, self.from.wrapping_add(1).max(1024));
        self.next = self.next.map(|next| next.wrapping_add(100_000));
        self.wait(1000)
    }

    fn open(&mut self, port: u16) -> &mut Capture {
        self.connect(port).send(Side::Client, SYN, b"").send(Side::Server, SYN_ACK, b"").send(Side::Client, ACK, b"")
    }

    fn refused(&mut self, port: u16) -> &mut Capture {
        self.connect(port).send(Side::Client, SYN, b"").send(Side::Server, RST_ACK, b"")
    }

    fn unanswered(&mut self, port: u16) -> &mut Capture {
        self.connect(port);
        let first = self.next[0];
        for wait in [0, 3000, 6000] {
            self.wait(wait).next[0] = first;
            self.send(Side::Client, SYN, b"");
        }
        self
    }

    fn asked_for_rdp(&mut self, port: u16) -> &mut Capture {
        self.open(port).send(Side::Client, ACK, REQUEST).send(Side::Server, ACK, CONFIRM).send(
            Side::Server,
            RST_ACK,
            b"",
        )
    }

    fn read_knowing(&self, meant: Meant) -> (Vec<Diagnosed>, Vec<String>) {
        let (mut sessions, known) = (Vec::new(), Known { meant: Arc::new(meant), ..Known::default() });
        let mut keep = |session: Diagnosed| sessions.extend(session.is_rdp().then_some(session));
        let reading = read_with(self.file.as_slice(), None, &known, &mut keep).expect("a capture");
        (sessions, reading.notices)
    }
}

/// The first cause of each session, in the order of their beginning.
fn causes(mut sessions: Vec<Diagnosed>) -> Vec<&'static str> {
    sessions.sort_by_key(Diagnosed::began);
    sessions.iter().map(|session| session.findings.first().map_or("none", |finding| finding.cause.id)).collect()
}

#[test]
fn an_endpoint_that_is_used_for_rdp_is_meant_for_it_before_and_behind() {
    let mut capture = Capture::new(0);
    capture.refused(3390).unanswered(3390).asked_for_rdp(3390).refused(3390).unanswered(3390);
    // Of these nobody knows what was wanted.
    capture.refused(3391).open(3390).send(Side::Client, FIN, b"").send(Side::Server, FIN, b"");
    let (sessions, notices) = capture.read_knowing(Meant::default());
    let asked = causes(Capture::new(0).asked_for_rdp(3390).read_knowing(Meant::default()).0)[0];
    assert_eq!(causes(sessions), ["TCP-REFUSED", "TCP-DROP", asked, "TCP-REFUSED", "TCP-DROP"]);
    assert!(notices.is_empty(), "{notices:?}");
}

#[test]
fn what_answers_otherwise_does_not_make_an_endpoint_of_rdp() {
    let mut capture = Capture::new(0);
    capture.refused(443).open(443).send(Side::Client, ACK, REQUEST);
    capture.send(Side::Server, ACK, b"HTTP/1.1 400 Bad Request\r\n\r\n").send(Side::Server, FIN, b"").refused(443);
    let (sessions, _) = capture.read_knowing(Meant::default());
    assert_eq!(sessions.len(), 1, "a web server that somebody asked for RDP");
}

#[test]
fn a_capture_of_connections_without_a_byte_lists_them() {
    let mut capture = Capture::new(0);
    capture.refused(3390).refused(3390).unanswered(3391);
    capture.open(3392).send(Side::Client, FIN, b"").send(Side::Server, FIN, b"");
    (4000..4020).for_each(|port| _ = capture.refused(port));
    let (sessions, notices) = capture.read_knowing(Meant::default());
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    assert!(sessions.is_empty());
    for part in [
        "24 connections carried no byte",
        "10.0.0.2:3390 refused 2 times",
        "10.0.0.2:3391 not answered once",
        "10.0.0.2:3392 opened and closed without a byte once",
        "and 15 more",
        "--port N",
    ] {
        assert!(notice.contains(part), "{part}: {notice}");
    }
}

/// How a server of RDP takes its leave in clear: MCS Disconnect Provider Ultimatum, rn-user-requested.
const ULTIMATUM: &[u8] = &[3, 0, 0, 9, 2, 0xf0, 0x80, 0x21, 0x80];

/// Every way in which a connection ends behind the server's last words: who closes first, and how the two do it.
fn ends() -> Vec<[(Side, u8); 2]> {
    let closes = [FIN, RST_ACK];
    let orders = [(Side::Client, Side::Server), (Side::Server, Side::Client)];
    let each = |(first, second): (Side, Side)| {
        closes.into_iter().flat_map(move |one| closes.map(|other| [(first, one), (second, other)]))
    };
    orders.into_iter().flat_map(each).collect()
}

/// A session that gets to `before`, and ends in each of the ways: what is said of it must not depend on the way.
fn check_ends(name: &str, before: &dyn Fn(&mut Capture), cause: &str, by: Party) {
    for end in ends() {
        let mut capture = Capture::opened(3389, 1);
        before(&mut capture);
        for (from, how) in end {
            capture.send(from, how, b"");
        }
        let sessions = capture.read();
        let [session] = &sessions[..] else { panic!("{name}, {end:?}: {} sessions", sessions.len()) };
        let said = session.findings.first().map(|finding| (finding.cause.id, finding.by));
        assert_eq!(said, Some((cause, by)), "{name}, {end:?}");
        assert_eq!(session.outcome, Outcome::Failed, "{name}, {end:?}");
    }
}

fn alert(description: u8) -> Vec<u8> {
    vec![0x15, 3, 3, 0, 2, 2, description]
}

/// xrdp, with an alert of OpenSSL before it or not.
#[test]
fn tls_given_up_in_clear_whoever_closes() {
    let alerts = [
        (None, "TLS-NOKEY"),
        (Some(70), "TLS-VER"),
        (Some(86), "TLS-VER"),
        (Some(40), "TLS-CIPHER"),
        (Some(80), "TLS-NOKEY"),
    ];
    for (description, cause) in alerts {
        let said = move |capture: &mut Capture| {
            capture.send(Side::Client, 0x18, REQUEST).send(Side::Server, 0x18, CONFIRM);
            capture.send(Side::Client, 0x18, &client_hello());
            if let Some(description) = description {
                capture.send(Side::Server, 0x18, &alert(description));
            }
            capture.send(Side::Server, 0x18, ULTIMATUM);
        };
        check_ends(&format!("alert {description:?}"), &said, cause, Party::Server);
    }
}

/// The client hangs up at the alert, and the leave comes behind its FIN.
#[test]
fn the_leave_in_clear_comes_behind_the_client_s_end() {
    for how in [FIN, RST_ACK] {
        let mut capture = Capture::opened(3389, 1);
        capture.send(Side::Client, 0x18, REQUEST).send(Side::Server, 0x18, CONFIRM);
        capture.send(Side::Client, 0x18, &client_hello()).send(Side::Server, 0x18, &alert(70));
        capture.send(Side::Client, how, b"").send(Side::Server, 0x18, ULTIMATUM).send(Side::Client, RST_ACK, b"");
        assert_eq!(capture.causes(), ["TLS-VER"], "{how:x}");
    }
}

#[test]
fn a_port_that_is_meant_for_rdp_is_judged_as_its_own() {
    let mut capture = Capture::new(0);
    capture.refused(3390).unanswered(3391).open(3390).send(Side::Client, FIN, b"").send(Side::Server, FIN, b"");
    let meant = Meant { ports: vec![3390, 3391], ..Meant::default() };
    let (sessions, notices) = capture.read_knowing(meant);
    assert_eq!(causes(sessions), ["TCP-REFUSED", "TCP-DROP", "PRX-PROBE"]);
    assert!(notices.is_empty(), "{notices:?}");
}

/// A port scan is long, and what is remembered of it is bounded.
#[test]
fn what_is_remembered_of_a_scan_is_bounded() {
    let mut capture = Capture::new(0);
    capture.refused(30_000);
    (1..20_000).for_each(|port| _ = capture.refused(port));
    capture.refused(30_000).asked_for_rdp(30_000);
    let (sessions, _) = capture.read_knowing(Meant::default());
    // RDP's own port was among them; the first is forgotten.
    assert_eq!(sessions.len(), 3);
}

#[test]
fn tls_with_an_endpoint_that_is_meant_to_be_a_gateway_is_judged() {
    let alert = [0x15, 3, 3, 0, 2, 2, 70];
    let mut capture = Capture::new(0);
    capture.refused(8443).unanswered(8443);
    capture.open(8443).send(Side::Client, ACK, &client_hello()).send(Side::Server, ACK, &alert);
    capture.send(Side::Server, FIN, b"").send(Side::Client, FIN, b"");
    assert!(capture.read_knowing(Meant::default()).0.is_empty(), "HTTPS, for all that is known");
    let by_port = Meant { gateway_ports: vec![8443], ..Meant::default() };
    assert_eq!(causes(capture.read_knowing(by_port.clone()).0), ["RDG-REACH", "RDG-REACH", "TLS-VER"]);
    let by_address = Meant { gateway_addresses: vec![SERVER.into()], ..Meant::default() };
    assert_eq!(causes(capture.read_knowing(by_address).0), ["TLS-VER"], "a silent port may be of anything");
    let other = Meant { gateway_addresses: vec![CLIENT.into()], ..by_port };
    assert!(capture.read_knowing(other).0.is_empty(), "the port of another server");
}

/// Whatever the snap length, what cannot be read is named, and nothing is made of it.
#[test]
fn a_connection_whose_first_bytes_are_not_there_is_named_with_what_its_headers_show() {
    for snap in [40, 41, 44, 46] {
        let mut capture = Capture { snap, ..Capture::new(0) };
        let (sessions, notices) = capture.asked_for_rdp(3389).read_knowing(Meant::default());
        assert!(sessions.is_empty(), "{snap}: {:?}", causes(sessions));
        let notice = notices.iter().find(|notice| notice.contains("10.0.0.2:3389")).expect("a notice");
        for part in ["10.0.0.1:50001 to", "opened, 19 bytes asked, 19 answered, reset by the server after"] {
            assert!(notice.contains(part), "{snap}: {notice}");
        }
    }
    let mut whole = Capture { snap: 40 + REQUEST.len(), ..Capture::new(0) };
    let (sessions, _) = whole.asked_for_rdp(3389).read_knowing(Meant::default());
    assert_eq!(sessions.len(), 1, "what can be read is read");
}

#[test]
fn many_that_cannot_be_read_are_counted() {
    let mut capture = Capture { snap: 40, ..Capture::new(0) };
    (0..11).for_each(|_| _ = capture.asked_for_rdp(3389));
    let (_, notices) = capture.read_knowing(Meant::default());
    assert!(notices.iter().any(|notice| notice.starts_with("11 ") && notice.ends_with("and 3 more")), "{notices:?}");
}

#[test]
fn a_request_answered_by_a_leave_whoever_closes() {
    let said = |capture: &mut Capture| {
        capture.send(Side::Client, 0x18, REQUEST).send(Side::Server, 0x18, ULTIMATUM);
    };
    check_ends("the request refused", &said, "X224-REFUSED", Party::Server);
}

/// What is cut, and what is no confirm at all.
#[test]
fn an_answer_that_is_no_whole_confirm_whoever_closes() {
    for len in [1, 4, 9, 18] {
        let said = move |capture: &mut Capture| {
            capture.send(Side::Client, 0x18, REQUEST).send(Side::Server, 0x18, &CONFIRM[..len]).wait(30_000);
        };
        check_ends(&format!("{len} bytes of a confirm"), &said, "X224-HALF", Party::Server);
    }
    let answers: [&[u8]; 3] = [&[3, 0, 0, 0x2b, 0, 3, 0, 0x80, 1], &[3, 0, 0, 4, 1, 2], &[1, 2, 3, 4, 5, 6, 7, 8, 9]];
    for answer in answers {
        let said = move |capture: &mut Capture| {
            capture.send(Side::Client, 0x18, REQUEST).send(Side::Server, 0x18, answer).wait(30_000);
        };
        check_ends(&format!("{answer:x?}"), &said, "TCP-NOTRDP", Party::Server);
    }
}

/// Shifted by four bytes, framed too short and too long: the client is to mend.
#[test]
fn a_malformed_request_whoever_closes() {
    let shifted = [&[3, 0, 0, 19, 14, 0xe0, 14, 0xe0][..], &[0; 11], &REQUEST[11..]].concat();
    let short = [&[3, 0, 0, 11][..], &REQUEST[4..]].concat();
    let long = [&[3, 0, 0, 43][..], &REQUEST[4..]].concat();
    let bad = [&[3, 0, 0, 5][..], &REQUEST[4..]].concat();
    for request in [shifted, short, long, bad, REQUEST[..9].to_vec()] {
        for answer in [&b""[..], ULTIMATUM] {
            let said = |capture: &mut Capture| {
                capture.send(Side::Client, 0x18, &request);
                if !answer.is_empty() {
                    capture.send(Side::Server, 0x18, answer);
                }
                capture.wait(5000);
            };
            check_ends(&format!("{request:x?}, {answer:x?}"), &said, "X224-BADREQ", Party::Client);
        }
    }
}

#[test]
fn s7_and_mms_are_no_rdp() {
    let s7 = [3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 7, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2];
    for port in [102, 3389] {
        for cut in [0, 4, 6, 11, 12, 15] {
            let mut capture = Capture::opened(port, 1);
            if cut > 0 {
                capture.send(Side::Client, 0x18, &s7[..cut]);
            }
            capture.send(Side::Client, 0x18, &s7[cut..]).send(Side::Server, 0x18, &s7).send(Side::Client, FIN, b"");
            assert_eq!(capture.read().len(), 0, "port {port}, cut at {cut}");
        }
    }
}

/// OpenSSL 3 answers the bare end of its peer with decode_error.
#[test]
fn an_alert_behind_the_client_s_end_is_nothing_of_tls() {
    for how in [FIN, RST_ACK] {
        let mut capture = Capture::opened(3389, 1);
        capture.send(Side::Client, 0x18, REQUEST).send(Side::Server, 0x18, CONFIRM).send(Side::Client, how, b"");
        capture.send(Side::Server, 0x18, &alert(50)).send(Side::Server, 0x18, ULTIMATUM).send(Side::Server, FIN, b"");
        let sessions = capture.read();
        let [finding] = &sessions[0].findings[..] else { panic!("{:?}", sessions[0].findings) };
        assert_eq!((finding.cause.id, finding.by), ("PRX-PROBE", Party::Client), "{how:x}");
    }
}
