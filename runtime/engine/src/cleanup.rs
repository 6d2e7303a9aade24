//! Every way out: the error-cleanup-provisioner, then the builder, then the scope, last in first
//! out. The cancel of the build does not reach any of it; a deadline of its own does.
//!
//! | how the build ended | error-cleanup-provisioner | builder is told | scope is told |
//! | --- | --- | --- | --- |
//! | artifact made | no | success | success |
//! | failed, `-on-error=cleanup` | if provisioning began | failed | failed |
//! | cancelled | if provisioning began | cancelled | cancelled |
//! | failed or cancelled, `abort` | no | aborted | aborted |
//! | `run-cleanup-provisioner` | if provisioning began | aborted | aborted |

use crate::bounded::bounded;
use crate::build::BuildCtx;
use crate::executor::{Executor, Prepared};
use crate::outcome::CleanupOutcome;
use crate::question;
use crate::retry;
use crate::run::OnError;
use crate::step::{attempt, info};
use kiln_plan::{Build, EventBody};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a cleanup may take before it is told to end.
const DEADLINE: Duration = Duration::from_secs(300);

/// A token that nobody but the clock cancels. The clock ends with the guard.
struct Deadline {
    token: CancellationToken,
    clock: tokio::task::JoinHandle<()>,
}

impl Deadline {
    fn start(after: Duration) -> Self {
        let token = CancellationToken::new();
        let clock = tokio::spawn({
            let token = token.clone();
            async move {
                tokio::time::sleep(after).await;
                token.cancel();
            }
        });
        Self { token, clock }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.clock.abort();
    }
}

/// Runs the error-cleanup-provisioner, if there is one and `-on-error` wants it. Its own failure is
/// shown and changes nothing.
pub(crate) async fn error_provisioner<E: Executor>(
    ctx: &BuildCtx<E>,
    build: &Build,
    prepared: Option<&Prepared<E::Session>>,
    outcome: CleanupOutcome,
) {
    let wanted =
        outcome != CleanupOutcome::Aborted || ctx.run.options.on_error == OnError::RunCleanupProvisioner;
    if !wanted {
        return;
    }
    // Packer's words; tools look for them.
    let text = "Provisioning step had errors: Running the cleanup provisioner, if present...";
    ctx.emit(EventBody::Say { text: text.to_owned() });
    let Some(provisioner) = &build.error_cleanup else { return };
    let deadline = Deadline::start(DEADLINE.max(provisioner.timeout));
    if let Err(failure) = retry::once(ctx, provisioner, prepared, 1, &deadline.token).await {
        let text =
            format!("the error-cleanup-provisioner failed: {}", ctx.words(&failure, &provisioner.step));
        ctx.emit(EventBody::Error { text });
    }
}

/// Cleans up the builder; what is left if that fails.
pub(crate) async fn builder<E: Executor>(
    ctx: &BuildCtx<E>,
    build: &Build,
    builder: Option<E::Builder>,
    outcome: CleanupOutcome,
) -> Option<String> {
    let builder = builder?;
    if outcome != CleanupOutcome::Aborted {
        // Nobody is there to press Enter after a cancel, and a cleanup never waits for long.
        let _ = question::pause(ctx, &format!("before the cleanup of the {}", build.builder.component)).await;
    }
    let info = info(ctx, &build.builder, 1);
    let deadline = Deadline::start(DEADLINE);
    let token = deadline.token.clone();
    let work = ctx.run.executor.cleanup(builder, outcome, token.clone());
    let failure = attempt(ctx, &info, "cleanup", &token, work).await.err()?;
    let text =
        if failure.cancelled { "it took too long".to_owned() } else { ctx.words(&failure, &build.builder) };
    Some(format!("cleaning up failed, `kiln cleanup` tries again: {text}"))
}

/// Closes the scope; what is left if that fails.
pub(crate) async fn close<E: Executor>(ctx: &BuildCtx<E>, outcome: CleanupOutcome) -> Option<String> {
    let deadline = Deadline::start(DEADLINE);
    let work = ctx.run.executor.close(ctx.scope.clone(), outcome);
    let failure = bounded(work, &deadline.token).await.err()?;
    Some(format!("cleaning up failed, `kiln cleanup` tries again: {}", failure.message))
}
