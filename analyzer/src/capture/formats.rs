//! Files that people bring and that are no pcap or pcapng: what they are by their first bytes, and the command that makes
//! a capture of them.

const CONVERT: &str = "convert it first: editcap -F pcapng FILE capture.pcapng";
const ETL: &str = "export the capture itself: pktmon etl2pcap FILE.etl --out capture.pcapng";
const UNPACK: &str = "unpack it first";

/// How such a file begins, what it is, and what to do.
const KNOWN: [(&[u8], &str, &str); 18] = [
    (b"snoop\0\0\0", "a snoop capture", CONVERT),
    (b"GMBU", "a capture of Microsoft Network Monitor", CONVERT),
    (b"RTSS", "a capture of Microsoft Network Monitor 1", CONVERT),
    (b"XCP\0", "a NetXray or Sniffer capture", CONVERT),
    (b"TRSNIFF data", "a Sniffer capture", CONVERT),
    (b"iptrace ", "an AIX iptrace capture", CONVERT),
    (b"\x54\x52\x00\x64\x00", "an HP-UX nettl capture", CONVERT),
    (b"\x7fver", "an OmniPeek capture", CONVERT),
    (b"\x05VNF", "a Visual Networks capture", CONVERT),
    (
        b"ElfFile\0",
        "a Windows event log (.evtx)",
        "it holds no packets; rdpscope explain knows the numbers of its events",
    ),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file", UNPACK),
    (b"Rar!\x1a\x07", "a rar file", UNPACK),
    (b"LZIP", "an lzip file", UNPACK),
    (b"\x5d\0\0", "an lzma file", UNPACK),
    (b"\x89LZO\0\r\n\x1a\n", "an lzop file", UNPACK),
    (b"\x1f\x9d", "a compress (.Z) file", UNPACK),
    (b"MSCF", "a cabinet (.cab) file", UNPACK),
    (b"MDMP", "a Windows crash dump", "it holds no packets"),
];

/// What a file is that begins so, and what to do with it, where it is one that is known.
pub(super) fn known(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let by_magic = KNOWN.iter().find(|(magic, ..)| head.starts_with(magic)).map(|(_, name, how)| (*name, *how));
    by_magic
        .or_else(|| is_erf(head).then_some(("an ERF capture", CONVERT)))
        .or_else(|| is_etl(head).then_some(("an event trace (.etl)", ETL)))
}

/// ERF has no magic number: a time of 8 bytes, the kind (2 is Ethernet), flags, the record's and the packet's length.
fn is_erf(head: &[u8]) -> bool {
    let [_, _, _, _, _, _, _, _, 2 | 0x82, _, r0, r1, 0, 0, w0, w1, ..] = *head else { return false };
    let (record, packet) = (u16::from_be_bytes([r0, r1]), u16::from_be_bytes([w0, w1]));
    packet > 0 && record >= 18 && u32::from(record) <= u32::from(packet) + 32
}

/// An event trace begins with a buffer's size, a power of two of some kilobytes, and how much of it was saved.
fn is_etl(head: &[u8]) -> bool {
    let word = |at: usize| head.get(at..).and_then(|rest| rest.first_chunk()).map(|four| u32::from_le_bytes(*four));
    let (Some(size), Some(saved), Some(current)) = (word(0), word(4), word(8)) else { return false };
    size.is_power_of_two() && (1 << 10..=1 << 24).contains(&size) && saved == current && (72..=size).contains(&saved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_how_they_begin() {
        for (magic, name, _) in KNOWN {
            assert_eq!(known(&[magic, &[0; 24]].concat()).map(|(name, _)| name), Some(name));
        }
        let erf = [1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 0, 96, 0, 0, 0, 74, 0, 0];
        assert_eq!(known(&erf).map(|(name, _)| name), Some("an ERF capture"));
        let etl = [0, 0, 1, 0, 0, 2, 0, 0, 0, 2, 0, 0];
        assert_eq!(known(&etl).map(|(name, _)| name), Some("an event trace (.etl)"));
        for pcap in [[0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d]] {
            assert_eq!(known(&[&pcap[..], &[2, 0, 4, 0], &[0; 16]].concat()), None);
        }
        assert_eq!(known(b""), None);
    }
}
