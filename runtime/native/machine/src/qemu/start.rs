//! Starting a machine: ports, arguments, QEMU, control connection; again if a port was taken meanwhile.

use super::arguments::{Chosen, arguments};
use super::spec::{Accelerator, MachineSpec, Network, Ports};
use super::{Vm, VmError, accelerator, log_tail, ports, stop, tpm};
use crate::process::{Output, Program, Spawner};
use crate::qmp::Qmp;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

/// Other programs may take ports as fast as we choose them; not so often.
const ATTEMPTS: usize = 12;
/// From fork to a running machine. Allocating memory can take long, nothing else does.
const START: Duration = Duration::from_secs(120);

impl Vm {
    /// Starts the machine and returns as soon as it runs.
    ///
    /// # Errors
    /// [`VmError`]; what QEMU said is in [`VmError::EarlyExit`].
    pub async fn start(
        spec: &MachineSpec,
        spawner: &Spawner,
        cancel: &CancellationToken,
    ) -> Result<Self, VmError> {
        tokio::select! {
            started = Self::start_with_retries(spec, spawner, cancel) => started,
            () = cancel.cancelled() => Err(VmError::Cancelled),
        }
    }

    async fn start_with_retries(
        spec: &MachineSpec,
        spawner: &Spawner,
        cancel: &CancellationToken,
    ) -> Result<Self, VmError> {
        if *spec.vnc.ports.start() < 5900 {
            return Err(VmError::VncPort(*spec.vnc.ports.start()));
        }
        let accelerator = match &spec.accelerator {
            Accelerator::Probe => Some(accelerator::probe(spec, spawner, cancel).await.to_owned()),
            Accelerator::Unsaid => None,
            Accelerator::Named(name) => Some(name.clone()),
        };
        let mut attempt = 1;
        loop {
            match Self::start_once(spec, accelerator.as_deref(), spawner).await {
                Err(VmError::EarlyExit { log, .. }) if attempt < ATTEMPTS && port_was_taken(&log) => {
                    tracing::debug!(attempt, %log, "a port was taken between choice and start");
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn start_once(
        spec: &MachineSpec,
        accelerator: Option<&str>,
        spawner: &Spawner,
    ) -> Result<Self, VmError> {
        let at = |name: &str| spec.run_directory.join(name);
        let (control, serial, log) = (at("qmp"), at("serial.log"), at("qemu.log"));
        let ports = choose_ports(spec)?;
        let rows = spec.raw_arguments.rows(&ports).map_err(VmError::RawArguments)?;
        let (tpm, tpm_socket) = match &spec.tpm {
            Some(tpm) => {
                tpm::start(spec, tpm, spawner).await.map(|(process, at)| (Some(process), Some(at)))?
            }
            None => (None, None),
        };
        let arguments = arguments(
            spec,
            &Chosen {
                accelerator,
                ports: &ports,
                control: &control,
                serial: &serial,
                tpm_socket: tpm_socket.as_deref(),
                rows: &rows,
            },
        );
        let listener = listen(&control)?;
        let mut program = Program::new(&spec.binary, &arguments);
        program.env.clone_from(&spec.env);
        program.output = Output::Log(log.clone());
        program.releasable = true;
        let process = spawner.spawn(program).await?;
        let ended_early = |exit| VmError::EarlyExit { exit, log: log_tail(&log) };
        let connected = tokio::time::timeout(START, connect(&listener, spec));
        let qmp = tokio::select! {
            biased;
            exit = process.wait() => return Err(ended_early(exit)),
            qmp = connected => qmp.map_err(|_| VmError::StartTimeout(START))?,
        };
        remove(&control);
        let (qmp, events) = match qmp {
            Ok(qmp) => qmp,
            // The connection breaks a moment before the exit is seen.
            Err(error) => match tokio::time::timeout(Duration::from_secs(5), process.wait()).await {
                Ok(exit) => return Err(ended_early(exit)),
                Err(_) => return Err(error),
            },
        };
        let facts = stop::watch(events);
        // `-serial stdio` is what many templates say; then the console is in QEMU's own output.
        let stdio = rows
            .iter()
            .any(|row| matches!(row.as_slice(), [switch, port] if switch == "-serial" && port == "stdio"));
        let serial = if stdio { log.clone() } else { serial };
        tokio::spawn(super::serial::keep_small(serial.clone(), process.ending()));
        let run_directory = spec.run_directory.clone();
        let pictures = std::sync::atomic::AtomicU64::new(0);
        Ok(Self { process, tpm, qmp, facts, ports, arguments, run_directory, serial, log, pictures })
    }

    /// Kills the machine at once and waits until it is gone.
    pub async fn kill(&self) {
        self.process.kill_group(Duration::ZERO).await;
        if let Some(tpm) = &self.tpm {
            tpm.kill_group(Duration::ZERO).await;
        }
    }
}

type Connected = (Qmp, tokio::sync::broadcast::Receiver<crate::qmp::Event>);

/// Waits for QEMU to call, then until the machine exists, and sets what cannot be an argument.
async fn connect(listener: &UnixListener, spec: &MachineSpec) -> Result<Connected, VmError> {
    let (stream, _) = listener.accept().await.map_err(VmError::RunDirectory)?;
    let (qmp, events) = Qmp::negotiate(stream).await?;
    qmp.execute("query-status", Value::Null).await?;
    if let Some(password) = &spec.vnc.password {
        qmp.execute("set_password", json!({ "protocol": "vnc", "password": password })).await?;
    }
    Ok((qmp, events))
}

fn listen(control: &Path) -> Result<UnixListener, VmError> {
    remove(control);
    UnixListener::bind(control).map_err(|error| {
        let text = format!("{}: {error}", control.display());
        VmError::RunDirectory(std::io::Error::new(error.kind(), text))
    })
}

#[expect(clippy::disallowed_methods, reason = "the control socket of an earlier start is ours")]
fn remove(control: &Path) {
    let _ = std::fs::remove_file(control);
}

fn choose_ports(spec: &MachineSpec) -> Result<Ports, VmError> {
    let vnc = ports::free_port(spec.vnc.bind, &spec.vnc.ports, &[])?;
    let mut forwarded: Vec<(u16, u16)> = Vec::new();
    if let Network::User { guest_ports, host_ports } = &spec.network {
        for guest in guest_ports {
            let taken: Vec<u16> = forwarded.iter().map(|(host, _)| *host).chain([vnc]).collect();
            let host = ports::free_port(std::net::Ipv4Addr::LOCALHOST.into(), host_ports, &taken)?;
            forwarded.push((host, *guest));
        }
    }
    Ok(Ports { forwarded, vnc })
}

/// QEMU's words for a port that is in use; for VNC they name the address family's list first.
fn port_was_taken(log: &str) -> bool {
    let log = log.to_ascii_lowercase();
    log.contains("could not set up host forwarding")
        || log.contains("address already in use")
        || log.contains("failed to find an available port")
}
