//! Whether KVM works here: seen by starting a machine with it, once per process and binary.

use super::spec::MachineSpec;
use crate::process::{Program, RunLimits, Spawner, Stdin};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

static KNOWN: Mutex<Option<HashMap<PathBuf, bool>>> = Mutex::const_new(None);

/// `kvm` or `tcg`.
pub(super) async fn probe(spec: &MachineSpec, spawner: &Spawner, cancel: &CancellationToken) -> &'static str {
    let mut known = KNOWN.lock().await;
    let known = known.get_or_insert_with(HashMap::new);
    let works = match known.get(&spec.binary) {
        Some(works) => *works,
        None => {
            let works = device_opens() && starts(spec, spawner, cancel).await;
            if !cancel.is_cancelled() {
                known.insert(spec.binary.clone(), works);
            }
            works
        }
    };
    if works { "kvm" } else { "tcg" }
}

fn device_opens() -> bool {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok()
}

/// The device may open and still be unusable (no nesting, a sandbox that filters the calls), so let
/// the firmware run for a moment and ask whether the machine is still well.
async fn starts(spec: &MachineSpec, spawner: &Spawner, cancel: &CancellationToken) -> bool {
    let machine = format!("type={},accel=kvm", spec.machine_type);
    let args = ["-machine", &machine, "-m", "32M", "-nodefaults", "-display", "none", "-qmp", "stdio"];
    let mut program = Program::new(&spec.binary, args);
    program.env.clone_from(&spec.env);
    let commands =
        "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"query-status\"}\n{\"execute\":\"quit\"}\n";
    program.stdin = Stdin::Bytes(commands.into());
    let limits = RunLimits { timeout: Some(Duration::from_secs(10)), keep: 64 * 1024 };
    match spawner.run(program, limits, cancel).await {
        Ok(finished) => {
            let text = String::from_utf8_lossy(&finished.stdout);
            finished.exit.success() && text.contains("\"running\"") && text.contains("true")
        }
        Err(_) => false,
    }
}
