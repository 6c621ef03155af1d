//! `rdpscope rules`: the catalogue of causes, or all that is known of one.
//!
//! Exit code: 2 where no cause has that name, else 0.

use analyzer::causes::{self, Cause};
use analyzer::report::{causes as text, json};
use anyhow::anyhow;

use super::print;
use crate::cli::{Format, Rules};

pub fn run(args: Rules) -> anyhow::Result<u8> {
    let one = args.id.as_deref().map(named).transpose()?;
    print(&match (args.format, one) {
        (Format::Text, None) => text::table(),
        (Format::Text, Some(cause)) => text::cause(cause),
        (Format::Json, None) => json::catalogue(env!("CARGO_PKG_VERSION"), causes::all()) + "\n",
        (Format::Json, Some(cause)) => json::catalogue(env!("CARGO_PKG_VERSION"), [cause]) + "\n",
    })?;
    Ok(0)
}

fn named(id: &str) -> anyhow::Result<&'static Cause> {
    causes::cause(id).ok_or_else(|| {
        let near: Vec<&str> = causes::near(id).iter().map(|cause| cause.id).collect();
        match near[..] {
            [] => anyhow!("no cause has the name {id}: rdpscope rules lists them all"),
            [..] => anyhow!("no cause has the name {id}; near to it: {}", near.join(", ")),
        }
    })
}
