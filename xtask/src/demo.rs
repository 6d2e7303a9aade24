//! `cargo xtask demo`: not written yet.

use anyhow::{Result, bail};
use clap::Args;

#[derive(Args)]
pub(crate) struct DemoArgs {}

pub(crate) fn run(_args: &DemoArgs) -> Result<()> {
    bail!("not written yet")
}
