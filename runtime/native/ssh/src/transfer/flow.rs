//! Streams between blocking files and the network: bounded queues of buffers that are handed over, never copied.
//!
//! [`feed`] reads a source, [`Drain`] writes a file, [`Inflow`] reads what a command prints, [`QueueWriter`] and
//! [`QueueReader`] are the blocking ends for code that wants `std::io`.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Content, Progress};
use crate::error::{Error, Result, printable};
use crate::process::{ExitStatus, Output, Process, Stdin};

/// Buffers that wait in a queue.
const QUEUE: usize = 8;

/// Most bytes of a machine's error messages that are kept.
const STDERR: usize = 4096;

/// Most bytes that a command may print after the end of a transfer.
const CHATTER: usize = 1024 * 1024;

/// Reads `size` bytes of `content` in pieces of `piece` bytes; only the last is shorter.
pub(super) fn feed(content: Content, size: u64, piece: usize) -> mpsc::Receiver<io::Result<Bytes>> {
    let (send, receive) = mpsc::channel(QUEUE);
    match content {
        Content::File(mut file) => {
            tokio::task::spawn_blocking(move || {
                if let Err(error) = rewind(&mut file).and_then(|()| read_file(&mut file, size, piece, &send))
                {
                    let _ = send.blocking_send(Err(error));
                }
            });
        }
        Content::Bytes(bytes) => {
            tokio::spawn(async move {
                if let Err(error) = read_stream(Box::new(io::Cursor::new(bytes)), size, piece, &send).await {
                    let _ = send.send(Err(error)).await;
                }
            });
        }
        Content::Reader(reader) => {
            tokio::spawn(async move {
                if let Err(error) = read_stream(reader, size, piece, &send).await {
                    let _ = send.send(Err(error)).await;
                }
            });
        }
    }
    receive
}

fn rewind(file: &mut std::fs::File) -> io::Result<()> {
    io::Seek::rewind(file)
}

fn shrank() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it is shorter than it said")
}

/// Reads exactly `wanted` bytes into a new buffer.
pub(super) fn read_piece(file: &mut impl Read, wanted: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; wanted];
    file.read_exact(&mut buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => shrank(),
        _ => error,
    })?;
    Ok(buffer.into())
}

