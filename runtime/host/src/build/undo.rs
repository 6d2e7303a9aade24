//! Undoing what components made outside this machine: on a fresh instance of the same component,
//! at the end of the build that made it, or in a later run if kiln was killed.
//!
//! ```text
//! record-undo ─▶ journal ─▶ done or keep by the component ─▶ forgotten
//!                       ├─▶ end of the build: undo, with the step's options
//!                       └─▶ kiln was killed: `kiln cleanup`, with the options that were recorded
//! ```

use super::step::{load_error, role_of, start};
use super::{BuildInner, BuildScope};
use crate::bindings::kiln::host::journal::UndoEntry;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::configuration::StepConfiguration;
use crate::error::{CallResult, fail};
use crate::instance::Outcome;
use crate::journal::Outside;
use crate::run::RunInner;
use crate::state::StepCtx;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The options of the steps that recorded something, by the entry's number.
#[derive(Debug, Default)]
pub(crate) struct Recorded(Mutex<BTreeMap<u64, Arc<StepConfiguration>>>);

impl Recorded {
    pub(crate) fn keep(&self, number: u64, configuration: Option<Arc<StepConfiguration>>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(configuration.map(|configuration| (number, configuration)));
    }

    fn of(&self, number: u64) -> Option<Arc<StepConfiguration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }
}

/// An entry as it goes into the journal.
pub(crate) fn recorded(step: &StepCtx, entry: UndoEntry, summary: String) -> CallResult<Outside> {
    let described = step.build.run.host.described(&step.component);
    let described = described.map_err(|e| fail(ErrorCode::Failed, e.to_string()))?;
    let options = step.configuration.as_ref().map(|c| c.without_secrets(step.build.vault.redactor()));
    Ok(Outside {
        component: step.component.clone(),
        digest: described.description.digest.clone(),
        options: options.unwrap_or_default(),
        kind: entry.kind,
        key: entry.key,
        data: entry.data,
        summary,
    })
}

/// Undoes what the components of a build left, newest first; gives a line for what is still there.
pub(super) async fn undo_outside(build: &Arc<BuildInner>) -> Vec<String> {
    let recorded = build.extension(Recorded::default);
    let mut left = Vec::new();
    for (number, outside) in build.journal.outside().into_iter().rev() {
        match undo(build, &outside, recorded.of(number)).await {
            Ok(()) => {
                let _ = build.journal.done(number);
            }
            Err(why) => left.push(format!("{}: {why}", outside.summary)),
        }
    }
    left
}

/// Undoes what an earlier run left.
pub(crate) async fn undo_recorded(run: &Arc<RunInner>, outside: &Outside) -> Result<(), String> {
    let scope = BuildScope::new(BuildInner::nowhere(run.clone()));
    let undone = undo(scope.inner(), outside, None).await;
    let left = scope.close(Outcome::Success).await;
    undone.and_then(|()| if left.is_empty() { Ok(()) } else { Err(left.join("; ")) })
}

async fn undo(
    build: &Arc<BuildInner>,
    outside: &Outside,
    configuration: Option<Arc<StepConfiguration>>,
) -> Result<(), String> {
    let component = &outside.component;
    let (host, wanted) = (build.run.host.clone(), component.clone());
    let described = tokio::task::spawn_blocking(move || host.described(&wanted));
    let described = described.await.map_err(|e| e.to_string())?.map_err(|e| load_error(&e).message)?;
    if described.description.digest != outside.digest {
        return Err(format!(
            "the {component} that made it has the digest sha256:{}; install that one, or remove it by hand",
            outside.digest
        ));
    }
    let recorded = || StepConfiguration::recorded(&described.schema, &outside.options, build.functions());
    let configuration = match configuration {
        Some(configuration) => configuration,
        None => recorded().map(Arc::new).ok_or("the journal's options cannot be read")?,
    };
    // The build may be cancelled; undoing is not.
    let cancel = CancellationToken::new();
    let limit = cancel.clone().drop_guard();
    let work = async {
        let role = role_of(component.kind);
        let mut instance = start(build, component, configuration, role, None, cancel).await?;
        let Outside { kind, key, data, summary, .. } = outside.clone();
        instance.undo(UndoEntry { kind, key, data, summary }).await
    };
    let undone = tokio::time::timeout(build.options().limits.cleanup, work).await;
    drop(limit);
    undone.map_err(|_| "it took too long".to_owned())?.map_err(|error| error.message)
}
