//! The provisioners of a build, each with its pause, timeout, retries and excuse.

use crate::attempt::{self, Attempt};
use crate::build::{Ctx, Failure};
use crate::executor::{Executor, StepError};
use crate::run::OnError;
use kiln_plan::{BuildValues, Configuration, Diagnostics, EventBody, Provisioner, Step};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Runs them in order. After the first failure the error-cleanup-provisioner runs, if there is one.
pub(crate) async fn all<E: Executor>(
    ctx: &Ctx<'_, E>,
    session: Option<&E::Session>,
    values: &BuildValues,
) -> Result<(), Failure> {
    for provisioner in &ctx.build.provisioners {
        let Err(failure) = one(ctx, provisioner, session, values).await else { continue };
        if provisioner.continue_on_error && !failure.error.cancelled && !failure.aborted {
            let text =
                format!("{} failed, and the build goes on: {}", provisioner.step.component, failure.error);
            ctx.emitter.emit(EventBody::Error { text });
            continue;
        }
        if ctx.options.on_error != OnError::Abort && !failure.aborted {
            error_cleanup(ctx, session, values).await;
        }
        return Err(failure);
    }
    Ok(())
}

/// All attempts of one provisioner. The first error is reported: later ones often follow from it.
async fn one<E: Executor>(
    ctx: &Ctx<'_, E>,
    provisioner: &Provisioner,
    session: Option<&E::Session>,
    values: &BuildValues,
) -> Result<(), Failure> {
    let mut first: Option<StepError> = None;
    let mut number = 1;
    loop {
        let Err(error) = try_once(ctx, provisioner, session, values, number, ctx.cancel).await else {
            return Ok(());
        };
        let fatal = error.cancelled || ctx.cancel.is_cancelled();
        let again = !fatal && number <= provisioner.max_retries;
        if again {
            let text = format!(
                "{} failed, trying again ({number} of {}): {error}",
                provisioner.step.component, provisioner.max_retries
            );
            ctx.emitter.emit(EventBody::Error { text });
        }
        let reported = first.get_or_insert(error);
        if !again {
            match attempt::after_error(ctx, &provisioner.step, reported).await {
                Attempt::Again => {}
                Attempt::GiveUp => return Err(reported.clone().into()),
                Attempt::Leave => return Err(Failure { error: reported.clone(), aborted: true }),
            }
        }
        number += 1;
    }
}

async fn try_once<E: Executor>(
    ctx: &Ctx<'_, E>,
    provisioner: &Provisioner,
    session: Option<&E::Session>,
    values: &BuildValues,
    number: u32,
    cancel: &CancellationToken,
) -> Result<(), StepError> {
    let step = &provisioner.step;
    attempt::pause_for_debug(ctx, step).await?;
    pause(ctx, provisioner.pause_before, cancel).await?;
    let configuration = evaluated(step, values)?;
    let running = ctx.emitter.step(step, number, "provision");
    let inner = cancel.child_token();
    let work = ctx.executor.provision(
        ctx.scope,
        step,
        configuration,
        session.cloned(),
        running.info(),
        inner.clone(),
    );
    let result = bounded(work, provisioner.timeout, &inner).await;
    running.finished(result)
}

/// Waits before an attempt.
async fn pause<E: Executor>(
    ctx: &Ctx<'_, E>,
    pause: Duration,
    cancel: &CancellationToken,
) -> Result<(), StepError> {
    if pause.is_zero() {
        return Ok(());
    }
    let text = format!("Pausing {} s before the next provisioner...", pause.as_secs_f64());
    ctx.emitter.emit(EventBody::Say { text });
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(StepError::cancelled()),
        () = tokio::time::sleep(pause) => {
            ctx.emitter.emit(EventBody::Span { name: "pause".into(), elapsed: pause });
            Ok(())
        }
    }
}

/// `work` with a deadline. When it is over the work is cancelled, not dropped: it ends by itself,
/// so that nothing of it is left running.
async fn bounded(
    work: impl Future<Output = Result<(), StepError>>,
    timeout: Duration,
    cancel: &CancellationToken,
) -> Result<(), StepError> {
    if timeout.is_zero() {
        return work.await;
    }
    tokio::pin!(work);
    tokio::select! {
        biased;
        result = &mut work => result,
        () = tokio::time::sleep(timeout) => {
            cancel.cancel();
            let _ = work.await;
            Err(StepError::new(format!("timed out after {} s (`timeout`)", timeout.as_secs_f64())))
        }
    }
}

/// The options of a step as they are now.
pub(crate) fn evaluated(step: &Step, values: &BuildValues) -> Result<Configuration, StepError> {
    step.late.evaluate(values).map_err(|diagnostics| diagnosed(&diagnostics))
}

fn diagnosed(diagnostics: &Diagnostics) -> StepError {
    let first = diagnostics.iter().find(|diagnostic| diagnostic.is_error()).or_else(|| diagnostics.first());
    let message = first.map_or_else(
        || "the options could not be evaluated".to_owned(),
        |diagnostic| match diagnostic.detail.as_str() {
            "" => diagnostic.summary.clone(),
            detail => format!("{}: {detail}", diagnostic.summary),
        },
    );
    StepError { message, span: first.and_then(|diagnostic| diagnostic.span), cancelled: false }
}

/// Runs the error-cleanup-provisioner. Its own failure is told and changes nothing; a cancel of the
/// build does not stop it, a second one ends kiln.
async fn error_cleanup<E: Executor>(ctx: &Ctx<'_, E>, session: Option<&E::Session>, values: &BuildValues) {
    let Some(provisioner) = &ctx.build.error_cleanup else { return };
    let fresh = CancellationToken::new();
    let mut number = 1;
    while let Err(error) = try_once(ctx, provisioner, session, values, number, &fresh).await {
        ctx.emitter.emit(EventBody::Error { text: format!("the error-cleanup-provisioner failed: {error}") });
        number += 1;
        if number > provisioner.max_retries.saturating_add(1) {
            return;
        }
    }
}
