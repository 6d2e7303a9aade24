//! What happens around an attempt of a step: the pause of -debug, the question of -on-error=ask.

use crate::build::Ctx;
use crate::executor::{Executor, StepError};
use crate::run::OnError;
use kiln_plan::{EventBody, Step};

/// What follows an error.
pub(crate) enum Attempt {
    /// The step is tried again.
    Again,
    /// The build fails and cleans up.
    GiveUp,
    /// The build fails and everything is left.
    Leave,
}

/// With -debug, waits until the user lets the step begin.
pub(crate) async fn pause_for_debug<E: Executor>(ctx: &Ctx<'_, E>, step: &Step) -> Result<(), StepError> {
    if !ctx.options.debug {
        return Ok(());
    }
    let question = format!("Pausing before {}. Press enter to continue.", step.component);
    ctx.executor.ask(&ctx.build.name, &question, &[]).await.map(|_| ())
}

/// With -on-error=ask, lets the user decide. A question that nobody can answer means: clean up.
pub(crate) async fn after_error<E: Executor>(ctx: &Ctx<'_, E>, step: &Step, error: &StepError) -> Attempt {
    if ctx.options.on_error != OnError::Ask || error.cancelled || ctx.cancel.is_cancelled() {
        return Attempt::GiveUp;
    }
    ctx.emitter.emit(EventBody::Error { text: error.message.clone() });
    let question = format!("{} failed.", step.component);
    let choices = [
        "[c] Clean up and exit",
        "[a] abort without cleanup",
        "[r] retry step (build may fail even if retry succeeds)",
    ];
    match ctx.executor.ask(&ctx.build.name, &question, &choices).await {
        Ok(1) => Attempt::Leave,
        Ok(2) => Attempt::Again,
        Ok(_) | Err(_) => Attempt::GiveUp,
    }
}
