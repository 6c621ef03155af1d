//! `rdpscope ca`: the authority that `proxy --intercept ca` makes its certificates with.

use std::io::Write;
use std::path::PathBuf;

use analyzer::time::day;
use anyhow::Context;
use proxy::authority::{self, Shown};
use proxy::whole::{self, For};

use super::{print, talk, wrote};
use crate::cli::{Ca, CaWhat};
use proxy::named::Named;

pub fn run(args: Ca) -> anyhow::Result<u8> {
    match args.what {
        CaWhat::Init { out, force } => {
            let made = authority::create(&folder(out)?, force)?;
            print(&says(&made))?;
            talk(
                "Whoever has the key in that folder can pretend to be any server to a machine that trusts this authority. \
                 Install the certificate (rdpscope ca export) on the test client alone, and remove it afterwards.\n",
            );
        }
        CaWhat::Show { folder: at } => print(&says(&authority::show(&folder(at)?)?))?,
        CaWhat::Export { folder: at, der, output } => {
            let Shown { pem, der: as_der, .. } = authority::show(&folder(at)?)?;
            let bytes = if der { as_der } else { pem.into_bytes() };
            match &output.output {
                // Everybody may read it. Whoever could change it would be trusted in its place.
                Some(path) => wrote(path, whole::write(path, For::Everybody, output.force, &bytes))?,
                None => std::io::stdout().write_all(&bytes).context("cannot write to standard output")?,
            }
        }
    }
    Ok(0)
}

/// The authority's folder.
pub fn folder(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let settings = if cfg!(windows) { of("APPDATA") } else { of("XDG_CONFIG_HOME") };
    let settings = settings.or_else(|| Some(of("HOME")?.join(".config")));
    let found = given.or_else(|| Some(settings?.join("rdpscope").join("ca")));
    found.context("expected the authority's folder, found no home folder to look for it")
}

fn says(shown: &Shown) -> String {
    let Shown { path, says, .. } = shown;
    let (from, to) = (day(says.not_before), day(says.not_after));
    format!(
        "subject:  {}\nkey:      {} {} bits\nvalid:    {from} to {to}\nSHA-256:  {}\nSHA-1:    {}\nfile:     {}\n",
        says.subject,
        says.key,
        says.key_bits,
        says.sha256,
        says.sha1,
        path.named()
    )
}
