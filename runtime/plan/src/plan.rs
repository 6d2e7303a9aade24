//! What is to be done: builds, each with its steps in order.

use crate::{ComponentRef, Configuration, Evaluate, SourceMap, Span};
use std::sync::Arc;
use std::time::Duration;

/// A whole run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The builds in the order of the template, filters applied.
    pub builds: Vec<Build>,
    /// The texts that spans point into.
    pub sources: Arc<SourceMap>,
    /// Values that must not be shown, as the template marks them.
    pub sensitive: Vec<String>,
}

/// One build: one source in one build block.
#[derive(Debug, Clone)]
pub struct Build {
    /// As shown: `[build.]type.name`.
    pub name: String,
    /// The name of its source block, also where the build gives it a local name; what
    /// `PACKER_BUILD_NAME` says.
    pub source_name: String,
    /// The builder.
    pub builder: Step,
    /// In order; those that `only`/`except` leave out are not here.
    pub provisioners: Vec<Provisioner>,
    /// Runs when a provisioner failed.
    pub error_cleanup: Option<Provisioner>,
    /// Sequences of post-processors, each starting from the builder's artifact.
    pub post_processors: Vec<Vec<PostProcessor>>,
}

impl Build {
    /// All its steps in the order of a run.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let provisioners = self.provisioners.iter().chain(&self.error_cleanup).map(|p| &p.step);
        let post_processors = self.post_processors.iter().flatten().map(|p| &p.step);
        std::iter::once(&self.builder).chain(provisioners).chain(post_processors)
    }
}

/// A component with its options.
#[derive(Debug, Clone)]
pub struct Step {
    /// Which component.
    pub component: ComponentRef,
    /// The name that the user gave to the step, if any.
    pub label: Option<String>,
    /// Where it is written.
    pub span: Option<Span>,
    /// The options as they are while validating, late values unknown.
    pub first: Configuration,
    /// The options as they are later.
    pub late: Arc<dyn Evaluate>,
}

/// A provisioner and how it is run.
#[derive(Debug, Clone)]
pub struct Provisioner {
    /// The component.
    pub step: Step,
    /// Waits before each attempt.
    pub pause_before: Duration,
    /// Bounds each attempt; zero for none.
    pub timeout: Duration,
    /// How often it is tried again.
    pub max_retries: u32,
    /// Whether the build goes on after it failed.
    pub continue_on_error: bool,
}

/// A post-processor and how it is run.
#[derive(Debug, Clone)]
pub struct PostProcessor {
    /// The component.
    pub step: Step,
    /// What the user says of its input; `None` leaves it to the component.
    pub keep_input_artifact: Option<bool>,
}
