//! A response body that reads a file piece by piece: [`FileBody`]. Invariant: it yields exactly the
//! length it was made with, or an error.

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncReadExt;
use tokio::io::Take;

const PIECE: usize = 64 * 1024;

/// Bytes in memory, or a part of a file.
#[derive(Debug)]
pub(super) enum FileBody {
    Memory(Option<Bytes>),
    File { file: Take<tokio::fs::File>, left: u64 },
}

impl FileBody {
    pub(super) fn memory(bytes: impl Into<Bytes>) -> Self {
        Self::Memory(Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty()))
    }

    /// The file must stand where reading begins.
    pub(super) fn file(file: tokio::fs::File, length: u64) -> Self {
        Self::File { file: file.take(length), left: length }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Memory(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::File { left: 0, .. } => Poll::Ready(None),
            Self::File { file, left } => {
                let mut piece = BytesMut::with_capacity(PIECE);
                let count = ready!(tokio_util::io::poll_read_buf(Pin::new(file), context, &mut piece))?;
                if count == 0 {
                    return Poll::Ready(Some(Err(io::Error::other("the file became shorter"))));
                }
                *left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
                Poll::Ready(Some(Ok(Frame::data(piece.freeze()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Memory(None) | Self::File { left: 0, .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Memory(bytes) => SizeHint::with_exact(
                bytes.as_ref().map_or(0, |it| u64::try_from(it.len()).unwrap_or(u64::MAX)),
            ),
            Self::File { left, .. } => SizeHint::with_exact(*left),
        }
    }
}
