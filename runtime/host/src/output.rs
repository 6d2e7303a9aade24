//! Places to write. Main type: [`Output`]; what a build made is in its [`Made`].
//!
//! Rules: what this build did not make is overwritten only where the schema says `append` or
//! `replace`, or with -force; files appear whole, by a temporary file and a rename; everything below
//! a directory is reached through its opened handle (cap-std), so no link leads out of it.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the capability to write: it opens only designated places"
)]

use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallResult, fail};
use crate::file::File;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Marks a directory whose build has not succeeded (yet). Holds the run's id.
pub(crate) const MARKER: &str = ".kiln-incomplete";

/// What may happen to what is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Only what this build made.
    Create,
    /// It may be added to and replaced.
    Append,
    /// It may be replaced.
    Replace,
    /// It is the build's own.
    Scratch,
}

/// Who made something: what builders make is removed when the build fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    Builder,
    Other,
}

/// What one build made, by path on this machine.
#[derive(Debug, Default)]
pub(crate) struct Made {
    paths: Mutex<BTreeMap<PathBuf, Maker>>,
}

impl Made {
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).contains_key(path)
    }

    /// Whether it is, or is below, something that this build made.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        path.ancestors().any(|above| paths.contains_key(above))
    }

    pub(crate) fn add(&self, path: PathBuf, maker: Maker) {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).entry(path).or_insert(maker);
    }

    pub(crate) fn forget(&self, path: &Path) {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.retain(|made, _| !made.starts_with(path));
    }

    /// What builders made, deepest first.
    pub(crate) fn by_builders(&self) -> Vec<PathBuf> {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths
            .iter()
            .rev()
            .filter(|(_, maker)| **maker == Maker::Builder)
            .map(|(path, _)| path.clone())
            .collect()
    }
}

/// What is shared by a designated place and the places below it.
#[derive(Debug)]
pub(crate) struct Root {
    /// On this machine, absolute.
    pub(crate) path: PathBuf,
    /// As the user would write it.
    pub(crate) display: String,
    pub(crate) policy: Policy,
    pub(crate) force: bool,
    pub(crate) maker: Maker,
    pub(crate) made: Arc<Made>,
    /// The run's id, for the marker of incomplete directories.
    pub(crate) run_id: Arc<str>,
    pub(crate) journal: Arc<crate::journal::Journal>,
}

/// A place to write: designated, or scratch. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Output {
    root: Arc<Root>,
    /// Below the root; empty for the root itself.
    below: PathBuf,
}

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: std::fs::File,
}

impl Output {
    pub(crate) fn new(root: Root) -> Self {
        Self { root: Arc::new(root), below: PathBuf::new() }
    }

    /// As the user would write it.
    pub fn display(&self) -> String {
        if self.below.as_os_str().is_empty() {
            self.root.display.clone()
        } else {
            Path::new(&self.root.display).join(&self.below).to_string_lossy().into_owned()
        }
    }

    /// Where it is on this machine. For programs that the host starts and for host code that
    /// writes there itself, after [`Output::prepare_for_writing`].
    pub fn host_path(&self) -> PathBuf {
        if self.below.as_os_str().is_empty() {
            self.root.path.clone()
        } else {
            self.root.path.join(&self.below)
        }
    }

    /// A place below it.
    pub fn child(&self, path: &str) -> CallResult<Self> {
        let below = plain_path(path)?;
        Ok(Self { root: self.root.clone(), below: self.below.join(below) })
    }

