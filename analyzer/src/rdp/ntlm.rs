//! NTLM messages (\[MS-NLMP\] 2.2.1): flags, version, target information. Responses, hashes and session keys are passed
//! over and never copied.

use super::wire::{at, latin, utf16};
use crate::event::{Account, Naming, Ntlm, NtlmKind, NtlmNames};

/// How every message begins.
pub(super) const SIGNATURE: &[u8] = b"NTLMSSP\0";
/// NTLMSSP_NEGOTIATE_VERSION: the Version field is filled in.
const NEGOTIATE_VERSION: u32 = 0x0200_0000;
/// Where the target information stands in an NTLMv2 response: behind the proof (16) and the client challenge's fixed
/// part (28), 2.2.2.7 and 2.2.2.8.
const PAIRS_IN_RESPONSE: usize = 16 + 28;
/// NTLMSSP_NEGOTIATE_UNICODE: texts are UTF-16.
const NEGOTIATE_UNICODE: u32 = 0x1;
/// Length of an NTLMv1 response.
const V1_RESPONSE: usize = 24;
/// Pairs that are read.
const MAX_PAIRS: usize = 32;

/// Reads a message; `None` where it is none.
pub(super) fn read(message: &[u8]) -> Option<Ntlm> {
    let kind = match at(message.strip_prefix(SIGNATURE)?, 0).u32()? {
        1 => NtlmKind::Negotiate,
        2 => NtlmKind::Challenge,
        3 => NtlmKind::Authenticate,
        _ => return None,
    };
    // Where `NegotiateFlags`, `Version` and the field that leads to the target information stand.
    let (flags, version, target) = match kind {
        NtlmKind::Negotiate => (12, 32, None),
        NtlmKind::Challenge => (20, 48, field(message, 40)),
        NtlmKind::Authenticate => (60, 64, field(message, 20)),
    };
    let flags = at(message, flags).u32().unwrap_or_default();
    let mut read = Ntlm {
        kind,
        flags,
        version: (flags & NEGOTIATE_VERSION != 0).then(|| version_at(message, version)).flatten(),
        pairs: Vec::new(),
        names: NtlmNames::default(),
        timestamp: None,
        channel_binding: None,
        has_user: kind == NtlmKind::Authenticate && field(message, 36).is_some_and(|user| !user.is_empty()),
        is_v1: kind == NtlmKind::Authenticate && target.is_some_and(|response| response.len() == V1_RESPONSE),
    };
    match (kind, target) {
        (NtlmKind::Challenge, Some(pairs)) => read.learn(pairs),
        (NtlmKind::Authenticate, Some(response)) => read.learn(response.get(PAIRS_IN_RESPONSE..).unwrap_or_default()),
        (NtlmKind::Negotiate, _) | (NtlmKind::Challenge | NtlmKind::Authenticate, None) => {}
    }
    Some(read)
}

/// Whom an AUTHENTICATE names: DomainNameFields and UserNameFields, 2.2.1.3.
pub(super) fn account(message: &[u8]) -> Option<Account> {
    let kind = at(message.strip_prefix(SIGNATURE)?, 0).u32()?;
    let is_wide = at(message, 60).u32().unwrap_or_default() & NEGOTIATE_UNICODE != 0;
    let text = |place| {
        let field = field(message, place).unwrap_or_default();
        if is_wide { utf16(field) } else { latin(field) }.unwrap_or_default()
    };
    (kind == 3).then(|| Account { by: Naming::Ntlm, domain: text(28), user: text(36) })
}

/// What a field of length, maximal length and offset leads to.
fn field(message: &[u8], place: usize) -> Option<&[u8]> {
    let mut cursor = at(message, place);
    let (len, _, offset) = (cursor.u16()?, cursor.u16()?, cursor.u32()?);
    at(message, usize::try_from(offset).ok()?).take(len.into())
}

fn version_at(message: &[u8], place: usize) -> Option<(u8, u8, u16)> {
    let mut cursor = at(message, place);
    let (major, minor, build) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    (major != 0).then_some((major, minor, build))
}

impl Ntlm {
    /// AV_PAIRs, 2.2.2.1, up to MsvAvEOL.
    fn learn(&mut self, pairs: &[u8]) {
        let mut cursor = at(pairs, 0);
        while let (Some(id), Some(len)) = (cursor.u16(), cursor.u16()) {
            let Some(value) = cursor.take(len.into()).filter(|_| id != 0 && self.pairs.len() < MAX_PAIRS) else {
                return;
            };
            self.pairs.push(id);
            match id {
                1 => self.names.netbios_computer = utf16(value),
                2 => self.names.netbios_domain = utf16(value),
                3 => self.names.dns_computer = utf16(value),
                4 => self.names.dns_domain = utf16(value),
                7 => self.timestamp = at(value, 0).u64(),
                9 => self.names.target = utf16(value),
                10 => self.channel_binding = Some(value.iter().any(|byte| *byte != 0)),
                _ => {}
            }
        }
    }
}
