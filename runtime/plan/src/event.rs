//! What happens in a run, as facts. Libraries emit events and never print; reporters in
//! `kiln-cli` turn them into lanes, lines, machine-readable rows or JSON.
//!
//! Text in events is redacted and free of control characters when it is emitted: whoever makes an
//! event with text of a guest or a machine has cleaned it.

use crate::{ArtifactSummary, ComponentRef, Diagnostic};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output of a command.
    Stdout,
    /// Standard error of a command.
    Stderr,
}

/// Which step of a build an event belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepInfo {
    /// Number of the step attempt, unique in the run.
    pub id: u64,
    /// The component.
    pub component: ComponentRef,
    /// The user's name for the step.
    pub label: Option<String>,
    /// Counted from 1; more than 1 is a retry.
    pub attempt: u32,
}

/// How far a transfer, download, conversion or compression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Unique in the run.
    pub id: u64,
    /// What it is: `uploading image.tar`.
    pub title: Arc<str>,
    /// Bytes or counts done.
    pub done: u64,
    /// All of them, if known.
    pub total: Option<u64>,
    /// Whether it is over.
    pub finished: bool,
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildOutcome {
    /// With these artifacts, the builder's first.
    Succeeded(Vec<ArtifactSummary>),
    /// With these errors, the first one first.
    Failed(Vec<String>),
    /// By the user.
    Cancelled,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventBody {
    /// The run began; the names of its builds in order.
    RunStarted { builds: Vec<Arc<str>> },
    /// A build began.
    BuildStarted,
    /// A step began.
    StepStarted { phase: Arc<str> },
    /// A step ended; the error if it failed.
    StepFinished { elapsed: Duration, error: Option<String> },
    /// A line (or lines) for the user.
    Say { text: String },
    /// An error for the user that does not end the build by itself.
    Error { text: String },
    /// A warning for the user.
    Warning { text: String },
    /// Whole lines of output of a command on the machine or on the host, no line end.
    Output { stream: OutputStream, text: String },
    /// A line for the log only.
    Log { level: Arc<str>, text: String },
    /// How far something is.
    Progress(Progress),
    /// A finding about the template, made during the run.
    Diagnostic(Diagnostic),
    /// Time was spent in `name` (boot, provision, wait…); for the timeline and the benchmarks.
    Span { name: Arc<str>, elapsed: Duration },
    /// A build ended.
    BuildFinished { outcome: BuildOutcome, elapsed: Duration },
    /// The run ended.
    RunFinished { elapsed: Duration, interrupted: bool },
}

/// A fact with its place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: SystemTime,
    /// In which build; none for the run itself.
    pub build: Option<Arc<str>>,
    /// In which step.
    pub step: Option<Arc<StepInfo>>,
    /// What.
    pub body: EventBody,
}

/// Where events go. Never blocks for long; drops nothing but progress.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);
}
