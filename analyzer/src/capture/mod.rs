//! From a file to observations.
//!
//! What comes in is the content of a capture file; what goes out are [`crate::observation::Observation`]s. The room
//! knows file formats, link, network and transport headers, and nothing of what the payload means.

pub mod annotation;
pub mod clock;
pub mod file;
mod formats;
mod fragments;
mod ip;
mod link;
mod link_names;
pub mod options;
pub mod order;
pub mod packets;
pub mod recording;
pub mod segment;
mod tunnel;
