//! Why a machine stopped: QMP's events and the end of the process, put together.

use super::{Vm, VmError, log_tail};
use crate::process::Exit;
use crate::qmp::Event;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Time for QEMU to flush and end after it said that it stops.
const ENDING: Duration = Duration::from_secs(60);

/// Why a machine stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The guest switched itself off.
    Guest,
    /// The guest restarted and QEMU was told not to (`-no-reboot`).
    GuestReset,
    /// The guest said that its kernel panicked.
    GuestPanic,
    /// [`Vm::power_off`] or [`Vm::kill`].
    Host,
    /// Somebody closed QEMU's window.
    Window,
    /// Somebody ended QEMU with this signal.
    Killed(i32),
    /// QEMU ended without a shutdown: what it said, 4 KiB at most.
    Crashed {
        /// How it ended.
        exit: Exit,
        /// QEMU's log.
        log: String,
    },
}

/// What events told so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// `reason` of the last SHUTDOWN.
    pub(crate) shutdown: Option<String>,
    /// How often the machine was reset.
    pub(crate) resets: u64,
    /// Why QEMU holds the machine still: a disk of this host refused what the guest wrote.
    pub(crate) disk: Option<DiskTrouble>,
}

/// A disk of this host refused what the guest wrote, and QEMU holds the machine still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskTrouble {
    /// Whether there is no space left.
    pub is_full: bool,
    /// The system's words.
    pub reason: String,
}

/// Follows the events until the connection ends.
pub(super) fn watch(mut events: broadcast::Receiver<Event>) -> watch::Receiver<Facts> {
    let (send, receive) = watch::channel(Facts::default());
    tokio::spawn(async move {
        loop {
            match events.recv().await {
                Ok(event) => send.send_modify(|facts| note(facts, &event)),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    });
    receive
}

fn note(facts: &mut Facts, event: &Event) {
    match event.name.as_str() {
        "SHUTDOWN" => {
            let reason = event.data.get("reason").and_then(Value::as_str).unwrap_or("guest-shutdown");
            facts.shutdown = Some(reason.to_owned());
        }
        "BLOCK_IO_ERROR" if event.data.get("action").and_then(Value::as_str) == Some("stop") => {
            let reason = event.data.get("reason").and_then(Value::as_str).unwrap_or("input/output error");
            let is_full = event.data.get("nospace").and_then(Value::as_bool).unwrap_or(false);
            facts.disk = Some(DiskTrouble { is_full, reason: reason.to_owned() });
        }
        "RESET" => facts.resets = facts.resets.saturating_add(1),
        _ => {}
    }
}

impl Vm {
    /// Waits until the machine stopped and QEMU is gone. Without a bound of its own: combine it with a
    /// timeout or a cancel; dropping the future changes nothing.
    pub async fn wait_stopped(&self) -> Stop {
        let mut facts = self.facts.clone();
        let exit = tokio::select! {
            exit = self.process.wait() => exit,
            // With -no-shutdown QEMU stays; a closed connection leaves the exit to wait for. The guard
            // that the watch gives is dropped at once: futures that hold it are not `Send`.
            true = async { facts.wait_for(|facts| facts.shutdown.is_some()).await.is_ok() } => {
                match tokio::time::timeout(ENDING, self.process.wait()).await {
                    Ok(exit) => exit,
                    Err(_) => {
                        let _ = self.qmp.execute("quit", Value::Null).await;
                        self.process.wait().await
                    }
                }
            }
        };
        // The last event may still be in the socket: the watch closes once all was read.
        let mut facts = self.facts.clone();
        let _ =
            tokio::time::timeout(Duration::from_secs(2), async { while facts.changed().await.is_ok() {} })
                .await;
        let reason = facts.borrow().shutdown.clone();
        self.reason(reason.as_deref(), exit)
    }

    fn reason(&self, shutdown: Option<&str>, exit: Exit) -> Stop {
        match (shutdown, exit) {
            (Some("guest-shutdown"), _) => Stop::Guest,
            (Some("guest-reset"), _) => Stop::GuestReset,
            (Some("guest-panic"), _) => Stop::GuestPanic,
            (Some("host-ui"), _) => Stop::Window,
            (Some("host-signal"), _) => Stop::Killed(15),
            (Some(reason), _) if reason.starts_with("host-qmp") => Stop::Host,
            (_, Exit::Signal(signal @ (2 | 9 | 15))) => Stop::Killed(signal),
            _ => Stop::Crashed { exit, log: log_tail(&self.log) },
        }
    }

    /// Waits for trouble with a disk of this host, as long as there is a machine; none if it ended
    /// without. Does not keep the machine alive.
    pub fn disk_trouble(&self) -> impl Future<Output = Option<DiskTrouble>> + Send + use<> {
        let mut facts = self.facts.clone();
        async move {
            let seen = facts.wait_for(|facts| facts.disk.is_some()).await.ok()?;
            seen.disk.clone()
        }
    }

    /// How often the machine was reset since it started, by whomever.
    pub fn resets(&self) -> u64 {
        self.facts.borrow().resets
    }

    /// Cuts the power: QEMU flushes its files and ends; if it does not within 10 s, it is killed.
    ///
    /// # Errors
    /// None today; a machine that is off already is fine.
    pub async fn power_off(&self) -> Result<(), VmError> {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.qmp.execute("quit", Value::Null)).await;
        if tokio::time::timeout(Duration::from_secs(10), self.process.wait()).await.is_err() {
            self.kill().await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_full_disk_is_told_apart_from_what_the_guest_sees_itself() {
        let told = |data: Value| {
            let mut facts = Facts::default();
            note(&mut facts, &Event { name: "BLOCK_IO_ERROR".to_owned(), data });
            facts.disk
        };
        let full = json!({"action": "stop", "nospace": true, "reason": "No space left on device"});
        let trouble = DiskTrouble { is_full: true, reason: "No space left on device".to_owned() };
        assert_eq!(told(full), Some(trouble));
        assert!(!told(json!({"action": "stop", "reason": "x"})).unwrap().is_full);
        assert_eq!(told(json!({"action": "report", "reason": "x"})), None);
    }
}