    /// What is there, if this build made it or the schema allows.
    pub fn existing(&self) -> CallResult<Option<File>> {
        if !self.may_replace() && !self.root.made.covers(&self.host_path()) {
            return Ok(None);
        }
        match self.open_here() {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.blame(&error)),
        }
    }

    /// Makes it a directory. A designated directory that was there already is refused, or with
    /// -force replaced.
    pub fn make_directory(&self) -> CallResult<()> {
        let path = self.host_path();
        let is_root = self.below.as_os_str().is_empty();
        if is_root && self.root.policy == Policy::Create && !self.root.made.has(&path) {
            if path.symlink_metadata().is_ok() {
                if !self.root.force {
                    return Err(self.exists());
                }
                remove_any(&path).map_err(|e| self.blame(&e))?;
            }
            self.root.journal.record_output(&path).map_err(|e| self.blame(&e))?;
            self.ensure_directory(&path).map_err(|e| self.blame(&e))?;
            if self.root.maker == Maker::Builder {
                std::fs::write(path.join(MARKER), self.root.run_id.as_bytes()).map_err(|e| self.blame(&e))?;
            }
            return Ok(());
        }
        if is_root {
            return self.ensure_directory(&path).map_err(|e| self.blame(&e));
        }
        self.parent_directory()
            .and_then(|dir| self.ensure_below(&dir, &self.last_name()?))
            .map_err(|e| self.blame(&e))
    }

    /// Writes `content` (already plain) here, whole or not at all. Blocks on disks.
    pub fn write(&self, content: &File, mode: u32) -> CallResult<File> {
        self.check_overwrite()?;
        self.write_whole(content, mode & 0o7777).map_err(|e| self.blame(&e))?;
        self.root.made.add(self.host_path(), self.root.maker);
        self.open_here().map_err(|e| self.blame(&e))
    }

    /// Adds `content` (already plain) at the end. Blocks on disks.
    pub fn append(&self, content: &File) -> CallResult<File> {
        let there = self.exists_here();
        if there && self.root.policy != Policy::Append {
            self.check_overwrite()?;
        }
        let added = (|| {
            let (dir, name) = (self.parent_directory()?, self.last_name()?);
            refuse_link(&dir, &name)?;
            let mut file = dir.open_with(&name, OpenOptions::new().append(true).create(true))?;
            io::copy(&mut content.reader(), &mut file)?;
            file.sync_data()
        })();
        added.map_err(|e: io::Error| self.blame(&e))?;
        if !there {
            self.root.made.add(self.host_path(), self.root.maker);
        }
        self.open_here().map_err(|e| self.blame(&e))
    }

    /// Everything below it.
    pub fn open_directory(&self) -> CallResult<Dir> {
        let opened = if self.below.as_os_str().is_empty() {
            Dir::open_ambient_dir(&self.root.path, ambient_authority())
        } else {
            Dir::open_ambient_dir(&self.root.path, ambient_authority())
                .and_then(|dir| dir.open_dir(&self.below))
        };
        opened.map_err(|e| self.blame(&e))
    }

    /// Removes what this build made here.
    pub fn remove(&self) -> CallResult<()> {
        let path = self.host_path();
        if !self.root.made.covers(&path) && self.root.policy != Policy::Scratch {
            return Err(fail(ErrorCode::Denied, format!("`{}` was not made by this build", self.display())));
        }
        match remove_any(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(self.blame(&error)),
        }
        self.root.made.forget(&path);
        Ok(())
    }

    /// Tries to take the lock beside it.
    pub(crate) fn try_lock(&self) -> io::Result<Option<Lock>> {
        let (dir, name) = (self.parent_directory()?, format!("{}.lock", self.last_name()?));
        refuse_link(&dir, &name)?;
        let file = dir.open_with(&name, OpenOptions::new().write(true).create(true))?.into_std();
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Makes the directories above it and checks that it may be written; then host code may write
    /// to [`Output::host_path`] itself and call [`Output::written`].
    pub fn prepare_for_writing(&self) -> CallResult<PathBuf> {
        self.check_overwrite()?;
        self.parent_directory().map_err(|e| self.blame(&e))?;
        self.root.made.add(self.host_path(), self.root.maker);
        Ok(self.host_path())
    }

    /// What host code wrote here, opened.
    pub fn written(&self) -> CallResult<File> {
        self.open_here().map_err(|e| self.blame(&e))
    }

    /// Whether it is the build's own folder, and so no sink for secrets.
    pub(crate) fn is_scratch(&self) -> bool {
        self.root.policy == Policy::Scratch
    }

    /// Whether the schema lets it be added to or replaced.
    pub(crate) fn may_replace(&self) -> bool {
        self.root.policy != Policy::Create
    }

    fn exists_here(&self) -> bool {
        self.host_path().symlink_metadata().is_ok()
    }

    fn check_overwrite(&self) -> CallResult<()> {
        let free = self.may_replace() || self.root.force || self.root.made.covers(&self.host_path());
        if free || !self.exists_here() { Ok(()) } else { Err(self.exists()) }
    }

    fn exists(&self) -> crate::error::CallError {
        fail(
            ErrorCode::AlreadyExists,
            format!("`{}` exists already; remove it, choose another name, or use -force", self.display()),
        )
    }

    fn write_whole(&self, content: &File, mode: u32) -> io::Result<()> {
        let (dir, name) = (self.parent_directory()?, self.last_name()?);
        let temporary = format!(
            ".{}.{}",
            name.get(..name.len().min(100)).unwrap_or("kiln"),
            crate::secrets::random_hex(6)
        );
        let result = (|| {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            {
                use cap_std::fs::OpenOptionsExt;
                options.mode(mode & 0o777);
            }
            let mut file = dir.open_with(&temporary, &options)?;
            self.record_file(&file, &temporary)?;
            io::copy(&mut content.reader(), &mut file)?;
            set_mode(&file, mode)?;
            file.flush()?;
            drop(file);
            dir.rename(&temporary, &dir, &name)
        })();
        if result.is_err() {
            let _ = dir.remove_file(&temporary);
        }
        result
    }

    /// A file that is a builder's whole output has no directory with a marker: the journal has it.
    fn record_file(&self, file: &cap_std::fs::File, temporary: &str) -> io::Result<()> {
        let replaces = matches!(self.root.policy, Policy::Create | Policy::Replace);
        let whole = self.below.as_os_str().is_empty() && replaces;
        if self.root.maker != Maker::Builder || !whole {
            return Ok(());
        }
        let born = file.metadata()?.created().map(cap_std::time::SystemTime::into_std);
        let path = self.host_path();
        let temporary = path.with_file_name(temporary);
        self.root.journal.record_file(path, temporary, crate::journal::born_at(born))
    }

    fn open_here(&self) -> io::Result<File> {
        let (dir, name) = (self.parent_directory_existing()?, self.last_name()?);
        refuse_link(&dir, &name)?;
        File::opened(dir.open(&name)?.into_std(), &self.host_path())
    }

    fn last_name(&self) -> io::Result<String> {
        let path = self.host_path();
        let name =
            path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "names no file"))?;
        Ok(name.to_string_lossy().into_owned())
    }

    /// The directory that holds it; made if it is not there.
    fn parent_directory(&self) -> io::Result<Dir> {
        if self.below.as_os_str().is_empty() {
            let parent = self.root.path.parent().unwrap_or(Path::new("/"));
            self.ensure_directory(parent)?;
            return Dir::open_ambient_dir(parent, ambient_authority());
        }
        self.ensure_directory(&self.root.path)?;
        let root = Dir::open_ambient_dir(&self.root.path, ambient_authority())?;
        let Some(parent) = self.below.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
            return Ok(root);
        };
        self.ensure_below(&root, &parent.to_string_lossy())?;
        root.open_dir(parent)
    }

    fn parent_directory_existing(&self) -> io::Result<Dir> {
        if self.below.as_os_str().is_empty() {
            return Dir::open_ambient_dir(
                self.root.path.parent().unwrap_or(Path::new("/")),
                ambient_authority(),
            );
        }
        let root = Dir::open_ambient_dir(&self.root.path, ambient_authority())?;
        match self.below.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => root.open_dir(parent),
            None => Ok(root),
        }
    }

    /// Makes `path` a directory; each level that was not there is recorded as made by this build.
    fn ensure_directory(&self, path: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = path.ancestors().take_while(|level| !level.exists()).collect();
        for level in missing.into_iter().rev() {
            match std::fs::create_dir(level) {
                Ok(()) => self.root.made.add(level.to_path_buf(), self.root.maker),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        if path.is_dir() {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::NotADirectory, "not a directory"))
        }
    }

    /// The same below an opened directory.
    fn ensure_below(&self, dir: &Dir, path: &str) -> io::Result<()> {
        let mut here = PathBuf::new();
        for part in Path::new(path).components() {
            here.push(part);
            match dir.create_dir(&here) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// An I/O error with the name that the user knows.
    fn blame(&self, error: &io::Error) -> crate::error::CallError {
        let mut error = crate::error::CallError::from(io::Error::new(error.kind(), error.to_string()));
        if let crate::error::CallError::Guest(inner) = &mut error {
            inner.message = format!("cannot use `{}`: {}", self.display(), inner.message);
        }
        error
    }
}

/// A relative path of plain parts.
pub(crate) fn plain_path(path: &str) -> CallResult<PathBuf> {
    let bad = |why: &str| fail(ErrorCode::Invalid, format!("the path `{}` {why}", path.escape_debug()));
    if path.is_empty() || path.len() > 4096 || path.contains(['\0', '\\']) {
        return Err(bad("is empty, too long or has a backslash"));
    }
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(part) => plain.push(part),
            Component::CurDir => {}
            _ => return Err(bad("must be relative and must not have `..`")),
        }
    }
    if plain.as_os_str().is_empty() { Err(bad("names nothing")) } else { Ok(plain) }
}

