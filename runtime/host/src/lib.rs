//! The sandbox: runs WebAssembly components with what a template designated and a user granted, and
//! no more. Usable as a library; it knows no template language, no terminal and no component's name.
//!
//! ```text
//! Host ── knows components: digest, kind, description, native code
//!  └─ Run ── one process run: events, secrets, journal, cancel
//!      └─ BuildScope ── one build: outputs, scratch, sealed secrets, what must be undone
//!          └─ a step ── one store: options in, host calls through one gate, a result out
//! ```
//!
//! Start with [`Host::new`], [`Host::run`] and [`Run::build`]; [`BuildScope`] has a call for each
//! thing that an executor does with a step. [`IMPORTS`] lists what guests can call.

#![expect(unreachable_pub, reason = "the generated bindings need the types of handles to be `pub`")]

mod artifact;
mod bindings;
mod build;
mod capability;
mod component;
mod configuration;
mod designation;
mod error;
mod file;
mod finished;
mod groups;
mod host;
mod instance;
mod journal;
mod limits;
mod outgoing;
mod output;
mod progress;
mod run;
mod sealed_cache;
mod secrets;
mod show;
mod state;
mod wasm;

pub use artifact::ArtifactHandle;
pub use build::{BuildScope, Builder, Prepared, SessionHandle};
pub use capability::{Class, IMPORTS, Import, STANDARD, TraceRecord};
pub use component::{Description, Source, WantedGrant};
pub use error::{LoadError, StepError};
pub use groups::communicator::COMMUNICATORS;
pub use host::{Bundled, Host, HostOptions, ThirdParty};
pub use instance::{Outcome, Processed};
pub use journal::{Entry as JournalEntry, Journal, OpenRun, Outside};
pub use kiln_content::egress::{Resolve, Resolving};
pub use limits::Limits;
pub use outgoing::Resolver;
pub use run::{NoPrompt, OnError, Prompt, Question, Run, RunOptions, TraceSink, run_uuid};
pub use secrets::Redactor;
