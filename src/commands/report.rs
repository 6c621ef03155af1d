//! `rdpscope report`: one HTML page of recorded sessions, for a ticket.

use analyzer::attempt;
use analyzer::report::html;

use super::{analyze, check, exit_code, put, talk};
use crate::cli::Report;

pub fn run(args: &Report) -> anyhow::Result<u8> {
    check(&args.output)?;
    let known = analyze::known(&args.keylog, false, &args.endpoints)?;
    let (sessions, said) = analyze::sessions(&known, &args.inputs);
    let attempts = attempt::group(sessions);
    if attempts.is_empty() {
        talk("no RDP found");
    }
    put(&args.output, &html::page(env!("CARGO_PKG_VERSION"), &attempts))?;
    Ok(if said.is_unreadable { 2 } else { exit_code(&attempts) })
}
