//! Bodies with clocks: a response that may not pause for ever, and a request that says when it last moved.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep};

use super::EgressError;

/// A response's body. Fails with [`EgressError::Timeout`] when the peer pauses longer than the idle limit. Dropping it
/// ends the connection.
pub struct ResponseBody {
    incoming: Incoming,
    host: String,
    idle: Duration,
    alarm: Pin<Box<Sleep>>,
    connection: AbortHandle,
}

impl ResponseBody {
    pub(crate) fn new(incoming: Incoming, host: String, idle: Duration, connection: AbortHandle) -> Self {
        Self { incoming, host, idle, alarm: Box::pin(tokio::time::sleep(idle)), connection }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.alarm.as_mut().reset(Instant::now() + this.idle);
                Poll::Ready(
                    frame.map(|f| f.map_err(|source| EgressError::Http { host: this.host.clone(), source })),
                )
            }
            Poll::Pending => {
                ready!(this.alarm.as_mut().poll(cx));
                Poll::Ready(Some(Err(EgressError::Timeout {
                    host: this.host.clone(),
                    phase: "send more",
                    limit: this.idle,
                })))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// When the request's body last gave something to send.
#[derive(Clone)]
pub(crate) struct LastMoved(Arc<Mutex<Instant>>);

impl LastMoved {
    pub(crate) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub(crate) fn at(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// A request's body that marks each piece taken from it, so that a long upload is not mistaken for a silent server.
pub(crate) struct Watched<B> {
    body: Pin<Box<B>>,
    moved: LastMoved,
}

impl<B> Watched<B> {
    pub(crate) fn new(body: B, moved: LastMoved) -> Self {
        Self { body: Box::pin(body), moved }
    }
}

impl<B: Body> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.get_mut();
        let polled = this.body.as_mut().poll_frame(cx);
        if polled.is_ready() {
            this.moved.mark();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
