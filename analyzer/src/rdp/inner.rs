//! What stands behind TLS, given its plaintext: CredSSP, RDSTLS or RDSAAD first where they were agreed on, then MCS.
//!
//! Each side's first bytes tell which it is, so that the two sides need not be in step.

#[cfg(test)]
mod tests;

use super::credssp;
use super::der::{self, Extent, SEQUENCE};
use super::mcs::Mcs;
use super::rdsaad;
use super::rdstls::{self, Length};
use super::tpkt;
use crate::count::counted;
use crate::event::{Protocols, What};
use crate::observation::Side;

/// A message of the authentication may have so many bytes: Kerberos tickets of large accounts have 64 KiB at most.
const MAX_MESSAGE: usize = 128 << 10;
/// Early User Authorization Result PDU, \[MS-RDPBCGR\] 2.2.10.2.
const AUTHORIZATION: usize = 4;

/// The layers behind TLS on one flow.
#[derive(Debug)]
pub struct Inner {
    selected: Protocols,
    /// Client, server.
    sides: [Half; 2],
    mcs: Mcs,
    is_told: bool,
    /// Whether user names are to be told.
    names: bool,
}

/// One side's authentication.
#[derive(Debug, Default)]
struct Half {
    /// The message that is not complete.
    kept: Vec<u8>,
    /// Bytes of a message that are passed over.
    skip: u64,
    /// Where the next byte stands in this side's plaintext.
    offset: u64,
    /// Messages that were read.
    messages: u32,
    /// Whether MCS has begun.
    is_over: bool,
}

/// What the first bytes of a message are.
enum Next {
    /// Too few bytes to tell.
    Short,
    /// A message of this kind and length.
    Message(Kind, usize),
    /// MCS.
    Mcs,
    /// Nothing that is known.
    Unknown(String),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    TsRequest,
    Authorization,
    Rdstls,
    Rdsaad,
}

impl Inner {
    /// Nothing said yet, behind TLS with this protocol.
    pub fn new(selected: Protocols) -> Inner {
        Inner { selected, sides: Default::default(), mcs: Mcs::behind_tls(), is_told: false, names: false }
    }

    /// The same, and tells user names, if they are to be shown.
    pub fn naming(self, names: bool) -> Inner {
        Inner { mcs: self.mcs.naming(names), names, ..self }
    }

    /// More plaintext of one side, in order, however it is cut.
    pub fn push(&mut self, from: Side, data: &[u8], out: &mut Vec<What>) {
        if data.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.is_told, true) {
            out.push(What::Unsealed);
        }
        let half = &mut self.sides[from as usize];
        if half.is_over {
            return self.mcs.push(from, data, out);
        }
        let skipped = usize::try_from(half.skip).unwrap_or(usize::MAX).min(data.len());
        half.skip -= skipped as u64;
        half.offset += skipped as u64;
        half.kept.extend_from_slice(&data[skipped..]);
        self.authenticate(from, out);
    }

    /// `len` bytes of one side's plaintext that are not here.
    pub fn missing(&mut self, from: Side, len: u64, out: &mut Vec<What>) {
        let half = &mut self.sides[from as usize];
        if half.is_over {
            return self.mcs.missing(from, len, out);
        }
        let begun = half.next(self.selected, from);
        let left = match begun {
            Next::Message(_, whole) => (whole - half.kept.len()) as u64,
            Next::Short | Next::Mcs | Next::Unknown(_) => half.skip,
        };
        half.offset += half.kept.len() as u64;
        half.kept.clear();
        half.skip = left;
        if len <= left {
            half.skip -= len;
            half.offset += len;
            return;
        }
        half.is_over = true;
        self.mcs.missing(from, len, out);
    }

    /// Reads the messages of the authentication that are complete.
    fn authenticate(&mut self, from: Side, out: &mut Vec<What>) {
        loop {
            let half = &mut self.sides[from as usize];
            match half.next(self.selected, from) {
                Next::Message(_, len) if len > MAX_MESSAGE => {
                    let says = format!("expected a message of {MAX_MESSAGE} bytes at most, found one of {len}");
                    half.pass_over(from, len, says, out);
                }
                Next::Message(kind, len) if len <= half.kept.len() => half.message(from, kind, len, self.names, out),
                Next::Short | Next::Message(..) => return,
                Next::Mcs => return self.over(from, out),
                Next::Unknown(says) => {
                    out.push(What::Malformed { from, layer: "credssp", offset: half.offset, says });
                    self.mcs.lost(from);
                    return self.over(from, out);
                }
            }
        }
    }

    fn over(&mut self, from: Side, out: &mut Vec<What>) {
        let half = &mut self.sides[from as usize];
        half.is_over = true;
        let kept = std::mem::take(&mut half.kept);
        self.mcs.push(from, &kept, out);
    }
}

