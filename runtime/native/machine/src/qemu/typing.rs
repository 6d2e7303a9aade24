//! Typing a boot command: a stroke is one `input-send-event`, acknowledged before the next.

use super::{Vm, VmError};
use crate::boot_command::{BootCommand, Input};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between strokes when the user asked for no interval. Measured: 0 ms loses nothing at SeaBIOS,
/// isolinux and a Linux console; this keeps a safety factor and is still 100 keys a second.
const GAP: Duration = Duration::from_millis(5);
/// What the gap grows to on a busy host: Packer's.
const LONGEST_GAP: Duration = Duration::from_millis(100);

impl Vm {
    /// Types `command`. `interval` is the pause after every key event; none is 5
    /// ms after every character, more on a busy host. `progress` gets
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
        let mut done = 0;
        while let Some(rest) = command.inputs().get(done..).filter(|rest| !rest.is_empty()) {
            // Packer's interval is between key events; without one, a whole character goes at once.
            let count = if interval.is_some() { 1 } else { stroke(rest) };
            let Some(inputs) = rest.get(..count) else { break };
            let sent = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(VmError::Cancelled),
                sent = self.input(inputs, interval) => sent,
            };
            for input in inputs {
                match input {
                    Input::Key { code, down: true } => held.push(code),
                    Input::Key { code, down: false } => held.retain(|held| held != code),
                    Input::Wait(_) => {}
                }
            }
            if let Err(error) = sent {
                self.let_go(&held).await;
                return Err(error);
            }
            done += count;
            progress(done);
        }
        // A held key that the command never lets go stays down, as the user wrote it.
        Ok(())
    }

    /// A wait, or key events that go to the machine together.
    async fn input(&self, inputs: &[Input], interval: Option<Duration>) -> Result<(), VmError> {
        if let [Input::Wait(time)] = inputs {
            tokio::time::sleep(*time).await;
            return Ok(());
        }
        let start = tokio::time::Instant::now();
        self.keys(inputs).await?;
        // A machine that is slow to take a key is slow to hand it to its guest, whose buffers hold
        // some 15 keys.
        let pause = interval.unwrap_or_else(|| start.elapsed().clamp(GAP, LONGEST_GAP));
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    async fn keys(&self, inputs: &[Input]) -> Result<(), VmError> {
        let event = |input: &Input| match input {
            Input::Key { code, down } => {
                let key = json!({ "type": "qcode", "data": code });
                Some(json!({ "type": "key", "data": { "down": down, "key": key } }))
            }
            Input::Wait(_) => None,
        };
        let events: Vec<_> = inputs.iter().filter_map(event).collect();
        self.monitor("input-send-event", json!({ "events": events })).await.map(drop)
    }

    async fn let_go(&self, held: &[&'static str]) {
        let keys: Vec<Input> = held.iter().rev().map(|code| Input::Key { code, down: false }).collect();
        if !keys.is_empty() {
            let _ = tokio::time::timeout(Duration::from_secs(1), self.keys(&keys)).await;
        }
    }
}

/// How many of the first inputs are one stroke: a key and its shift, down and up again. Not more, so
/// that it fits into the keyboard controller's queue of 16 bytes.
fn stroke(inputs: &[Input]) -> usize {
    let mut held = 0_usize;
    for (index, input) in inputs.iter().take(4).enumerate() {
        match input {
            Input::Key { down: true, .. } => held += 1,
            Input::Key { down: false, .. } => held = held.saturating_sub(1),
            Input::Wait(_) => return 1,
        }
        if held == 0 {
            return index + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::stroke;
    use crate::boot_command::BootCommand;

    #[test]
    fn a_stroke_is_a_character() {
        for (text, expected) in [
            ("ab", 2),
            ("Ab", 4),
            ("<enter>x", 2),
            ("<wait>a", 1),
            ("<aOn><wait>", 1),
            ("<aOff>b", 1),
            ("<leftCtrlOn><leftAltOn><del><leftAltOff><leftCtrlOff>", 1),
        ] {
            assert_eq!(stroke(BootCommand::parse(text).unwrap().inputs()), expected, "{text}");
        }
    }
}
