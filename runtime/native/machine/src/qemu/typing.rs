//! Typing a boot command: each key event is one `input-send-event`, acknowledged before the next.

use super::{Vm, VmError};
use crate::boot_command::{BootCommand, Input};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between key events when the user asked for no interval. Measured: 0 ms loses nothing at SeaBIOS,
/// isolinux and a Linux console; this keeps a safety factor and is still 100 keys a second.
const GAP: Duration = Duration::from_millis(5);
/// What the gap grows to on a busy host: Packer's.
const LONGEST_GAP: Duration = Duration::from_millis(100);

impl Vm {
    /// Types `command`. `interval` is the pause after every key event; none is 5 ms. `progress` gets
    /// the number of inputs done. Keys still held when it is cancelled or fails are let go.
    ///
    /// # Errors
    /// [`VmError::Cancelled`] or [`VmError::Qmp`].
    pub async fn type_boot_command(
        &self,
        command: &BootCommand,
        interval: Option<Duration>,
        cancel: &CancellationToken,
        mut progress: impl FnMut(usize) + Send,
    ) -> Result<(), VmError> {
        let mut held: Vec<&'static str> = Vec::new();
        for (index, input) in command.inputs().iter().enumerate() {
            let done = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(VmError::Cancelled),
                done = self.input(input, interval) => done,
            };
            match input {
                Input::Key { code, down: true } => held.push(code),
                Input::Key { code, down: false } => held.retain(|held| held != code),
                Input::Wait(_) => {}
            }
            if let Err(error) = done {
                self.let_go(&held).await;
                return Err(error);
            }
            progress(index + 1);
        }
        // A held key that the command never lets go stays down, as the user wrote it.
        Ok(())
    }

    async fn input(&self, input: &Input, interval: Option<Duration>) -> Result<(), VmError> {
        match input {
            Input::Wait(time) => tokio::time::sleep(*time).await,
            Input::Key { code, down } => {
                let start = tokio::time::Instant::now();
                self.key(code, *down).await?;
                // A machine that is slow to take a key is slow to hand it to its guest, whose buffers
                // hold some 15 keys.
                let pause = interval.unwrap_or_else(|| start.elapsed().clamp(GAP, LONGEST_GAP));
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        }
        Ok(())
    }

    async fn key(&self, code: &str, down: bool) -> Result<(), VmError> {
        let key = json!({ "type": "qcode", "data": code });
        let event = json!({ "type": "key", "data": { "down": down, "key": key } });
        self.monitor("input-send-event", json!({ "events": [event] })).await.map(drop)
    }

    async fn let_go(&self, held: &[&str]) {
        for code in held {
            let _ = tokio::time::timeout(Duration::from_secs(1), self.key(code, false)).await;
        }
    }
}
