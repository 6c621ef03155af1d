//! The X.224 connection (\[MS-RDPBCGR\] 1.3.1.1, Connection Initiation): one request, one confirm, and with them the
//! choice of what protects the rest. It also notices, from the first bytes of a side, that this is no RDP at all.

use super::foreign::{is_iso, looks};
use super::tpkt::{self, Header};
use crate::count::counted;
use crate::event::{ConnectionConfirm, ConnectionRequest, Foreign, McsPdu, Protocols, What};
use crate::observation::Side;
use crate::shown;
use crate::tls::ultimatum;

/// What a side sends before the negotiation is over is kept for the next layer, up to so many bytes.
const MAX_KEPT: usize = 64 * 1024;

/// Cookies and tokens are cut to so many characters.
const MAX_TEXT: usize = 128;

/// TPKT header, length indicator, code, two references of two bytes, class: RFC 1006 and X.224, 13.3.
const FIXED: usize = tpkt::HEADER + 7;

/// What comes after the negotiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Next {
    /// TLS, of whatever kind of authentication.
    Tls,
    /// MCS in clear: standard RDP security.
    Mcs,
    /// This is not RDP.
    Foreign,
    /// Nothing: the server refused.
    Refused,
}

/// The negotiation on one flow.
#[derive(Debug, Default)]
pub struct Negotiation {
    client: Half,
    server: Half,
    outcome: Option<Next>,
}

/// One side. Its first PDU is its only one, so an offset in `kept` is one in its stream, as long as nothing is missing.
#[derive(Debug, Default)]
struct Half {
    kept: Vec<u8>,
    state: State,
    /// Whether bytes behind `kept` are gone.
    is_cut: bool,
    /// The first PDU, once it is complete.
    pdu: Option<Vec<u8>>,
    /// Bytes of the first PDU.
    spoken: u64,
    /// Whether it was told that something stands behind the first PDU that cannot.
    is_trailed: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its PDU is not complete.
    #[default]
    Speaking,
    /// Its PDU is read; what is kept belongs to the next layer.
    Spoken,
    /// Its first bytes are something else.
    Foreign,
    /// Its PDU cannot be read.
    Broken,
    /// Bytes of it are missing, and what is kept came directly behind them: it tells where both sides go on, if anything does.
    Unread,
}

