//! An SFTP client (draft-ietf-secsh-filexfer-02, version 3, as OpenSSH speaks it) made for throughput.
//!
//! ```text
//!  callers ──request──► channel ──► server        any number of requests may be on the way;
//!     ▲                                │          answers are matched by number, in any order
//!     └──────── reader task ◄──────────┘
//! ```
//!
//! Main type: [`Client`], on one channel that stays open for the session. Packets are as large as
//! `limits@openssh.com` allows. When the channel ends, everybody who waits is told.

pub(super) mod download;
mod packet;
pub(super) mod upload;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use russh::ChannelMsg;
use tokio::sync::oneshot;

use self::packet::{Fields, Reply, Request, Status};
use crate::error::{Error, Result};
use crate::process::{Process, Stdin};
use crate::session::Session;

/// Largest packet taken from a server; OpenSSH sends at most 256 KiB.
const LARGEST: usize = 512 * 1024;

/// Sizes of reads and writes before a server has told its own limits: what every server takes.
const SMALL: usize = 32 * 1024;

/// Sizes used at most: larger ones gain nothing.
const BIG: usize = 255 * 1024;

/// Servers answer this fast or not at all.
const START: Duration = Duration::from_secs(60);

pub(crate) struct Client {
    stdin: Stdin,
    order: tokio::sync::Mutex<()>,
    waiting: Arc<Waiting>,
    next: AtomicU32,
    pub(super) read_size: usize,
    pub(super) write_size: usize,
    task: tokio::task::AbortHandle,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Waiting {
    requests: Mutex<HashMap<u32, oneshot::Sender<Reply>>>,
    ended: AtomicBool,
}

impl Waiting {
    fn requests(&self) -> std::sync::MutexGuard<'_, HashMap<u32, oneshot::Sender<Reply>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.requests().clear();
    }
}

/// An answer on its way.
pub(super) struct Pending(oneshot::Receiver<Reply>);

impl Pending {
    pub(super) async fn reply(self) -> Result<Reply> {
        self.0.await.map_err(|_| Error::lost("waiting for the SFTP server"))
    }

    /// Waits for a status that says "done".
    pub(super) async fn done(self, what: What<'_>) -> Result<()> {
        match self.reply().await? {
            Reply::Status(status) if status.is_ok() => Ok(()),
            reply => Err(what.failed(&reply)),
        }
    }
}

/// What is being done, for messages.
#[derive(Clone, Copy)]
pub(super) struct What<'a> {
    pub(super) operation: &'static str,
    pub(super) path: &'a str,
}

impl What<'_> {
    pub(super) fn failed(&self, reply: &Reply) -> Error {
        match reply {
            Reply::Status(status) => {
                Error::Remote { operation: self.operation, path: self.path.to_owned(), reason: status.text() }
            }
            _ => Error::protocol("SFTP", "an answer of another kind than asked for"),
        }
    }
}

/// Starts the subsystem; `None` if the server has none.
pub(super) async fn open(session: &Session) -> Result<Option<Client>> {
    let opened = session.open_channel("the SFTP subsystem").await?;
    let mut process = Process::attach(session, opened, None);
    process.subsystem("sftp").await?;
    let starting = async {
        loop {
            match process.next_message().await? {
                Some(ChannelMsg::Success) => break Ok::<bool, Error>(true),
                Some(ChannelMsg::Failure) | None => break Ok(false),
                Some(_) => {}
            }
        }
    };
    let late = || Error::Elapsed { what: "starting SFTP".into(), limit: START };
    if !tokio::time::timeout(START, starting).await.map_err(|_| late())?? {
        return Ok(None);
    }
    tokio::time::timeout(START, negotiate(process)).await.map_err(|_| late())?
}

