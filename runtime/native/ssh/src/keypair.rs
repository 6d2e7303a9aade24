//! Key pairs that live as long as a build, and reading the keys that users give.
//!
//! Main type: [`KeyPair`]. Nothing is written anywhere; the texts are the forms that `ssh-keygen` writes.

use russh::keys::ssh_key::private::{KeypairData, RsaKeypair};
use russh::keys::ssh_key::{self, LineEnding};
use russh::keys::{Algorithm, Certificate, EcdsaCurve, PrivateKey};

use crate::error::{Error, Result};

/// Which kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyKind {
    /// Made in microseconds, 256 bits.
    #[default]
    Ed25519,
    /// Takes seconds to make; bits from 2048 to 8192.
    Rsa {
        /// Size of the modulus.
        bits: u16,
    },
    /// NIST curves; bits are 256, 384 or 521.
    Ecdsa {
        /// Size of the curve.
        bits: u16,
    },
}

/// A new key pair.
#[derive(Clone)]
pub struct KeyPair {
    /// OpenSSH private key text, with a final newline.
    pub private: String,
    /// One line for `authorized_keys`, without a newline.
    pub public: String,
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

impl KeyPair {
    /// Makes a pair; blocks for up to seconds for large RSA keys, so call it on a thread that may block.
    ///
    /// # Errors
    /// [`Error::Option`] for a size that the kind does not have.
    pub fn generate(kind: KeyKind, comment: &str) -> Result<Self> {
        let size = |reason: &str| Error::Option { option: "key bits", reason: reason.into() };
        let mut rng = rand::rng();
        let made = match kind {
            KeyKind::Ed25519 => PrivateKey::random(&mut rng, Algorithm::Ed25519),
            KeyKind::Ecdsa { bits } => {
                let curve = match bits {
                    256 => EcdsaCurve::NistP256,
                    384 => EcdsaCurve::NistP384,
                    521 => EcdsaCurve::NistP521,
                    _ => return Err(size("an ECDSA key has 256, 384 or 521 bits")),
                };
                PrivateKey::random(&mut rng, Algorithm::Ecdsa { curve })
            }
            KeyKind::Rsa { bits } => {
                if !(2048..=8192).contains(&bits) {
                    return Err(size("an RSA key has 2048 to 8192 bits"));
                }
                RsaKeypair::random(&mut rng, usize::from(bits))
                    .and_then(|pair| PrivateKey::new(KeypairData::Rsa(pair), comment))
            }
        };
        let failed = |error: ssh_key::Error| Error::Ssh(russh::Error::SshKey(error));
        let mut key = made.map_err(failed)?;
        key.set_comment(comment);
        Ok(Self {
            private: key.to_openssh(LineEnding::LF).map_err(failed)?.to_string(),
            public: key.public_key().to_openssh().map_err(failed)?,
        })
    }
}

/// Reads a private key in OpenSSH or PEM form.
///
/// # Errors
/// [`Error::EncryptedKey`] if it has a passphrase, [`Error::Option`] if it is no key.
pub(crate) fn parse_private(text: &str) -> Result<PrivateKey> {
    if text.contains("Proc-Type: 4,ENCRYPTED") || text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        return Err(Error::EncryptedKey);
    }
    match russh::keys::decode_secret_key(text, None) {
        Ok(key) if key.is_encrypted() => Err(Error::EncryptedKey),
        Ok(key) => Ok(key),
        Err(russh::keys::Error::KeyIsEncrypted) => Err(Error::EncryptedKey),
        Err(error) => Err(Error::Option {
            option: "private_key",
            reason: format!("not a private key in OpenSSH or PEM form ({error})"),
        }),
    }
}

pub(crate) fn parse_certificate(text: &str) -> Result<Certificate> {
    Certificate::from_openssh(text.trim()).map_err(|error| Error::Option {
        option: "certificate",
        reason: format!("not an OpenSSH certificate ({error})"),
    })
}

/// The public line of a private key's text, as it would stand in `authorized_keys`.
///
/// # Errors
/// As reading the key.
pub fn public_of(private_key: &str) -> Result<String> {
    let key = parse_private(private_key)?;
    key.public_key().to_openssh().map_err(|error| Error::Ssh(russh::Error::SshKey(error)))
}
