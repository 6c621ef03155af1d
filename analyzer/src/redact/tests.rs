//! What may not be seen is not there, and what decides is.

use super::*;
use crate::observation::Leg;
use crate::time::Timestamp;

const FLOW: Flow = Flow { session: 0, leg: Leg::Front };

fn says(from: Side, data: &[u8]) -> Observation {
    seen(Seen::Bytes { from, data: Bytes::copy_from_slice(data) })
}

fn seen(seen: Seen) -> Observation {
    Observation { at: Timestamp::at(0), flow: FLOW, frame: 0, seen }
}

fn redacted(all: &[Observation]) -> Vec<Observation> {
    let mut learner = Learner::default();
    all.iter().for_each(|one| learner.learn(one));
    let mut redactor = learner.finish();
    all.iter().filter_map(|one| redactor.change(one.clone())).collect()
}

/// What the client says at once, and what is left of it: however it is cut, and if it is done twice.
fn check(says_what: &[u8], left: &[u8]) {
    for cut in 1..=says_what.len() {
        let pieces: Vec<_> = says_what.chunks(cut).map(|piece| says(Side::Client, piece)).collect();
        let once = redacted(&pieces);
        let all: Vec<u8> = once
            .iter()
            .flat_map(|one| match &one.seen {
                Seen::Bytes { data, .. } => data.to_vec(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(all, left, "cut at {cut}: {:?}", String::from_utf8_lossy(&all));
        assert_eq!(redacted(&once), once, "twice");
    }
}

fn request(line: &str) -> Vec<u8> {
    let line = [line.as_bytes(), b"\r\n\x01\x00\x08\x00\x03\x00\x00\x00"].concat();
    let len = 11 + line.len() as u8;
    [&[3, 0, 0, len, len - 5, 0xe0, 0, 0, 0, 0, 0], &line[..]].concat()
}

#[test]
fn the_user_in_a_cookie_is_replaced() {
    check(&request("Cookie: mstshash=CORP\\jane doe"), &request("Cookie: mstshash=xxx1\\xxx2 xx1"));
    check(&request("Cookie: msts=3640205228.15629.0000"), &request("Cookie: msts=xxxxxxxxx1.xxxx1.xxx1"));
}

#[test]
fn sealed_records_are_blanked_and_alerts_are_not() {
    let sealed = |content: &[u8]| [&[23, 3, 3, 0, content.len() as u8], content].concat();
    let alert = [21, 3, 3, 0, 2, 2, 48];
    let before = [request("Cookie: mstshash=a"), sealed(b"password"), alert.to_vec(), sealed(b"bye")].concat();
    let after = [request("Cookie: mstshash=1"), sealed(&[0; 8]), alert.to_vec(), sealed(&[0; 3])].concat();
    check(&before, &after);
}

#[test]
fn what_is_no_rdp_keeps_its_first_word() {
    check(b"SSH-2.0-OpenSSH_9.6 secret", b"SSH-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    check(b"CONNECT host", b"CONNECT \0\0\0\0");
}

#[test]
fn a_client_info_in_clear_loses_its_names() {
    let info = [&[0x40, 0, 0, 0][..], &[7; 18], b"j\0a\0n\0e\0p\0w\0"].concat();
    let pdu = |info: &[u8]| [&[3, 0, 0, 46, 2, 0xf0, 0x80, 0x64, 0, 1, 3, 0xeb, 0x70, 0x80, 32][..], info].concat();
    // 15 bytes in front, and 32 of it: as the PER length says.
    let frame = |info: &[u8]| {
        let mut all = pdu(info);
        all[3] = all.len() as u8;
        all
    };
    let blank = [&info[..22], &[0; 12]].concat();
    check(
        &[request("Cookie: mstshash=a"), frame(&info)].concat(),
        &[request("Cookie: mstshash=1"), frame(&blank)].concat(),
    );
}

#[test]
fn names_in_an_error_are_those_of_the_target() {
    let target = Opening::Target { name: "rds.corp.example".into(), port: 3389 };
    let error = Some("no such name: rds.corp.example (10.9.9.9:53)".into());
    let all = [seen(Seen::Opening(target)), seen(Seen::Opening(Opening::Resolved { addresses: vec![], error }))];
    let once = redacted(&all);
    let error = Some("no such name: xx1.xxx1.xxxxxx1 (10.0.0.1:53)".into());
    assert_eq!(once[1].seen, Seen::Opening(Opening::Resolved { addresses: vec![], error }));
    assert_eq!(redacted(&once), once);
}
