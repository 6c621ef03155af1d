//! Opens the records of one connection with the secrets of a keyring (RFC 8446, 5.2 and 7; RFC 5246, 6.2.3 and 6.3).
//!
//! Each side has a row of epochs: early data, handshake, application and its updates; up to TLS 1.2 one for each
//! handshake. Nobody says when the next begins: a record that the present one does not open is tried with the next, and
//! what authenticates is right. So a hole that swallowed a Finished, a KeyUpdate or a ChangeCipherSpec costs nothing more
//! than the records in it. How many these were is found in the same way, by trying the sequence numbers that follow.

use std::collections::VecDeque;
use std::sync::Arc;

use super::cipher::{Associated, Cbc, Cipher, Sealed};
use super::digest::prf;
use super::is_1_3;
use super::keys::{Keyring, Random, Secret, Stage};
use super::suite::{Bulk, Suite, suite};
use crate::event::Undecryptable;
use crate::observation::Side;

/// Sequence numbers behind the expected one that are tried after a hole.
const MAX_SEARCH: u64 = 2048;
/// Bytes that are tried in vain before a side is given up: less than a second's work.
const MAX_IN_VAIN: u64 = 256 << 20;
/// No sealed record is shorter, header included, bytes: a hole hides no more than its length over this.
const MIN_RECORD: u64 = 5 + 1 + 16;
/// Generations of keys that are tried after a hole.
const MAX_UPDATES: usize = 4;
/// Renegotiations that wait for their ChangeCipherSpec.
const MAX_EPOCHS: usize = 16;

/// What a ServerHello decides about the keys.
pub(super) struct Agreed {
    pub(super) version: u16,
    pub(super) cipher: u16,
    pub(super) random: Random,
    /// RFC 7366.
    pub(super) encrypt_then_mac: bool,
    pub(super) session_id: Vec<u8>,
}

/// What became of a record.
pub(super) enum Opened {
    /// It is open.
    Plain {
        /// ContentType, the true one.
        kind: u8,
        /// What it says.
        text: Secret,
        /// Whether it is 0-RTT data.
        is_early: bool,
    },
    /// It is not.
    Sealed {
        /// Why.
        why: Undecryptable,
        /// Bytes of plaintext that it must have had, TLS 1.3's padding and that of CBC included.
        len: u32,
    },
}

/// The keys of one connection.
pub(super) struct Decrypter {
    keys: Arc<Keyring>,
    /// Of the ClientHello.
    random: Option<Random>,
    agreed: Option<Agreed>,
    client: Half,
    server: Half,
}

/// One side's records.
#[derive(Default)]
struct Half {
    /// The present one first.
    epochs: VecDeque<Epoch>,
    /// The ciphertext, as far as it is here.
    body: Vec<u8>,
    /// Where the last hole in it ends.
    hole: Option<usize>,
    /// So many records may have passed unseen.
    slack: u64,
    in_vain: u64,
    /// Whether the key log lacks the secret of an epoch.
    lacks: bool,
    opened: bool,
    /// The last plaintext's buffer.
    spare: Secret,
}

/// What is sealed with one key.
struct Epoch {
    cipher: Cipher,
    /// Of the next record.
    sequence: u64,
    associated: Associated,
    /// By how much a record is longer than its content.
    overhead: u32,
    traffic: Option<Traffic>,
}

/// The secret that an epoch of TLS 1.3 is made of.
struct Traffic {
    secret: Secret,
    suite: Suite,
    stage: Stage,
}

impl Decrypter {
    pub(super) fn new(keys: Arc<Keyring>) -> Decrypter {
        Decrypter { keys, random: None, agreed: None, client: Half::default(), server: Half::default() }
    }

    /// Further secrets, and the ClientHello that came before them, if one did. Early data that came with it stays sealed.
    pub(super) fn learn(&mut self, keys: &Arc<Keyring>, random: Option<Random>) {
        self.keys = Arc::clone(keys);
        self.random = self.random.or(random);
    }