fn read_file(
    file: &mut std::fs::File,
    size: u64,
    piece: usize,
    to: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let mut left = size;
    while left > 0 {
        let data = read_piece(file, usize::try_from(left).unwrap_or(usize::MAX).min(piece))?;
        left -= data.len() as u64;
        if to.blocking_send(Ok(data)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn read_stream(
    mut reader: Box<dyn AsyncRead + Send + Unpin>,
    size: u64,
    piece: usize,
    to: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let mut left = size;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(piece);
        let mut data = BytesMut::with_capacity(wanted);
        while data.len() < wanted {
            let mut limited = (&mut reader).take((wanted - data.len()) as u64);
            if limited.read_buf(&mut data).await? == 0 {
                return Err(shrank());
            }
        }
        left -= data.len() as u64;
        if to.send(Ok(data.freeze())).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Writes buffers to a file on a thread that may block.
pub(super) struct Drain {
    send: mpsc::Sender<Bytes>,
    thread: JoinHandle<io::Result<()>>,
}

impl Drain {
    pub(super) fn new(mut file: std::fs::File) -> Self {
        let (send, mut receive) = mpsc::channel::<Bytes>(QUEUE);
        let thread = tokio::task::spawn_blocking(move || {
            while let Some(data) = receive.blocking_recv() {
                file.write_all(&data)?;
            }
            file.flush()
        });
        Self { send, thread }
    }

    pub(super) async fn write(&mut self, data: Bytes) -> Result<()> {
        if self.send.send(data).await.is_ok() {
            return Ok(());
        }
        let ended = (&mut self.thread).await.map_err(io::Error::other);
        let error =
            ended.and_then(|result| result).err().unwrap_or_else(|| io::Error::other("writing stopped"));
        Err(Error::local("cannot write the downloaded file", error))
    }

    pub(super) async fn finish(self) -> Result<()> {
        drop(self.send);
        let ended = self.thread.await.map_err(io::Error::other).and_then(|result| result);
        ended.map_err(|error| Error::local("cannot write the downloaded file", error))
    }
}

/// Counts what was moved and tells the caller.
#[derive(Clone)]
pub(super) struct Meter {
    progress: Option<Progress>,
    pub(super) moved: u64,
}

impl Meter {
    pub(super) fn new(progress: Option<Progress>) -> Self {
        Self { progress, moved: 0 }
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.moved += bytes as u64;
        if let Some(progress) = &self.progress {
            progress(self.moved);
        }
    }
}

/// A command's standard output as a buffered stream; its standard error is kept for messages.
pub(super) struct Inflow {
    process: Process,
    buffer: BytesMut,
    stderr: Vec<u8>,
}

impl Inflow {
    pub(super) fn new(process: Process) -> Self {
        Self { process, buffer: BytesMut::new(), stderr: Vec::new() }
    }

    pub(super) fn stdin(&self) -> Stdin {
        self.process.stdin()
    }

    /// The next bytes of standard output, whatever their number; `None` at the end.
    pub(super) async fn some(&mut self) -> Result<Option<Bytes>> {
        if !self.buffer.is_empty() {
            return Ok(Some(self.buffer.split().freeze()));
        }
        while let Some(output) = self.process.next_output().await? {
            match output {
                Output::Stdout(data) => return Ok(Some(data)),
                Output::Stderr(data) => {
                    let room = STDERR.saturating_sub(self.stderr.len()).min(data.len());
                    self.stderr.extend_from_slice(data.get(..room).unwrap_or_default());
                }
            }
        }
        Ok(None)
    }

    /// As [`Inflow::some`], at most `limit` bytes.
    pub(super) async fn at_most(&mut self, limit: u64) -> Result<Option<Bytes>> {
        let Some(mut data) = self.some().await? else { return Ok(None) };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if data.len() > limit {
            let rest = data.split_off(limit);
            self.buffer.extend_from_slice(&rest);
        }
        Ok(Some(data))
    }

    /// The next byte.
    pub(super) async fn byte(&mut self) -> Result<Option<u8>> {
        Ok(self.at_most(1).await?.and_then(|data| data.first().copied()))
    }

    /// A line without its end, of at most `limit` bytes.
    pub(super) async fn line(&mut self, limit: usize) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            let Some(data) = self.some().await? else { return Ok(None) };
            match data.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    line.extend_from_slice(data.get(..end).unwrap_or_default());
                    self.buffer.extend_from_slice(data.get(end + 1..).unwrap_or_default());
                }
                None => line.extend_from_slice(&data),
            }
            if line.len() > limit {
                return Err(Error::protocol("scp", "a line without end"));
            }
            if data.contains(&b'\n') {
                return Ok(Some(line));
            }
        }
    }

    /// Waits for the end of a command that should have nothing more to say.
    pub(super) async fn status(&mut self) -> Result<ExitStatus> {
        let mut unread = 0;
        while let Some(data) = self.some().await? {
            unread += data.len();
            if unread > CHATTER {
                return Err(Error::protocol("transfer", "output without end"));
            }
        }
        self.process.wait().await
    }

    /// What the command complained about.
    pub(super) fn complaint(&self) -> String {
        printable(&self.stderr, 500)
    }

    /// The error of a command that ended with `status`.
    pub(super) fn failure(&self, operation: &'static str, path: &str, status: &ExitStatus) -> Error {
        if *status == ExitStatus::Disconnected {
            return Error::lost(format!("transferring {path:?}"));
        }
        let complaint = self.complaint();
        let reason =
            if complaint.is_empty() { format!("the command ended with {status:?}") } else { complaint };
        Error::Remote { operation, path: path.to_owned(), reason }
    }
}

/// The blocking end of a queue: bytes written here are received at the other end in pieces.
pub(super) struct QueueWriter {
    to: mpsc::Sender<Bytes>,
    piece: BytesMut,
    size: usize,
}

impl QueueWriter {
    pub(super) fn new(size: usize) -> (Self, mpsc::Receiver<Bytes>) {
        let (to, from) = mpsc::channel(QUEUE);
        (Self { to, piece: BytesMut::with_capacity(size), size }, from)
    }
}

impl Write for QueueWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(data);
        if self.piece.len() >= self.size {
            self.flush()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.piece, BytesMut::with_capacity(self.size));
        self.to
            .blocking_send(full.freeze())
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the transfer ended"))
    }
}

/// The blocking end of a queue to read from.
pub(super) struct QueueReader {
    from: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl QueueReader {
    pub(super) fn new() -> (mpsc::Sender<Bytes>, Self) {
        let (to, from) = mpsc::channel(QUEUE * 4);
        (to, Self { from, piece: Bytes::new() })
    }
}

impl Read for QueueReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            match self.from.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let take = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(buffer.get_mut(..take).unwrap_or_default());
        Ok(take)
    }
}
