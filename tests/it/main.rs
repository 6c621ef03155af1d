//! The one integration test binary.

mod captures;
mod cli;
mod corpus;
mod explain;
mod histogram;
mod lab;
mod law;
mod netns;
mod network;
mod peers;
mod probe;
mod relay;
mod scripts;
mod support;
mod tidy;
mod wan;
