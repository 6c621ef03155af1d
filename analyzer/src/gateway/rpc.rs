//! RPC over HTTP version 2 (\[MS-RPCH\], \[C706\] 12.6, \[MS-RPCE\]): PDUs, one behind the other, of either channel, and what the
//! methods of TsProxyRpcInterface say in them (\[MS-TSGU\] 3.2.6).
//!
//! Requests go on one connection and come back on another, which this room does not see: what a response answers is told by
//! its shape. What is sealed (packet privacy) is counted, not read.

mod method;
mod rts;

use super::{Carried, TunnelId, carry, lack};
use crate::count::counted;
use crate::event::{GatewayEvent, RpcPdu, What};
use crate::observation::Side;
use crate::rdp::spnego;
use crate::rdp::wire::at;

/// Common header of a PDU, \[C706\] 12.6.3.1.
const HEADER: usize = 16;
/// Where the stub of a request or a response begins.
const STUB: usize = 24;
/// sec_trailer, \[MS-RPCE\] 2.2.2.11.
const TRAILER: usize = 8;
/// A call's fragments together: \[MS-TSGU\] 2.2.9.3 allows 32 KiB of data, a consent message has 64 KiB.
const MAX_STUB: usize = 192 << 10;
/// RPC_C_AUTHN_LEVEL_PKT_PRIVACY: stubs are sealed.
const PRIVACY: u8 = 6;

// pfc_flags.
const FIRST: u8 = 1;
const LAST: u8 = 2;
const OBJECT: u8 = 0x80;

/// TsProxySendToServer.
const SEND_TO_SERVER: u16 = 9;

/// Both sides of a connection, and what their PDUs are part of.
#[derive(Debug, Default)]
pub(super) struct Rpc {
    /// Client, server.
    sides: [Half; 2],
    cookie: Option<TunnelId>,
}

/// What one side sends.
#[derive(Debug, Default)]
struct Half {
    kept: Vec<u8>,
    /// Bytes of a PDU that are passed over.
    skip: u64,
    offset: u64,
    is_lost: bool,
    /// The call whose fragments are put together.
    call: Option<Call>,
    /// The call that is the receive pipe.
    pipe: Option<u32>,
}

/// A call whose fragments come.
#[derive(Debug)]
struct Call {
    id: u32,
    stub: Vec<u8>,
    /// Something of it is sealed, or not here.
    is_hidden: bool,
}

/// A PDU: its header, what stands in it, and its authentication verifier.
struct Pdu<'a> {
    kind: u8,
    flags: u8,
    call: u32,
    bytes: &'a [u8],
    token: &'a [u8],
    stub: &'a [u8],
    is_sealed: bool,
}

impl Rpc {
    /// A body with PDUs of this side begins.
    pub(super) fn begin(&mut self, from: Side) {
        self.sides[from as usize] = Half::default();
    }

    /// The cookie of the virtual connection, once it is known.
    pub(super) fn cookie(&self) -> Option<TunnelId> {
        self.cookie.clone()
    }

    /// More bytes of one side.
    pub(super) fn push(&mut self, from: Side, data: &[u8], carried: &mut Vec<Carried>, out: &mut Vec<What>) {
        let mut data = data;
        loop {
            let half = &mut self.sides[from as usize];
            match half.next(&mut data) {
                None if half.is_lost => {
                    return if half.pipe.is_some() || from == Side::Client {
                        lack(carried, from, data.len() as u64)
                    };
                }
                None => return,
                Some(Ok(pdu)) => self.pdu(from, &pdu, carried, out),
                Some(Err(says)) => {
                    let offset = half.offset - half.kept.len() as u64;
                    half.lose();
                    out.push(What::Malformed { from, layer: "rpc", offset, says });
                }
            }
        }
    }

    /// `len` bytes of one side are not here.
    pub(super) fn missing(&mut self, from: Side, len: u64, carried: &mut Vec<Carried>, out: &mut Vec<What>) {
        let half = &mut self.sides[from as usize];
        let at = half.offset;
        half.offset += len;
        if from == Side::Client || half.pipe.is_some() {
            lack(carried, from, len);
        }
        if half.is_lost {
            return;
        }
        let room = half.room();
        if let Some(call) = &mut half.call {
            call.is_hidden = true;
        }
        half.kept.clear();
        half.skip = room.saturating_sub(len);
        if len > room {
            half.lose();
            let says =
                format!("expected PDUs, found a hole of {} that hides where the next begins", counted(len, "byte"));
            out.push(What::Malformed { from, layer: "rpc", offset: at + room, says });
        }
    }

