//! What the engine needs of whoever runs steps. `kiln-cli` implements it over the sandbox; the
//! tests implement it as a script.

use kiln_plan::{ArtifactSummary, Build, Configuration, Diagnostic, Span, Step, StepInfo, Value};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How a build ended, for whoever cleans up after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The artifact was made.
    Success,
    /// A step failed.
    Failed,
    /// The user cancelled.
    Cancelled,
    /// The user wants everything left as it is.
    Aborted,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError {
    /// A lowercase fragment, fit to be shown.
    pub message: String,
    /// The place in the template that it is about.
    pub span: Option<Span>,
    /// Whether the step ended because it was cancelled.
    pub cancelled: bool,
}

impl StepError {
    /// An error without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, cancelled: false }
    }

    /// The error of a step that was cancelled.
    pub fn cancelled() -> Self {
        Self { message: "build was cancelled".to_owned(), span: None, cancelled: true }
    }
}

/// A machine that is ready.
#[derive(Debug)]
pub struct Prepared<B, S> {
    /// The builder, for `finish` and `cleanup`.
    pub builder: B,
    /// The session of its machine, if it has one.
    pub session: Option<S>,
    /// Values of `build.*`.
    pub values: BTreeMap<String, Value>,
}

/// What a post-processor gave.
#[derive(Debug)]
pub struct Processed<A> {
    /// The artifact for the next of the sequence; none ends it.
    pub artifact: Option<A>,
    /// Whether the input is kept unless the user says otherwise.
    pub keep_input: bool,
    /// Whether it is kept even then.
    pub must_keep: bool,
}

/// Runs steps. Every function returns soon after its `cancel` is cancelled.
pub trait Executor: Send + Sync + 'static {
    /// What belongs to one build.
    type Scope: Send + Sync + 'static;
    /// A prepared builder.
    type Builder: Send + 'static;
    /// A connection to a machine.
    type Session: Clone + Send + Sync + 'static;
    /// What was made.
    type Artifact: Clone + Send + Sync + 'static;

    /// Checks a step without doing anything.
    fn validate(&self, build: &Build, step: &Step) -> impl Future<Output = Vec<Diagnostic>> + Send;

    /// Begins a build. `cancel` is that of the build.
    fn open(
        &self,
        build: &Build,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<Self::Scope, StepError>> + Send;

    /// Makes the machine. When it fails, what it began is undone by `close`.
    fn prepare(
        &self,
        scope: &Self::Scope,
        step: &Step,
        configuration: Configuration,
        info: Arc<StepInfo>,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<Prepared<Self::Builder, Self::Session>, StepError>> + Send;

    /// Runs one attempt of a provisioner, a new instance each time.
    fn provision(
        &self,
        scope: &Self::Scope,
        step: &Step,
        configuration: Configuration,
        session: Option<Self::Session>,
        info: Arc<StepInfo>,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Makes the artifact.
    fn finish(
        &self,
        scope: &Self::Scope,
        builder: &mut Self::Builder,
    ) -> impl Future<Output = Result<Option<Self::Artifact>, StepError>> + Send;

    /// Lets the builder clean up; it has its own deadline and ignores earlier cancels.
    fn cleanup(
        &self,
        scope: &Self::Scope,
        builder: Self::Builder,
        outcome: Outcome,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Runs a post-processor.
    fn post_process(
        &self,
        scope: &Self::Scope,
        step: &Step,
        configuration: Configuration,
        artifact: Self::Artifact,
        info: Arc<StepInfo>,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<Processed<Self::Artifact>, StepError>> + Send;

    /// What is shown of an artifact.
    fn summary(&self, artifact: &Self::Artifact) -> ArtifactSummary;

    /// Removes an artifact that nobody keeps.
    fn destroy(
        &self,
        scope: &Self::Scope,
        artifact: Self::Artifact,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Ends a build: undoes what its outcome says. Called exactly once for each opened build.
    fn close(
        &self,
        scope: Self::Scope,
        outcome: Outcome,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Asks the user; gives the index of the choice.
    fn ask(
        &self,
        build: &str,
        question: &str,
        choices: &[&str],
    ) -> impl Future<Output = Result<usize, StepError>> + Send;
}