impl Negotiation {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// More bytes of one side, in order.
    pub fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        let half = self.half(from);
        half.keep(from, data, out);
        if half.state == State::Unread && begins_again(from, &half.kept) {
            half.state = State::Speaking;
        }
        if half.state == State::Speaking {
            self.read(from, out);
        }
        if self.outcome.is_none() {
            self.client.judge_rest(out);
        }
    }

    /// Bytes of one side are not here. A first PDU with a hole in it is given up, and nothing is concluded from it: nobody has
    /// seen what the side said.
    pub fn missing(&mut self, from: Side) {
        let half = self.half(from);
        match half.state {
            State::Speaking | State::Unread => {
                half.kept.clear();
                half.state = State::Unread;
            }
            State::Spoken | State::Foreign | State::Broken => half.is_cut = true,
        }
    }

    /// The flow ends: what a side began stays incomplete.
    pub fn closed(&mut self, out: &mut Vec<What>) {
        for from in [Side::Client, Side::Server] {
            let half = self.half(from);
            match (half.state, half.kept.first()) {
                (State::Speaking, Some(&tpkt::VERSION)) => {
                    half.state = State::Broken;
                    cut_short(from, &half.kept, out);
                }
                (State::Speaking, Some(_)) => {
                    half.state = State::Foreign;
                    out.push(What::NotRdp { from, looks: Foreign::Unknown });
                }
                (State::Speaking, None) | (State::Spoken | State::Foreign | State::Broken | State::Unread, _) => {}
            }
        }
    }

    /// What comes next, once that is known.
    pub fn next(&self) -> Option<Next> {
        let foreign = self.client.state == State::Foreign || self.server.state == State::Foreign;
        foreign.then_some(Next::Foreign).or(self.outcome).or_else(|| self.implied())
    }

    /// The first PDU of this side, once, when it is complete.
    pub fn take_pdu(&mut self, from: Side) -> Option<Vec<u8>> {
        self.half(from).pdu.take()
    }

    /// The bytes of client and server behind their first PDUs. Of a side that is foreign: all of its bytes.
    pub fn into_rest(self) -> [Vec<u8>; 2] {
        [self.client.kept, self.server.kept]
    }

    /// Where the confirm could not be read, what both sides do next tells what stood in it.
    fn implied(&self) -> Option<Next> {
        let (client, server) = (&self.client, &self.server);
        let by_client = match (client.state, server.state) {
            (State::Spoken, State::Broken | State::Unread) => match *client.kept {
                [0x16, 0x03, ..] => Some(Next::Tls),
                [tpkt::VERSION, ..] => Some(Next::Mcs),
                _ => None,
            },
            (State::Unread, _) => behind_a_hole(&client.kept),
            (State::Speaking | State::Spoken | State::Foreign | State::Broken, _) => None,
        };
        by_client.or_else(|| if server.state == State::Unread { behind_a_hole(&server.kept) } else { None })
    }

    fn half(&mut self, from: Side) -> &mut Half {
        match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn read(&mut self, from: Side, out: &mut Vec<What>) {
        let half = self.half(from);
        if half.kept.first().is_some_and(|first| *first != tpkt::VERSION) {
            half.judge(from, out);
            return;
        }
        match tpkt::read(&half.kept) {
            Header::Short => {}
            Header::Length(len) if half.kept.len() < len => {}
            Header::Length(len) => {
                let rest = half.kept.split_off(len);
                let pdu = std::mem::replace(&mut half.kept, rest);
                half.state = State::Spoken;
                half.spoken = len as u64;
                self.pdu(from, &pdu, out);
                self.half(from).pdu = Some(pdu);
            }
            Header::Bad(says) => {
                half.state = State::Broken;
                out.push(malformed(from, "tpkt", 0, says));
            }
        }
    }

    fn pdu(&mut self, from: Side, pdu: &[u8], out: &mut Vec<What>) {
        if let Some(reason) = ultimatum::read(pdu).filter(|_| from == Side::Server) {
            // Nobody reads on: what it answers was not whole.
            if self.client.state == State::Speaking && !self.client.kept.is_empty() {
                self.client.state = State::Broken;
                cut_short(Side::Client, &self.client.kept, out);
            }
            out.push(What::Mcs { from, pdu: McsPdu::DisconnectProviderUltimatum { reason } });
            self.outcome = Some(Next::Refused);
            return;
        }
        if let Some(refusal) = refusal(pdu).filter(|_| from == Side::Server) {
            out.push(refusal);
            self.outcome = Some(Next::Refused);
            return;
        }
        let Some(variable) = variable_part(from, pdu, out) else {
            self.half(from).state = State::Broken;
            return;
        };
        if variable.first().is_some_and(|first| is_iso(*first)) {
            self.half(from).state = State::Foreign;
            out.push(What::NotRdp { from, looks: Foreign::IsoTcp });
            return;
        }
        let parts = Parts { from, rest: variable, offset: FIXED as u64, out };
        match from {
            Side::Client => parts.request(),
            Side::Server => {
                self.outcome = parts.confirm();
                if self.outcome.is_none() {
                    self.server.state = State::Broken;
                }
            }
        }
    }
}

impl Half {
    fn keep(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        if self.is_cut {
            return;
        }
        if self.kept.len() < MAX_KEPT {
            self.kept.extend_from_slice(data);
            return;
        }
        self.is_cut = true;
        if self.state == State::Spoken {
            let says = format!("expected the negotiation to end, found more than {MAX_KEPT} bytes before that");
            out.push(malformed(from, "x224", self.kept.len() as u64, says));
        }
    }

    /// Behind a request nothing comes before its answer; what does, other than what may follow it, was shifted or framed wrongly.
    fn judge_rest(&mut self, out: &mut Vec<What>) {
        const HANDSHAKE: u8 = 0x16;
        let follows = |first: u8| first == HANDSHAKE || first == tpkt::VERSION || first >= 0x80;
        let found = self.kept.first().filter(|_| self.state == State::Spoken && !self.is_trailed);
        let Some(found) = found.filter(|first| !follows(**first)) else { return };
        let says = format!("expected nothing behind the request before its answer, found {found:02x}");
        out.push(malformed(Side::Client, "x224", self.spoken, says));
        self.is_trailed = true;
    }

    /// Decides what bytes are that are not TPKT, as soon as they are certain.
    fn judge(&mut self, from: Side, out: &mut Vec<What>) {
        if let Some(looks) = looks(&self.kept) {
            self.state = State::Foreign;
            out.push(What::NotRdp { from, looks });
        }
    }
}

/// Whether what comes behind a hole is the first PDU of this side after all: what is missing stood before it.
fn begins_again(from: Side, bytes: &[u8]) -> bool {
    let code = match from {
        Side::Client => 0xe0,
        Side::Server => 0xd0,
    };
    matches!(*bytes, [tpkt::VERSION, 0, _, _, _, found, ..] if found & 0xf0 == code)
}

