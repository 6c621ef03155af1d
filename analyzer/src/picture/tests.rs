//! A picture from scripted PDUs.

mod bombs;

use super::film::{Cut, Film, Shown};
use super::*;
use crate::event::{ClientSettings, ServerSettings};
use crate::observation::{Flow, Leg};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::transcript::Place;

const IO: u16 = 1003;
const RED: [u8; 4] = [0xff, 0, 0, 0xff];
const BLUE: [u8; 4] = [0, 0, 0xff, 0xff];

fn line(at: u64, from: Side, said: Said) -> Line {
    let flow = Flow { session: 0, leg: Leg::Only };
    Line { at: Timestamp::at(at * 1_000_000), flow, frame: 1, from, place: Place::Tls, said }
}

fn bytes(bytes: Vec<u8>) -> Said {
    Said::Bytes(Secret::new(bytes))
}

/// A picture whose channels are known.
fn begun() -> Picture {
    let mut picture = Picture::default();
    let client = ClientSettings { channels: vec!["cliprdr".into(), "drdynvc".into()], ..ClientSettings::default() };
    picture.learn(&What::ClientSettings(Box::new(client)));
    let server = ServerSettings { io_channel: Some(IO), channels: vec![1004, 1005], ..ServerSettings::default() };
    picture.learn(&What::ServerSettings(Box::new(server)));
    picture
}

/// The same with a desktop.
fn active(width: u16, height: u16) -> Picture {
    let mut picture = begun();
    say(&mut picture, demand_active(width, height, 32));
    picture
}

fn say(picture: &mut Picture, pdu: Vec<u8>) {
    picture.push(&line(0, Side::Server, bytes(pdu)));
}

/// Send Data Indication on the I/O channel, with all that stands around it.
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

fn share_control(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut pdu = (body.len() as u16 + 6).to_le_bytes().to_vec();
    pdu.extend((0x10 | kind).to_le_bytes());
    pdu.extend([0xea, 3]);
    pdu.extend(body);
    pdu
}

