//! SSH sessions: connect, exec, transfer.
//!
//! ```no_run
//! # async fn example() -> kiln_ssh::Result<()> {
//! use kiln_ssh::{ConnectOptions, ExecOptions, Login, connect};
//! let session = connect(ConnectOptions::new("127.0.0.1", 2222, Login::password("root", "secret"))).await?;
//! let finished = session.exec("uname -a", ExecOptions::default()).await?.collect(64 * 1024).await?;
//! assert!(finished.status.success());
//! session.close().await;
//! # Ok(()) }
//! ```
//!
//! What it promises: [`connect`] waits for a machine that is still booting and says how far it came when it gives up;
//! a [`Session`] connects again when the machine rebooted; every waiting call ends when the token in
//! [`ConnectOptions::cancel`] is cancelled. It knows nothing of templates and guests, reads no environment variable and
//! no `~/.ssh`, and reaches the network only through a [`Dialer`], local tunnels and agent sockets that were asked for.

mod authenticate;
mod connect;
mod connection;
mod dial;
mod error;
mod hostkey;
mod keypair;
mod options;
mod process;
mod quote;
mod session;
mod transfer;
mod tunnel;
mod wire;

pub use dial::{BoxedStream, Dialer, Dialling, Stream, TcpDialer};
pub use error::{ConnectReport, Error, HandshakeState, Result};
pub use keypair::{KeyKind, KeyPair, public_of};
pub use options::{Bastion, CipherPreference, ConnectOptions, HostKeyPolicy, Login, Proxy, Timeouts, Tunnel};
pub use process::{ExecOptions, ExitStatus, Finished, Input, Output, Process, Signal, Stdin};
pub use quote::quote;
pub use session::{HostKeyChange, Session, connect};
pub use transfer::{
    Content, Excludes, FileSource, Method, Progress, TransferOptions, Transferred, directory_target,
};
