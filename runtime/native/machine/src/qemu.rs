//! Virtual machines under QEMU: [`Vm::start`] turns a [`MachineSpec`] into a running [`Vm`].
//!
//! ```text
//!  spec ──start──▶ running ──SHUTDOWN event / exit──▶ stopped (Stop says why)
//!    ▲               │ ▲ reset, keys, screenshots
//!    └─port taken────┘
//! ```
//! kiln listens on a socket in the private run directory and QEMU connects to it, so the connection is
//! the news that QEMU is there, and its first answer that the machine was built. Invariant: a `Vm` that
//! is dropped kills its QEMU; one that runs has exactly one control connection.

mod accelerator;
mod arguments;
mod firmware;
mod ports;
mod screen;
mod serial;
mod spec;
mod start;
mod stop;
mod tpm;
mod typing;

pub use firmware::efi_firmware;
pub(crate) use ports::random_below;
pub use screen::StillScreen;
pub use spec::{Accelerator, Disk, Display, Efi, MachineSpec, Network, Ports, RawArguments, Vnc};
pub use stop::{DiskTrouble, Stop};
pub use tpm::Tpm;

use crate::process::{Process, ProcessError};
use crate::qmp::{Qmp, QmpError};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use stop::Facts;

/// Why something with a machine failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VmError {
    /// QEMU ended before the machine ran.
    #[error("qemu ended before the machine ran ({exit}): {log}")]
    EarlyExit {
        /// How it ended.
        exit: crate::process::Exit,
        /// What it said, the last 4 KiB.
        log: String,
    },
    /// No free port.
    #[error("no free port between {low} and {high}; end what uses them or give a wider range")]
    NoFreePort {
        /// Range, inclusive.
        low: u16,
        /// Range, inclusive.
        high: u16,
    },
    /// A port below 5900 cannot be told to QEMU.
    #[error("vnc ports start at 5900, not {0}")]
    VncPort(u16),
    /// `qemuargs` could not be rendered.
    #[error("{0}")]
    RawArguments(String),
    /// A TPM was wanted.
    #[error("no tpm: {0}")]
    Tpm(String),
    /// Firmware files.
    #[error("{0}")]
    Firmware(String),
    /// QEMU could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The control connection failed or refused.
    #[error(transparent)]
    Qmp(#[from] QmpError),
    /// The run directory cannot be used.
    #[error("the machine's run directory cannot be used: {0}")]
    RunDirectory(std::io::Error),
    /// QEMU neither ended nor ran.
    #[error("qemu did not start the machine within {0:?}")]
    StartTimeout(Duration),
    /// A picture of the screen could not be made.
    #[error("no picture of the screen: {0}")]
    Screen(String),
    /// No such medium.
    #[error("the machine has no {0} to eject")]
    NoMedium(&'static str),
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// A removable medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediumKind {
    /// The CDs.
    Cdrom,
    /// The floppy.
    Floppy,
}

/// A started machine.
#[derive(Debug)]
pub struct Vm {
    process: Process,
    tpm: Option<Process>,
    qmp: Qmp,
    facts: tokio::sync::watch::Receiver<Facts>,
    ports: Ports,
    arguments: Vec<String>,
    run_directory: PathBuf,
    serial: PathBuf,
    log: PathBuf,
    pictures: std::sync::atomic::AtomicU64,
}

impl Vm {
    /// QEMU's process: its pid and start time belong in the journal.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The arguments that QEMU was started with, without its name.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The ports chosen.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Where on this host the guest's TCP port is reached; none if it is not forwarded.
    pub fn endpoint(&self, guest_port: u16) -> Option<SocketAddr> {
        let (host, _) = self.ports.forwarded.iter().find(|(_, guest)| *guest == guest_port)?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, *host)))
    }

    /// Presses the power button (ACPI); the guest decides.
    ///
    /// # Errors
    /// [`VmError::Qmp`].
    pub async fn request_shutdown(&self) -> Result<(), VmError> {
        Ok(self.qmp.execute("system_powerdown", Value::Null).await.map(drop)?)
    }

    /// Presses reset.
    ///
    /// # Errors
    /// [`VmError::Qmp`].
    pub async fn reset(&self) -> Result<(), VmError> {
        Ok(self.qmp.execute("system_reset", Value::Null).await.map(drop)?)
    }

    /// Runs any QMP command; `arguments` is an object or null.
    ///
    /// # Errors
    /// [`VmError::Qmp`].
    pub async fn monitor(&self, command: &str, arguments: Value) -> Result<Value, VmError> {
        Ok(self.qmp.execute(command, arguments).await?)
    }

    /// The control connection, for events and the schema.
    pub fn qmp(&self) -> &Qmp {
        &self.qmp
    }

    /// Takes the media of this kind out, even if the guest locked them.
    ///
    /// # Errors
    /// [`VmError::NoMedium`] or [`VmError::Qmp`].
    pub async fn eject(&self, kind: MediumKind) -> Result<(), VmError> {
        let drives = self.qmp.execute("query-block", Value::Null).await?;
        let text =
            |drive: &Value, key: &str| drive.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut found = false;
        for drive in drives.as_array().into_iter().flatten() {
            let names = format!("{} {}", text(drive, "device"), text(drive, "qdev"));
            let floppy = names.contains("floppy");
            let removable = drive.get("removable").and_then(Value::as_bool) == Some(true);
            if !removable || drive.get("inserted").is_none() || floppy != (kind == MediumKind::Floppy) {
                continue;
            }
            let arguments = match text(drive, "qdev") {
                id if id.is_empty() => json!({ "device": text(drive, "device"), "force": true }),
                id => json!({ "id": id, "force": true }),
            };
            self.qmp.execute("eject", arguments).await?;
            found = true;
        }
        let name = if kind == MediumKind::Floppy { "floppy" } else { "cd" };
        if found { Ok(()) } else { Err(VmError::NoMedium(name)) }
    }

    /// Lets the machine outlive kiln (`-on-error=abort`).
    pub fn release(&self) {
        self.process.release();
        if let Some(tpm) = &self.tpm {
            tpm.release();
        }
    }
}

/// The end of QEMU's own log, 4 KiB at most, for error messages.
pub(crate) fn log_tail(path: &Path) -> String {
    let bytes = serial::tail(path, 4096).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
