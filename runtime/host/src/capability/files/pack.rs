//! Content that changes its form: line endings, compression, archives, media. The work is done at
//! native speed by `kiln-content` and `kiln-machine` on opened files.

use super::Call;
use crate::bindings::kiln::host::files::{Compression, Container};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallError, CallResult, fail};
use crate::file::{File, FileReader, MAX_HELD};
use crate::output::{Output, plain_path};
use crate::state::StepCtx;
use kiln_content::archive::Entry;
use kiln_content::compress::{Codec, CompressError, Options, Packing, compress};
use kiln_machine::{IsoOptions, MediaFile, floppy_image, write_iso};
use std::io::Read;
use std::sync::Arc;

/// The most bytes that decompression may give.
const MAX_UNPACKED: u64 = 1 << 40;

/// CRLF becomes LF.
pub(super) async fn unix_line_endings(call: &Call, step: &Arc<StepCtx>, file: File) -> CallResult<File> {
    if let Some(text) = file.text_body() {
        return Ok(File::text(file.name(), &text.replace("\r\n", "\n")));
    }
    let step = step.clone();
    call.blocking(move || {
        if file.size()? <= MAX_HELD as u64 {
            let bytes = file.whole(MAX_HELD)?;
            return Ok(File::bytes(file.name(), &without_cr(&bytes, false).0));
        }
        let mut reader = file.reader();
        let mut held_cr = false;
        to_scratch(&step, file.name(), move |out| {
            let mut chunk = vec![0; 1 << 20];
            loop {
                let count = reader.read(&mut chunk)?;
                let last = count == 0;
                let (bytes, cr) = without_cr(chunk.get(..count).unwrap_or(&[]), held_cr);
                out.write_all(&bytes)?;
                held_cr = cr;
                if last {
                    return if held_cr { out.write_all(b"\r") } else { Ok(()) };
                }
            }
        })
    })
    .await
}

/// `bytes` with LF for CRLF, given whether a CR came before; and whether a CR is left at the end.
fn without_cr(bytes: &[u8], mut held: bool) -> (Vec<u8>, bool) {
    if bytes.is_empty() {
        return (Vec::new(), held);
    }
    let mut out = Vec::with_capacity(bytes.len() + 1);
    for byte in bytes {
        if held && *byte != b'\n' {
            out.push(b'\r');
        }
        held = *byte == b'\r';
        if !held {
            out.push(*byte);
        }
    }
    (out, held)
}

/// gzip, xz, zstd, bzip2 or lz4 is unpacked into scratch.
pub(super) async fn decompress(call: &Call, step: &Arc<StepCtx>, file: File) -> CallResult<File> {
    let name = std::path::Path::new(file.name())
        .file_stem()
        .map_or_else(|| file.name().into(), |s| s.to_string_lossy());
    let name = name.into_owned();
    let (from, place) = {
        let (step, name) = (step.clone(), name.clone());
        call.blocking(move || Ok((materialised(&step, &file)?, scratch_place(&step, &name)?))).await?
    };
    let out = place.1.try_clone()?;
    let progress = kiln_content::no_progress();
    let cancel = call.cancel.clone();
    call.wait(async {
        kiln_content::compress::decompress(from, None, out, MAX_UNPACKED, progress, cancel)
            .await
            .map_err(refuse)
    })
    .await?;
    File::opened(place.1, &place.0).map(|file| file.renamed(&name)).map_err(Into::into)
}

/// Packs members into an output.
pub(super) async fn archive(
    call: &Call,
    step: &Arc<StepCtx>,
    members: Vec<(String, File)>,
    container: Container,
    compression: Compression,
    level: u32,
    destination: Output,
) -> CallResult<File> {
    for (name, _) in &members {
        plain_path(name)?;
    }
    let work = Work::of(container, compression)?;
    let (step, cancel) = (step.clone(), call.cancel.clone());
    let total: u64 = members.iter().filter_map(|(_, file)| file.size().ok()).sum();
    // The packed file is written beside its place and renamed, like every other output.
    let (path, out) = {
        let (step, name) = (step.clone(), destination.display());
        call.blocking(move || scratch_place(&step, &name)).await?
    };
    match work {
        Work::Content(packing) => {
            let entries = {
                let step = step.clone();
                call.blocking(move || entries(&step, &members)).await?
            };
            let options = Options { level: (level > 0).then_some(level), ..Options::default() };
            let progress = crate::progress::bar(&step, format!("packing {}", destination.display()), total);
            let out = out.try_clone()?;
            let packed = call
                .wait(async {
                    compress(entries, out, packing, options, progress.callback(), cancel)
                        .await
                        .map_err(refuse)
                })
                .await;
            progress.finish();
            packed?;
        }
        Work::Medium(medium) => {
            let mut out = out.try_clone()?;
            call.blocking(move || {
                let files = members
                    .into_iter()
                    .map(|(name, file)| media_file(name, file))
                    .collect::<CallResult<Vec<_>>>()?;
                let failed = |e: kiln_machine::MediaError| fail(ErrorCode::Failed, e.to_string());
                match medium {
                    Medium::Iso => {
                        write_iso(&IsoOptions::default(), files, &mut out, &cancel).map_err(failed)?;
                    }
                    Medium::Fat => {
                        let image = floppy_image("kiln", files).map_err(failed)?;
                        std::io::Write::write_all(&mut out, &image)?;
                    }
                }
                Ok(())
            })
            .await?;
        }
    }
    call.blocking(move || {
        let packed = File::opened(out, &path)?;
        let written = destination.write(&packed, 0o644);
        // What is left in scratch goes with the build; a large image should go now.
        let _ = crate::output::remove_any(&path);
        written
    })
    .await
}

