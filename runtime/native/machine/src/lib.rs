//! virtual machines: QEMU, media, boot commands, processes that end with kiln.
mod boot_command;
mod process;
mod qmp;

pub use boot_command::{BootCommand, BootCommandError, Input};
pub use process::{
    Chunk, Exit, Finished, Output, Process, ProcessError, Program, RunLimits, Spawner, kill_recorded,
    supervise,
};
pub use qmp::{Event, Qmp, QmpError, Schema};
