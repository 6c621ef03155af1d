//! The one integration test binary.

mod captures;
mod causes;
mod cli;
mod corpus;
mod explain;
mod fuzzed;
mod histogram;
mod inner;
mod intercept;
mod keyed;
mod lab;
mod lab_command;
mod law;
mod live_keys;
mod netns;
mod network;
mod peers;
mod probe;
mod relay;
mod scoreboard;
mod scripts;
mod suites;
mod support;
mod survey;
mod tidy;
mod wan;
