//! Uploads over SFTP: many writes on the way at once, many small files at once.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::Dir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::packet::{Reply, Request};
use super::{Client, Pending, What};
use crate::error::{Error, Result};
use crate::quote::remote_path;
use crate::transfer::flow::{Meter, feed};
use crate::transfer::tree::{Bounds, Found, walk};
use crate::transfer::{Content, FileSource, Progress, TransferOptions, Transferred};

/// Bytes of writes without an answer yet.
const ON_THE_WAY: usize = 4 * 1024 * 1024;

/// Files of a directory that are sent at once.
const FILES: usize = 64;

fn what(path: &str) -> What<'_> {
    What { operation: "upload to", path }
}

/// Uploads one file.
pub(in crate::transfer) async fn file(
    client: &Client,
    source: FileSource,
    remote: &str,
    options: &TransferOptions,
) -> Result<Transferred> {
    let mut meter = Meter::new(options.progress.clone());
    write_file(client, source, &remote_path(remote), &mut meter).await?;
    let mut done = Transferred::new("sftp");
    done.bytes = meter.moved;
    done.entries = 1;
    Ok(done)
}

async fn write_file(client: &Client, source: FileSource, path: &str, meter: &mut Meter) -> Result<()> {
    // Private until its content is complete; the exact mode comes at the end, because opening is subject to the umask.
    let opening = client.send(Request::open_replace(path, source.mode & 0o700 | 0o600)).await?;
    let mut pieces = feed(source.content, source.size, client.write_size);
    let handle = match opening.reply().await? {
        Reply::Handle(handle) => handle,
        reply => return Err(what(path).failed(&reply)),
    };
    let written = write_pieces(client, &handle, &mut pieces, path, meter).await;
    let mode = client.send(Request::fsetstat(&handle, source.mode)).await?;
    let closing = client.send(Request::close(&handle)).await?;
    written?;
    mode.done(what(path)).await?;
    closing.done(what(path)).await
}

async fn write_pieces(
    client: &Client,
    handle: &Bytes,
    pieces: &mut mpsc::Receiver<std::io::Result<Bytes>>,
    path: &str,
    meter: &mut Meter,
) -> Result<()> {
    let limit = (ON_THE_WAY / client.write_size).max(2);
    let mut on_the_way: VecDeque<(Pending, usize)> = VecDeque::new();
    let mut offset = 0;
    while let Some(piece) = pieces.recv().await {
        let piece = piece.map_err(|error| Error::local("cannot read the uploaded file", error))?;
        let size = piece.len();
        on_the_way
            .push_back((client.send_with(Request::write(handle, offset, size), Some(piece)).await?, size));
        offset += size as u64;
        while on_the_way.len() >= limit {
            settle(&mut on_the_way, path, meter).await?;
        }
    }
    while !on_the_way.is_empty() {
        settle(&mut on_the_way, path, meter).await?;
    }
    Ok(())
}

async fn settle(on_the_way: &mut VecDeque<(Pending, usize)>, path: &str, meter: &mut Meter) -> Result<()> {
    if let Some((pending, size)) = on_the_way.pop_front() {
        pending.done(what(path)).await?;
        meter.add(size);
    }
    Ok(())
}

