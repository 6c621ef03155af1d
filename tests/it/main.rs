//! The one integration test binary.

mod captures;
mod causes;
mod cli;
mod corpus;
mod explain;
mod histogram;
mod inference;
mod inner;
mod keyed;
mod lab;
mod lab_command;
mod law;
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