async fn negotiate(process: Process) -> Result<Option<Client>> {
    let stdin = process.stdin();
    stdin.write(packet::init()).await?;
    let mut reader = Reader { process, buffer: BytesMut::new() };
    // A configured but missing server program ends the channel here.
    let Some(mut version) = reader.packet().await? else { return Ok(None) };
    if version.u8()? != packet::VERSION {
        return Err(Error::protocol("SFTP", "no version packet"));
    }
    let _number = version.u32()?;
    let mut limits = false;
    while !version.is_empty() {
        let (name, _data) = (version.string()?, version.string()?);
        limits |= name.as_ref() == b"limits@openssh.com";
    }
    let waiting = Arc::new(Waiting::default());
    let task = tokio::spawn(reader.run(Arc::clone(&waiting))).abort_handle();
    let mut client = Client {
        stdin,
        order: tokio::sync::Mutex::default(),
        waiting,
        next: AtomicU32::new(1),
        read_size: SMALL,
        write_size: SMALL,
        task,
    };
    if limits
        && let Reply::Extended(mut fields) =
            client.send(Request::extended("limits@openssh.com")).await?.reply().await?
    {
        let (_packet, read, write) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let fit = |limit: u64| match usize::try_from(limit) {
            Ok(0) | Err(_) => SMALL,
            Ok(limit) => limit.clamp(1024, BIG),
        };
        client.read_size = fit(read);
        client.write_size = fit(write);
    }
    Ok(Some(client))
}

impl Client {
    pub(super) fn is_alive(&self) -> bool {
        !self.waiting.ended.load(Ordering::SeqCst)
    }

    /// Sends a request; the answer is waited for separately, so that many can be on the way.
    pub(super) async fn send(&self, request: Request) -> Result<Pending> {
        self.send_with(request, None).await
    }

    /// As [`Client::send`], with content after the request's own fields, which is not copied.
    pub(super) async fn send_with(&self, request: Request, content: Option<Bytes>) -> Result<Pending> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, pending) = oneshot::channel();
        self.waiting.requests().insert(id, answer);
        if !self.is_alive() {
            self.waiting.end();
        }
        let head = request.encode(id, content.as_ref().map_or(0, Bytes::len));
        let _whole = self.order.lock().await;
        self.stdin.write(head).await?;
        if let Some(content) = content {
            self.stdin.write(content).await?;
        }
        Ok(Pending(pending))
    }

    pub(super) async fn close(&self, handle: &Bytes) -> Result<()> {
        self.send(Request::close(handle)).await?.reply().await.map(|_| ())
    }
}

/// Cuts what the channel brings into packets.
struct Reader {
    process: Process,
    buffer: BytesMut,
}

impl Reader {
    async fn run(mut self, waiting: Arc<Waiting>) {
        loop {
            let answer = match self.packet().await {
                Ok(Some(fields)) => packet::reply(fields),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            match answer {
                Ok((id, reply)) => {
                    if let Some(asked) = waiting.requests().remove(&id) {
                        let _ = asked.send(reply);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "SFTP ended");
                    break;
                }
            }
        }
        waiting.end();
    }

    /// The next packet without its length.
    async fn packet(&mut self) -> Result<Option<Fields>> {
        loop {
            if let Some(head) = self.buffer.first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
                if !(1..=LARGEST).contains(&length) {
                    return Err(Error::protocol("SFTP", format!("a packet of {length} bytes")));
                }
                if self.buffer.len() >= length + 4 {
                    let mut packet = self.buffer.split_to(length + 4).freeze();
                    return Ok(Some(Fields(packet.split_off(4))));
                }
                self.buffer.reserve(length + 4 - self.buffer.len());
            }
            match self.process.next_message().await? {
                Some(ChannelMsg::Data { data }) => self.buffer.extend_from_slice(&data),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }
}

impl Status {
    pub(super) fn text(&self) -> String {
        let known = match self.code {
            2 => "no such file or directory",
            3 => "permission denied",
            8 => "not supported",
            _ => "",
        };
        match (known, self.message.as_str()) {
            ("", "") => format!("SFTP status {}", self.code),
            ("", message) => message.to_owned(),
            (known, _) => known.to_owned(),
        }
    }
}
