//! One authenticated SSH connection and the library's call-backs on it.
//!
//! Main type: [`Connection`]. Invariant: `dead` is cancelled exactly when the library's task has ended, so every waiter
//! can race against it (the library's own channel writers would wait for ever for window on a dead connection). The
//! server may open no channel that was not asked for: agent, forwarded ports, everything else is rejected.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{ChannelOpenHandle, Handle, Msg, Session as Wire};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelOpenFailure};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::dial::{self, Dialer};
use crate::hostkey::KnownKey;

/// OpenSSH allows 10 sessions per connection (`MaxSessions`); asking for more only makes it refuse.
const SESSIONS: usize = 10;

pub(crate) struct Connection {
    pub(crate) handle: Handle<Handler>,
    pub(crate) dead: CancellationToken,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) tunnels: RemoteTunnels,
    /// Ends the stream, and with it the library's task.
    stop: CancellationToken,
    /// The connection that this one runs through, kept open by being held.
    _through: Option<Arc<Connection>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Connection {
    pub(crate) fn new(
        handle: Handle<Handler>,
        dead: CancellationToken,
        tunnels: RemoteTunnels,
        stop: CancellationToken,
        through: Option<Arc<Connection>>,
    ) -> Self {
        Self { handle, dead, slots: Arc::new(Semaphore::new(SESSIONS)), tunnels, stop, _through: through }
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.dead.is_cancelled() && !self.handle.is_closed()
    }

    /// Ends the connection without a word, as when it is known to be dead.
    pub(crate) fn kill(&self) {
        self.dead.cancel();
        self.stop.cancel();
    }
}

/// Ports that listen on the machine, and what they lead to here.
#[derive(Clone, Default)]
pub(crate) struct RemoteTunnels(Arc<Mutex<HashMap<u32, (String, u16)>>>);

impl RemoteTunnels {
    pub(crate) fn add(&self, listening: u32, host: String, port: u16) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(listening, (host, port));
    }

    fn target(&self, listening: u32) -> Option<(String, u16)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&listening).cloned()
    }
}

/// The library's call-backs.
pub(crate) struct Handler {
    pub(crate) known: KnownKey,
    pub(crate) dialer: Arc<dyn Dialer>,
    pub(crate) forward_agent: Option<PathBuf>,
    pub(crate) tunnels: RemoteTunnels,
    /// Cancelled when the library's task ends and drops the handler.
    pub(crate) dead: CancellationToken,
}

impl russh::client::Handler for Handler {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(self.known.judge(&key.public_key()))
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        _connected_address: &str,
        connected_port: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Wire,
    ) -> Result<(), Self::Error> {
        let Some((host, port)) = self.tunnels.target(connected_port) else {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        };
        let (dialling, dead) = (self.dialer.dial(&host, port), self.dead.clone());
        tokio::spawn(async move {
            match dialling.await {
                Ok(stream) => splice(channel, reply, stream, dead).await,
                Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
            }
        });
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Wire,
    ) -> Result<(), Self::Error> {
        let Some(path) = self.forward_agent.clone() else {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        };
        let dead = self.dead.clone();
        tokio::spawn(async move {
            match dial::agent(&path).await {
                Ok(stream) => splice(channel, reply, stream, dead).await,
                Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
            }
        });
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Wire,
    ) -> Result<(), Self::Error> {
        reject(reply).await
    }

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Wire,
    ) -> Result<(), Self::Error> {
        reject(reply).await
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host: &str,
        _port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Wire,
    ) -> Result<(), Self::Error> {
        reject(reply).await
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Wire,
    ) -> Result<(), Self::Error> {
        reject(reply).await
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Wire,
    ) -> Result<(), Self::Error> {
        reject(reply).await
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.dead.cancel();
    }
}

async fn reject(reply: ChannelOpenHandle) -> Result<(), russh::Error> {
    reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
    Ok(())
}

/// Accepts the channel and copies both ways until one side or the connection ends.
async fn splice(
    channel: Channel<Msg>,
    reply: ChannelOpenHandle,
    mut stream: dial::BoxedStream,
    dead: CancellationToken,
) {
    reply.accept().await;
    let mut channel = channel.into_stream();
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut channel, &mut stream) => {}
        () = dead.cancelled() => {}
    }
}
