//! Compression and decompression of opened files, on all cores where the format allows.
//!
//! Main types: [`Packing`] (what a file name asks for), [`compress`], [`decompress`]. Invariant: every encoder here
//! writes a plain stream of its format that the usual tools read; being parallel never shows but in the time.

mod block;
mod decode;
mod encode;
mod packing;

use std::fs::File;
use std::io::{self, Read, Write};

use tokio_util::sync::CancellationToken;

pub(crate) use decode::decoder;
pub use decode::{Decoded, decompress};
pub use packing::{Codec, Container, Packing};

use crate::Progress;
use crate::archive::{Entry, Times, write_tar_to, write_zip_to};
use crate::blocking::{Stopped, on_blocking, threads};

/// How hard, and on how many threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The format's own scale, clamped to it; `None` is the format's usual level (gzip, bzip2 and xz 6, zstd 3). LZ4 has
    /// one level here.
    pub level: Option<u32>,
    /// `None` is one per core, at most 16.
    pub threads: Option<usize>,
    /// Times written into tar and zip entries.
    pub times: Times,
}

/// Why data was not packed or unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompressError {
    /// A format for single files got none or several.
    #[error("{codec} holds one file and there are {count}, write to a .tar.{codec} instead")]
    NotOneFile {
        /// The format's extension.
        codec: &'static str,
        /// How many were given.
        count: usize,
    },
    /// Reading or writing failed.
    #[error("cannot {what}: {source}")]
    Io {
        /// `compress` or `decompress`.
        what: &'static str,
        /// The system's or the decoder's error.
        source: io::Error,
    },
    /// The data is in no known format.
    #[error("cannot decompress: the data is neither gzip, xz, zstd, bzip2 nor lz4")]
    UnknownFormat,
    /// It would become larger than allowed.
    #[error("the decompressed data is larger than the {limit} bytes allowed")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<Stopped> for CompressError {
    fn from(_: Stopped) -> Self {
        Self::Cancelled
    }
}

/// Packs `entries` into `output`, which must be empty and at its beginning, and returns the bytes written. Progress
/// counts bytes read.
///
/// # Errors
/// [`CompressError::NotOneFile`] when a single-file format is asked for something else, [`CompressError::Io`] (a full
/// disk has kind `StorageFull`), [`CompressError::Cancelled`]. What was written before an error is of no use.
pub async fn compress(
    entries: Vec<Entry>,
    output: File,
    packing: Packing,
    options: Options,
    progress: Progress,
    cancel: CancellationToken,
) -> Result<u64, CompressError> {
    on_blocking(move || {
        let failed = |source: io::Error| match cancel.is_cancelled() {
            true => CompressError::Cancelled,
            false => CompressError::Io { what: "compress", source },
        };
        let watch = Watch::new(&entries, progress, cancel.clone()).map_err(failed)?;
        let level = options.level;
        let workers = options.threads.unwrap_or_else(threads).clamp(1, 64);
        let codec = packing.codec();
        let written = match packing.container() {
            Container::Zip => write_zip_to(output, entries, options.times, level, &watch),
            Container::Tar => encode::Encoder::new(codec, output, level, workers)
                .and_then(|encoder| write_tar_to(encoder, entries, options.times, &watch))
                .and_then(encode::Encoder::finish),
            Container::Single => {
                let mut entries = entries;
                let count = entries.len();
                let (Some(entry), 1) = (entries.pop(), count) else {
                    return Err(CompressError::NotOneFile {
                        codec: codec.map_or("tar", Codec::extension),
                        count,
                    });
                };
                encode::Encoder::new(codec, output, level, workers).and_then(|mut encoder| {
                    pump(&mut watch.reader(entry.file), &mut encoder)?;
                    encoder.finish()
                })
            }
        };
        let output = written.map_err(failed)?;
        if cancel.is_cancelled() {
            return Err(CompressError::Cancelled);
        }
        output.metadata().map(|meta| meta.len()).map_err(failed)
    })
    .await?
}

/// Reads in large pieces: `io::copy` with its 8 KiB would cost a call per page.
fn pump(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut chunk = vec![0; 512 * 1024];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(chunk.get(..count).unwrap_or_default())?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Progress and cancel over all inputs of one job.
pub(crate) struct Watch {
    done: std::cell::Cell<u64>,
    total: u64,
    progress: Progress,
    cancel: CancellationToken,
}

impl Watch {
    pub(crate) fn new(entries: &[Entry], progress: Progress, cancel: CancellationToken) -> io::Result<Self> {
        let total = entries
            .iter()
            .try_fold(0u64, |sum, e| Ok::<_, io::Error>(sum.saturating_add(e.file.metadata()?.len())))?;
        Ok(Self { done: 0.into(), total, progress, cancel })
    }

    pub(crate) fn reader<R: Read>(&self, inner: R) -> Watched<'_, R> {
        Watched { inner, watch: self }
    }
}

/// A reader that reports to its [`Watch`] and fails once cancelled.
pub(crate) struct Watched<'a, R> {
    inner: R,
    watch: &'a Watch,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.watch.cancel.is_cancelled() {
            // Not `Interrupted`, which readers take as a reason to try again.
            return Err(io::Error::other("cancelled"));
        }
        let count = self.inner.read(buffer)?;
        self.watch.done.set(self.watch.done.get() + count as u64);
        (self.watch.progress)(self.watch.done.get(), Some(self.watch.total));
        Ok(count)
    }
}
