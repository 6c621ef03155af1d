//! `rdpscope`: says why Remote Desktop will not connect. This package is the command line and nothing else.

mod archive;
mod cli;
mod commands;
mod held;
mod input;
mod tui;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("RDPSCOPE_LOG").unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new(if cli.verbose {
            "debug,ironrdp=off"
        } else {
            "warn,rustls=error,ironrdp=off"
        })
    });
    let is_coloured = std::io::stderr().is_terminal()
        && !cli.command.takes_the_screen()
        && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_coloured).with_writer(|| held::Stderr).init();
    match commands::run(cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _closed_pipe = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}
