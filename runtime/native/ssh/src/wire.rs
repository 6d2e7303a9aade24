//! The byte stream under a connection: reads the server's banner, then watches the stream for the SSH library.
//!
//! Main type: [`Watched`]. Invariants: reading a banner takes at most [`BANNER_LIMIT`] bytes; a write that the peer does
//! not take for the stall limit fails (the library itself would wait for ever, and send no keep-alive meanwhile); a
//! cancelled `stop` token ends reading, so that no task outlives its connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::dial::BoxedStream;
use crate::error::printable;

/// RFC 4253, 4.2: a version line has at most 255 bytes; lines before it are allowed and rare.
const BANNER_LIMIT: usize = 16 * 1024;

/// One read from the socket serves many small reads of the library (it reads each packet's length alone).
const READ_AHEAD: usize = 256 * 1024;

/// A stream whose server has introduced itself.
pub(crate) struct Greeted {
    pub(crate) stream: BoxedStream,
    /// What was read, from `SSH-` on.
    pub(crate) prefix: BytesMut,
    /// The version line, printable.
    pub(crate) server: String,
}

/// Reads until the version line is complete.
pub(crate) async fn read_banner(mut stream: BoxedStream) -> io::Result<Greeted> {
    let mut seen = BytesMut::with_capacity(1024);
    loop {
        while let Some(end) = seen.iter().position(|byte| *byte == b'\n') {
            if seen.starts_with(b"SSH-") {
                let line = seen.get(..end).unwrap_or_default();
                if !line.starts_with(b"SSH-2.0-") && !line.starts_with(b"SSH-1.99-") {
                    let line = printable(line, 80);
                    return Err(io::Error::new(
                        io::ErrorKind::Unsupported,
                        format!("the server only speaks SSH 1 ({line})"),
                    ));
                }
                let server = printable(line, 255);
                return Ok(Greeted { stream, prefix: seen, server });
            }
            seen.advance(end + 1);
        }
        if seen.len() > BANNER_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no SSH banner in what the server sends"));
        }
        if stream.read_buf(&mut seen).await? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection was closed before an SSH banner came",
            ));
        }
    }
}

/// See the module's text.
pub(crate) struct Watched {
    inner: BoxedStream,
    ahead: BytesMut,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    stall: Option<Duration>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(crate) fn new(greeted: Greeted, stop: CancellationToken, stall: Option<Duration>) -> Self {
        Self {
            inner: greeted.stream,
            ahead: greeted.prefix,
            stop: Box::pin(stop.cancelled_owned()),
            stall,
            stalled: None,
        }
    }

    fn check_stall(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(limit) = self.stall else { return Ok(()) };
        let sleep =
            self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        match sleep.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("the machine took no data for {} s", limit.as_secs_f64()),
            )),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "closed here")));
        }
        let this = &mut *self;
        if this.ahead.is_empty() {
            if buf.remaining() >= READ_AHEAD {
                return Pin::new(&mut this.inner).poll_read(cx, buf);
            }
            this.ahead.reserve(READ_AHEAD);
            let read = tokio_util::io::poll_read_buf(Pin::new(&mut this.inner), cx, &mut this.ahead);
            if ready!(read)? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let take = this.ahead.len().min(buf.remaining());
        buf.put_slice(&this.ahead.split_to(take));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write(cx, buf) {
            Poll::Ready(done) => {
                self.stalled = None;
                Poll::Ready(done)
            }
            Poll::Pending => match self.check_stall(cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