    /// A ClientHello offers these suites. Early data may follow it, sealed with one of them; which is found by trying.
    pub(super) fn client_hello(&mut self, random: Random, ciphers: &[u16]) {
        let is_retried = self.random == Some(random);
        self.random = Some(random);
        let early = self.keys.traffic(&random, Side::Client, Stage::Early).filter(|_| !is_retried);
        let Some(secret) = early else { return };
        let suites = ciphers.iter().filter(|cipher| *cipher >> 8 == 0x13).filter_map(|cipher| suite(*cipher));
        let epochs = suites.filter_map(|suite| Epoch::tls_1_3(secret, suite, Stage::Early, Associated::Header));
        self.client.epochs = epochs.collect();
    }

    /// A HelloRetryRequest: no early data is sent behind it (RFC 8446, 4.2.10).
    pub(super) fn retry(&mut self) {
        self.client.epochs.clear();
    }

    /// A ServerHello.
    pub(super) fn server_hello(&mut self, agreed: Agreed) {
        if let (Some(random), Some(suite)) = (self.random, suite(agreed.cipher)) {
            if is_1_3(agreed.version) {
                self.traffic(Side::Client, &random, suite, associated(agreed.version));
                self.traffic(Side::Server, &random, suite, associated(agreed.version));
            } else if let Some(master) = self.keys.master(&random, &agreed.session_id).cloned() {
                self.master(&master, &random, suite, &agreed);
            }
        }
        self.agreed = Some(agreed);
    }

    /// A record begins.
    pub(super) fn start(&mut self, from: Side) {
        let half = self.half(from);
        half.body.clear();
        half.hole = None;
    }

    /// Some of its ciphertext.
    pub(super) fn body(&mut self, from: Side, bytes: &[u8]) {
        self.half(from).body.extend_from_slice(bytes);
    }

    /// So much of its ciphertext is not here. No more than a record has.
    pub(super) fn hole_within(&mut self, from: Side, len: usize) {
        let half = self.half(from);
        half.body.resize(half.body.len() + len, 0);
        half.hole = Some(half.body.len());
    }

    /// So many bytes are not here, and at least one header among them.
    pub(super) fn hole_beyond(&mut self, from: Side, len: u64) {
        let half = self.half(from);
        half.body.clear();
        // The one it begins in, and the one it ends in.
        half.slack = half.slack.saturating_add(len / MIN_RECORD + 2);
        half.chain(false);
    }

    /// The record is complete, or what there is of it.
    pub(super) fn open(&mut self, from: Side, kind: u8) -> Opened {
        let unready = self.unready();
        let half = self.half(from);
        let len = (half.body.len() as u32).saturating_sub(half.epochs.front().map_or(0, |epoch| epoch.overhead));
        if half.epochs.is_empty() {
            return Opened::Sealed { why: unready, len };
        }
        match half.open(kind) {
            Ok(opened) => opened,
            Err(why) => Opened::Sealed { why, len },
        }
    }

    /// Whether there are keys of this side.
    pub(super) fn is_ready(&self, from: Side) -> bool {
        match from {
            Side::Client => !self.client.epochs.is_empty(),
            Side::Server => !self.server.epochs.is_empty(),
        }
    }

    /// Gives a plaintext back, whose buffer is used again.
    pub(super) fn done(&mut self, from: Side, text: Secret) {
        self.half(from).spare = text;
    }

    /// Why a side has no keys.
    fn unready(&self) -> Undecryptable {
        match (&self.random, &self.agreed) {
            (Some(_), Some(agreed)) if suite(agreed.cipher).is_none() => Undecryptable::Suite,
            (Some(_), None) if self.server.slack > 0 => Undecryptable::Missing,
            (Some(_), _) => Undecryptable::NoSecret,
            (None, _) => Undecryptable::Missing,
        }
    }

