//! Bodies of requests and answers on their way: secrets in place, or sealed again; counted and
//! hashed for the trace.
//!
//! Invariant: no token leaves half replaced, whatever pieces a body comes in.

use crate::capability::Call;
use crate::secrets::Replacing;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use kiln_content::egress::{EgressError, ResponseBody};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use wasmtime_wasi_http::{Error, WasiBody};

/// A body of at most so many bytes is read before it is sent, so that its length is known although
/// secrets are longer or shorter than their tokens.
const WHOLE: usize = 1 << 20;

/// A request's body with secrets in place.
pub(super) struct Asked {
    ready: VecDeque<Frame<Bytes>>,
    /// What was not read yet.
    rest: Option<WasiBody>,
    /// Whether there was more than is read before it is sent.
    is_long: bool,
    replacing: Replacing,
    /// The length was told already: a secret would change it.
    is_declared: bool,
    moved: Arc<AtomicU64>,
}

impl Asked {
    /// Reads the whole, or the beginning of what is too long.
    pub(super) async fn read(
        mut body: WasiBody,
        replacing: Replacing,
        is_declared: bool,
    ) -> Result<Self, Error> {
        let mut asked = Self {
            ready: VecDeque::new(),
            rest: None,
            is_long: false,
            replacing,
            is_declared,
            moved: Arc::default(),
        };
        let mut size = 0;
        while size <= WHOLE {
            let Some(frame) = body.frame().await.transpose()? else {
                asked.end();
                return Ok(asked);
            };
            size += frame.data_ref().map_or(0, Bytes::len);
            asked.take(frame);
        }
        asked.rest = Some(body);
        asked.is_long = true;
        Ok(asked)
    }

    /// Its length, if all of it was read.
    pub(super) fn length(&self) -> Option<u64> {
        self.size_hint().exact()
    }

    /// The bytes moved so far, of the answer too.
    pub(super) fn moved(&self) -> Arc<AtomicU64> {
        self.moved.clone()
    }

    /// Which of so many secrets it carries; of what was not read yet nothing is known, so all.
    pub(super) fn carries(&self, secrets: usize) -> Vec<usize> {
        match self.rest {
            Some(_) => Range { start: 0, end: secrets }.collect(),
            None => self.replacing.found().iter().copied().collect(),
        }
    }

    fn take(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => {
                let out = self.replacing.push(&data);
                self.put(out);
            }
            Err(trailers) => {
                self.end();
                self.ready.push_back(trailers);
            }
        }
    }

    fn end(&mut self) {
        let out = self.replacing.finish();
        self.put(out);
    }

    fn put(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.moved.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            self.ready.push_back(Frame::data(bytes.into()));
        }
    }
}

impl Body for Asked {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        loop {
            if this.is_long && this.is_declared && !this.replacing.found().is_empty() {
                let why = "a secret in a body of more than 1 MiB needs a request without content-length";
                return Poll::Ready(Some(Err(Error::InternalError(Some(why.to_owned())))));
            }
            if let Some(frame) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            let Some(rest) = &mut this.rest else { return Poll::Ready(None) };
            match ready!(Pin::new(rest).poll_frame(cx)).transpose()? {
                Some(frame) => this.take(frame),
                None => {
                    this.rest = None;
                    this.end();
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.rest {
            Some(_) => SizeHint::default(),
            None => {
                let sizes = self.ready.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64);
                SizeHint::with_exact(sizes.sum())
            }
        }
    }
}

/// An answer's body with what the request carried sealed. The call ends with it.
pub(super) struct Answer {
    body: ResponseBody,
    ready: VecDeque<Frame<Bytes>>,
    sealing: Replacing,
    call: Call,
    moved: Arc<AtomicU64>,
    hash: Sha256,
    is_whole: bool,
}

impl Answer {
    pub(super) fn new(body: ResponseBody, sealing: Replacing, call: Call, moved: Arc<AtomicU64>) -> Self {
        let (ready, hash) = (VecDeque::new(), Sha256::new());
        Self { body, ready, sealing, call, moved, hash, is_whole: false }
    }

    fn put(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.ready.push_back(Frame::data(bytes.into()));
        }
    }

    fn take(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => {
                self.moved.fetch_add(data.len() as u64, Ordering::Relaxed);
                if self.call.is_traced() {
                    self.hash.update(&data);
                }
                let out = self.sealing.push(&data);
                self.put(out);
            }
            Err(trailers) => {
                let out = self.sealing.finish();
                self.put(out);
                self.ready.push_back(trailers);
            }
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        loop {
            if let Some(frame) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if this.is_whole {
                return Poll::Ready(None);
            }
            let frame: Option<Result<_, EgressError>> = ready!(Pin::new(&mut this.body).poll_frame(cx));
            match frame.transpose() {
                Ok(Some(frame)) => this.take(frame),
                Ok(None) => {
                    this.is_whole = true;
                    let out = this.sealing.finish();
                    this.put(out);
                }
                Err(error) => {
                    this.call.ended_by(super::egress_code(&error));
                    return Poll::Ready(Some(Err(super::to_wasi(&error))));
                }
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.call.bytes(self.moved.load(Ordering::Relaxed));
        if self.is_whole && self.call.is_traced() {
            self.call.digest(&kiln_content::digest::hex(&std::mem::take(&mut self.hash).finalize()));
        }
    }
}
