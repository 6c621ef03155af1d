//! `rdpscope man` and `rdpscope completions`: made from the same flags as the help. The only module that names clap_mangen and
//! clap_complete.

use std::io;
use std::path::Path;

use anyhow::{Context, bail};
use clap::CommandFactory;
use clap_complete::Generator;

use super::{print, talk};
use crate::cli::{Cli, Completions, Man};
use proxy::named::Named;

const NAME: &str = "rdpscope";

/// Prints a page of the manual, or writes all of them into a folder.
pub fn man(args: &Man) -> anyhow::Result<u8> {
    let mut cli = Cli::command().name(NAME);
    cli.build();
    if let Some(folder) = &args.output {
        return write_all(cli, folder);
    }
    let page = match &args.command {
        None => cli,
        Some(name) => match cli.find_subcommand(name) {
            Some(found) => found.clone(),
            None => bail!("expected a command of {NAME}, found {name}"),
        },
    };
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff).context("cannot make the page")?;
    print(&String::from_utf8_lossy(&roff))?;
    Ok(0)
}

fn write_all(cli: clap::Command, folder: &Path) -> anyhow::Result<u8> {
    let made = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(cli, folder));
    made.with_context(|| format!("cannot write the manual to {}", folder.named()))?;
    talk(&format!("wrote {}: man -l {}", folder.named(), folder.join(format!("{NAME}.1")).named()));
    Ok(0)
}

/// Prints what makes a shell complete this program's flags.
pub fn completions(args: &Completions) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    let mut cli = Cli::command();
    cli.set_bin_name(NAME);
    cli.build();
    args.shell.try_generate(&cli, &mut script).map_err(io::Error::other).context("cannot make the script")?;
    print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
