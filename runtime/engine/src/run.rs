//! A run: all builds of a plan, side by side.

use crate::build::{self, Ended};
use crate::emit::Emitter;
use crate::executor::Executor;
use kiln_plan::{Build, BuildOutcome, Diagnostic, Event, EventBody, EventSink, Plan};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What becomes of a build whose step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Everything is undone.
    #[default]
    Cleanup,
    /// Everything is left as it is.
    Abort,
    /// The user decides: clean up, leave it, or try the step again.
    Ask,
    /// The error-cleanup-provisioner runs, everything else is left.
    RunCleanupProvisioner,
}

/// How a plan is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// Most builds at once; 0 for any number. `debug` makes it 1.
    pub parallel_builds: usize,
    /// What happens after an error.
    pub on_error: OnError,
    /// Ask before each step.
    pub debug: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct RunResult {
    /// Each build's name and outcome, in the order of the plan.
    pub builds: Vec<(String, BuildOutcome)>,
    /// What was wrong before anything began.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the user cancelled.
    pub interrupted: bool,
}

impl RunResult {
    /// Whether everything succeeded.
    pub fn success(&self) -> bool {
        !self.interrupted
            && self.builds.iter().all(|(_, outcome)| matches!(outcome, BuildOutcome::Succeeded(_)))
            && !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Runs `plan`. Builds with invalid steps are reported and left out; the others run. One build's
/// end does not touch another's. `cancel` ends all: those that run clean up, those that wait never
/// begin.
pub async fn run<E: Executor>(
    plan: Plan,
    executor: Arc<E>,
    options: RunOptions,
    sink: Arc<dyn EventSink>,
    cancel: CancellationToken,
) -> RunResult {
    let began = Instant::now();
    let emitter = Emitter::new(Arc::clone(&sink));
    let (valid, diagnostics) = validated(plan.builds, &*executor, &*sink).await;
    let names = valid.iter().map(|build| build.name.as_str().into()).collect();
    emitter.emit(EventBody::RunStarted { builds: names });
    let builds = all(valid, executor, options, &emitter, &cancel).await;
    let interrupted = cancel.is_cancelled();
    emitter.emit(EventBody::RunFinished { elapsed: began.elapsed(), interrupted });
    RunResult { builds, diagnostics, interrupted }
}

/// The builds without an error, and everything that was found.
async fn validated<E: Executor>(
    builds: Vec<Build>,
    executor: &E,
    sink: &dyn EventSink,
) -> (Vec<Build>, Vec<Diagnostic>) {
    let mut valid = Vec::new();
    let mut all = Vec::new();
    for build in builds {
        let mut found = Vec::new();
        for step in build::steps(&build) {
            found.extend(executor.validate(&build, step).await);
        }
        let broken = found.iter().any(Diagnostic::is_error);
        for diagnostic in found {
            // Builds share steps; their findings are the same.
            if !all.contains(&diagnostic) {
                let time = std::time::SystemTime::now();
                let body = EventBody::Diagnostic(diagnostic.clone());
                sink.emit(Event { time, build: Some(build.name.as_str().into()), step: None, body });
                all.push(diagnostic);
            }
        }
        if !broken {
            valid.push(build);
        }
    }
    (valid, all)
}

async fn all<E: Executor>(
    builds: Vec<Build>,
    executor: Arc<E>,
    options: RunOptions,
    emitter: &Emitter,
    cancel: &CancellationToken,
) -> Vec<(String, BuildOutcome)> {
    let most = if options.debug { 1 } else { options.parallel_builds };
    let most = if most == 0 { Semaphore::MAX_PERMITS } else { most };
    let places = Arc::new(Semaphore::new(most));
    let mut tasks = JoinSet::new();
    let mut outcomes: Vec<(String, BuildOutcome)> =
        builds.iter().map(|build| (build.name.clone(), BuildOutcome::Cancelled)).collect();
    for (index, build) in builds.into_iter().enumerate() {
        let (places, executor) = (Arc::clone(&places), Arc::clone(&executor));
        let (emitter, cancel) = (emitter.of(&build.name), cancel.clone());
        tasks.spawn(async move {
            let place = tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                place = places.acquire_owned() => place.ok(),
            };
            let ended = match place {
                Some(_place) => build::run(build, executor, options, emitter, cancel).await,
                None => Ended::Cancelled,
            };
            (index, ended)
        });
    }
    while let Some(ended) = tasks.join_next().await {
        // A task never panics by itself (`build::run` catches), so an error here is a bug of ours.
        if let Ok((index, ended)) = ended
            && let Some((_, outcome)) = outcomes.get_mut(index)
        {
            *outcome = ended.outcome();
        }
    }
    outcomes
}
