//! The one PDU that an RDP server says in clear where something else is expected of it: a Disconnect Provider Ultimatum
//! (ITU-T T.125, 7). Servers that give TLS up, or do not take the connection request, end with it.

/// Bytes of a TPKT header (RFC 1006, 6), of X.224 Data (13.7), and of the PDU: six bits of choice and three of reason.
const LEN: usize = 4 + 3 + 2;
/// RFC 1006, 6: the shortest TPKT holds a TPDU of three bytes.
const SHORTEST: u16 = 7;

/// The reason of a Disconnect Provider Ultimatum in a TPKT, if these bytes are one (T.125 Reason).
pub fn read(pdu: &[u8]) -> Option<u8> {
    match *pdu {
        [3, 0, 0, len, 2, 0xf0, _, choice, rest] if usize::from(len) == LEN && choice >> 2 == 8 => {
            Some((choice & 3) << 1 | rest >> 7)
        }
        _ => None,
    }
}

/// Whether these bytes are the beginning of one, and not all of it.
pub(super) fn begins(bytes: &[u8]) -> bool {
    const FIRST: [u8; 7] = [3, 0, 0, LEN as u8, 2, 0xf0, 0x80];
    let len = bytes.len().min(FIRST.len());
    (1..LEN).contains(&bytes.len()) && bytes.get(..len) == FIRST.get(..len)
}

/// Whether bytes that are no TLS record begin a TPKT: version 3, nothing reserved, a length that can be one.
pub(super) fn is_tpkt(head: &[u8; 5]) -> bool {
    let [version, reserved, high, low, _] = *head;
    version == 3 && reserved == 0 && u16::from_be_bytes([high, low]) >= SHORTEST
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn every_reason_is_read_and_nothing_else() {
        for reason in 0..8u8 {
            let pdu = [3, 0, 0, 9, 2, 0xf0, 0x80, 0x20 | reason >> 1, reason << 7];
            assert_eq!(read(&pdu), Some(reason));
            assert_eq!(read(&pdu[..8]), None, "it is cut");
        }
        assert_eq!(read(&[3, 0, 0, 9, 2, 0xf0, 0x80, 0x28, 0]), None, "an Attach User Request");
        assert_eq!(read(&[3, 0, 0, 9, 2, 0xf0, 0x80, 0x21, 0x80, 0]), None, "a byte too many");
    }
}
