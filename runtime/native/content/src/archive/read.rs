//! Extracts tar (plain or in any codec of this crate) and zip into a capability directory, within limits.
//!
//! Invariant: the archive decides nothing but names below the directory, bytes and permission bits; every count it
//! claims is counted again.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::rc::Rc;

use cap_std::fs::{Dir, OpenOptions};
use tokio_util::sync::CancellationToken;

use super::ArchiveError;
use super::safe_name::{SafeName, refused};
use crate::blocking::on_blocking;
use crate::compress::{Codec, decoder};

/// What a tar reader may consume between two entries: long names and PAX records.
const TAR_METADATA: u64 = 1024 * 1024;
/// File types in the upper half of a Unix mode.
const S_IFMT: u32 = 0o170_000;
const S_IFREG: u32 = 0o100_000;

/// Bounds on what comes out.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files, directories and links together.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 64 << 30 }
    }
}

/// What to do with symbolic and hard links. Devices and FIFOs are always refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// A link ends the extraction.
    #[default]
    Refuse,
    /// Links are left out.
    Skip,
    /// Symbolic links whose target stays inside are made; others, and hard links, end the extraction.
    Inside,
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Links left out.
    pub skipped: u64,
}

/// Unpacks `input` below `into`. What was made before an error stays; unpack into a fresh directory.
///
/// # Errors
/// [`ArchiveError::Refused`] for an entry that reaches outside, overwrites, or is no plain file; the limits' errors;
/// [`ArchiveError::Io`] for a damaged archive or a full disk.
pub async fn extract(
    mut input: File,
    into: Dir,
    limits: Limits,
    links: Links,
    cancel: CancellationToken,
) -> Result<Extracted, ArchiveError> {
    on_blocking(move || {
        let failed = |source| ArchiveError::Io { what: "read the archive", source };
        input.rewind().map_err(failed)?;
        let mut start = Vec::new();
        Read::by_ref(&mut input).take(8).read_to_end(&mut start).map_err(failed)?;
        input.rewind().map_err(failed)?;
        let mut target = Target { into, limits, links, cancel, entries: 0, made: Extracted::default() };
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            unzip(input, &mut target)?;
        } else {
            let plain: Box<dyn Read> = match Codec::detect(&start) {
                Some(codec) => decoder(codec, input).map_err(failed)?,
                None => Box::new(BufReader::with_capacity(256 * 1024, input)),
            };
            untar(plain, &mut target)?;
        }
        Ok(target.made)
    })
    .await?
}

fn untar(plain: Box<dyn Read>, target: &mut Target) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Io { what: "read the archive", source };
    let budget = Rc::new(Cell::new(TAR_METADATA));
    let mut archive = tar::Archive::new(Metered { inner: plain, budget: budget.clone() });
    let mut entries = archive.entries().map_err(failed)?;
    loop {
        budget.set(TAR_METADATA);
        let Some(entry) = entries.next() else { return Ok(()) };
        let mut entry = entry.map_err(failed)?;
        let name = entry.path_bytes().into_owned();
        let mode = entry.header().mode().unwrap_or(0o644);
        let kind = entry.header().entry_type();
        // The rest of what is read for this entry is bounded by the bytes that may still be written.
        budget.set(target.left().saturating_add(TAR_METADATA));
        match kind {
            tar::EntryType::Regular | tar::EntryType::Continuous if !name.ends_with(b"/") => {
                target.file(&name, mode, &mut entry)?
            }
            tar::EntryType::Directory | tar::EntryType::Regular => target.directory(&name)?,
            tar::EntryType::Symlink => {
                let link = entry.link_name_bytes().unwrap_or_default().into_owned();
                target.symlink(&name, &link)?;
            }
            tar::EntryType::Link => target.hard_link(&name)?,
            // Comments of the whole archive, as `git archive` writes.
            tar::EntryType::XGlobalHeader => {}
            _ => return Err(refused(&name, "it is a device, a pipe or of an unknown kind")),
        }
        io::copy(&mut entry, &mut io::sink()).map_err(failed)?;
    }
}

fn unzip(input: File, target: &mut Target) -> Result<(), ArchiveError> {
    let failed =
        |source: zip::result::ZipError| ArchiveError::Io { what: "read the archive", source: source.into() };
    let mut archive = zip::ZipArchive::new(BufReader::new(input)).map_err(failed)?;
    if archive.len() as u64 > target.limits.entries {
        return Err(ArchiveError::TooMany { limit: target.limits.entries });
    }
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(failed)?;
        let name = entry.name().as_bytes().to_vec();
        let mode = entry.unix_mode().unwrap_or(0o644);
        if entry.is_symlink() {
            let mut link = Vec::new();
            entry.by_ref().take(4097).read_to_end(&mut link).map_err(|e| failed(e.into()))?;
            target.symlink(&name, &link)?;
        } else if entry.is_dir() {
            target.directory(&name)?;
        } else if mode & S_IFMT == 0 || mode & S_IFMT == S_IFREG {
            target.file(&name, mode, &mut entry)?;
        } else {
            return Err(refused(&name, "it is a device, a pipe or of an unknown kind"));
        }
    }
    Ok(())
}

