//! How the packets of a tunnel are carried: in the frames of a WebSocket (RFC 6455 5), in the chunks of a request or of a
//! response (RFC 9112 7.1), or bare behind a response's head.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::packet;

/// A longer frame or chunk is none of the lab's.
const LARGEST: usize = 1 << 20;

/// How packets stand in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// In binary frames of a WebSocket, one packet in each.
    WebSocket,
    /// In chunks, one packet in each.
    Chunked,
    /// One behind the other.
    Bare,
}

/// Packets of the peer, out of a stream.
#[derive(Debug)]
pub(super) struct Inward<R> {
    io: R,
    framing: Framing,
    /// Read, and not yet a whole frame or chunk.
    raw: Vec<u8>,
    /// Unwrapped, and not yet a whole packet.
    held: Vec<u8>,
}

/// Where packets of the peer come from.
#[derive(Debug)]
pub(super) enum Source<R> {
    /// From the same connection.
    Own(Inward<R>),
    /// From the other half of the tunnel, which another task reads.
    Other(mpsc::Receiver<Vec<u8>>),
}

/// Packets to the peer, into a stream.
#[derive(Debug)]
pub(super) struct Outward<W> {
    io: W,
    framing: Framing,
    /// A client's frames are masked (RFC 6455 5.3).
    masks: bool,
}

impl<R: AsyncRead + Unpin> Inward<R> {
    pub fn new(io: R, framing: Framing) -> Inward<R> {
        Inward { io, framing, raw: Vec::new(), held: Vec::new() }
    }

    /// The next packet, or `None` at the end. Whoever stops waiting loses nothing.
    pub async fn packet(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(packet) = self.whole()? {
                return Ok(Some(packet));
            }
            match self.framing.unwrap(&self.raw)? {
                Piece::Part => {}
                Piece::Of(len, payload) => {
                    self.raw.drain(..len);
                    self.held.extend(payload);
                    continue;
                }
                Piece::Last => return Ok(None),
            }
            let mut more = [0; 4096];
            match self.io.read(&mut more).await {
                Ok(0) => return Ok(None),
                Ok(read) => self.raw.extend_from_slice(&more[..read]),
                // TLS without close_notify: an end all the same.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn whole(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(len) = packet::len(&self.held) else { return Ok(None) };
        if !(packet::HEADER..=LARGEST).contains(&len) {
            return Err(ErrorKind::InvalidData.into());
        }
        if self.held.len() < len {
            return Ok(None);
        }
        let rest = self.held.split_off(len);
        Ok(Some(std::mem::replace(&mut self.held, rest)))
    }
}

/// What stands at the beginning of a stream.
enum Piece {
    /// Less than a frame or a chunk.
    Part,
    /// So many bytes, and what is carried in them.
    Of(usize, Vec<u8>),
    /// The peer's last word.
    Last,
}

impl Framing {
    fn unwrap(self, raw: &[u8]) -> io::Result<Piece> {
        let piece = match self {
            Framing::WebSocket => unframe(raw),
            Framing::Chunked => unchunk(raw)?,
            Framing::Bare if raw.is_empty() => None,
            Framing::Bare => Some(Piece::Of(raw.len(), raw.to_vec())),
        };
        // The longest frame has a head of 14 bytes, the longest line of a chunk 34.
        match piece {
            None if raw.len() > LARGEST + 64 => Err(ErrorKind::InvalidData.into()),
            piece => Ok(piece.unwrap_or(Piece::Part)),
        }
    }
}

/// A frame of a WebSocket. `None` where it is not all there.
fn unframe(raw: &[u8]) -> Option<Piece> {
    let ([first, second], rest) = raw.split_first_chunk()?;
    let (len, rest) = match second & 0x7f {
        126 => rest.split_first_chunk().map(|(len, rest)| (u64::from(u16::from_be_bytes(*len)), rest))?,
        127 => rest.split_first_chunk().map(|(len, rest)| (u64::from_be_bytes(*len), rest))?,
        len => (u64::from(len), rest),
    };
    let (mask, rest) = match second & 0x80 {
        0 => ([0; 4], rest),
        _ => rest.split_first_chunk().map(|(mask, rest)| (*mask, rest))?,
    };
    let payload = rest.get(..usize::try_from(len).ok()?)?;
    let whole = raw.len() - rest.len() + payload.len();
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    Some(match first & 0x0f {
        0x0..=0x2 => Piece::Of(whole, payload.collect()),
        0x8 => Piece::Last,
        // Ping and pong: nobody here waits for an answer.
        _ => Piece::Of(whole, Vec::new()),
    })
}

/// A chunk. `None` where it is not all there.
fn unchunk(raw: &[u8]) -> io::Result<Option<Piece>> {
    let Some(line) = raw.windows(2).take(34).position(|two| two == b"\r\n") else {
        return if raw.len() > 34 { Err(ErrorKind::InvalidData.into()) } else { Ok(None) };
    };
    let text = String::from_utf8_lossy(&raw[..line]);
    let digits = text.split(';').next().unwrap_or_default().trim();
    let len = usize::from_str_radix(digits, 16).ok().filter(|len| *len <= LARGEST);
    let len = len.ok_or_else(|| io::Error::from(ErrorKind::InvalidData))?;
    if len == 0 {
        return Ok(Some(Piece::Last));
    }
    let (begins, ends) = (line + 2, line + 2 + len);
    let is_whole = raw.len() >= ends + 2;
    Ok(is_whole.then(|| Piece::Of(ends + 2, raw[begins..ends].to_vec())))
}

impl<R: AsyncRead + Unpin> Source<R> {
    /// The next packet, or `None` at the end.
    pub async fn packet(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self {
            Source::Own(inward) => inward.packet().await,
            Source::Other(other) => Ok(other.recv().await),
        }
    }

