//! Progress of the host's own work, as events.

use crate::state::StepCtx;
use kiln_plan::{EventBody, Progress};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shown at most so often.
const EVERY: Duration = Duration::from_millis(100);

/// A bar that ends when it is dropped.
pub(crate) struct Bar {
    inner: Arc<Inner>,
}

struct Inner {
    step: Arc<StepCtx>,
    id: u64,
    title: Arc<str>,
    done: AtomicU64,
    total: AtomicU64,
    shown: Mutex<Instant>,
}

impl Bar {
    /// `total` 0 means unknown.
    pub(crate) fn new(step: &Arc<StepCtx>, title: &str, total: u64) -> Self {
        let title = step.shown(title).replace('\n', " ").into();
        let id = step.build.run.next_id();
        let inner = Inner {
            step: Arc::clone(step),
            id,
            title,
            done: AtomicU64::new(0),
            total: AtomicU64::new(total),
            shown: Mutex::new(Instant::now()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Takes the count done so far.
    pub(crate) fn counter(&self) -> Arc<dyn Fn(u64) + Send + Sync> {
        let inner = Arc::clone(&self.inner);
        Arc::new(move |done| inner.set(done))
    }

    /// Takes the count done so far and all of them.
    pub(crate) fn counter_of(&self) -> kiln_content::Progress {
        let inner = Arc::clone(&self.inner);
        Arc::new(move |done, total| {
            if let Some(total) = total {
                inner.total.store(total, Ordering::Relaxed);
            }
            inner.set(done);
        })
    }
}

impl Inner {
    fn set(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.elapsed() >= EVERY {
            *shown = Instant::now();
            drop(shown);
            self.emit(false);
        }
    }

    fn emit(&self, finished: bool) {
        let total = self.total.load(Ordering::Relaxed);
        self.step.emit(EventBody::Progress(Progress {
            id: self.id,
            title: Arc::clone(&self.title),
            done: self.done.load(Ordering::Relaxed),
            total: (total > 0).then_some(total),
            finished,
        }));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.inner.emit(true);
    }
}
