//! The sandbox with real guests (tests/programs), one file for each part.
#![expect(clippy::disallowed_methods, reason = "tests look at files that the sandbox made")]

mod builder;
mod designation;
mod hostile;
mod imports;
mod secrets;
mod support;
