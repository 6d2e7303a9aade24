//! Boot commands: when to begin typing, and typing.

use super::say;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::capability::hypervisor::{stopped_words, vm_error};
use crate::configuration::StepConfiguration;
use crate::error::{CallResult, fail};
use crate::groups::Options;
use crate::state::StepCtx;
use kiln_machine::{BootCommand, StillScreen};
use kiln_plan::{EventBody, SignedDuration};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The longest wait for a still screen; Packer's own wait.
const BOOT_WAIT: Duration = Duration::from_secs(10);
/// How long a still screen must stand.
const STILL: Duration = Duration::from_millis(1500);
/// The same before a machine whose processors sleep.
const ASLEEP: Duration = Duration::from_millis(400);

/// Packer's variable for the time between keys.
const KEY_INTERVAL: &str = "PACKER_KEY_INTERVAL";

/// Types the boot command, if there is one.
pub(super) async fn boot_command(
    step: &Arc<StepCtx>,
    configuration: &Arc<StepConfiguration>,
    vm: &kiln_machine::Vm,
    late: &str,
    cancel: &CancellationToken,
) -> CallResult<()> {
    let options = Options(configuration);
    let parts = parts(options);
    if parts.is_empty() || options.flag("disable_vnc") {
        return Ok(());
    }
    // Everything is rendered and parsed before the first key.
    let mut commands = Vec::new();
    for (keys, title) in parts {
        let text = step.build.vault.unseal(&configuration.render_late(&keys, late)?);
        let name = if options.rows("boot_steps").is_empty() { "boot_command" } else { "boot_steps" };
        let command = BootCommand::parse(&text).map_err(|e| options.wrong(name, &e.to_string()))?;
        commands.push((command, title));
    }
    wait(step, options, vm).await?;
    say(step, "Typing the boot command...");
    let interval = key_interval(step, options)?;
    let began = Instant::now();
    for (command, title) in commands {
        if let Some(title) = title {
            say(step, title);
        }
        tokio::select! {
            biased;
            typed = vm.type_boot_command(&command, interval, cancel, |_| ()) => typed.map_err(|e| vm_error(&e))?,
            stop = vm.wait_stopped() => {
                return Err(fail(ErrorCode::Ended, format!("{} while its boot command was typed", stopped_words(&stop))));
            }
        }
    }
    step.emit(EventBody::Span { name: "type".into(), elapsed: began.elapsed() });
    Ok(())
}

/// The time between keys: what the template says, then what Packer's variable says, else the pace that
/// the machine keeps.
fn key_interval(step: &StepCtx, options: Options<'_>) -> CallResult<Option<Duration>> {
    if options.is_written("boot_key_interval") {
        return options.duration("boot_key_interval");
    }
    let Some(text) = step.build.options().environment.get(KEY_INTERVAL).filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    match kiln_plan::parse_duration(text) {
        Ok(SignedDuration::Positive(interval)) => Ok(Some(interval)),
        Ok(SignedDuration::Negative(_)) => Ok(Some(Duration::ZERO)),
        Err(problem) => Err(fail(ErrorCode::Invalid, format!("{KEY_INTERVAL}: {problem}"))),
    }
}

/// The keys with the description of each step; one part of them all for `boot_command`.
fn parts(options: Options<'_>) -> Vec<(String, Option<String>)> {
    let steps = options.rows("boot_steps");
    if !steps.is_empty() {
        return steps
            .into_iter()
            .map(|row| {
                let text = |at: usize| row.get(at).map(|text| (*text).to_owned());
                (text(0).unwrap_or_default(), text(1).filter(|title| !title.is_empty()))
            })
            .collect();
    }
    let keys = options.texts("boot_command").concat();
    if keys.is_empty() { Vec::new() } else { vec![(keys, None)] }
}

/// A written `boot_wait` is kept as it is; otherwise the screen decides, within Packer's 10 s.
async fn wait(step: &Arc<StepCtx>, options: Options<'_>, vm: &kiln_machine::Vm) -> CallResult<()> {
    let began = Instant::now();
    match options.signed("boot_wait")? {
        Some(SignedDuration::Negative(_)) => {}
        Some(SignedDuration::Positive(wait)) => {
            say(step, format!("Waiting {} s for boot...", wait.as_secs_f64()));
            tokio::time::sleep(wait).await;
        }
        None => {
            say(step, "Waiting for the boot screen to stand still...");
            let seen = vm.wait_for_still_screen(STILL, ASLEEP, BOOT_WAIT).await.map_err(|e| vm_error(&e))?;
            if let StillScreen::Still(elapsed) = seen {
                // The machine had ended its part before we were sure of it: for the benchmarks' idle time.
                step.emit(EventBody::Span { name: "still".into(), elapsed });
            }
        }
    }
    step.emit(EventBody::Span { name: "boot-wait".into(), elapsed: began.elapsed() });
    Ok(())
}
