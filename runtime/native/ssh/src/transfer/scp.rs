//! The old scp protocol, for servers without SFTP (dropbear): `scp -t` takes, `scp -f` gives.
//!
//! ```text
//!  C0644 SIZE NAME\n  a file, its bytes, then \0        T…\n  times, not used      \0  fine
//!  D0755 0 NAME\n … E\n  a directory                    \1TEXT\n  a complaint      \2TEXT\n  the end
//! ```
//!
//! Every message is answered with `\0` before the next. When we take, names are single path components or an error:
//! the server chooses them, and clients that believed it have been attacked that way (CVE-2018-20685, CVE-2019-6111).

use std::path::PathBuf;

use bytes::Bytes;
use cap_std::fs::Dir;
use tokio::sync::mpsc;

use super::flow::{Drain, Inflow, Meter, feed};
use super::stream::PIECE;
use super::tree::{Bounds, Found, Planter, walk};
use super::{Content, FileSource, TransferOptions, Transferred};
use crate::error::{Error, Result, printable};
use crate::process::{ExecOptions, ExitStatus, Input};
use crate::quote::{quote, remote_path};
use crate::session::Session;

/// Longest protocol line taken.
const LINE: usize = 8192;

struct Talk {
    flow: Inflow,
    operation: &'static str,
    path: String,
}

/// What the other side says in an answer.
enum Answer {
    Fine,
    Gone,
}

impl Talk {
    async fn start(session: &Session, command: String, operation: &'static str, path: &str) -> Result<Self> {
        let run = ExecOptions { stdin: Input::Manual, pty: Some(false), ..ExecOptions::default() };
        let flow = Inflow::new(session.exec(&command, run).await?);
        Ok(Self { flow, operation, path: path.to_owned() })
    }

    async fn say(&self, text: impl Into<Bytes>) -> Result<()> {
        self.flow.stdin().write(text.into()).await
    }

    fn remote(&self, reason: String) -> Error {
        Error::Remote { operation: self.operation, path: self.path.clone(), reason }
    }

    async fn answer(&mut self) -> Result<Answer> {
        match self.flow.byte().await? {
            Some(0) => Ok(Answer::Fine),
            Some(1 | 2) => {
                let line = self.flow.line(LINE).await?.unwrap_or_default();
                Err(self.remote(printable(&line, 500)))
            }
            Some(_) => {
                Err(Error::protocol("scp", "an answer that is none; does the login shell print something?"))
            }
            None => Ok(Answer::Gone),
        }
    }

    /// An answer that has to be there.
    async fn fine(&mut self) -> Result<()> {
        match self.answer().await? {
            Answer::Fine => Ok(()),
            Answer::Gone => {
                let status = self.flow.status().await?;
                Err(self.flow.failure(self.operation, &self.path, &status))
            }
        }
    }

    async fn finish(mut self) -> Result<()> {
        let _ = self.flow.stdin().close().await;
        match self.flow.status().await? {
            ExitStatus::Code(0) => Ok(()),
            status => Err(self.flow.failure(self.operation, &self.path, &status)),
        }
    }

    async fn send_file(&mut self, source: FileSource, name: &str, meter: &mut Meter) -> Result<()> {
        if name.contains('\n') {
            return Err(Error::Option {
                option: "source",
                reason: format!("the scp protocol cannot carry the line break in {name:?}"),
            });
        }
        self.say(format!("C{:04o} {} {name}\n", source.mode & 0o7777, source.size)).await?;
        self.fine().await?;
        let stdin = self.flow.stdin();
        let mut pieces = feed(source.content, source.size, PIECE);
        while let Some(piece) = pieces.recv().await {
            let piece = piece.map_err(|error| Error::local("cannot read the uploaded file", error))?;
            let size = piece.len();
            stdin.write(piece).await?;
            meter.add(size);
        }
        self.say(&b"\0"[..]).await?;
        self.fine().await
    }
}

/// Whether the machine has an `scp` to talk to; `None` when the very first answer did not come for lack of one.
async fn greet(mut talk: Talk) -> Result<Option<Talk>> {
    match talk.answer().await? {
        Answer::Fine => Ok(Some(talk)),
        Answer::Gone => match talk.flow.status().await? {
            ExitStatus::Code(127) => Ok(None),
            status => Err(talk.flow.failure(talk.operation, &talk.path, &status)),
        },
    }
}

