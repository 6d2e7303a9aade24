//! kiln and Debian's Packer 1.6.6 side by side, on what both read: expressions, verdicts, inspect,
//! fmt, builds with their files and output, exit codes.
//!
//! A difference fails unless docs/packer-compatibility.md explains it; an explanation that no
//! longer explains anything fails too.

mod builds;
mod console;
mod explained;
mod fixtures;
mod layout;
mod programs;
mod usage;
