//! One command on the machine: its output as it comes, its input, its end.
//!
//! Main type: [`Process`]. Invariants: output of one command arrives in the order in which the server sent it, standard
//! output and error together; at most a fixed number of packets wait unread (then the whole connection is held back, so
//! read what you start); a lost connection is a status of its own, never an exit code.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::quote::quote;
use crate::session::{Opened, Session};

/// How to run a command.
#[derive(Default)]
pub struct ExecOptions {
    /// Set by an `export` in front of the command, because servers refuse most variables sent the other way. POSIX
    /// shells only; names are letters, digits and `_`.
    pub env: Vec<(String, String)>,
    /// Where standard input comes from.
    pub stdin: Input,
    /// Whether to ask for a terminal; `None`: as the session's options say.
    pub pty: Option<bool>,
    /// The command is killed after this time, and the waiting call fails with [`Error::Elapsed`].
    pub timeout: Option<Duration>,
}

/// A command's standard input.
#[derive(Default)]
pub enum Input {
    /// Empty.
    #[default]
    Null,
    /// Written by the caller through [`Process::stdin`].
    Manual,
    /// These bytes, then the end.
    Bytes(Bytes),
    /// Everything from this reader, then the end.
    Reader(Box<dyn AsyncRead + Send + Unpin>),
}

/// A piece of output, at most one packet long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// From standard output.
    Stdout(Bytes),
    /// From standard error.
    Stderr(Bytes),
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitStatus {
    /// With this code.
    Code(u32),
    /// By a signal, named without `SIG`.
    Signal(String),
    /// Unknown: the channel or connection ended without a status (the machine rebooted, sshd was killed).
    Disconnected,
}

impl ExitStatus {
    /// Whether it ended with code 0.
    pub fn success(&self) -> bool {
        *self == Self::Code(0)
    }
}

/// Signals that servers pass on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Signal {
    Hangup,
    Interrupt,
    Kill,
    Quit,
    Terminate,
}

/// See the module's text. Dropping it closes the channel; the server then hangs the command up. It does not keep its
/// session open.
pub struct Process {
    read: ChannelReadHalf,
    stdin: Stdin,
    /// Ends this process's waiting calls: the session was closed or dropped …
    closed: CancellationToken,
    /// … or, if this one is cancelled too, its owner cancelled everything.
    cancelled: CancellationToken,
    connection: Arc<Connection>,
    permit: Option<OwnedSemaphorePermit>,
    status: Option<ExitStatus>,
    ended: bool,
    deadline: Option<(Instant, Duration)>,
}

/// Writes to a command's standard input; clones write to the same one.
#[derive(Clone)]
pub struct Stdin {
    write: Arc<ChannelWriteHalf<Msg>>,
    dead: CancellationToken,
    /// Cancelled when the channel is closed.
    closed: CancellationToken,
}

impl Stdin {
    /// Sends `data`, waiting while the machine does not take it.
    ///
    /// # Errors
    /// [`Error::Disconnected`] if the command or the connection ended first.
    pub async fn write(&self, data: Bytes) -> Result<()> {
        let gone = || Error::lost("writing to a command's standard input");
        tokio::select! {
            sent = self.write.data_bytes(data) => sent.map_err(|_| gone()),
            () = self.closed.cancelled() => Err(gone()),
            () = self.dead.cancelled() => Err(gone()),
        }
    }

    /// Ends the input.
    ///
    /// # Errors
    /// [`Error::Disconnected`] if the connection ended first.
    pub async fn close(&self) -> Result<()> {
        self.write.eof().await.map_err(|_| Error::lost("closing a command's standard input"))
    }

    async fn copy(self, mut reader: Box<dyn AsyncRead + Send + Unpin>) {
        loop {
            let mut chunk = BytesMut::with_capacity(64 * 1024);
            match reader.read_buf(&mut chunk).await {
                Ok(1..) => {
                    if self.write(chunk.freeze()).await.is_err() {
                        return;
                    }
                }
                Ok(0) => break,
                Err(error) => {
                    tracing::warn!(%error, "reading a command's input failed");
                    break;
                }
            }
        }
        let _ = self.close().await;
    }
}

impl Process {
    pub(crate) async fn start(
        session: &Session,
        opened: Opened,
        command: &str,
        options: ExecOptions,
    ) -> Result<Self> {
        let command = with_env(command, &options.env)?;
        let mut process = Self::attach(session, opened, options.timeout);
        let write = Arc::clone(&process.stdin.write);
        let lost = |_| Error::lost("starting a command");
        if options.pty.unwrap_or(session.0.options.pty) {
            write.request_pty(false, "xterm", 80, 40, 0, 0, &[]).await.map_err(lost)?;
        }
        if session.0.options.forward_agent.is_some() {
            write.agent_forward(false).await.map_err(lost)?;
        }
        write.exec(true, command.into_bytes()).await.map_err(lost)?;
        process.feed(options.stdin).await?;
        Ok(process)
    }

    /// A channel as a process, before anything was asked for on it.
    pub(crate) fn attach(session: &Session, opened: Opened, timeout: Option<Duration>) -> Self {
        let (read, write) = opened.channel.split();
        let stdin = Stdin {
            write: Arc::new(write),
            dead: opened.connection.dead.clone(),
            closed: session.0.closed.child_token(),
        };
        Self {
            read,
            stdin,
            closed: session.0.closed.clone(),
            cancelled: session.0.options.cancel.clone(),
            connection: opened.connection,
            permit: Some(opened.permit),
            status: None,
            ended: false,
            deadline: timeout.map(|limit| (Instant::now() + limit, limit)),
        }
    }

