//! Media that are made for a machine: CDs ([`write_iso`]) and floppies ([`floppy_image`]).
//!
//! Both take [`MediaFile`]s: a path inside the medium, a length, and where the bytes come from. Both are
//! reproducible: the same files give the same bytes, with no clock and no user in them.

mod floppy;
mod iso;
mod iso_tree;

pub use floppy::floppy_image;
pub use iso::{IsoOptions, write_iso};

use std::io::Read;

/// Why a medium could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// A name that cannot be on a medium.
    #[error("`{path}` cannot be on a {medium}: {reason}")]
    Name {
        /// As given.
        path: String,
        /// `cd` or `floppy`.
        medium: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// Too many bytes or files.
    #[error("the files do not fit on a {medium}: {reason}")]
    TooBig {
        /// `cd` or `floppy`.
        medium: &'static str,
        /// How much there is, and how much room.
        reason: String,
    },
    /// The label.
    #[error("`{label}` is no label for a {medium}: at most {longest} bytes, letters, digits and `_-. ` only")]
    Label {
        /// As given.
        label: String,
        /// `cd` or `floppy`.
        medium: &'static str,
        /// Bytes.
        longest: usize,
    },
    /// A file that shrank or grew while it was read.
    #[error("`{0}` changed its length while it was copied")]
    Changed(String),
    /// Reading or writing failed.
    #[error("could not write {medium}: {source}")]
    Io {
        /// `a cd` or `a floppy`.
        medium: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Where a file's bytes come from, opened only when they are wanted.
pub type OpenFile = Box<dyn FnOnce() -> std::io::Result<Box<dyn Read>> + Send>;

/// A file for a medium.
pub struct MediaFile {
    /// Its path inside, with `/` between; directories are made as needed. A path that ends in `/` is an
    /// empty directory.
    pub path: String,
    /// Its length.
    pub length: u64,
    /// Its bytes.
    pub open: OpenFile,
}

impl MediaFile {
    /// A file whose bytes are in memory.
    pub fn bytes(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let open = move || -> std::io::Result<Box<dyn Read>> { Ok(Box::new(std::io::Cursor::new(bytes))) };
        Self { path: path.into(), length, open: Box::new(open) }
    }

    /// A file whose bytes are read when the medium is written.
    pub fn reader(
        path: impl Into<String>,
        length: u64,
        open: impl FnOnce() -> std::io::Result<Box<dyn Read>> + Send + 'static,
    ) -> Self {
        Self { path: path.into(), length, open: Box::new(open) }
    }
}

impl std::fmt::Debug for MediaFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaFile")
            .field("path", &self.path)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// The parts of a path: not empty, no `.` and `..`, no control characters, not too deep.
fn parts<'a>(path: &'a str, medium: &'static str) -> Result<Vec<&'a str>, MediaError> {
    let refuse = |reason| MediaError::Name { path: path.to_owned(), medium, reason };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Err(refuse("it has no name"));
    }
    if parts.len() > 32 {
        return Err(refuse("it is more than 32 directories deep"));
    }
    for part in &parts {
        if matches!(*part, "." | "..") {
            return Err(refuse("`.` and `..` are not names"));
        }
        if part.len() > 255 {
            return Err(refuse("a name has more than 255 bytes"));
        }
        if part.chars().any(|character| character.is_control() || character == '\\') {
            return Err(refuse("a name has a backslash or a control character"));
        }
    }
    Ok(parts)
}
