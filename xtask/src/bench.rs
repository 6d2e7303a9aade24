//! `cargo xtask bench`: not written yet.

use anyhow::{Result, bail};
use clap::Args;

#[derive(Args)]
pub(crate) struct BenchArgs {}

pub(crate) fn run(_args: &BenchArgs) -> Result<()> {
    bail!("not written yet")
}