    /// Nobody knows any more where a PDU begins.
    pub(super) fn lose(&mut self, from: Side) {
        self.sides[from as usize].lose();
    }

    fn pdu(&mut self, from: Side, bytes: &[u8], carried: &mut Vec<Carried>, out: &mut Vec<What>) {
        let Some(pdu) = Pdu::read(bytes) else {
            let half = &self.sides[from as usize];
            let says = "expected a PDU with what its header says, found one that is too short".to_owned();
            let offset = half.offset - (half.kept.len() + bytes.len()) as u64;
            return out.push(What::Malformed { from, layer: "rpc", offset, says });
        };
        let told = match pdu.kind {
            0 => return self.request(from, &pdu, carried, out),
            2 => return self.response(from, &pdu, carried, out),
            3 => at(bytes, STUB).u32().map(|status| RpcPdu::Fault { status }),
            13 => at(bytes, HEADER).u16().map(|reason| RpcPdu::BindNak { reason }),
            20 => {
                let rts = rts::read(bytes);
                if let Some(cookie) = rts.cookie {
                    self.cookie = Some(TunnelId(cookie));
                }
                Some(RpcPdu::Rts { name: rts.name })
            }
            kind => bind_name(kind).map(|name| RpcPdu::Bind { name, token: spnego::read(pdu.token) }),
        };
        out.extend(told.map(|pdu| What::Gateway(GatewayEvent::Rpc { from, pdu })));
    }

    /// \[C706\] 12.6.4.9
    fn request(&mut self, from: Side, pdu: &Pdu<'_>, carried: &mut Vec<Carried>, out: &mut Vec<What>) {
        let Some(opnum) = at(pdu.bytes, 22).u16() else { return };
        let Some(call) = self.sides[from as usize].fragment(pdu) else { return };
        if opnum == SEND_TO_SERVER {
            return match method::sent(&call.stub).filter(|_| !call.is_hidden) {
                Some(data) => {
                    out.push(What::Gateway(GatewayEvent::Carried { from, len: data.len() as u64 }));
                    carry(carried, from, data);
                }
                None => lack(carried, from, call.stub.len() as u64),
            };
        }
        out.push(What::Gateway(GatewayEvent::Rpc { from, pdu: RpcPdu::Request { opnum } }));
        let message = method::request(opnum, &call.stub).filter(|_| !call.is_hidden);
        out.extend(message.map(|message| What::Gateway(GatewayEvent::Tunnel { from, message })));
    }

    /// A fragment of the receive pipe.
    fn received(from: Side, pdu: &Pdu<'_>, carried: &mut Vec<Carried>, out: &mut Vec<What>) {
        let len = pdu.stub.len() as u64;
        if pdu.is_sealed {
            return lack(carried, from, len);
        }
        out.push(What::Gateway(GatewayEvent::Carried { from, len }));
        carry(carried, from, pdu.stub);
    }

    /// \[C706\] 12.6.4.10. The receive pipe's response never ends while there is a session: what it returns is what the target
    /// says, which begins with an X.224 PDU.
    fn response(&mut self, from: Side, pdu: &Pdu<'_>, carried: &mut Vec<Carried>, out: &mut Vec<What>) {
        let half = &mut self.sides[from as usize];
        let begins = pdu.flags & (FIRST | LAST) == FIRST && matches!(pdu.stub, [3, 0, ..] | [3]) && !pdu.is_sealed;
        if begins {
            half.pipe = Some(pdu.call);
        }
        if half.pipe == Some(pdu.call) && pdu.flags & LAST == 0 {
            return Rpc::received(from, pdu, carried, out);
        }
        if half.pipe == Some(pdu.call) {
            // It ends with what the method returns.
            half.pipe = None;
            let result = result(pdu.stub).filter(|_| !pdu.is_sealed);
            return out.push(What::Gateway(GatewayEvent::Rpc { from, pdu: RpcPdu::Response { result } }));
        }
        let Some(call) = half.fragment(pdu) else { return };
        let result = result(&call.stub).filter(|_| !call.is_hidden);
        // Each TsProxySendToServer is answered so: nothing is to be said of those that went well.
        if result == Some(0) && call.stub.len() == 4 {
            return;
        }
        out.push(What::Gateway(GatewayEvent::Rpc { from, pdu: RpcPdu::Response { result } }));
        let message = method::response(&call.stub).filter(|_| !call.is_hidden);
        out.extend(message.map(|message| What::Gateway(GatewayEvent::Tunnel { from, message })));
    }
}

