//! `rdpscope demo`.
use crate::cli::Demo;

pub fn run(_args: Demo) -> anyhow::Result<u8> {
    Ok(0)
}