/// Which layer the bytes behind a hole are of: a TLS record (RFC 8446, 5.1), or X.224 Data, which carries MCS. Anything else may
/// be the middle of a message.
fn behind_a_hole(bytes: &[u8]) -> Option<Next> {
    match *bytes {
        [0x14..=0x17, 0x03, 0x00..=0x04, ..] => Some(Next::Tls),
        [tpkt::VERSION, 0, _, _, 0x02, 0xf0, 0x80, ..] => Some(Next::Mcs),
        _ => None,
    }
}

/// A first PDU that is not complete: of another kind, where its code is here, or cut.
fn cut_short(from: Side, kept: &[u8], out: &mut Vec<What>) {
    let (name, code) = wanted(from);
    let other = kept.get(5).map(|found| found & 0xf0).filter(|found| *found != code);
    if let Some(found) = other {
        out.push(malformed(from, "x224", 5, format!("expected {name}, found {}", code_name(found))));
    }
    let need = if let Header::Length(len) = tpkt::read(kept) { len } else { tpkt::HEADER };
    let message = if other.is_some() { "TPKT" } else { message(from) };
    out.push(What::Partial { from, message, have: kept.len() as u32, need: need as u32 });
}

/// The only message of a side, and its code.
fn wanted(from: Side) -> (&'static str, u8) {
    match from {
        Side::Client => ("a Connection Request (e0)", 0xe0),
        Side::Server => ("a Connection Confirm (d0)", 0xd0),
    }
}

fn message(from: Side) -> &'static str {
    match from {
        Side::Client => "Connection Request",
        Side::Server => "Connection Confirm",
    }
}

fn malformed(from: Side, layer: &'static str, offset: u64, says: String) -> What {
    What::Malformed { from, layer, offset, says }
}

/// A TPDU that refuses a connection, if it is a whole one: behind the references a Disconnect Request has a reason (X.224,
/// 13.5), an Error its cause behind the only one that it has (13.12).
fn refusal(pdu: &[u8]) -> Option<What> {
    let (code, reason) = match *pdu.get(tpkt::HEADER..)? {
        [len, 0x80, _, _, _, _, reason, ..] => (0x80, (len, reason)),
        [len, 0x70, _, _, reason, ..] => (0x70, (len, reason)),
        _ => return None,
    };
    let (len, reason) = reason;
    (usize::from(len) + 1 + tpkt::HEADER == pdu.len()).then_some(What::X224Refused { code, reason })
}

/// Checks the fixed part of the TPDU (X.224, 13.3.1 and 13.4.1) and gives what comes behind it.
fn variable_part<'a>(from: Side, pdu: &'a [u8], out: &mut Vec<What>) -> Option<&'a [u8]> {
    let (name, code) = wanted(from);
    let tpdu = pdu.get(tpkt::HEADER..)?;
    let found = tpdu.get(1)? & 0xf0;
    if found != code {
        out.push(malformed(from, "x224", 5, format!("expected {name}, found {}", code_name(found))));
        return None;
    }
    let Some(variable) = pdu.get(FIXED..) else {
        let says = format!("expected {name} of {FIXED} bytes or more, found {}", pdu.len());
        out.push(malformed(from, "x224", tpkt::HEADER as u64, says));
        return None;
    };
    // The length indicator does not count itself (X.224, 13.2.1). The TPKT length has framed the bytes, so it wins.
    if usize::from(tpdu[0]) + 1 != tpdu.len() {
        let says = format!("expected a length indicator of {}, found {}", tpdu.len() - 1, tpdu[0]);
        out.push(malformed(from, "x224", tpkt::HEADER as u64, says));
    }
    Some(variable)
}

/// X.224, 13.1, table 8.
fn code_name(code: u8) -> String {
    let name = match code {
        0xe0 => "a Connection Request",
        0xd0 => "a Connection Confirm",
        0x80 => "a Disconnect Request",
        0xc0 => "a Disconnect Confirm",
        0xf0 => "Data",
        0x70 => "an Error",
        _ => return format!("code {code:02x}"),
    };
    format!("{name} ({code:02x})")
}

/// The variable part of a request or confirm: a line of text, then structures that say their type and length.
struct Parts<'a> {
    from: Side,
    rest: &'a [u8],
    offset: u64,
    out: &'a mut Vec<What>,
}

/// One of the negotiation structures, which all begin alike.
struct Part<'a> {
    kind: u8,
    flags: u8,
    body: &'a [u8],
}

