//! RTS PDUs (\[MS-RPCH\] 2.2.4): a name for each, by its flags and commands, and the cookie of the virtual connection.

use std::fmt::Write as _;

use crate::rdp::wire::{Cursor, at};

/// Where the commands begin: behind the common header, `Flags` and `NumberOfCommands`.
const FLAGS: usize = 16;
/// Commands that a PDU of the table has at most.
const MAX_COMMANDS: usize = 8;

/// What an RTS PDU says.
pub(super) struct Rts {
    pub(super) name: &'static str,
    /// The virtual connection's cookie, hex, where the PDU has it.
    pub(super) cookie: Option<String>,
}

// Commands, 2.2.3.5.
const WINDOW: u32 = 0;
const ACK: u32 = 1;
const TIMEOUT: u32 = 2;
const COOKIE: u32 = 3;
const LIFETIME: u32 = 4;
const KEEPALIVE: u32 = 5;
const VERSION: u32 = 6;
const EMPTY: u32 = 7;
const PADDING: u32 = 8;
const NEGATIVE_ANCE: u32 = 9;
const ANCE: u32 = 10;
const ADDRESS: u32 = 11;
const GROUP: u32 = 12;
const DESTINATION: u32 = 13;
const PING_TRAFFIC: u32 = 14;

// Flags, 2.2.3.6.
const PING: u16 = 0x1;
const OTHER: u16 = 0x2;
const RECYCLE: u16 = 0x4;
const IN: u16 = 0x8;
const OUT: u16 = 0x10;
const EOF: u16 = 0x20;
const ECHO: u16 = 0x40;

/// Flags, commands and name of each. Where two have the same, the names of both are one.
#[rustfmt::skip]
const TABLE: &[(u16, &[u32], &str)] = &[
    (0, &[VERSION, COOKIE, COOKIE, WINDOW], "CONN/A1"),
    (OUT, &[VERSION, COOKIE, COOKIE, LIFETIME, WINDOW], "CONN/A2"),
    (0, &[TIMEOUT], "CONN/A3"),
    (0, &[VERSION, COOKIE, COOKIE, LIFETIME, KEEPALIVE, GROUP], "CONN/B1"),
    (IN, &[VERSION, COOKIE, COOKIE, WINDOW, TIMEOUT, GROUP, ADDRESS], "CONN/B2"),
    (0, &[WINDOW, VERSION], "CONN/B3"),
    (0, &[VERSION, WINDOW, TIMEOUT], "CONN/C2"),
    (RECYCLE, &[VERSION, COOKIE, COOKIE, COOKIE], "IN_R/A1"),
    (IN | RECYCLE, &[VERSION, COOKIE, COOKIE, COOKIE, WINDOW, TIMEOUT], "IN_R1/A2"),
    (0, &[DESTINATION, VERSION, WINDOW, TIMEOUT], "IN_R1/A4"),
    (0, &[COOKIE], "IN_R1/A5"),
    (0, &[EMPTY], "IN_R1/B1"),
    (0, &[WINDOW], "IN_R1/B2"),
    (0, &[DESTINATION], "IN_R2/A4"),
    (RECYCLE, &[DESTINATION], "OUT_R/A2"),
    (RECYCLE, &[VERSION, COOKIE, COOKIE, COOKIE, WINDOW], "OUT_R/A3"),
    (OUT | RECYCLE, &[VERSION, COOKIE, COOKIE, COOKIE, LIFETIME, WINDOW, TIMEOUT], "OUT_R1/A4"),
    (OUT, &[DESTINATION, VERSION, TIMEOUT], "OUT_R1/A6"),
    (OUT, &[DESTINATION, COOKIE], "OUT_R/A8"),
    (0, &[ANCE], "OUT_R1/A10"),
    (0, &[DESTINATION, ANCE], "OUT_R2/A6"),
    (0, &[DESTINATION, COOKIE, VERSION], "OUT_R2/A7"),
    (0, &[NEGATIVE_ANCE], "OUT_R2/B2"),
    (EOF, &[ANCE], "OUT_R2/B3"),
    (OTHER, &[KEEPALIVE], "Keep-Alive"),
    (OTHER, &[PING_TRAFFIC], "Ping Traffic Sent Notify"),
    (OTHER, &[ACK], "FlowControlAck"),
    (OTHER, &[DESTINATION, ACK], "FlowControlAckWithDestination"),
    (ECHO, &[], "Echo"),
    (PING, &[], "Ping"),
];

/// PDUs that name the virtual connection, in their first cookie.
const NAMES_CONNECTION: [&str; 4] = ["CONN/A1", "CONN/B1", "IN_R/A1", "OUT_R/A3"];

/// Reads an RTS PDU.
pub(super) fn read(pdu: &[u8]) -> Rts {
    let mut cursor = at(pdu, FLAGS);
    let (flags, count) = (cursor.u16().unwrap_or_default(), cursor.u16().unwrap_or_default());
    let (mut commands, mut cookie) = (Vec::new(), None);
    for _ in 0..usize::from(count).min(MAX_COMMANDS) {
        let Some((command, value)) = command(&mut cursor) else { break };
        commands.push(command);
        if command == COOKIE {
            cookie = cookie.or(Some(value));
        }
    }
    let known = TABLE
        .iter()
        .find(|(own, all, _)| *own == flags && **all == commands[..] && commands.len() == usize::from(count));
    let name = known.map_or("another RTS PDU", |(_, _, name)| name);
    Rts { name, cookie: cookie.filter(|_| NAMES_CONNECTION.contains(&name)).map(hex) }
}

/// A command and what stands in it.
fn command<'a>(cursor: &mut Cursor<'a>) -> Option<(u32, &'a [u8])> {
    let command = cursor.u32()?;
    let len = match command {
        WINDOW | TIMEOUT | LIFETIME | KEEPALIVE | VERSION | DESTINATION | PING_TRAFFIC => 4,
        COOKIE | GROUP => 16,
        ACK => 24,
        EMPTY | NEGATIVE_ANCE | ANCE => 0,
        PADDING => cursor.u32()? as usize,
        // An address of four bytes or sixteen, and twelve bytes of padding.
        ADDRESS => 12 + if cursor.u32()? == 0 { 4 } else { 16 },
        _ => return None,
    };
    Some((command, cursor.take(len)?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