/// `None`: the machine has no scp.
pub(super) async fn upload(
    session: &Session,
    source: &mut Option<FileSource>,
    remote: &str,
    options: &TransferOptions,
) -> Result<Option<Transferred>> {
    let path = remote_path(remote);
    let quoted = quote(&path);
    // Into a directory scp would write a file of its own naming.
    let command = format!(
        "if test -d {quoted}; then echo 'it is a directory' >&2; exit 1; fi; exec scp -p -t {quoted}"
    );
    let talk = Talk::start(session, command, "upload to", remote).await?;
    let Some(mut talk) = greet(talk).await? else { return Ok(None) };
    let Some(source) = source.take() else { return Ok(None) };
    let mut meter = Meter::new(options.progress.clone());
    // The name would only count for a directory.
    talk.send_file(source, "file", &mut meter).await?;
    talk.finish().await?;
    let mut done = Transferred::new("scp");
    done.bytes = meter.moved;
    done.entries = 1;
    Ok(Some(done))
}

/// `None`: the machine has no scp.
pub(super) async fn upload_directory(
    session: &Session,
    dir: &Dir,
    remote: &str,
    options: &TransferOptions,
) -> Result<Option<Transferred>> {
    let path = quote(&remote_path(remote));
    let command = format!("mkdir -p {path} && scp -r -p -t {path}");
    let talk = Talk::start(session, command, "upload to", remote).await?;
    let Some(mut talk) = greet(talk).await? else { return Ok(None) };
    let dir = dir.try_clone().map_err(|error| Error::local("cannot read the uploaded directory", error))?;
    let (send, mut found) = mpsc::channel(16);
    let bounds = Bounds::of(options);
    let walking = tokio::task::spawn_blocking(move || {
        walk(&dir, &bounds, &mut |found| {
            send.blocking_send(found).map_err(|_| Error::lost("uploading a directory"))
        })
    });
    let mut done = Transferred::new("scp");
    let mut meter = Meter::new(options.progress.clone());
    let mut inside = PathBuf::new();
    while let Some(found) = found.recv().await {
        done.entries += 1;
        let (path, file) = match found {
            Found::Directory { path, mode } => (path, Err(mode)),
            Found::File { path, file, size, mode } => {
                (path, Ok(FileSource { content: Content::File(file.into_std()), size, mode }))
            }
        };
        let parent = path.parent().unwrap_or(&path).to_owned();
        while inside != parent {
            talk.say(&b"E\n"[..]).await?;
            talk.fine().await?;
            inside.pop();
        }
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| Error::Option {
            option: "source",
            reason: format!("{:?} is not UTF-8", path.display().to_string()),
        })?;
        match file {
            Ok(source) => talk.send_file(source, name, &mut meter).await?,
            Err(_) if name.contains('\n') => {
                return Err(Error::Option {
                    option: "source",
                    reason: format!("the scp protocol cannot carry the line break in {name:?}"),
                });
            }
            Err(mode) => {
                talk.say(format!("D{mode:04o} 0 {name}\n")).await?;
                talk.fine().await?;
                inside = path;
            }
        }
    }
    while inside.pop() {
        talk.say(&b"E\n"[..]).await?;
        talk.fine().await?;
    }
    walking.await.map_err(|error| Error::local("walking", std::io::Error::other(error)))??;
    talk.finish().await?;
    done.bytes = meter.moved;
    Ok(Some(done))
}

/// What the giving side announces.
enum Announced {
    File { mode: u32, size: u64, name: String },
    Directory { mode: u32, name: String },
    Up,
    Nothing,
    End,
}

impl Talk {
    async fn announced(&mut self) -> Result<Announced> {
        let Some(line) = self.flow.line(LINE).await? else { return Ok(Announced::End) };
        let Some((kind, rest)) = line.split_first() else { return Err(unreadable(&line)) };
        match kind {
            b'T' => Ok(Announced::Nothing),
            b'E' => Ok(Announced::Up),
            b'C' | b'D' => {
                let text = std::str::from_utf8(rest).map_err(|_| unreadable(&line))?;
                let mut parts = text.splitn(3, ' ');
                let (Some(mode), Some(size), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
                    return Err(unreadable(&line));
                };
                let mode = u32::from_str_radix(mode, 8).map_err(|_| unreadable(&line))?;
                let size = size.parse().map_err(|_| unreadable(&line))?;
                let name = judge(name)?;
                Ok(if *kind == b'C' {
                    Announced::File { mode, size, name }
                } else {
                    Announced::Directory { mode, name }
                })
            }
            1 | 2 => Err(self.remote(printable(rest, 500))),
            _ => Err(unreadable(&line)),
        }
    }

