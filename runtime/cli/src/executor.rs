//! Joins engine and sandbox: [`Steps`] is the engine's [`Executor`] over the host's builds.
//!
//! The engine carries errors as text with a place. [`Findings`] remembers the whole diagnostic behind
//! each, and [`Explaining`] shows it after the build that failed.

use crate::prompt::Questions;
use crate::screen::Screen;
use kiln_engine::{Call, CleanupOutcome, Executor, Failure, Prepared, Processed};
use kiln_host::{ArtifactHandle, BuildScope, Builder, Outcome, Run, SessionHandle, StepError};
use kiln_plan::{
    ArtifactSummary, Build, BuildOutcome, ComponentRef, Diagnostic, Diagnostics, Event, EventBody, EventSink,
    Step,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;

/// The most findings that are remembered; a build that retries for ever must not grow.
const MOST: usize = 1000;

/// Runs steps in the sandbox.
pub(crate) struct Steps {
    run: Run,
    screen: Screen,
    questions: Questions,
    findings: Arc<Findings>,
    absent: BTreeSet<ComponentRef>,
}

/// One build.
#[derive(Clone)]
pub(crate) struct Scope {
    name: Arc<str>,
    build: BuildScope,
}

/// A builder, and the step it came from for its later errors.
pub(crate) struct Started {
    builder: Builder,
    step: Step,
}

impl Steps {
    pub(crate) fn new(run: Run, screen: Screen) -> Self {
        let questions = Questions::new(screen.clone());
        Self { run, questions, screen, findings: Arc::default(), absent: BTreeSet::new() }
    }

    /// With components that are not there: their steps are valid as far as their options are.
    pub(crate) fn without<'c>(self, absent: impl Iterator<Item = &'c ComponentRef>) -> Self {
        Self { absent: absent.cloned().collect(), ..self }
    }

    /// The findings of steps, filled while the run goes on.
    pub(crate) fn findings(&self) -> Arc<Findings> {
        Arc::clone(&self.findings)
    }

    /// A step's error for the engine, remembered.
    fn failed(&self, step: &Step, error: StepError) -> Failure {
        if error.is_cancelled() {
            return Failure::cancelled();
        }
        let span = error.span.or(step.span);
        let mut finding =
            Diagnostic::error(error.code, error.message.clone()).within(step.first.context.clone());
        finding.span = span;
        if error.is_trap() {
            finding.help = Some(format!("the {} is broken; report it to its author", step.component));
        }
        self.findings.add(error.message.clone(), finding);
        Failure { message: error.message, span, cancelled: false }
    }
}

/// Errors of steps by their message.
#[derive(Default)]
pub(crate) struct Findings(Mutex<Vec<(String, Diagnostic)>>);

impl Findings {
    fn add(&self, message: String, finding: Diagnostic) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST {
            all.push((message, finding));
        }
    }

    /// The finding behind an error of a build.
    fn of(&self, error: &str) -> Option<Diagnostic> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .rev()
            .find(|(message, _)| error.contains(message.as_str()))
            .map(|(_, finding)| finding.clone())
    }
}

/// The sink of a run: after a build that failed, its errors as diagnostics. Packer prints no more than
/// the error, so neither do its own lines and rows.
pub(crate) struct Explaining {
    pub(crate) screen: Screen,
    pub(crate) findings: Arc<Findings>,
}

impl EventSink for Explaining {
    fn emit(&self, event: Event) {
        let errors = match &event.body {
            EventBody::BuildFinished { outcome: BuildOutcome::Failed(errors), .. } => errors.clone(),
            _ => Vec::new(),
        };
        self.screen.emit(event);
        if self.screen.showing.classic {
            return;
        }
        for finding in errors.iter().filter_map(|error| self.findings.of(error)) {
            self.screen.diagnostic(&finding);
        }
    }
}

/// The host's word for an outcome.
fn outcome_of(outcome: CleanupOutcome) -> Outcome {
    match outcome {
        CleanupOutcome::Success => Outcome::Success,
        CleanupOutcome::Failed => Outcome::Failed,
        CleanupOutcome::Cancelled => Outcome::Cancelled,
        CleanupOutcome::Aborted => Outcome::Aborted,
    }
}

