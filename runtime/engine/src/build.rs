//! One build from its start to its close.
//!
//! ```text
//! start ─▶ prepare ─▶ provisioners ─▶ finish ─▶ cleanup(success) ─▶ post-processors ─▶ close
//!   │         │             │            │
//!   └─────────┴─────────────┴────────────┴─▶ error-cleanup-provisioner ─▶ cleanup(failed…) ─▶ close
//! ```
//!
//! Main type: [`BuildCtx`]. Invariant: a builder that was started is cleaned up exactly once, and
//! the scope is closed exactly once, whatever fails.

use crate::cleanup;
use crate::executor::{Executor, Failure, Prepared};
use crate::outcome::CleanupOutcome;
use crate::post_process;
use crate::question::{Decision, decide};
use crate::retry;
use crate::run::{OnError, Ready, RunCtx};
use kiln_plan::{Build, BuildOutcome, BuildValues, EventBody, Span, Step};
use std::sync::Arc;
use tokio::time::Instant;

/// A build while it runs.
pub(crate) struct BuildCtx<E: Executor> {
    pub(crate) run: Arc<RunCtx<E>>,
    pub(crate) name: Arc<str>,
    pub(crate) scope: E::Scope,
}

impl<E: Executor> BuildCtx<E> {
    pub(crate) fn emit(&self, body: EventBody) {
        self.run.emit(Some(&self.name), None, body);
    }

    /// The failure in words, with the place in the template.
    pub(crate) fn words(&self, failure: &Failure, step: &Step) -> String {
        match failure.span.or(step.span) {
            Some(span) => format!("{} ({})", failure.message, self.place(span)),
            None => failure.message.clone(),
        }
    }

    fn place(&self, span: Span) -> String {
        let (line, column) = self.run.sources.position(span);
        format!("{}:{line}:{column}", self.run.sources.name(span.file))
    }
}

/// The machine and what is known of it, as far as the build came.
pub(crate) struct Machine<E: Executor> {
    pub(crate) builder: Option<E::Builder>,
    pub(crate) prepared: Option<Prepared<E::Session>>,
    /// Whether the error-cleanup-provisioner has something to clean.
    pub(crate) provisioning: bool,
}

/// A failure and whether the user wants things left as they are.
struct Stopped {
    text: String,
    outcome: CleanupOutcome,
    cancelled: bool,
}

/// Runs one build; never panics by itself, and cleans up whatever happens.
pub(crate) async fn run_build<E: Executor>(run: Arc<RunCtx<E>>, ready: Ready<E::Scope>) -> BuildOutcome {
    let started = Instant::now();
    let Ready { build, scope } = ready;
    let ctx = BuildCtx { run, name: build.name.as_str().into(), scope };
    ctx.emit(EventBody::BuildStarted);
    let mut machine = Machine::<E> { builder: None, prepared: None, provisioning: false };
    let result = make(&ctx, &build, &mut machine).await;
    let ended = match &result {
        Ok(_) => CleanupOutcome::Success,
        Err(stopped) => stopped.outcome,
    };
    if result.is_err() && machine.provisioning {
        cleanup::error_provisioner(&ctx, &build, machine.prepared.as_ref(), ended).await;
    }
    let values = machine.prepared.take().map(|prepared| prepared.values).unwrap_or_default();
    let left = cleanup::builder(&ctx, &build, machine.builder.take(), ended).await;
    let outcome = match result {
        Ok(artifact) => post_process::all(&ctx, &build, artifact, &BuildValues { build: values }).await,
        Err(Stopped { cancelled: true, .. }) => BuildOutcome::Cancelled,
        Err(stopped) => BuildOutcome::Failed(vec![stopped.text]),
    };
    let outcome = with_leftovers(outcome, left);
    // A finished image is a success although a post-processor failed or was cancelled.
    let closed = cleanup::close(&ctx, ended).await;
    let outcome = with_leftovers(outcome, closed);
    ctx.emit(EventBody::BuildFinished { outcome: outcome.clone(), elapsed: started.elapsed() });
    outcome
}

/// A cleanup that failed is one more error; the first one stays first.
fn with_leftovers(outcome: BuildOutcome, left: Option<String>) -> BuildOutcome {
    match (outcome, left) {
        (outcome, None) => outcome,
        (BuildOutcome::Failed(mut errors), Some(left)) => {
            errors.push(left);
            BuildOutcome::Failed(errors)
        }
        (_, Some(left)) => BuildOutcome::Failed(vec![left]),
    }
}

/// Everything up to the artifact. What it made is in `machine` on every way out.
async fn make<E: Executor>(
    ctx: &BuildCtx<E>,
    build: &Build,
    machine: &mut Machine<E>,
) -> Result<Option<E::Artifact>, Stopped> {
    loop {
        match crate::step::prepare(ctx, build, machine).await {
            Ok(()) => break,
            Err(failure) => {
                again(ctx, &build.builder, failure).await?;
                // A retry begins with a new machine, so the old one goes first.
                cleanup::builder(ctx, build, machine.builder.take(), CleanupOutcome::Failed).await;
            }
        }
    }
    machine.provisioning = true;
    for provisioner in &build.provisioners {
        while let Err(failure) = retry::provision(ctx, provisioner, machine.prepared.as_ref()).await {
            if provisioner.continue_on_error && !failure.cancelled {
                let text = format!(
                    "{} failed and the build goes on: {}",
                    provisioner.step.component,
                    ctx.words(&failure, &provisioner.step)
                );
                ctx.emit(EventBody::Error { text });
                break;
            }
            again(ctx, &provisioner.step, failure).await?;
        }
    }
    machine.provisioning = false;
    loop {
        match crate::step::finish(ctx, build, machine).await {
            Ok(artifact) => return Ok(artifact),
            Err(failure) => again(ctx, &build.builder, failure).await?,
        }
    }
}

/// After a failure: `Ok` to try again, else how the build stops.
async fn again<E: Executor>(ctx: &BuildCtx<E>, step: &Step, failure: Failure) -> Result<(), Stopped> {
    if failure.cancelled || ctx.run.cancel.is_cancelled() {
        let text = failure.message;
        return Err(Stopped { text, outcome: stopped_by(ctx, CleanupOutcome::Cancelled), cancelled: true });
    }
    let text = ctx.words(&failure, step);
    if ctx.run.options.on_error == OnError::Ask {
        ctx.emit(EventBody::Error { text: text.clone() });
        return match decide(ctx, step).await {
            Decision::Retry => Ok(()),
            Decision::Abort => Err(Stopped { text, outcome: CleanupOutcome::Aborted, cancelled: false }),
            Decision::Cleanup => Err(Stopped { text, outcome: CleanupOutcome::Failed, cancelled: false }),
        };
    }
    Err(Stopped { text, outcome: stopped_by(ctx, CleanupOutcome::Failed), cancelled: false })
}

/// What `-on-error` makes of an end.
fn stopped_by<E: Executor>(ctx: &BuildCtx<E>, otherwise: CleanupOutcome) -> CleanupOutcome {
    match ctx.run.options.on_error {
        OnError::Abort | OnError::RunCleanupProvisioner => CleanupOutcome::Aborted,
        OnError::Cleanup | OnError::Ask => otherwise,
    }
}
