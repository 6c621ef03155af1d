//! The one integration test binary.

mod corpus;
mod lab;
mod netns;
mod peers;
mod relay;
mod support;
