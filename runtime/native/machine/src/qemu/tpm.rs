//! A software TPM: the `swtpm` program beside QEMU, one per start of a machine.

#![expect(clippy::disallowed_methods, reason = "the TPM's state directory is made here")]

use super::VmError;
use super::spec::MachineSpec;
use crate::process::{Output, Process, ProcessError, Program, Spawner};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `vtpm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tpm {
    /// `tpm_device_type`, such as `tpm-tis`.
    pub device: String,
    /// `use_tpm1`.
    pub version1: bool,
}

/// Starts swtpm; gives it and the socket for QEMU once that exists.
pub(super) async fn start(
    spec: &MachineSpec,
    tpm: &Tpm,
    spawner: &Spawner,
) -> Result<(Process, PathBuf), VmError> {
    let state = spec.run_directory.join("tpm");
    let socket = spec.run_directory.join("tpm.sock");
    let log = spec.run_directory.join("swtpm.log");
    std::fs::create_dir_all(&state).map_err(VmError::RunDirectory)?;
    let mut args = vec![
        "socket".to_owned(),
        "--tpmstate".into(),
        format!("dir={}", state.display()),
        "--ctrl".into(),
        format!("type=unixio,path={}", socket.display()),
        "--terminate".into(),
    ];
    if !tpm.version1 {
        args.push("--tpm2".into());
    }
    let mut program = Program::new("swtpm", args);
    program.env.clone_from(&spec.env);
    program.output = Output::Log(log.clone());
    program.releasable = true;
    let process = spawner.spawn(program).await.map_err(|error| match error {
        ProcessError::NotFound(_) => {
            VmError::Tpm("`swtpm` is not installed (`apt-get install swtpm`)".into())
        }
        other => VmError::Process(other),
    })?;
    tokio::select! {
        exit = process.wait() => Err(VmError::Tpm(format!("swtpm ended: {exit}; {}", super::log_tail(&log)))),
        made = tokio::time::timeout(Duration::from_secs(10), appears(&socket)) => match made {
            Ok(()) => Ok((process, socket)),
            Err(_) => Err(VmError::Tpm("swtpm made no socket within 10 s".into())),
        },
    }
}

/// swtpm tells nobody when it listens, and a trial connection would make it end.
async fn appears(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
