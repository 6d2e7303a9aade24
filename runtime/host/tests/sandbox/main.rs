//! The sandbox with real guests (tests/programs), one file for each part.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests set up what they need, and end when it is not there"
)]

mod builder;
mod designation;
mod hostile;
mod imports;
mod secrets;
mod support;
mod undo;
