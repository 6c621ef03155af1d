//! What a picture does not show, by name: a missing codec is told, not hidden.

use std::collections::BTreeMap;

/// How often each thing was not drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undrawn(BTreeMap<&'static str, u64>);

impl Undrawn {
    pub(super) fn add(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    /// Counts one that was read to its end.
    pub(super) fn told(&mut self, what: &'static str) -> Option<()> {
        self.add(what, 1);
        Some(())
    }

    /// Names and numbers, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(what, times)| (*what, *times))
    }

    /// Whether everything was drawn.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
