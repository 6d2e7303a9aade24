//! Every touch of the file system that a download makes. Capability: the cache directory and targets named by the user.
//!
//! Invariant: a name becomes visible by rename only, and a lock is the kernel's, so it vanishes with its holder.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the capability to read sources and to write the cache and the target that the user named"
)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::DownloadError;
use super::place::beside;
use crate::blocking::on_blocking;
use crate::digest::{Algorithm, Digest, Hasher};

/// How often a lock that another holds is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(100);

/// Keeps other tasks and processes away from one file while it is held; shared by who still writes to it.
#[derive(Clone)]
pub(crate) struct Lock {
    _file: Arc<File>,
}

impl Lock {
    /// Waits until `path`'s sibling `.lock` is ours. The file stays: removing it would let two holders in.
    pub(crate) async fn acquire(path: &Path) -> Result<Self, DownloadError> {
        let at = beside(path, ".lock");
        let (parent, name) = (path.parent().map(Path::to_owned), at.clone());
        let file = on_blocking(move || {
            if let Some(parent) = parent {
                make_directory(&parent)?;
            }
            OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&name)
                .map_err(|e| DownloadError::io("open", &name, e))
        })
        .await??;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: Arc::new(file) }),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_RETRY).await,
                Err(TryLockError::Error(e)) => return Err(DownloadError::io("lock", &at, e)),
            }
        }
    }
}

/// Opens a regular file for reading.
pub(crate) fn open(path: &Path) -> Result<(File, u64), DownloadError> {
    let failed = |e| DownloadError::io("open", path, e);
    // Looked at first: opening a FIFO would wait for a writer. The opened file is looked at again.
    let not_a_file = || failed(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(not_a_file());
    }
    let file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if meta.is_file() { Ok((file, meta.len())) } else { Err(not_a_file()) }
}

pub(crate) fn rewind(mut file: &File, path: &Path) -> Result<(), DownloadError> {
    file.rewind().map_err(|e| DownloadError::io("read", path, e))
}

pub(crate) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

pub(crate) fn make_directory(path: &Path) -> Result<(), DownloadError> {
    fs::create_dir_all(path).map_err(|e| DownloadError::io("make the directory", path, e))
}

/// A whole file of at most `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, DownloadError> {
    let (file, _) = open(path)?;
    let mut data = Vec::new();
    file.take(limit + 1).read_to_end(&mut data).map_err(|e| DownloadError::io("read", path, e))?;
    if data.len() as u64 > limit { Err(DownloadError::TooLarge { limit }) } else { Ok(data) }
}

/// Both name the same file.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

pub(crate) fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

pub(crate) fn remove(path: &Path) -> Result<(), DownloadError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(DownloadError::io("remove", path, e)),
        _ => Ok(()),
    }
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), DownloadError> {
    fs::rename(from, to).map_err(|e| DownloadError::io("rename", to, e))
}

/// A small text file of ours; `None` when it is not there, too long, or not text.
pub(crate) fn read_small(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(64 * 1024).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Replaces a small text file atomically, best effort: these files only save work.
pub(crate) fn write_small(path: &Path, text: &str) {
    let temporary = beside(path, &format!(".{}", std::process::id()));
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        tracing::debug!(path = %path.display(), %error, "cannot record");
        let _ = fs::remove_file(&temporary);
    }
}

/// The file under construction.
pub(crate) struct Part {
    file: File,
    hasher: Option<Hasher>,
    path: PathBuf,
    size: u64,
}

impl Part {
    /// Opens the part file and keeps its first `keep` bytes, hashing them if a digest is wanted.
    pub(crate) fn open(
        path: PathBuf,
        keep: u64,
        algorithm: Option<Algorithm>,
        cancel: &CancellationToken,
    ) -> Result<Self, DownloadError> {
        let failed = |e| DownloadError::io("write", &path, e);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        file.set_len(keep).map_err(failed)?;
        let mut hasher = algorithm.map(Hasher::new);
        if let Some(hasher) = &mut hasher {
            hash_prefix(&mut file, keep, hasher, cancel).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(keep)).map_err(failed)?;
        Ok(Self { file, hasher, path, size: keep })
    }

    fn write(&mut self, data: &[u8]) -> Result<(), DownloadError> {
        write_or_explain(&mut self.file, data, &self.path)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(data);
        }
        self.size += data.len() as u64;
        Ok(())
    }

    /// Writes what arrives until the sender is dropped. `lock` is held to the end, also when nobody waits any more.
    pub(crate) async fn write_all(
        mut self,
        mut pieces: mpsc::Receiver<Bytes>,
        lock: Lock,
    ) -> Result<Self, DownloadError> {
        on_blocking(move || {
            let written =
                std::iter::from_fn(|| pieces.blocking_recv()).try_for_each(|piece| self.write(&piece));
            if let Err(error) = written {
                // Give the space back: other builds may be waiting for it.
                if matches!(error, DownloadError::DiskFull { .. }) {
                    drop(self.file);
                    let _ = fs::remove_file(&self.path);
                }
                return Err(error);
            }
            drop(lock);
            Ok(self)
        })
        .await?
    }

    /// Everything on the disk, and its digest.
    pub(crate) async fn finish(self) -> Result<(u64, Option<Digest>), DownloadError> {
        on_blocking(move || {
            self.file.sync_data().map_err(|e| DownloadError::io("write", &self.path, e))?;
            Ok((self.size, self.hasher.map(Hasher::finish)))
        })
        .await?
    }
}

fn hash_prefix(
    file: &mut File,
    count: u64,
    hasher: &mut Hasher,
    cancel: &CancellationToken,
) -> io::Result<()> {
    file.rewind()?;
    let mut prefix = file.take(count);
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match prefix.read(&mut chunk)? {
            0 => return Ok(()),
            _ if cancel.is_cancelled() => return Err(io::ErrorKind::Interrupted.into()),
            count => hasher.update(chunk.get(..count).unwrap_or_default()),
        }
    }
}

fn write_or_explain(file: &mut impl Write, data: &[u8], path: &Path) -> Result<(), DownloadError> {
    file.write_all(data).map_err(|e| DownloadError::io("write", path, e))
}

/// Length of the part file, 0 when there is none.
pub(crate) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Copies `from` into `part`, by reflink or in the kernel where possible.
pub(crate) fn copy(mut from: File, part: &Path) -> Result<(), DownloadError> {
    let failed = |e| DownloadError::io("write", part, e);
    let copied = File::create(part).and_then(|mut to| {
        io::copy(&mut from, &mut to)?;
        to.sync_data()
    });
    copied.map_err(|error| {
        let _ = fs::remove_file(part);
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_said_plainly() {
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = write_or_explain(&mut full, b"data", Path::new("cache/x.part")).unwrap_err();
        assert!(matches!(error, DownloadError::DiskFull { .. }));
        assert_eq!(error.to_string(), "no space left on the disk for cache/x.part, make room and run again");
    }
}
