//! How the bytes of an RDP session arrive and leave: relay, recorder, scripted peers.
//!
//! Nothing in here decodes a byte of a protocol: that is asked of `analyzer`. A module may use only modules declared
//! above it.

pub mod clock;

pub mod tcp_info;

pub mod tap;

mod leg;

mod dial;

mod relay;

pub mod listen;
