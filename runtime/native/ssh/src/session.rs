//! A session with a machine: channels on one connection that is made again when it is gone.
//!
//! Main type: [`Session`], a cheap handle. Invariants: at most one connection at a time; whoever finds it dead makes the
//! next one while the others wait for it; what ran on a lost connection ends with "disconnected", never silently again.

use std::sync::Arc;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, Disconnect};
use tokio::sync::{Mutex, OwnedSemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::connect::establish;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::hostkey::KnownKey;
use crate::options::ConnectOptions;
use crate::process::{ExecOptions, Process};
use crate::tunnel;

/// Connects and logs in, waiting for the server as long as `options.timeouts.total` allows.
///
/// # Errors
/// [`Error::Timeout`], [`Error::Authentication`], [`Error::HostKey`], [`Error::Handshake`], [`Error::Option`],
/// [`Error::EncryptedKey`], [`Error::Cancelled`].
pub async fn connect(options: ConnectOptions) -> Result<Session> {
    options.check()?;
    let known = KnownKey::new(&options.host_key)?;
    let bastion_known = options.bastion.as_ref().map(|b| KnownKey::new(&b.host_key)).transpose()?;
    let closed = options.cancel.child_token();
    let session = Session(Arc::new(Inner {
        options,
        known,
        bastion_known,
        current: Mutex::new(None),
        closed,
        guest: Mutex::new(Guest::default()),
    }));
    session.connection().await?;
    tunnel::listen(&session).await?;
    Ok(session)
}

/// See the module's text. Clones share the session; it ends when the last one is dropped or [`Session::close`] is called.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) options: ConnectOptions,
    known: KnownKey,
    bastion_known: Option<KnownKey>,
    current: Mutex<Option<Arc<Connection>>>,
    /// Cancelled by [`Session::close`] and by the caller's token.
    pub(crate) closed: CancellationToken,
    pub(crate) guest: Mutex<Guest>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

/// What is known about the machine's ways of taking files; learnt once, forgotten with the connection.
#[derive(Default)]
pub(crate) struct Guest {
    pub(crate) sftp: Option<Arc<crate::transfer::sftp::Client>>,
    pub(crate) no_sftp: bool,
}

/// What a reconnection thinks of another host key than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKeyChange {
    /// An error.
    Refuse,
    /// The new key is pinned from now on. A key pinned in the options stays pinned.
    Accept,
}

/// A channel with what it needs to stay open.
pub(crate) struct Opened {
    pub(crate) connection: Arc<Connection>,
    pub(crate) permit: OwnedSemaphorePermit,
    pub(crate) channel: Channel<Msg>,
}

impl Session {
    /// Starts `command` in the user's login shell on the machine.
    ///
    /// A connection that turns out to be lost is made again first (machines reboot); a command is never started twice.
    ///
    /// # Errors
    /// Those of [`connect`] if it has to reconnect; [`Error::Refused`] if the server opens no channel.
    pub async fn exec(&self, command: &str, options: ExecOptions) -> Result<Process> {
        let opened = self.open_channel("a command").await?;
        Process::start(self, opened, command, options).await
    }

    /// Drops the connection and makes a new one, waiting for the server for up to `limit`.
    ///
    /// # Errors
    /// Those of [`connect`].
    pub async fn reconnect(&self, limit: Duration, change: HostKeyChange) -> Result<()> {
        let mut current = self.0.current.lock().await;
        if let Some(old) = current.take() {
            old.kill();
        }
        if change == HostKeyChange::Accept
            && !matches!(self.0.options.host_key, crate::options::HostKeyPolicy::Pinned(_))
        {
            self.0.known.forget();
        }
        *current = Some(self.establish(limit).await?);
        Ok(())
    }

    /// Whether there is a connection and nothing is known against it.
    pub async fn is_connected(&self) -> bool {
        self.0.current.lock().await.as_ref().is_some_and(|connection| connection.is_alive())
    }

