//! How the bytes of an RDP session arrive and leave: relay, recorder, scripted peers.

pub mod lab;
pub mod tls;
