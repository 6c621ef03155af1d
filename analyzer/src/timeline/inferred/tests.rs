//! Stories of sealed records: lengths of plaintext, and what is inferred.
//!
//! `>467` is a record of the client, `<118` one of the server; behind `=` stands what is told at that record.

use super::{Inference, LastWords, Overhead, Plain, Sureness, Told};
use crate::event::Protocols;
use crate::observation::{Leg, Side};
use crate::time::Timestamp;
use crate::timeline::facts::Mark;

const TLS13: u16 = 0x0304;
/// TLS_AES_256_GCM_SHA384: 17 bytes more than the plaintext.
const GCM: (u16, u16, u32) = (TLS13, 0x1302, 17);

fn hides((version, cipher): (u16, u16), len: u32) -> Option<Plain> {
    Overhead::of(version, cipher).map(|overhead| overhead.hides(len))
}

/// Plays a story in TLS 1.3 and checks what is told at each record.
fn check(selected: Protocols, story: &str) -> Inference {
    let mut inference = Inference::default();
    for (word, number) in story.split_whitespace().zip(1..) {
        let (record, wanted) = word.split_once('=').unwrap_or((word, ""));
        let from = if record.starts_with('>') { Side::Client } else { Side::Server };
        let len: u32 = record[1..].parse::<u32>().expect("a length") + GCM.2;
        let mark = Mark { at: Timestamp::at(number), frame: number, leg: Leg::Only };
        let told = inference.push(mark, from, (23, len.into()), hides((GCM.0, GCM.1), len), selected);
        let found = match told {
            None => String::new(),
            Some(Told::Begins(phase)) => phase.name().to_owned(),
            Some(Told::Authenticated(since)) => format!("authenticated@{}", since.frame),
        };
        assert_eq!(found, wanted, "at {word}, record {number} of {story}");
    }
    inference
}

/// From Connect Initial to the Font Map, with two channels.
const SEQUENCE: &str = ">467 <118 >12=channel-connection >8 <11 >12 <15 >12 <15 >351=secure-settings <34=licensing \
                        <398=capabilities >556=finalization >37 >41 >41 >41 <37 <41 <41 <41=active <101 >8";

#[test]
fn a_session_from_its_first_record_to_its_picture() {
    let inference = check(Protocols::SSL, SEQUENCE);
    assert_eq!(inference.told().joins, [2, 2]);
    assert_eq!(inference.sureness(), Sureness::Likely);
    assert!(!inference.is_lost());
}

#[test]
fn tickets_are_no_messages() {
    check(Protocols::SSL, &format!("<233 {SEQUENCE}"));
    check(Protocols::SSL, ">467 <233 <233 <118 >12=channel-connection >8 <11 >351=secure-settings");
}

#[test]
fn credssp_ends_where_the_client_goes_on_at_once() {
    let inference =
        check(Protocols::HYBRID, &format!(">93 <162 >433 <95 >120 >467=authenticated@5 {}", &SEQUENCE[4..]));
    assert_eq!(inference.told().tokens, [3, 2]);
}

#[test]
fn credssp_ends_where_four_bytes_say_so() {
    let story = format!(">175 <1351 >1887 <227 >191 <103 >183 <4 >462=authenticated@8 {}", &SEQUENCE[4..]);
    let inference = check(Protocols::HYBRID_EX, &story);
    assert_eq!(inference.told().tokens, [4, 3]);
}

#[test]
fn an_error_code_is_short() {
    assert!(check(Protocols::HYBRID_EX, ">57 <295 >677 <15").told().refused);
    assert!(!check(Protocols::HYBRID_EX, ">57 <295 >677 <103").told().refused);
}

#[test]
fn rdstls_is_one_turn() {
    check(Protocols::RDSTLS, ">8 <8 >467 <118 >12=channel-connection");
}

