//! Where things are: the source tree and the target folder. Main type: [`Tree`].
//!
//! `CARGO_TARGET_DIR` is respected everywhere, so two people (or two jobs) can share one checkout.

use crate::launch::Launch;
use anyhow::Result;
use std::env;
use std::path::{Path, PathBuf};

/// The folders that every verb works in; both paths are absolute.
#[derive(Clone)]
pub(crate) struct Tree {
    /// The checkout: the folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's output folder for the native workspace.
    pub(crate) target: PathBuf,
}

impl Tree {
    /// Find the checkout that this xtask belongs to.
    pub(crate) fn find() -> Self {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => env::current_dir().unwrap_or_else(|_| root.clone()).join(dir),
            None => root.join("target"),
        };
        Self { root, target }
    }

    /// The built command, made by `cargo xtask build`.
    pub(crate) fn kiln(&self) -> PathBuf {
        self.target.join("release/kiln")
    }

    /// The components as WebAssembly, `<kind>/<name>.wasm`.
    pub(crate) fn components(&self) -> PathBuf {
        self.target.join("components")
    }

    /// The guests of the tests as WebAssembly, `<name>.wasm`.
    pub(crate) fn programs(&self) -> PathBuf {
        self.target.join("programs")
    }

    /// Bootable test guests and the cache of Debian packages they are made of.
    pub(crate) fn guests(&self) -> PathBuf {
        self.target.join("guests")
    }
}

impl Tree {
    /// The date and time in UTC, as `2026-01-31 12:00`.
    pub(crate) fn now(&self) -> Result<String> {
        let text = Launch::new("date").args(["-u", "+%Y-%m-%d %H:%M"]).output()?;
        Ok(text.trim().to_owned())
    }

    /// The commit, with `+` if the tree differs from it.
    pub(crate) fn revision(&self) -> Result<String> {
        let git = |args: &[&str]| Launch::new("git").args(args).dir(&self.root).output();
        let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
        let dirty = !git(&["status", "--porcelain", "--untracked-files=no"])?.trim().is_empty();
        Ok(format!("{}{}", commit.trim(), if dirty { "+" } else { "" }))
    }
}
