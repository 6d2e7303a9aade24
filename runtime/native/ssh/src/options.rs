//! How to reach a machine and who to be there.
//!
//! Main type: [`ConnectOptions`]. Plain data, apart from the [`Dialer`]: nothing here reads the environment, a key file
//! or `~/.ssh`, and nothing touches the network. Secrets are kept out of `Debug`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::dial::{Dialer, TcpDialer};
use crate::error::{Error, Result};

/// Everything that [`crate::connect`] needs. Start with [`ConnectOptions::new`] and set fields.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Name or address, as the dialer understands it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Who to be, and how to show it.
    pub login: Login,
    /// Opens streams: to the endpoint (or the proxy or bastion), and for remote tunnels.
    pub dialer: Arc<dyn Dialer>,
    /// One machine in between.
    pub bastion: Option<Bastion>,
    /// A SOCKS5 proxy in between; not together with a bastion.
    pub proxy: Option<Proxy>,
    /// What to think of the server's key.
    pub host_key: HostKeyPolicy,
    /// Time limits.
    pub timeouts: Timeouts,
    /// How many refused authentications end the waiting. Other failures do not count. At least 1.
    pub handshake_attempts: u32,
    /// Cipher names in order of preference; empty: [`CipherPreference`] decides.
    pub ciphers: Vec<String>,
    /// Which of the safe ciphers goes first when `ciphers` is empty.
    pub cipher_preference: CipherPreference,
    /// Key exchange names in order of preference; empty: the safe ones.
    pub key_exchanges: Vec<String>,
    /// Ask for a terminal (xterm, 80 columns, 40 rows) for every command that does not say otherwise.
    pub pty: bool,
    /// Let the machine use the agent at this socket. `None` refuses it.
    pub forward_agent: Option<PathBuf>,
    /// Listen on the machine, connect here.
    pub remote_tunnels: Vec<Tunnel>,
    /// Listen here (loopback), connect from the machine.
    pub local_tunnels: Vec<Tunnel>,
    /// Ends every waiting call of the session with [`Error::Cancelled`].
    pub cancel: CancellationToken,
}

impl ConnectOptions {
    /// Defaults: plain TCP, trust on first use, 5 minutes in total, 10 refusals.
    pub fn new(host: impl Into<String>, port: u16, login: Login) -> Self {
        Self {
            host: host.into(),
            port,
            login,
            dialer: Arc::new(TcpDialer),
            bastion: None,
            proxy: None,
            host_key: HostKeyPolicy::TrustOnFirstUse,
            timeouts: Timeouts::default(),
            handshake_attempts: 10,
            ciphers: Vec::new(),
            cipher_preference: CipherPreference::Native,
            key_exchanges: Vec::new(),
            pty: false,
            forward_agent: None,
            remote_tunnels: Vec::new(),
            local_tunnels: Vec::new(),
            cancel: CancellationToken::new(),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.bastion.is_some() && self.proxy.is_some() {
            return Err(Error::Option {
                option: "proxy",
                reason: "a proxy and a bastion exclude each other; give one of them".into(),
            });
        }
        if self.handshake_attempts == 0 {
            return Err(Error::Option { option: "handshake_attempts", reason: "must be at least 1".into() });
        }
        self.login.check()?;
        self.bastion.as_ref().map_or(Ok(()), |bastion| bastion.login.check())
    }
}

/// A user and the ways to prove being that user, tried in the order agent, key, password, keyboard-interactive.
#[derive(Clone, Default)]
pub struct Login {
    /// The user's name on the machine.
    pub user: String,
    /// Also the answer to every keyboard-interactive question.
    pub password: Option<String>,
    /// Text of a private key, OpenSSH or PEM, without passphrase.
    pub private_key: Option<String>,
    /// Text of an OpenSSH certificate for the private key.
    pub certificate: Option<String>,
    /// Socket of an SSH agent to ask for signatures.
    pub agent: Option<PathBuf>,
}

impl Login {
    /// A login with a password.
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: Some(password.into()), ..Self::default() }
    }

    /// A login with the text of a private key.
    pub fn key(user: impl Into<String>, private_key: impl Into<String>) -> Self {
        Self { user: user.into(), private_key: Some(private_key.into()), ..Self::default() }
    }

    fn check(&self) -> Result<()> {
        if let Some(key) = &self.private_key {
            crate::keypair::parse_private(key)?;
        }
        if let Some(certificate) = &self.certificate {
            if self.private_key.is_none() {
                return Err(Error::Option {
                    option: "certificate",
                    reason: "needs the private key that it certifies".into(),
                });
            }
            crate::keypair::parse_certificate(certificate)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("password", &self.password.is_some())
            .field("private_key", &self.private_key.is_some())
            .field("certificate", &self.certificate.is_some())
            .field("agent", &self.agent)
            .finish()
    }
}

