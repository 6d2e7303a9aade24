//! The small guest that `cargo xtask` makes from Debian packages.

use crate::made;
use std::path::PathBuf;

/// A bootable disk image, and the key that logs in as `kiln`.
pub struct Guest {
    /// qcow2.
    pub disk: PathBuf,
    /// Private key of the user `kiln`, who may use sudo.
    pub key: PathBuf,
    /// Installer ISO of the same guest.
    pub iso: PathBuf,
}

impl Guest {
    /// The guest with OpenSSH.
    ///
    /// # Panics
    /// If it has not been made yet.
    pub fn tiny() -> Self {
        let file = |name: &str| made(&format!("guests/{name}"), "cargo xtask test bad_day");
        Self { disk: file("tiny.qcow2"), key: file("id_ed25519"), iso: file("tiny.iso") }
    }

    /// A `qemu` source named `vm` that boots it; `more` is added to its options.
    pub fn source(&self, more: &str) -> String {
        format!(
            r#"source "qemu" "vm" {{
  iso_url              = "{}"
  iso_checksum         = "none"
  disk_image           = true
  format               = "qcow2"
  accelerator          = "tcg"
  headless             = true
  ssh_username         = "kiln"
  ssh_private_key_file = "{}"
  ssh_timeout          = "3m"
  shutdown_command     = "sudo poweroff"
  {more}
}}
"#,
            self.disk.display(),
            self.key.display()
        )
    }
}
