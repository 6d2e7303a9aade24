//! What the user is asked: `-on-error=ask` and the pauses of `-debug`. One question at a time, and
//! a cancel is an answer.

use crate::build::BuildCtx;
use crate::executor::{Executor, Failure};
use kiln_plan::{EventBody, Step};
use tokio::time::Instant;

/// What the user wants after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Cleanup,
    Abort,
    Retry,
}

/// As [`Decision`] has them; the letter in brackets is the answer.
const CHOICES: [&str; 3] =
    ["[c] clean up and end this build", "[a] abort: leave everything as it is", "[r] retry the step"];

/// Asks what to do about a step that failed. Nobody to ask means cleaning up.
pub(crate) async fn decide<E: Executor>(ctx: &BuildCtx<E>, step: &Step) -> Decision {
    let question = format!("{}: the {} failed. What now?", ctx.name, step.component);
    match ask(ctx, &question, &CHOICES).await {
        Ok(1) => Decision::Abort,
        Ok(2) => Decision::Retry,
        Ok(_) => Decision::Cleanup,
        Err(failure) => {
            if !failure.cancelled {
                ctx.emit(EventBody::Warning { text: format!("nobody can be asked: {}", failure.message) });
            }
            Decision::Cleanup
        }
    }
}

/// Waits for Enter under `-debug`. Only a cancel is an error; without a terminal it goes on.
pub(crate) async fn pause<E: Executor>(ctx: &BuildCtx<E>, place: &str) -> Result<(), Failure> {
    if !ctx.run.options.debug {
        return Ok(());
    }
    let question = format!("{}: pausing {place}. Press enter to continue.", ctx.name);
    match ask(ctx, &question, &[""]).await {
        Err(failure) if failure.cancelled => Err(failure),
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn ask<E: Executor>(ctx: &BuildCtx<E>, question: &str, choices: &[&str]) -> Result<usize, Failure> {
    let started = Instant::now();
    let answer = tokio::select! {
        biased;
        () = ctx.run.cancel.cancelled() => Err(Failure::cancelled()),
        answer = async {
            let _turn = ctx.run.asking.lock().await;
            ctx.run.executor.ask(question, choices).await
        } => answer,
    };
    ctx.emit(EventBody::Span { name: "question".into(), elapsed: started.elapsed() });
    answer
}