impl Half {
    fn next(&self, selected: Protocols, from: Side) -> Next {
        let authorizes = from == Side::Server && selected.contains(Protocols::HYBRID_EX) && self.messages > 0;
        match *self.kept {
            [] => Next::Short,
            [tpkt::VERSION, ..] => Next::Mcs,
            [SEQUENCE, ..] => match der::extent(&self.kept) {
                Extent::Short => Next::Short,
                Extent::Known(_, len) => Next::Message(Kind::TsRequest, len),
                Extent::Bad => Next::Unknown("expected the length of a TSRequest, found none".to_owned()),
            },
            _ if authorizes => Next::Message(Kind::Authorization, AUTHORIZATION),
            _ if selected.contains(Protocols::RDSTLS) => match rdstls::length(&self.kept) {
                Length::Short => Next::Short,
                Length::Known(len) => Next::Message(Kind::Rdstls, len),
                Length::Bad => Next::Unknown("expected a PDU of RDSTLS, found something else".to_owned()),
            },
            _ if selected.contains(Protocols::RDSAAD) => match rdsaad::length(&self.kept) {
                Length::Short => Next::Short,
                Length::Known(len) => Next::Message(Kind::Rdsaad, len),
                Length::Bad => Next::Unknown("expected a text of RDSAAD, found something else".to_owned()),
            },
            [first, ..] => Next::Unknown(format!("expected a TSRequest (30) or TPKT (03), found {first:02x}")),
        }
    }

    /// Reads one message, and takes it from what is kept.
    fn message(&mut self, from: Side, kind: Kind, len: usize, names: bool, out: &mut Vec<What>) {
        let rest = self.kept.split_off(len);
        let message = std::mem::replace(&mut self.kept, rest);
        let offset = self.offset;
        self.offset += len as u64;
        self.messages += 1;
        match kind {
            Kind::TsRequest => match credssp::read(&message) {
                Some(request) => {
                    out.push(What::Credssp { from, request: Box::new(request) });
                    out.extend(names.then(|| credssp::account(&message)).flatten().map(What::Account));
                }
                None => {
                    let says = format!("expected a TSRequest with a version, found {} without", counted(len, "byte"));
                    out.push(What::Malformed { from, layer: "credssp", offset, says });
                }
            },
            Kind::Authorization => {
                let result = message.first_chunk().map_or(0, |four| u32::from_le_bytes(*four));
                out.push(What::EarlyAuthorization { result });
            }
            Kind::Rdstls => {
                let code = rdstls::result(&message).filter(|_| from == Side::Server);
                out.extend(code.map(|code| What::RdstlsResult { code }));
            }
            Kind::Rdsaad => {
                let code = rdsaad::result(&message).filter(|_| from == Side::Server);
                out.extend(code.map(|code| What::RdsaadResult { code }));
            }
        }
    }

    fn pass_over(&mut self, from: Side, len: usize, says: String, out: &mut Vec<What>) {
        out.push(What::Malformed { from, layer: "credssp", offset: self.offset, says });
        let here = len.min(self.kept.len());
        self.offset += here as u64;
        self.skip = (len - here) as u64;
        self.kept.drain(..here);
    }
}
