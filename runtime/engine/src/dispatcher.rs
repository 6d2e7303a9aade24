//! One owner of the run's state: starts builds in order as places become free, and collects how
//! they end. A panic of a build's task is that build's error.

use crate::bounded::words;
use crate::build::run_build;
use crate::executor::Executor;
use crate::outcome::BuildReport;
use crate::run::{Ready, RunCtx};
use crate::schedule::Schedule;
use kiln_plan::{BuildOutcome, EventBody};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

/// Runs builds; gives their reports in the plan's order.
pub(crate) async fn dispatch<E: Executor>(
    ctx: &Arc<RunCtx<E>>,
    ready: Vec<Ready<E::Scope>>,
) -> Vec<BuildReport> {
    let began = Instant::now();
    let most = if ctx.options.debug { 1 } else { ctx.options.parallel_builds };
    let mut schedule = Schedule::new(ready.len(), most);
    let mut reports: Vec<BuildReport> = ready
        .iter()
        .map(|ready| BuildReport { name: ready.build.name.as_str().into(), outcome: BuildOutcome::Cancelled })
        .collect();
    let mut ready: Vec<Option<Ready<E::Scope>>> = ready.into_iter().map(Some).collect();
    let mut tasks = JoinSet::new();
    let mut places: HashMap<Id, usize> = HashMap::new();
    loop {
        if ctx.cancel.is_cancelled() {
            for place in schedule.give_up() {
                close_unstarted(ctx, ready.get_mut(place).and_then(Option::take)).await;
            }
        }
        while let Some(place) = schedule.start_next() {
            if let Some(ready) = ready.get_mut(place).and_then(Option::take) {
                let name = Arc::from(ready.build.name.as_str());
                ctx.emit(
                    Some(&name),
                    None,
                    EventBody::Span { name: "queue".into(), elapsed: began.elapsed() },
                );
                let handle = tasks.spawn(run_build(ctx.clone(), ready));
                places.insert(handle.id(), place);
            }
        }
        let Some(ended) = tasks.join_next_with_id().await else { break };
        schedule.ended();
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => {
                let id = error.id();
                let text = error.try_into_panic().map_or_else(|e| e.to_string(), |panic| words(&*panic));
                (id, BuildOutcome::Failed(vec![text]))
            }
        };
        if let Some(report) = places.get(&id).and_then(|place| reports.get_mut(*place)) {
            report.outcome = outcome;
        }
    }
    reports
}

async fn close_unstarted<E: Executor>(ctx: &RunCtx<E>, ready: Option<Ready<E::Scope>>) {
    if let Some(ready) = ready {
        let _ = ctx.executor.close(ready.scope, crate::CleanupOutcome::Cancelled).await;
    }
}
