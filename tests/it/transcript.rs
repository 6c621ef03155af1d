//! What both sides said of RDP, in clear, as it is handed to whoever plays a session again.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use analyzer::event::What;
use analyzer::observation::Side;
use analyzer::reading::{self, Along};
use analyzer::transcript::{Line, Place, Said};

/// All lines of a keyed golden capture, and the bytes of application data that were opened of each side.
fn transcript(name: &str) -> (Vec<Line>, [u64; 2]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/keyed").join(name);
    let open = || File::open(&path).expect("a golden capture");
    let keys = Arc::new(reading::secrets(open()).expect("secrets"));
    let (mut lines, mut opened) = (Vec::new(), [0, 0]);
    let mut each = |along| {
        let Along::Step { step, .. } = along else { return };
        for event in step.events.iter().filter(|event| step.lines.iter().any(|line| line.flow == event.flow)) {
            if let What::Decrypted { from, kind: 23, len } = event.what {
                opened[from as usize] += u64::from(len);
            }
        }
        lines.extend(step.lines);
    };
    reading::read_along(open(), None, &keys, &mut each).expect("it can be read");
    (lines, opened)
}

/// What a side said there. A picture was taken out of the capture: it ends where that stood.
fn text(lines: &[Line], from: Side, place: Place) -> Vec<u8> {
    let of = lines.iter().filter(|line| (line.from, line.place) == (from, place));
    let bytes = of.map_while(|line| match &line.said {
        Said::Bytes(bytes) => Some(bytes.to_vec()),
        Said::Missing(_) => None,
    });
    bytes.flatten().collect()
}

fn total(lines: &[Line], from: Side) -> u64 {
    let of = lines.iter().filter(|line| (line.from, line.place) == (from, Place::Tls));
    of.map(|line| if let Said::Bytes(bytes) = &line.said { bytes.len() as u64 } else { 0 }).sum()
}

/// TPKT version, or the fast-path action of the same two bits (T.123, 8; \[MS-RDPBCGR\] 2.2.9.1.2): how many PDUs these bytes are.
fn pdus(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while !bytes.is_empty() {
        let len = match *bytes {
            [3, 0, high, low, ..] => usize::from(high) << 8 | usize::from(low),
            [_, high, low, ..] if high & 0x80 != 0 => usize::from(high & 0x7f) << 8 | usize::from(low),
            [_, len, ..] => usize::from(len),
            [_] | [] => panic!("one byte is left over"),
        };
        bytes = &bytes[len..];
        count += 1;
    }
    count
}

#[test]
fn what_both_sides_said_is_whole_and_in_order() {
    let (lines, opened) = transcript("xfreerdp-xrdp-tls13.pcapng");
    assert_eq!(pdus(&text(&lines, Side::Client, Place::Clear)), 1, "a Connection Request, and TLS behind it");
    assert_eq!(pdus(&text(&lines, Side::Server, Place::Clear)), 1, "a Connection Confirm");
    for side in [Side::Client, Side::Server] {
        assert_eq!(total(&lines, side), opened[side as usize], "{side}: all that was opened, once");
        assert!(pdus(&text(&lines, side, Place::Tls)) > 10, "{side}");
    }
    let missing: Vec<&Line> = lines.iter().filter(|line| matches!(line.said, Said::Missing(_))).collect();
    assert!(matches!(missing[..], [Line { from: Side::Server, said: Said::Missing(3245), .. }]), "{missing:?}");
    for side in [Side::Client, Side::Server] {
        assert!(lines.iter().filter(|line| line.from == side).is_sorted_by_key(|line| line.frame), "{side}");
    }
    assert!(!format!("{lines:?}").contains("[3, 0,"), "payload cannot be printed");
}
