//! Every bound of a step in one place, and the meter of its CPU time.
//!
//! [`CpuMeter`] counts what is spent while a guest's call is being polled on a thread; time in
//! which the call waits for the host (a machine, a timer, a download) is not polled and not
//! counted. The epoch callback looks at it every 10 ms of running guest code.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// Bounds of one step. The defaults are those that the documentation promises.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one component.
    pub component_bytes: u64,
    /// Linear memory of a guest in bytes.
    pub memory: usize,
    /// Elements of one table.
    pub table_elements: usize,
    /// Core instances, tables and memories of one component.
    pub instances: usize,
    /// Live handles of one guest.
    pub handles: usize,
    /// Bytes of lists and strings in one call to the host.
    pub call_bytes: usize,
    /// Calls to the host in one step.
    pub calls: u64,
    /// Time spent inside the guest in one step.
    pub cpu: Duration,
    /// Time spent inside `describe` and `validate`.
    pub pure_cpu: Duration,
    /// What a cancelled step may take before its store is dropped.
    pub grace: Duration,
    /// What `cleanup` may take.
    pub cleanup: Duration,
    /// Bytes that a guest may hold as text and bytes in files.
    pub held_bytes: u64,
    /// Bytes of standard output and error each.
    pub stdio: usize,
    /// Bytes of one line for the user or the log.
    pub line: usize,
    /// Lines for the user and the log in one second, and how many may come at once.
    pub lines_per_second: u32,
    /// Bytes that one step may put into the log and the user's sight.
    pub shown_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 64 << 20,
            memory: 256 << 20,
            table_elements: 100_000,
            instances: 64,
            handles: 10_000,
            call_bytes: 8 << 20,
            calls: 50_000_000,
            cpu: Duration::from_secs(60),
            pure_cpu: Duration::from_secs(5),
            grace: Duration::from_secs(10),
            cleanup: Duration::from_secs(300),
            held_bytes: 256 << 20,
            stdio: 64 << 10,
            line: 64 << 10,
            lines_per_second: 5_000,
            shown_bytes: 256 << 20,
        }
    }
}

/// CPU time of one step, shared by the future that runs the guest and the epoch callback.
#[derive(Debug, Default)]
pub(crate) struct CpuMeter {
    used: AtomicU64,
    since: AtomicU64,
}

impl CpuMeter {
    /// What was used so far; exact on the thread that runs the guest.
    pub(crate) fn used(&self) -> Duration {
        let running = match self.since.load(Ordering::Relaxed) {
            0 => 0,
            since => thread_time().saturating_sub(since),
        };
        Duration::from_nanos(self.used.load(Ordering::Relaxed).saturating_add(running))
    }
}

/// Charges a meter for each poll of a future.
pub(crate) struct Metered<F> {
    meter: Arc<CpuMeter>,
    inner: Pin<Box<F>>,
}

impl<F: Future> Metered<F> {
    pub(crate) fn new(meter: Arc<CpuMeter>, inner: F) -> Self {
        Self { meter, inner: Box::pin(inner) }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let since = thread_time().max(1);
        self.meter.since.store(since, Ordering::Relaxed);
        let done = self.inner.as_mut().poll(cx);
        self.meter.since.store(0, Ordering::Relaxed);
        self.meter.used.fetch_add(thread_time().saturating_sub(since), Ordering::Relaxed);
        done
    }
}

/// CPU time of this thread in nanoseconds; a poll begins and ends on one thread.
#[cfg(unix)]
fn thread_time() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Where there is no clock of a thread's CPU time, wall-clock time inside polls is charged.
#[cfg(not(unix))]
fn thread_time() -> u64 {
    use std::sync::OnceLock;
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    let since = START.get_or_init(std::time::Instant::now).elapsed();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
