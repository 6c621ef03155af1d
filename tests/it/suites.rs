//! Every cipher suite that is opened, in every version of TLS that has it, between two openssl programs: what the client said
//! and what the server answered stands in the open, however the bytes are cut, and a hole costs the records in it.

use std::path::Path;
use std::sync::Arc;

use analyzer::event::{Basis, Undecryptable, What};
use analyzer::observation::Side;
use analyzer::tls::keys::Keyring;

use crate::support::opened::{Bystander, Opened};
use crate::support::process::{Folder, Outcome, with_peers};
use crate::support::talk::{Server, Talk, certificates};

const TLS_1_3: &[&str] = &[
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
];
const TLS_1_2: &[&str] = &[
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-CCM",
    "ECDHE-ECDSA-AES256-CCM8",
    "AES256-CCM",
    "AES128-CCM8",
    "AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
    "AES256-SHA256",
];
const BEFORE: &[&str] = &["ECDHE-RSA-AES128-SHA", "AES256-SHA"];

/// What is said: more than one record, and one that is cut over several.
fn lines() -> [String; 3] {
    ["hello, server".into(), "0123456789".repeat(400), "the last word".into()]
}

/// Plays one connection with these options.
fn check(folder: &Path, name: &str, server: &[&str], client: &[&str], commands: &[&str]) -> Outcome<(Talk, Opened)> {
    check_with(&Server::start(folder, server)?, folder, name, client, commands)
}

/// The same with a server that is there, and holds it against what was said.
fn check_with(
    server: &Server,
    folder: &Path,
    name: &str,
    client: &[&str],
    commands: &[&str],
) -> Outcome<(Talk, Opened)> {
    let said = lines();
    let all: Vec<&str> = [&said[0], &said[1]].into_iter().map(String::as_str).collect();
    let all: Vec<&str> = all.into_iter().chain(commands.iter().copied()).chain([said[2].as_str()]).collect();
    let talk = server.talk(folder, client, &all)?;
    let opened = whole(&talk);
    let expected = said.each_ref().map(|line| format!("{line}\n")).concat();
    let answer = said.each_ref().map(|line| line.chars().rev().chain(['\n']).collect::<String>()).concat();
    assert_eq!(opened.sealed, [0, 0], "{name}: {opened:?}");
    assert_eq!(
        opened.data.each_ref().map(|data| String::from_utf8_lossy(data).into_owned()),
        [expected, answer],
        "{name}"
    );
    assert!(opened.out.contains(&What::TlsEstablished { basis: Basis::Seen }), "{name}");
    let goodbye = |what: &What| matches!(what, What::Alert { from: Side::Client, description: 0, .. });
    assert!(opened.out.iter().any(goodbye), "{name}: close_notify is read");
    Ok((talk, opened))
}

fn whole(talk: &Talk) -> Opened {
    let mut bystander = Bystander::new(&talk.keys);
    talk.pieces.iter().for_each(|(from, data)| bystander.push(*from, data));
    bystander.finish()
}

/// The same, a byte at a time.
fn bytewise(talk: &Talk) -> Opened {
    let mut bystander = Bystander::new(&talk.keys);
    let bytes = talk.pieces.iter().flat_map(|(from, data)| data.chunks(1).map(move |byte| (*from, byte)));
    bytes.for_each(|(from, byte)| bystander.push(from, byte));
    bystander.finish()
}

/// Where the records of one side stand in its bytes.
fn records(talk: &Talk, side: Side) -> Vec<(usize, usize)> {
    let stream: Vec<u8> =
        talk.pieces.iter().filter(|(from, _)| *from == side).flat_map(|(_, data)| data.clone()).collect();
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some([_, _, _, high, low]) = stream.get(at..at + 5) {
        let end = at + 5 + (usize::from(*high) << 8 | usize::from(*low));
        all.push((at, end));
        at = end;
    }
    all
}

/// The connection with a hole in what one side sent.
fn with_hole(talk: &Talk, side: Side, hole: (usize, usize)) -> Opened {
    let mut bystander = Bystander::new(&talk.keys);
    let mut at = 0;
    for (from, data) in &talk.pieces {
        if *from != side {
            bystander.push(*from, data);
            continue;
        }
        let cut = |place: usize| place.clamp(at, at + data.len()) - at;
        let (begin, end) = (cut(hole.0), cut(hole.1));
        bystander.push(side, &data[..begin]);
        if end > begin {
            bystander.missing(side, (end - begin) as u64);
        }
        bystander.push(side, &data[end..]);
        at += data.len();
    }
    bystander.finish()
}

/// Whether the record in which a hole ends goes on with bytes that happen to look like a header: one connection in a
/// hundred has such ciphertext, and nobody can tell.
fn is_ambiguous(talk: &Talk, side: Side, sealed: &[(usize, usize)], hole_ends: usize) -> bool {
    let Some((_, end)) = sealed.iter().find(|(begin, end)| *begin < hole_ends && hole_ends < *end) else {
        return false;
    };
    let of_side = talk.pieces.iter().filter(|(from, _)| *from == side);
    let stream: Vec<u8> = of_side.flat_map(|(_, data)| data.clone()).collect();
    let looks = |five: &[u8]| matches!(five, [20..=24, 3, 0..=4, high, _] if *high <= 0x48);
    (hole_ends..*end).any(|at| stream.get(at..at + 5).is_some_and(looks))
}

