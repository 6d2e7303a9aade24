//! Downloads over SFTP: many reads on the way at once, written in order.

use std::collections::VecDeque;
use std::path::PathBuf;

use bytes::Bytes;
use cap_std::fs::Dir;

use super::packet::{Attributes, Reply, Request};
use super::{Client, Pending, What};
use crate::error::{Error, Result, printable};
use crate::quote::remote_path;
use crate::transfer::flow::{Drain, Meter};
use crate::transfer::tree::Planter;
use crate::transfer::{TransferOptions, Transferred};

/// Reads without an answer yet.
const ON_THE_WAY: usize = 32;

fn what(path: &str) -> What<'_> {
    What { operation: "download of", path }
}

/// Downloads one file.
pub(in crate::transfer) async fn file(
    client: &Client,
    remote: &str,
    sink: std::fs::File,
    options: &TransferOptions,
) -> Result<Transferred> {
    let mut meter = Meter::new(options.progress.clone());
    let mode = read_file(client, &remote_path(remote), sink, options.max_bytes, &mut meter).await?;
    let mut done = Transferred::new("sftp");
    done.bytes = meter.moved;
    done.entries = 1;
    done.mode = mode.map(|mode| mode & 0o7777);
    Ok(done)
}

async fn read_file(
    client: &Client,
    path: &str,
    sink: std::fs::File,
    limit: u64,
    meter: &mut Meter,
) -> Result<Option<u32>> {
    let handle = match client.send(Request::open_read(path)).await?.reply().await? {
        Reply::Handle(handle) => handle,
        reply => return Err(what(path).failed(&reply)),
    };
    let stat = client.send(Request::fstat(&handle)).await?;
    let read = read_pieces(client, &handle, path, sink, limit, meter).await;
    let closed = client.close(&handle).await;
    read?;
    closed?;
    match stat.reply().await? {
        Reply::Attributes(attributes) => Ok(attributes.mode),
        _ => Ok(None),
    }
}

struct Asked {
    pending: Pending,
    offset: u64,
    length: usize,
}

async fn ask(client: &Client, handle: &Bytes, offset: u64, length: usize) -> Result<Asked> {
    let pending = client.send(Request::read(handle, offset, length)).await?;
    Ok(Asked { pending, offset, length })
}

async fn read_pieces(
    client: &Client,
    handle: &Bytes,
    path: &str,
    sink: std::fs::File,
    limit: u64,
    meter: &mut Meter,
) -> Result<()> {
    let mut drain = Drain::new(sink);
    let mut asked: VecDeque<Asked> = VecDeque::new();
    let mut next = 0;
    // Starts with two and grows, so that a small file costs few reads beyond its end.
    let mut window = 2;
    loop {
        while asked.len() < window {
            asked.push_back(ask(client, handle, next, client.read_size).await?);
            next += client.read_size as u64;
        }
        window = (window * 2).min(ON_THE_WAY);
        let Some(Asked { pending, offset, length }) = asked.pop_front() else { break };
        let data = match pending.reply().await? {
            Reply::Data(data) if (1..=length).contains(&data.len()) => data,
            Reply::Data(_) => return Err(Error::protocol("SFTP", "a read of another length than asked for")),
            Reply::Status(status) if status.is_end() => break,
            reply => return Err(what(path).failed(&reply)),
        };
        let got = data.len();
        meter.add(got);
        if meter.moved > limit {
            return Err(Error::TooLarge { what: format!("{path:?}"), limit });
        }
        drain.write(data).await?;
        if got < length {
            // A short read is not the end: ask for the rest before what comes after it.
            asked.push_front(ask(client, handle, offset + got as u64, length - got).await?);
        }
    }
    drain.finish().await
}

/// Downloads the contents of a directory.
pub(in crate::transfer) async fn directory(
    client: &Client,
    remote: &str,
    into: Dir,
    options: &TransferOptions,
) -> Result<Transferred> {
    let root = remote_path(remote);
    let mut planter = Planter::new(into, "SFTP", options.max_entries);
    let mut done = Transferred::new("sftp");
    let mut meter = Meter::new(options.progress.clone());
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        let path = super::upload::join(&root, &directory)?;
        for (name, attributes) in list(client, &path, options.max_entries).await? {
            let local = directory.join(&name);
            if attributes.is_directory() {
                planter.directory(&local, attributes.mode.unwrap_or(0o755))?;
                open.push(local);
            } else if attributes.is_file() {
                let file = planter.file(&local, attributes.mode.unwrap_or(0o644))?.into_std();
                let remote = super::upload::join(&root, &local)?;
                read_file(client, &remote, file, options.max_bytes, &mut meter).await?;
            } else {
                done.skip(local.display().to_string());
                continue;
            }
            done.entries += 1;
        }
    }
    planter.finish()?;
    done.bytes = meter.moved;
    Ok(done)
}

async fn list(client: &Client, path: &str, limit: u64) -> Result<Vec<(String, Attributes)>> {
    let handle = match client.send(Request::opendir(path)).await?.reply().await? {
        Reply::Handle(handle) => handle,
        reply => return Err(what(path).failed(&reply)),
    };
    let mut found = Vec::new();
    loop {
        match client.send(Request::readdir(&handle)).await?.reply().await? {
            Reply::Names(names) => {
                for (name, attributes) in names {
                    if let Some(name) = judge(&name)? {
                        found.push((name, attributes));
                    }
                }
                if found.len() as u64 > limit {
                    return Err(Error::TooLarge { what: format!("the directory {path:?}"), limit });
                }
            }
            Reply::Status(status) if status.is_end() => break,
            reply => return Err(what(path).failed(&reply)),
        }
    }
    client.close(&handle).await?;
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

/// One name of a directory: no path, and never one that leads elsewhere.
fn judge(name: &Bytes) -> Result<Option<String>> {
    if matches!(name.as_ref(), b"." | b"..") {
        return Ok(None);
    }
    let text = std::str::from_utf8(name).ok().filter(|name| {
        let bad = name.is_empty() || name.contains(['/', '\0']);
        !(bad || cfg!(windows) && name.contains(['\\', ':']))
    });
    match text {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Error::protocol("SFTP", format!("the file name {:?}", printable(name, 200)))),
    }
}
