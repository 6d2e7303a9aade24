//! Directories as one tar stream through `tar` on the machine: one process and no waiting, however many files.
//!
//! The machine first says which tar it has. GNU tar would replace a link to a directory by a directory (think of `/lib`),
//! unless told otherwise; busybox does not; others are not used.

use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use cap_std::fs::Dir;
use tar::{Archive, Builder, EntryType, Header};
use tokio::sync::mpsc;

use super::flow::{Inflow, Meter, QueueReader, QueueWriter};
use super::stream::{PIECE, both};
use super::tree::{Bounds, Found, Planter, cannot_write, walk};
use super::{Progress, TransferOptions, Transferred};
use crate::error::{Error, Result};
use crate::process::{ExecOptions, Input, Stdin};
use crate::quote::{quote, remote_path};
use crate::session::Session;

/// The machine prints this line when its tar will do.
const READY: &str = "kiln-tar-ready";

/// `None`: the machine has no tar that will do, try another way.
pub(super) async fn upload(
    session: &Session,
    dir: &Dir,
    remote: &str,
    options: &TransferOptions,
) -> Result<Option<Transferred>> {
    let target = quote(&remote_path(remote));
    let command = format!(
        "case \"$(tar --version 2>&1)\" in *GNU*) k=--keep-directory-symlink;; *[Bb]usy[Bb]ox*) k=;; *) exit 97;; esac; \
         echo {READY}; mkdir -p {target} && tar -x -p -o -m $k -f - -C {target}"
    );
    let run = ExecOptions { stdin: Input::Manual, pty: Some(false), ..ExecOptions::default() };
    let mut flow = Inflow::new(session.exec(&command, run).await?);
    if flow.line(4096).await?.as_deref() != Some(READY.as_bytes()) {
        let status = flow.status().await?;
        return match status {
            crate::process::ExitStatus::Disconnected => Err(flow.failure("upload to", remote, &status)),
            _ => Ok(None),
        };
    }
    let dir = dir.try_clone().map_err(|error| Error::local("cannot read the uploaded directory", error))?;
    let (writer, pieces) = QueueWriter::new(PIECE);
    let (progress, bounds) = (options.progress.clone(), Bounds::of(options));
    let packing = tokio::task::spawn_blocking(move || pack(&dir, writer, progress, &bounds));
    let stdin = flow.stdin();
    let sent = async {
        let sent = send_all(&stdin, pieces).await;
        stdin.close().await.and(sent)
    };
    let (sent, status) = both(sent, &mut flow).await?;
    let packed = packing.await.map_err(|error| Error::local("packing", std::io::Error::other(error)))?;
    match packed {
        // The queue is closed when the command ended early: then its complaint says more.
        Err(Error::Local { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            Err(flow.failure("upload to", remote, &status))
        }
        Err(error) => Err(error),
        Ok(_) if !status.success() => Err(flow.failure("upload to", remote, &status)),
        Ok(done) => sent.map(|()| Some(done)),
    }
}

async fn send_all(stdin: &Stdin, mut pieces: mpsc::Receiver<Bytes>) -> Result<()> {
    while let Some(piece) = pieces.recv().await {
        stdin.write(piece).await?;
    }
    Ok(())
}

fn pack(dir: &Dir, writer: QueueWriter, progress: Option<Progress>, bounds: &Bounds) -> Result<Transferred> {
    let mut done = Transferred::new("tar");
    let mut meter = Meter::new(progress);
    let mut builder = Builder::new(writer);
    let failed = |error| Error::local("cannot pack the uploaded directory", error);
    walk(dir, bounds, &mut |found| {
        done.entries += 1;
        let mut header = Header::new_gnu();
        match found {
            Found::Directory { path, mode } => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(mode);
                header.set_size(0);
                builder.append_data(&mut header, path, std::io::empty()).map_err(failed)
            }
            Found::File { path, file, size, mode } => {
                header.set_mode(mode);
                header.set_size(size);
                let mut content = Exactly { inner: file.take(size), left: size };
                builder.append_data(&mut header, path, &mut content).map_err(failed)?;
                meter.add(usize::try_from(size).unwrap_or(usize::MAX));
                Ok(())
            }
        }
    })?;
    let mut writer = builder.into_inner().map_err(failed)?;
    std::io::Write::flush(&mut writer).map_err(failed)?;
    done.bytes = meter.moved;
    Ok(done)
}

