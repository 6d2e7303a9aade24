//! Puts the bundled components into the binary: a table of kind, name and bytes.
//!
//! They are made before (`cargo xtask guests`) and found at `$KILN_COMPONENTS`, or in `components`
//! below cargo's target folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Folder of each kind and the variant of `kiln_plan::Kind`.
const KINDS: [(&str, &str); 4] = [
    ("builders", "Builder"),
    ("provisioners", "Provisioner"),
    ("post-processors", "PostProcessor"),
    ("data-sources", "DataSource"),
];

#[expect(clippy::disallowed_methods, reason = "a build script reads cargo's variables and writes to OUT_DIR")]
fn main() {
    println!("cargo::rerun-if-env-changed=KILN_COMPONENTS");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let Some(folder) = components(&out) else {
        println!(
            "cargo::error=the bundled components are missing; run `cargo xtask build` (or `cargo xtask guests` before `cargo build`)"
        );
        return;
    };
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut table = String::from("&[\n");
    for (kind, variant) in KINDS {
        for (name, path) in wasm_files(&folder.join(kind)) {
            println!("cargo::rerun-if-changed={}", path.display());
            let _ = writeln!(
                table,
                "    (Kind::{variant}, {name:?}, include_bytes!({:?})),",
                path.display().to_string()
            );
        }
    }
    table.push(']');
    if let Err(error) = fs::write(out.join("bundled.rs"), table) {
        println!("cargo::error=cannot write the table of components: {error}");
    }
}

/// The folder with the four folders of kinds.
#[expect(clippy::disallowed_methods, reason = "a build script reads cargo's variables")]
fn components(out: &Path) -> Option<PathBuf> {
    let named = env::var_os("KILN_COMPONENTS").map(PathBuf::from);
    let target = env::var_os("CARGO_TARGET_DIR").map(|dir| PathBuf::from(dir).join("components"));
    let above = out.ancestors().map(|dir| dir.join("components"));
    named
        .into_iter()
        .chain(target.filter(|dir| dir.is_absolute()))
        .chain(above)
        .find(|dir| KINDS.iter().any(|(kind, _)| !wasm_files(&dir.join(kind)).is_empty()))
}

/// Names and paths, sorted so that the table is the same on every machine.
#[expect(clippy::disallowed_methods, reason = "a build script looks for the components")]
fn wasm_files(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut files: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    files.sort();
    files
}