    fn half(&mut self, from: Side) -> &mut Half {
        match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn traffic(&mut self, from: Side, random: &Random, suite: Suite, associated: Associated) {
        let keys = Arc::clone(&self.keys);
        let half = self.half(from);
        for stage in [Stage::Handshake, Stage::Application] {
            let epoch =
                keys.traffic(random, from, stage).and_then(|secret| Epoch::tls_1_3(secret, suite, stage, associated));
            half.lacks |= epoch.is_none();
            half.epochs.extend(epoch);
        }
    }

    /// The key block, RFC 5246, 6.3: MAC keys, keys and vectors, of the client first.
    fn master(&mut self, master: &[u8], random: &Random, suite: Suite, agreed: &Agreed) {
        let bulk = suite.bulk;
        let lens = [bulk.mac_len(), bulk.key_len(), bulk.iv_len(agreed.version)];
        let len = 2 * lens.iter().sum::<usize>();
        let block = prf(agreed.version, suite.hash, master, "key expansion", [&agreed.random, random], len);
        for from in [Side::Client, Side::Server] {
            let mut at = 0;
            let [mac_key, key, iv] = lens.map(|len| {
                let begin = at + len * from as usize;
                at += 2 * len;
                block.get(begin..begin + len).unwrap_or_default()
            });
            let epoch = Epoch::tls_1_2(bulk, [mac_key, key, iv], agreed);
            let half = self.half(from);
            if half.epochs.len() < MAX_EPOCHS {
                half.epochs.extend(epoch);
            }
        }
    }
}

/// Drafts before the 25th authenticated nothing but the content.
fn associated(version: u16) -> Associated {
    if version >> 8 == 0x7f && version & 0xff < 25 { Associated::Nothing } else { Associated::Header }
}

impl Half {
    fn open(&mut self, kind: u8) -> Result<Opened, Undecryptable> {
        if let Some(end) = self.hole {
            // The last block of the ciphertext may be here, though.
            let tail = self.epochs.front().map_or(0, |epoch| epoch.cipher.tail_len());
            let is_tail_here = self.body.len() - end >= tail;
            self.skip(is_tail_here);
            return Err(Undecryptable::Missing);
        }
        if self.in_vain > MAX_IN_VAIN {
            return Err(Undecryptable::NotAuthentic);
        }
        let is_ready = self.epochs.front().is_some_and(|epoch| epoch.cipher.is_ready());
        let mut text = std::mem::take(&mut self.spare);
        let found = if is_ready { self.search(kind, &mut text) } else { None };
        let Some((place, sequence)) = found else {
            self.spare = text;
            self.skip(true);
            return Err(match (is_ready, self.lacks && !self.opened) {
                (false, _) => Undecryptable::Missing,
                (true, true) => Undecryptable::NoSecret,
                (true, false) => Undecryptable::NotAuthentic,
            });
        };
        self.epochs.drain(..place);
        (self.slack, self.in_vain, self.opened) = (0, 0, true);
        let Some(epoch) = self.epochs.front_mut() else { return Err(Undecryptable::NoSecret) };
        epoch.sequence = sequence + 1;
        epoch.cipher.passed(Some(&self.body));
        let stage = epoch.traffic.as_ref().map(|traffic| traffic.stage);
        let kind = if stage.is_some() { inner_type(&mut text) } else { kind };
        Ok(Opened::Plain { kind, text, is_early: stage == Some(Stage::Early) })
    }

    /// One record more that was not opened: it may have counted, or not.
    fn skip(&mut self, is_tail_here: bool) {
        self.slack = self.slack.saturating_add(1);
        self.chain(is_tail_here);
    }

    /// TLS 1.0 takes the end of each record for the next. Before the first, the vector is that of the key block.
    fn chain(&mut self, is_tail_here: bool) {
        if let Some(epoch) = self.epochs.front_mut().filter(|_| self.opened || is_tail_here) {
            epoch.cipher.passed(is_tail_here.then_some(self.body.as_slice()));
        }
    }

