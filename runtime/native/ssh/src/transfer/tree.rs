//! Walks local trees for uploads and creates local trees for downloads, below one opened directory each.
//!
//! Main functions: [`walk`], [`Planter`]. Blocking. cap-std refuses every way out of the directory, through links and
//! `..` alike; what remains to do here is bounds and names.

use std::io;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::{Dir, File, Metadata, OpenOptions};

use super::{Excludes, TransferOptions};
use crate::error::{Error, Result, printable};

/// Directories inside directories.
const DEPTH: usize = 100;

/// Something found by [`walk`]; paths are relative to the root.
pub(super) enum Found {
    Directory { path: PathBuf, mode: u32 },
    File { path: PathBuf, file: File, size: u64, mode: u32 },
}

/// What bounds a walk.
#[derive(Clone)]
pub(super) struct Bounds {
    limit: u64,
    excludes: Option<Excludes>,
}

impl Bounds {
    pub(super) fn of(options: &TransferOptions) -> Self {
        Self { limit: options.max_entries, excludes: options.excludes.clone() }
    }
}

/// Visits everything below `root`, parents before children, in the order of names. Links are followed.
pub(super) fn walk(root: &Dir, bounds: &Bounds, visit: &mut dyn FnMut(Found) -> Result<()>) -> Result<()> {
    let mut left = bounds.limit;
    walk_below(root, Path::new(""), 0, &mut left, bounds, visit)
}

fn walk_below(
    dir: &Dir,
    prefix: &Path,
    depth: usize,
    left: &mut u64,
    bounds: &Bounds,
    visit: &mut dyn FnMut(Found) -> Result<()>,
) -> Result<()> {
    if depth > DEPTH {
        return Err(Error::TooLarge {
            what: format!("the depth of {}", prefix.display()),
            limit: DEPTH as u64,
        });
    }
    let cannot = |path: &Path| {
        let what = format!("cannot read {:?} below the uploaded directory", path.display().to_string());
        move |error| Error::local(what, error)
    };
    let mut names = Vec::new();
    for entry in dir.entries().map_err(cannot(prefix))? {
        let name = entry.map_err(cannot(prefix))?.file_name();
        if !bounds.excludes.as_ref().is_some_and(|excludes| excludes(&name.to_string_lossy())) {
            names.push(name);
        }
    }
    names.sort();
    for name in names {
        let path = prefix.join(&name);
        *left = left
            .checked_sub(1)
            .ok_or(Error::TooLarge { what: "the number of uploaded files".into(), limit: bounds.limit })?;
        // The root handle resolves links, so that those between parts of the tree work and those out of it fail.
        let metadata = dir.metadata(&name).map_err(cannot(&path))?;
        if metadata.is_dir() {
            let below = dir.open_dir(&name).map_err(cannot(&path))?;
            visit(Found::Directory { path: path.clone(), mode: cap_mode(&metadata, true) })?;
            walk_below(&below, &path, depth + 1, left, bounds, visit)?;
        } else if metadata.is_file() {
            let file = dir.open(&name).map_err(cannot(&path))?;
            let metadata = file.metadata().map_err(cannot(&path))?;
            let mode = cap_mode(&metadata, false);
            visit(Found::File { path, file, size: metadata.len(), mode })?;
        } else {
            let error = io::Error::new(io::ErrorKind::Unsupported, "it is neither a file nor a directory");
            return Err(cannot(&path)(error));
        }
    }
    Ok(())
}

/// Creates files and directories with names that a machine chose.
pub(super) struct Planter {
    root: Dir,
    protocol: &'static str,
    left: u64,
    max_entries: u64,
    /// Modes of directories, set at the end: a directory without write permission must still be filled.
    modes: Vec<(PathBuf, u32)>,
}

impl Planter {
    pub(super) fn new(root: Dir, protocol: &'static str, max_entries: u64) -> Self {
        Self { root, protocol, left: max_entries, max_entries, modes: Vec::new() }
    }

    /// Judges a relative path; `None` stands for the root itself.
    fn judge(&mut self, path: &Path) -> Result<Option<PathBuf>> {
        let mut clean = PathBuf::new();
        for component in path.components() {
            match component {
                Component::Normal(name) => clean.push(name),
                Component::CurDir => {}
                _ => {
                    let name = printable(path.to_string_lossy().as_bytes(), 200);
                    return Err(Error::protocol(
                        self.protocol,
                        format!("the name {name:?} leaves the target directory"),
                    ));
                }
            }
        }
        if clean.as_os_str().is_empty() {
            return Ok(None);
        }
        if clean.components().count() > DEPTH {
            return Err(Error::TooLarge {
                what: "the depth of the downloaded tree".into(),
                limit: DEPTH as u64,
            });
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| Error::TooLarge {
            what: "the number of downloaded files".into(),
            limit: self.max_entries,
        })?;
        Ok(Some(clean))
    }

    pub(super) fn directory(&mut self, path: &Path, mode: u32) -> Result<bool> {
        let Some(path) = self.judge(path)? else { return Ok(false) };
        self.root.create_dir_all(&path).map_err(|error| cannot_write(&path, error))?;
        self.modes.push((path, mode));
        Ok(true)
    }

    pub(super) fn file(&mut self, path: &Path, mode: u32) -> Result<File> {
        let Some(path) = self.judge(path)? else {
            return Err(Error::protocol(self.protocol, "a file without a name"));
        };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            self.root.create_dir_all(parent).map_err(|error| cannot_write(&path, error))?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let file = self.root.open_with(&path, &options).map_err(|error| cannot_write(&path, error))?;
        set_mode(&file, mode).map_err(|error| cannot_write(&path, error))?;
        Ok(file)
    }

    /// A second name for a file that was planted before: a copy.
    pub(super) fn copy(&mut self, from: &Path, to: &Path) -> Result<u64> {
        let (Some(from), Some(to)) = (self.judge(from)?, self.judge(to)?) else {
            return Err(Error::protocol(self.protocol, "a hard link without a name"));
        };
        self.root.copy(&from, &self.root, &to).map_err(|error| cannot_write(&to, error))
    }

    pub(super) fn finish(mut self) -> Result<()> {
        while let Some((path, mode)) = self.modes.pop() {
            set_dir_mode(&self.root, &path, mode).map_err(|error| cannot_write(&path, error))?;
        }
        Ok(())
    }
}

pub(super) fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::local(format!("cannot write {:?} below the download directory", path.display().to_string()), error)
}

#[cfg(unix)]
pub(super) fn mode_of(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

#[cfg(not(unix))]
pub(super) fn mode_of(_metadata: &std::fs::Metadata) -> u32 {
    0o644
}

#[cfg(unix)]
fn cap_mode(metadata: &Metadata, _directory: bool) -> u32 {
    cap_std::fs::MetadataExt::mode(metadata) & 0o7777
}

#[cfg(not(unix))]
fn cap_mode(_metadata: &Metadata, directory: bool) -> u32 {
    if directory { 0o755 } else { 0o644 }
}

/// Downloaded files never get setuid, setgid or sticky bits.
#[cfg(unix)]
fn local_permissions(mode: u32) -> cap_std::fs::Permissions {
    use cap_std::fs::PermissionsExt;
    cap_std::fs::Permissions::from_mode(mode & 0o777)
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(local_permissions(mode))
}

#[cfg(unix)]
fn set_dir_mode(root: &Dir, path: &Path, mode: u32) -> io::Result<()> {
    root.set_permissions(path, local_permissions(mode))
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn set_dir_mode(_root: &Dir, _path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}
