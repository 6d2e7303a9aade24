//! `cargo xtask guests`: everything that is built to WebAssembly, put where kiln and its tests look.
//!
//! Components go to `target/components/<kind>/<name>.wasm` (the kind is the folder the component
//! lives in), test guests to `target/programs/<name>.wasm`. A file whose bytes did not change is
//! not touched, so that nothing that embeds it is built again.

use crate::launch::Launch;
use crate::setup;
use crate::tree::Tree;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of `components/`, which are also the kinds.
const KINDS: [&str; 4] = ["builders", "provisioners", "post-processors", "data-sources"];

pub(crate) fn run() -> Result<()> {
    setup::rust_targets(&[setup::WASM])?;
    let tree = Tree::find();
    let components = build_workspace(&tree, "components")?;
    if components.is_empty() {
        bail!("components/Cargo.toml has no member below {}", KINDS.join(", "));
    }
    place(&tree.components(), components)?;
    if tree.root.join("tests/programs/Cargo.toml").exists() {
        place(&tree.programs(), build_workspace(&tree, "tests/programs")?)?;
    }
    Ok(())
}

/// A built file and where it belongs below its folder, such as `provisioners/shell.wasm`.
struct Built {
    wasm: PathBuf,
    place: PathBuf,
}

/// Build one workspace and list what it made.
fn build_workspace(tree: &Tree, folder: &str) -> Result<Vec<Built>> {
    let manifest = tree.root.join(folder).join("Cargo.toml");
    let target = tree.target.join("wasm");
    let messages = Launch::cargo()
        .args(["build", "--release", "--target", setup::WASM, "--message-format", "json-render-diagnostics"])
        .arg_path("--manifest-path", &manifest)
        .arg_path("--target-dir", &target)
        .dir(&tree.root)
        .output()
        .with_context(|| format!("building the workspace {folder}"))?;
    let mut built = Vec::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        built.extend(built_file(&message, folder));
    }
    Ok(built)
}

/// The one `.wasm` of a `compiler-artifact` message of cargo, if it belongs to the workspace.
/// Format: <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>.
fn built_file(message: &Value, folder: &str) -> Option<Built> {
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let wasm = message["filenames"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .find(|name| name.ends_with(".wasm"))?;
    let home = manifest.parent()?;
    let place = if folder == "components" {
        let kind = home.parent()?.file_name()?.to_str()?;
        if !KINDS.contains(&kind) {
            return None;
        }
        Path::new(kind).join(home.file_name()?).with_extension("wasm")
    } else {
        PathBuf::from(Path::new(wasm).file_name()?)
    };
    Some(Built { wasm: PathBuf::from(wasm), place })
}

/// Copy what changed and remove what is no longer built.
fn place(folder: &Path, built: Vec<Built>) -> Result<()> {
    let mut wanted = BTreeSet::new();
    let mut changed = 0;
    for file in built {
        let to = folder.join(&file.place);
        let bytes = fs::read(&file.wasm).with_context(|| format!("reading {}", file.wasm.display()))?;
        if fs::read(&to).ok().as_ref() != Some(&bytes) {
            fs::create_dir_all(to.parent().unwrap_or(folder))?;
            fs::write(&to, &bytes).with_context(|| format!("writing {}", to.display()))?;
            changed += 1;
        }
        wanted.insert(to);
    }
    remove_others(folder, &wanted)?;
    eprintln!("{}: {} files, {changed} changed", folder.display(), wanted.len());
    Ok(())
}

fn remove_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            remove_others(&path, wanted)?;
        } else if path.extension().is_some_and(|e| e == "wasm") && !wanted.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}
