#![doc = include_str!("../README.md")]
//! ---
//!
//! The crate is a thin layer over the bindings of `wit/`: the host's interfaces are re-exported
//! as they are ([`files`], [`sessions`], …), with [`Error`], [`Config`], [`Unchecked`] and one trait
//! per kind of component on top. It compiles natively too, so that pure parts of a component can be
//! tested with plain `cargo test`; a call of the host panics there.

#[doc(hidden)]
pub mod bindings;
mod config;
mod describe;
pub mod duration;
mod error;
pub mod groups;
mod kinds;
pub mod testing;
mod ui_text;
mod unchecked;

pub use bindings::host::kiln::host::artifacts::{Artifact, Draft};
pub use bindings::host::kiln::host::config::{Context, Entry, NamedEntry};
pub use bindings::host::kiln::host::sessions::Session;
pub use bindings::host::kiln::host::types::{Diagnostic, Error, ErrorCode, Severity};
pub use bindings::host::kiln::host::{
    artifacts, downloads, exec, files, hypervisor, journal, machines, render, secrets, session_proxy,
    sessions, transfers, ui,
};
pub use config::Config;
pub use describe::{Description, Grant};
pub use kinds::{Builder, DataSource, Outcome, PostProcessor, Prepared, Processed, Provisioner};
pub use serde;
pub use serde_json;
pub use unchecked::{Findings, Unchecked};

/// The result of everything that may fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;