/// A machine to go through. It has its own login and its own host key.
#[derive(Debug, Clone)]
pub struct Bastion {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Who to be there.
    pub login: Login,
    /// What to think of its key.
    pub host_key: HostKeyPolicy,
}

/// A SOCKS5 proxy (RFC 1928), with user name and password (RFC 1929) if given.
#[derive(Clone)]
pub struct Proxy {
    /// Name or address.
    pub host: String,
    /// TCP port, usually 1080.
    pub port: u16,
    /// User name and password, 1 to 255 bytes each.
    pub login: Option<(String, String)>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{}, login: {})", self.host, self.port, self.login.is_some())
    }
}

/// What to think of a server's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostKeyPolicy {
    /// Only this key, as a line of `authorized_keys` or `known_hosts` form (`ssh-ed25519 AAAA…`).
    Pinned(String),
    /// The key of the first connection that let us in is the only one taken for the rest of the session, reconnections
    /// included (unless [`crate::Session::reconnect`] is told otherwise).
    TrustOnFirstUse,
    /// Any key, always. What Packer does.
    AcceptAny,
}

/// Time limits of a session.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// Waiting for the server in total: from the first connection to the end of authentication.
    pub total: Duration,
    /// Key exchange and authentication of one connection; at most one minute is used.
    pub handshake: Duration,
    /// Between two refused authentications.
    pub auth_retry: Duration,
    /// A silent connection is asked for a sign of life this often, and lost after three unanswered questions.
    /// `None` switches it off.
    pub keep_alive: Option<Duration>,
    /// A connection on which nothing at all moves for this long is lost. `None`: no limit.
    pub read_write: Option<Duration>,
    /// Waiting for a channel to be opened by a server that is connected.
    pub channel: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(300),
            handshake: Duration::from_secs(60),
            auth_retry: Duration::from_secs(1),
            keep_alive: Some(Duration::from_secs(5)),
            read_write: None,
            channel: Duration::from_secs(60),
        }
    }
}

/// Which safe cipher to prefer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CipherPreference {
    /// AES-GCM first: fastest where both processors have AES instructions.
    #[default]
    Native,
    /// ChaCha20 first: fastest for a guest whose processor is emulated.
    Emulated,
}

/// `PORT:HOST:PORT`: where to listen, and what to connect to at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// Port to listen on; 0 lets the listening side choose.
    pub listen: u16,
    /// Host to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
}

impl std::str::FromStr for Tunnel {
    type Err = Error;

    /// Reads `"8080:example.org:80"`; an IPv6 host is written in brackets.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::Option {
            option: "tunnels",
            reason: format!("{text:?} is not PORT:HOST:PORT, as in 8080:localhost:80"),
        };
        let (listen, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let port: u16 = port.parse().map_err(|_| wrong())?;
        if host.is_empty() || port == 0 {
            return Err(wrong());
        }
        Ok(Self { listen: listen.parse().map_err(|_| wrong())?, host: host.to_owned(), port })
    }
}
