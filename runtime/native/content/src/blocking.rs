//! Moves work that waits for a disk or a CPU off the async threads.
//!
//! Invariant: a job that was started runs to its end or to its own look at the cancel token; nothing is detached
//! silently, and a job that died is an error, not a panic of the caller.

use std::io;

/// The job did not finish, because the runtime is shutting down or the job died.
#[derive(Debug)]
pub(crate) struct Stopped;

impl From<Stopped> for io::Error {
    fn from(_: Stopped) -> Self {
        Self::new(io::ErrorKind::Interrupted, "the work was stopped before its end")
    }
}

/// Runs `work` on tokio's pool for blocking work.
pub(crate) async fn on_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stopped> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Stopped)
}

/// Threads worth starting for work that only computes.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(16)
}
