//! One side of a recorded session, played to a live peer: the same answers after the same pauses, and the same end at the same
//! place. So a failure happens again without the server that it happened with.
//!
//! [`Builder`] makes a script from the steps of `analyzer::reading::read_along`; [`play`] plays it on a socket. TLS is this
//! program's own, by [`certificate`], as it was agreed on; what the peer says is understood by the analyzer.

pub mod certificate;
mod ears;
mod lines;
mod play;
mod script;
mod wire;
mod words;

pub use play::{Means, Pace, Played, Tell, play};
pub use script::{Builder, Script};
