//! Key exchange and authentication on a stream whose server has introduced itself.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::client::Config;
use russh::{Preferred, cipher, kex};
use tokio_util::sync::CancellationToken;

use super::Target;
use crate::authenticate::{Outcome, authenticate};
use crate::connection::{Connection, Handler, RemoteTunnels};
use crate::error::{Error, HandshakeState, Result};
use crate::options::{CipherPreference, ConnectOptions};
use crate::wire::{Greeted, Watched};

/// How a handshake failed.
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) reason: String,
}

pub(super) enum Kind {
    /// Another connection may do better.
    Again(HandshakeState),
    /// Credentials refused.
    Refused(HandshakeState),
    /// No other connection will do better.
    ForGood,
    /// As `ForGood`, with an error of its own.
    Error(Error),
}

impl Failure {
    pub(super) fn again(state: HandshakeState, reason: impl Into<String>) -> Self {
        Self { kind: Kind::Again(state), reason: reason.into() }
    }

    fn error(error: Error) -> Self {
        let reason = error.to_string();
        Self { kind: Kind::Error(error), reason }
    }
}

/// Three unanswered questions end a connection.
const KEEP_ALIVES: usize = 3;

/// Flow control window of each channel: what may be on the way unread.
const WINDOW: u32 = 4 * 1024 * 1024;

/// Largest packet that we take; servers send at most 32 KiB of data in one.
const PACKET: u32 = 65535;

/// Messages of one channel that wait for their reader before the connection is held back.
const CHANNEL_BUFFER: usize = 256;

pub(super) async fn run(
    greeted: Greeted,
    target: &Target<'_>,
    through: Option<Arc<Connection>>,
) -> Result<Connection, Failure> {
    let options = target.options;
    let config = Arc::new(config(options).map_err(Failure::error)?);
    let stop = CancellationToken::new();
    let stop_on_failure = stop.clone().drop_guard();
    let dead = CancellationToken::new();
    let tunnels = RemoteTunnels::default();
    let handler = Handler {
        known: target.known.clone(),
        dialer: Arc::clone(&options.dialer),
        forward_agent: options.forward_agent.clone(),
        tunnels: tunnels.clone(),
        dead: dead.clone(),
    };
    let server = greeted.server.clone();
    let stall = options.timeouts.keep_alive.map(|interval| interval.max(Duration::from_secs(1)) * 4);
    let stream = Watched::new(greeted, stop.clone(), stall);
    let mut handle = russh::client::connect_stream(config, stream, handler)
        .await
        .map_err(|error| judge(&error, target, server))?;
    let outcome = authenticate(&mut handle, target.login).await.map_err(|error| match error {
        Error::Ssh(error) => Failure::again(HandshakeState::Keys, error.to_string()),
        error => Failure::error(error),
    })?;
    match outcome {
        Outcome::Accepted => {
            target.known.pin();
            let stop = stop_on_failure.disarm();
            Ok(Connection::new(handle, dead, tunnels, stop, through))
        }
        Outcome::Refused { tried, offered } => {
            let state = HandshakeState::AuthenticationRefused { tried, offered };
            Err(Failure { reason: state.to_string(), kind: Kind::Refused(state) })
        }
    }
}

fn judge(error: &russh::Error, target: &Target<'_>, server: String) -> Failure {
    match error {
        russh::Error::UnknownKey => match target.known.refusal() {
            Some(refusal) => Failure::error(refusal),
            None => Failure { kind: Kind::ForGood, reason: "the host key was refused".into() },
        },
        russh::Error::NoCommonAlgo { kind, ours, theirs } => Failure {
            kind: Kind::ForGood,
            reason: format!(
                "no common {kind:?} algorithm; ours: {}; the server's: {}",
                ours.join(","),
                theirs.join(",")
            ),
        },
        error => Failure::again(HandshakeState::Banner { server }, error.to_string()),
    }
}

fn config(options: &ConnectOptions) -> Result<Config> {
    let preferred = Preferred {
        cipher: ciphers(options)?,
        kex: key_exchanges(options)?,
        compression: Cow::Borrowed(&[russh::compression::NONE]),
        ..Preferred::DEFAULT
    };
    Ok(Config {
        client_id: russh::SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-kiln_", env!("CARGO_PKG_VERSION")))),
        window_size: WINDOW,
        maximum_packet_size: PACKET,
        channel_buffer_size: CHANNEL_BUFFER,
        preferred,
        inactivity_timeout: options.timeouts.read_write,
        keepalive_interval: options.timeouts.keep_alive,
        keepalive_max: KEEP_ALIVES,
        nodelay: true,
        ..Config::default()
    })
}

fn ciphers(options: &ConnectOptions) -> Result<Cow<'static, [cipher::Name]>> {
    use cipher::{AES_128_CTR, AES_128_GCM, AES_192_CTR, AES_256_CTR, AES_256_GCM, CHACHA20_POLY1305};
    if options.ciphers.is_empty() {
        return Ok(Cow::Borrowed(match options.cipher_preference {
            CipherPreference::Native => {
                &[AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, AES_256_CTR, AES_192_CTR, AES_128_CTR]
            }
            CipherPreference::Emulated => {
                &[CHACHA20_POLY1305, AES_128_GCM, AES_256_GCM, AES_128_CTR, AES_192_CTR, AES_256_CTR]
            }
        }));
    }
    let known = cipher::ALL_CIPHERS.iter().filter(|name| !matches!(name.as_ref(), "none" | "clear"));
    let known: Vec<cipher::Name> = known.map(|name| **name).collect();
    choose("ciphers", &options.ciphers, &known).map(Cow::Owned)
}

fn key_exchanges(options: &ConnectOptions) -> Result<Cow<'static, [kex::Name]>> {
    if options.key_exchanges.is_empty() {
        return Ok(Preferred::DEFAULT.kex);
    }
    let known = kex::ALL_KEX_ALGORITHMS.iter().filter(|name| name.as_ref() != "none");
    let known: Vec<kex::Name> = known.map(|name| **name).collect();
    let mut chosen = choose("key_exchanges", &options.key_exchanges, &known)?;
    chosen.extend([kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT]);
    Ok(Cow::Owned(chosen))
}

/// The wanted names that we have, in the wanted order; it is an error if none is left.
fn choose<N: Copy + AsRef<str>>(option: &'static str, wanted: &[String], known: &[N]) -> Result<Vec<N>> {
    let chosen: Vec<N> = wanted
        .iter()
        .filter_map(|want| known.iter().find(|name| name.as_ref() == want.trim()).copied())
        .collect();
    if chosen.is_empty() {
        let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
        return Err(Error::Option {
            option,
            reason: format!("none of {} is supported; use one of {}", wanted.join(", "), known.join(", ")),
        });
    }
    Ok(chosen)
}