/// Holes within a record, over a header, and over several records, everywhere behind the first sealed record. The other side
/// loses nothing; this one loses the records that the hole touches, and `more`.
fn holes(name: &str, talk: &Talk, opened: &Opened, more: u64) {
    for side in [Side::Client, Side::Server] {
        let records = records(talk, side);
        let first = records.len() - opened.records[side as usize] as usize;
        let sealed = &records[first..];
        for (place, (begin, end)) in sealed.iter().enumerate() {
            let next = sealed.get(place + 2).map_or(*end, |(begin, _)| begin + 7);
            let touched =
                |hole: (usize, usize)| sealed.iter().filter(|(b, e)| hole.0 < *e && hole.1 > *b).count() as u64;
            for hole in [(begin + 6, begin + 9), (begin + 2, end - 2), (end - 3, end + 3), (begin + 8, next)] {
                let hole = (hole.0, hole.1.min(sealed.last().expect("a record").1));
                if is_ambiguous(talk, side, sealed, hole.1) {
                    continue;
                }
                let holed = with_hole(talk, side, hole);
                let lost = touched(hole) + more;
                let other = side.other() as usize;
                assert_eq!(holed.records[other], opened.records[other], "{name}: {side} {hole:?}");
                let here = holed.records[side as usize];
                assert!(
                    here + lost >= opened.records[side as usize],
                    "{name}: {side} {hole:?} of {sealed:?}: {holed:?}"
                );
            }
        }
    }
}

#[test]
fn every_suite_of_every_version() {
    with_peers("every_suite_of_every_version", || {
        let folder = Folder::new()?;
        certificates(folder.path())?;
        for suite in TLS_1_3 {
            let (talk, opened) =
                check(folder.path(), suite, &["-ciphersuites", suite], &["-ciphersuites", suite], &[])?;
            assert_eq!(bytewise(&talk).out, opened.out, "{suite}");
            assert!(opened.out.iter().any(|what| matches!(what, What::EncryptedExtensions { .. })), "{suite}");
            let chain = |what: &What| matches!(what, What::Certificates { chain, .. } if chain.len() == 1);
            assert!(opened.out.iter().any(chain), "{suite}");
            holes(suite, &talk, &opened, 0);
        }
        for (version, suites) in [("-tls1_2", TLS_1_2), ("-tls1_1", BEFORE), ("-tls1", BEFORE)] {
            for suite in suites {
                let cipher = format!("{suite}:@SECLEVEL=0");
                for more in [&[][..], &["-no_etm"]] {
                    let options = [&[version, "-cipher", &cipher], more].concat();
                    let name = options.join(" ");
                    let (talk, opened) = check(folder.path(), &name, &options, &options, &[])?;
                    assert_eq!(bytewise(&talk).out, opened.out, "{name}");
                    // TLS 1.0 takes the end of one record for the next.
                    holes(&name, &talk, &opened, u64::from(version == "-tls1"));
                    if suite.contains("GCM") || suite.contains("CCM") || suite.contains("CHACHA") {
                        break;
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn key_updates_renegotiation_retries_and_resumption() {
    with_peers("key_updates_renegotiation_retries_and_resumption", || {
        let folder = Folder::new()?;
        let folder = folder.path();
        certificates(folder)?;
        let (talk, opened) = check(folder, "KeyUpdate", &[], &[], &["K", "k", "K"])?;
        holes("KeyUpdate", &talk, &opened, 0);
        let v12 = &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256"];
        for options in [&["-tls1_2"][..], v12] {
            let (_, opened) = check(folder, "renegotiation", options, options, &["R"])?;
            let hellos = opened.out.iter().filter(|what| matches!(what, What::ClientHello(_))).count();
            assert_eq!(hellos, 1, "a renegotiation begins no second connection");
        }
        let (_, opened) = check(folder, "retry", &["-groups", "P-384"], &["-groups", "X25519:P-384"], &[])?;
        assert!(opened.out.contains(&What::HelloRetryRequest));
        for version in ["-tls1_2", "-tls1_3"] {
            resumed(folder, version)?;
        }
        Ok(())
    });
}

/// The second connection of a session has its own line in the key log.
fn resumed(folder: &Path, version: &str) -> Outcome<()> {
    let server = Server::start(folder, &[version])?;
    check_with(&server, folder, "a first connection", &[version, "-sess_out", "session"], &[])?;
    let (_, opened) = check_with(&server, folder, "a second", &[version, "-sess_in", "session"], &[])?;
    let is_resumed = |what: &What| matches!(what, What::ServerHello(hello) if hello.resumed);
    assert!(opened.out.iter().any(is_resumed), "{version}");
    Ok(())
}

#[test]
fn what_is_not_opened_says_why() {
    with_peers("what_is_not_opened_says_why", || {
        let folder = Folder::new()?;
        certificates(folder.path())?;
        let (talk, _) = check(folder.path(), "TLS 1.3", &[], &[], &[])?;
        let mut others = Keyring::default();
        others.read(format!("CLIENT_RANDOM {} 00", "ab".repeat(32)).as_bytes());
        let strange = whole(&Talk { pieces: talk.pieces.clone(), keys: Arc::new(others) });
        let unsealed = whole(&Talk { pieces: talk.pieces.clone(), keys: Arc::default() });
        let no_secret = |what: &&What| matches!(what, What::Undecrypted { why: Undecryptable::NoSecret, .. });
        let without: Vec<&What> = strange.out.iter().filter(|what| !no_secret(what)).collect();
        assert_eq!(without, unsealed.out.iter().collect::<Vec<_>>(), "secrets of others change nothing");
        assert_eq!(strange.records, [0, 0]);
        Ok(())
    });
}
