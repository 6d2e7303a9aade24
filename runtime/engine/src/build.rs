//! One build, from its machine to its artifacts, cleaned up on every way out.

use crate::attempt::{self, Attempt};
use crate::emit::Emitter;
use crate::executor::{Executor, Outcome, Prepared, StepError};
use crate::run::{OnError, RunOptions};
use crate::{post_process, provision};
use futures_util::FutureExt;
use kiln_plan::{ArtifactSummary, Build, BuildOutcome, BuildValues, EventBody, Step};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How a build ended.
pub(crate) enum Ended {
    Succeeded(Vec<ArtifactSummary>),
    Failed(Vec<String>),
    Cancelled,
}

impl Ended {
    pub(crate) fn outcome(self) -> BuildOutcome {
        match self {
            Self::Succeeded(artifacts) => BuildOutcome::Succeeded(artifacts),
            Self::Failed(errors) => BuildOutcome::Failed(errors),
            Self::Cancelled => BuildOutcome::Cancelled,
        }
    }
}

/// Every step of a build, in order.
pub(crate) fn steps(build: &Build) -> impl Iterator<Item = &Step> {
    std::iter::once(&build.builder)
        .chain(build.provisioners.iter().map(|provisioner| &provisioner.step))
        .chain(build.error_cleanup.iter().map(|provisioner| &provisioner.step))
        .chain(build.post_processors.iter().flatten().map(|post_processor| &post_processor.step))
}

/// What the parts of a build share.
pub(crate) struct Ctx<'a, E: Executor> {
    pub(crate) build: &'a Build,
    pub(crate) executor: &'a E,
    pub(crate) scope: &'a E::Scope,
    pub(crate) options: RunOptions,
    pub(crate) emitter: &'a Emitter,
    pub(crate) cancel: &'a CancellationToken,
}

/// Runs one build to its end. Never panics: a panic below becomes the build's error, and the build
/// is cleaned up all the same.
pub(crate) async fn run<E: Executor>(
    build: Build,
    executor: Arc<E>,
    options: RunOptions,
    emitter: Emitter,
    cancel: CancellationToken,
) -> Ended {
    let began = Instant::now();
    emitter.emit(EventBody::BuildStarted);
    let ended = match executor.open(&build, cancel.clone()).await {
        Ok(scope) => opened(&build, &*executor, scope, options, &emitter, &cancel).await,
        Err(error) => ended_by(vec![error]),
    };
    let outcome = match &ended {
        Ended::Succeeded(artifacts) => BuildOutcome::Succeeded(artifacts.clone()),
        Ended::Failed(errors) => BuildOutcome::Failed(errors.clone()),
        Ended::Cancelled => BuildOutcome::Cancelled,
    };
    emitter.emit(EventBody::BuildFinished { outcome, elapsed: began.elapsed() });
    ended
}

async fn opened<E: Executor>(
    build: &Build,
    executor: &E,
    scope: E::Scope,
    options: RunOptions,
    emitter: &Emitter,
    cancel: &CancellationToken,
) -> Ended {
    let ctx = Ctx { build, executor, scope: &scope, options, emitter, cancel };
    let body = AssertUnwindSafe(body(&ctx)).catch_unwind().await;
    let (ended, outcome) = body.unwrap_or_else(|_| {
        (Ended::Failed(vec!["internal error, which the log describes".to_owned()]), Outcome::Failed)
    });
    if let Err(error) = executor.close(scope, outcome).await {
        emitter.emit(EventBody::Error { text: format!("cleaning up: {error}") });
    }
    ended
}

/// Machine, artifact, post-processors. The builder has cleaned up when this returns.
async fn body<E: Executor>(ctx: &Ctx<'_, E>) -> (Ended, Outcome) {
    let made = machine(ctx).await;
    let (artifact, values) = match made {
        Ok(made) => made,
        Err((error, outcome)) => return (ended_by(vec![error]), outcome),
    };
    let Some(artifact) = artifact else { return (Ended::Succeeded(Vec::new()), Outcome::Success) };
    match post_process::all(ctx, artifact, &values).await {
        // The image is finished: that a post-processor failed takes nothing away from it.
        Ok(artifacts) => (Ended::Succeeded(artifacts), Outcome::Success),
        Err(errors) => (ended_by(errors), Outcome::Success),
    }
}

type Made<A> = (Option<A>, BuildValues);

async fn machine<E: Executor>(ctx: &Ctx<'_, E>) -> Result<Made<E::Artifact>, (StepError, Outcome)> {
    let Prepared { mut builder, session, values } = match prepare(ctx).await {
        Ok(prepared) => prepared,
        Err(error) => {
            let outcome = outcome_of(ctx, &error);
            return Err((error, outcome));
        }
    };
    let values = BuildValues { build: values };
    let worked = AssertUnwindSafe(async {
        provision::all(ctx, session.as_ref(), &values).await?;
        finish(ctx, &mut builder).await
    });
    let worked = worked.catch_unwind().await.unwrap_or_else(|_| {
        Err(Failure { error: StepError::new("internal error, which the log describes"), aborted: false })
    });
    let (result, outcome) = match worked {
        Ok(artifact) => (Ok((artifact, values)), Outcome::Success),
        Err(failure) => {
            let outcome = if failure.aborted { Outcome::Aborted } else { outcome_of(ctx, &failure.error) };
            (Err((failure.error, outcome)), outcome)
        }
    };
    if let Err(error) = ctx.executor.cleanup(ctx.scope, builder, outcome).await {
        ctx.emitter.emit(EventBody::Error { text: format!("cleaning up: {error}") });
    }
    result
}

/// An error, and whether the user chose to leave everything.
pub(crate) struct Failure {
    pub(crate) error: StepError,
    pub(crate) aborted: bool,
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self { error, aborted: false }
    }
}

async fn prepare<E: Executor>(ctx: &Ctx<'_, E>) -> Result<Prepared<E::Builder, E::Session>, StepError> {
    let step = &ctx.build.builder;
    let mut number = 1;
    loop {
        attempt::pause_for_debug(ctx, step).await?;
        let running = ctx.emitter.step(step, number, "prepare");
        let configuration = step.first.clone();
        let work = ctx.executor.prepare(ctx.scope, step, configuration, running.info(), ctx.cancel.clone());
        match running.finished(work.await) {
            Ok(prepared) => return Ok(prepared),
            Err(error) => match attempt::after_error(ctx, step, &error).await {
                Attempt::Again => number += 1,
                Attempt::GiveUp | Attempt::Leave => return Err(error),
            },
        }
    }
}

async fn finish<E: Executor>(
    ctx: &Ctx<'_, E>,
    builder: &mut E::Builder,
) -> Result<Option<E::Artifact>, Failure> {
    let step = &ctx.build.builder;
    attempt::pause_for_debug(ctx, step).await?;
    let running = ctx.emitter.step(step, 1, "finish");
    Ok(running.finished(ctx.executor.finish(ctx.scope, builder).await)?)
}

fn outcome_of<E: Executor>(ctx: &Ctx<'_, E>, error: &StepError) -> Outcome {
    match ctx.options.on_error {
        OnError::Abort | OnError::RunCleanupProvisioner => Outcome::Aborted,
        _ if error.cancelled || ctx.cancel.is_cancelled() => Outcome::Cancelled,
        _ => Outcome::Failed,
    }
}

/// A build that ended by `errors`; cancelled if the first one says so.
fn ended_by(errors: Vec<StepError>) -> Ended {
    if errors.first().is_some_and(|error| error.cancelled) {
        return Ended::Cancelled;
    }
    Ended::Failed(errors.into_iter().map(|error| error.message).collect())
}
