//! The one integration test binary.

mod lab;
mod netns;
mod peers;
mod probe;
mod relay;
mod support;
