//! The `sizes` suite: no source file grows beyond what a reader can hold.
//!
//! A file of runtime, components, SDK or xtask has at most [`LINES`] lines before its tests.

use crate::tree::Tree;
use anyhow::{Result, bail};
use std::fs;
use std::path::Path;

/// Lines of one file, not counting what follows `#[cfg(test)]`.
const LINES: usize = 600;
const FOLDERS: [&str; 4] = ["runtime", "components", "sdk/rust", "xtask"];

pub(crate) fn run(tree: &Tree) -> Result<()> {
    let mut seen = 0;
    let mut long = Vec::new();
    for folder in FOLDERS {
        visit(&tree.root.join(folder), &mut |path, text| {
            seen += 1;
            let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
            if lines > LINES {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        })?;
    }
    if seen == 0 {
        bail!("no source file found below {}", FOLDERS.join(", "));
    }
    println!("{seen} files, at most {LINES} lines each");
    if !long.is_empty() {
        bail!("files longer than {LINES} lines: {}", long.join("; "));
    }
    Ok(())
}

fn visit(dir: &Path, with: &mut dyn FnMut(&Path, &str)) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                visit(&path, with)?;
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            with(&path, &fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
