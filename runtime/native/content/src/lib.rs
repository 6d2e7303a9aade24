//! Bulk data at native speed, and the only way out to the network; knows no Wasm and no templates.
//!
//! - [`archive`]: tar and zip from opened files, and into one directory with limits.
//! - [`compress`]: gzip, bgzf, zstd, xz, bzip2, lz4, on all cores; decompression with a bound.
//! - [`digest`]: hashes of files, several in one read; every form of checksum a template can write.
//! - [`download`]: URLs tried in order, cached, resumed, verified, locked across processes.
//! - [`egress`]: a dialler and HTTP client that ask a policy for the name and for the address really dialled.
//!
//! Files come in opened: who may open what is the caller's business. What waits is async and takes a
//! [`CancellationToken`](tokio_util::sync::CancellationToken); what reads disks or computes runs on blocking threads.
#![warn(missing_docs)]

pub mod archive;
mod blocking;
pub mod compress;
pub mod digest;
pub mod download;
pub mod egress;

use std::sync::Arc;

/// Hears of bytes done so far and, if known, of all there are. Called often and from any thread, so it must be cheap.
pub type Progress = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// A [`Progress`] that nobody listens to.
#[must_use]
pub fn no_progress() -> Progress {
    Arc::new(|_, _| ())
}