    /// The server's key as `ssh-ed25519 AAAA…`.
    pub fn host_key(&self) -> Option<String> {
        self.0.known.line()
    }

    /// Says goodbye and ends everything that uses the session; later calls fail with [`Error::Closed`].
    pub async fn close(&self) {
        let connection = self.0.current.lock().await.take();
        if let Some(connection) = connection.filter(|connection| connection.is_alive()) {
            let bye = connection.handle.disconnect(Disconnect::ByApplication, "", "en");
            let _ = tokio::time::timeout(Duration::from_secs(1), bye).await;
            let _ = tokio::time::timeout(Duration::from_secs(1), connection.dead.cancelled()).await;
            connection.kill();
        }
        self.0.closed.cancel();
    }

    fn check_open(&self) -> Result<()> {
        if self.0.options.cancel.is_cancelled() {
            Err(Error::Cancelled)
        } else if self.0.closed.is_cancelled() {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    /// The error of a call that `closed` interrupted.
    pub(crate) fn interrupted(&self) -> Error {
        self.check_open().err().unwrap_or(Error::Closed)
    }

    async fn establish(&self, limit: Duration) -> Result<Arc<Connection>> {
        let inner = &self.0;
        *inner.guest.lock().await = Guest::default();
        let made = establish(&inner.options, &inner.known, inner.bastion_known.as_ref(), limit);
        let connection = tokio::select! {
            made = made => Arc::new(made?),
            () = inner.closed.cancelled() => return Err(self.interrupted()),
        };
        tunnel::ask_for_remote(&inner.options, &connection).await?;
        Ok(connection)
    }

    /// The connection, made again if it is gone.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>> {
        self.check_open()?;
        let mut current = self.0.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| connection.is_alive()) {
            return Ok(Arc::clone(connection));
        }
        self.check_open()?;
        *current = None;
        let connection = self.establish(self.0.options.timeouts.total).await?;
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Opens a session channel, after waiting for one of the connection's slots.
    pub(crate) async fn open_channel(&self, what: &str) -> Result<Opened> {
        let mut losses = 0;
        loop {
            let connection = self.connection().await?;
            let slot = Arc::clone(&connection.slots).acquire_owned();
            let permit = tokio::select! {
                permit = slot => permit.map_err(|_| Error::Closed)?,
                () = connection.dead.cancelled() => continue,
                () = self.0.closed.cancelled() => return Err(self.interrupted()),
            };
            let opened = tokio::select! {
                opened = self.open_on(&connection, what) => opened,
                () = connection.dead.cancelled() => Err(Error::lost(format!("opening {what}"))),
                () = self.0.closed.cancelled() => return Err(self.interrupted()),
            };
            match opened {
                Ok(channel) => return Ok(Opened { connection, permit, channel }),
                Err(error) if error.is_disconnect() && losses < 3 => {
                    tracing::debug!(%error, "the connection is lost, connecting again");
                    connection.kill();
                    losses += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks for a channel until the server grants one: it counts the sessions whose processes have not ended yet.
    async fn open_on(&self, connection: &Connection, what: &str) -> Result<Channel<Msg>> {
        let deadline = Instant::now() + self.0.options.timeouts.channel;
        let mut pause = Duration::from_millis(20);
        loop {
            match timeout_at(deadline, connection.handle.channel_open_session()).await {
                Ok(Ok(channel)) => return Ok(channel),
                Ok(Err(russh::Error::ChannelOpenFailure(reason))) => {
                    if Instant::now() + pause >= deadline {
                        return Err(Error::Refused { what: what.to_owned(), reason: format!("{reason:?}") });
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Ok(Err(error)) => return Err(Error::lost(format!("opening {what} ({error})"))),
                Err(_) => return Err(Error::lost(format!("opening {what} (no answer)"))),
            }
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}:{})", self.0.options.host, self.0.options.port)
    }
}
