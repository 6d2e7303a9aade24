//! What a step does, behind a trait. `kiln-cli` puts the sandbox here, tests a script.
//!
//! Main type: [`Executor`]. Invariant: every call obeys the token it gets and returns soon after it
//! is cancelled; the engine drops a call that does not.

use crate::outcome::CleanupOutcome;
use kiln_plan::{ArtifactSummary, Build, Configuration, Diagnostics, Span, Step, StepInfo, Value};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// A lowercase fragment, redacted and free of control characters.
    pub message: String,
    /// The option that it is about; otherwise the step's own place is shown.
    pub span: Option<Span>,
    /// Whether the step ended because it was told to.
    pub cancelled: bool,
}

impl Failure {
    /// A failure without a place of its own.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, cancelled: false }
    }

    /// The end of a step that was cancelled.
    pub fn cancelled() -> Self {
        Self { cancelled: true, ..Self::new("the build was cancelled") }
    }
}

/// One attempt of a step.
#[derive(Debug, Clone)]
pub struct Call {
    /// The step.
    pub step: Step,
    /// Its options, evaluated for this attempt.
    pub configuration: Configuration,
    /// What events of this attempt carry.
    pub info: Arc<StepInfo>,
    /// Ends the attempt.
    pub cancel: CancellationToken,
}

/// A machine that is ready.
#[derive(Debug, Clone)]
pub struct Prepared<S> {
    /// The connection to it; none without a communicator.
    pub session: Option<S>,
    /// Values of `build.*`.
    pub values: BTreeMap<String, Value>,
}

/// The builder, if it was started, and the machine or why there is none.
pub type Started<B, S> = (Option<B>, Result<Prepared<S>, Failure>);

/// What a post-processor gave.
#[derive(Debug, Clone)]
pub struct Processed<A> {
    /// The artifact for the next one; none ends the sequence.
    pub artifact: Option<A>,
    /// Whether the input is kept unless the user says otherwise.
    pub keep_input: bool,
    /// Whether the input is kept even then.
    pub must_keep: bool,
}

/// Does the work of steps.
///
/// The engine calls `open_build` first and `close` last for each build, and `cleanup` once for each
/// builder that `prepare` gave, on every way out.
pub trait Executor: Send + Sync + 'static {
    /// One build.
    type Scope: Clone + Send + Sync + 'static;
    /// A builder that lives from `prepare` to `cleanup`.
    type Builder: Send + 'static;
    /// A connection to a machine.
    type Session: Clone + Send + Sync + 'static;
    /// What a build made.
    type Artifact: Clone + Send + Sync + 'static;

    /// Makes room for a build. Nothing is changed on this host yet.
    fn open_build(&self, build: &Build) -> impl Future<Output = Result<Self::Scope, Failure>> + Send;

    /// Checks a step with its first options. Changes nothing.
    fn validate(&self, scope: &Self::Scope, step: &Step) -> impl Future<Output = Diagnostics> + Send;

    /// Starts a builder and makes the machine. A builder that was started is given also after a
    /// failure, so that it is cleaned up.
    fn prepare(
        &self,
        scope: &Self::Scope,
        call: Call,
    ) -> impl Future<Output = Started<Self::Builder, Self::Session>> + Send;

    /// Makes the artifact; called again after a failure only if the user says so.
    fn finish(
        &self,
        builder: &mut Self::Builder,
    ) -> impl Future<Output = Result<Option<Self::Artifact>, Failure>> + Send;

    /// Undoes what the builder made and the outcome does not need. `cancel` is a fresh token: the
    /// cancel of the build does not stop its cleanup.
    fn cleanup(
        &self,
        builder: Self::Builder,
        outcome: CleanupOutcome,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Runs a provisioner once, in a new instance.
    fn provision(
        &self,
        scope: &Self::Scope,
        call: Call,
        session: Option<Self::Session>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Runs a post-processor once.
    fn post_process(
        &self,
        scope: &Self::Scope,
        call: Call,
        artifact: Self::Artifact,
    ) -> impl Future<Output = Result<Processed<Self::Artifact>, Failure>> + Send;

    /// What the user is shown of an artifact.
    fn summary(&self, artifact: &Self::Artifact) -> ArtifactSummary;

    /// Removes what an artifact stands for.
    fn destroy(
        &self,
        scope: &Self::Scope,
        artifact: &Self::Artifact,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Ends a build: undoes what is still recorded, unless it was aborted.
    fn close(
        &self,
        scope: Self::Scope,
        outcome: CleanupOutcome,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Asks the user; gives the index of the choice.
    fn ask(&self, question: &str, choices: &[&str]) -> impl Future<Output = Result<usize, Failure>> + Send;
}
