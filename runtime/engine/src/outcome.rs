//! How builds and the run ended.

use kiln_plan::{BuildOutcome, Diagnostics};
use std::sync::Arc;

/// How a build went, as its cleanup is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupOutcome {
    /// The artifact was made.
    Success,
    /// A step failed.
    Failed,
    /// The user cancelled.
    Cancelled,
    /// The user wants everything left as it is.
    Aborted,
}

/// One build that was in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildReport {
    /// Its name.
    pub name: Arc<str>,
    /// How it ended; builds that never started because of a cancel are cancelled.
    pub outcome: BuildOutcome,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunResult {
    /// The builds that were valid, in the plan's order.
    pub builds: Vec<BuildReport>,
    /// The builds that were not, with all findings of the run's validation, warnings included.
    pub invalid: Vec<Arc<str>>,
    /// What validation found, each thing once.
    pub diagnostics: Diagnostics,
    /// Whether the user cancelled.
    pub interrupted: bool,
}

impl RunResult {
    /// Whether every build was valid and succeeded.
    pub fn is_success(&self) -> bool {
        !self.interrupted
            && self.invalid.is_empty()
            && self.builds.iter().all(|build| matches!(build.outcome, BuildOutcome::Succeeded(_)))
    }
}