impl Executor for Steps {
    type Scope = Scope;
    type Builder = Started;
    type Session = SessionHandle;
    type Artifact = ArtifactHandle;

    async fn open_build(&self, build: &Build) -> Result<Scope, Failure> {
        let scope = self.run.build(&build.name, &build.source_name, &build.builder.component.name);
        Ok(Scope { name: build.name.as_str().into(), build: scope })
    }

    async fn validate(&self, scope: &Scope, step: &Step) -> Diagnostics {
        if self.absent.contains(&step.component) {
            return Diagnostics::new();
        }
        scope.build.validate(step, &step.first).await
    }

    async fn prepare(
        &self,
        scope: &Scope,
        call: Call,
    ) -> (Option<Started>, Result<Prepared<SessionHandle>, Failure>) {
        let Call { step, configuration, info, cancel } = call;
        let (builder, result) = scope.build.prepare(&step, &configuration, info, cancel).await;
        let result = result
            .map(|prepared| Prepared { session: prepared.session, values: prepared.values })
            .map_err(|error| self.failed(&step, error));
        (builder.map(|builder| Started { builder, step }), result)
    }

    async fn finish(&self, builder: &mut Started) -> Result<Option<ArtifactHandle>, Failure> {
        let result = builder.builder.finish().await;
        result.map_err(|error| self.failed(&builder.step, error))
    }

    async fn cleanup(
        &self,
        builder: Started,
        outcome: CleanupOutcome,
        _: CancellationToken,
    ) -> Result<(), Failure> {
        // The host bounds it and gives it a token of its own.
        let result = builder.builder.cleanup(outcome_of(outcome)).await;
        result.map_err(|error| self.failed(&builder.step, error))
    }

    async fn provision(
        &self,
        scope: &Scope,
        call: Call,
        session: Option<SessionHandle>,
    ) -> Result<(), Failure> {
        let Call { step, configuration, info, cancel } = call;
        let result = scope.build.provision(&step, &configuration, session.as_ref(), info, cancel).await;
        result.map_err(|error| self.failed(&step, error))
    }

    async fn post_process(
        &self,
        scope: &Scope,
        call: Call,
        artifact: ArtifactHandle,
    ) -> Result<Processed<ArtifactHandle>, Failure> {
        let Call { step, configuration, info, cancel } = call;
        let result = scope.build.post_process(&step, &configuration, &artifact, info, cancel).await;
        let processed = result.map_err(|error| self.failed(&step, error))?;
        Ok(Processed {
            artifact: processed.artifact,
            keep_input: processed.keep_input,
            must_keep: processed.must_keep,
        })
    }

    fn summary(&self, artifact: &ArtifactHandle) -> ArtifactSummary {
        artifact.summary()
    }

    async fn destroy(&self, scope: &Scope, artifact: &ArtifactHandle) -> Result<(), Failure> {
        match scope.build.destroy_artifact(artifact).await {
            left if left.is_empty() => Ok(()),
            left => Err(Failure::new(left.join("; "))),
        }
    }

    async fn close(&self, scope: Scope, outcome: CleanupOutcome) -> Result<(), Failure> {
        let left = scope.build.close(outcome_of(outcome)).await;
        if left.is_empty() {
            return Ok(());
        }
        let undo = format!("kiln cleanup {}", self.run.id());
        if outcome != CleanupOutcome::Aborted {
            return Err(Failure::new(format!("{}; try `{undo}`", left.join("; "))));
        }
        let list: String = left.iter().map(|line| format!("\n    {line}")).collect();
        let body = EventBody::Say { text: format!("Left as it is, until you run `{undo}`:{list}") };
        self.screen.emit(Event { time: SystemTime::now(), build: Some(scope.name), step: None, body });
        Ok(())
    }

    async fn ask(&self, question: &str, choices: &[&str]) -> Result<usize, Failure> {
        let choices: Vec<String> = choices.iter().map(|choice| (*choice).to_owned()).collect();
        let answer = self.questions.choose("", question, &choices).await;
        answer.ok_or_else(|| Failure::new(format!("-on-error=ask {}", crate::prompt::NOBODY)))
    }
}
