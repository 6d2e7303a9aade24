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

/// Build the command and every test; the components must be there already.
///
/// All commands that compile select the whole workspace with all targets: another selection
/// resolves other features, and wasmtime and its like would be compiled again for the tests.
pub(crate) fn kiln(tree: &Tree) -> Result<()> {
    Launch::cargo()
        .args(["build", "--release", "--workspace", "--all-targets"])
        .env("KILN_COMPONENTS", tree.components())
        .dir(&tree.root)
        .run()?;
    let file = tree.kiln();
    let size = fs::metadata(&file).with_context(|| format!("{} was not built", file.display()))?.len();
    eprintln!("{}: {} MiB", file.display(), size >> 20);
    Ok(())
}
