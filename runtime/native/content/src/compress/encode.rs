//! One encoder for every codec, each at its own best: blocks on our threads, or the library's own threads.

use std::fs::File;
use std::io::{self, Write};

use liblzma::stream::{Check, MtStreamBuilder};
use liblzma::write::XzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

use super::Codec;
use super::block::{BlockFormat, BlockWriter};

/// Takes plain bytes, writes compressed ones into a file.
pub(crate) enum Encoder {
    Plain(File),
    Blocks(BlockWriter<File>),
    Zstd(zstd::Encoder<'static, File>),
    Xz(XzEncoder<File>),
    Lz4(Box<FrameEncoder<File>>),
}

impl Encoder {
    /// `level` is clamped to the codec's scale.
    pub(crate) fn new(
        codec: Option<Codec>,
        output: File,
        level: Option<u32>,
        threads: usize,
    ) -> io::Result<Self> {
        let tenth = |usual: u32| level.unwrap_or(usual).clamp(1, 9);
        Ok(match codec {
            None => Self::Plain(output),
            Some(Codec::Gzip) => {
                Self::Blocks(BlockWriter::new(BlockFormat::Gzip { level: tenth(6) }, output, threads))
            }
            Some(Codec::Bgzf) => {
                Self::Blocks(BlockWriter::new(BlockFormat::Bgzf { level: tenth(6) }, output, threads))
            }
            Some(Codec::Bzip2) => {
                Self::Blocks(BlockWriter::new(BlockFormat::Bzip2 { level: tenth(6) }, output, threads))
            }
            Some(Codec::Zstd) => Self::Zstd(zstd_encoder(output, level, threads)?),
            Some(Codec::Xz) => Self::Xz(xz_encoder(output, level.unwrap_or(6).min(9), threads)?),
            Some(Codec::Lz4) => {
                let frame = FrameInfo::new()
                    .block_size(BlockSize::Max4MB)
                    .block_mode(BlockMode::Independent)
                    .content_checksum(true);
                Self::Lz4(Box::new(FrameEncoder::with_frame_info(frame, output)))
            }
        })
    }

    /// Ends the stream and gives the file back.
    pub(crate) fn finish(self) -> io::Result<File> {
        match self {
            Self::Plain(file) => Ok(file),
            Self::Blocks(writer) => writer.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Xz(encoder) => encoder.finish(),
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::other),
        }
    }

    fn inner(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(file) => file,
            Self::Blocks(writer) => writer,
            Self::Zstd(encoder) => encoder,
            Self::Xz(encoder) => encoder,
            Self::Lz4(encoder) => encoder,
        }
    }
}

impl Write for Encoder {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.inner().write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner().flush()
    }
}

fn zstd_encoder(
    output: File,
    level: Option<u32>,
    threads: usize,
) -> io::Result<zstd::Encoder<'static, File>> {
    let level = i32::try_from(level.unwrap_or(3).clamp(1, 22)).unwrap_or(3);
    let mut encoder = zstd::Encoder::new(output, level)?;
    encoder.include_checksum(true)?;
    encoder.multithread(u32::try_from(threads).unwrap_or(1))?;
    Ok(encoder)
}

fn xz_encoder(output: File, preset: u32, threads: usize) -> io::Result<XzEncoder<File>> {
    let stream = MtStreamBuilder::new()
        .threads(u32::try_from(threads).unwrap_or(1))
        .preset(preset)
        .check(Check::Crc64)
        .encoder()
        .map_err(io::Error::other)?;
    Ok(XzEncoder::new_stream(output, stream))
}
