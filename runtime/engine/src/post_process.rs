//! Post-processors: sequences that each start from the builder's artifact, and which artifacts stay.
//!
//! A sequence feeds each output to the next post-processor; an input that its post-processor does
//! not keep is destroyed when the output is there. The builder's artifact goes only if every
//! sequence was whole and no first post-processor keeps it: after a failure or a cancel the image
//! stays, whatever else happens.

use crate::build::BuildCtx;
use crate::executor::{Call, Executor, Failure, Processed};
use crate::step::{attempt, evaluated, info, placed};
use kiln_plan::{Build, BuildOutcome, BuildValues, EventBody, PostProcessor};

/// What became of the builder's artifact and of the rest.
struct Tally<A> {
    outputs: Vec<A>,
    errors: Vec<String>,
    keep: bool,
    cancelled: bool,
}

/// Runs all sequences; gives how the build ended.
pub(crate) async fn all<E: Executor>(
    ctx: &BuildCtx<E>,
    build: &Build,
    artifact: Option<E::Artifact>,
    values: &BuildValues,
) -> BuildOutcome {
    let Some(artifact) = artifact else { return BuildOutcome::Succeeded(Vec::new()) };
    let mut tally = Tally {
        outputs: Vec::new(),
        errors: Vec::new(),
        keep: build.post_processors.is_empty(),
        cancelled: false,
    };
    for sequence in &build.post_processors {
        if ctx.run.cancel.is_cancelled() {
            tally.cancelled = true;
            break;
        }
        run_sequence(ctx, sequence, &artifact, values, &mut tally).await;
    }
    let whole = tally.errors.is_empty() && !tally.cancelled;
    if !tally.keep && whole {
        destroy(ctx, &artifact).await;
    }
    if !whole {
        let description = ctx.run.executor.summary(&artifact).description;
        ctx.emit(EventBody::Say { text: format!("The builder's artifact is kept: {description}") });
    }
    if tally.cancelled {
        return BuildOutcome::Cancelled;
    }
    if !tally.errors.is_empty() {
        return BuildOutcome::Failed(tally.errors);
    }
    let kept = tally.keep.then_some(&artifact);
    BuildOutcome::Succeeded(
        kept.into_iter().chain(&tally.outputs).map(|a| ctx.run.executor.summary(a)).collect(),
    )
}

async fn run_sequence<E: Executor>(
    ctx: &BuildCtx<E>,
    sequence: &[PostProcessor],
    artifact: &E::Artifact,
    values: &BuildValues,
    tally: &mut Tally<E::Artifact>,
) {
    let mut input = artifact.clone();
    for (place, post_processor) in sequence.iter().enumerate() {
        let processed = match process(ctx, post_processor, input.clone(), values).await {
            Ok(processed) => processed,
            Err(failure) if failure.cancelled || ctx.run.cancel.is_cancelled() => {
                tally.cancelled = true;
                return;
            }
            Err(failure) => {
                let text = ctx.words(&failure, &post_processor.step);
                tally.errors.push(format!("Post-processor failed: {text}"));
                return;
            }
        };
        let keep = keeps(&processed, post_processor.keep_input_artifact);
        match (place, keep) {
            (0, _) => tally.keep |= keep,
            // What is kept in between is a result of its own, also if it is the builder's passed on.
            (_, true) => tally.outputs.push(input.clone()),
            (_, false) => destroy(ctx, &input).await,
        }
        match processed.artifact {
            Some(output) => input = output,
            None => return,
        }
    }
    tally.outputs.push(input);
}

/// The user decides, unless the component must keep what it keeps anyway.
fn keeps<A>(processed: &Processed<A>, user: Option<bool>) -> bool {
    if processed.keep_input && processed.must_keep { true } else { user.unwrap_or(processed.keep_input) }
}

async fn process<E: Executor>(
    ctx: &BuildCtx<E>,
    post_processor: &PostProcessor,
    input: E::Artifact,
    values: &BuildValues,
) -> Result<Processed<E::Artifact>, Failure> {
    let step = &post_processor.step;
    let info = info(ctx, step, 1);
    let cancel = ctx.run.cancel.child_token();
    attempt(ctx, &info, "post-process", &cancel, async {
        let configuration = evaluated(ctx, step, values)?;
        let call = Call { step: step.clone(), configuration, info: info.clone(), cancel: cancel.clone() };
        ctx.run.executor.post_process(&ctx.scope, call, input).await.map_err(|f| placed(f, step.span))
    })
    .await
}

async fn destroy<E: Executor>(ctx: &BuildCtx<E>, artifact: &E::Artifact) {
    if let Err(failure) = ctx.run.executor.destroy(&ctx.scope, artifact).await {
        ctx.emit(EventBody::Error {
            text: format!("an artifact that is not kept cannot be removed: {failure}"),
        });
    }
}