/// Uploads the contents of a directory.
pub(in crate::transfer) async fn directory(
    client: &Arc<Client>,
    dir: &Dir,
    remote: &str,
    options: &TransferOptions,
) -> Result<Transferred> {
    let root = remote_path(remote);
    make_all(client, &root).await?;
    let dir = dir.try_clone().map_err(|error| Error::local("cannot read the uploaded directory", error))?;
    let (send, mut found) = mpsc::channel(FILES);
    let bounds = Bounds::of(options);
    let walking = tokio::task::spawn_blocking(move || {
        walk(&dir, &bounds, &mut |found| {
            send.blocking_send(found).map_err(|_| Error::lost("uploading a directory"))
        })
    });
    let mut done = Transferred::new("sftp");
    let mut files = JoinSet::new();
    // Set last, deepest first: a directory without write permission must still be filled.
    let mut modes = Vec::new();
    let moved = Moved::new(options.progress.clone());
    while let Some(found) = found.recv().await {
        done.entries += 1;
        match found {
            Found::Directory { path, mode } => {
                let path = join(&root, &path)?;
                make(client, &path, mode | 0o700).await?;
                modes.push((path, mode));
            }
            Found::File { path, file, size, mode } => {
                if files.len() >= FILES
                    && let Some(ended) = files.join_next().await
                {
                    flatten(ended)?;
                }
                let (client, path, moved) = (Arc::clone(client), join(&root, &path)?, moved.clone());
                let source = FileSource { content: Content::File(file.into_std()), size, mode };
                files.spawn(async move {
                    let mut meter = Meter::new(Some(moved.of_one_file()));
                    write_file(&client, source, &path, &mut meter).await
                });
            }
        }
    }
    while let Some(ended) = files.join_next().await {
        flatten(ended)?;
    }
    walking.await.map_err(|error| Error::local("walking", std::io::Error::other(error)))??;
    for (path, mode) in modes.iter().rev() {
        client.send(Request::setstat(path, *mode)).await?.done(what(path)).await?;
    }
    done.bytes = moved.total();
    Ok(done)
}

fn flatten(ended: std::result::Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
    ended.map_err(|error| Error::local("uploading", std::io::Error::other(error)))?
}

/// The sum of what several files moved.
#[derive(Clone)]
struct Moved {
    total: Arc<std::sync::atomic::AtomicU64>,
    progress: Option<Progress>,
}

impl Moved {
    fn new(progress: Option<Progress>) -> Self {
        Self { total: Arc::default(), progress }
    }

    fn total(&self) -> u64 {
        self.total.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn of_one_file(&self) -> Progress {
        let (all, before) = (self.clone(), std::sync::atomic::AtomicU64::new(0));
        Arc::new(move |now| {
            use std::sync::atomic::Ordering::Relaxed;
            let more = now - before.swap(now, Relaxed);
            let total = all.total.fetch_add(more, Relaxed) + more;
            if let Some(progress) = &all.progress {
                progress(total);
            }
        })
    }
}

/// The remote name of a local path.
pub(in crate::transfer) fn join(root: &str, path: &Path) -> Result<String> {
    let mut joined = root.strip_suffix('/').unwrap_or(root).to_owned();
    for part in path.components() {
        let part = part.as_os_str().to_str().ok_or_else(|| Error::Option {
            option: "source",
            reason: format!(
                "{:?} is not UTF-8, and only tar can carry such names",
                path.display().to_string()
            ),
        })?;
        joined.push('/');
        joined.push_str(part);
    }
    Ok(joined)
}

/// Makes a directory unless it is there.
async fn make(client: &Client, path: &str, mode: u32) -> Result<()> {
    let made = client.send(Request::mkdir(path, mode)).await?.reply().await?;
    if matches!(&made, Reply::Status(status) if status.is_ok()) {
        return Ok(());
    }
    match client.send(Request::stat(path)).await?.reply().await? {
        Reply::Attributes(attributes) if attributes.is_directory() => Ok(()),
        _ => Err(what(path).failed(&made)),
    }
}

/// Makes a directory with its parents.
async fn make_all(client: &Client, path: &str) -> Result<()> {
    if let Reply::Attributes(attributes) = client.send(Request::stat(path)).await?.reply().await?
        && attributes.is_directory()
    {
        return Ok(());
    }
    let ends = path.char_indices().filter(|(at, c)| *c == '/' && *at > 0).map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        let parent = path.get(..end).unwrap_or_default();
        if !parent.is_empty() && !parent.ends_with('/') {
            make(client, parent, 0o755).await?;
        }
    }
    Ok(())
}