fn demand_active(width: u16, height: u16, depth: u16) -> Vec<u8> {
    let mut body = vec![1, 0, 0, 0, 4, 0, 0, 0, b'R', b'D', b'P', 0, 2, 0, 0, 0];
    // A set that says nothing here comes first.
    body.extend([9, 0, 8, 0, 0, 0, 0, 0]);
    body.extend([2, 0, 28, 0]);
    for field in [depth, 1, 1, 1, width, height] {
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

fn fast_path(code: u8, data: &[u8]) -> Vec<u8> {
    let mut pdu = vec![0];
    pdu.extend((0x8000 | (data.len() as u16 + 6)).to_be_bytes());
    pdu.push(code);
    pdu.extend((data.len() as u16).to_le_bytes());
    pdu.extend(data);
    pdu
}

/// TS_UPDATE_BITMAP_DATA of one rectangle of one colour, 32 bits for each pixel.
fn bitmap([left, top, width, height]: [u16; 4], [red, green, blue, _]: [u8; 4]) -> Vec<u8> {
    let mut data = vec![1, 0, 1, 0];
    let len = 4 * width * height;
    for field in [left, top, left + width - 1, top + height - 1, width, height, 32, 0, len] {
        data.extend(field.to_le_bytes());
    }
    (0..width * height).for_each(|_| data.extend([blue, green, red, 0]));
    data
}

fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 4] {
    let width = usize::from(picture.size().expect("a desktop").0);
    picture.pixels()[4 * (y * width + x)..][..4].try_into().expect("a pixel")
}

fn undrawn(picture: &Picture) -> Vec<(&'static str, u64)> {
    picture.undrawn().iter().collect()
}

#[test]
fn a_desktop_begins_with_demand_active_and_a_resize_follows_it() {
    let mut picture = active(64, 48);
    assert_eq!(picture.size(), Some((64, 48)));
    say(&mut picture, fast_path(code::BITMAP, &bitmap([0, 0, 4, 4], RED)));
    assert_eq!(pixel(&picture, 3, 3), RED);
    say(&mut picture, send_data(IO, &share_control(6, &[])));
    say(&mut picture, demand_active(32, 16, 32));
    assert_eq!((picture.size(), picture.pixels().len()), (Some((32, 16)), 4 * 32 * 16));
    assert_eq!(pixel(&picture, 3, 3)[..3], [0; 3], "it is drawn anew");
    assert!(picture.undrawn().is_empty());
}

#[test]
fn a_desktop_of_no_size_is_none() {
    let picture = active(0, 48);
    assert_eq!(picture.size(), None);
    assert_eq!(undrawn(&picture), [("desktops of a size that cannot be", 1)]);
}

#[test]
fn bitmaps_are_drawn_by_fast_path_and_by_slow_path_whole_and_in_fragments() {
    let (whole, slow, parted) = (bitmap([0, 0, 2, 2], RED), bitmap([4, 0, 2, 2], BLUE), bitmap([8, 0, 2, 2], RED));
    let mut picture = active(64, 48);
    say(&mut picture, fast_path(code::BITMAP, &whole));
    say(&mut picture, share_data(2, 0, &slow));
    for (fragment, place) in [(2u8, &parted[..10]), (3, &parted[10..20]), (1, &parted[20..])] {
        say(&mut picture, fast_path(code::BITMAP | fragment << 4, place));
    }
    assert_eq!([0, 4, 8].map(|x| pixel(&picture, x, 1)), [RED, BLUE, RED]);
    assert!(picture.undrawn().is_empty());
}

#[test]
fn bulk_compression_is_opened_and_behind_a_hole_it_is_told() {
    let mut bulk = BulkCompressor::new(CompressionType::Rdp5);
    let mut compressed = |data: &[u8]| {
        let (len, flags) = bulk.compress(data).expect("compressible");
        assert_ne!(flags & 0x20, 0, "it is compressed");
        (bulk.compressed_data(len).to_vec(), flags as u8)
    };
    let (first, second) = (compressed(&bitmap([0, 0, 8, 8], RED)), compressed(&bitmap([8, 0, 8, 8], BLUE)));
    let mut picture = active(64, 48);
    say(&mut picture, share_data(2, first.1, &first.0));
    assert_eq!(pixel(&picture, 7, 7), RED);
    picture.push(&line(0, Side::Server, Said::Missing(99)));
    say(&mut picture, share_data(2, second.1, &second.0));
    assert_eq!(undrawn(&picture), [("compressed updates behind a hole", 1)]);
    assert_eq!(picture.holes(), (1, 99));
    // What is not compressed goes on.
    say(&mut picture, fast_path(code::BITMAP, &bitmap([16, 0, 2, 2], BLUE)));
    assert_eq!(pixel(&picture, 16, 0), BLUE);
}

#[test]
fn what_cannot_be_drawn_has_a_name() {
    let surface = |codec: u8| {
        let mut data = vec![1, 0, 0, 0, 0, 0, 2, 0, 2, 0, 32, 0, 0, codec, 2, 0, 2, 0, 16, 0, 0, 0];
        data.extend([0x40; 16]);
        data
    };
    let mut picture = active(64, 48);
    say(&mut picture, fast_path(code::SURFACE, &[surface(0), surface(1), surface(1), surface(9)].concat()));
    assert_eq!(pixel(&picture, 1, 1)[..3], [0x40; 3], "without a codec it is drawn");
    say(&mut picture, fast_path(code::BITMAP, &bitmap([63, 47, 2, 2], RED)));
    say(&mut picture, fast_path(0xd, &[]));
    // An OpaqueRect order; then an ellipse; then one of no kind at all, and all behind it.
    say(
        &mut picture,
        fast_path(code::ORDERS, &[4, 0, 0x09, 0x0a, 0x1f, 5, 0, 6, 0, 2, 0, 2, 0, 0xff, 9, 0x19, 0, 9, 3, 9]),
    );
    assert_eq!(pixel(&picture, 6, 7), [0xff, 0, 0, 0xff]);
    assert_eq!(
        undrawn(&picture),
        [
            ("EllipseSC orders", 1),
            ("NSCodec surface commands", 2),
            ("bitmaps that cannot be decoded", 1),
            ("drawing orders that cannot be read", 2),
            ("surface commands of an unknown codec", 1),
            ("updates of unknown kinds", 1),
        ]
    );
}

#[test]
fn the_pointer_has_its_shape_from_the_server_and_its_place_from_the_client() {
    let mut picture = active(64, 48);
    say(&mut picture, share_data(27, 0, &[1, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(picture.pointer().map(|pointer| &pointer.shape), Some(&Shape::Hidden));
    let moves = vec![1 << 2, 9, 1 << 5, 0, 8, 20, 0, 30, 0];
    picture.push(&line(0, Side::Client, bytes(moves)));
    assert_eq!(picture.pointer().and_then(|pointer| pointer.at), Some((20, 30)));
    assert!(picture.undrawn().is_empty());
}

#[test]
fn a_film_tells_of_what_differs_and_not_too_often() {
    let mut film = Film::new(std::time::Duration::from_millis(100));
    *film.picture_mut() = begun();
    let mut cuts: Vec<Cut> = Vec::new();
    let story = [
        (0, demand_active(64, 48, 32)),
        (10, fast_path(code::BITMAP, &bitmap([1, 2, 2, 2], RED))),
        (300, fast_path(code::BITMAP, &bitmap([1, 2, 2, 2], RED))),
        (310, fast_path(code::BITMAP, &bitmap([2, 2, 4, 1], RED))),
        (320, fast_path(code::BITMAP, &bitmap([9, 9, 1, 1], BLUE))),
        (330, demand_active(32, 32, 32)),
    ];
    let mut keep = |_: &Picture, shown| {
        if let Shown::Cut(cut) = shown {
            cuts.push(cut);
        }
    };
    for (at, pdu) in story {
        film.push(&line(at, Side::Server, bytes(pdu)), &mut keep);
    }
    film.finish(&mut keep);
    let told: Vec<_> = cuts.iter().map(|cut| (cut.at.0 / 1_000_000, cut.area, cut.is_key)).collect();
    let expected = [
        (0, [0, 0, 64, 48], true),
        (10, [1, 2, 3, 4], false),
        // Twice the same is no change; two that differ within the time are one.
        (310, [3, 2, 6, 3], false),
        (330, [0, 0, 32, 32], true),
    ];
    assert_eq!(told, expected);
}

#[test]
fn of_a_desktop_that_is_gone_nothing_is_told() {
    let mut film = Film::new(std::time::Duration::from_millis(100));
    *film.picture_mut() = begun();
    let mut told = Vec::new();
    let mut keep = |picture: &Picture, shown| {
        if let Shown::Cut(cut) = shown {
            assert_eq!((Some(cut.size), picture.pixels().is_empty()), (picture.size(), false));
            told.push((cut.at.0 / 1_000_000, cut.size, cut.is_key));
        }
    };
    let story = [
        (0, demand_active(64, 48, 32)),
        (10, fast_path(code::BITMAP, &bitmap([1, 2, 2, 2], RED))),
        // No desktop is of this size; and the next one is of the size that the first one had.
        (20, demand_active(0, 48, 32)),
        (300, share_data(2, 0, &bitmap([4, 0, 2, 2], BLUE))),
        (310, demand_active(64, 48, 32)),
    ];
    for (at, pdu) in story {
        film.push(&line(at, Side::Server, bytes(pdu)), &mut keep);
    }
    film.finish(&mut keep);
    assert_eq!(told, [(0, (64, 48), true), (310, (64, 48), true)]);
}

#[test]
fn no_bytes_are_a_reason_to_panic() {
    let mut seeds = vec![
        demand_active(64, 48, 16),
        fast_path(code::BITMAP, &bitmap([0, 0, 4, 4], RED)),
        share_data(2, 0x21, &bitmap([0, 0, 4, 4], RED)),
        fast_path(
            code::SURFACE,
            &[6, 0, 0, 0, 0, 0, 4, 0, 4, 0, 32, 0, 0, 3, 4, 0, 4, 0, 4, 0, 0, 0, 0xc0, 0xcc, 4, 0],
        ),
        fast_path(
            code::POINTER_NEW,
            &[24, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 4, 0, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 0, 0, 0, 0],
        ),
        send_data(1005, &[8, 0, 0, 0, 3, 0, 0, 0, 0x10, 7, b'M', b'i', b'c', 0, 0x30, 7]),
    ];
    let orders = [1, 0, 0x09, 0x0d, 0xff, 1, 0, 0, 5, 0, 6, 0, 2, 0, 2, 0, 0xcc, 0, 0, 0, 0, 0];
    seeds.push(fast_path(code::ORDERS, &orders));
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut picture = active(64, 48);
    for _ in 0..20_000 {
        let mut pdu = seeds[random(seeds.len())].clone();
        for _ in 0..1 + random(3) {
            let place = random(pdu.len());
            pdu[place] = random(256) as u8;
        }
        let is_huge = picture.size().is_some_and(|(width, height)| usize::from(width) * usize::from(height) > 1 << 16);
        if is_huge || picture.size().is_none() {
            picture = active(64, 48);
        }
        say(&mut picture, pdu);
    }
    let failed = picture.undrawn().iter().find(|(what, _)| what.contains("a decoder failed"));
    assert_eq!(failed, None, "the fence held, and was needed");
}
