//! The post-processors of a build.
//!
//! Each sequence starts from the builder's artifact; inside one, the output of each is the input of
//! the next. The builder's artifact is kept if any first post-processor keeps it. One that fails
//! never costs the image (Packer deletes it): then the builder's artifact is kept and named.

use crate::attempt::{self, Attempt};
use crate::build::Ctx;
use crate::executor::{Executor, Processed, StepError};
use crate::provision::evaluated;
use kiln_plan::{ArtifactSummary, BuildValues, EventBody, PostProcessor};

/// Runs every sequence; gives what is there in the end, the builder's artifact first.
pub(crate) async fn all<E: Executor>(
    ctx: &Ctx<'_, E>,
    original: E::Artifact,
    values: &BuildValues,
) -> Result<Vec<ArtifactSummary>, Vec<StepError>> {
    let mut keep_original = ctx.build.post_processors.is_empty();
    let mut artifacts = Vec::new();
    let mut errors = Vec::new();
    for sequence in &ctx.build.post_processors {
        if ctx.cancel.is_cancelled() {
            errors.insert(0, StepError::cancelled());
            break;
        }
        match run_sequence(ctx, sequence, &original, values).await {
            Ok(done) => {
                keep_original |= done.keep_original;
                artifacts.extend(done.artifacts);
            }
            Err(error) if error.cancelled => {
                errors.insert(0, error);
                break;
            }
            Err(mut error) => {
                error.message = format!("Post-processor failed: {}", error.message);
                errors.push(error);
            }
        }
    }
    if !errors.is_empty() {
        let kept = ctx.executor.summary(&original).description;
        ctx.emitter.emit(EventBody::Say { text: format!("The builder's artifact is kept: {kept}") });
        return Err(errors);
    }
    let mut summaries = Vec::new();
    if keep_original {
        summaries.push(ctx.executor.summary(&original));
    } else {
        destroy(ctx, original).await;
    }
    summaries.extend(artifacts.iter().map(|artifact| ctx.executor.summary(artifact)));
    Ok(summaries)
}

struct Done<A> {
    keep_original: bool,
    artifacts: Vec<A>,
}

async fn run_sequence<E: Executor>(
    ctx: &Ctx<'_, E>,
    sequence: &[PostProcessor],
    original: &E::Artifact,
    values: &BuildValues,
) -> Result<Done<E::Artifact>, StepError> {
    let mut done = Done { keep_original: false, artifacts: Vec::new() };
    let mut prior: Option<E::Artifact> = None;
    for (position, post_processor) in sequence.iter().enumerate() {
        let input = prior.take().unwrap_or_else(|| original.clone());
        let processed = run_one(ctx, post_processor, input.clone(), values).await?;
        let keep = kept(post_processor, &processed);
        if position == 0 {
            done.keep_original = keep;
        } else if keep {
            done.artifacts.push(input);
        } else {
            destroy(ctx, input).await;
        }
        prior = processed.artifact;
        if prior.is_none() {
            break;
        }
    }
    done.artifacts.extend(prior);
    Ok(done)
}

/// The component's word, unless the user says otherwise and may.
fn kept<A>(post_processor: &PostProcessor, processed: &Processed<A>) -> bool {
    match post_processor.keep_input_artifact {
        Some(false) if processed.keep_input && processed.must_keep => true,
        Some(wanted) => wanted,
        None => processed.keep_input,
    }
}

async fn run_one<E: Executor>(
    ctx: &Ctx<'_, E>,
    post_processor: &PostProcessor,
    input: E::Artifact,
    values: &BuildValues,
) -> Result<Processed<E::Artifact>, StepError> {
    let step = &post_processor.step;
    let mut number = 1;
    loop {
        attempt::pause_for_debug(ctx, step).await?;
        let configuration = evaluated(step, values)?;
        let running = ctx.emitter.step(step, number, "post-process");
        let cancel = ctx.cancel.child_token();
        let work =
            ctx.executor.post_process(ctx.scope, step, configuration, input.clone(), running.info(), cancel);
        match running.finished(work.await) {
            Ok(processed) => return Ok(processed),
            Err(error) => match attempt::after_error(ctx, step, &error).await {
                Attempt::Again => number += 1,
                Attempt::GiveUp | Attempt::Leave => return Err(error),
            },
        }
    }
}

async fn destroy<E: Executor>(ctx: &Ctx<'_, E>, artifact: E::Artifact) {
    if let Err(error) = ctx.executor.destroy(ctx.scope, artifact).await {
        ctx.emitter
            .emit(EventBody::Error { text: format!("removing an artifact that nobody keeps: {error}") });
    }
}
