//! `cargo xtask build`: `target/release/kiln`, one file with the bundled components inside.

use crate::launch::Launch;
use crate::tree::Tree;
use crate::{guests, setup};
use anyhow::{Context, Result};
use std::fs;

pub(crate) fn run() -> Result<()> {
    setup::run()?;
    guests::run()?;
    kiln(&Tree::find())
}

/// Build the command alone; the components must be there already.
pub(crate) fn kiln(tree: &Tree) -> Result<()> {
    Launch::cargo()
        .args(["build", "--release", "-p", "kiln-cli"])
        .env("KILN_COMPONENTS", tree.components())
        .dir(&tree.root)
        .run()?;
    let file = tree.kiln();
    let size = fs::metadata(&file).with_context(|| format!("{} was not built", file.display()))?.len();
    eprintln!("{}: {} MiB", file.display(), size >> 20);
    Ok(())
}
