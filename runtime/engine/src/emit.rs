//! Emitting the events of one build.

use kiln_plan::{Event, EventBody, EventSink, Step, StepInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use tokio::time::Instant;

/// The sink of a run, and the numbers of its steps.
#[derive(Clone)]
pub(crate) struct Emitter {
    sink: Arc<dyn EventSink>,
    build: Option<Arc<str>>,
    steps: Arc<AtomicU64>,
}

impl Emitter {
    pub(crate) fn new(sink: Arc<dyn EventSink>) -> Self {
        Self { sink, build: None, steps: Arc::new(AtomicU64::new(1)) }
    }

    /// For the events of one build.
    pub(crate) fn of(&self, build: &str) -> Self {
        Self { build: Some(build.into()), ..self.clone() }
    }

    pub(crate) fn emit(&self, body: EventBody) {
        self.send(None, body);
    }

    /// Begins a step: a number for it, and the event.
    pub(crate) fn step(&self, step: &Step, attempt: u32, phase: &str) -> Running<'_> {
        let info = Arc::new(StepInfo {
            id: self.steps.fetch_add(1, Ordering::Relaxed),
            component: step.component.clone(),
            label: step.label.clone(),
            attempt,
        });
        self.send(Some(&info), EventBody::StepStarted { phase: phase.into() });
        Running { emitter: self, info, began: Instant::now() }
    }

    fn send(&self, step: Option<&Arc<StepInfo>>, body: EventBody) {
        self.sink.emit(Event {
            time: SystemTime::now(),
            build: self.build.clone(),
            step: step.cloned(),
            body,
        });
    }
}

/// A step that runs.
pub(crate) struct Running<'a> {
    emitter: &'a Emitter,
    info: Arc<StepInfo>,
    began: Instant,
}

impl Running<'_> {
    pub(crate) fn info(&self) -> Arc<StepInfo> {
        Arc::clone(&self.info)
    }

    /// Its end.
    pub(crate) fn finished<T, E: std::fmt::Display>(self, result: Result<T, E>) -> Result<T, E> {
        let error = result.as_ref().err().map(ToString::to_string);
        self.emitter.send(Some(&self.info), EventBody::StepFinished { elapsed: self.began.elapsed(), error });
        result
    }
}

impl std::fmt::Display for crate::StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
