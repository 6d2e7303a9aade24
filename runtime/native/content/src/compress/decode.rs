//! Decompression with a bound on what comes out and on the memory it takes, so that a bomb ends as an error.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use liblzma::stream::{CONCATENATED, Stream};
use tokio_util::sync::CancellationToken;

use super::{Codec, CompressError};
use crate::Progress;
use crate::blocking::on_blocking;

/// The most memory an xz stream may ask for; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 256 * 1024 * 1024;
/// The largest zstd window, as a power of two; `zstd --ultra -22` needs 27.
const ZSTD_WINDOW: u32 = 27;

/// What was found and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The format that the data was in.
    pub codec: Codec,
    /// Bytes written.
    pub size: u64,
}

/// Decompresses `input` from its beginning into `output`, which must be empty and at its beginning. The format is told
/// by the data unless `codec` says it. Concatenated members are one stream. At most `limit` bytes are written. Progress
/// counts compressed bytes.
///
/// # Errors
/// [`CompressError::UnknownFormat`], [`CompressError::TooLarge`], [`CompressError::Io`] (damaged or truncated data has
/// kind `InvalidData`, `InvalidInput` or `UnexpectedEof`), [`CompressError::Cancelled`].
pub async fn decompress(
    mut input: File,
    codec: Option<Codec>,
    mut output: File,
    limit: u64,
    progress: Progress,
    cancel: CancellationToken,
) -> Result<Decoded, CompressError> {
    on_blocking(move || {
        let failed = |source| CompressError::Io { what: "decompress", source };
        input.rewind().map_err(failed)?;
        let total = input.metadata().map_err(failed)?.len();
        let codec = match codec {
            Some(codec) => codec,
            None => detect(&mut input).map_err(failed)?.ok_or(CompressError::UnknownFormat)?,
        };
        let counted = Counted { inner: input, done: 0, total, progress };
        let mut decoder = decoder(codec, counted).map_err(failed)?;
        let size = copy_bounded(&mut *decoder, &mut output, limit, &cancel)?;
        Ok(Decoded { codec, size })
    })
    .await?
}

fn detect(input: &mut File) -> io::Result<Option<Codec>> {
    let mut start = Vec::new();
    Read::by_ref(input).take(8).read_to_end(&mut start)?;
    input.rewind()?;
    Ok(Codec::detect(&start))
}

fn copy_bounded(
    from: &mut dyn Read,
    to: &mut File,
    limit: u64,
    cancel: &CancellationToken,
) -> Result<u64, CompressError> {
    let failed = |source| CompressError::Io { what: "decompress", source };
    let mut chunk = vec![0; 256 * 1024];
    let mut size = 0u64;
    loop {
        if cancel.is_cancelled() {
            return Err(CompressError::Cancelled);
        }
        let count = match from.read(&mut chunk) {
            Ok(0) => return Ok(size),
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(e)),
        };
        size = size.saturating_add(count as u64);
        if size > limit {
            return Err(CompressError::TooLarge { limit });
        }
        to.write_all(chunk.get(..count).unwrap_or_default()).map_err(failed)?;
    }
}

/// A decoder over `input`, bounded in memory.
pub(crate) fn decoder<R: Read + 'static>(codec: Codec, input: R) -> io::Result<Box<dyn Read>> {
    let input = BufReader::with_capacity(256 * 1024, input);
    Ok(match codec {
        Codec::Gzip | Codec::Bgzf => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Codec::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
        Codec::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED).map_err(io::Error::other)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream))
        }
        Codec::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Codec::Lz4 => Box::new(Lz4Frames { input: Some(lz4_flex::frame::FrameDecoder::new(input)) }),
    })
}

/// LZ4 frames one behind the other; the decoder itself stops after one.
struct Lz4Frames<R: io::BufRead> {
    input: Option<lz4_flex::frame::FrameDecoder<R>>,
}

impl<R: io::BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.input else { return Ok(0) };
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(decoder) = self.input.take() else { return Ok(0) };
            let mut rest = decoder.into_inner();
            if !rest.fill_buf()?.is_empty() {
                self.input = Some(lz4_flex::frame::FrameDecoder::new(rest));
            }
        }
    }
}

struct Counted<R> {
    inner: R,
    done: u64,
    total: u64,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done += count as u64;
        (self.progress)(self.done, Some(self.total));
        Ok(count)
    }
}
