//! What a client sends before its own protocol: headers of the PROXY protocol, taken off and told. Whatever the connection is,
//! RDP or TLS with a gateway, they stand before its first byte.

use crate::event::What;
use crate::observation::Side;
use crate::proxy_protocol::{self, Read};
use crate::rdp::prelude::MAX_HEADERS;

/// The beginning of what a client says on one connection.
#[derive(Debug, Default)]
pub(super) struct Lead {
    /// What may become a header.
    kept: Vec<u8>,
    headers: usize,
    is_over: bool,
}

impl Lead {
    /// Whether the protocol itself has begun.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// More bytes of the client. Gives those of the protocol itself, once it begins.
    pub(super) fn push(&mut self, data: &[u8], out: &mut Vec<What>) -> Vec<u8> {
        self.kept.extend_from_slice(data);
        let mut behind = 0;
        while !self.is_over {
            match proxy_protocol::read(self.kept.get(behind..).unwrap_or_default()) {
                Read::Short => break,
                Read::None => self.is_over = true,
                Read::Header(header, len) => {
                    behind += len;
                    self.headers += 1;
                    self.is_over = self.headers == MAX_HEADERS;
                    out.push(What::ProxyHeader(Box::new(header)));
                }
            }
        }
        self.kept.drain(..behind);
        if self.is_over { std::mem::take(&mut self.kept) } else { Vec::new() }
    }

    /// Bytes of the client that are not here: so many, with those that may have been the beginning of a header. What they were
    /// nobody can tell.
    pub(super) fn missing(&mut self, len: u64) -> u64 {
        self.is_over = true;
        len + std::mem::take(&mut self.kept).len() as u64
    }

    /// The connection ends. Gives what the client has begun and not completed, where it was the client that ended it: then it is
    /// no header. Where somebody else did, it may have become one.
    pub(super) fn closed(&mut self, from: Option<Side>) -> Vec<u8> {
        self.is_over = true;
        let kept = std::mem::take(&mut self.kept);
        if from == Some(Side::Client) { kept } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 3389\r\n";

    /// What comes through of this, byte by byte, and how many headers were told.
    fn pass(bytes: &[u8]) -> (Vec<u8>, usize) {
        let (mut lead, mut out, mut passed) = (Lead::default(), Vec::new(), Vec::new());
        for byte in bytes {
            match lead.is_over() {
                true => passed.push(*byte),
                false => passed.extend(lead.push(&[*byte], &mut out)),
            }
        }
        (passed, out.len())
    }

    #[test]
    fn headers_are_taken_off_and_nothing_else() {
        let request: &[u8] = &[3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0];
        for (headers, count) in [(Vec::new(), 0), (LINE.to_vec(), 1), (LINE.repeat(3), 3)] {
            assert_eq!(pass(&[&headers, request].concat()), (request.to_vec(), count));
        }
        assert_eq!(pass(b"POST / HTTP"), (b"POST / HTTP".to_vec(), 0));
        let more = [&LINE.repeat(MAX_HEADERS), LINE].concat();
        assert_eq!(pass(&more), (LINE.to_vec(), MAX_HEADERS), "a bound");
    }

    #[test]
    fn a_header_that_is_cut_is_what_ended_it_says() {
        for (from, rest) in [(Some(Side::Client), &LINE[..7]), (Some(Side::Server), b""), (None, b"")] {
            let (mut lead, mut out) = (Lead::default(), Vec::new());
            assert_eq!(lead.push(&LINE[..7], &mut out), b"");
            assert_eq!(lead.closed(from), rest);
        }
        let (mut lead, mut out) = (Lead::default(), Vec::new());
        assert_eq!(lead.push(&LINE[..7], &mut out), b"");
        assert_eq!((lead.missing(30), lead.is_over()), (37, true));
    }
}
