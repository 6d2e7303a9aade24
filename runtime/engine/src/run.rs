//! The way in: [`run`] validates every build, then dispatches those that are valid.

use crate::dispatcher;
use crate::executor::{Executor, Failure};
use crate::outcome::RunResult;
use kiln_plan::code;
use kiln_plan::{Build, Diagnostic, Diagnostics, Event, EventBody, EventSink, Plan, SourceMap, StepInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What happens after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Everything is undone.
    #[default]
    Cleanup,
    /// Everything stays as it is.
    Abort,
    /// The user is asked: clean up, abort or retry.
    Ask,
    /// The error-cleanup-provisioner runs; all else stays as it is.
    RunCleanupProvisioner,
}

/// How to run.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// The most builds at once; 0 for no bound.
    pub parallel_builds: usize,
    /// What happens after a failure.
    pub on_error: OnError,
    /// One build at a time, a pause before each step and each cleanup.
    pub debug: bool,
}

/// What all builds of a run share.
pub(crate) struct RunCtx<E> {
    pub(crate) executor: Arc<E>,
    pub(crate) options: RunOptions,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) cancel: CancellationToken,
    pub(crate) sources: Arc<SourceMap>,
    /// One question at a time.
    pub(crate) asking: tokio::sync::Mutex<()>,
    next_step: AtomicU64,
}

impl<E> RunCtx<E> {
    pub(crate) fn emit(&self, build: Option<&Arc<str>>, step: Option<&Arc<StepInfo>>, body: EventBody) {
        self.events.emit(Event { time: SystemTime::now(), build: build.cloned(), step: step.cloned(), body });
    }

    pub(crate) fn step_number(&self) -> u64 {
        self.next_step.fetch_add(1, Ordering::Relaxed)
    }
}

/// A build that passed validation.
pub(crate) struct Ready<S> {
    pub(crate) build: Build,
    pub(crate) scope: S,
}

/// Runs a plan. Returns when every build has ended and is cleaned up.
///
/// A cancel of `cancel` ends the builds that run, with their cleanup, and builds that wait never
/// start. Invalid builds are dropped, the others still run, and the result is no success.
pub async fn run<E: Executor>(
    plan: Plan,
    executor: Arc<E>,
    options: RunOptions,
    events: Arc<dyn EventSink>,
    cancel: CancellationToken,
) -> RunResult {
    let started = Instant::now();
    let ctx = Arc::new(RunCtx {
        executor,
        options,
        events,
        cancel,
        sources: plan.sources.clone(),
        asking: tokio::sync::Mutex::new(()),
        next_step: AtomicU64::new(1),
    });
    let (ready, invalid, diagnostics) = check(&*ctx.executor, plan.builds).await;
    for finding in &diagnostics {
        ctx.emit(None, None, EventBody::Diagnostic(finding.clone()));
    }
    if ready.is_empty() {
        return RunResult { invalid, diagnostics, ..RunResult::default() };
    }
    ctx.emit(
        None,
        None,
        EventBody::RunStarted { builds: ready.iter().map(|r| Arc::from(r.build.name.as_str())).collect() },
    );
    let builds = dispatcher::dispatch(&ctx, ready).await;
    let interrupted = ctx.cancel.is_cancelled();
    ctx.emit(None, None, EventBody::RunFinished { elapsed: started.elapsed(), interrupted });
    RunResult { builds, invalid, diagnostics, interrupted }
}

/// Validates a plan and runs nothing; what is found, each thing once.
pub async fn validate<E: Executor>(plan: Plan, executor: Arc<E>) -> Diagnostics {
    let (ready, _, diagnostics) = check(&*executor, plan.builds).await;
    for Ready { scope, .. } in ready {
        // Nothing was done in it, so there is nothing to fail.
        let _ = executor.close(scope, crate::CleanupOutcome::Success).await;
    }
    diagnostics
}

type Checked<S> = (Vec<Ready<S>>, Vec<Arc<str>>, Diagnostics);

async fn check<E: Executor>(executor: &E, builds: Vec<Build>) -> Checked<E::Scope> {
    let (mut ready, mut invalid, mut all) = (Vec::new(), Vec::new(), Diagnostics::new());
    for build in builds {
        let (scope, findings) = match executor.open_build(&build).await {
            Ok(scope) => {
                let findings = check_build(executor, &scope, &build).await;
                (Some(scope), findings)
            }
            Err(failure) => (None, vec![unopened(&build, failure)]),
        };
        let valid = !findings.iter().any(Diagnostic::is_error);
        for finding in findings {
            // A provisioner of several builds is wrong once.
            if !all.contains(&finding) {
                all.push(finding);
            }
        }
        match scope {
            Some(scope) if valid => ready.push(Ready { build, scope }),
            scope => {
                invalid.push(Arc::from(build.name.as_str()));
                if let Some(scope) = scope {
                    let _ = executor.close(scope, crate::CleanupOutcome::Success).await;
                }
            }
        }
    }
    (ready, invalid, all)
}

async fn check_build<E: Executor>(executor: &E, scope: &E::Scope, build: &Build) -> Diagnostics {
    let steps = std::iter::once(&build.builder)
        .chain(build.provisioners.iter().map(|p| &p.step))
        .chain(build.error_cleanup.iter().map(|p| &p.step))
        .chain(build.post_processors.iter().flatten().map(|p| &p.step));
    let mut findings = Diagnostics::new();
    for step in steps {
        let found = crate::bounded::bounded(
            async { Ok(executor.validate(scope, step).await) },
            &CancellationToken::new(),
        )
        .await;
        match found {
            Ok(found) => findings.extend(found),
            Err(failure) => findings.push(Diagnostic::error(code::engine::BROKEN, failure.message)),
        }
    }
    findings
}

fn unopened(build: &Build, failure: Failure) -> Diagnostic {
    let finding = Diagnostic::error(code::engine::BUILD, format!("{}: {}", build.name, failure.message));
    match failure.span.or(build.builder.span) {
        Some(span) => finding.at(span),
        None => finding,
    }
}