/// What a method returns stands at the end.
fn result(stub: &[u8]) -> Option<u32> {
    stub.last_chunk().map(|four| u32::from_le_bytes(*four))
}

impl Half {
    /// The next PDU that `data` completes.
    fn next(&mut self, data: &mut &[u8]) -> Option<Result<Vec<u8>, String>> {
        if self.is_lost {
            self.offset += data.len() as u64;
            return None;
        }
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(data.len());
        (self.skip, self.offset, *data) = (self.skip - skipped as u64, self.offset + skipped as u64, &data[skipped..]);
        if !self.fill(HEADER, data) {
            return None;
        }
        match *self.kept {
            [5, 0 | 1, kind, _, 0x10, _, ..] if kind <= 20 => {}
            _ => return Some(Err("expected a PDU of RPC (05 00), little-endian, found something else".to_owned())),
        }
        let len = self.length();
        if len < HEADER {
            return Some(Err(format!("expected the length of a PDU, found {len}")));
        }
        self.fill(len, data).then(|| Ok(std::mem::take(&mut self.kept)))
    }

    /// `frag_length`
    fn length(&self) -> usize {
        at(&self.kept, 8).u16().map_or(0, usize::from)
    }

    fn fill(&mut self, need: usize, data: &mut &[u8]) -> bool {
        let (taken, rest) = data.split_at(need.saturating_sub(self.kept.len()).min(data.len()));
        *data = rest;
        self.kept.extend_from_slice(taken);
        self.offset += taken.len() as u64;
        self.kept.len() >= need
    }

    /// How far the PDU goes that has begun.
    fn room(&self) -> u64 {
        if self.kept.len() < HEADER { self.skip } else { (self.length().max(HEADER) - self.kept.len()) as u64 }
    }

    fn lose(&mut self) {
        (self.is_lost, self.kept, self.call) = (true, Vec::new(), None);
    }

    /// Puts a fragment to those before it; gives the call where it is the last.
    fn fragment(&mut self, pdu: &Pdu<'_>) -> Option<Call> {
        let is_first = pdu.flags & FIRST != 0;
        let before = self.call.take().filter(|call| call.id == pdu.call && !is_first);
        let mut call = before.unwrap_or(Call { id: pdu.call, stub: Vec::new(), is_hidden: !is_first });
        call.is_hidden |= pdu.is_sealed || call.stub.len() + pdu.stub.len() > MAX_STUB;
        if call.stub.len() + pdu.stub.len() <= MAX_STUB {
            call.stub.extend_from_slice(pdu.stub);
        }
        if pdu.flags & LAST != 0 {
            return Some(call);
        }
        self.call = Some(call);
        None
    }
}

impl Pdu<'_> {
    fn read(bytes: &[u8]) -> Option<Pdu<'_>> {
        let [_, _, kind, flags, ..] = *bytes else { return None };
        let (token_len, call) = (usize::from(at(bytes, 10).u16()?), at(bytes, 12).u32()?);
        let token = bytes.get(bytes.len().checked_sub(token_len)?..)?;
        let (mut end, mut is_sealed) = (bytes.len() - token_len, false);
        if token_len > 0 {
            let trailer = end.checked_sub(TRAILER)?;
            let [_, level, padding, ..] = *bytes.get(trailer..)? else { return None };
            end = trailer.checked_sub(padding.into())?;
            is_sealed = level >= PRIVACY;
        }
        let begin = if kind == 0 && flags & OBJECT != 0 { STUB + 16 } else { STUB };
        let stub = match kind {
            0 | 2 => bytes.get(begin..end)?,
            _ => &[],
        };
        Some(Pdu { kind, flags, call, bytes, token, stub, is_sealed })
    }
}

/// PDUs that agree on the interface and on the authentication.
fn bind_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        11 => "bind",
        12 => "bind_ack",
        14 => "alter_context",
        15 => "alter_context_resp",
        16 => "rpc_auth_3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
