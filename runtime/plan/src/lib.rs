//! The words and rules that every part of kiln shares: pure data, no I/O.
//!
//! `kiln-template` makes a [`Plan`], `kiln-engine` runs it, `kiln-host` runs each step of it, and
//! `kiln-cli` shows the [`Event`]s. None of them knows the others; all know this crate.

mod address;
mod artifact;
pub mod code;
mod diagnostic;
mod duration;
mod event;
pub mod go_template;
pub mod grant;
mod late;
mod plan;
mod schema;
mod source;
mod value;

pub use address::{ComponentRef, Kind};
pub use artifact::{ArtifactFile, ArtifactSummary};
pub use code::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use duration::{SignedDuration, format_duration, parse_duration};
pub use event::{BuildOutcome, Event, EventBody, EventSink, OutputStream, Progress, StepInfo};
pub use late::{BuildValues, Configuration, Evaluate};
pub use plan::{Build, Plan, PostProcessor, Provisioner, Step};
pub use schema::{Designation, Direction, Field, FieldType, Misfit, Problem, Schema, SchemaError, nearest};
pub use source::{FileId, SourceMap, Span};
pub use value::{Data, Marks, Number, Origin, Value, pointer_push};
