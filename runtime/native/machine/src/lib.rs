//! virtual machines: QEMU, media, boot commands, processes that end with kiln.
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
    Chunk, Exit, Finished, Output, Process, ProcessError, Program, RunLimits, Spawner, kill_recorded,
    supervise,
};
pub use qemu::{
    Accelerator, Disk, Display, Efi, MachineSpec, MediumKind, Network, Ports, RawArguments, StillScreen,
    Stop, Tpm, Vm, VmError, Vnc, efi_firmware,
};
pub use qemu_img::{Compression, Convert, ImageError, ImageInfo, QemuImg};
pub use qmp::{Event, Qmp, QmpError, Schema};
