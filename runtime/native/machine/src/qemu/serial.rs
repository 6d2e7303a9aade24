//! The serial console's log: its end, and waiting for words in it.

#![expect(clippy::disallowed_methods, reason = "the serial log is a file that QEMU writes")]

use super::{Vm, VmError};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
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

/// What a guest may fill of the host's disk by talking, and how often that is looked at.
const MOST_ON_DISK: u64 = 64 * 1024 * 1024;
const PERIOD: Duration = Duration::from_secs(2);

/// Gives the disk space of all but the end of a log back, again and again until `ended`. QEMU keeps
/// writing at its own offset, so the file stays as long as it was, with a hole in front.
pub(super) async fn keep_small(path: PathBuf, ended: impl Future<Output = crate::process::Exit>) {
    let trim = async {
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            if let Err(error) = trim(&path) {
                tracing::debug!(path = %path.display(), %error, "the log cannot be trimmed");
            }
        }
    };
    tokio::select! { () = trim => {}, _ = ended => {} }
}

fn trim(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path)?;
    if metadata.is_file() && metadata.blocks().saturating_mul(512) > MOST_ON_DISK {
        let file = std::fs::OpenOptions::new().write(true).open(path)?;
        crate::process::punch_hole(&file, metadata.len().saturating_sub(LONGEST))?;
    }
    Ok(())
}

impl Vm {
    /// The end of what the guest wrote to its first serial port, at most 1 MiB; empty if the user gave
    /// QEMU a serial port of his own other than `stdio`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_long_log_gives_its_space_back_and_keeps_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut bytes = vec![b'x'; 65 << 20];
        bytes.extend(b"the end");
        std::fs::write(&path, &bytes).unwrap();
        trim(&path).unwrap();
        let metadata = std::fs::metadata(&path).unwrap();
        assert_eq!(metadata.len(), bytes.len() as u64);
        assert!(metadata.blocks() * 512 < 4 << 20, "{} blocks", metadata.blocks());
        assert!(tail(&path, 9).unwrap().ends_with(b"xxthe end"));
    }
}
