//! Virtual machines and child processes for kiln-host. Knows no Wasm, no templates, no SSH.
//!
//! | What | Where to begin |
//! |---|---|
//! | programs that end with kiln, even after `kill -9` | [`Spawner::start`], [`Spawner::spawn`], [`Spawner::run`], [`supervise`], [`kill_recorded`] |
//! | machines | [`MachineSpec`] → [`Vm::start`] → [`Vm`] |
//! | boot commands | [`BootCommand::parse`] → [`Vm::type_boot_command`] |
//! | disk images | [`QemuImg`] |
//! | CDs and floppies | [`write_iso`], [`floppy_image`] |
//! | answers for installers over HTTP | [`HttpServer::start`] |
//! | QEMU's control protocol | [`Qmp`] |
//!
//! Rules that hold everywhere: nothing is inherited from kiln's environment, the caller gives it;
//! whatever is dropped is ended (`Vm`, `Process`, `HttpServer`); what may wait takes a
//! `CancellationToken` or may be dropped; nothing sleeps where an event tells; the guest's output, the
//! machine's answers and the network's requests are bounded.
//!
//! A build's machine, in short:
//!
//! ```no_run
//! # use kiln_machine::*;
//! # async fn build(cancel: tokio_util::sync::CancellationToken) -> Result<(), Box<dyn std::error::Error>> {
//! let spawner = Spawner::start(Some(("kiln".as_ref(), &["supervise"])))?; // once per kiln
//! let spec = MachineSpec {
//!     name: "packer-debian".into(),
//!     run_directory: "run".into(),
//!     disks: vec![Disk { path: "output/packer-debian".into(), format: "qcow2".into() }],
//!     network: Network::User { guest_ports: vec![22], host_ports: 2222..=4444 },
//!     ..MachineSpec::default()
//! };
//! let vm = Vm::start(&spec, &spawner, &cancel).await?;
//! let ssh = vm.endpoint(22);
//! vm.request_shutdown().await?;
//! assert_eq!(vm.wait_stopped().await, Stop::Guest);
//! # Ok(()) }
//! ```

mod boot_command;
mod http_server;
mod media;
mod process;
mod qemu;
mod qemu_img;
mod qmp;

pub use boot_command::{BootCommand, BootCommandError, Input};
pub use http_server::{HttpContent, HttpServer, HttpServerError, HttpServerOptions, ServedRequest};
pub use media::{IsoOptions, MediaError, MediaFile, OpenFile, floppy_image, write_iso};
pub use process::{
    Chunk, Exit, Finished, Output, Process, ProcessError, Program, RunLimits, Spawner, Stdin, kill_recorded,
    supervise,
};
pub use qemu::{
    Accelerator, Disk, DiskTrouble, Display, Efi, MachineSpec, MediumKind, Network, Ports, RawArguments,
    StillScreen, Stop, Tpm, Vm, VmError, Vnc, efi_firmware,
};
pub use qemu_img::{Compression, Convert, ImageError, ImageInfo, QemuImg};
pub use qmp::{Event, Qmp, QmpError, Schema};
