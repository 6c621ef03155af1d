//! The packets of the tunnel (\[MS-TSGU\] 2.2.10): one side's, in the bytes of a WebSocket or of one of HTTP's two channels.
//! A packet may lie across messages and chunks. What a DATA packet carries is handed on as it comes.

mod message;

use crate::count::counted;
use crate::event::TunnelMessage;

/// Packets other than DATA are not longer: a cookie or a token in them has 64 KiB.
const MAX_PACKET: u32 = 256 << 10;
/// HTTP_PACKET_HEADER, 2.2.10.9.
const HEADER: usize = 8;
/// A DATA packet's header with `cbDataLen`, 2.2.10.6.
const DATA_HEADER: usize = 10;
const DATA: u16 = 0x0a;
const HANDSHAKE_RESPONSE: u16 = 0x02;
/// The random bytes before the first packet of the OUT channel, 3.3.5.1: 100 by the letter, 10 of the gateways there are.
const MAX_SEED: usize = 256;

/// What one side sends.
#[derive(Debug, Default)]
pub(super) struct Packets {
    state: State,
    kept: Vec<u8>,
    /// Where the next byte stands.
    offset: u64,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// A packet's header comes.
    #[default]
    Header,
    /// A packet of so many bytes is kept.
    Packet(usize),
    /// So many bytes of the RDP connection come, and so many behind them that are of nobody.
    Data(u64, u64),
    /// So many bytes are passed over.
    Skip(u64),
    /// The first packet is looked for behind the seed.
    Seed,
    /// A message begins behind a hole: a packet may begin with it.
    Seek,
    Lost,
}

/// A step of one side.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A packet is complete.
    Message(TunnelMessage),
    /// A DATA packet begins that carries so many bytes.
    Carry(u64),
    /// Bytes of the RDP connection.
    Data(&'a [u8]),
    /// Bytes that nobody can tell the place of.
    Dropped(u64),
    /// This is no packet, or one that does not hold what it should.
    Trouble(u64, String),
}

/// What a hole cost.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Loss {
    /// Bytes that are, or may be, of the RDP connection.
    pub(super) carried: u64,
    /// Where the place of packets was lost.
    pub(super) lost: Option<u64>,
}

impl Packets {
    /// Behind the seed of an OUT channel.
    pub(super) fn behind_seed() -> Packets {
        Packets { state: State::Seed, ..Packets::default() }
    }