/// Removes a file, link or tree. Links are removed, not followed.
pub(crate) fn remove_any(path: &Path) -> io::Result<()> {
    let meta = path.symlink_metadata()?;
    if meta.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}

/// Removes a directory only if it is empty.
pub(crate) fn remove_if_empty(path: &Path) {
    let _ = std::fs::remove_dir(path);
}

/// The run's id in a directory's marker, if it has one.
pub(crate) fn marker_of(path: &Path) -> Option<String> {
    let marker = path.join(MARKER);
    let meta = marker.symlink_metadata().ok()?;
    if !meta.is_file() || meta.len() > 100 {
        return None;
    }
    std::fs::read_to_string(marker).ok()
}

/// The build succeeded: its directory is complete.
pub(crate) fn remove_marker(path: &Path) {
    let _ = std::fs::remove_file(path.join(MARKER));
}

fn refuse_link(dir: &Dir, name: &str) -> io::Result<()> {
    match dir.symlink_metadata(name) {
        Ok(meta) if meta.is_symlink() => {
            Err(io::Error::other(format!("`{name}` is a link, and links are not followed")))
        }
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn set_mode(file: &cap_std::fs::File, mode: u32) -> io::Result<()> {
    use cap_std::fs::PermissionsExt;
    file.set_permissions(cap_std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &cap_std::fs::File, _: u32) -> io::Result<()> {
    Ok(())
}
