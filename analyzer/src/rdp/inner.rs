//! What stands inside TLS, once it is open: CredSSP, then MCS and what it carries.
//!
//! Nothing of it is read yet.

use crate::event::{Protocols, What};
use crate::observation::Side;

/// The layers behind TLS of one flow.
#[derive(Debug)]
pub struct Inner {
    /// What was agreed on: whether CredSSP comes first.
    _selected: Protocols,
}

impl Inner {
    /// Nothing said yet.
    pub fn new(selected: Protocols) -> Self {
        Inner { _selected: selected }
    }

    /// More plaintext of one side, in order.
    pub fn push(&mut self, _from: Side, _data: &[u8], _out: &mut Vec<What>) {}

    /// About `len` bytes of one side that could not be opened.
    pub fn missing(&mut self, _from: Side, _len: u64, _out: &mut Vec<What>) {}
}
