//! What can go wrong, in the words of the person who has to fix it.
//!
//! Main type: [`Error`]. A failed connection carries a [`ConnectReport`]: how far the best attempt came, how often each
//! stage was reached and the last error, because "timeout waiting for SSH" alone helps nobody.

use std::fmt;
use std::time::Duration;

/// How far a connection came. Ordered: a later variant means "further".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HandshakeState {
    /// No TCP connection (or SOCKS5, or bastion channel) was ever made.
    NeverConnected,
    /// Connected, but nothing that starts with `SSH-` came. A machine that is still booting behind user-mode
    /// networking looks like this.
    ConnectedNoBanner,
    /// The server's version line came, the key exchange did not finish.
    Banner {
        /// The server's version line, at most 255 bytes, control characters replaced.
        server: String,
    },
    /// Keys were exchanged (and the host key judged), no answer to authentication came.
    Keys,
    /// The server refused every credential that it was offered.
    AuthenticationRefused {
        /// Methods that were tried, in order: `agent`, `publickey`, `password`, `keyboard-interactive`.
        tried: Vec<String>,
        /// Methods that the server said it would take.
        offered: Vec<String>,
    },
}

impl fmt::Display for HandshakeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverConnected => f.write_str("no connection was accepted"),
            Self::ConnectedNoBanner => f.write_str("connected, but no SSH server answered"),
            Self::Banner { server } => write!(f, "{server} answered, the key exchange did not finish"),
            Self::Keys => f.write_str("keys were exchanged, authentication got no answer"),
            Self::AuthenticationRefused { tried, offered } => write!(
                f,
                "authentication refused (tried: {}; the server takes: {})",
                list(tried),
                list(offered)
            ),
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

/// What happened while waiting for a server.
#[derive(Debug, Clone)]
pub struct ConnectReport {
    /// `host:port` as asked for.
    pub endpoint: String,
    /// How far the best attempt came.
    pub state: HandshakeState,
    /// Connections that were started.
    pub dialled: u32,
    /// Connections that gave a banner.
    pub banners: u32,
    /// Handshakes that ended because authentication was refused.
    pub refused: u32,
    /// How long it took until the error.
    pub elapsed: Duration,
    /// The last error, if there was one (a silent server gives none).
    pub last_error: Option<String>,
}

impl fmt::Display for ConnectReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}; {} connections, {} banners, {} refused, {:.1} s",
            self.state,
            self.endpoint,
            self.dialled,
            self.banners,
            self.refused,
            self.elapsed.as_secs_f64()
        )?;
        if let Some(last) = &self.last_error {
            write!(f, "; last error: {last}")?;
        }
        f.write_str(")")
    }
}

/// An SSH operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The whole waiting time passed.
    #[error("timeout waiting for SSH: {0}")]
    Timeout(Box<ConnectReport>),
    /// The credentials were refused as often as `handshake_attempts` allows.
    #[error("SSH authentication failed, check the user name and the password or key: {0}")]
    Authentication(Box<ConnectReport>),
    /// The server shows another key than the one that was pinned.
    #[error("the SSH host key changed: expected {expected}, got {got}; another machine may be answering")]
    HostKey {
        /// Fingerprint of the pinned key, `SHA256:…`.
        expected: String,
        /// Fingerprint of the key that was shown.
        got: String,
    },
    /// No common algorithm, or another reason that trying again cannot change.
    #[error("SSH handshake failed for good: {reason} ({report})")]
    Handshake {
        /// What cannot change.
        reason: String,
        /// How far it came.
        report: Box<ConnectReport>,
    },
    /// An option is wrong.
    #[error("invalid SSH option {option}: {reason}")]
    Option {
        /// Its name in [`crate::ConnectOptions`].
        option: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The private key has a passphrase.
    #[error(
        "the private key is encrypted; give one without a passphrase, or add it to an agent and use the agent"
    )]
    EncryptedKey,
    /// The caller's token was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The connection was lost in the middle.
    #[error("the SSH connection was lost while {during}")]
    Disconnected {
        /// What was being done.
        during: String,
    },
    /// The session was closed by its owner.
    #[error("the SSH session is closed")]
    Closed,
    /// A time limit of one operation passed.
    #[error("{what} did not end within {} s", limit.as_secs_f64())]
    Elapsed {
        /// What was waited for.
        what: String,
        /// The limit.
        limit: Duration,
    },
    /// The server refused a channel, subsystem or request.
    #[error("the SSH server refused {what}: {reason}")]
    Refused {
        /// What was asked for.
        what: String,
        /// Its reason.
        reason: String,
    },
    /// A transfer failed on the machine's side.
    #[error("{operation} {path:?} failed on the machine: {reason}")]
    Remote {
        /// `upload to` or `download of`.
        operation: &'static str,
        /// The remote path.
        path: String,
        /// The machine's words, bounded and without control characters.
        reason: String,
    },
    /// The machine sent what no honest one sends (a name that leaves the target, a wrong length, a broken packet).
    #[error("the machine broke the {protocol} protocol: {reason}")]
    Protocol {
        /// `SFTP`, `scp` or `tar`.
        protocol: &'static str,
        /// What it sent.
        reason: String,
    },
    /// A bound was reached.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What was measured.
        what: String,
        /// The limit, in bytes or entries.
        limit: u64,
    },
    /// Local reading or writing failed.
    #[error("{what}: {source}")]
    Local {
        /// What was done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The SSH library's error, where nothing better is known.
    #[error("SSH: {0}")]
    Ssh(#[from] russh::Error),
}

impl Error {
    pub(crate) fn local(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Local { what: what.into(), source }
    }

    pub(crate) fn lost(during: impl Into<String>) -> Self {
        Self::Disconnected { during: during.into() }
    }

    pub(crate) fn protocol(protocol: &'static str, reason: impl Into<String>) -> Self {
        Self::Protocol { protocol, reason: reason.into() }
    }

    /// How far the connection came, for errors of connecting.
    pub fn report(&self) -> Option<&ConnectReport> {
        match self {
            Self::Timeout(report) | Self::Authentication(report) | Self::Handshake { report, .. } => {
                Some(report)
            }
            _ => None,
        }
    }

    /// Whether the connection (rather than the operation) failed, so that a new connection may help.
    pub fn is_disconnect(&self) -> bool {
        match self {
            Self::Disconnected { .. } => true,
            Self::Ssh(error) => {
                !matches!(error, russh::Error::ChannelOpenFailure(_) | russh::Error::RequestDenied)
            }
            _ => false,
        }
    }
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A line from a machine, fit for a message: at most `limit` characters, control characters replaced by spaces.
pub(crate) fn printable(bytes: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let clean: String =
        text.trim().chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.trim().to_owned()
}
