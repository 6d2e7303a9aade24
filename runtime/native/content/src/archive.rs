//! Archives from opened files, and out of archives into one directory, never beside it.
//!
//! Main types: [`Entry`] for writing, [`extract`] with [`Limits`] for reading. Invariant: extraction creates new files
//! and directories below the directory handed in, and nothing else: no device, no set-id bit, nothing overwritten,
//! nothing through a link that leads out.

mod read;
mod safe_name;
mod write;

use std::fs::File;
use std::io;

use crate::blocking::Stopped;

pub use read::{Extracted, Limits, Links, extract};
pub(crate) use write::{write_tar_to, write_zip_to};

/// A file on its way into an archive.
#[derive(Debug)]
pub struct Entry {
    /// Its name in the archive: relative, with `/`, without `..`. Names of single-file formats are not stored.
    pub name: String,
    /// Opened for reading and at its beginning.
    pub file: File,
    /// Permission bits, as in `0o644`.
    pub mode: u32,
}

impl Entry {
    /// An entry with mode `0o644`.
    #[must_use]
    pub fn new(name: impl Into<String>, file: File) -> Self {
        Self { name: name.into(), file, mode: 0o644 }
    }
}

/// Modification times of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// The files' own.
    #[default]
    Preserve,
    /// The same for all, in seconds since 1970, so that equal files give equal archives. Zip cannot go before 1980.
    Fixed(u64),
}

/// Why an archive was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// An entry that would touch what is not its own.
    #[error("refused the archive entry {name}: {why}")]
    Refused {
        /// Its name, shortened and without control characters.
        name: String,
        /// What it tried.
        why: &'static str,
    },
    /// More entries than allowed.
    #[error("the archive has more than the {limit} entries allowed")]
    TooMany {
        /// The bound.
        limit: u64,
    },
    /// More data than allowed.
    #[error("the archive unpacks to more than the {limit} bytes allowed")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
    /// Reading the archive or writing its contents failed; damaged archives end here.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// The system's or the decoder's error.
        source: io::Error,
    },
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<Stopped> for ArchiveError {
    fn from(_: Stopped) -> Self {
        Self::Cancelled
    }
}
