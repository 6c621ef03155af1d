//! `rdpscope report`: one HTML page of recorded sessions, for a ticket.

use analyzer::attempt;
use analyzer::report::html;

use super::{analyze, exit_code, put, talk};
use crate::cli::Report;

pub fn run(args: &Report) -> anyhow::Result<u8> {
    let mut sessions = Vec::new();
    let keys = analyze::keyring(&args.keylog, false)?;
    let unreadable = analyze::each_session_with(&keys, &args.inputs, &mut |session| sessions.push(session));
    let attempts = attempt::group(sessions);
    if attempts.is_empty() {
        talk("no RDP found");
    }
    put(args.output.as_deref(), &html::page(env!("CARGO_PKG_VERSION"), &attempts))?;
    Ok(if unreadable { 2 } else { exit_code(&attempts) })
}
