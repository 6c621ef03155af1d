//! Where one PDU of RDP ends and the next begins: TPKT (RFC 1006) or fast-path (\[MS-RDPBCGR\] 2.2.9.1.2).
//!
//! The beginning of a PDU is kept until it is complete; the rest is passed by counting.

use super::tpkt::{self, Header};
use crate::count::counted;
use crate::event::What;
use crate::observation::Side;

/// Enough for the headers of every PDU: the security header of a Send Data Request ends at byte 19, the result of a
/// Connect-Response stands before byte 20.
pub(super) const HEAD: usize = 32;

/// The PDUs of one side.
#[derive(Debug)]
pub(super) struct Frames {
    /// How much of a PDU in TPKT is kept.
    keep: usize,
    /// The beginning of the PDU that is being read.
    head: Vec<u8>,
    /// Bytes of it that have passed; more than `head` holds, if it is long.
    have: usize,
    /// How long it is, once that is known.
    len: Option<usize>,
    /// Where the next byte stands in this side's stream.
    offset: u64,
    /// Whether a PDU was understood before: fast-path cannot come first.
    spoke: bool,
    is_lost: bool,
    complained: bool,
}

/// A PDU that is complete, with its headers.
#[derive(Debug)]
pub(super) struct Frame {
    /// Its beginning: as much as is kept, or as stands before a hole in it.
    pub head: Vec<u8>,
    /// How long it is.
    pub len: usize,
    /// Where it begins in its side's stream.
    pub offset: u64,
}

impl Frame {
    /// Whether all of it is here.
    pub(super) fn is_whole(&self) -> bool {
        self.head.len() == self.len
    }
}

impl Frames {
    /// The first byte is still to come; of a PDU in TPKT so many bytes are kept.
    pub(super) fn keeping(keep: usize) -> Frames {
        Frames {
            keep,
            head: Vec::new(),
            have: 0,
            len: None,
            offset: 0,
            spoke: false,
            is_lost: false,
            complained: false,
        }
    }

    /// What is known not to be a PDU is passed over, up to the next that can be told.
    pub(super) fn lost(&mut self) {
        (self.is_lost, self.complained) = (true, true);
    }

    /// Of fast-path only the header is of use.
    fn limit(&self) -> usize {
        if self.head.first() == Some(&tpkt::VERSION) { self.keep } else { HEAD.min(self.keep) }
    }

    /// The next PDU that `data` completes; `data` is cut by what was used.
    pub(super) fn next(&mut self, from: Side, data: &mut &[u8], out: &mut Vec<What>) -> Option<Frame> {
        loop {
            match self.len {
                None => self.begin(from, data, out)?,
                Some(len) if self.have < len => self.go_on(len, data)?,
                Some(len) => return Some(self.finish(len)),
            }
        }
    }

    /// Reads a header byte by byte, until it tells a length.
    fn begin(&mut self, from: Side, data: &mut &[u8], out: &mut Vec<What>) -> Option<()> {
        if self.is_lost && self.head.is_empty() {
            let (none, rest) = data.split_at(beginning(data));
            self.pass(none.len(), rest, data);
        }
        let (first, rest) = data.split_first()?;
        self.head.push(*first);
        self.pass(1, rest, data);
        if self.is_lost {
            self.search();
            return Some(());
        }
        match frame(&self.head, self.spoke) {
            Header::Short => {}
            Header::Length(len) => self.len = Some(len),
            Header::Bad(says) => self.lose(from, says, out),
        }
        Some(())
    }

    fn go_on(&mut self, len: usize, data: &mut &[u8]) -> Option<()> {
        let (taken, rest) = data.split_at(data.len().min(len - self.have));
        let kept = taken.len().min(self.limit().saturating_sub(self.head.len()));
        // A hole ends what is kept: bytes behind it are not where they seem to be.
        if self.head.len() == self.have {
            self.head.extend_from_slice(&taken[..kept]);
        }
        self.pass(taken.len(), rest, data);
        (!taken.is_empty()).then_some(())
    }

    fn pass<'a>(&mut self, len: usize, rest: &'a [u8], data: &mut &'a [u8]) {
        self.have += len;
        self.offset = self.offset.saturating_add(len as u64);
        *data = rest;
    }

    fn finish(&mut self, len: usize) -> Frame {
        self.spoke = true;
        self.restart();
        Frame { head: std::mem::take(&mut self.head), len, offset: self.offset.saturating_sub(len as u64) }
    }

    fn restart(&mut self) {
        self.have = 0;
        self.len = None;
    }

    pub(super) fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        let left = self.len.map_or(0, |whole| (whole - self.have) as u64);
        if len <= left {
            self.offset = self.offset.saturating_add(len);
            self.have += len as usize;
            return;
        }
        let says = format!("expected PDUs, found a hole of {} that hides where the next begins", counted(len, "byte"));
        self.lose(from, says, out);
        self.head.clear();
        self.offset = self.offset.saturating_add(len);
    }

    fn lose(&mut self, from: Side, says: String, out: &mut Vec<What>) {
        let offset = self.offset.saturating_sub(self.have as u64);
        self.restart();
        self.is_lost = true;
        if !self.complained {
            out.push(What::Malformed { from, layer: "tpkt", offset, says });
        }
        self.complained = true;
    }

    /// Whether this is TPKT with X.224 Data in it; if not, what cannot be its beginning is passed over.
    fn search(&mut self) {
        match *self.head {
            [tpkt::VERSION, 0, high, low, 0x02, 0xf0, 0x80] if [high, low] > [0, 7] => {
                self.is_lost = false;
                self.have = self.head.len();
                self.len = Some(u16::from_be_bytes([high, low]).into());
            }
            [_, _, _, _, _, _, _, ..] => drop(self.head.drain(..1 + beginning(&self.head[1..]))),
            _ => {}
        }
    }
}

/// Where TPKT may begin; behind all of it where it cannot.
fn beginning(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == tpkt::VERSION).unwrap_or(bytes.len())
}

/// How long a PDU is: TPKT, or fast-path (2.2.9.1.2), whose first two bits are 0 and whose length has one byte or two.
fn frame(head: &[u8], may_be_fast: bool) -> Header {
    let len = match *head {
        [first, ..] if first & 3 != 0 || !may_be_fast => return tpkt::read(head),
        [_, short] if short & 0x80 == 0 => usize::from(short),
        [_, high, low] => usize::from(u16::from_be_bytes([high & 0x7f, low])),
        _ => return Header::Short,
    };
    match len {
        _ if len > head.len() => Header::Length(len),
        _ => Header::Bad(format!("expected a fast-path length above {}, found {len}", head.len())),
    }
}
