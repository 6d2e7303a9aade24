//! One file through `cat` on the machine: needs nothing but a POSIX shell.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::flow::{Drain, Inflow, Meter, feed};
use super::{FileSource, TransferOptions, Transferred};
use crate::error::{Error, Result};
use crate::process::{ExecOptions, ExitStatus, Input, Stdin};
use crate::quote::{quote, remote_path};
use crate::session::Session;

/// Read from files and given to the connection at a time.
pub(super) const PIECE: usize = 256 * 1024;

/// The machine prints this line when its shell understood the command.
const READY: &str = "kiln-cat-ready";

/// `None`: the machine has no POSIX shell; the source is untouched.
pub(super) async fn upload(
    session: &Session,
    source: &mut Option<FileSource>,
    remote: &str,
    options: &TransferOptions,
) -> Result<Option<Transferred>> {
    let Some(mode) = source.as_ref().map(|source| source.mode & 0o7777) else { return Ok(None) };
    let path = quote(&remote_path(remote));
    // The mode is set before the content: a secret is never readable by others in between.
    let command = format!("umask 077; echo {READY}; : >> {path} && chmod {mode:o} {path} && cat > {path}");
    let run = ExecOptions { stdin: Input::Manual, pty: Some(false), ..ExecOptions::default() };
    let mut flow = Inflow::new(session.exec(&command, run).await?);
    if flow.line(4096).await?.as_deref() != Some(READY.as_bytes()) {
        return match flow.status().await? {
            status @ ExitStatus::Disconnected => Err(flow.failure("upload to", remote, &status)),
            _ => Ok(None),
        };
    }
    let Some(source) = source.take() else { return Ok(None) };
    let mut done = Transferred::new("cat");
    let mut meter = Meter::new(options.progress.clone());
    let stdin = flow.stdin();
    let pieces = feed(source.content, source.size, PIECE);
    let sent = async {
        let sent = send_all(&stdin, pieces, &mut meter).await;
        stdin.close().await.and(sent)
    };
    let (sent, status) = both(sent, &mut flow).await?;
    if !status.success() {
        return Err(flow.failure("upload to", remote, &status));
    }
    sent?;
    done.bytes = meter.moved;
    done.entries = 1;
    Ok(Some(done))
}

/// Sends and listens at the same time. When the command ends first, sending ends too.
pub(super) async fn both(
    sent: impl Future<Output = Result<()>>,
    flow: &mut Inflow,
) -> Result<(Result<()>, ExitStatus)> {
    let (sent, status) = tokio::join!(sent, flow.status());
    Ok((sent, status?))
}

async fn send_all(
    stdin: &Stdin,
    mut pieces: mpsc::Receiver<std::io::Result<Bytes>>,
    meter: &mut Meter,
) -> Result<()> {
    while let Some(piece) = pieces.recv().await {
        let piece = piece.map_err(|error| Error::local("cannot read the uploaded file", error))?;
        let size = piece.len();
        stdin.write(piece).await?;
        meter.add(size);
    }
    Ok(())
}

pub(super) async fn download(
    session: &Session,
    remote: &str,
    sink: std::fs::File,
    options: &TransferOptions,
) -> Result<Transferred> {
    let command = format!("cat {}", quote(&remote_path(remote)));
    let run = ExecOptions { pty: Some(false), ..ExecOptions::default() };
    let mut flow = Inflow::new(session.exec(&command, run).await?);
    let mut drain = Drain::new(sink);
    let mut meter = Meter::new(options.progress.clone());
    while let Some(data) = flow.some().await? {
        meter.add(data.len());
        if meter.moved > options.max_bytes {
            return Err(Error::TooLarge { what: format!("{remote:?}"), limit: options.max_bytes });
        }
        drain.write(data).await?;
    }
    let status = flow.status().await?;
    if !status.success() {
        return Err(flow.failure("download of", remote, &status));
    }
    drain.finish().await?;
    let mut done = Transferred::new("cat");
    done.bytes = meter.moved;
    done.entries = 1;
    Ok(done)
}
