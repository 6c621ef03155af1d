//! Kerberos between a client and its domain controller on port 88, TCP or UDP: the errors, which stand there in clear
//! (RFC 4120, 5.9.1 and 7.2). Tickets are passed over.

use super::der::{self, SEQUENCE};
use super::spnego;
use crate::event::KdcError;

/// Where domain controllers listen.
pub const PORT: u16 = 88;
/// No answer of a domain controller is longer: a ticket has 64 KiB at most.
const MAX_MESSAGE: usize = 128 << 10;
/// KRB-ERROR: [APPLICATION 30].
const ERROR: u8 = 0x7e;
const GENERAL_STRING: u8 = 0x1b;
/// Parts of a service name that are kept, and characters of each.
const MAX_PARTS: usize = 4;
const MAX_TEXT: usize = 128;

/// What a domain controller says on one connection.
#[derive(Debug, Default)]
pub struct Answers {
    kept: Vec<u8>,
    is_lost: bool,
}

impl Answers {
    /// More bytes of it, in order: each message has its length in front, four bytes. Gives the first error that they
    /// complete, if it is one that matters.
    pub fn push(&mut self, data: &[u8]) -> Option<KdcError> {
        if self.is_lost {
            return None;
        }
        self.kept.extend_from_slice(data);
        let mut found = None;
        while let Some((len, rest)) = self.kept.split_first_chunk() {
            let len = u32::from_be_bytes(*len) as usize;
            if len > MAX_MESSAGE {
                self.lose();
                break;
            }
            let Some(message) = rest.get(..len) else { break };
            found = found.or_else(|| error(message));
            self.kept.drain(..4 + len);
        }
        found
    }

    /// What comes now cannot be told apart.
    pub fn lose(&mut self) {
        *self = Answers { kept: Vec::new(), is_lost: true };
    }
}

/// The error in a datagram, which is one message.
pub fn datagram(payload: &[u8]) -> Option<KdcError> {
    error(payload)
}

/// A KRB-ERROR: [6] error-code, [9] realm, [10] sname.
pub(crate) fn error(message: &[u8]) -> Option<KdcError> {
    let content = der::inside(message, ERROR)?;
    let code = spnego::error_code(content)?;
    let parts = der::inside(content, SEQUENCE)?;
    let service = der::all(parts).find_map(|part| name(part.tagged(0xaa)?));
    Some(KdcError { code, service })
}

/// PrincipalName, RFC 4120 5.2.2: [1] is a sequence of its parts.
fn name(principal: &[u8]) -> Option<String> {
    let strings =
        der::all(der::inside(principal, SEQUENCE)?).find_map(|part| der::inside(part.tagged(0xa1)?, SEQUENCE))?;
    let parts = der::all(strings).filter_map(|part| part.tagged(GENERAL_STRING)).take(MAX_PARTS);
    let parts: Vec<String> =
        parts.map(|part| part.iter().take(MAX_TEXT).map(|byte| visible(*byte)).collect()).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn visible(byte: u8) -> char {
    if (0x20..0x7f).contains(&byte) { char::from(byte) } else { char::REPLACEMENT_CHARACTER }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KRB-ERROR 37 for TERMSRV/host, as short as it goes.
    fn skew() -> Vec<u8> {
        let names = [&[0x1b, 7][..], b"TERMSRV", &[0x1b, 4], b"host"].concat();
        let names = [&[0xa1, names.len() as u8 + 2, 0x30, names.len() as u8][..], &names].concat();
        let sname = [&[0x30, names.len() as u8 + 5, 0xa0, 3, 2, 1, 2][..], &names].concat();
        let parts = [&[0xa0, 3, 2, 1, 5, 0xa6, 3, 2, 1, 37, 0xaa, sname.len() as u8][..], &sname].concat();
        let message = [&[0x7e, parts.len() as u8 + 2, 0x30, parts.len() as u8][..], &parts].concat();
        [&[0, 0, 0, message.len() as u8][..], &message].concat()
    }

    #[test]
    fn an_error_is_read_however_it_is_cut_and_behind_other_answers() {
        let stream = [&[0, 0, 0, 2, 0x6b, 0][..], &skew()].concat();
        let told = Some(KdcError { code: 37, service: Some("TERMSRV/host".into()) });
        assert_eq!(Answers::default().push(&stream), told);
        let mut answers = Answers::default();
        assert_eq!(stream.iter().find_map(|byte| answers.push(&[*byte])), told);
    }

    #[test]
    fn what_is_no_kerberos_is_left_alone() {
        let mut answers = Answers::default();
        assert_eq!(answers.push(b"HTTP/1.1 400 Bad Request\r\n"), None);
        assert_eq!(answers.push(&skew()), None);
        assert!(answers.kept.is_empty());
    }
}
