//! The `kiln` command: where the layers meet.
//!
//! Nothing heavier than argument parsing happens before a verb needs it: no runtime, no sandbox.

mod args;
mod commands;
mod diagnostics;
mod env_vars;
mod exit;
mod home;
mod logging;
mod report;
mod screen;
mod settings;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(std::env::args_os()).into()
}
