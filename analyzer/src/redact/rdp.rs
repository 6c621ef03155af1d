//! RDP in clear for somebody else to see: the first PDU of each side, MCS where no TLS protects it, and the first word of
//! what is no RDP at all. The frames of PDUs stay, and what decides; names and content are blanked.

use super::names::Names;

/// TPKT and the fixed part of an X.224 connection TPDU (RFC 1006; X.224, 13.3).
const FIXED: usize = 11;
/// \[MS-RDPBCGR\] 2.2.1.1.
const COOKIE: &[u8] = b"Cookie: mstshash=";
/// What is kept of Send Data in any case: TPKT, X.224, MCS with a long length, and four bytes that say what it is.
const HEAD: usize = 19;
/// PDUs of MCS that carry no data are not longer.
const SHORT: usize = 16;

/// The length of the first PDU of a side, where it is one and is here whole.
pub(super) fn first_len(data: &[u8]) -> Option<usize> {
    let [3, _, high, low, ..] = *data else { return None };
    let len = usize::from(u16::from_be_bytes([high, low]));
    (FIXED..=data.len()).contains(&len).then_some(len)
}

/// The X.224 Connection Request or Confirm: user and routing token are names (2.2.1.1). Gives how many bytes were blanked.
pub(super) fn first(pdu: &mut [u8], names: &mut Names) {
    let mut rest = pdu.get_mut(FIXED..).unwrap_or_default();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n").filter(|_| !is_structure(rest)) {
        let (line, behind) = rest.split_at_mut(end);
        let from = if line.starts_with(COOKIE) { COOKIE.len() } else { 0 };
        let other = names.rename(&line[from..]);
        line[from..].copy_from_slice(&other);
        rest = &mut behind[2..];
    }
}

/// RDP_NEG_REQ and the correlation info begin with their types, which are no text.
fn is_structure(rest: &[u8]) -> bool {
    rest.first().is_some_and(|first| *first < b' ')
}

/// What is no RDP: the word by which it is told stays.
pub(super) fn foreign(data: &mut [u8]) -> usize {
    let word = data.iter().take(13).position(|byte| matches!(byte, b' ' | b'/' | b'-'));
    let kept = word.map_or(4, |at| at + 1).min(data.len());
    data[kept..].fill(0);
    data.len() - kept
}

/// Where in a PDU of MCS or fast-path a side is.
#[derive(Debug, Clone, Default)]
pub(super) struct Framing {
    head: [u8; 4],
    /// Bytes of the PDU that have passed.
    have: usize,
    lost: bool,
}

impl Framing {
    /// Blanks what is behind the beginning of each PDU, and gives how many bytes.
    pub(super) fn blank(&mut self, data: &mut [u8]) -> usize {
        let mut blanked = 0;
        for byte in data {
            if !self.keeps(*byte) {
                *byte = 0;
                blanked += 1;
            }
        }
        blanked
    }

    /// So many bytes are not here.
    pub(super) fn missing(&mut self, len: u64) {
        match frame(&self.head[..self.have.min(4)]) {
            Some(frame) if self.have as u64 + len <= frame.len as u64 => self.have += len as usize,
            Some(_) | None => self.lost = true,
        }
        self.end();
    }

    fn keeps(&mut self, byte: u8) -> bool {
        if self.lost {
            return false;
        }
        if let Some(place) = self.head.get_mut(self.have) {
            *place = byte;
        }
        self.have += 1;
        let frame = frame(&self.head[..self.have.min(4)]);
        self.lost = frame.is_some_and(|frame| frame.len < self.have);
        let keeps = frame.is_none_or(|frame| self.have <= frame.kept);
        self.end();
        keeps && !self.lost
    }

    fn end(&mut self) {
        if frame(&self.head[..self.have.min(4)]).is_some_and(|frame| frame.len == self.have) {
            self.have = 0;
        }
    }
}

/// A PDU's bytes, and how many of them are kept where it cannot be read as a whole.
#[derive(Debug, Clone, Copy)]
struct Frame {
    len: usize,
    kept: usize,
}

/// TPKT (RFC 1006, 6), or fast-path (2.2.9.1.2).
fn frame(head: &[u8]) -> Option<Frame> {
    match *head {
        [3, _, high, low] => {
            let len = usize::from(u16::from_be_bytes([high, low]));
            Some(Frame { len, kept: if len <= SHORT { len } else { HEAD } })
        }
        [3, ..] => None,
        [_, len, ..] if len & 0x80 == 0 => Some(Frame { len: len.into(), kept: 2 }),
        [_, high, low, ..] => Some(Frame { len: usize::from(u16::from_be_bytes([high & 0x7f, low])), kept: 3 }),
        _ => None,
    }
}

