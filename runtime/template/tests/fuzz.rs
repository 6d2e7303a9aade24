//! Fuzzing: texts that nobody would write, for everything in this crate and in kiln-plan that reads
//! text. One target each for HCL, the evaluator, Go templates, JSON and variable files.
//!
//! There is no coverage instrumentation on stable Rust. Instead an input that makes a target say
//! something new joins the pool that is mutated (`fuzz/engine.rs`), inputs are mutated by token and
//! bracket, and expressions are grown from a grammar, so that most inputs get past the parser. The
//! corpus and past failures are in `fuzz/corpus` and `fuzz/regressions`; both are replayed first.
//!
//! A run takes `KILN_FUZZ_SECONDS` per target (12) with the seed `KILN_FUZZ_SEED` (1);
//! `cargo xtask soak fuzz` runs for long with a new seed each time.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests read their own fixtures and end when something is not as expected"
)]

#[path = "language/world.rs"]
#[expect(dead_code, reason = "the fuzzer has a world of its own and needs only the components")]
mod world;

mod fuzz {
    mod chance;
    mod engine;
    mod grow;
    mod hostile;
    mod memory;
    mod mutate;
    mod targets;
}