    pub(crate) async fn subsystem(&self, name: &str) -> Result<()> {
        self.stdin
            .write
            .request_subsystem(true, name)
            .await
            .map_err(|_| Error::lost("asking for a subsystem"))
    }

    async fn feed(&mut self, input: Input) -> Result<()> {
        match input {
            Input::Null => self.stdin.close().await,
            Input::Manual => Ok(()),
            Input::Bytes(data) => {
                tokio::spawn(self.stdin.clone().copy(Box::new(std::io::Cursor::new(data))));
                Ok(())
            }
            Input::Reader(reader) => {
                tokio::spawn(self.stdin.clone().copy(reader));
                Ok(())
            }
        }
    }

    /// The standard input, for [`Input::Manual`].
    pub fn stdin(&self) -> Stdin {
        self.stdin.clone()
    }

    /// The next piece of output, `None` when the command has ended. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::Elapsed`] at the command's time limit, [`Error::Cancelled`] or [`Error::Closed`], [`Error::Refused`] if
    /// the server does not start the command.
    pub async fn next_output(&mut self) -> Result<Option<Output>> {
        loop {
            let Some(message) = self.next_message().await? else { return Ok(None) };
            match message {
                ChannelMsg::Data { data } => return Ok(Some(Output::Stdout(data))),
                ChannelMsg::ExtendedData { data, ext: 1 } => return Ok(Some(Output::Stderr(data))),
                ChannelMsg::ExitStatus { exit_status } => self.status = Some(ExitStatus::Code(exit_status)),
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    self.status = Some(ExitStatus::Signal(signal_text(&signal_name)));
                }
                ChannelMsg::Failure => {
                    self.end();
                    return Err(Error::Refused {
                        what: "to start a command".into(),
                        reason: "no reason given".into(),
                    });
                }
                _ => {}
            }
        }
    }

    /// The next message of the channel that is not its end.
    pub(crate) async fn next_message(&mut self) -> Result<Option<ChannelMsg>> {
        if self.ended {
            return Ok(None);
        }
        let deadline = self.deadline;
        let limit = async {
            match deadline {
                Some((at, limit)) => {
                    sleep_until(at).await;
                    limit
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.read.wait() => match message {
                None | Some(ChannelMsg::Close) => {
                    self.end();
                    self.permit = None;
                    Ok(None)
                }
                Some(message) => Ok(Some(message)),
            },
            limit = limit => {
                let _ = self.stdin.write.signal(Sig::KILL).await;
                self.end();
                Err(Error::Elapsed { what: "the command".into(), limit })
            }
            () = self.closed.cancelled() => {
                self.end();
                Err(if self.cancelled.is_cancelled() { Error::Cancelled } else { Error::Closed })
            }
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.stdin.closed.cancel();
    }

    /// Waits for the end; output that nobody read is dropped.
    ///
    /// # Errors
    /// As [`Process::next_output`].
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        while self.next_output().await?.is_some() {}
        Ok(self.status.clone().unwrap_or(ExitStatus::Disconnected))
    }

    /// Waits for the end and keeps up to `limit` bytes of each stream.
    ///
    /// # Errors
    /// As [`Process::next_output`].
    pub async fn collect(mut self, limit: usize) -> Result<Finished> {
        let mut finished = Finished::default();
        while let Some(output) = self.next_output().await? {
            let (data, kept) = match output {
                Output::Stdout(data) => (data, &mut finished.stdout),
                Output::Stderr(data) => (data, &mut finished.stderr),
            };
            let room = limit.saturating_sub(kept.len()).min(data.len());
            kept.extend_from_slice(data.get(..room).unwrap_or_default());
            finished.truncated |= room < data.len();
        }
        finished.status = self.wait().await?;
        Ok(finished)
    }

    /// Sends a signal; servers older than OpenSSH 7.9 ignore it.
    ///
    /// # Errors
    /// [`Error::Disconnected`].
    pub async fn signal(&self, signal: Signal) -> Result<()> {
        let signal = match signal {
            Signal::Hangup => Sig::HUP,
            Signal::Interrupt => Sig::INT,
            Signal::Kill => Sig::KILL,
            Signal::Quit => Sig::QUIT,
            Signal::Terminate => Sig::TERM,
        };
        self.stdin.write.signal(signal).await.map_err(|_| Error::lost("sending a signal"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin.closed.cancel();
        let Some(permit) = self.permit.take() else { return };
        let (write, dead) = (Arc::clone(&self.stdin.write), self.connection.dead.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::select! {
                    _ = write.close() => {}
                    () = dead.cancelled() => {}
                }
                drop(permit);
            });
        }
    }
}

/// A command that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// The start of standard output.
    pub stdout: Vec<u8>,
    /// The start of standard error.
    pub stderr: Vec<u8>,
    /// Whether something of either is missing.
    pub truncated: bool,
}

impl Default for Finished {
    fn default() -> Self {
        Self { status: ExitStatus::Disconnected, stdout: Vec::new(), stderr: Vec::new(), truncated: false }
    }
}

fn with_env(command: &str, env: &[(String, String)]) -> Result<String> {
    let mut text = String::new();
    for (name, value) in env {
        let valid = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.starts_with(|c: char| !c.is_ascii_digit());
        if !valid {
            return Err(Error::Option {
                option: "env",
                reason: format!("{name:?} is not a name of letters, digits and underscores"),
            });
        }
        text.push_str(&format!("export {name}={}; ", quote(value)));
    }
    text.push_str(command);
    if text.contains('\0') {
        return Err(Error::Option { option: "command", reason: "it contains a zero byte".into() });
    }
    Ok(text)
}

fn signal_text(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => crate::error::printable(name.as_bytes(), 32),
        known => format!("{known:?}"),
    }
}
