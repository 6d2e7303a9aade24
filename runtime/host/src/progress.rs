//! Bars for the host's own long work. Main type: [`Bar`]. Invariant: each bar that began ends.

use crate::state::StepCtx;
use kiln_plan::{EventBody, Progress};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A bar is drawn at most so often.
const EVERY: Duration = Duration::from_millis(50);

/// A bar that ends when it is dropped.
pub(crate) struct Bar {
    shared: Arc<Shared>,
}

struct Shared {
    step: Arc<StepCtx>,
    id: u64,
    title: Arc<str>,
    last: Mutex<(Option<Instant>, u64, Option<u64>)>,
}

/// Begins a bar; `total` is 0 when unknown.
pub(crate) fn bar(step: &Arc<StepCtx>, title: impl Into<String>, total: u64) -> Bar {
    let title = step.shown(&title.into()).replace('\n', " ").into();
    let total = (total > 0).then_some(total);
    let id = step.build.run.next_id();
    Bar { shared: Arc::new(Shared { step: step.clone(), id, title, last: Mutex::new((None, 0, total)) }) }
}

impl Bar {
    /// Tells the bar how far the work is; cheap, from any thread.
    pub(crate) fn callback(&self) -> kiln_content::Progress {
        let shared = self.shared.clone();
        Arc::new(move |done, total| shared.set(done, total))
    }

    /// The same for work that knows only how far it is.
    pub(crate) fn counter(&self) -> Arc<dyn Fn(u64) + Send + Sync> {
        let shared = self.shared.clone();
        Arc::new(move |done| shared.set(done, None))
    }

    /// The end.
    pub(crate) fn finish(self) {}
}

impl Drop for Bar {
    fn drop(&mut self) {
        let (_, done, total) = *self.shared.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.emit(done, total, true);
    }
}

impl Shared {
    fn set(&self, done: u64, total: Option<u64>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.1 = done;
        last.2 = total.or(last.2);
        if last.0.is_none_or(|shown| shown.elapsed() >= EVERY) {
            last.0 = Some(Instant::now());
            self.emit(last.1, last.2, false);
        }
    }

    fn emit(&self, done: u64, total: Option<u64>, finished: bool) {
        let title = self.title.clone();
        self.step.emit(EventBody::Progress(Progress { id: self.id, title, done, total, finished }));
    }
}