    /// Which epoch and which sequence number open the record.
    fn search(&mut self, kind: u8, text: &mut Secret) -> Option<(usize, u64)> {
        let slack = self.slack.min(MAX_SEARCH);
        for place in 0..self.epochs.len() {
            if let Some(sequence) = self.search_in(place, slack, kind, text) {
                return Some((place, sequence));
            }
        }
        self.search_updated(slack, kind, text)
    }

    /// The next generation, if there was a KeyUpdate (RFC 8446, 7.2); a hole may have hidden more than one.
    fn search_updated(&mut self, slack: u64, kind: u8, text: &mut Secret) -> Option<(usize, u64)> {
        let known = self.epochs.len();
        let updates = if slack == 0 { 1 } else { MAX_UPDATES };
        for place in known..known + updates {
            let next = self.epochs.back()?.updated()?;
            self.epochs.push_back(next);
            if let Some(sequence) = self.search_in(place, slack, kind, text) {
                return Some((place, sequence));
            }
        }
        self.epochs.truncate(known);
        None
    }

    fn search_in(&mut self, place: usize, slack: u64, kind: u8, text: &mut Secret) -> Option<u64> {
        let epoch = self.epochs.get(place)?;
        let sealed = Sealed { kind, body: &self.body, associated: epoch.associated };
        for sequence in epoch.sequence..=epoch.sequence.checked_add(slack)? {
            if epoch.cipher.open(sequence, sealed, text) {
                return Some(sequence);
            }
            self.in_vain += sealed.body.len() as u64 + 64;
        }
        None
    }
}

impl Epoch {
    /// RFC 8446, 7.3.
    fn tls_1_3(secret: &Secret, suite: Suite, stage: Stage, associated: Associated) -> Option<Epoch> {
        if secret.len() != suite.hash.len() {
            return None;
        }
        let key = suite.hash.expand_label(secret, "key", suite.bulk.key_len());
        let iv = suite.hash.expand_label(secret, "iv", 12);
        let overhead = suite.bulk.tag_len() as u32 + 1;
        let traffic = Some(Traffic { secret: secret.clone(), suite, stage });
        Some(Epoch { cipher: Cipher::aead(suite.bulk, &key, &iv)?, sequence: 0, associated, overhead, traffic })
    }

    /// The epoch behind a KeyUpdate.
    fn updated(&self) -> Option<Epoch> {
        let Traffic { secret, suite, stage } = self.traffic.as_ref()?;
        let next = suite.hash.expand_label(secret, "traffic upd", suite.hash.len());
        match stage {
            Stage::Application => Epoch::tls_1_3(&next, *suite, Stage::Application, self.associated),
            Stage::Early | Stage::Handshake => None,
        }
    }

    fn tls_1_2(bulk: Bulk, [mac_key, key, iv]: [&[u8]; 3], agreed: &Agreed) -> Option<Epoch> {
        let associated = Associated::Sequence(agreed.version);
        let (cipher, overhead) = match bulk.mac() {
            None => {
                let explicit = if iv.len() == 4 { 8 } else { 0 };
                (Cipher::aead(bulk, key, iv)?, bulk.tag_len() + explicit)
            }
            Some(mac) => {
                let cbc = Cbc::new(bulk, key, mac_key, iv, agreed.encrypt_then_mac)?;
                (Cipher::Cbc(cbc), mac.len() + 1 + if agreed.version > super::TLS_1_0 { 16 } else { 0 })
            }
        };
        Some(Epoch { cipher, sequence: 0, associated, overhead: overhead as u32, traffic: None })
    }
}

/// Cuts padding and type off a TLSInnerPlaintext (RFC 8446, 5.2) and gives the type; 0, which there is not, where there is
/// none.
fn inner_type(text: &mut Secret) -> u8 {
    let end = text.iter().rposition(|byte| *byte != 0);
    let kind = end.and_then(|end| text.get(end)).copied().unwrap_or(0);
    text.truncate(end.unwrap_or(0));
    kind
}
