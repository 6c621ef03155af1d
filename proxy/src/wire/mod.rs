//! Bytes that this program says itself, made by hand: X.224 requests, ClientHellos, and requests to an RD Gateway.
//!
//! The probe asks with them and the lab's peers play with them. Nothing is read here: what an answer means is asked of
//! the analyzer, which shares no code with this room, so that a mistake in one is not repeated by the other.

pub mod hello;
pub mod http;
pub mod x224;
