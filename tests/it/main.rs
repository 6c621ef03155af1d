//! The one integration test binary.

mod lab;
mod netns;
mod peers;
mod relay;
mod scripts;
mod support;
