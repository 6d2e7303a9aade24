//! Remembers which files were verified, so that an unchanged one need not be hashed again.
//!
//! A record lies in the cache directory under the SHA-1 of the file's absolute path, and holds the file's fingerprint
//! (size, times, device, inode) with the digest it had. Invariant: a record counts only while the fingerprint of the
//! *opened* file is the same; the change time cannot be set back by who writes the file.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use super::{disk, place};
use crate::digest::Digest;

fn record_path(cache: &Path, path: &Path) -> PathBuf {
    let absolute = disk::absolute(path);
    cache.join(format!("{}.verified", place::sha1_hex(absolute.as_os_str().as_encoded_bytes())))
}

#[cfg(unix)]
fn fingerprint(meta: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    format!(
        "{} {}.{} {}.{} {} {}",
        meta.len(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec(),
        meta.dev(),
        meta.ino()
    )
}

#[cfg(not(unix))]
fn fingerprint(meta: &Metadata) -> String {
    format!("{} {:?} {:?}", meta.len(), meta.modified().ok(), meta.created().ok())
}

/// Whether `file` is as it was when `digest` was verified.
pub(crate) fn is_recorded(cache: &Path, path: &Path, file: &File, digest: &Digest) -> bool {
    fresh_lines(cache, path, file).is_some_and(|lines| lines.contains(&format!("digest {digest}")))
}

/// The validator (`etag` or date, as sent) that the file came with, if it has not changed since.
pub(crate) fn validator(cache: &Path, path: &Path, file: &File) -> Option<String> {
    fresh_lines(cache, path, file)?.iter().find_map(|line| line.strip_prefix("validator ").map(str::to_owned))
}

fn fresh_lines(cache: &Path, path: &Path, file: &File) -> Option<Vec<String>> {
    let text = disk::read_small(&record_path(cache, path))?;
    let mut lines = text.lines().map(str::to_owned);
    let current = fingerprint(&file.metadata().ok()?);
    (lines.next()? == format!("file {current}")).then(|| lines.collect())
}

/// Records what `file` was found to be. Best effort: without a record the file is only hashed again.
pub(crate) fn record(
    cache: &Path,
    path: &Path,
    file: &File,
    digest: Option<&Digest>,
    validator: Option<&str>,
) {
    let Ok(meta) = file.metadata() else { return };
    let mut lines = vec![format!("file {}", fingerprint(&meta))];
    // Digests of other types that still hold stay; the list is as short as there are types.
    let kept = fresh_lines(cache, path, file).unwrap_or_default();
    let new = digest.map(|digest| format!("digest {digest}"));
    lines.extend(
        kept.into_iter().filter(|line| line.starts_with("digest ") && Some(line) != new.as_ref()).take(8),
    );
    lines.extend(new);
    lines.extend(validator.map(|value| format!("validator {value}")));
    disk::write_small(&record_path(cache, path), &(lines.join("\n") + "\n"));
}
