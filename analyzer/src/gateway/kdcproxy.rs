//! The KDC proxy (\[MS-KKDCP\] 2.2.2): a Kerberos message in the body of a request or of its answer. Tickets are passed over.

use crate::count::counted;
use crate::event::KdcMessage;
use crate::observation::Side;
use crate::rdp::der::{self, OCTETS, SEQUENCE};
use crate::rdp::kdc;
use crate::rdp::wire::latin;

/// No message is longer: a ticket has 64 KiB at most.
const MAX_MESSAGE: usize = 128 << 10;
const GENERAL_STRING: u8 = 0x1b;

/// The body of one request or answer.
#[derive(Debug, Default)]
pub(super) struct Message {
    kept: Vec<u8>,
    is_lost: bool,
}

impl Message {
    /// More of it.
    pub(super) fn push(&mut self, data: &[u8]) {
        let room = MAX_MESSAGE.saturating_sub(self.kept.len());
        if data.len() > room {
            self.lose();
        }
        if !self.is_lost {
            self.kept.extend_from_slice(data);
        }
    }

    /// Something of it is not here, or it is too long.
    pub(super) fn lose(&mut self) {
        *self = Message { kept: Vec::new(), is_lost: true };
    }

    /// It is complete. `None` where nothing is here, `Err` where it is no message.
    pub(super) fn read(self, from: Side) -> Option<Result<KdcMessage, String>> {
        if self.is_lost || self.kept.is_empty() {
            return None;
        }
        let says =
            || format!("expected a KDC proxy message, found {} of something else", counted(self.kept.len(), "byte"));
        Some(read(from, &self.kept).ok_or_else(says))
    }
}

/// KDC-PROXY-MESSAGE: [0] kerb-message with a length of four bytes in front, [1] target-domain.
fn read(from: Side, bytes: &[u8]) -> Option<KdcMessage> {
    let parts = der::inside(bytes, SEQUENCE)?;
    let wrapped = der::all(parts).find_map(|part| der::inside(part.tagged(0xa0)?, OCTETS))?;
    let kerberos = wrapped.get(4..)?;
    // [APPLICATION n] of RFC 4120; what else passes here (MS-KPASSWD) has a length first.
    let kind = kerberos.first().filter(|tag| *tag & 0xe0 == 0x60)? & 0x1f;
    Some(match from {
        Side::Client => {
            let realm = der::all(parts).find_map(|part| der::inside(part.tagged(0xa1)?, GENERAL_STRING));
            KdcMessage::Request { kind, realm: realm.and_then(latin) }
        }
        Side::Server => kdc::error(kerberos).map_or(KdcMessage::Answer { kind }, KdcMessage::Error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::KdcError;

    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, content.len() as u8][..], content].concat()
    }

    fn proxied(kerberos: &[u8], realm: Option<&str>) -> Vec<u8> {
        let message = [&(kerberos.len() as u32).to_be_bytes()[..], kerberos].concat();
        let realm = realm.map_or_else(Vec::new, |realm| tagged(0xa1, &tagged(0x1b, realm.as_bytes())));
        tagged(SEQUENCE, &[tagged(0xa0, &tagged(OCTETS, &message)), realm].concat())
    }

    #[test]
    fn messages_both_ways() {
        let skew = tagged(0x7e, &tagged(SEQUENCE, &[0xa6, 3, 2, 1, 37]));
        for (from, bytes, expected) in [
            (
                Side::Client,
                proxied(&[0x6a, 0], Some("AD.EXAMPLE")),
                Some(KdcMessage::Request { kind: 10, realm: Some("AD.EXAMPLE".into()) }),
            ),
            (Side::Client, proxied(&[0x6c, 0], None), Some(KdcMessage::Request { kind: 12, realm: None })),
            (Side::Server, proxied(&[0x6b, 0], None), Some(KdcMessage::Answer { kind: 11 })),
            (Side::Server, proxied(&skew, None), Some(KdcMessage::Error(KdcError { code: 37, service: None }))),
            (Side::Server, b"<html>".to_vec(), None),
            (Side::Server, proxied(&[0, 10, 0, 1], None), None),
        ] {
            let mut message = Message::default();
            bytes.iter().for_each(|byte| message.push(&[*byte]));
            assert_eq!(message.read(from).and_then(Result::ok), expected);
        }
    }

    #[test]
    fn a_hole_is_no_message() {
        let mut message = Message::default();
        message.push(b"x");
        message.lose();
        message.push(b"y");
        assert_eq!(message.read(Side::Client), None);
    }
}
