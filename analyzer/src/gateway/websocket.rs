//! WebSocket (RFC 6455): one side's frames, unmasked. What the messages say is not for this room.

use super::Hole;

/// Payload of a control frame, RFC 6455 5.5.
const MAX_CONTROL: u64 = 125;

/// What one side sends.
#[derive(Debug, Default)]
pub(super) struct Frames {
    state: State,
    /// The frame header that is not complete.
    kept: Vec<u8>,
    /// Where the next byte stands, counted from the first frame.
    offset: u64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Header,
    Payload(Payload),
    Lost,
}

/// A frame whose payload is not over.
#[derive(Debug, Clone, Copy)]
struct Payload {
    kind: Kind,
    left: u64,
    mask: [u8; 4],
    /// Bytes of it that passed.
    passed: u64,
    /// The first two of them, unmasked: the code of a close.
    code: [u8; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text or binary, or what continues one.
    Data,
    Close,
    /// Ping or pong.
    Ping,
}

/// A step of one side.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A message begins.
    Begin,
    /// Part of a message.
    Data(Vec<u8>),
    /// The side closes, with this code.
    Close(Option<u16>),
    /// Bytes that nobody can tell the place of.
    Dropped(u64),
    /// This is no frame.
    Trouble(u64, String),
}

impl Frames {
    /// The next step that `data` completes; what it takes is taken from there.
    pub(super) fn next(&mut self, data: &mut &[u8]) -> Option<Piece> {
        loop {
            match &mut self.state {
                State::Header => match self.header(data)? {
                    Ok(Some(piece)) => return Some(piece),
                    Ok(None) => {}
                    Err(says) => {
                        let at = self.offset - self.kept.len() as u64;
                        self.state = State::Lost;
                        return Some(Piece::Trouble(at, says.to_owned()));
                    }
                },
                State::Payload(payload) if payload.left == 0 => {
                    let over = *payload;
                    self.state = State::Header;
                    if over.kind == Kind::Close {
                        return Some(Piece::Close((over.passed > 1).then(|| u16::from_be_bytes(over.code))));
                    }
                }
                State::Payload(payload) => {
                    let taken = payload.take(data);
                    self.offset += taken.len() as u64;
                    match payload.kind {
                        _ if taken.is_empty() => return None,
                        Kind::Data => return Some(Piece::Data(taken)),
                        Kind::Close | Kind::Ping => {}
                    }
                }
                State::Lost if data.is_empty() => return None,
                State::Lost => {
                    let len = std::mem::take(data).len() as u64;
                    self.offset += len;
                    return Some(Piece::Dropped(len));
                }
            }
        }
    }

    /// `len` bytes are not here.
    pub(super) fn missing(&mut self, len: u64) -> Hole {
        let at = self.offset;
        self.offset += len;
        let left = match &mut self.state {
            State::Payload(payload) => {
                let inside = payload.pass_over(len);
                let told = if payload.kind == Kind::Data { inside } else { 0 };
                if inside == len {
                    return Hole { inside: told, beyond: 0, lost: None };
                }
                (told, inside)
            }
            State::Header => (0, 0),
            State::Lost => return Hole { inside: 0, beyond: len, lost: None },
        };
        self.state = State::Lost;
        Hole { inside: left.0, beyond: len - left.1, lost: Some(at + left.1) }
    }

    /// Reads a frame's header; `None` where it is not complete, `Ok(None)` where nothing is to be said of it.
    fn header(&mut self, data: &mut &[u8]) -> Option<Result<Option<Piece>, &'static str>> {
        loop {
            let need = self.need();
            if self.kept.len() >= need {
                break;
            }
            let (taken, rest) = data.split_at(data.len().min(need - self.kept.len()));
            if taken.is_empty() {
                return None;
            }
            self.kept.extend_from_slice(taken);
            self.offset += taken.len() as u64;
            *data = rest;
        }
        Some(self.begin())
    }

    /// How long the header is, as far as its bytes tell.
    fn need(&self) -> usize {
        let Some(second) = self.kept.get(1) else { return 2 };
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + extended + if second & 0x80 == 0 { 0 } else { 4 }
    }

    /// The header is complete: RFC 6455 5.2.
    fn begin(&mut self) -> Result<Option<Piece>, &'static str> {
        let (first, second) = (self.kept[0], self.kept[1]);
        let masked = if second & 0x80 == 0 { 0 } else { 4 };
        let (length, mask) = self.kept[2..].split_at(self.kept.len() - 2 - masked);
        let mask = mask.first_chunk().copied().unwrap_or_default();
        let left = match length {
            [] => u64::from(second & 0x7f),
            digits => digits.iter().fold(0, |n, digit| n << 8 | u64::from(*digit)),
        };
        let kind = match first & 0x0f {
            0..=2 => Kind::Data,
            8 => Kind::Close,
            9 | 10 => Kind::Ping,
            _ => return Err("expected an opcode of RFC 6455, found another"),
        };
        if first & 0x70 != 0 {
            return Err("expected a frame without extensions, found reserved bits set");
        }
        if left > if kind == Kind::Data { u64::MAX >> 1 } else { MAX_CONTROL } {
            return Err("expected the length of a frame, found one that is too long");
        }
        self.kept.clear();
        self.state = State::Payload(Payload { kind, left, mask, passed: 0, code: [0; 2] });
        Ok((matches!(first & 0x0f, 1 | 2)).then_some(Piece::Begin))
    }
}

