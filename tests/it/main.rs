//! The one integration test binary.

mod relay;
mod support;
