//! Judges the keys of servers during one session.
//!
//! Main type: [`KnownKey`], shared by all connections of a session. A key is pinned when its server has let us in, not
//! when it is first seen: machines make their host keys while they boot, and sshd may restart between two attempts.

use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::{HashAlg, PublicKey};

use crate::error::{Error, Result};
use crate::options::HostKeyPolicy;

/// See the module's text.
#[derive(Debug, Clone)]
pub(crate) struct KnownKey(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    any: bool,
    pinned: Option<PublicKey>,
    seen: Option<PublicKey>,
    mismatch: Option<(String, String)>,
}

impl KnownKey {
    pub(crate) fn new(policy: &HostKeyPolicy) -> Result<Self> {
        let pinned = match policy {
            HostKeyPolicy::Pinned(text) => Some(parse(text)?),
            HostKeyPolicy::TrustOnFirstUse | HostKeyPolicy::AcceptAny => None,
        };
        let any = *policy == HostKeyPolicy::AcceptAny;
        Ok(Self(Arc::new(Mutex::new(Inner { any, pinned, seen: None, mismatch: None }))))
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the server with this key may be talked to.
    pub(crate) fn judge(&self, key: &PublicKey) -> bool {
        let mut inner = self.inner();
        inner.seen = Some(key.clone());
        let expected = inner.pinned.as_ref().filter(|pinned| pinned.key_data() != key.key_data());
        let mismatch = match expected {
            Some(expected) if !inner.any => Some((fingerprint(expected), fingerprint(key))),
            _ => None,
        };
        let fine = mismatch.is_none();
        inner.mismatch = mismatch;
        fine
    }

    /// The error for the last key if it was refused.
    pub(crate) fn refusal(&self) -> Option<Error> {
        self.inner().mismatch.clone().map(|(expected, got)| Error::HostKey { expected, got })
    }

    /// The server with the last key let us in: from now on it is the only one (unless any is taken).
    pub(crate) fn pin(&self) {
        let mut inner = self.inner();
        if inner.pinned.is_none() {
            inner.pinned = inner.seen.clone();
        }
    }

    /// Forgets the pinned key, so that the next connection may show another.
    pub(crate) fn forget(&self) {
        self.inner().pinned = None;
    }

    /// The pinned key as a line of `known_hosts` form, without the host.
    pub(crate) fn line(&self) -> Option<String> {
        let inner = self.inner();
        inner.pinned.as_ref().or(inner.seen.as_ref()).and_then(|key| key.to_openssh().ok())
    }
}

fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn parse(text: &str) -> Result<PublicKey> {
    PublicKey::from_openssh(text.trim()).map_err(|error| Error::Option {
        option: "host_key",
        reason: format!("not a public key line such as `ssh-ed25519 AAAA…` ({error})"),
    })
}