/// Changes what a side says behind its first PDU, where that is MCS, and gives how it goes on and how much was blanked.
pub(super) fn begin(data: &mut [u8]) -> (Framing, usize) {
    let (mut rest, mut blanked) = (data, 0);
    while let Some(frame) = frame(&rest[..rest.len().min(4)]).filter(|frame| frame.len > 3 && frame.len <= rest.len()) {
        let (pdu, behind) = rest.split_at_mut(frame.len);
        let before = pdu.to_vec();
        self::pdu(pdu, frame.kept);
        blanked += before.iter().zip(&*pdu).filter(|(before, after)| before != after).count();
        rest = behind;
    }
    let mut framing = Framing::default();
    blanked += framing.blank(rest);
    (framing, blanked)
}

/// One PDU that is here whole.
fn pdu(pdu: &mut [u8], kept: usize) {
    let is_data = matches!(*pdu, [3, _, _, _, 0x02, 0xf0, _, ..]);
    match pdu.get(7..).filter(|_| is_data) {
        Some([0x7f, 0x65, ..]) => gcc(pdu, b"Duca"),
        Some([0x7f, 0x66, ..]) => gcc(pdu, b"McDn"),
        Some([choice, _, _, _, _, _, len, ..]) if matches!(choice >> 2, 25 | 26) => {
            let from = if len & 0x80 == 0 { 14 } else { 15 };
            content(pdu.get_mut(from..).unwrap_or_default());
        }
        _ => blank_from(pdu, kept),
    }
}

fn blank_from(data: &mut [u8], from: usize) {
    data.get_mut(from..).unwrap_or_default().fill(0);
}

/// The settings of client and server (2.2.1.3 and 2.2.1.4), which stand behind their H.221 key and a PER length.
fn gcc(pdu: &mut [u8], key: &[u8]) {
    let Some(at) = pdu.windows(key.len()).position(|window| window == key) else { return blank_from(pdu, HEAD) };
    let Some(first) = pdu.get(at + key.len()) else { return };
    let mut at = at + key.len() + if first & 0x80 == 0 { 1 } else { 2 };
    while let Some([kind_low, kind_high, low, high]) = pdu.get(at..).and_then(<[u8]>::first_chunk::<4>).copied() {
        let len = usize::from(u16::from_le_bytes([low, high])).max(4);
        let end = pdu.len().min(at + len);
        block(u16::from_le_bytes([kind_low, kind_high]), &mut pdu[at..end]);
        at = end;
    }
    blank_from(pdu, at);
}

/// TS_UD_CS_CORE (2.2.1.3.2): clientName, imeFileName, clientDigProductId. TS_UD_SC_SEC1 (2.2.1.4.3): random, certificate.
fn block(kind: u16, block: &mut [u8]) {
    let places: &[(usize, usize)] = match kind {
        0xc001 => &[(24, 32), (68, 64), (146, 64)],
        0x0c02 => &[(20, usize::MAX - 20)],
        _ => &[],
    };
    for (from, len) in places {
        let end = block.len().min(from + len);
        block.get_mut(*from..end).unwrap_or_default().fill(0);
    }
}

// Flags of the basic security header, 2.2.8.1.1.2.1.
const EXCHANGE: u16 = 0x0001;
const TRANSPORT: u16 = 0x0002;
const ENCRYPT: u16 = 0x0008;
const INFO: u16 = 0x0040;
const LICENSE: u16 = 0x0080;
const MEASURES: u16 = 0x7000;
/// LICENSE error message, \[MS-RDPELE\] 2.2.2.
const ERROR_ALERT: u8 = 0xff;
/// Data PDUs that say how things stand, and nothing else: control, synchronize, shutdown, font list and map, error info.
const STATES: [u8; 7] = [20, 31, 36, 37, 39, 40, 47];

/// What Send Data carries: what it is stays, what it says only where that decides.
fn content(user: &mut [u8]) {
    let [low, high, next, above, ..] = *user else { return };
    let (flags, second) = (u16::from_le_bytes([low, high]), u16::from_le_bytes([next, above]));
    if usize::from(flags) == user.len() && second & 0x00f0 == 0x0010 {
        return share(user, second & 0xf);
    }
    let kept = match user.get(4) {
        _ if flags & ENCRYPT != 0 => 4,
        _ if flags & INFO != 0 => 22, // the lengths of its strings, 2.2.1.11.1.1
        Some(&ERROR_ALERT) if flags & LICENSE != 0 => 20,
        _ if flags & (LICENSE | EXCHANGE) != 0 => 8,
        _ if flags & MEASURES != 0 => 24,
        _ if flags & TRANSPORT != 0 => 12,
        // A security header that says nothing; of a channel the length would stand there.
        Some(_) if flags == 0 && second == 0 => return content(&mut user[4..]),
        _ => 8, // of a channel: length and flags, 2.2.6.1.1
    };
    blank_from(user, kept);
}

/// A share control PDU (2.2.8.1.1.1.1): capability sets and states stay.
fn share(user: &mut [u8], kind: u16) {
    let kept = match (kind, user.get(14)) {
        (1 | 3, _) => user.len(),
        (7, Some(state)) if STATES.contains(state) => user.len(),
        (7, Some(38)) => 22, // Save Session Info: which one, 2.2.10.1.1
        (7, _) => 18,
        _ => 12,
    };
    blank_from(user, kept);
}
