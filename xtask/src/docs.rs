//! `cargo xtask docs [--check]`: the generated reference in `docs/reference`.
//!
//! kiln itself writes the pages (a hidden verb), because it has the components' schemas, its own
//! help and its error codes; nothing here knows what a page says.

use crate::launch::Launch;
use crate::setup;
use crate::tree::Tree;
use crate::{build, guests};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct DocsArgs {
    /// Compare with what is committed and write nothing
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &DocsArgs) -> Result<()> {
    setup::run()?;
    guests::run()?;
    let tree = Tree::find();
    build::kiln(&tree)?;
    if args.check { compare(&tree) } else { generate(&tree, &tree.root.join("docs/reference")) }
}

/// Generate into the target folder and compare with the committed pages, byte for byte.
pub(crate) fn compare(tree: &Tree) -> Result<()> {
    let fresh = tree.target.join("reference");
    generate(tree, &fresh)?;
    let (new, old) = (pages(&fresh)?, pages(&tree.root.join("docs/reference"))?);
    let names = new.keys().chain(old.keys().filter(|name| !new.contains_key(*name)));
    let differ: Vec<_> = names
        .filter(|name| new.get(*name) != old.get(*name))
        .map(|name| name.display().to_string())
        .collect();
    if !differ.is_empty() {
        bail!("docs/reference is out of date ({}); run: cargo xtask docs", differ.join(", "));
    }
    println!("docs/reference: {} pages as generated", new.len());
    Ok(())
}

/// Replace the generated pages of a folder.
fn generate(tree: &Tree, into: &Path) -> Result<()> {
    if into.exists() {
        fs::remove_dir_all(into).with_context(|| format!("removing {}", into.display()))?;
    }
    fs::create_dir_all(into)?;
    Launch::new(tree.kiln()).args(["__docs"]).args([into]).run()?;
    if pages(into)?.is_empty() {
        bail!("kiln wrote no reference page");
    }
    Ok(())
}

fn pages(dir: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(name) = path.strip_prefix(dir) {
                found.insert(name.to_path_buf(), fs::read(&path)?);
            }
        }
    }
    Ok(found)
}
