//! The serial console's log: its end, and waiting for words in it.

#![expect(clippy::disallowed_methods, reason = "the serial log is a file that QEMU writes")]

use super::{Vm, VmError};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

/// Longest end that is kept in memory.
const LONGEST: u64 = 1024 * 1024;

/// The last `limit` bytes of a file.
pub(super) fn tail(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Vm {
    /// The end of what the guest wrote to its first serial port, at most 1 MiB; empty if the user gave
    /// QEMU a serial port of his own.
    pub fn serial_tail(&self, limit: u64) -> Vec<u8> {
        tail(&self.serial, limit.min(LONGEST)).unwrap_or_default()
    }

    /// Waits until the serial log (its last MiB) contains `words`. Without a bound of its own.
    ///
    /// # Errors
    /// [`VmError::Qmp`] with `Closed` if the machine stops first.
    pub async fn wait_for_serial(&self, words: &[u8]) -> Result<(), VmError> {
        let mut length = None;
        loop {
            // Looked at before the search, so that what is written last is still found.
            let stopped = self.process.exited().is_some();
            let now = std::fs::metadata(&self.serial).map(|it| it.len()).ok();
            if now != length {
                length = now;
                let text = self.serial_tail(LONGEST);
                if words.is_empty() || text.windows(words.len()).any(|window| window == words) {
                    return Ok(());
                }
            } else if stopped {
                return Err(VmError::Qmp(crate::qmp::QmpError::Closed));
            }
            // A file has no event that tokio could wait for.
            let pause = tokio::time::sleep(Duration::from_millis(if stopped { 0 } else { 40 }));
            tokio::select! { () = pause => {}, _ = self.process.wait(), if !stopped => {} }
        }
    }
}
