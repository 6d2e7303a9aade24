//! Runs a [`kiln_plan::Plan`]: order, parallelism, retries, cancel, cleanup. Speaks only in events.
//!
//! The engine knows neither WebAssembly nor a terminal: what a step *does* is behind the trait
//! [`Executor`], what the user *sees* is behind [`kiln_plan::EventSink`]. [`run`] is the way in.
//!
//! ```text
//! run ─▶ validate all ─▶ dispatcher: at most N at once, in the plan's order
//!                          └─▶ one build: prepare ─▶ provisioners ─▶ finish ─▶ cleanup ─▶ post-processors ─▶ close
//!                                                └── on every way out: error-cleanup ─▶ cleanup ─▶ close
//! ```

mod bounded;
mod build;
mod cleanup;
mod dispatcher;
mod executor;
mod outcome;
mod post_process;
mod question;
mod retry;
mod run;
mod schedule;
mod step;

#[cfg(test)]
mod tests;

pub use executor::{Call, Executor, Failure, Prepared, Processed, Started};
pub use outcome::{BuildReport, CleanupOutcome, RunResult};
pub use run::{OnError, RunOptions, run, validate};
