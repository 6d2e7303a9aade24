//! The group `communicator@1`: how a machine is reached, as [`kiln_ssh::ConnectOptions`].

use super::Options;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::build::BuildInner;
use crate::designation::{self, Found};
use crate::error::{CallResult, fail_at};
use kiln_plan::{Schema, SignedDuration, Value};
use kiln_ssh::{Bastion, CipherPreference, ConnectOptions, HostKeyPolicy, KeyKind, Login, Method, Proxy};
use std::path::PathBuf;
use std::time::Duration;

/// A private key has at most so many bytes.
const MAX_KEY: usize = 1 << 20;

/// Communicators that this host has.
pub const COMMUNICATORS: [&str; 2] = ["ssh", "none"];

/// One that templates may ask for and this host does not have yet.
const MISSING: &str = "winrm";

/// The communicator that a step's options ask for and this host does not have; `None` also while it
/// is not known.
pub(crate) fn missing(schema: &Schema, options: &Value) -> Option<String> {
    let includes = schema.groups.iter().any(|group| group == "communicator@1");
    let asked = options.as_map()?.get("communicator")?.as_text()?;
    (includes && asked == MISSING).then(|| asked.to_owned())
}

/// Whether the machine is reached by SSH; `false` if not at all.
pub(crate) fn wants_ssh(options: Options<'_>) -> CallResult<bool> {
    match options.text("communicator") {
        None | Some("ssh") => Ok(true),
        Some("none") => Ok(false),
        Some(other) => Err(options.wrong("communicator", &format!("kiln has no communicator `{other}`"))),
    }
}

/// What the builder made for the login, beside the options.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) private_key: Option<String>,
    pub(crate) password: Option<String>,
}

/// How to reach the machine at `host:port`. Reads key files, so it blocks on disks.
pub(crate) fn connect_options(
    build: &BuildInner,
    options: Options<'_>,
    host: &str,
    port: u16,
    made: Made,
) -> CallResult<ConnectOptions> {
    let user = options
        .text("ssh_username")
        .ok_or_else(|| options.wrong("ssh_username", "`ssh_username` must be set"))?;
    let login = Login {
        user: user.to_owned(),
        password: options.string("ssh_password").or(made.password),
        private_key: match key_file(build, options, "ssh_private_key_file")? {
            Some(key) => Some(key),
            None => options.string("ssh_private_key").or(made.private_key),
        },
        certificate: key_file(build, options, "ssh_certificate_file")?,
        agent: agent(build, options, "ssh_agent_auth")?,
    };
    let mut connect = ConnectOptions::new(host, port, login);
    connect.bastion = bastion(build, options)?;
    connect.proxy = proxy(options)?;
    // The machine is this build's own, or one that the user named: its first key is the only one.
    connect.host_key = HostKeyPolicy::TrustOnFirstUse;
    let timeout = options.duration("ssh_wait_timeout")?.or(options.duration("ssh_timeout")?);
    connect.timeouts.total = timeout.filter(|t| !t.is_zero()).unwrap_or(Duration::from_secs(300));
    connect.timeouts.keep_alive = match options.signed("ssh_keep_alive_interval")? {
        Some(SignedDuration::Negative(_)) => None,
        Some(SignedDuration::Positive(every)) if !every.is_zero() => Some(every),
        _ => Some(Duration::from_secs(5)),
    };
    connect.timeouts.read_write = options.duration("ssh_read_write_timeout")?.filter(|t| !t.is_zero());
    let attempts: u32 = options.number("ssh_handshake_attempts")?;
    connect.handshake_attempts = if attempts == 0 { 10 } else { attempts };
    connect.ciphers = options.texts("ssh_ciphers").into_iter().map(str::to_owned).collect();
    connect.key_exchanges =
        options.texts("ssh_key_exchange_algorithms").into_iter().map(str::to_owned).collect();
    connect.pty = options.flag("ssh_pty");
    if options.is_false("ssh_disable_agent_forwarding") {
        connect.forward_agent = agent_socket(build);
    }
    connect.remote_tunnels = tunnels(options, "ssh_remote_tunnels")?;
    connect.local_tunnels = tunnels(options, "ssh_local_tunnels")?;
    connect.cancel = build.cancel.child_token();
    Ok(connect)
}

