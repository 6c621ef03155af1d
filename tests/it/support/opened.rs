//! What secrets open of one TLS connection: a bystander of the tests.

use std::fmt;
use std::sync::{Arc, Mutex};

use analyzer::event::What;
use analyzer::observation::Side;
use analyzer::tls::keys::Keyring;
use analyzer::tls::{Behind, Tls};

/// Reads one connection.
pub struct Bystander {
    tls: Tls,
    kept: Kept,
    out: Vec<What>,
}

/// What was opened of one connection; the numbers are of client and server.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Records.
    pub records: [u64; 2],
    /// Those that were not.
    pub sealed: [u64; 2],
    /// Application data.
    pub data: [Vec<u8>; 2],
    /// All events.
    pub out: Vec<What>,
}

/// Keeps what stands behind TLS.
#[derive(Default, Clone)]
struct Kept(Arc<Mutex<[Vec<u8>; 2]>>);

impl Behind for Kept {
    fn push(&mut self, from: Side, data: &[u8], _: &mut Vec<What>) {
        self.0.lock().expect("one thread")[from as usize].extend(data);
    }

    fn missing(&mut self, _: Side, _: u64, _: &mut Vec<What>) {}
}

impl Bystander {
    pub fn new(keys: &Arc<Keyring>) -> Bystander {
        let kept = Kept::default();
        Bystander { tls: Tls::with_keys(keys, Box::new(kept.clone())), kept, out: Vec::new() }
    }

    pub fn push(&mut self, from: Side, data: &[u8]) {
        self.tls.push(from, data, &mut self.out);
    }

    pub fn missing(&mut self, from: Side, len: u64) {
        self.tls.missing(from, len, &mut self.out);
    }

    pub fn finish(self) -> Opened {
        let data = self.kept.0.lock().expect("one thread").clone();
        let mut opened = Opened { data, ..Opened::default() };
        for what in &self.out {
            match what {
                What::Decrypted { from, .. } => opened.records[*from as usize] += 1,
                What::Undecrypted { from, .. } => opened.sealed[*from as usize] += 1,
                _ => {}
            }
        }
        Opened { out: self.out, ..opened }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Opened { records, sealed, data, .. } = self;
        write!(f, "opened {records:?}, not {sealed:?}, bytes {:?}", data.each_ref().map(Vec::len))
    }
}
