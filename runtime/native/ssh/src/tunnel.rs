//! Port forwards of a session, in both directions, on loopback addresses only.
//!
//! A local tunnel's listener lives as long as the session; each connection to it opens a channel on the connection of
//! that moment. Remote tunnels are asked for again on every new connection.

use std::sync::{Arc, Weak};

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::dial::listen_on_loopback;
use crate::error::{Error, Result};
use crate::options::{ConnectOptions, Tunnel};
use crate::session::{Inner, Session};

/// Starts the listeners of the local tunnels.
pub(crate) async fn listen(session: &Session) -> Result<()> {
    for tunnel in &session.0.options.local_tunnels {
        let listener = listen_on_loopback(tunnel.listen)
            .await
            .map_err(|error| Error::local(format!("cannot listen on local port {}", tunnel.listen), error))?;
        let (inner, closed) = (Arc::downgrade(&session.0), session.0.closed.clone());
        tokio::spawn(accept(listener, tunnel.clone(), inner, closed));
    }
    Ok(())
}

impl Session {
    /// Opens a free port of loopback that leads to `host:port` as the machine sees it, for as long as the session
    /// lives; gives the port.
    ///
    /// # Errors
    /// [`Error::Local`] if there is no free port.
    pub async fn forward(&self, host: &str, port: u16) -> Result<u16> {
        let cannot = |error| Error::local("cannot listen on a local port", error);
        let listener = listen_on_loopback(0).await.map_err(cannot)?;
        let local = listener.local_addr().map_err(cannot)?.port();
        let (inner, closed) = (Arc::downgrade(&self.0), self.0.closed.clone());
        tokio::spawn(accept(listener, Tunnel { listen: local, host: host.to_owned(), port }, inner, closed));
        Ok(local)
    }
}

async fn accept(listener: TcpListener, tunnel: Tunnel, inner: Weak<Inner>, closed: CancellationToken) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors, usually; a pause keeps this from spinning.
                Err(_) => { tokio::time::sleep(std::time::Duration::from_millis(100)).await; continue }
            },
            () = closed.cancelled() => return,
        };
        let Some(inner) = inner.upgrade() else { return };
        tokio::spawn(carry(Session(inner), tunnel.clone(), stream, closed.clone()));
    }
}

async fn carry(session: Session, tunnel: Tunnel, mut stream: TcpStream, closed: CancellationToken) {
    let Ok(connection) = session.connection().await else { return };
    drop(session);
    let opened = tokio::select! {
        opened = connection.handle.channel_open_direct_tcpip(&tunnel.host, u32::from(tunnel.port), "127.0.0.1", 0) => opened,
        () = connection.dead.cancelled() => return,
    };
    match opened {
        Ok(channel) => {
            let mut channel = channel.into_stream();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut channel, &mut stream) => {}
                () = connection.dead.cancelled() => {}
                () = closed.cancelled() => {}
            }
        }
        Err(error) => {
            tracing::warn!(host = %tunnel.host, port = tunnel.port, %error, "the machine could not connect")
        }
    }
}

/// Asks the machine to listen for the remote tunnels.
pub(crate) async fn ask_for_remote(options: &ConnectOptions, connection: &Connection) -> Result<()> {
    for tunnel in &options.remote_tunnels {
        // The server may answer before the mapping exists only for port 0, whose number it chooses.
        if tunnel.listen != 0 {
            connection.tunnels.add(u32::from(tunnel.listen), tunnel.host.clone(), tunnel.port);
        }
        let asked = tokio::select! {
            asked = connection.handle.tcpip_forward("localhost", u32::from(tunnel.listen)) => asked,
            () = connection.dead.cancelled() => return Err(Error::lost("asking for a tunnel")),
        };
        let port = asked.map_err(|error| Error::Refused {
            what: format!("to listen on its port {}", tunnel.listen),
            reason: error.to_string(),
        })?;
        if tunnel.listen == 0 {
            connection.tunnels.add(port, tunnel.host.clone(), tunnel.port);
        }
    }
    Ok(())
}
