//! What a server draws, and what must hold of the picture: it is of its size, and what changes lies in it.
//!
//! Update by update as the input decides: with all that stands around drawing orders, bitmaps, surface commands and messages
//! of the graphics pipeline, so that it is they that are mutated. The channels and a small desktop are there from the beginning.

use std::time::Duration;

use analyzer::event::{ClientSettings, ServerSettings, What};
use analyzer::observation::{Flow, Leg, Side};
use analyzer::picture::film::{Film, Shown};
use analyzer::picture::{Picture, Shape};
use analyzer::secret::Secret;
use analyzer::time::Timestamp;
use analyzer::transcript::{Line, Place, Said};

use super::decisions::Decisions;

const IO: u16 = 1003;
const DYNAMIC: u16 = 1004;
const DEPTHS: [u16; 5] = [8, 15, 16, 24, 32];
/// Steps that are made of one input at most.
const MAX_STEPS: usize = 256;

/// Whatever is drawn, the picture is whole.
pub fn holds(data: &[u8]) {
    let mut decisions = Decisions(data);
    let mut film = Film::new(Duration::from_millis(100));
    channels(film.picture_mut());
    push(&mut film, 0, Side::Server, said(desktop(&mut decisions)));
    push(
        &mut film,
        0,
        Side::Server,
        said(dynamic(&[&[0x10, 7], &b"Microsoft::Windows::RDS::Graphics\0"[..]].concat())),
    );
    for at in 1..=MAX_STEPS as u64 {
        if decisions.0.is_empty() {
            break;
        }
        let (from, said) = step(&mut decisions);
        push(&mut film, at * 40, from, said);
    }
    film.finish(&mut |picture, shown| is_inside(picture, &shown));
    assert!(film.picture().undrawn().iter().all(|(what, times)| !what.is_empty() && times > 0));
}

fn push(film: &mut Film, at: u64, from: Side, said: Said) {
    let flow = Flow { session: 0, leg: Leg::Only };
    let line = Line { at: Timestamp::at(at * 1_000_000), flow, frame: 1, from, place: Place::Tls, said };
    film.push(&line, &mut |picture, shown| is_inside(picture, &shown));
    let picture = film.picture();
    let (width, height) = picture.size().unwrap_or_default();
    assert_eq!(picture.pixels().len(), 4 * usize::from(width) * usize::from(height));
}

fn is_inside(picture: &Picture, shown: &Shown) {
    match shown {
        Shown::Cut(cut) => {
            let ([left, top, right, bottom], (width, height)) = (cut.area, cut.size);
            assert!(left < right && top < bottom && right <= width && bottom <= height, "{cut:?}");
            assert_eq!(picture.size(), Some(cut.size));
            assert!(!cut.is_key || cut.area == [0, 0, width, height], "{cut:?}");
        }
        Shown::Pointer(_, pointer) => is_whole(&pointer.shape),
    }
}

fn is_whole(shape: &Shape) {
    if let Shape::Bitmap { size: (width, height), pixels, .. } = shape {
        assert_eq!(pixels.len(), 4 * usize::from(*width) * usize::from(*height));
    }
}

fn channels(picture: &mut Picture) {
    let client = ClientSettings { channels: vec!["drdynvc".into()], ..ClientSettings::default() };
    picture.learn(&What::ClientSettings(Box::new(client)));
    let server = ServerSettings { io_channel: Some(IO), channels: vec![DYNAMIC], ..ServerSettings::default() };
    picture.learn(&What::ServerSettings(Box::new(server)));
}

fn said(bytes: Vec<u8>) -> Said {
    Said::Bytes(Secret::new(bytes))
}

/// One thing that a side does next.
fn step(decisions: &mut Decisions<'_>) -> (Side, Said) {
    let kind = decisions.byte();
    let bytes = match kind & 0xf {
        // Drawing orders: how many there are, and what they are.
        0..=2 => fast_path(0, &[&[decisions.byte(), 0][..], decisions.many()].concat()),
        3 | 4 => fast_path(1, &bitmap(decisions)),
        5 => fast_path(4, &surface(decisions)),
        6..=8 => dynamic(&graphics(decisions)),
        9 => dynamic(decisions.many()),
        // Any update, also in fragments.
        10 => fast_path(decisions.byte() & 0x3f, decisions.many()),
        11 => share_data(decisions.byte(), decisions.byte(), decisions.many()),
        12 => desktop(decisions),
        13 => return (Side::Server, Said::Missing(u64::from(decisions.byte()) + 1)),
        14 => {
            let [x, y] = [decisions.byte(), decisions.byte()];
            return (Side::Client, said(vec![1 << 2, 9, 1 << 5, 0, 8, x, 0, y, 0]));
        }
        _ => decisions.many().to_vec(),
    };
    if bytes.is_empty() { (Side::Server, Said::Missing(1)) } else { (Side::Server, said(bytes)) }
}

/// TS_UPDATE_BITMAP_DATA of one rectangle, which says of itself what the input wants: mostly that it is where it can be.
fn bitmap(decisions: &mut Decisions<'_>) -> Vec<u8> {
    let [left, top, width, height] = [(); 4].map(|()| u16::from(decisions.byte()));
    let how = decisions.byte();
    let bits = DEPTHS[usize::from(how & 7) % DEPTHS.len()];
    // BITMAP_COMPRESSION, NO_BITMAP_COMPRESSION_HDR
    let flags = [0, 1, 0x401, 0x400][usize::from(how >> 3 & 3)];
    let (right, bottom) = (left + width.saturating_sub(1), top + height.saturating_sub(1));
    let pixels = decisions.many();
    let mut data = vec![1, 0, 1, 0];
    for field in [left, top, right, bottom, width, height, bits, flags, pixels.len() as u16] {
        data.extend(field.to_le_bytes());
    }
    data.extend(pixels);
    data
}

