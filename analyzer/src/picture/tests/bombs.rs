//! Compression made by hand: little that claims to be much, and histories that overrun. It takes bounded time and memory, is told,
//! and what comes behind it is drawn.

use super::*;

/// PACKET_COMPRESSED.
const COMPRESSED: u8 = 0x20;
/// More than any of the histories holds (\[MS-RDPEGDI\] 3.1.8.1: XCRUSH has 2,000,000 bytes).
const MOST: usize = 2_000_000;

/// Bits, the highest of a byte first.
#[derive(Default)]
struct Bits(Vec<u8>, usize);

impl Bits {
    fn put(&mut self, bits: &str) {
        for bit in bits.bytes().filter(u8::is_ascii_digit) {
            if self.1 == 0 {
                self.0.push(0);
                self.1 = 8;
            }
            self.1 -= 1;
            if let Some(last) = self.0.last_mut() {
                *last |= (bit - b'0') << self.1;
            }
        }
    }
}

/// Noise, from a seed: xorshift64.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

fn still_draws(picture: &mut Picture) {
    say(picture, fast_path(code::BITMAP, &bitmap([16, 0, 2, 2], BLUE)));
    assert_eq!(pixel(picture, 16, 0), BLUE);
}

/// MPPC of 8 and 64 KiB, NCRUSH, XCRUSH: noise, ones, zeros, each with every flag of its header.
#[test]
fn bulk_of_noise_is_never_more_than_its_history() {
    for kind in 0..=3 {
        for flags in [0, 0x40, 0x80, 0xc0] {
            let mut inputs: Vec<Vec<u8>> = (0..40).map(|seed| noise(seed, 600)).collect();
            inputs.extend([vec![0xff; 4_000], vec![0; 4_000], vec![0xaa; 4_000], Vec::new(), vec![0xff]]);
            for data in inputs {
                let (mut history, mut undrawn) = (History::default(), Undrawn::default());
                let opened = history.open(COMPRESSED | flags | kind, &data, &mut undrawn);
                assert!(opened.is_none_or(|opened| opened.len() <= MOST), "type {kind}, flags {flags:#x}");
            }
        }
    }
}

/// MPPC of 64 KiB (\[MS-RDPBCGR\] 3.1.8.4.2): one literal, and then itself 32,768 times over, in six bytes, again and again, with
/// nothing that makes room for them.
#[test]
fn a_history_that_overruns_is_told_and_the_picture_goes_on() {
    let mut bits = Bits::default();
    bits.put("0 0000000");
    // A copy at an offset of 1, of 2^15 bytes.
    bits.put("11111 000001");
    bits.put("11111111111111 0 000000000000000");
    let bomb = bits.0;
    let (mut history, mut undrawn_here) = (History::default(), Undrawn::default());
    let opened = history.open(COMPRESSED | 1, &bomb, &mut undrawn_here).map(|opened| opened.len());
    assert_eq!((bomb.len(), opened), (7, Some(32_769)), "it is one");
    let mut picture = active(64, 48);
    for _ in 0..1_000 {
        say(&mut picture, share_data(2, COMPRESSED | 1, &bomb));
    }
    assert_eq!(
        undrawn(&picture),
        [("compressed updates behind a hole", 998), ("compressed updates that cannot be opened", 1)]
    );
    still_draws(&mut picture);
}

/// RDP 8.0 bulk (\[MS-RDPEGFX\] 3.1.9.1): one literal, and then itself, 4 << `doublings` times over.
fn inflating(doublings: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put("0 00000000");
    // A match at a distance of 1.
    bits.put("10001 00001 1");
    bits.put(&"1".repeat(doublings));
    bits.put("0");
    bits.put(&"0".repeat(doublings + 2));
    let Bits(mut segment, unused) = bits;
    segment.push(unused as u8);
    [&[0x30, 7, 0xe0, 0x24][..], &segment].concat()
}

#[test]
fn a_match_without_measure_is_no_memory_without_measure() {
    let chunk =
        |message: &[u8]| send_data(1005, &[&(message.len() as u32).to_le_bytes()[..], &[3, 0, 0, 0], message].concat());
    let mut picture = active(64, 48);
    say(&mut picture, chunk(&[&[0x10, 7][..], b"Microsoft::Windows::RDS::Graphics\0"].concat()));
    // 128 MiB, and then 1 MiB each.
    say(&mut picture, chunk(&inflating(25)));
    (0..299).for_each(|_| say(&mut picture, chunk(&inflating(18))));
    assert_eq!(
        undrawn(&picture),
        [("graphics pipeline messages behind a hole", 200), ("graphics pipeline messages that cannot be read", 100)]
    );
    still_draws(&mut picture);
}