    /// The next step that `data` completes; what it takes is taken from there.
    pub(super) fn next<'a>(&mut self, data: &mut &'a [u8]) -> Option<Piece<'a>> {
        loop {
            match self.state {
                State::Header | State::Seek => {
                    if !self.fill(HEADER, data) {
                        return None;
                    }
                    match self.begin(data) {
                        Begun::Packet => {}
                        Begun::Short => return None,
                        Begun::Told(piece) => return Some(piece),
                    }
                }
                State::Packet(len) => return self.fill(len, data).then(|| self.packet()),
                State::Data(0, 0) | State::Skip(0) => self.state = State::Header,
                State::Data(0, over) => self.state = State::Skip(over),
                State::Data(left, over) => {
                    let taken = self.take(left, data);
                    self.state = State::Data(left - taken.len() as u64, over);
                    return (!taken.is_empty()).then_some(Piece::Data(taken));
                }
                State::Skip(_) | State::Lost if data.is_empty() => return None,
                State::Skip(left) => self.state = State::Skip(left - self.take(left, data).len() as u64),
                State::Seed => {
                    if let Some(piece) = self.seed(data)? {
                        return Some(piece);
                    }
                }
                State::Lost => return Some(Piece::Dropped(self.take(u64::MAX, data).len() as u64)),
            }
        }
    }

    /// A message of the WebSocket begins here. Where the place of packets was lost, it may be found again.
    pub(super) fn message(&mut self) {
        if matches!(self.state, State::Lost) {
            self.state = State::Seek;
        }
    }

    /// `len` bytes are not here.
    pub(super) fn missing(&mut self, len: u64) -> Loss {
        let at = self.offset;
        self.offset += len;
        // How far the hole may reach, how much of that is carried, and what comes behind it.
        let (room, carried, then) = match self.state {
            State::Data(left, over) => (
                left + over,
                len.min(left),
                State::Data(left.saturating_sub(len), (left + over).saturating_sub(len.max(left))),
            ),
            State::Skip(left) => (left, 0, State::Skip(left.saturating_sub(len))),
            State::Packet(need) => {
                let left = (need - self.kept.len()) as u64;
                (left, 0, State::Skip(left.saturating_sub(len)))
            }
            State::Seed => (u64::MAX, 0, State::Seed),
            State::Header => (0, 0, State::Lost),
            State::Seek | State::Lost => {
                self.lose();
                return Loss { carried: len, lost: None };
            }
        };
        self.kept.clear();
        if len <= room {
            self.state = then;
            return Loss { carried, lost: None };
        }
        self.lose();
        Loss { carried: carried + (len - room), lost: Some(at + room) }
    }

    /// Nobody knows any more where a packet begins.
    pub(super) fn lose(&mut self) {
        self.state = State::Lost;
        self.kept.clear();
    }

    fn take<'a>(&mut self, len: u64, data: &mut &'a [u8]) -> &'a [u8] {
        let (taken, rest) = data.split_at(usize::try_from(len).unwrap_or(usize::MAX).min(data.len()));
        *data = rest;
        self.offset += taken.len() as u64;
        taken
    }

    /// Keeps up to `need` bytes; whether they are here.
    fn fill(&mut self, need: usize, data: &mut &[u8]) -> bool {
        let taken = self.take(need.saturating_sub(self.kept.len()) as u64, data);
        self.kept.extend_from_slice(taken);
        self.kept.len() >= need
    }

    /// A header is here: 2.2.10.9.
    fn begin<'a>(&mut self, data: &mut &'a [u8]) -> Begun<'a> {
        let (kind, reserved, len) = header(&self.kept);
        if matches!(self.state, State::Seek) && !(reserved == 0 && is_known(kind) && fits(kind, len)) {
            self.lose();
            return Begun::Told(Piece::Dropped(HEADER as u64));
        }
        if !fits(kind, len) {
            let says = format!("expected the length of a packet, found {len} in one of type {kind:#x}");
            return Begun::Told(self.trouble(says));
        }
        if kind != DATA {
            self.state = State::Packet(len as usize);
            return Begun::Packet;
        }
        self.state = State::Header;
        if !self.fill(DATA_HEADER, data) {
            return Begun::Short;
        }
        let room = u64::from(len) - DATA_HEADER as u64;
        let said = u64::from(u16::from_le_bytes([self.kept[8], self.kept[9]]));
        self.kept.clear();
        self.state = State::Data(said.min(room), room.saturating_sub(said));
        Begun::Told(Piece::Carry(said.min(room)))
    }

    fn packet<'a>(&mut self) -> Piece<'a> {
        let at = self.offset - self.kept.len() as u64;
        let packet = std::mem::take(&mut self.kept);
        self.state = State::Header;
        let (kind, _, len) = header(&packet);
        match message::read(kind, len, &packet[HEADER..]) {
            Some(message) => Piece::Message(message),
            None => Piece::Trouble(
                at,
                format!("expected a packet of type {kind:#x}, found {} that are too few", counted(len, "byte")),
            ),
        }
    }

    fn trouble<'a>(&mut self, says: String) -> Piece<'a> {
        let at = self.offset - self.kept.len() as u64;
        self.lose();
        Piece::Trouble(at, says)
    }

    /// Looks for the handshake response, which comes first. `Some(None)` where it is found.
    fn seed<'a>(&mut self, data: &mut &'a [u8]) -> Option<Option<Piece<'a>>> {
        while let Some((byte, rest)) = data.split_first() {
            self.kept.push(*byte);
            self.offset += 1;
            *data = rest;
            let begin = self.kept.len().saturating_sub(HEADER);
            let (kind, reserved, len) = header(&self.kept[begin..]);
            if kind == HANDSHAKE_RESPONSE && reserved == 0 && (18..=64).contains(&len) {
                self.kept.drain(..begin);
                self.state = State::Header;
                return Some(None);
            }
            if self.kept.len() > MAX_SEED {
                return Some(Some(
                    self.trouble("expected a handshake response behind the seed, found none".to_owned()),
                ));
            }
        }
        None
    }
}

/// What a header leads to.
enum Begun<'a> {
    Packet,
    Short,
    Told(Piece<'a>),
}

/// `packetType`, `reserved`, `packetLength`; zeros where they are not here.
fn header(bytes: &[u8]) -> (u16, u16, u32) {
    let [k0, k1, r0, r1, l0, l1, l2, l3] = bytes.first_chunk::<HEADER>().copied().unwrap_or_default();
    (u16::from_le_bytes([k0, k1]), u16::from_le_bytes([r0, r1]), u32::from_le_bytes([l0, l1, l2, l3]))
}

fn is_known(kind: u16) -> bool {
    matches!(kind, 0x1..=0xd | 0x10 | 0x11)
}

/// Whether a packet can be so long.
fn fits(kind: u16, len: u32) -> bool {
    let least = if kind == DATA { DATA_HEADER } else { HEADER };
    (least as u32..=MAX_PACKET).contains(&len)
}

#[cfg(test)]
mod tests;
