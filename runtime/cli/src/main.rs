//! The `kiln` command: where the layers meet.
//!
//! Nothing heavier than argument parsing happens before a verb needs it: no runtime, no sandbox.

mod args;
mod bundled;
mod catalogue;
mod commands;
mod compatible;
mod config_file;
mod diagnostics;
mod env_vars;
mod executor;
mod exit;
mod home;
mod interrupt;
mod legacy_file;
mod lock;
mod logging;
mod missing;
mod prompt;
mod report;
mod requirements;
mod sandbox;
mod screen;
mod secret_stores;
mod session;
mod settings;
mod template_env;

fn main() {
    let exit = commands::run(std::env::args_os());
    // Not a return: a thread that waits for a line of the terminal must not keep kiln alive.
    std::process::exit(exit.code().into());
}
