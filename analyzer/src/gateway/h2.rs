//! HTTP/2 (RFC 9113) as far as a KDC proxy needs it: heads and bodies of every stream. The only room that names
//! `loona_hpack` (RFC 7541).

use std::collections::BTreeMap;
use std::fmt;

use loona_hpack::Decoder;

use super::head::{self, Fields};
use super::{kdc, kdcproxy};
use crate::count::counted;
use crate::event::{GatewayEvent, Transport, What};
use crate::observation::Side;

/// What a client's preface looks like to HTTP/1.1, RFC 9113 3.4: a request's head, and a line behind it.
pub(super) const PREFACE_HEAD: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A frame's header, 4.1.
const HEADER: usize = 9;
/// A head may have so many bytes, and a frame of one.
const MAX_BLOCK: usize = 128 << 10;
/// What its fields become may have so many: a byte can stand for a whole field of the table.
const MAX_FIELDS: usize = 256 << 10;
/// A dynamic table may grow so far.
const MAX_TABLE: usize = 64 << 10;
/// Streams that are kept.
const MAX_STREAMS: usize = 16;

// Frame types, 6.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;

// Their flags.
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// Both sides of a connection.
#[derive(Debug, Default)]
pub(super) struct Http2 {
    /// Client, server.
    sides: [Half; 2],
    streams: BTreeMap<u32, Stream>,
}

/// A request and its answer.
#[derive(Debug)]
struct Stream {
    transport: Transport,
    /// Bodies of client and server.
    bodies: [kdcproxy::Message; 2],
}

/// What one side sends.
#[derive(Debug, Default)]
struct Half {
    /// What is not complete: the preface, a header, or a frame that is read whole.
    kept: Vec<u8>,
    /// A body or a frame of no interest that passes.
    passing: Option<Passing>,
    /// The block of a head that goes on in further frames, and what its first frame said.
    block: Option<(Frame, Vec<u8>)>,
    table: Table,
    offset: u64,
    is_begun: bool,
    is_lost: bool,
}

/// A frame whose payload is not kept.
#[derive(Debug, Clone, Copy)]
struct Passing {
    frame: Frame,
    /// Bytes that come.
    left: u32,
    /// Of these so many at the end are padding; `None` where the byte that says so comes first.
    padding: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    len: u32,
    kind: u8,
    flags: u8,
    stream: u32,
}