    async fn receive(&mut self, sink: std::fs::File, size: u64, meter: &mut Meter) -> Result<()> {
        let mut drain = Drain::new(sink);
        self.say(&b"\0"[..]).await?;
        let mut left = size;
        while left > 0 {
            let Some(data) = self.flow.at_most(left).await? else {
                return Err(Error::lost("downloading by scp"));
            };
            left -= data.len() as u64;
            meter.add(data.len());
            drain.write(data).await?;
        }
        drain.finish().await?;
        self.fine().await?;
        self.say(&b"\0"[..]).await
    }
}

fn unreadable(line: &[u8]) -> Error {
    Error::protocol("scp", format!("the line {:?}", printable(line, 200)))
}

fn judge(name: &str) -> Result<String> {
    let bad = name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']);
    if bad || (cfg!(windows) && name.contains(['\\', ':'])) {
        let name = printable(name.as_bytes(), 200);
        return Err(Error::protocol("scp", format!("the name {name:?} leaves the target directory")));
    }
    Ok(name.to_owned())
}

fn room(moved: u64, size: u64, options: &TransferOptions) -> Result<()> {
    if moved.saturating_add(size) > options.max_bytes {
        return Err(Error::TooLarge { what: "the download".into(), limit: options.max_bytes });
    }
    Ok(())
}

/// `None`: the machine has no scp.
pub(super) async fn download(
    session: &Session,
    remote: &str,
    sink: &std::fs::File,
    options: &TransferOptions,
) -> Result<Option<Transferred>> {
    let command = format!("scp -f {}", quote(&remote_path(remote)));
    let mut talk = Talk::start(session, command, "download of", remote).await?;
    let mut done = Transferred::new("scp");
    let mut meter = Meter::new(options.progress.clone());
    talk.say(&b"\0"[..]).await?;
    loop {
        match talk.announced().await? {
            Announced::Nothing => talk.say(&b"\0"[..]).await?,
            Announced::File { mode, size, .. } if done.entries == 0 => {
                room(meter.moved, size, options)?;
                let sink =
                    sink.try_clone().map_err(|error| Error::local("cannot use the download file", error))?;
                talk.receive(sink, size, &mut meter).await?;
                done.mode = Some(mode & 0o7777);
                done.entries = 1;
            }
            Announced::End if done.entries == 0 => {
                return match talk.flow.status().await? {
                    ExitStatus::Code(127) => Ok(None),
                    status => Err(talk.flow.failure("download of", remote, &status)),
                };
            }
            Announced::End => break,
            _ => return Err(Error::protocol("scp", "more than the one file that was asked for")),
        }
    }
    talk.finish().await?;
    done.bytes = meter.moved;
    Ok(Some(done))
}

/// `None`: the machine has no scp.
pub(super) async fn download_directory(
    session: &Session,
    remote: &str,
    into: &Dir,
    options: &TransferOptions,
) -> Result<Option<Transferred>> {
    let command = format!("scp -r -f {}", quote(&remote_path(remote)));
    let mut talk = Talk::start(session, command, "download of", remote).await?;
    let into = into.try_clone().map_err(|error| Error::local("cannot use the download directory", error))?;
    let mut planter = Planter::new(into, "scp", options.max_entries);
    let mut done = Transferred::new("scp");
    let mut meter = Meter::new(options.progress.clone());
    // The first directory announced is the one asked for; its name is the server's business.
    let mut inside: Option<PathBuf> = None;
    let mut depth = 0_usize;
    talk.say(&b"\0"[..]).await?;
    loop {
        let announced = talk.announced().await?;
        match (announced, inside.as_mut()) {
            (Announced::Nothing, _) => {}
            (Announced::Directory { .. }, None) if depth == 0 => inside = Some(PathBuf::new()),
            (Announced::Directory { mode, name }, Some(at)) => {
                at.push(name);
                depth += 1;
                planter.directory(at, mode)?;
                done.entries += 1;
            }
            (Announced::File { mode, size, name }, Some(at)) => {
                room(meter.moved, size, options)?;
                let file = planter.file(&at.join(name), mode)?.into_std();
                talk.receive(file, size, &mut meter).await?;
                done.entries += 1;
                continue;
            }
            (Announced::Up, Some(at)) => {
                if depth == 0 {
                    inside = None;
                    depth = usize::MAX;
                } else {
                    at.pop();
                    depth -= 1;
                }
            }
            (Announced::End, None) if depth == usize::MAX => break,
            (Announced::End, _) => {
                return match talk.flow.status().await? {
                    ExitStatus::Code(127) => Ok(None),
                    status => Err(talk.flow.failure("download of", remote, &status)),
                };
            }
            _ => return Err(Error::protocol("scp", "a message out of place")),
        }
        talk.say(&b"\0"[..]).await?;
    }
    talk.finish().await?;
    planter.finish()?;
    done.bytes = meter.moved;
    Ok(Some(done))
}