/// A reader that fails if the file has become shorter than its header says.
struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left -= read as u64;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(std::io::Error::new(
                std::io::ErrorKind::UnexpectedEof,
                "a file shrank while it was sent",
            ));
        }
        Ok(read)
    }
}

/// `None`: the machine has no tar.
pub(super) async fn download(
    session: &Session,
    remote: &str,
    into: &Dir,
    options: &TransferOptions,
) -> Result<Option<Transferred>> {
    let target = quote(&remote_path(remote));
    let command =
        format!("command -v tar >/dev/null || exit 97; cd {target} && echo {READY} && exec tar -c -f - .");
    let run = ExecOptions { pty: Some(false), ..ExecOptions::default() };
    let mut flow = Inflow::new(session.exec(&command, run).await?);
    if flow.line(4096).await?.as_deref() != Some(READY.as_bytes()) {
        let status = flow.status().await?;
        return match status {
            crate::process::ExitStatus::Code(97 | 127) => Ok(None),
            _ => Err(flow.failure("download of", remote, &status)),
        };
    }
    let into = into.try_clone().map_err(|error| Error::local("cannot use the download directory", error))?;
    let (to, reader) = QueueReader::new();
    let settings = options.clone();
    let unpacking = tokio::task::spawn_blocking(move || unpack(reader, into, &settings));
    while let Some(data) = flow.some().await? {
        // Unpacking ends first only with an error, or at the end of the archive's own end mark.
        if to.send(data).await.is_err() {
            break;
        }
    }
    drop(to);
    let unpacked =
        unpacking.await.map_err(|error| Error::local("unpacking", std::io::Error::other(error)))?;
    let done = unpacked?;
    let status = flow.status().await?;
    if !status.success() {
        return Err(flow.failure("download of", remote, &status));
    }
    Ok(Some(done))
}

fn unpack(reader: QueueReader, into: Dir, options: &TransferOptions) -> Result<Transferred> {
    let mut done = Transferred::new("tar");
    let mut meter = Meter::new(options.progress.clone());
    let mut planter = Planter::new(into, "tar", options.max_entries);
    let broken = |error: std::io::Error| Error::protocol("tar", error.to_string());
    let mut archive = Archive::new(reader);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let mode = entry.header().mode().map_err(broken)?;
        match entry.header().entry_type() {
            EntryType::Directory => {
                if planter.directory(&path, mode)? {
                    done.entries += 1;
                }
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                // A sparse file's size counts what would be written, holes included.
                let size = entry.size();
                if meter.moved.saturating_add(size) > options.max_bytes {
                    return Err(Error::TooLarge {
                        what: "the downloaded tree".into(),
                        limit: options.max_bytes,
                    });
                }
                let mut file = planter.file(&path, mode)?;
                let copied =
                    std::io::copy(&mut entry, &mut file).map_err(|error| cannot_write(&path, error))?;
                if copied != size {
                    return Err(Error::protocol("tar", "a file ended early"));
                }
                meter.add(usize::try_from(copied).unwrap_or(usize::MAX));
                done.entries += 1;
            }
            EntryType::Link => {
                let from = entry.link_name().map_err(broken)?;
                let from = from.ok_or_else(|| Error::protocol("tar", "a hard link to nothing"))?;
                let copied = planter.copy(&from, &path)?;
                meter.add(usize::try_from(copied).unwrap_or(usize::MAX));
                if meter.moved > options.max_bytes {
                    return Err(Error::TooLarge {
                        what: "the downloaded tree".into(),
                        limit: options.max_bytes,
                    });
                }
                done.entries += 1;
            }
            _ => done.skip(crate::error::printable(Path::new(&path).to_string_lossy().as_bytes(), 200)),
        }
    }
    planter.finish()?;
    done.bytes = meter.moved;
    Ok(done)
}