/// The cipher that is fast where the other end's processor is emulated.
pub(crate) fn prefer_for_emulation(connect: &mut ConnectOptions) {
    connect.cipher_preference = CipherPreference::Emulated;
}

/// Which way files go; the fastest that the machine has unless it is written.
pub(crate) fn transfer_method(options: Options<'_>) -> Method {
    match options.text("ssh_file_transfer_method") {
        Some("sftp") => Method::Sftp,
        Some("scp") => Method::Scp,
        _ => Method::Auto,
    }
}

/// The kind of key pair that the build makes for itself.
pub(crate) fn key_kind(options: Options<'_>) -> CallResult<KeyKind> {
    let bits: u16 = options.number("temporary_key_pair_bits")?;
    let or = |usual: u16| if bits == 0 { usual } else { bits };
    match options.text("temporary_key_pair_type") {
        None | Some("ed25519") => Ok(KeyKind::Ed25519),
        Some("rsa") => Ok(KeyKind::Rsa { bits: or(4096) }),
        Some("ecdsa") => Ok(KeyKind::Ecdsa { bits: or(256) }),
        Some(other) => {
            let message = format!("there is no key type `{other}`; write `ed25519`, `rsa` or `ecdsa`");
            Err(options.wrong("temporary_key_pair_type", &message))
        }
    }
}

fn bastion(build: &BuildInner, options: Options<'_>) -> CallResult<Option<Bastion>> {
    let Some(host) = options.text("ssh_bastion_host") else { return Ok(None) };
    let user = options.string("ssh_bastion_username").or_else(|| options.string("ssh_username"));
    let key = match key_file(build, options, "ssh_bastion_private_key_file")? {
        Some(key) => Some(key),
        None => key_file(build, options, "ssh_private_key_file")?,
    };
    let login = Login {
        user: user.unwrap_or_default(),
        password: options.string("ssh_bastion_password"),
        private_key: key,
        certificate: key_file(build, options, "ssh_bastion_certificate_file")?,
        agent: agent(build, options, "ssh_bastion_agent_auth")?,
    };
    let port: u16 = options.number("ssh_bastion_port")?;
    let port = if port == 0 { 22 } else { port };
    Ok(Some(Bastion { host: host.to_owned(), port, login, host_key: HostKeyPolicy::TrustOnFirstUse }))
}

fn proxy(options: Options<'_>) -> CallResult<Option<Proxy>> {
    let Some(host) = options.text("ssh_proxy_host") else { return Ok(None) };
    let port: u16 = options.number("ssh_proxy_port")?;
    let login = options
        .string("ssh_proxy_username")
        .map(|user| (user, options.string("ssh_proxy_password").unwrap_or_default()));
    Ok(Some(Proxy { host: host.to_owned(), port: if port == 0 { 1080 } else { port }, login }))
}

fn tunnels(options: Options<'_>, name: &str) -> CallResult<Vec<kiln_ssh::Tunnel>> {
    options
        .texts(name)
        .into_iter()
        .map(|text| text.parse().map_err(|e| options.wrong(name, &format!("{e}"))))
        .collect()
}

/// The text of a key file that the template names. It stays in the host.
fn key_file(build: &BuildInner, options: Options<'_>, name: &str) -> CallResult<Option<String>> {
    if options.text(name).is_none() {
        return Ok(None);
    }
    let pointer = format!("/{name}");
    let designated = designation::find(options.0, &pointer)?;
    match designation::open_key(build, &designated)? {
        Found::File(file) => {
            let bytes = file.whole(MAX_KEY)?;
            let text = String::from_utf8(bytes)
                .map_err(|_| fail_at(ErrorCode::Invalid, &pointer, format!("`{name}` is no text")))?;
            Ok(Some(text))
        }
        Found::Directory(..) => {
            Err(fail_at(ErrorCode::Invalid, &pointer, format!("`{name}` is a directory")))
        }
    }
}

fn agent(build: &BuildInner, options: Options<'_>, name: &str) -> CallResult<Option<PathBuf>> {
    if !options.flag(name) {
        return Ok(None);
    }
    let socket = agent_socket(build);
    socket.map(Some).ok_or_else(|| options.wrong(name, "there is no SSH agent; SSH_AUTH_SOCK is not set"))
}

fn agent_socket(build: &BuildInner) -> Option<PathBuf> {
    build.options().environment.get("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from)
}
