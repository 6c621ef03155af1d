//! What a server says that does not want a session, or no more: a refusal for each phase behind TLS, the reason of an end,
//! and where to go instead.

use super::{IO, SERVER, ber, data, domain_parameters, from_client, from_server, share_control, share_data};

/// 2.2.1.4 Server MCS Connect Response PDU with a `result` that is none (T.125 7) and without user data.
pub fn connect_refused(result: u8) -> Vec<u8> {
    let body = [
        &[0x0a, 0x01, result, 0x02, 0x01, 0x00][..],
        &domain_parameters([34, 3, 0, 1, 0, 1, 0xfff8, 2]),
        &ber(&[0x04], &[]),
    ];
    data(&ber(&[0x7f, 0x66], &body.concat()))
}

/// MCS Disconnect Provider Ultimatum with this reason (T.125 7): 1 provider-initiated, 3 user-requested.
pub fn ultimatum(reason: u8) -> Vec<u8> {
    data(&[0x20 | reason >> 1, reason << 7])
}

/// 2.2.1.12 Server License Error PDU with this code; the session is over (ST_TOTAL_ABORT).
pub fn licence_error(code: u32) -> Vec<u8> {
    from_server(&licensing_error(code, 1))
}

/// The same, of a client that does not go on.
pub fn licence_error_of_client(code: u32) -> Vec<u8> {
    from_client(&licensing_error(code, 1))
}

fn licensing_error(code: u32, transition: u32) -> Vec<u8> {
    let head = [0x80, 0x00, 0x00, 0x00, 0xff, 0x03, 0x10, 0x00];
    [&head[..], &code.to_le_bytes(), &transition.to_le_bytes(), &[4, 0, 0, 0]].concat()
}

/// \[MS-RDPELE\] 2.2.2.1 Server License Request, cut down to its preamble and the server's random.
pub fn licence_request() -> Vec<u8> {
    from_server(&[&[0x80, 0, 0, 0, 0x01, 0x03, 36, 0][..], &[0x5a; 32]].concat())
}

/// \[MS-RDPELE\] 2.2.2.2 Client New License Request, cut down likewise.
pub fn licence_new_request() -> Vec<u8> {
    from_client(&[&[0x80, 0, 0, 0, 0x13, 0x03, 44, 0][..], &[1, 0, 0, 0, 0, 0, 0xff, 2], &[0x5a; 32]].concat())
}

/// 2.2.5.1 Set Error Info PDU.
pub fn error_info(code: u32) -> Vec<u8> {
    from_server(&share_data(0x2f, SERVER, &code.to_le_bytes()))
}

/// 2.2.4.1 Auto-Reconnect Status PDU: the cookie is refused.
pub fn auto_reconnect_refused() -> Vec<u8> {
    from_server(&share_data(0x32, SERVER, &[0; 4]))
}

/// 2.2.10.1 Save Session Info PDU with Logon Errors (2.2.10.1.1.4.1.1): type and data.
pub fn logon_error(kind: u32, data: u32) -> Vec<u8> {
    let errors = [kind.to_le_bytes(), data.to_le_bytes()].concat();
    let body = [
        &3u32.to_le_bytes()[..], // INFOTYPE_LOGON_EXTENDED_INFO
        &18u16.to_le_bytes(),
        &2u32.to_le_bytes(), // LOGON_EX_LOGONERRORS
        &8u32.to_le_bytes(),
        &errors,
        &[0; 570],
    ];
    from_server(&share_data(0x26, SERVER, &body.concat()))
}

/// 2.2.3.1 Deactivate All PDU.
pub fn deactivate_all() -> Vec<u8> {
    from_server(&share_control(0x16, SERVER, &[&0x0001_03eau32.to_le_bytes()[..], &[1, 0, 0]].concat()))
}

/// 2.2.13.3.1 Enhanced Security Server Redirection PDU: to this address, by LB_TARGET_NET_ADDRESS.
pub fn redirection(address: &str) -> Vec<u8> {
    const TARGET_NET_ADDRESS: u32 = 1;
    let target: Vec<u8> = address.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let fields = [
        &7u32.to_le_bytes()[..], // SessionID
        &TARGET_NET_ADDRESS.to_le_bytes(),
        &(target.len() as u32).to_le_bytes(),
        &target,
        &[0; 8], // padding
    ]
    .concat();
    let packet = [&0x0400u16.to_le_bytes()[..], &(fields.len() as u16 + 4).to_le_bytes(), &fields].concat();
    from_server(&share_control(0x1a, SERVER, &[&[0, 0][..], &packet, &[0]].concat()))
}

/// 2.2.1.9 Server MCS Channel Join Confirm PDU for the I/O channel with a `result` that is none: rt-no-such-channel.
pub fn join_refused() -> Vec<u8> {
    data(&[&[0x3c, 0x60, 0, 6][..], &IO.to_be_bytes()].concat())
}

/// Whether the server says that it closes: a client waits for that.
pub fn is_ultimatum(pdu: &[u8]) -> bool {
    matches!(*pdu, [3, _, _, _, _, _, _, 0x20..=0x23, ..])
}

/// Whether a client leaves behind this PDU: a refusal of this file, an errorCode, a redirection.
pub fn is_last_word(pdu: &[u8]) -> bool {
    // Behind TPKT, X.224 Data and MCS Send Data Indication with a length of one byte.
    const USER: usize = 14;
    match *pdu {
        [0x30, _, 0xa0, 3, 2, 1, _, 0xa4, ..] => true,
        [0x30, ..] => pdu.ends_with(&[0xa0, 3, 0x0a, 1, 2]),
        [3, _, _, _, _, _, _, 0x7f, 0x66, _, 0x0a, 1, result, ..] => result != 0,
        [3, _, _, _, _, _, _, 0x3c, ..] => true,
        [3, _, _, _, _, _, _, 0x68, ..] => match pdu.get(USER..) {
            Some([0x80, 0, _, _, 0xff, _, _, _, code, ..]) => *code != 7,
            Some([_, _, 0x1a, ..]) => true,
            Some(_) | None => false,
        },
        _ => false,
    }
}
