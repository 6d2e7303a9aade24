//! The language as a user of this crate sees it: expressions, functions, whole templates, and the
//! traps of compatibility. Fixtures are in `good/`, `bad/` and `traps/`.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests read their own fixtures and end when something is not as expected"
)]

mod language {
    mod codes;
    mod expressions;
    mod fixers;
    mod fixtures;
    mod functions;
    mod graph;
    mod hostile;
    mod inputs;
    mod laws;
    mod layout;
    mod legacy_traps;
    mod stranger;
    mod traps;
    mod upgrade;
    mod world;
}