// The types of the negotiation structures.
const NEG_REQ: u8 = 0x01;
const NEG_RSP: u8 = 0x02;
const NEG_FAILURE: u8 = 0x03;
const CORRELATION_INFO: u8 = 0x06;

impl<'a> Parts<'a> {
    /// \[MS-RDPBCGR\] 2.2.1.1.
    fn request(mut self) {
        let mut request = ConnectionRequest::default();
        while let Some(line) = self.line() {
            match line.strip_prefix(b"Cookie: mstshash=") {
                Some(user) => request.cookie = Some(printable(user)),
                None => request.routing_token = Some(printable(line)),
            }
        }
        while let Some(part) = self.part(&[NEG_REQ, CORRELATION_INFO]) {
            match part.kind {
                NEG_REQ => {
                    request.flags = part.flags;
                    request.requested = number(part.body).map(Protocols);
                }
                _ => request.correlation_id = part.body.get(..16).map(hex),
            }
        }
        self.out.push(What::ConnectionRequest(Box::new(request)));
    }

    /// \[MS-RDPBCGR\] 2.2.1.2. `None` where it says something that cannot be read.
    fn confirm(mut self) -> Option<Next> {
        if self.rest.is_empty() {
            self.out.push(What::ConnectionConfirm(ConnectionConfirm { selected: None, flags: 0 }));
            return Some(Next::Mcs);
        }
        let part = self.part(&[NEG_RSP, NEG_FAILURE])?;
        let value = number(part.body)?;
        if part.kind == NEG_FAILURE {
            self.out.push(What::NegotiationFailure { code: value });
            return Some(Next::Refused);
        }
        if value.count_ones() > 1 {
            self.trouble(format!("expected one selected protocol, found {value:#x}"));
        }
        let confirm = ConnectionConfirm { selected: Some(Protocols(value)), flags: part.flags };
        self.out.push(What::ConnectionConfirm(confirm));
        Some(if value == 0 { Next::Mcs } else { Next::Tls })
    }

    /// A line of text before the structures: `cookie` or `routingToken`. Both end with CR LF.
    fn line(&mut self) -> Option<&'a [u8]> {
        if matches!(self.rest.first(), None | Some(&NEG_REQ) | Some(&CORRELATION_INFO)) {
            return None;
        }
        let end = self.rest.windows(2).position(|two| two == b"\r\n");
        if end.is_none() {
            self.trouble("expected CR LF at the end of cookie or routing token, found none".to_owned());
        }
        let line = self.take(end.unwrap_or_else(|| self.text_len()));
        self.take(if end.is_some() { 2 } else { 0 });
        Some(line)
    }

    /// Where text ends that has no CR LF: at an RDP_NEG_REQ, if the bytes end with one.
    fn text_len(&self) -> usize {
        match self.rest {
            [text @ .., NEG_REQ, _, 8, 0, _, _, _, _] => text.len(),
            all => all.len(),
        }
    }

    /// The next structure, if it is one of those allowed here.
    fn part(&mut self, allowed: &[u8]) -> Option<Part<'a>> {
        let (kind, flags, len) = match *self.rest {
            [] => return None,
            [kind, flags, low, high, ..] => (kind, flags, usize::from(u16::from_le_bytes([low, high]))),
            [..] => {
                return self
                    .stop(format!("expected a negotiation structure, found {}", counted(self.rest.len(), "byte")));
            }
        };
        if !allowed.contains(&kind) {
            return self.stop(format!("expected a negotiation structure of type {allowed:?}, found type {kind}"));
        }
        let wanted = if kind == CORRELATION_INFO { 36 } else { 8 };
        if len != wanted {
            self.trouble(format!("expected length {wanted} in the structure of type {kind}, found {len}"));
        }
        if self.rest.len() < wanted {
            return self.stop(format!("expected {wanted} bytes of type {kind}, found {}", self.rest.len()));
        }
        let body = self.take(wanted).get(4..)?;
        Some(Part { kind, flags, body })
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        self.offset += taken.len() as u64;
        taken
    }

    fn trouble(&mut self, says: String) {
        self.out.push(malformed(self.from, "x224", self.offset, says));
    }

    /// Trouble after which nothing more of this part can be read.
    fn stop<T>(&mut self, says: String) -> Option<T> {
        self.trouble(says);
        self.rest = &[];
        None
    }
}

fn number(body: &[u8]) -> Option<u32> {
    body.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Text that cannot move a terminal's cursor.
fn printable(bytes: &[u8]) -> String {
    shown::most(String::from_utf8_lossy(bytes).chars(), MAX_TEXT)
}