    /// Reads until the peer has no more to say, or is gone.
    pub async fn drain(&mut self) {
        while let Ok(Some(_)) = self.packet().await {}
    }
}

impl<W: AsyncWrite + Unpin> Outward<W> {
    pub fn server(io: W, framing: Framing) -> Outward<W> {
        Outward { io, framing, masks: false }
    }

    pub fn client(io: W, framing: Framing) -> Outward<W> {
        Outward { io, framing, masks: true }
    }

    /// Sends one packet.
    pub async fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        let framed = match self.framing {
            Framing::WebSocket => frame(0x2, packet, self.masks),
            Framing::Chunked => [format!("{:X}\r\n", packet.len()).as_bytes(), packet, b"\r\n"].concat(),
            Framing::Bare => packet.to_vec(),
        };
        self.io.write_all(&framed).await?;
        self.io.flush().await
    }

    /// Takes leave in the way of the carrier: a close frame (1000, RFC 6455 7.4.1), the last chunk.
    pub async fn finish(&mut self) -> io::Result<()> {
        let last = match self.framing {
            Framing::WebSocket => frame(0x8, &1000u16.to_be_bytes(), self.masks),
            Framing::Chunked => b"0\r\n\r\n".to_vec(),
            Framing::Bare => Vec::new(),
        };
        self.io.write_all(&last).await?;
        self.io.flush().await
    }
}

fn frame(opcode: u8, payload: &[u8], masks: bool) -> Vec<u8> {
    let (len, masked) = (payload.len(), if masks { 0x80 } else { 0 });
    let mut frame = vec![0x80 | opcode];
    match len {
        0..126 => frame.push(masked | len as u8),
        126..0x1_0000 => {
            frame.push(masked | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        _ => {
            frame.push(masked | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    // Any mask is one. This one can be told from none.
    let mask = if masks { [0x5a, 0xa5, 0x3c, 0xc3] } else { [0; 4] };
    if masks {
        frame.extend(mask);
    }
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_framed_comes_out_as_it_was() {
        for framing in [Framing::WebSocket, Framing::Chunked, Framing::Bare] {
            for masks in [false, true] {
                let packets: Vec<_> =
                    [0, 1, 117, 118, 200, 65_000, 66_000].map(|len| packet::raw(7, &vec![3; len])).into();
                let mut bytes = Vec::new();
                let mut outward = Outward { io: &mut bytes, framing, masks };
                for packet in &packets {
                    outward.send(packet).await.unwrap();
                }
                outward.finish().await.unwrap();
                let mut inward = Inward::new(&bytes[..], framing);
                for packet in packets {
                    assert_eq!(inward.packet().await.unwrap(), Some(packet), "{framing:?}");
                }
                assert_eq!(inward.packet().await.unwrap(), None, "{framing:?}");
            }
        }
    }

    #[tokio::test]
    async fn nonsense_is_an_error_or_an_end() {
        for framing in [Framing::WebSocket, Framing::Chunked, Framing::Bare] {
            for bytes in [&[0xff; 64][..], &[0; 64], b"zz\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"2\r\nab\r\n"] {
                let mut inward = Inward::new(bytes, framing);
                while let Ok(Some(_)) = inward.packet().await {}
            }
        }
    }
}
