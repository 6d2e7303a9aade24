//! An executor that does what its script says and writes down what it was asked to do.

use crate::{Call, CleanupOutcome, Executor, Failure, Prepared, Processed, RunOptions, RunResult, run};
use kiln_plan::{
    ArtifactSummary, Build, BuildValues, ComponentRef, Configuration, Diagnostic, Diagnostics, Evaluate,
    Event, EventSink, Kind, Plan, PostProcessor, Provisioner, Step, Value,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What a call does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Fail(&'static str),
    Panic,
    /// Waits, or ends with its token.
    Wait(Duration),
    /// Waits whatever is cancelled.
    Deaf(Duration),
    /// A post-processor's answer: artifact, keep, must keep.
    Give(Option<&'static str>, bool, bool),
}

/// Acts by the name of the call: `provision a`, `prepare`, `finish`, `process x`; used up in order,
/// the last one stays.
#[derive(Default)]
pub(super) struct Script {
    acts: Mutex<BTreeMap<String, VecDeque<Act>>>,
    pub(super) log: Mutex<Vec<String>>,
    pub(super) answers: Mutex<VecDeque<usize>>,
    pub(super) events: Mutex<Vec<Event>>,
    invalid: Mutex<Vec<String>>,
    running: Mutex<(usize, usize)>,
}

impl Script {
    pub(super) fn on(self, call: &str, act: Act) -> Self {
        self.acts.lock().unwrap().entry(call.to_owned()).or_default().push_back(act);
        self
    }

    pub(super) fn answer(self, choice: usize) -> Self {
        self.answers.lock().unwrap().push_back(choice);
        self
    }

    pub(super) fn invalid(self, step: &str) -> Self {
        self.invalid.lock().unwrap().push(step.to_owned());
        self
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.running.lock().unwrap().1
    }

    fn note(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }

    fn act(&self, call: &str) -> Option<Act> {
        let mut acts = self.acts.lock().unwrap();
        let queue = acts.get_mut(call)?;
        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
    }

    async fn perform(&self, call: &str, cancel: &CancellationToken) -> Result<Option<Act>, Failure> {
        match self.act(call) {
            Some(Act::Fail(text)) => Err(Failure::new(text)),
            Some(Act::Panic) => panic!("on purpose"),
            Some(Act::Wait(time)) => tokio::select! {
                () = tokio::time::sleep(time) => Ok(None),
                () = cancel.cancelled() => Err(Failure::cancelled()),
            },
            Some(Act::Deaf(time)) => {
                tokio::time::sleep(time).await;
                Ok(None)
            }
            other => Ok(other),
        }
    }
}

impl EventSink for Script {
    fn emit(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}

impl Executor for Script {
    type Scope = String;
    type Builder = (String, CancellationToken);
    type Session = String;
    type Artifact = String;

    async fn open_build(&self, build: &Build) -> Result<String, Failure> {
        Ok(build.name.clone())
    }

    async fn validate(&self, _: &String, step: &Step) -> Diagnostics {
        let wrong = self.invalid.lock().unwrap().contains(&step.component.name);
        if wrong {
            vec![Diagnostic::error(
                kiln_plan::code::component::VALIDATE,
                format!("{} is wrong", step.component),
            )]
        } else {
            vec![]
        }
    }

    async fn prepare(
        &self,
        scope: &String,
        call: Call,
    ) -> (Option<Self::Builder>, Result<Prepared<String>, Failure>) {
        self.note(format!("prepare {scope}"));
        {
            let mut running = self.running.lock().unwrap();
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        let result = self.perform("prepare", &call.cancel).await;
        let values = BTreeMap::from([("ID".to_owned(), Value::text("real"))]);
        let builder = (scope.clone(), call.cancel.clone());
        (Some(builder), result.map(|_| Prepared { session: Some("session".to_owned()), values }))
    }

    async fn finish(&self, builder: &mut Self::Builder) -> Result<Option<String>, Failure> {
        self.note(format!("finish {}", builder.0));
        self.perform("finish", &builder.1).await.map(|_| Some("image".to_owned()))
    }

    async fn cleanup(
        &self,
        builder: Self::Builder,
        outcome: CleanupOutcome,
        cancel: CancellationToken,
    ) -> Result<(), Failure> {
        assert!(!cancel.is_cancelled(), "a cleanup has a fresh token");
        self.running.lock().unwrap().0 -= 1;
        self.note(format!("cleanup {} {outcome:?}", builder.0));
        self.perform("cleanup", &cancel).await.map(drop)
    }

    async fn provision(&self, _: &String, call: Call, session: Option<String>) -> Result<(), Failure> {
        assert_eq!(session.as_deref(), Some("session"));
        assert!(!call.cancel.is_cancelled());
        let name = &call.step.component.name;
        let id = call.configuration.value.as_text().unwrap_or("").to_owned();
        self.note(format!("provision {name} #{} id={id}", call.info.attempt));
        self.perform(&format!("provision {name}"), &call.cancel).await.map(drop)
    }

    async fn post_process(
        &self,
        _: &String,
        call: Call,
        artifact: String,
    ) -> Result<Processed<String>, Failure> {
        let name = call.step.component.name.clone();
        self.note(format!("process {name} <{artifact}>"));
        match self.perform(&format!("process {name}"), &call.cancel).await? {
            Some(Act::Give(artifact, keep_input, must_keep)) => {
                Ok(Processed { artifact: artifact.map(str::to_owned), keep_input, must_keep })
            }
            _ => Ok(Processed {
                artifact: Some(format!("{artifact}+{name}")),
                keep_input: true,
                must_keep: true,
            }),
        }
    }

    fn summary(&self, artifact: &String) -> ArtifactSummary {
        ArtifactSummary {
            builder_id: String::new(),
            id: String::new(),
            description: artifact.clone(),
            files: vec![],
        }
    }

    async fn destroy(&self, _: &String, artifact: &String) -> Result<(), Failure> {
        self.note(format!("destroy {artifact}"));
        Ok(())
    }

    async fn close(&self, scope: String, outcome: CleanupOutcome) -> Result<(), Failure> {
        self.note(format!("close {scope} {outcome:?}"));
        Ok(())
    }

    async fn ask(&self, question: &str, _: &[&str]) -> Result<usize, Failure> {
        self.note(format!("ask {question}"));
        let answer = self.answers.lock().unwrap().pop_front();
        answer.ok_or_else(|| Failure::new("no terminal"))
    }
}

/// Options that are the value of `build.ID`.
#[derive(Debug)]
struct Late;

fn configuration(text: &str) -> Configuration {
    Configuration { value: Value::text(text), spans: BTreeMap::new(), block: None, context: String::new() }
}

impl Evaluate for Late {
    fn evaluate(&self, values: &BuildValues) -> Result<Configuration, Diagnostics> {
        let id = values.build.get("ID").and_then(Value::as_text).unwrap_or("placeholder");
        Ok(configuration(id))
    }
}

fn step(kind: Kind, name: &str) -> Step {
    Step {
        component: ComponentRef::new(kind, name),
        label: None,
        span: None,
        first: configuration("first"),
        late: Arc::new(Late),
    }
}

pub(super) fn provisioner(name: &str) -> Provisioner {
    Provisioner {
        step: step(Kind::Provisioner, name),
        pause_before: Duration::ZERO,
        timeout: Duration::ZERO,
        max_retries: 0,
        continue_on_error: false,
    }
}

pub(super) fn post_processor(name: &str) -> PostProcessor {
    PostProcessor { step: step(Kind::PostProcessor, name), keep_input_artifact: None }
}

pub(super) fn build(name: &str, provisioners: Vec<Provisioner>) -> Build {
    Build {
        name: name.to_owned(),
        source_name: name.to_owned(),
        builder: step(Kind::Builder, "machine"),
        provisioners,
        error_cleanup: None,
        post_processors: Vec::new(),
    }
}

pub(super) async fn play(
    script: Script,
    builds: Vec<Build>,
    options: RunOptions,
) -> (Arc<Script>, RunResult) {
    play_until(script, builds, options, CancellationToken::new()).await
}

pub(super) async fn play_until(
    script: Script,
    builds: Vec<Build>,
    options: RunOptions,
    cancel: CancellationToken,
) -> (Arc<Script>, RunResult) {
    let script = Arc::new(script);
    let plan = Plan { builds, sources: Arc::default(), sensitive: Vec::new() };
    let result = run(plan, script.clone(), options, script.clone(), cancel).await;
    (script, result)
}
