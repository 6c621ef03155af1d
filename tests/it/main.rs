//! The one integration test binary.

mod lab;
mod relay;
mod scripts;
mod support;
