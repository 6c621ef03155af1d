//! Server redirection (\[MS-RDPBCGR\] 2.2.13.1): where to. Users, passwords and certificates are skipped, not copied.

use super::decoded::Refused;
use super::wire::{Cursor, at, utf16};
use crate::count::counted;
use crate::event::Redirection;

/// Addresses that are kept.
const MAX_ADDRESSES: usize = 16;

/// The fields that `RedirFlags` can announce, in their order in the packet.
const FIELDS: [(u32, Field); 11] = [
    (0x0000_0001, Field::Address),
    (0x0000_0002, Field::Token),
    (0x0000_0004, Field::Skipped), // user name
    (0x0000_0008, Field::Skipped), // domain
    (0x0000_0010, Field::Skipped), // password
    (0x0000_0100, Field::Fqdn),
    (0x0000_0200, Field::Netbios),
    (0x0000_1000, Field::Skipped), // TsvUrl
    (0x0000_8000, Field::Skipped), // redirection GUID
    (0x0001_0000, Field::Skipped), // target certificate
    (0x0000_0800, Field::Addresses),
];

#[derive(Clone, Copy)]
enum Field {
    Address,
    Token,
    Fqdn,
    Netbios,
    Addresses,
    Skipped,
}

/// Reads a packet, from its own flags (0x0400) on.
pub(super) fn read(packet: &[u8]) -> Result<Redirection, Refused> {
    let mut cursor = at(packet, 0);
    let fixed = cursor.u16().zip(cursor.u16()).zip(cursor.u32().zip(cursor.u32()));
    let Some((_, (session, flags))) = fixed else {
        return Err(Refused {
            at: 0,
            says: format!("expected a redirection packet, found {}", counted(packet.len(), "byte")),
        });
    };
    let mut redirection = Redirection { session, flags, ..Redirection::default() };
    for (_, field) in FIELDS.into_iter().filter(|(flag, _)| flags & flag != 0) {
        let Some(value) = cursor.long() else {
            // What stands before is told; the rest cannot be found.
            break;
        };
        match field {
            Field::Address => redirection.address = utf16(value),
            Field::Token => redirection.token_len = u32::try_from(value.len()).unwrap_or(u32::MAX),
            Field::Fqdn => redirection.fqdn = utf16(value),
            Field::Netbios => redirection.netbios = utf16(value),
            Field::Addresses => redirection.addresses = addresses(at(value, 0)),
            Field::Skipped => {}
        }
    }
    Ok(redirection)
}

/// 2.2.13.1.1: their number, then each with its length.
fn addresses(mut cursor: Cursor<'_>) -> Vec<String> {
    let count = cursor.u32().unwrap_or(0).min(MAX_ADDRESSES as u32);
    (0..count).map_while(|_| cursor.long()).filter_map(utf16).collect()
}