/// A surface command with bits: without a codec, or of one of them (RemoteFX is 3).
fn surface(decisions: &mut Decisions<'_>) -> Vec<u8> {
    let [left, top, width, height] = [(); 4].map(|()| u16::from(decisions.byte()));
    let how = decisions.byte();
    let codec = [0, 3, 1, 9][usize::from(how >> 3 & 3)];
    let bits = decisions.many();
    let mut data = vec![if how & 0x80 == 0 { 1 } else { 6 }, 0];
    [left, top, left + width, top + height].iter().for_each(|edge| data.extend(edge.to_le_bytes()));
    data.extend([DEPTHS[usize::from(how & 7) % DEPTHS.len()] as u8, 0, 0, codec]);
    [width, height].iter().for_each(|edge| data.extend(edge.to_le_bytes()));
    data.extend((bits.len() as u32).to_le_bytes());
    data.extend(bits);
    data
}

/// A message of the graphics pipeline in the channel that is open for it: `RDPGFX_HEADER` and a body, not compressed
/// (\[MS-RDPEGFX\] 2.2.1.5, 2.2.5.1). Surfaces are made of a size that a screen has.
fn graphics(decisions: &mut Decisions<'_>) -> Vec<u8> {
    let (kind, how) = (u16::from(decisions.byte() % 0x1c), decisions.byte());
    let body = match kind {
        // Create Surface, Reset Graphics, Wire to Surface 1.
        9 => [&[how & 3, 0, decisions.byte(), 0, decisions.byte(), 0, 0x20 | how >> 7][..]].concat(),
        0xe => {
            let [width, height] = [decisions.byte(), decisions.byte()];
            let mut body = [u32::from(width), u32::from(height), 0].map(u32::to_le_bytes).concat();
            body.resize(332, 0);
            body
        }
        1 => {
            let codec = [0, 3, 8, 9, 10, 11, 14, 15][usize::from(how >> 2 & 7)];
            let [left, top, width, height] = [(); 4].map(|()| u16::from(decisions.byte()));
            let bits = decisions.many();
            let mut body = vec![how & 3, 0, codec, 0, 0x20 | how >> 7];
            [left, top, left + width, top + height].iter().for_each(|edge| body.extend(edge.to_le_bytes()));
            body.extend((bits.len() as u32).to_le_bytes());
            body.extend(bits);
            body
        }
        _ => decisions.many().to_vec(),
    };
    let mut message = vec![0x30, 7, 0xe0, 4];
    message.extend(kind.to_le_bytes());
    message.extend([0, 0]);
    message.extend((body.len() as u32 + 8).to_le_bytes());
    message.extend(body);
    message
}

/// A fast-path PDU of one update.
fn fast_path(code: u8, data: &[u8]) -> Vec<u8> {
    let mut pdu = vec![0];
    pdu.extend((0x8000 | (data.len() as u16 + 6)).to_be_bytes());
    pdu.push(code);
    pdu.extend((data.len() as u16).to_le_bytes());
    pdu.extend(data);
    pdu
}

/// Demand Active with a desktop of its own size: no larger than what is drawn in no time.
fn desktop(decisions: &mut Decisions<'_>) -> Vec<u8> {
    let [width, height, depth] = [(); 3].map(|()| u16::from(decisions.byte()));
    let mut body = vec![1, 0, 0, 0, 4, 0, 0, 0, b'R', b'D', b'P', 0, 1, 0, 0, 0, 2, 0, 28, 0];
    for field in [DEPTHS[usize::from(depth) % DEPTHS.len()], 1, 1, 1, width, height] {
        body.extend(field.to_le_bytes());
    }
    body.extend([0; 12]);
    send_data(IO, &share_control(1, &body))
}

fn share_data(kind: u8, compression: u8, body: &[u8]) -> Vec<u8> {
    let mut data = vec![1, 0, 0, 0, 0, 1, 0, 0, kind, compression, 0, 0];
    data.extend(body);
    send_data(IO, &share_control(7, &data))
}

fn share_control(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut pdu = (body.len() as u16 + 6).to_le_bytes().to_vec();
    pdu.extend((0x10 | kind).to_le_bytes());
    pdu.extend([0xea, 3]);
    pdu.extend(body);
    pdu
}

/// One chunk of the channel of dynamic channels, first and last at once.
fn dynamic(message: &[u8]) -> Vec<u8> {
    let head = [message.len() as u32, 3].map(u32::to_le_bytes).concat();
    send_data(DYNAMIC, &[&head[..], message].concat())
}

/// MCS Send Data Indication in X.224 Data.
fn send_data(channel: u16, user: &[u8]) -> Vec<u8> {
    let mut pdu = vec![2, 0xf0, 0x80, 26 << 2, 0, 7];
    pdu.extend(channel.to_be_bytes());
    pdu.push(0x70);
    pdu.extend((0x8000 | user.len() as u16).to_be_bytes());
    pdu.extend(user);
    let mut tpkt = vec![3, 0];
    tpkt.extend((pdu.len() as u16 + 4).to_be_bytes());
    tpkt.extend(pdu);
    tpkt
}
