//! `rdpscope man` and `rdpscope completions`: made from the same flags as the help. The only module that names clap_mangen and
//! clap_complete.

use std::io;
use std::path::Path;

use anyhow::{Context, bail};
use clap::CommandFactory;
use clap_complete::Generator;
use proxy::whole::{self, For};

use super::{print, talk, wrote};
use crate::cli::{Cli, Completions, Man};
use proxy::named::Named;

const NAME: &str = "rdpscope";

/// Prints a page of the manual, or writes all of them into a folder.
pub fn man(args: &Man) -> anyhow::Result<u8> {
    let mut cli = Cli::command().name(NAME);
    cli.build();
    if let Some(folder) = &args.output {
        return write_all(cli, folder, args.force);
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

fn write_all(cli: clap::Command, folder: &Path, force: bool) -> anyhow::Result<u8> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.named()))?;
    let mut cli = cli.disable_help_subcommand(true);
    cli.build();
    write_pages(&cli, folder, force)?;
    talk(&format!("wrote {}: man -l {}", folder.named(), folder.join(format!("{NAME}.1")).named()));
    Ok(0)
}

/// The pages of a command and of those below it.
fn write_pages(command: &clap::Command, folder: &Path, force: bool) -> anyhow::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_pages(below, folder, force)?;
    }
    let page = clap_mangen::Man::new(command.clone());
    let mut roff = Vec::new();
    page.render(&mut roff).context("cannot make the page")?;
    let path = folder.join(page.get_filename());
    wrote(&path, whole::write(&path, For::Everybody, force, &roff))
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
