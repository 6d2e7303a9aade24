//! Runs a [`kiln_plan::Plan`]: order, parallelism, retries, cancel, cleanup.
//!
//! It speaks only in [`kiln_plan::Event`]s and reaches steps only through the trait [`Executor`];
//! it has never heard of WebAssembly, terminals or files.
//!
//! ```text
//! queued ─► prepare ─► provision* ─► finish ─► builder's cleanup ─► post-process* ─► close
//!              │           │            │                               │
//!              └───────────┴────────────┴── failed or cancelled ────────┘
//!                          error-cleanup ─► builder's cleanup ─► close
//! ```
//! Every way out of a build goes through `close`.

mod attempt;
mod build;
mod emit;
mod executor;
mod post_process;
mod provision;
mod run;

pub use executor::{Executor, Outcome, Prepared, Processed, StepError};
pub use run::{OnError, RunOptions, RunResult, run};