enum Medium {
    Iso,
    Fat,
}

/// How the contract's words are done.
enum Work {
    Content(Packing),
    Medium(Medium),
}

impl Work {
    fn of(container: Container, compression: Compression) -> CallResult<Self> {
        let codec = match compression {
            Compression::None => None,
            Compression::Gzip => Some(Codec::Gzip),
            Compression::Bgzf => Some(Codec::Bgzf),
            Compression::Xz => Some(Codec::Xz),
            Compression::Bzip2 => Some(Codec::Bzip2),
            Compression::Lz4 => Some(Codec::Lz4),
            Compression::Zstd => Some(Codec::Zstd),
        };
        match (container, codec) {
            (Container::Tar, codec) => Ok(Self::Content(Packing::tar(codec))),
            (Container::None, Some(codec)) => Ok(Self::Content(Packing::single(codec))),
            (Container::None, None) => {
                Err(fail(ErrorCode::Invalid, "no container and no compression is no archive"))
            }
            (Container::Zip, None) => Ok(Self::Content(Packing::zip())),
            (Container::Iso9660, None) => Ok(Self::Medium(Medium::Iso)),
            (Container::Fat, None) => Ok(Self::Medium(Medium::Fat)),
            (Container::Zip | Container::Iso9660 | Container::Fat, Some(_)) => {
                Err(fail(ErrorCode::Invalid, "zip compresses by itself, and media are not compressed"))
            }
        }
    }
}

fn entries(step: &StepCtx, members: &[(String, File)]) -> CallResult<Vec<Entry>> {
    members
        .iter()
        .map(|(name, file)| {
            let mut entry = Entry::new(name.clone(), materialised(step, file)?);
            entry.mode = file.mode() & 0o777;
            Ok(entry)
        })
        .collect()
}

fn media_file(name: String, file: File) -> CallResult<MediaFile> {
    let length = file.size()?;
    Ok(MediaFile::reader(name, length, move || Ok(Box::new(reader(&file)) as Box<dyn Read>)))
}

fn reader(file: &File) -> FileReader {
    file.reader()
}

/// The content as an opened file at its beginning: its own, opened anew, or a copy in scratch.
fn materialised(step: &StepCtx, file: &File) -> CallResult<std::fs::File> {
    if let Some(own) = file.as_opened()
        && let Some(again) = crate::file::reopen(own)
    {
        return Ok(again);
    }
    let mut reader = file.reader();
    let (_, mut out) = scratch_place(step, file.name())?;
    std::io::copy(&mut reader, &mut out)?;
    std::io::Seek::rewind(&mut out)?;
    Ok(out)
}

fn to_scratch(
    step: &StepCtx,
    name: &str,
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> CallResult<File> {
    let (path, mut out) = scratch_place(step, name)?;
    write(&mut out)?;
    Ok(File::opened(out, &path)?.renamed(name))
}

/// A new file in the build's scratch, open for reading and writing.
#[expect(clippy::disallowed_methods, reason = "makes a file in the build's own folder")]
fn scratch_place(step: &StepCtx, _: &str) -> CallResult<(std::path::PathBuf, std::fs::File)> {
    let folder = step.build.scratch()?.join("work");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(crate::secrets::random_hex(8));
    let file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    Ok((path, file))
}

fn refuse(error: CompressError) -> CallError {
    let code = match &error {
        CompressError::NotOneFile { .. } | CompressError::UnknownFormat => ErrorCode::Invalid,
        CompressError::TooLarge { .. } => ErrorCode::Limit,
        CompressError::Cancelled => ErrorCode::Cancelled,
        _ => ErrorCode::Failed,
    };
    fail(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::without_cr;

    #[test]
    fn line_ends_at_every_cut() {
        let text = b"a\r\nb\rc\r\r\n\n\r";
        for cut in 0..=text.len() {
            let (mut out, held) = without_cr(&text[..cut], false);
            let (rest, held) = without_cr(&text[cut..], held);
            out.extend(rest);
            if held {
                out.push(b'\r');
            }
            assert_eq!(out, b"a\nb\rc\r\n\n\r", "cut at {cut}");
        }
    }
}
