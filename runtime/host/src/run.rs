//! One run of kiln: what its builds share. Main type: [`Run`].

use crate::build::{BuildInner, BuildScope};
use crate::capability::TraceRecord;
use crate::error::StepError;
use crate::host::HostInner;
use crate::journal::RunJournal;
use crate::secrets::{Redactor, random_hex};
use kiln_plan::{Configuration, Event, EventBody, EventSink, Step, StepInfo, Value};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;

/// Takes the record of each host call.
pub type TraceSink = Arc<dyn Fn(&TraceRecord) + Send + Sync>;

/// A question to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// In which build.
    pub build: String,
    /// What is asked; fit to be shown.
    pub text: String,
    /// The answers; one of them for a mere pause.
    pub choices: Vec<String>,
}

/// Whoever answers questions: a terminal, or nobody.
pub trait Prompt: Send + Sync {
    /// The index of the answer; `None` if nobody can answer. Dropped when the build is cancelled.
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Option<usize>> + Send + '_>>;
}

/// Nobody answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPrompt;

impl Prompt for NoPrompt {
    fn ask(&self, _: Question) -> Pin<Box<dyn Future<Output = Option<usize>> + Send + '_>> {
        Box::pin(std::future::ready(None))
    }
}

/// What happens after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Everything is undone.
    #[default]
    Cleanup,
    /// Everything is left as it is.
    Abort,
    /// The user decides.
    Ask,
    /// The error cleanup provisioner runs, then everything is undone.
    RunCleanupProvisioner,
}

/// What a run is begun with.
#[derive(Clone)]
pub struct RunOptions {
    /// The run's UUID; also its name in the journal.
    pub id: String,
    /// Where events go.
    pub sink: Arc<dyn EventSink>,
    /// Where the record of each host call goes.
    pub trace: Option<TraceSink>,
    /// Finds secrets; shared with whoever shows text that did not come through events.
    pub redactor: Arc<Redactor>,
    /// Ends every build.
    pub cancel: CancellationToken,
    /// -force.
    pub force: bool,
    /// -debug.
    pub debug: bool,
    /// -on-error.
    pub on_error: OnError,
    /// Who answers questions.
    pub prompt: Arc<dyn Prompt>,
    /// The folder of the template, for `template_dir`.
    pub template_dir: PathBuf,
    /// What `packer_version` says.
    pub version: String,
    /// Values that the template marks as sensitive.
    pub sensitive: Vec<String>,
}

impl RunOptions {
    /// A run that shows nothing and asks nobody.
    pub fn silent() -> Self {
        struct Nowhere;
        impl EventSink for Nowhere {
            fn emit(&self, _: Event) {}
        }
        Self {
            id: run_uuid(),
            sink: Arc::new(Nowhere),
            trace: None,
            redactor: Arc::default(),
            cancel: CancellationToken::new(),
            force: false,
            debug: false,
            on_error: OnError::default(),
            prompt: Arc::new(NoPrompt),
            template_dir: PathBuf::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sensitive: Vec::new(),
        }
    }
}

impl std::fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A run in progress. Cheap to clone.
#[derive(Clone)]
pub struct Run {
    inner: Arc<RunInner>,
}

pub(crate) struct RunInner {
    pub(crate) host: Arc<HostInner>,
    pub(crate) options: RunOptions,
    pub(crate) id: Arc<str>,
    pub(crate) started: SystemTime,
    pub(crate) journal: Arc<RunJournal>,
    next: AtomicU64,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("id", &self.inner.id).finish_non_exhaustive()
    }
}

impl Run {
    pub(crate) fn new(host: Arc<HostInner>, options: RunOptions) -> Self {
        let passwords = crate::outgoing::proxy_passwords(&host.options.environment);
        for secret in options.sensitive.iter().chain(&passwords) {
            options.redactor.add(secret);
        }
        let journal = Arc::new(RunJournal::new(&host.options.state_dir, &options.id));
        let id = options.id.as_str().into();
        let inner =
            RunInner { host, options, id, started: SystemTime::now(), journal, next: AtomicU64::new(1) };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn inner(&self) -> &Arc<RunInner> {
        &self.inner
    }

    /// Its UUID.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Finds the run's secrets.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.inner.options.redactor
    }

    /// Begins a build. `name` is as shown; `source_name` the name of the source block;
    /// `builder_type` the builder's type.
    pub fn build(&self, name: &str, source_name: &str, builder_type: &str) -> BuildScope {
        BuildScope::new(BuildInner::new(self.inner.clone(), name, source_name, builder_type))
    }

    /// Checks the options of a data source.
    pub async fn validate_data(&self, step: &Step, configuration: &Configuration) -> kiln_plan::Diagnostics {
        self.build("", "", "").validate(step, configuration).await
    }

    /// The values of a data source.
    ///
    /// # Errors
    /// The component's, or the host's about its options.
    pub async fn read_data(&self, step: &Step, configuration: &Configuration) -> Result<Value, StepError> {
        let scope = self.build("", "", "");
        let result = scope.read_data(step, configuration).await;
        let outcome = if result.is_ok() { crate::Outcome::Success } else { crate::Outcome::Failed };
        let left = scope.close(outcome).await;
        for problem in left {
            tracing::warn!(%problem, "a data source left something");
        }
        result
    }

    /// The end of the run, after its builds were closed.
    pub fn close(&self) {
        self.inner.journal.close();
    }
}

impl RunInner {
    /// A number that is unique in the run, for steps and progress.
    pub(crate) fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn emit(&self, build: Option<Arc<str>>, step: Option<Arc<StepInfo>>, body: EventBody) {
        self.options.sink.emit(Event { time: SystemTime::now(), build, step, body });
    }
}

/// A random UUID (RFC 9562, version 4).
pub fn run_uuid() -> String {
    let hex = random_hex(16);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or("");
    let variant = match part(16..17) {
        "0" | "4" | "8" | "c" => '8',
        "1" | "5" | "9" | "d" => '9',
        "2" | "6" | "a" | "e" => 'a',
        _ => 'b',
    };
    format!("{}-{}-4{}-{variant}{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
}
