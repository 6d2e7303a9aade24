//! Why a file could not be had, told apart for callers and complete for readers.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::blocking::Stopped;
use crate::digest::{ChecksumError, HashError};
use crate::egress::EgressError;

/// One URL and why it did not give the file.
#[derive(Debug)]
pub struct Failure {
    /// Without credentials.
    pub url: String,
    /// The reason.
    pub error: DownloadError,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// No URL was given.
    #[error("there is no URL to fetch")]
    NoUrl,
    /// The URL cannot be used.
    #[error("cannot use {url}: {why}")]
    InvalidUrl {
        /// Without credentials.
        url: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A local path where only http and https may be named.
    #[error("local files may not be named here, use an http or https URL")]
    LocalRefused,
    /// The network, or the policy about it.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The server answered something else than the file.
    #[error("the server answered {status}")]
    Status {
        /// As sent, with its usual words.
        status: http::StatusCode,
    },
    /// A partial answer that does not continue what is there.
    #[error("the server's partial answer does not fit what was asked for")]
    BadRange,
    /// Larger than allowed.
    #[error("the file is larger than the {limit} bytes allowed")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
    /// Slower than the pace asked for.
    #[error("the transfer stalled: less than {bytes} bytes in {window:?}")]
    TooSlow {
        /// The bytes asked for.
        bytes: u64,
        /// In this time.
        window: Duration,
    },
    /// The checksum does not match, cannot be read, or is not in its list.
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    /// The list of checksums could not be fetched.
    #[error("cannot fetch the list of checksums {place}: {source}")]
    Listing {
        /// Where it should be.
        place: String,
        /// The reason.
        source: Box<DownloadError>,
    },
    /// No space is left. What was written of this file was removed again.
    #[error("no space left on the disk for {}, make room and run again", path.display())]
    DiskFull {
        /// The file that did not fit.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// `open`, `write`, `rename`, ….
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Every URL failed.
    #[error("{}", list(.0))]
    All(Vec<Failure>),
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl DownloadError {
    pub(crate) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.to_owned() }
            }
            _ => Self::Io { what, path: path.to_owned(), source },
        }
    }

    /// Whether asking the same server again may help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Egress(e) => matches!(
                e,
                EgressError::Http { .. } | EgressError::Connect { .. } | EgressError::Timeout { .. }
            ),
            // The part was forgotten; the next request asks for the whole.
            Self::BadRange => true,
            Self::Status { status } => matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }
}

impl From<Stopped> for DownloadError {
    fn from(_: Stopped) -> Self {
        Self::Cancelled
    }
}

impl From<HashError> for DownloadError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Cancelled => Self::Cancelled,
            HashError::Read(source) => Self::Io { what: "read", path: PathBuf::new(), source },
        }
    }
}

fn list(failures: &[Failure]) -> String {
    match failures {
        [only] => format!("cannot fetch {}: {}", only.url, only.error),
        _ => failures.iter().fold("none of the URLs gave the file:".to_owned(), |mut text, failure| {
            // Writing into a String cannot fail.
            let _ = write!(text, "\n  {}: {}", failure.url, failure.error);
            text
        }),
    }
}