#[test]
fn a_licence_is_asked_for() {
    check(
        Protocols::SSL,
        ">467 <118 >12=channel-connection >8 <11 >351=secure-settings <337=licensing >158 <56 >70 <2100 \
         <398=capabilities >556=finalization",
    );
    check(
        Protocols::SSL,
        ">467 <118 >12=channel-connection >8 <11 >351=secure-settings <337=licensing >158 <34 <425=capabilities",
    );
}

#[test]
fn a_network_is_measured_first() {
    check(
        Protocols::SSL,
        ">467 <118 >12=channel-connection >8 <11 >351=secure-settings <25=auto-detection >25 <25 <4000 <25 >35 \
         <34=licensing <42=multitransport <398=capabilities",
    );
}

#[test]
fn messages_share_records() {
    let inference = check(
        Protocols::SSL,
        ">445 <112 >20=channel-connection <11 >24 <30 >335=secure-settings <432=licensing >556=finalization >37 >41 \
         <282=active",
    );
    assert_eq!(inference.told().joins, [2, 2]);
    assert_eq!(inference.sureness(), Sureness::Possible, "it was not told what the server's 432 bytes are");
    check(
        Protocols::SSL,
        ">445 <112 >20=channel-connection <11 >335=secure-settings <34=licensing <398=capabilities \
                           >712=finalization <78 <82=active",
    );
}

#[test]
fn what_contradicts_the_sequence_loses_the_track() {
    let inference = check(Protocols::SSL, ">467 <118 >99 >8 <11 >351 <34 <398 >556");
    assert!(inference.is_lost());
    let inference = check(Protocols::SSL, ">40 <118 >12 >8");
    assert!(inference.is_lost());
}

#[test]
fn a_hole_loses_the_track() {
    let mut inference = check(Protocols::SSL, ">467 <118");
    inference.lose();
    assert!(inference.is_lost());
}

#[test]
fn with_cbc_nothing_is_likely() {
    // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, and what OpenSSL makes of these with encrypt-then-MAC.
    let mut inference = Inference::default();
    let records = [(Side::Client, 516), (Side::Server, 164), (Side::Client, 52), (Side::Client, 52)];
    let told = records.map(|(from, len)| {
        let mark = Mark { at: Timestamp::at(1), frame: 1, leg: Leg::Only };
        inference.push(mark, from, (23, u64::from(len)), hides((0x0303, 0xc013), len), Protocols::SSL)
    });
    assert_eq!(told[2], Some(Told::Begins(super::PhaseName::ChannelConnection)));
    assert_eq!(inference.sureness(), Sureness::Possible);
}

#[test]
fn one_byte_before_each_record_is_no_message() {
    // TLS 1.0, TLS_RSA_WITH_AES_128_CBC_SHA: the byte takes 32, as Attach User does.
    let mut inference = Inference::default();
    let lens = [32, 480, 32, 48, 32, 32];
    let told = lens.map(|len| {
        let mark = Mark { at: Timestamp::at(1), frame: 1, leg: Leg::Only };
        inference.push(mark, Side::Client, (23, u64::from(len)), hides((0x0301, 0x002f), len), Protocols::SSL)
    });
    assert_eq!(told[3], Some(Told::Begins(super::PhaseName::ChannelConnection)));
    assert!(!inference.is_lost());
}

#[test]
fn what_is_said_last() {
    let words = |story: &str| check(Protocols::SSL, story).last_words(Side::Server);
    let before = ">467 <118 >12=channel-connection >8 <11 >351=secure-settings";
    assert_eq!(words(before), LastWords::default());
    let gone = words(&format!("{before} <9 <2"));
    assert_eq!(gone, LastWords { error_info: false, ultimatum: true, alert: true, may_leave: true, long: false });
    let told = words(&format!("{before} <34=licensing <36 <9"));
    assert_eq!(told, LastWords { error_info: true, ultimatum: true, alert: false, may_leave: true, long: false });
    let alone = words("<2");
    assert_eq!(alone, LastWords { error_info: false, ultimatum: false, alert: true, may_leave: true, long: false });
}

#[test]
fn an_inference_stays_small() {
    assert!(std::mem::size_of::<Inference>() <= 320, "{}", std::mem::size_of::<Inference>());
}
