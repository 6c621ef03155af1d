//! SPNEGO (RFC 4178, \[MS-SPNG\]) and what it carries: which mechanism, and which message of it. Tickets and
//! authenticators are passed over.

use super::der::{self, OCTETS, OID, SEQUENCE};
use super::ntlm;
use crate::event::{Account, AuthMessage, Kerberos, Mechanism, Token};

/// GSS-API InitialContextToken (RFC 2743 3.1).
const GSS: u8 = 0x60;
/// NegTokenInit and NegTokenResp.
const INIT: u8 = 0xa0;
const RESPONSE: u8 = 0xa1;
/// Mechanisms that are kept of one offer.
const MAX_OFFERED: usize = 16;

// Object identifiers, their content alone.
const SPNEGO: &[u8] = &[0x2b, 6, 1, 5, 5, 2];
const NTLM: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10];
const NEGOEX: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 30];
const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
const MS_KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2];
const IAKERB: &[u8] = &[0x2b, 6, 1, 5, 2, 5];
const KERBEROS_U2U: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 3];

/// Reads one of the `negoTokens`; `None` where it is nothing known.
pub(crate) fn read(token: &[u8]) -> Option<Token> {
    let (element, _) = der::first(token).unzip();
    match element.map(|element| (element.tag, element.content)) {
        Some((INIT, content)) => Some(init(content)),
        Some((RESPONSE, content)) => Some(response(content)),
        Some((GSS, content)) => match der::first(content)? {
            // One level only: a token that is wrapped twice is none.
            (oid, inner) if oid.tagged(OID) == Some(SPNEGO) && inner.first() != Some(&GSS) => read(inner),
            (oid, _) => {
                let chosen = oid.tagged(OID).map(mechanism);
                Some(Token { chosen, message: message(token), ..Token::default() })
            }
        },
        Some(_) | None => {
            let message = message(token)?;
            let chosen = match message {
                AuthMessage::Ntlm(_) => Mechanism::Ntlm,
                AuthMessage::Kerberos(_) => Mechanism::Kerberos,
                AuthMessage::NegoEx => Mechanism::NegoEx,
            };
            Some(Token { chosen: Some(chosen), message: Some(message), ..Token::default() })
        }
    }
}

/// Whom the NTLM message in a token names, however it is wrapped: it stands in there in one piece.
pub(super) fn account(token: &[u8]) -> Option<Account> {
    let place = token.windows(ntlm::SIGNATURE.len()).position(|bytes| bytes == ntlm::SIGNATURE)?;
    ntlm::account(&token[place..])
}

fn init(content: &[u8]) -> Token {
    let mut token = Token::default();
    for part in der::all(der::inside(content, SEQUENCE).unwrap_or(content)) {
        match part.tag {
            0xa0 => {
                let offered = der::all(der::inside(part.content, SEQUENCE).unwrap_or_default());
                let offered = offered.filter_map(|oid| oid.tagged(OID)).take(MAX_OFFERED);
                token.offered = offered.map(mechanism).collect();
            }
            0xa2 => token.message = der::inside(part.content, OCTETS).and_then(message),
            _ => {}
        }
    }
    token
}

fn response(content: &[u8]) -> Token {
    let mut token = Token::default();
    for part in der::all(der::inside(content, SEQUENCE).unwrap_or(content)) {
        match part.tag {
            0xa0 => token.state = der::number(part.content).and_then(|state| u8::try_from(state).ok()),
            0xa1 => token.chosen = der::inside(part.content, OID).map(mechanism),
            0xa2 => token.message = der::inside(part.content, OCTETS).and_then(message),
            _ => {}
        }
    }
    token
}

fn mechanism(oid: &[u8]) -> Mechanism {
    match oid {
        NTLM => Mechanism::Ntlm,
        NEGOEX => Mechanism::NegoEx,
        IAKERB => Mechanism::IaKerb,
        KERBEROS | MS_KERBEROS => Mechanism::Kerberos,
        KERBEROS_U2U => Mechanism::KerberosU2u,
        other => Mechanism::Other(der::dotted(other)),
    }
}

fn message(token: &[u8]) -> Option<AuthMessage> {
    if token.starts_with(ntlm::SIGNATURE) {
        return ntlm::read(token).map(|ntlm| AuthMessage::Ntlm(Box::new(ntlm)));
    }
    if token.starts_with(b"NEGOEXTS") {
        return Some(AuthMessage::NegoEx);
    }
    kerberos(token).map(AuthMessage::Kerberos)
}

/// A Kerberos message, bare or as GSS-API wraps it (RFC 4121 4.1): mechanism, two bytes of token id, message.
fn kerberos(token: &[u8]) -> Option<Kerberos> {
    let (element, _) = der::first(token)?;
    match element.tag {
        GSS => match der::first(element.content)? {
            (_, [4, 0, ..]) => Some(Kerberos::TgtReq),
            (_, [4, 1, ..]) => Some(Kerberos::TgtRep),
            // One more level only: a message that is wrapped twice is none.
            (_, [_, _, bare @ ..]) if bare.first() != Some(&GSS) => kerberos(bare),
            _ => None,
        },
        // [APPLICATION 14], [APPLICATION 15], [APPLICATION 30] of RFC 4120.
        0x6e => Some(Kerberos::ApReq { uses_session_key: uses_session_key(element.content) }),
        0x6f => Some(Kerberos::ApRep),
        0x7e => error_code(element.content).map(|code| Kerberos::Error { code }),
        _ => None,
    }
}

/// Bit 1 of `ap-options`, RFC 4120 5.5.1.
fn uses_session_key(content: &[u8]) -> bool {
    let parts = der::inside(content, SEQUENCE).unwrap_or_default();
    let options = der::all(parts).find_map(|part| der::inside(part.tagged(0xa2)?, 0x03));
    matches!(options, Some([_, first, ..]) if first & 0x40 != 0)
}

/// `error-code`, RFC 4120 5.9.1.
pub(super) fn error_code(content: &[u8]) -> Option<u32> {
    der::all(der::inside(content, SEQUENCE)?).find_map(|part| der::number(part.tagged(0xa6)?))
}
