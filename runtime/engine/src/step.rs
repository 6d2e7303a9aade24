//! One attempt of one step: its number, its events, its time.
//!
//! Main function: [`attempt`]. Invariant: every `StepStarted` is followed by one `StepFinished`.

use crate::bounded::bounded;
use crate::build::{BuildCtx, Machine};
use crate::executor::{Call, Executor, Failure};
use kiln_plan::{Build, BuildValues, Configuration, EventBody, Span, Step, StepInfo};
use std::future::Future;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What an attempt of a step is announced with.
pub(crate) fn info<E: Executor>(ctx: &BuildCtx<E>, step: &Step, attempt: u32) -> Arc<StepInfo> {
    Arc::new(StepInfo {
        id: ctx.run.step_number(),
        component: step.component.clone(),
        label: step.label.clone(),
        attempt,
    })
}

/// Runs `work` as an attempt: with events before and after, bounded, its time as a span.
pub(crate) async fn attempt<E: Executor, T>(
    ctx: &BuildCtx<E>,
    info: &Arc<StepInfo>,
    phase: &str,
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let started = Instant::now();
    let emit = |body| ctx.run.emit(Some(&ctx.name), Some(info), body);
    emit(EventBody::StepStarted { phase: phase.into() });
    let result = if cancel.is_cancelled() { Err(Failure::cancelled()) } else { bounded(work, cancel).await };
    let elapsed = started.elapsed();
    let error = result.as_ref().err().map(|failure| failure.message.clone());
    emit(EventBody::StepFinished { elapsed, error });
    emit(EventBody::Span { name: phase.into(), elapsed });
    result
}

/// The options of a step as they are now.
pub(crate) fn evaluated<E: Executor>(
    ctx: &BuildCtx<E>,
    step: &Step,
    values: &BuildValues,
) -> Result<Configuration, Failure> {
    step.late.evaluate(values).map_err(|findings| {
        let first = findings.iter().find(|finding| finding.is_error());
        let failure = first.map_or_else(
            || Failure::new("the options cannot be evaluated"),
            |finding| Failure { span: finding.span, ..Failure::new(finding.summary.clone()) },
        );
        findings.into_iter().for_each(|finding| ctx.emit(EventBody::Diagnostic(finding)));
        failure
    })
}

/// Starts the builder and makes the machine.
pub(crate) async fn prepare<E: Executor>(
    ctx: &BuildCtx<E>,
    build: &Build,
    machine: &mut Machine<E>,
) -> Result<(), Failure> {
    let step = &build.builder;
    let info = info(ctx, step, 1);
    let cancel = ctx.run.cancel.child_token();
    let call = Call {
        step: step.clone(),
        configuration: step.first.clone(),
        info: info.clone(),
        cancel: cancel.clone(),
    };
    let executor = &ctx.run.executor;
    let Machine { builder, prepared, .. } = machine;
    attempt(ctx, &info, "prepare", &cancel, async {
        let (started, result) = executor.prepare(&ctx.scope, call).await;
        *builder = started;
        *prepared = Some(result?);
        Ok(())
    })
    .await
}

/// Makes the artifact.
pub(crate) async fn finish<E: Executor>(
    ctx: &BuildCtx<E>,
    build: &Build,
    machine: &mut Machine<E>,
) -> Result<Option<E::Artifact>, Failure> {
    let Some(builder) = machine.builder.as_mut() else {
        return Err(Failure::new("the builder is not there any more"));
    };
    let info = info(ctx, &build.builder, 1);
    let cancel = ctx.run.cancel.child_token();
    attempt(ctx, &info, "finish", &cancel, ctx.run.executor.finish(builder)).await
}

/// Fails with a place if the failure has none of its own.
pub(crate) fn placed(failure: Failure, span: Option<Span>) -> Failure {
    Failure { span: failure.span.or(span), ..failure }
}