/// The directory that receives, and what it received so far.
struct Target {
    into: Dir,
    limits: Limits,
    links: Links,
    cancel: CancellationToken,
    entries: u64,
    made: Extracted,
}

impl Target {
    fn left(&self) -> u64 {
        self.limits.bytes.saturating_sub(self.made.bytes)
    }

    /// Counts one entry and checks its name.
    fn admit(&mut self, name: &[u8]) -> Result<Option<SafeName>, ArchiveError> {
        if self.cancel.is_cancelled() {
            return Err(ArchiveError::Cancelled);
        }
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(ArchiveError::TooMany { limit: self.limits.entries });
        }
        SafeName::parse(name)
    }

    fn directory(&mut self, name: &[u8]) -> Result<(), ArchiveError> {
        match self.admit(name)? {
            Some(safe) => self.make_directories(&safe.path()),
            None => Ok(()),
        }
    }

    fn make_directories(&self, path: &str) -> Result<(), ArchiveError> {
        if path.is_empty() {
            return Ok(());
        }
        self.into
            .create_dir_all(path)
            .map_err(|source| ArchiveError::Io { what: "make a directory of the archive", source })
    }

    fn file(&mut self, name: &[u8], mode: u32, data: &mut dyn Read) -> Result<(), ArchiveError> {
        let safe = self.admit(name)?.ok_or_else(|| refused(name, "it has no name"))?;
        self.make_directories(&safe.parent())?;
        let mut file =
            self.into.open_with(safe.path(), &new_file(mode)).map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => refused(name, "it would replace what is there"),
                _ => ArchiveError::Io { what: "create a file of the archive", source },
            })?;
        self.fill(&mut file, data)?;
        self.made.files += 1;
        Ok(())
    }

    fn fill(&mut self, file: &mut cap_std::fs::File, data: &mut dyn Read) -> Result<(), ArchiveError> {
        let mut chunk = vec![0; 128 * 1024];
        loop {
            if self.cancel.is_cancelled() {
                return Err(ArchiveError::Cancelled);
            }
            let count = match data.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(ArchiveError::Io { what: "read the archive", source }),
            };
            if count as u64 > self.left() {
                return Err(ArchiveError::TooLarge { limit: self.limits.bytes });
            }
            self.made.bytes += count as u64;
            let piece = chunk.get(..count).unwrap_or_default();
            file.write_all(piece)
                .map_err(|source| ArchiveError::Io { what: "write a file of the archive", source })?;
        }
    }

    fn symlink(&mut self, name: &[u8], target: &[u8]) -> Result<(), ArchiveError> {
        let safe = self.admit(name)?.ok_or_else(|| refused(name, "it has no name"))?;
        match self.links {
            Links::Refuse => return Err(refused(name, "it is a symbolic link")),
            Links::Skip => {
                self.made.skipped += 1;
                return Ok(());
            }
            Links::Inside => {}
        }
        let target = std::str::from_utf8(target).map_err(|_| refused(name, "its target is not UTF-8"))?;
        if !safe.link_stays_inside(target) {
            return Err(refused(name, "it is a link that leads out"));
        }
        self.make_directories(&safe.parent())?;
        make_symlink(&self.into, target, &safe.path())
            .map_err(|source| ArchiveError::Io { what: "make a link of the archive", source })
    }

    fn hard_link(&mut self, name: &[u8]) -> Result<(), ArchiveError> {
        self.admit(name)?;
        if self.links == Links::Skip {
            self.made.skipped += 1;
            return Ok(());
        }
        Err(refused(name, "it is a hard link"))
    }
}

/// Creates, never opens what is there; no set-id and sticky bits.
#[cfg(unix)]
fn new_file(mode: u32) -> OpenOptions {
    use cap_std::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode((mode & 0o777) | 0o600);
    options
}

#[cfg(not(unix))]
fn new_file(_mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

#[cfg(unix)]
fn make_symlink(dir: &Dir, target: &str, link: &str) -> io::Result<()> {
    dir.symlink(target, link)
}

#[cfg(not(unix))]
fn make_symlink(_dir: &Dir, _target: &str, _link: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A reader that stops giving when its budget is used up.
struct Metered<R> {
    inner: R,
    budget: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "an entry needs more than the limits allow",
            ));
        }
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(buffer.get_mut(..room).unwrap_or_default())?;
        self.budget.set(left - count as u64);
        Ok(count)
    }
}
