//! Opens byte streams to endpoints: the one place where this crate touches the network of the host.
//!
//! Main type: the trait [`Dialer`], so that the owner of the policy can judge the address that is really connected to.
//! [`TcpDialer`] is the plain one. `socks` speaks SOCKS5 over a dialled stream.
#![expect(clippy::disallowed_methods, reason = "this is the capability file for outgoing connections")]

pub(crate) mod socks;

use std::future::Future;
use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connected, ordered byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// A stream of any kind.
pub type BoxedStream = Box<dyn Stream>;

/// What a [`Dialer`] returns.
pub type Dialling = Pin<Box<dyn Future<Output = io::Result<BoxedStream>> + Send>>;

/// Opens connections. Implementations should set `TCP_NODELAY`, and should fail (not wait) when an address is not allowed;
/// `io::ErrorKind::PermissionDenied` ends the waiting for a server at once.
pub trait Dialer: Send + Sync {
    /// Connects to `host:port`. Dropping the future gives up.
    fn dial(&self, host: &str, port: u16) -> Dialling;
}

impl<F> Dialer for F
where
    F: Fn(&str, u16) -> Dialling + Send + Sync,
{
    fn dial(&self, host: &str, port: u16) -> Dialling {
        self(host, port)
    }
}

/// Plain TCP to whatever the name resolves to.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpDialer;

impl Dialer for TcpDialer {
    fn dial(&self, host: &str, port: u16) -> Dialling {
        let host = host.to_owned();
        Box::pin(async move {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxedStream)
        })
    }
}

/// Listens on a loopback port, for local tunnels.
pub(crate) async fn listen_on_loopback(port: u16) -> io::Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await
}

/// Connects to an agent's socket.
#[cfg(unix)]
pub(crate) async fn agent(path: &std::path::Path) -> io::Result<BoxedStream> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

/// Connects to an agent's named pipe.
#[cfg(windows)]
pub(crate) async fn agent(path: &std::path::Path) -> io::Result<BoxedStream> {
    Ok(Box::new(tokio::net::windows::named_pipe::ClientOptions::new().open(path)?))
}
