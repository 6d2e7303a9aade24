//! How a command ended, and its output on the way: to the user line by line, and the first and last
//! part of it for the component.
//!
//! Main types: [`Finished`], [`Capture`] (bounded memory of a stream), [`Shown`] (lines for the user).

use crate::secrets::Vault;
use crate::state::StepCtx;
use kiln_plan::OutputStream;
use std::sync::Arc;
use std::time::Duration;

/// How much is kept of the beginning, and of the end.
const PART: usize = 32 << 10;
/// A line without an end is shown in pieces of this size.
const LONGEST_LINE: usize = 64 << 10;
/// What is kept for `on-error`.
const KEPT_LINES: usize = 1 << 20;

/// A command that ended.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Exit status; none if the connection was lost or a signal ended it.
    pub(crate) status: Option<i32>,
    /// Whether the connection was lost before a status came.
    pub(crate) disconnected: bool,
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
    pub(crate) elapsed: Duration,
}

/// The first and last 32 KiB of a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Capture {
    first: Vec<u8>,
    last: Vec<u8>,
    left_out: u64,
}

impl Capture {
    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        let room = PART.saturating_sub(self.first.len()).min(piece.len());
        let (head, tail) = piece.split_at_checked(room).unwrap_or((piece, &[]));
        self.first.extend_from_slice(head);
        self.last.extend_from_slice(tail);
        // Cut rarely, so that many small pieces do not move the same bytes again and again.
        if self.last.len() > 2 * PART {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let over = self.last.len().saturating_sub(PART);
        self.last.drain(..over);
        self.left_out += over as u64;
    }

    /// Both parts, with secrets sealed.
    pub(crate) fn bytes(&self, vault: &Vault) -> Vec<u8> {
        let mut whole = self.clone();
        whole.cut();
        let mut bytes = whole.first;
        bytes.extend_from_slice(&whole.last);
        sealed_bytes(bytes, vault)
    }

    pub(crate) fn truncated(&self) -> bool {
        self.left_out > 0 || self.last.len() > PART
    }
}

/// Output on its way to a guest: secrets in it become sealed text.
pub(crate) fn sealed_bytes(bytes: Vec<u8>, vault: &Vault) -> Vec<u8> {
    let text = String::from_utf8_lossy(&bytes);
    let sealed = vault.seal_within(&text);
    if sealed == text { bytes } else { sealed.into_bytes() }
}

/// What becomes of a command's output for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// Each line as it comes.
    #[default]
    Live,
    /// Nothing.
    Quiet,
    /// Everything, if the command fails.
    OnError,
}

/// Cuts output into lines and shows them.
pub(crate) struct Shown {
    step: Arc<StepCtx>,
    mode: Mode,
    pending: [Vec<u8>; 2],
    kept: Vec<(OutputStream, String)>,
    size: usize,
}

impl Shown {
    pub(crate) fn new(step: Arc<StepCtx>, mode: Mode) -> Self {
        Self { step, mode, pending: Default::default(), kept: Vec::new(), size: 0 }
    }

    /// Takes the next piece of a stream.
    pub(crate) fn push(&mut self, stream: OutputStream, piece: &[u8]) {
        if self.mode == Mode::Quiet {
            return;
        }
        let mut pending = std::mem::take(self.pending_of(stream));
        pending.extend_from_slice(piece);
        let end = match pending.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            // Not in the middle of a secret: half of one would not be found.
            None if pending.len() > LONGEST_LINE => self.step.build.vault.redactor().certain(&pending),
            None => 0,
        };
        let rest = pending.split_off(end);
        *self.pending_of(stream) = rest;
        if end > 0 {
            self.line(stream, &pending);
        }
    }

    /// The end: what has no line end is shown too, and everything if it failed.
    pub(crate) fn finish(mut self, success: bool) {
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            let pending = std::mem::take(self.pending_of(stream));
            if !pending.is_empty() {
                self.line(stream, &pending);
            }
        }
        if !success {
            for (stream, text) in std::mem::take(&mut self.kept) {
                self.step.show_output(stream, &text);
            }
        }
    }

    fn line(&mut self, stream: OutputStream, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        match self.mode {
            Mode::Live => self.step.show_output(stream, text),
            Mode::OnError => {
                self.size += text.len();
                self.kept.push((stream, text.to_owned()));
                while self.size > KEPT_LINES && self.kept.len() > 1 {
                    self.size -= self.kept.remove(0).1.len();
                }
            }
            Mode::Quiet => {}
        }
    }

    fn pending_of(&mut self, stream: OutputStream) -> &mut Vec<u8> {
        let [stdout, stderr] = &mut self.pending;
        match stream {
            OutputStream::Stdout => stdout,
            OutputStream::Stderr => stderr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Redactor;

    #[test]
    fn the_first_and_last_part_are_kept() {
        let vault = Vault::new(Arc::new(Redactor::default()));
        for size in [0, 1, PART, 2 * PART, 2 * PART + 1, 10 * PART] {
            let text: Vec<u8> = (0..size).map(|i| b'a' + u8::try_from(i % 26).unwrap()).collect();
            let mut capture = Capture::default();
            text.chunks(1000).for_each(|piece| capture.push(piece));
            assert_eq!(capture.truncated(), size > 2 * PART, "{size}");
            let bytes = capture.bytes(&vault);
            assert_eq!(bytes.len(), size.min(2 * PART));
            assert_eq!(bytes[..size.min(PART)], text[..size.min(PART)]);
            assert_eq!(bytes[bytes.len() - size.min(PART)..], text[size - size.min(PART)..]);
        }
    }

    #[test]
    fn secrets_in_output_are_sealed() {
        let vault = Vault::new(Arc::new(Redactor::default()));
        let token = vault.seal("hunter2").unwrap();
        assert_eq!(sealed_bytes(b"pw hunter2\n".to_vec(), &vault), format!("pw {token}\n").into_bytes());
        assert_eq!(sealed_bytes(vec![0xff, 1], &vault), [0xff, 1]);
    }
}
