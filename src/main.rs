//! `rdpscope`: says why Remote Desktop will not connect. This package is the command line and nothing else.

mod archive;
mod cli;
mod commands;
mod held;
mod input;
mod tui;

use std::io::IsTerminal;
use std::process::ExitCode;

use analyzer::shown;
use clap::Parser;
use clap::error::ContextValue;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(error),
    };
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
    // What is told of may hold names.
    let fields = format::debug_fn(|out, field, value| {
        let value = format!("{value:?}");
        let value = shown::line(&value);
        if field.name() == "message" { write!(out, "{value}") } else { write!(out, "{field}={value}") }
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_coloured)
        .fmt_fields(fields.delimited(" "))
        .with_writer(|| held::Stderr)
        .init();
    match commands::run(cli.command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            commands::talk(&format!("error: {}", commands::why(&error)));
            ExitCode::from(2)
        }
    }
}

/// What does not fit the command line, with the arguments escaped. Help and version are what they are.
fn misused(mut error: clap::Error) -> ExitCode {
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    if !error.use_stderr() {
        let _closed_pipe = error.print();
        return code;
    }
    let safe = |value: &ContextValue| match value {
        ContextValue::String(text) => Some(ContextValue::String(shown::line(text).into_owned())),
        ContextValue::Strings(all) => {
            Some(ContextValue::Strings(all.iter().map(|text| shown::line(text).into_owned()).collect()))
        }
        // Tips: of one line each.
        ContextValue::StyledStrs(all) => Some(ContextValue::StyledStrs(
            all.iter().map(|text| shown::line(&text.to_string()).into_owned().into()).collect(),
        )),
        _ => None,
    };
    let replaced: Vec<_> = error.context().filter_map(|(kind, value)| Some((kind, safe(value)?))).collect();
    for (kind, value) in replaced {
        error.insert(kind, value);
    }
    commands::talk(error.render().to_string().trim_end());
    code
}
