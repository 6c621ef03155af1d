//! `rdpscope probe`: asks a server, or an RD Gateway, what it is and what it accepts.

use analyzer::report::{json, text};
use anyhow::Context;
use proxy::listen::Target;
use proxy::probe::{self, Config};

use super::print;
use crate::cli::{Format, Probe};

pub fn run(args: Probe) -> anyhow::Result<u8> {
    let target = Target { name: args.host.name.clone(), port: args.host.port_or_usual(args.gateway) };
    let (timeout, gateway, count) = (args.timeout, args.gateway, args.count);
    let config = Config { target, connect_to: None, never: None, timeout, gateway, count };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let found = runtime.block_on(probe::run(config));
    // A resolver that does not answer would hold up the end.
    runtime.shutdown_background();
    print(&match args.format {
        Format::Text => text::probe::report(&found),
        Format::Json => json::probe::document(env!("CARGO_PKG_VERSION"), &found, None) + "\n",
    })?;
    Ok(u8::from(found.is_problem()))
}
