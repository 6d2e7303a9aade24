//! Every environment variable that kiln reads. No other file reads the environment.
#![expect(clippy::disallowed_methods, reason = "the one file that reads the environment")]

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The log goes to standard error, unless it is empty or `0`.
pub(crate) const LOG: &str = "PACKER_LOG";
/// The file that the log goes to instead.
pub(crate) const LOG_PATH: &str = "PACKER_LOG_PATH";
/// Where downloads and compiled components are kept.
pub(crate) const CACHE_DIR: &str = "PACKER_CACHE_DIR";
/// No colours.
pub(crate) const PACKER_NO_COLOR: &str = "PACKER_NO_COLOR";
/// No colours, as many programs take it.
pub(crate) const NO_COLOR: &str = "NO_COLOR";
/// What the terminal can do.
pub(crate) const TERM: &str = "TERM";
/// The id of the run; made if it is not set.
pub(crate) const RUN_UUID: &str = "PACKER_RUN_UUID";
/// Name and meaning of each, for the reference.
pub(crate) const ALL: [(&str, &str); 33] = [
    (LOG, "any value but empty and `0`: the log goes to standard error"),
    (LOG_PATH, "a file for the log, if `PACKER_LOG` is set"),
    (CACHE_DIR, "where downloads and compiled components are kept; relative to the working directory"),
    (PACKER_NO_COLOR, "no colours"),
    (NO_COLOR, "no colours"),
    (TERM, "`dumb` or not set: plain lines instead of live lanes"),
    (
        RUN_UUID,
        "the id of the run; made if it is not set. Programs that steps run get it under the same name",
    ),
    ("PKR_VAR_name", "the value of the variable `name`"),
    ("VAULT_TOKEN", "the token for the function `vault`; without it Vault is not asked"),
    ("VAULT_ADDR", "Vault's address; `https://127.0.0.1:8200` if it is not set"),
    ("VAULT_NAMESPACE", "Vault's namespace"),
    ("VAULT_CACERT", "a PEM file with the certificate authority of Vault's server"),
    ("CONSUL_HTTP_ADDR", "Consul's address for the function `consul_key`; without it Consul is not asked"),
    ("CONSUL_HTTP_TOKEN", "the token for Consul"),
    ("CONSUL_HTTP_SSL", "`true` if an address without `https://` is one of a TLS server"),
    ("CONSUL_CACERT", "a PEM file with the certificate authority of Consul's server"),
    ("CONSUL_NAMESPACE, CONSUL_DATACENTER", "where in Consul a key is"),
    (
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        "the credentials for `aws_secretsmanager`; without them AWS is not asked",
    ),
    ("AWS_REGION, AWS_DEFAULT_REGION", "the region of the secrets"),
    (
        "AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL, AWS_CA_BUNDLE",
        "another address of AWS Secrets Manager, and a PEM file with its certificate authority",
    ),
    (
        "PACKER_KEY_INTERVAL",
        "the time between the keys of a boot command, if `boot_key_interval` is not written",
    ),
    ("SSH_AUTH_SOCK", "the agent, for `ssh_agent_auth` and `ssh_disable_agent_forwarding = false`"),
    ("DISPLAY, WAYLAND_DISPLAY", "a window of QEMU needs one of them; without, machines are headless"),
    ("XDG_CACHE_HOME", "instead of `~/.cache`"),
    ("XDG_STATE_HOME", "instead of `~/.local/state`, for approvals and the journal of what must be undone"),
    ("HOME", "the user's home directory"),
    ("PATH", "where the programs are that steps run: QEMU, qemu-img, and what was granted"),
    ("TMPDIR", "where temporary files are made"),
    ("PACKER_CONFIG, PACKER_CONFIG_DIR", "accepted and not used: kiln has no configuration of its own there"),
    ("PACKER_PLUGIN_PATH", "accepted and not used: third-party components are named in `kiln.toml`"),
    ("PACKER_PLUGIN_MIN_PORT, PACKER_PLUGIN_MAX_PORT", "accepted and not used: components are no processes"),
    ("CHECKPOINT_DISABLE", "accepted and not needed: kiln reports nothing to anybody"),
    ("HCP_*", "accepted and not used: there is no HCP registry"),
];

/// A variable's text; `None` if it is not set or is not Unicode.
pub(crate) fn text(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether a variable is set to anything but nothing.
pub(crate) fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// A variable that holds a path; `None` if it is not set or empty.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The value of [`LOG`] as Packer reads it.
pub(crate) fn wants_log() -> bool {
    text(LOG).is_some_and(|value| !value.is_empty() && value != "0")
}

/// All variables that are Unicode, for programs that were granted some of them.
pub(crate) fn everything() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The working directory; `.` if the system does not say.
pub(crate) fn working_directory() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}
