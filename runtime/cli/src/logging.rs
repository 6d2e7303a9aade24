//! The log behind PACKER_LOG: to standard error, or to the file of PACKER_LOG_PATH. Off by default,
//! and then it costs nothing.

use crate::env_vars;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Takes secrets out of a line of the log.
pub(crate) type Redact = Arc<dyn Fn(&str) -> String + Send + Sync>;

static REDACT: OnceLock<Redact> = OnceLock::new();

/// Begins logging if the environment wants it.
///
/// # Errors
/// The log file cannot be made.
pub(crate) fn start() -> io::Result<()> {
    if !env_vars::wants_log() {
        return Ok(());
    }
    let out: Box<dyn Write + Send> = match env_vars::path(env_vars::LOG_PATH) {
        Some(path) => Box::new(open(&path)?),
        None => Box::new(io::stderr()),
    };
    let out = Arc::new(Mutex::new(out));
    let writer = move || Redacted { out: Arc::clone(&out), line: Vec::new() };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(writer)
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// From now on secrets that `redact` knows do not reach the log.
pub(crate) fn redact_with(redact: Redact) {
    let _ = REDACT.set(redact);
}

#[expect(clippy::disallowed_methods, reason = "the user names this file in the environment")]
fn open(path: &std::path::Path) -> io::Result<File> {
    File::create(path)
}

/// Collects one record and writes it when it is complete, so that a secret cannot hide in two
/// writes.
struct Redacted {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    line: Vec<u8>,
}

impl Write for Redacted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Redacted {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        let text = REDACT.get().map_or_else(|| text.to_string(), |redact| redact(&text));
        let _ = self.out.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes());
    }
}
