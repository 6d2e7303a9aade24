//! Attempts of a provisioner: pause, evaluate again, run bounded in time, try again.
//!
//! ```text
//! pause_before ─▶ evaluate ─▶ provision (timeout) ─▶ ok
//!      ▲                            │ failed, retries left
//!      └────────────────────────────┘        no retries left: the FIRST error
//! ```
//!
//! `timeout` bounds each attempt without its pause, so both options work together.

use crate::bounded::GRACE;
use crate::build::BuildCtx;
use crate::executor::{Call, Executor, Failure, Prepared};
use crate::question;
use crate::step::{attempt, evaluated, info, placed};
use kiln_plan::{BuildValues, EventBody, Provisioner, format_duration};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Runs a provisioner until it succeeds or may not be tried again.
pub(crate) async fn provision<E: Executor>(
    ctx: &BuildCtx<E>,
    provisioner: &Provisioner,
    prepared: Option<&Prepared<E::Session>>,
) -> Result<(), Failure> {
    let mut first: Option<Failure> = None;
    for number in 0..=provisioner.max_retries {
        question::pause(ctx, &format!("before the {}", provisioner.step.component)).await?;
        let cancel = ctx.run.cancel.child_token();
        let Err(failure) = once(ctx, provisioner, prepared, number.saturating_add(1), &cancel).await else {
            return Ok(());
        };
        if failure.cancelled || ctx.run.cancel.is_cancelled() {
            return Err(Failure { cancelled: true, ..failure });
        }
        let text = match provisioner.max_retries - number {
            0 if number == 0 => None,
            0 => Some("retry limit reached.".to_owned()),
            left => Some(format!("Provisioner failed with \"{failure}\", retrying with {left} trie(s) left")),
        };
        if let Some(text) = text {
            ctx.emit(EventBody::Say { text });
        }
        first.get_or_insert(failure);
    }
    Err(first.unwrap_or_else(Failure::cancelled))
}

/// One attempt, under a token of its own, which the caller may cancel.
pub(crate) async fn once<E: Executor>(
    ctx: &BuildCtx<E>,
    provisioner: &Provisioner,
    prepared: Option<&Prepared<E::Session>>,
    number: u32,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    pause(ctx, provisioner.pause_before, cancel).await?;
    let step = &provisioner.step;
    let info = info(ctx, step, number);
    let session = prepared.and_then(|prepared| prepared.session.clone());
    let values = BuildValues { build: prepared.map(|prepared| prepared.values.clone()).unwrap_or_default() };
    // Only this attempt ends when its time is over.
    let token = cancel.child_token();
    attempt(ctx, &info, "provision", &token, async {
        let configuration = evaluated(ctx, step, &values)?;
        let call = Call { step: step.clone(), configuration, info: info.clone(), cancel: token.clone() };
        let work = ctx.run.executor.provision(&ctx.scope, call, session);
        let result = within(ctx, provisioner.timeout, &token, work).await;
        result.map_err(|failure| placed(failure, step.span))
    })
    .await
    .map_err(|failure| timed_out_is_no_cancel(failure, cancel))
}

/// Bounds `work`: after `timeout` its token is cancelled, and it gets a grace period to end.
async fn within<E: Executor>(
    ctx: &BuildCtx<E>,
    timeout: Duration,
    token: &CancellationToken,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    if timeout.is_zero() {
        return work.await;
    }
    let shown = format_duration(timeout);
    ctx.emit(EventBody::Say { text: format!("Setting a {shown} timeout for the next provisioner...") });
    tokio::pin!(work);
    tokio::select! {
        biased;
        result = &mut work => return result,
        () = tokio::time::sleep(timeout) => token.cancel(),
    }
    ctx.emit(EventBody::Error { text: "Cancelling provisioner after a timeout...".to_owned() });
    let _ = tokio::time::timeout(GRACE, work).await;
    Err(Failure::new(format!("the provisioner timed out after {shown}")))
}

/// A call that was dropped because its own time was over is a failure, which may be retried.
fn timed_out_is_no_cancel(failure: Failure, cancel: &CancellationToken) -> Failure {
    if failure.cancelled && !cancel.is_cancelled() {
        Failure { cancelled: false, ..Failure::new("the provisioner timed out and did not end") }
    } else {
        failure
    }
}

async fn pause<E: Executor>(
    ctx: &BuildCtx<E>,
    time: Duration,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    if time.is_zero() {
        return Ok(());
    }
    ctx.emit(EventBody::Say {
        text: format!("Pausing {} before the next provisioner...", format_duration(time)),
    });
    let started = Instant::now();
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::cancelled()),
        () = tokio::time::sleep(time) => Ok(()),
    };
    ctx.emit(EventBody::Span { name: "pause".into(), elapsed: started.elapsed() });
    ended
}
