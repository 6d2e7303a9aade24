//! Which way is taken: the configured one first, then the others that the machine offers, best first.
//!
//! | | file | directory |
//! |---|---|---|
//! | automatic | SFTP, scp, cat | tar, SFTP, scp |
//! | automatic, large | cat, SFTP, scp | |
//!
//! A large file gains more from one unanswered stream than the extra command costs.
//! A way that the machine lacks is skipped before any content is sent; an error after that is final.

use std::sync::Arc;

use cap_std::fs::Dir;

use super::{FileSource, Method, TransferOptions, Transferred, scp, sftp, stream, tarball};
use crate::error::{Error, Result};
use crate::session::Session;

/// From this size on (bytes) an upload is large.
const LARGE: u64 = 16 << 20;

fn for_files(method: Method, size: u64) -> [Method; 3] {
    match method {
        Method::Auto if size >= LARGE => [Method::Stream, Method::Sftp, Method::Scp],
        Method::Auto | Method::Sftp => [Method::Sftp, Method::Scp, Method::Stream],
        Method::Scp => [Method::Scp, Method::Sftp, Method::Stream],
        Method::Stream => [Method::Stream, Method::Sftp, Method::Scp],
    }
}

fn for_directories(method: Method) -> [Method; 3] {
    match method {
        Method::Auto | Method::Stream => [Method::Stream, Method::Sftp, Method::Scp],
        Method::Sftp => [Method::Sftp, Method::Stream, Method::Scp],
        Method::Scp => [Method::Scp, Method::Stream, Method::Sftp],
    }
}

fn none_left(operation: &'static str, remote: &str) -> Error {
    Error::Remote {
        operation,
        path: remote.to_owned(),
        reason: "the machine offers no SFTP, scp or tar; install one of them".into(),
    }
}

/// The session's SFTP channel, opened when it is first needed.
async fn client(session: &Session) -> Result<Option<Arc<sftp::Client>>> {
    // A lost connection is noticed and forgotten here, with what was known about the machine.
    session.connection().await?;
    let mut guest = session.0.guest.lock().await;
    if let Some(client) = guest.sftp.as_ref().filter(|client| client.is_alive()) {
        return Ok(Some(Arc::clone(client)));
    }
    if guest.no_sftp {
        return Ok(None);
    }
    guest.sftp = None;
    drop(guest);
    let opened = sftp::open(session).await?.map(Arc::new);
    let mut guest = session.0.guest.lock().await;
    guest.no_sftp = opened.is_none();
    guest.sftp.clone_from(&opened);
    Ok(opened)
}

pub(super) async fn upload(
    session: &Session,
    source: FileSource,
    remote: &str,
    options: &TransferOptions,
) -> Result<Transferred> {
    let size = source.size;
    let mut source = Some(source);
    for method in for_files(options.method, size) {
        let done = match method {
            Method::Sftp | Method::Auto => match (client(session).await?, source.take()) {
                (Some(client), Some(source)) => {
                    Some(sftp::upload::file(&client, source, remote, options).await?)
                }
                (_, kept) => {
                    source = kept;
                    None
                }
            },
            Method::Scp => scp::upload(session, &mut source, remote, options).await?,
            Method::Stream => stream::upload(session, &mut source, remote, options).await?,
        };
        if let Some(done) = done {
            return Ok(done);
        }
    }
    Err(none_left("upload to", remote))
}

pub(super) async fn upload_directory(
    session: &Session,
    dir: Dir,
    remote: &str,
    options: &TransferOptions,
) -> Result<Transferred> {
    for method in for_directories(options.method) {
        let done = match method {
            Method::Stream | Method::Auto => tarball::upload(session, &dir, remote, options).await?,
            Method::Sftp => match client(session).await? {
                Some(client) => Some(sftp::upload::directory(&client, &dir, remote, options).await?),
                None => None,
            },
            Method::Scp => scp::upload_directory(session, &dir, remote, options).await?,
        };
        if let Some(done) = done {
            return Ok(done);
        }
    }
    Err(none_left("upload to", remote))
}

pub(super) async fn download(
    session: &Session,
    remote: &str,
    sink: std::fs::File,
    options: &TransferOptions,
) -> Result<Transferred> {
    for method in for_files(options.method, 0) {
        let clone = || sink.try_clone().map_err(|error| Error::local("cannot use the download file", error));
        let done = match method {
            Method::Sftp | Method::Auto => match client(session).await? {
                Some(client) => Some(sftp::download::file(&client, remote, clone()?, options).await?),
                None => None,
            },
            Method::Scp => scp::download(session, remote, &sink, options).await?,
            Method::Stream => Some(stream::download(session, remote, clone()?, options).await?),
        };
        if let Some(done) = done {
            return Ok(done);
        }
    }
    Err(none_left("download of", remote))
}

pub(super) async fn download_directory(
    session: &Session,
    remote: &str,
    into: Dir,
    options: &TransferOptions,
) -> Result<Transferred> {
    let clone = || into.try_clone().map_err(|error| Error::local("cannot use the download directory", error));
    for method in for_directories(options.method) {
        let done = match method {
            Method::Stream | Method::Auto => tarball::download(session, remote, &into, options).await?,
            Method::Sftp => match client(session).await? {
                Some(client) => Some(sftp::download::directory(&client, remote, clone()?, options).await?),
                None => None,
            },
            Method::Scp => scp::download_directory(session, remote, &into, options).await?,
        };
        if let Some(done) = done {
            return Ok(done);
        }
    }
    Err(none_left("download of", remote))
}