/// What HPACK remembers. It is lost with the first block that is not here.
struct Table(Option<Decoder<'static>>);

impl Default for Table {
    fn default() -> Table {
        let mut decoder = Decoder::new();
        decoder.set_max_allowed_table_size(MAX_TABLE);
        Table(Some(decoder))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl Http2 {
    /// More bytes of one side, from its first on.
    pub(super) fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        let mut data = data;
        while self.step(from, &mut data, out) {}
    }

    /// `len` bytes of one side are not here.
    pub(super) fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        let half = &mut self.sides[from as usize];
        let at = half.offset;
        half.offset += len;
        if half.is_lost {
            return;
        }
        if let Some(passing) =
            half.passing.as_mut().filter(|passing| len <= passing.left.into() && passing.padding.is_some())
        {
            passing.left -= len as u32;
            let (stream, is_over) = (passing.frame.stream, passing.left == 0);
            if let Some(stream) = self.streams.get_mut(&stream) {
                stream.bodies[from as usize].lose();
            }
            if is_over {
                self.step(from, &mut &[][..], out);
            }
            return;
        }
        let says =
            format!("expected frames, found a hole of {} that hides where the next begins", counted(len, "byte"));
        self.trouble(from, at, says, out);
    }

    /// One step; whether there may be more.
    fn step(&mut self, from: Side, data: &mut &[u8], out: &mut Vec<What>) -> bool {
        let half = &mut self.sides[from as usize];
        if half.is_lost {
            half.offset += data.len() as u64;
            return false;
        }
        if half.passing.is_some() {
            return self.pass(from, data, out);
        }
        if !half.is_begun && from == Side::Client {
            if !half.fill(PREFACE.len(), data) {
                return false;
            }
            half.is_begun = true;
            if std::mem::take(&mut half.kept) != PREFACE {
                self.trouble(from, 0, "expected the preface of HTTP/2, found another".to_owned(), out);
                return false;
            }
            return true;
        }
        if !half.fill(HEADER, data) {
            return false;
        }
        let frame = Frame::read(&half.kept);
        if !matches!(frame.kind, HEADERS | PUSH_PROMISE | CONTINUATION) {
            half.kept.clear();
            let padding = if frame.kind == DATA && frame.flags & PADDED != 0 { None } else { Some(0) };
            half.passing = Some(Passing { frame, left: frame.len, padding });
            return true;
        }
        if frame.len as usize > MAX_BLOCK {
            let (at, says) =
                (half.offset, format!("expected a frame of {MAX_BLOCK} bytes at most, found {}", frame.len));
            self.trouble(from, at, says, out);
            return false;
        }
        if !half.fill(HEADER + frame.len as usize, data) {
            return false;
        }
        let payload = half.kept.split_off(HEADER);
        half.kept.clear();
        self.block(from, frame, payload, out);
        true
    }

    /// A frame passes whose payload is not kept: DATA, or one that says nothing here.
    fn pass(&mut self, from: Side, data: &mut &[u8], out: &mut Vec<What>) -> bool {
        let half = &mut self.sides[from as usize];
        let Some(passing) = &mut half.passing else { return true };
        let Passing { frame, left, padding } = *passing;
        let (taken, rest) = data.split_at(data.len().min(if padding.is_none() { 1.min(left) } else { left } as usize));
        if taken.is_empty() && left > 0 {
            return false;
        }
        *data = rest;
        half.offset += taken.len() as u64;
        passing.left -= taken.len() as u32;
        let over = passing.left;
        let Some(padding) = padding else {
            passing.padding = Some(taken.first().map_or(0, |len| u32::from(*len)));
            return true;
        };
        // So much of what came is no padding.
        let body = (left.saturating_sub(padding)).min(taken.len() as u32) as usize;
        if over == 0 {
            half.passing = None;
        }
        if frame.kind == DATA {
            let stream = self.streams.get_mut(&frame.stream);
            if let Some(stream) = stream.filter(|stream| stream.transport == Transport::KdcProxy) {
                stream.bodies[from as usize].push(&taken[..body]);
            }
            if over == 0 && frame.flags & END_STREAM != 0 {
                self.end(from, frame.stream, out);
            }
        }
        true
    }

    /// A frame with a head in it, or part of one: 6.2, 6.6, 6.10.
    fn block(&mut self, from: Side, frame: Frame, payload: Vec<u8>, out: &mut Vec<What>) {
        let half = &mut self.sides[from as usize];
        let at = half.offset;
        let (first, block) = match (half.block.take(), frame.kind) {
            (Some((first, mut block)), CONTINUATION) if first.stream == frame.stream => {
                block.extend_from_slice(&payload);
                (first, block)
            }
            (None, HEADERS | PUSH_PROMISE) => match frame.fragment(&payload) {
                Some(fragment) => (frame, fragment.to_vec()),
                None => {
                    return self.trouble(from, at, "expected the block of a head, found padding alone".to_owned(), out);
                }
            },
            (Some(_) | None, _) => {
                return self.trouble(
                    from,
                    at,
                    "expected a head in one piece, found another frame within".to_owned(),
                    out,
                );
            }
        };
        if block.len() > MAX_BLOCK {
            return self.trouble(from, at, "expected the end of a head, found more of it".to_owned(), out);
        }
        if frame.flags & END_HEADERS == 0 {
            half.block = Some((first, block));
            return;
        }
        match half.table.read(&block) {
            Ok(fields) => self.head(from, first, &fields, out),
            Err(says) => {
                half.table.0 = None;
                out.push(What::Malformed { from, layer: "http2", offset: at, says });
            }
        }
    }

    /// A head is complete.
    fn head(&mut self, from: Side, frame: Frame, fields: &[(String, Vec<u8>)], out: &mut Vec<What>) {
        let pseudo = |name: &str| {
            let value = fields.iter().find(|(own, _)| own == name).map(|(_, value)| &value[..]);
            value.map(|value| String::from_utf8_lossy(value).into_owned())
        };
        let all = Fields(fields.iter().map(|(name, value)| (name.as_str(), &value[..])).collect());
        match (from, pseudo(":method"), pseudo(":status").and_then(|status| status.parse().ok())) {
            (Side::Client, Some(method), _) => {
                let request = head::request(&method, &pseudo(":path").unwrap_or_default(), 2, &all);
                if self.streams.len() == MAX_STREAMS {
                    self.streams.pop_first();
                }
                let stream = Stream { transport: request.transport, bodies: Default::default() };
                self.streams.insert(frame.stream, stream);
                out.push(What::Gateway(GatewayEvent::Request(Box::new(request))));
            }
            (Side::Server, _, Some(status)) if frame.kind == HEADERS => {
                let stream = self.streams.get_mut(&frame.stream);
                let transport = stream.as_ref().map_or(Transport::Other, |stream| stream.transport);
                if let Some(stream) = stream.filter(|_| status != 200) {
                    stream.bodies[Side::Server as usize].lose();
                }
                let response = head::response(transport, status, "", &all);
                out.push(What::Gateway(GatewayEvent::Response(Box::new(response))));
            }
            // Fields behind a body, or a promise of what nobody asked for.
            _ => {}
        }
        if frame.flags & END_STREAM != 0 {
            self.end(from, frame.stream, out);
        }
    }

    /// One side of a stream is over.
    fn end(&mut self, from: Side, id: u32, out: &mut Vec<What>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let body = std::mem::take(&mut stream.bodies[from as usize]);
        if stream.transport == Transport::KdcProxy {
            kdc(from, body, out);
        }
        if from == Side::Server {
            self.streams.remove(&id);
        }
    }

    fn trouble(&mut self, from: Side, offset: u64, says: String, out: &mut Vec<What>) {
        let half = &mut self.sides[from as usize];
        half.is_lost = true;
        (half.kept, half.block, half.passing) = (Vec::new(), None, None);
        out.push(What::Malformed { from, layer: "http2", offset, says });
    }
}

impl Half {
    /// Keeps up to `need` bytes; whether they are here.
    fn fill(&mut self, need: usize, data: &mut &[u8]) -> bool {
        let (taken, rest) = data.split_at(need.saturating_sub(self.kept.len()).min(data.len()));
        *data = rest;
        self.kept.extend_from_slice(taken);
        self.offset += taken.len() as u64;
        self.kept.len() >= need
    }
}

impl Frame {
    fn read(header: &[u8]) -> Frame {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = header.first_chunk::<HEADER>().copied().unwrap_or_default();
        let stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
        Frame { len: u32::from_be_bytes([0, l0, l1, l2]), kind, flags, stream }
    }

    /// The part of a payload that is of the block.
    fn fragment(self, payload: &[u8]) -> Option<&[u8]> {
        let (padding, payload) = match payload.split_first() {
            Some((len, rest)) if self.flags & PADDED != 0 => (usize::from(*len), rest),
            _ => (0, payload),
        };
        let fixed = match self.kind {
            PUSH_PROMISE => 4,
            _ if self.flags & PRIORITY != 0 => 5,
            _ => 0,
        };
        payload.get(fixed..payload.len().checked_sub(padding)?)
    }
}

impl Table {
    fn read(&mut self, block: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        // What cannot be read since the table was lost was told then.
        let Some(decoder) = &mut self.0 else { return Ok(Vec::new()) };
        let (mut fields, mut room) = (Vec::new(), MAX_FIELDS);
        let read = decoder.decode_with_cb(block, |name, value| {
            let len = name.len() + value.len() + 32;
            if len <= room {
                room -= len;
                fields.push((String::from_utf8_lossy(&name).into_owned(), value.into_owned()));
            }
        });
        // The error may quote what it read: it is not said.
        read.map(|()| fields).map_err(|_| "expected a head, found none that HPACK can read".to_owned())
    }
}