impl Payload {
    /// Takes what is here of it, unmasked.
    fn take(&mut self, data: &mut &[u8]) -> Vec<u8> {
        let (taken, rest) = data.split_at(usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len()));
        *data = rest;
        let places = self.passed..;
        let clear = |(byte, place): (&u8, u64)| byte ^ self.mask[(place % 4) as usize];
        let clear: Vec<u8> = taken.iter().zip(places).map(clear).collect();
        for (byte, place) in clear.iter().zip(usize::try_from(self.passed).unwrap_or(usize::MAX)..).take(2) {
            if let Some(code) = self.code.get_mut(place) {
                *code = *byte;
            }
        }
        self.left -= clear.len() as u64;
        self.passed += clear.len() as u64;
        clear
    }

    /// Bytes of it that are not here, of `len`.
    fn pass_over(&mut self, len: u64) -> u64 {
        let len = len.min(self.left);
        self.left -= len;
        self.passed += len;
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(bytes: &[u8], cut: usize) -> String {
        let (mut frames, mut words) = (Frames::default(), String::new());
        for mut data in bytes.chunks(cut) {
            while let Some(piece) = frames.next(&mut data) {
                words += &match piece {
                    Piece::Begin => "|".to_owned(),
                    Piece::Data(data) => String::from_utf8_lossy(&data).into_owned(),
                    Piece::Close(code) => format!("close {code:?}"),
                    Piece::Dropped(_) => "?".to_owned(),
                    Piece::Trouble(at, says) => format!("{at}:{says}"),
                };
            }
        }
        words
    }

    #[test]
    fn frames_however_cut() {
        let long = [&[0x82, 126, 0, 200][..], &[b'x'; 200], &[0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, b'y']].concat();
        for (bytes, expected) in [
            (&[0x82, 3, b'a', b'b', b'c'][..], "|abc".to_owned()),
            // RFC 6455 5.7: "Hello", masked; in two fragments, with a ping between them.
            (&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], "|Hello".to_owned()),
            (&[0x01, 3, b'H', b'e', b'l', 0x89, 2, 9, 9, 0x80, 2, b'l', b'o'], "|Hello".to_owned()),
            (&[0x88, 0x82, 1, 2, 3, 4, 0x02, 0xea], "close Some(1000)".to_owned()),
            (&[0x88, 0], "close None".to_owned()),
            (&[0x82, 0, 0x82, 1, b'a'], "||a".to_owned()),
            (&[0x83, 0], "0:expected an opcode of RFC 6455, found another".to_owned()),
            (&[0xc2, 0], "0:expected a frame without extensions, found reserved bits set".to_owned()),
            (&long, format!("|{}|y", "x".repeat(200))),
        ] {
            for cut in [1, 2, 3, usize::MAX] {
                assert_eq!(steps(bytes, cut), expected, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_hole_in_a_frame_keeps_the_mask_in_step() {
        let mut frames = Frames::default();
        let mut data: &[u8] = &[0x82, 0x85, 1, 2, 3, 4, b'H' ^ 1];
        assert_eq!(frames.next(&mut data), Some(Piece::Begin));
        assert_eq!(frames.next(&mut data), Some(Piece::Data(b"H".to_vec())));
        assert_eq!(frames.missing(2), Hole { inside: 2, beyond: 0, lost: None });
        let mut data: &[u8] = &[b'l' ^ 4, b'o' ^ 1];
        assert_eq!(frames.next(&mut data), Some(Piece::Data(b"lo".to_vec())));
        assert_eq!(frames.missing(3), Hole { inside: 0, beyond: 3, lost: Some(11) });
    }
}
