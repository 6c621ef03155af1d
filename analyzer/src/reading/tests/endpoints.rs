//! Connections that carried no byte, or whose bytes are not in the capture: what is known of their endpoint tells what is said.

use super::*;

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
